/* The live table in one process: what is published is read, and nothing else ever is. */
#include "live/table.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/sha.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "answer_lib.h"
#include "live/layout.h"
#include "tap.h"

static struct hc_error err;
static struct hc_table *reader;
static struct hc_table *writer;
static int fd = -1;

static void open_table(size_t size)
{
    hc_error_init(&err);
    if (hc_table_create(size, &fd, &reader, &err) != 0 ||
        hc_table_attach(fd, true, &writer, &err) != 0) {
        ok(false, "a table can be made");
        exit(1);
    }
}

static void close_table(void)
{
    hc_table_detach(writer);
    hc_table_detach(reader);
    close(fd);
    writer = reader = NULL;
}

static const unsigned char *id_of(unsigned n)
{
    static unsigned char id[HC_ID_SIZE];

    SHA256((const unsigned char *)&n, sizeof(n), id);
    return id;
}

/* The payload of a number: its length and every byte depend on it. */
static struct hc_bytes payload_of(unsigned n)
{
    static unsigned char bytes[HC_BUNDLE_MAX];
    struct hc_bytes payload = {bytes, 1 + n * 37 % 5000};

    for (size_t i = 0; i < payload.len; i++) {
        bytes[i] = (unsigned char)(i * 7 + n);
    }
    return payload;
}

static int publish(unsigned id, unsigned n, enum hc_publish how)
{
    hc_error_init(&err);
    return hc_table_publish(writer, id_of(id), payload_of(n), how, &err);
}

/* What a reader gets for an identity: 1 exactly payload n, 2 another payload, else hc_table_read's.
 */
static int look(unsigned id, unsigned n)
{
    struct hc_buf out = HC_BUF_INIT_SECRET(HC_BUNDLE_MAX);
    struct hc_bytes want = payload_of(n);
    uint64_t value = 0;
    int rc = 0;

    hc_error_init(&err);
    rc = hc_table_read(reader, hc_table_find(reader, id_of(id)), id_of(id), &value, &out, &err);
    if (rc == 1 && (out.len != want.len || memcmp(out.data, want.data, want.len) != 0)) {
        rc = 2;
    }
    hc_buf_dispose(&out);
    return rc;
}

static void publish_and_read(void)
{
    int64_t slot = -1;
    uint64_t first = 0;

    open_table(HC_TABLE_SIZE_DEFAULT);
    is_int(hc_table_find(reader, id_of(1)), -1, "nothing is found before it is published");
    is_int(publish(1, 10, HC_PUBLISH_REPLACE), 0, "a payload is published");
    is_int(look(1, 10), 1, "and read whole");
    slot = hc_table_find(reader, id_of(1));
    first = hc_table_value(reader, slot);
    is_int(publish(1, 11, HC_PUBLISH_ADD), 0, "adding to a used slot is no error");
    ok(look(1, 10) == 1 && hc_table_value(reader, slot) == first, "and changes nothing");
    is_int(publish(1, 11, HC_PUBLISH_REPLACE), 0, "replacing it");
    ok(look(1, 11) == 1 && hc_table_value(reader, slot) != first, "gives it another value");
    is_int(hc_table_find(reader, id_of(1)), slot, "in the same slot");
    is_int(hc_table_remove(writer, id_of(1), &err), 0, "it is removed");
    ok(look(1, 11) == 0 && hc_table_value(reader, slot) == 0, "and is not there any more");
    is_int(hc_table_find(reader, id_of(1)), slot, "its slot is still known");
    is_int(hc_table_remove(writer, id_of(2), &err), 0, "removing what never was is no error");
    is_int(publish(1, 12, HC_PUBLISH_ADD), 0, "a removed one can be added");
    is_int(look(1, 12), 1, "and read");
    is_int(look(2, 12), 0, "no identity gets another one's payload");
    close_table();
}

static void refuses_what_does_not_fit(void)
{
    static unsigned char zero[HC_ID_SIZE];
    static unsigned char big[HC_BUNDLE_MAX + 1];
    struct hc_bytes most = {big, HC_BUNDLE_MAX};
    struct hc_bytes more = {big, HC_BUNDLE_MAX + 1};
    struct hc_bytes none = {big, 0};
    struct hc_table *none_made = NULL;
    int none_fd = -1;

    open_table(HC_TABLE_SIZE_LEAST);
    is_int(hc_table_publish(writer, id_of(1), most, HC_PUBLISH_ADD, &err), 0, "the largest fits");
    is_int(hc_table_publish(writer, id_of(1), more, HC_PUBLISH_REPLACE, &err), -1,
           "a byte more does not");
    is_int(hc_table_publish(writer, id_of(1), none, HC_PUBLISH_REPLACE, &err), -1,
           "nothing is no payload");
    is_int(hc_table_publish(writer, zero, most, HC_PUBLISH_REPLACE, &err), -1,
           "zeros are no identity");
    hc_error_init(&err);
    is_int(hc_table_publish(reader, id_of(1), most, HC_PUBLISH_REPLACE, &err), -1,
           "a reader cannot publish");
    is_int(err.problem, HC_P_INTERNAL, "and is told so");
    is_int(hc_table_create(4096, &none_fd, &none_made, &err), -1, "a page is too small a table");
    is_int(hc_table_create(HC_TABLE_SIZE_MOST + 1, &none_fd, &none_made, &err), -1,
           "more than a GiB too large");
    close_table();
}

