/* What the examination of a start found; see prior.h. */
#include "agent/prior.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/io.h"
#include "keeper/packet.h"
#include "pki/pair.h"

/* Before the bytes of each. The processes are of one machine. */
struct head {
    uint64_t magic;
    uint64_t len;
    unsigned char key[HC_DIGEST_SIZE];
};

#define MAGIC UINT64_C(0x68634b5072696f31)

/* Where one is in the bytes. */
struct place {
    unsigned char key[HC_DIGEST_SIZE];
    size_t at;
    size_t len;
};

struct hc_prior {
    struct hc_buf bytes;
    struct place *places; /* read: in the order of their keys */
    size_t count;
    size_t cap;
};

int hc_prior_new(struct hc_prior **out, struct hc_error *err)
{
    struct hc_prior *prior = calloc(1, sizeof(*prior));

    if (prior == NULL) {
        hc_error_nomem(err);
        return -1;
    }
    prior->bytes = (struct hc_buf)HC_BUF_INIT_SECRET(HC_PRIOR_MAX);
    *out = prior;
    return 0;
}

void hc_prior_free(struct hc_prior *prior)
{
    if (prior != NULL) {
        hc_buf_dispose(&prior->bytes);
        free(prior->places);
        free(prior);
    }
}

static int add_place(struct hc_prior *prior, const struct place *place, struct hc_error *err)
{
    if (prior->count == prior->cap) {
        size_t cap = prior->cap > 0 ? 2 * prior->cap : 64;
        struct place *more = reallocarray(prior->places, cap, sizeof(*more));

        if (more == NULL) {
            return hc_error_nomem(err);
        }
        prior->places = more;
        prior->cap = cap;
    }
    prior->places[prior->count++] = *place;
    return 0;
}

int hc_prior_add(struct hc_prior *prior, const unsigned char key[HC_DIGEST_SIZE],
                 struct hc_bytes bytes, struct hc_error *err)
{
    struct place place = {.at = prior->bytes.len + sizeof(struct head), .len = bytes.len};
    struct head head = {.magic = MAGIC, .len = bytes.len};
    unsigned char *at = NULL;

    memcpy(head.key, key, HC_DIGEST_SIZE);
    memcpy(place.key, key, HC_DIGEST_SIZE);
    if (hc_buf_reserve(&prior->bytes, sizeof(head) + bytes.len, &at, err) != 0 ||
        add_place(prior, &place, err) != 0) {
        return -1;
    }
    memcpy(at, &head, sizeof(head));
    memcpy(at + sizeof(head), bytes.data, bytes.len);
    prior->bytes.len += sizeof(head) + bytes.len;
    return 0;
}

int hc_prior_write(const struct hc_prior *prior, int fd, struct hc_error *err)
{
    return prior->bytes.len == 0 || hc_io_write_all(fd, prior->bytes.data, prior->bytes.len) == 0
               ? 0
               : hc_error_set_errno(err, HC_P_SYSTEM, NULL, errno, "writing the verdicts");
}

static int compare(const void *a, const void *b)
{
    return memcmp(((const struct place *)a)->key, ((const struct place *)b)->key, HC_DIGEST_SIZE);
}

static int find_places(struct hc_prior *prior, struct hc_error *err)
{
    size_t at = 0;

    while (at < prior->bytes.len) {
        size_t left = prior->bytes.len - at;
        struct place place;
        struct head head;

        if (left < sizeof(head)) {
            return hc_error_set(err, HC_P_PROTOCOL, NULL, "the verdicts are cut off");
        }
        memcpy(&head, prior->bytes.data + at, sizeof(head));
        left -= sizeof(head);
        if (head.magic != MAGIC || head.len == 0 || head.len > HC_BUNDLE_MAX || head.len > left) {
            return hc_error_set(err, HC_P_PROTOCOL, NULL, "the verdicts are damaged");
        }
        place.at = at + sizeof(head);
        place.len = (size_t)head.len;
        memcpy(place.key, head.key, HC_DIGEST_SIZE);
        if (add_place(prior, &place, err) != 0) {
            return -1;
        }
        at = place.at + place.len;
    }
    if (prior->count > 0) {
        qsort(prior->places, prior->count, sizeof(*prior->places), compare);
    }
    return 0;
}

int hc_prior_read(int fd, struct hc_prior **out, struct hc_error *err)
{
    struct hc_prior *prior = NULL;
    struct stat st;

    if (fstat(fd, &st) != 0 || st.st_size < 0 || (size_t)st.st_size > HC_PRIOR_MAX) {
        return hc_error_set(err, HC_P_PROTOCOL, NULL, "the verdicts are not in a memfd of hotcert");
    }
    if (hc_prior_new(&prior, err) != 0) {
        return -1;
    }
    if (hc_packet_memfd_read(fd, (size_t)st.st_size, &prior->bytes, err) != 0 ||
        find_places(prior, err) != 0) {
        hc_prior_free(prior);
        return -1;
    }
    *out = prior;
    return 0;
}

struct hc_bytes hc_prior_get(const struct hc_prior *prior, const unsigned char key[HC_DIGEST_SIZE])
{
    struct hc_bytes none = {NULL, 0};
    struct place wanted = {.at = 0};
    const struct place *found = NULL;

    memcpy(wanted.key, key, HC_DIGEST_SIZE);
    if (prior->count > 0) {
        found = bsearch(&wanted, prior->places, prior->count, sizeof(wanted), compare);
    }
    return found != NULL ? (struct hc_bytes){prior->bytes.data + found->at, found->len} : none;
}

size_t hc_prior_count(const struct hc_prior *prior)
{
    return prior->count;
}
