/* core/agent/prior.c: what an examination leaves, and what is not taken for it. */
#include "agent/prior.h"

#include <unistd.h>

#include "keeper/packet.h"
#include "tap.h"

static const unsigned char one[HC_DIGEST_SIZE] = {2, 1};
static const unsigned char two[HC_DIGEST_SIZE] = {1, 2};
static const unsigned char none[HC_DIGEST_SIZE] = {1, 1};

static struct hc_bytes text(const char *s)
{
    return (struct hc_bytes){(const unsigned char *)s, strlen(s)};
}

static bool has(const struct hc_prior *prior, const unsigned char key[HC_DIGEST_SIZE],
                const char *s)
{
    struct hc_bytes got = hc_prior_get(prior, key);

    return got.len == strlen(s) && memcmp(got.data, s, got.len) == 0;
}

/* A memfd with two entries, not sealed. */
static int written(void)
{
    struct hc_prior *prior = NULL;
    int fd = -1;

    if (hc_packet_memfd_open("t", &fd, NULL) != 0 || hc_prior_new(&prior, NULL) != 0 ||
        hc_prior_add(prior, one, text("first"), NULL) != 0 ||
        hc_prior_add(prior, two, text("the second"), NULL) != 0 ||
        hc_prior_write(prior, fd, NULL) != 0) {
        printf("Bail out! no memfd\n");
        exit(1);
    }
    hc_prior_free(prior);
    return fd;
}

static enum hc_problem refusal(int fd)
{
    struct hc_prior *prior = NULL;
    struct hc_error err = {0};
    int rc = hc_prior_read(fd, &prior, &err);

    hc_prior_free(prior);
    close(fd);
    return rc == 0 ? HC_P_NONE : err.problem;
}

static void it_arrives(void)
{
    struct hc_prior *prior = NULL;
    struct hc_error err = {0};
    int fd = written();

    ok(hc_packet_memfd_seal(fd) == 0 && hc_prior_read(fd, &prior, &err) == 0, "it is read");
    ok(has(prior, one, "first") && has(prior, two, "the second"), "each by its key");
    is_int((long)hc_prior_get(prior, none).len, 0, "what is not there is not found");
    is_int((long)hc_prior_count(prior), 2, "two");
    hc_prior_free(prior);
    close(fd);
}

static void nothing_arrives(void)
{
    struct hc_prior *prior = NULL;
    int fd = -1;

    ok(hc_packet_memfd_open("t", &fd, NULL) == 0 && hc_packet_memfd_seal(fd) == 0 &&
           hc_prior_read(fd, &prior, NULL) == 0,
       "an empty one is fine");
    is_int((long)hc_prior_get(prior, one).len, 0, "and has nothing");
    hc_prior_free(prior);
    close(fd);
}

static void damage_is_refused(void)
{
    int fd = written();

    is_int(refusal(fd), HC_P_PROTOCOL, "not sealed");
    fd = written();
    ok(ftruncate(fd, lseek(fd, 0, SEEK_END) - 1) == 0 && hc_packet_memfd_seal(fd) == 0, "cut");
    is_int(refusal(fd), HC_P_PROTOCOL, "cut off");
    fd = written();
    ok(ftruncate(fd, 20) == 0 && hc_packet_memfd_seal(fd) == 0, "cut in a head");
    is_int(refusal(fd), HC_P_PROTOCOL, "cut off in a head");
    fd = written();
    ok(pwrite(fd, "x", 1, 0) == 1 && hc_packet_memfd_seal(fd) == 0, "another beginning");
    is_int(refusal(fd), HC_P_PROTOCOL, "another beginning");
    fd = written();
    ok(pwrite(fd, "\xff\xff\xff\xff\xff\xff\xff\xff", 8, 8) == 8 && hc_packet_memfd_seal(fd) == 0,
       "a length beyond all");
    is_int(refusal(fd), HC_P_PROTOCOL, "a length beyond all");
}

int main(void)
{
    it_arrives();
    nothing_arrives();
    damage_is_refused();
    return done();
}