static void many_identities(void)
{
    const unsigned count = 700;
    unsigned good = 0;
    struct hc_table_stats stats;

    open_table(HC_TABLE_SIZE_LEAST * 4);
    for (unsigned i = 0; i < count; i++) {
        good += publish(i, i, HC_PUBLISH_ADD) == 0;
    }
    for (unsigned i = 0; i < count; i += 3) {
        good += publish(i, i + 1, HC_PUBLISH_REPLACE) == 0;
    }
    is_int(good, count + (count + 2) / 3, "hundreds are published");
    good = 0;
    for (unsigned i = 0; i < count; i++) {
        good += look(i, i % 3 == 0 ? i + 1 : i) == 1;
    }
    is_int(good, count, "and each is read as its last publication");
    hc_table_stats(reader, &stats);
    is_int((long long)stats.slots_used, count, "the figures count them");
    close_table();
}

static void a_full_table_recovers(void)
{
    unsigned published = 0;
    unsigned intact = 0;

    open_table(HC_TABLE_SIZE_LEAST);
    while (published < 5000 && publish(published, 100, HC_PUBLISH_ADD) == 0) {
        published++;
    }
    is_int(err.problem, HC_P_TABLE_FULL, "a full table says so");
    is_int(publish(0, 134, HC_PUBLISH_REPLACE), -1, "what cannot be replaced");
    is_int(look(0, 100), 1, "keeps what it has");
    for (unsigned i = 0; i < published; i += 2) {
        hc_error_init(&err);
        intact += hc_table_remove(writer, id_of(i), &err) == 0;
    }
    is_int(intact, (published + 1) / 2, "every second one is removed");
    intact = 0;
    for (unsigned i = 0; i < published; i += 2) {
        intact += publish(10000 + i, 100, HC_PUBLISH_ADD) == 0 && look(10000 + i, 100) == 1;
        intact += i + 1 >= published || look(i + 1, 100) == 1;
    }
    is_int(intact, (published + 1) / 2 * 2, "and its room is used again, the others intact");
    close_table();
}

static int forget(void *arg, const unsigned char id[HC_ID_SIZE])
{
    unsigned *seen = arg;

    *seen += 1;
    return hc_table_remove(writer, id, &err);
}

static void each_may_remove(void)
{
    struct hc_table_stats stats;
    unsigned seen = 0;

    open_table(HC_TABLE_SIZE_LEAST);
    for (unsigned i = 0; i < 20; i++) {
        ok(publish(i, i, HC_PUBLISH_ADD) == 0, "published");
    }
    is_int(hc_table_each(writer, forget, &seen, &err), 0, "each identity is called for");
    is_int(seen, 20, "once");
    hc_table_stats(reader, &stats);
    is_int((long long)stats.slots_used, 0, "and may be removed in it");
    close_table();
}

/* The bytes of the data area that are not zero. */
static size_t bytes_left(void)
{
    size_t left = 0;

    for (size_t i = 0; i < reader->granules * HC_GRANULE; i++) {
        left += reader->data[i] != 0;
    }
    return left;
}

static void freed_memory_is_wiped(void)
{
    open_table(HC_TABLE_SIZE_LEAST);
    ok(publish(1, 100, HC_PUBLISH_ADD) == 0 && publish(1, 101, HC_PUBLISH_REPLACE) == 0 &&
           bytes_left() > 0,
       "there is something in the data area");
    is_int(hc_table_remove(writer, id_of(1), &err), 0, "all is removed");
    is_int((long long)bytes_left(), 0, "and no byte of it is left");
    close_table();
}

static void swaps_do_not_wander_through_all_memory(void)
{
    unsigned good = 0;

    open_table(HC_TABLE_SIZE_DEFAULT);
    for (unsigned i = 0; i < 4000; i++) {
        good += publish(i % 10, 134, HC_PUBLISH_REPLACE) == 0;
    }
    is_int(good, 4000, "thousands of swaps");
    ok(atomic_load(&reader->header->high) * HC_GRANULE < (size_t)5 << 20,
       "touch a few MiB of the table");
    close_table();
}

