/*
 * The live table's readers over memory that anybody may have written: the input is a list of
 * patches (offset, length, bytes), laid over a table with a bundle and a token in it. Readers must
 * stay inside the memory, and give out nothing but exactly what was published.
 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../unit/answer_lib.h"
#include "live/layout.h"
#include "live/view.h"

#define PATCHES 64

static const unsigned char id[HC_ID_SIZE] = {7, 7, 7};
static struct hc_table *reader;
static struct hc_table *writer;
static struct hc_buf published = HC_BUF_INIT(HC_BUNDLE_MAX);
static unsigned char *spare; /* the table as it was made */

static void make_table(void)
{
    struct hc_bundle *bundle = NULL;
    struct hc_pair *pair = NULL;
    struct hc_error err;
    int fd = -1;

    hc_error_init(&err);
    if (hc_table_create(HC_TABLE_SIZE_LEAST, &fd, &reader, &err) != 0 ||
        hc_table_attach(fd, true, &writer, &err) != 0 || hc_pair_bootstrap(&pair, &err) != 0 ||
        hc_bundle_new(&pair, 1, &bundle, &err) != 0 ||
        hc_bundle_encode(bundle, &published, &err) != 0 ||
        hc_table_publish(writer, id, hc_bytes_of(&published), HC_PUBLISH_ADD, &err) != 0 ||
        answer_put(writer, "token", "token.print", 1000, &err) != 0) {
        abort();
    }
    hc_bundle_free(bundle);
    close(fd);
    spare = malloc(writer->size);
    if (spare == NULL) {
        abort();
    }
    memcpy(spare, writer->base, writer->size);
}

static int64_t answer_slot(void)
{
    unsigned char where[HC_ID_SIZE];
    int64_t at = -1;

    hc_answer_place(HC_ANSWER_HTTP, "token", 5, where);
    at = hc_slot_find(&reader->answers, where);
    return at < 0 ? 0 : at;
}

/*
 * Offsets are taken from where something stands: the header, the slot, the extent, the token, or
 * anywhere.
 */
static size_t place(unsigned char where, size_t offset)
{
    const unsigned char *base = reader->base;
    size_t slot = (size_t)(hc_table_find(reader, id) < 0 ? 0 : hc_table_find(reader, id));
    size_t answer = (size_t)answer_slot();
    size_t at = offset;

    switch (where % 5) {
    case 0:
        at = offset % sizeof(struct hc_header);
        break;
    case 1:
        at = (size_t)((const unsigned char *)&reader->pairs.at[slot] - base) + offset % 128;
        break;
    case 2:
        at = (size_t)(reader->data - base) + HC_GRANULE + offset % 1024;
        break;
    case 3: /* the answer's slot; its extent is behind the pair's */
        at = (size_t)((const unsigned char *)&reader->answers.at[answer] - base) + offset % 128;
        break;
    default:
        break;
    }
    return at % reader->size;
}

struct span {
    size_t at, len;
};

static size_t patch(const uint8_t *data, size_t size, struct span spans[PATCHES])
{
    unsigned char *memory = writer->base;
    size_t count = 0;

    while (size >= 5 && count < PATCHES) {
        size_t at = place(data[0], (size_t)data[1] << 16 | (size_t)data[2] << 8 | data[3]);
        size_t len = data[4];

        data += 5;
        size -= 5;
        len = len > size ? size : len;
        len = len > writer->size - at ? writer->size - at : len;
        memcpy(memory + at, data, len);
        spans[count].at = at;
        spans[count++].len = len;
        data += len;
        size -= len;
    }
    return count;
}

static void read_all(void)
{
    struct hc_identity identity = {.mode = HC_MODE_ON};
    struct hc_view_entry view;
    struct hc_buf out = HC_BUF_INIT_SECRET(HC_BUNDLE_MAX);
    struct hc_table_stats stats;
    struct hc_error err;
    char keyauth[HC_KEYAUTH_MAX];
    uint64_t value = 0;

    hc_error_init(&err);
    if (hc_table_read(reader, hc_table_find(reader, id), id, &value, &out, &err) == 1 &&
        (out.len != published.len || memcmp(out.data, published.data, out.len) != 0)) {
        abort();
    }
    if (answer_get(reader, "token", 5, 1, keyauth) && strcmp(keyauth, "token.print") != 0) {
        abort();
    }
    hc_table_stats(reader, &stats);
    memcpy(identity.id, id, sizeof(identity.id));
    hc_view_entry_init(&view, &identity);
    hc_error_init(&err);
    if (hc_view_entry_refresh(&view, reader, &err) == 1 && view.bundle == NULL) {
        abort();
    }
    hc_view_entry_dispose(&view);
    hc_buf_dispose(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct span spans[PATCHES];
    size_t count = 0;

    if (reader == NULL) {
        make_table();
    }
    count = patch(data, size, spans);
    read_all();
    for (size_t i = 0; i < count; i++) {
        memcpy((unsigned char *)writer->base + spans[i].at, spare + spans[i].at, spans[i].len);
    }
    return 0;
}