static void memory_cannot_be_cut_or_written_by_readers(void)
{
    struct hc_table *other = NULL;
    int plain = memfd_create("plain", MFD_CLOEXEC);
    struct stat st;

    open_table(HC_TABLE_SIZE_LEAST);
    ok(ftruncate(fd, 4096) != 0 && errno == EPERM, "the memory cannot be cut");
    ok(ftruncate(fd, 1 << 24) != 0 && errno == EPERM, "nor grown");
    ok(mprotect(reader->base, reader->size, PROT_READ | PROT_WRITE) != 0 && errno == EACCES,
       "a reader's mapping cannot be made writable");
    ok((fcntl(fd, F_GETFD) & FD_CLOEXEC) != 0, "its descriptor does not survive exec");
    ok(fstat(fd, &st) == 0 && (st.st_mode & 07777) == 0600, "nor can others open it in /proc");
    ok(ftruncate(plain, (off_t)HC_TABLE_SIZE_LEAST) == 0 &&
           hc_table_attach(plain, true, &other, &err) != 0,
       "memory that could be cut is refused");
    hc_error_init(&err);
    ok(fcntl(plain, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW) != 0 &&
           hc_table_attach(plain, false, &other, &err) != 0 && err.problem == HC_P_PROTOCOL,
       "as is what is no table");
    close(plain);
    close_table();
}

/*
 * Flips every byte (all bits, then the lowest) of len at offset `at`, and looks. The payload must
 * come whole or not at all; what it did before must come back when the byte is mended.
 */
static void flip(const char *what, size_t at, size_t len)
{
    static const unsigned char masks[] = {0xff, 0x01, 0x80};
    volatile unsigned char *memory = writer->base;
    unsigned wrong = 0;
    unsigned caught = 0;
    char keyauth[HC_KEYAUTH_MAX];

    for (size_t i = at; i < at + len; i++) {
        for (size_t m = 0; m < sizeof(masks); m++) {
            int rc = 0;

            memory[i] ^= masks[m];
            rc = look(1, 100);
            wrong += rc == 2;
            caught += rc <= 0;
            wrong += look(2, 101) == 2;
            wrong +=
                answer_get(reader, "token", 5, 0, keyauth) && strcmp(keyauth, "token.print") != 0;
            memory[i] ^= masks[m];
        }
    }
    printf("# %s: %zu bytes, %u flips caught\n", what, len, caught);
    is_int(wrong, 0, what);
    ok(look(1, 100) == 1 && look(2, 101) == 1, "and what was mended is read again");
}

static size_t offset_of(const void *p)
{
    return (size_t)((const unsigned char *)p - (const unsigned char *)reader->base);
}

static void no_damaged_byte_reaches_a_reader(void)
{
    const struct hc_extent *extent = NULL;
    unsigned char place[HC_ID_SIZE];
    int64_t slot = -1;

    open_table(HC_TABLE_SIZE_LEAST);
    ok(publish(1, 100, HC_PUBLISH_ADD) == 0 && publish(2, 101, HC_PUBLISH_ADD) == 0 &&
           answer_put(writer, "token", "token.print", 1, &err) == 0,
       "a table with two payloads and a token");
    slot = hc_table_find(reader, id_of(1));
    extent = hc_extent_at(reader, hc_table_value(reader, slot));
    flip("flips in the header give nothing wrong", 0, sizeof(struct hc_header));
    flip("nor in a slot", offset_of(&reader->pairs.at[slot]), sizeof(struct hc_slot));
    flip("nor in the slot after it",
         offset_of(&reader->pairs.at[(size_t)(slot + 1) & (reader->pairs.count - 1)]),
         sizeof(struct hc_slot));
    hc_answer_place(HC_ANSWER_HTTP, "token", 5, place);
    slot = hc_slot_find(&reader->answers, place);
    flip("nor in an answer's slot", offset_of(&reader->answers.at[slot]), sizeof(struct hc_slot));
    flip("nor in an answer", offset_of(hc_extent_at(reader, hc_slot_value(&reader->answers, slot))),
         sizeof(struct hc_extent) + 32);
    flip("nor in an extent", offset_of(extent), sizeof(*extent) + payload_of(100).len);
    close_table();
}

/* As a module finds it that was put in the place of an older one, over a reload. */
static void a_table_of_another_layout_is_refused(void)
{
    struct hc_table *other = NULL;

    open_table(HC_TABLE_SIZE_LEAST);
    for (uint64_t version = 0; version < HC_LAYOUT_VERSION + 2; version++) {
        atomic_store(&writer->header->version, version);
        hc_error_init(&err);
        if (version == HC_LAYOUT_VERSION) {
            ok(hc_table_attach(fd, true, &other, &err) == 0, "this version's is taken");
            hc_table_detach(other);
        } else {
            ok(hc_table_attach(fd, false, &other, &err) != 0 && err.problem == HC_P_SERVER_OTHER,
               "an older or newer one is refused as that");
        }
    }
    atomic_store(&writer->header->version, HC_LAYOUT_VERSION);
    close_table();
}

/* A slot's value that points at another identity's extent, or at a moved copy of its own. */
static void a_moved_extent_is_refused(void)
{
    int64_t one = -1;
    int64_t two = -1;
    uint64_t value = 0;

    open_table(HC_TABLE_SIZE_LEAST);
    ok(publish(1, 100, HC_PUBLISH_ADD) == 0 && publish(2, 101, HC_PUBLISH_ADD) == 0,
       "two payloads");
    one = hc_table_find(reader, id_of(1));
    two = hc_table_find(reader, id_of(2));
    value = hc_table_value(reader, one);
    atomic_store(&writer->pairs.at[one].value, hc_table_value(reader, two));
    is_int(look(1, 101), -1, "another identity's value is damage");
    atomic_store(&writer->pairs.at[one].value,
                 (value & ~HC_GRANULE_MASK) | (hc_table_value(reader, two) & HC_GRANULE_MASK));
    is_int(look(1, 101), -1, "as is another one's extent under the own generation");
    atomic_store(&writer->pairs.at[one].value, value | HC_GRANULE_MASK);
    is_int(look(1, 100), -1, "and one beyond the end");
    is_int(publish(1, 102, HC_PUBLISH_REPLACE), 0, "a writer replaces it");
    ok(look(1, 102) == 1 && look(2, 101) == 1, "and both are right");
    close_table();
}

/* Words of the header are hints to writers, not truths. */
static void writers_survive_a_damaged_header(void)
{
    unsigned good = 0;

    open_table(HC_TABLE_SIZE_LEAST);
    for (unsigned i = 0; i < 40; i++) {
        uint64_t nonsense = i % 4 == 0 ? UINT64_MAX : UINT64_C(0x123456789abc) * (i + 1);

        atomic_store(&writer->header->cursor, nonsense);
        atomic_store(&writer->header->high, nonsense);
        atomic_store(&writer->header->changes, nonsense);
        good += publish(i, i, HC_PUBLISH_REPLACE) == 0 && look(i, i) == 1;
    }
    for (unsigned i = 0; i < 40; i++) {
        good += look(i, i) == 1;
    }
    is_int(good, 80, "nonsense in cursor, mark and count loses nothing");
    close_table();
}

static void two_writers_see_each_others_extents(void)
{
    struct hc_table *first = NULL;
    struct hc_table *second = NULL;
    unsigned good = 0;

    open_table(HC_TABLE_SIZE_LEAST);
    first = writer;
    ok(hc_table_attach(fd, true, &second, &err) == 0, "a second writer attaches");
    for (unsigned i = 0; i < 400; i++) {
        writer = i % 2 == 0 ? first : second;
        good += publish(i % 50, i, HC_PUBLISH_REPLACE) == 0;
    }
    for (unsigned i = 350; i < 400; i++) {
        good += look(i % 50, i) == 1;
    }
    is_int(good, 450, "and neither overwrites what the other published");
    writer = first;
    hc_table_detach(second);
    close_table();
}

static void a_limit_on_files_is_told_and_kills_nobody(void)
{
    struct rlimit before;
    struct rlimit less;

    hc_error_init(&err);
    getrlimit(RLIMIT_FSIZE, &before);
    less = before;
    less.rlim_cur = HC_TABLE_SIZE_LEAST - 1;
    ok(setrlimit(RLIMIT_FSIZE, &less) == 0, "files are limited");
    ok(hc_table_create(HC_TABLE_SIZE_LEAST, &fd, &reader, &err) == -1, "no table is made");
    ok(setrlimit(RLIMIT_FSIZE, &before) == 0, "files are not limited any more");
    ok(strstr(err.detail, "LimitFSIZE") != NULL, "and the limit is named");
}

int main(void)
{
    a_limit_on_files_is_told_and_kills_nobody();
    publish_and_read();
    refuses_what_does_not_fit();
    many_identities();
    a_full_table_recovers();
    each_may_remove();
    freed_memory_is_wiped();
    swaps_do_not_wander_through_all_memory();
    memory_cannot_be_cut_or_written_by_readers();
    no_damaged_byte_reaches_a_reader();
    a_moved_extent_is_refused();
    a_table_of_another_layout_is_refused();
    writers_survive_a_damaged_header();
    two_writers_see_each_others_extents();
    return done();
}
