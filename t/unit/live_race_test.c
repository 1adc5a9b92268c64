/*
 * The live table under races: writers in processes of their own that are killed at random, and
 * writers in threads (for the thread sanitizer), while readers verify every byte they get.
 */
#include <errno.h>
#include <openssl/sha.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "answer_lib.h"
#include "base/time.h"
#include "live/layout.h"
#include "live/table.h"
#include "tap.h"

#define IDS     16
#define SECONDS 1.2

static struct hc_table *reader;
static int fd = -1;

static void id_of(unsigned n, unsigned char id[HC_ID_SIZE])
{
    SHA256((const unsigned char *)&n, sizeof(n), id);
}

/* A payload says whose it is, is as long as it says, and every byte follows from its seed. */
static struct hc_bytes make(unsigned char *bytes, unsigned id, unsigned seed)
{
    struct hc_bytes payload = {bytes, 16 + (seed * 131 + id) % 6000};
    unsigned state = seed;

    memcpy(bytes, &id, sizeof(id));
    memcpy(bytes + 4, &seed, sizeof(seed));
    for (size_t i = 8; i < payload.len; i++) {
        state = state * 1664525U + 1013904223U;
        bytes[i] = (unsigned char)(state >> 24);
    }
    return payload;
}

static bool is_good(const struct hc_buf *got, unsigned id)
{
    unsigned char bytes[8192];
    struct hc_bytes want;
    unsigned seed = 0;

    if (got->len < 16) {
        return false;
    }
    memcpy(&seed, got->data + 4, sizeof(seed));
    want = make(bytes, id, seed);
    return got->len == want.len && memcmp(got->data, want.data, want.len) == 0;
}

/* A few turns of a writer; seed makes them different. */
static int write_some(struct hc_table *table, unsigned seed, unsigned turns)
{
    struct hc_error err;
    unsigned char id[HC_ID_SIZE];
    unsigned char bytes[8192];
    unsigned failed = 0;

    for (unsigned i = 0; i < turns; i++) {
        unsigned which = (seed + i * 7) % IDS;
        char token[16];
        char answer[32];

        hc_error_init(&err);
        id_of(which, id);
        snprintf(token, sizeof(token), "t%u", which);
        snprintf(answer, sizeof(answer), "t%u.%u", which, seed + i);
        failed += (i % 11 == 0 ? hc_table_remove(table, id, &err)
                               : hc_table_publish(table, id, make(bytes, which, seed + i),
                                                  HC_PUBLISH_REPLACE, &err)) != 0;
        failed += (i % 5 == 0 ? answer_remove(table, token, &err)
                              : answer_put(table, token, answer, INT64_MAX, &err)) != 0;
        if (failed == 1) {
            char line[512];

            printf("# writer: %s\n", hc_error_format(&err, line, sizeof(line)));
        }
    }
    return failed > 0;
}

struct tally {
    unsigned long read, nothing, unsettled, wrong, tokens;
};

/* Reads everything once. */
static void read_all(struct tally *tally)
{
    struct hc_buf out = HC_BUF_INIT_SECRET(HC_BUNDLE_MAX);

    for (unsigned i = 0; i < IDS; i++) {
        unsigned char id[HC_ID_SIZE];
        char token[16];
        char auth[HC_KEYAUTH_MAX];
        struct hc_error err;
        uint64_t value = 0;
        int rc = 0;

        hc_error_init(&err);
        id_of(i, id);
        rc = hc_table_read(reader, hc_table_find(reader, id), id, &value, &out, &err);
        tally->read += rc == 1;
        tally->nothing += rc == 0;
        /* value is set only for a payload that is damaged and stays so */
        tally->unsettled += rc == -1 && value == 0;
        tally->wrong += (rc == -1 && value != 0) || (rc == 1 && !is_good(&out, i));
        snprintf(token, sizeof(token), "t%u", i);
        if (answer_get(reader, token, strlen(token), 0, auth)) {
            tally->tokens++;
            tally->wrong += strncmp(auth, token, strlen(token)) != 0;
        }
    }
    hc_buf_dispose(&out);
}

static pid_t fork_writer(unsigned seed)
{
    pid_t pid = fork();

    if (pid == 0) {
        struct hc_table *table = NULL;
        struct hc_error err;

        hc_error_init(&err);
        if (hc_table_attach(fd, true, &table, &err) != 0) {
            _exit(2);
        }
        for (;;) {
            if (write_some(table, seed, 50) != 0) {
                _exit(3);
            }
            seed += 50;
        }
    }
    return pid;
}

static void nap(long microseconds)
{
    struct timespec t = {0, microseconds * 1000};

    nanosleep(&t, NULL);
}

/* Two writers at any time, each killed after a random while, the readers never stop. */
static void killed_writers_harm_nobody(void)
{
    int64_t end = hc_now_ms(&hc_clock_system) + (int64_t)(SECONDS * 1000);
    struct tally tally = {0, 0, 0, 0, 0};
    pid_t pid[2] = {fork_writer(1), fork_writer(100000)};
    unsigned kills = 0;
    unsigned ended = 0;
    struct hc_table *table = NULL;
    struct hc_error err;

    while (hc_now_ms(&hc_clock_system) < end) {
        unsigned which = kills % 2;
        int status = 0;

        for (uint64_t i = hc_random_below(&hc_random_system, 8); i > 0; i--) {
            read_all(&tally);
        }
        nap((long)hc_random_below(&hc_random_system, 3000));
        kill(pid[which], SIGKILL);
        waitpid(pid[which], &status, 0);
        ended += !WIFSIGNALED(status);
        pid[which] = fork_writer(++kills * 7919);
    }
    for (int i = 0; i < 2; i++) {
        kill(pid[i], SIGKILL);
        waitpid(pid[i], NULL, 0);
    }
    read_all(&tally);
    printf("# %u writers killed; %lu read, %lu nothing, %lu unsettled, %lu tokens\n", kills,
           tally.read, tally.nothing, tally.unsettled, tally.tokens);
    ok(kills > 10 && tally.read > 200, "writers were killed while readers read");
    is_int((long long)tally.wrong, 0, "no reader ever got anything but a whole payload of its own");
    is_int(ended, 0, "no writer ever failed because of one that was killed");
    hc_error_init(&err);
    ok(hc_table_attach(fd, true, &table, &err) == 0 && write_some(table, 5, 500) == 0,
       "and the next writer goes on");
    hc_table_detach(table);
}

/* Dies holding the mutex, with an extent that no slot refers to. */
static void what_a_dead_writer_left_is_wiped(void)
{
    static const char secret[] = "half published private key";
    struct hc_table *table = NULL;
    struct hc_error err;
    unsigned char id[HC_ID_SIZE];
    unsigned char bytes[8192];
    pid_t pid = fork();
    size_t found = 0;

    hc_error_init(&err);
    id_of(1, id);
    if (pid == 0) {
        struct hc_bytes payload = {(const unsigned char *)secret, sizeof(secret)};
        uint64_t granule = 0;

        if (hc_table_attach(fd, true, &table, &err) == 0 && hc_table_lock(table, &err) == 0) {
            granule = hc_extent_alloc(table, payload.len, 0);
            hc_extent_fill(table, UINT64_C(1) << 60 | granule, id, payload);
        }
        _exit(granule > 0 ? 0 : 1);
    }
    waitpid(pid, NULL, 0);
    ok(memmem(reader->data, reader->granules * HC_GRANULE, secret, sizeof(secret)) != NULL,
       "a writer died and left a key behind");
    ok(hc_table_attach(fd, true, &table, &err) == 0 &&
           hc_table_publish(table, id, make(bytes, 1, 1), HC_PUBLISH_REPLACE, &err) == 0,
       "the next writer publishes");
    found = memmem(reader->data, reader->granules * HC_GRANULE, secret, sizeof(secret)) != NULL;
    is_int((long long)found, 0, "and has wiped it");
    hc_table_detach(table);
}

static atomic_bool stop;

static void *writing_thread(void *arg)
{
    struct hc_table *table = NULL;
    struct hc_error err;
    unsigned seed = *(const unsigned *)arg;
    static _Thread_local unsigned failed;

    hc_error_init(&err);
    failed = hc_table_attach(fd, true, &table, &err) != 0;
    while (failed == 0 && !atomic_load(&stop)) {
        failed += write_some(table, seed, 20) != 0;
        seed += 20;
    }
    hc_table_detach(table);
    return failed > 0 ? arg : NULL;
}

static void *reading_thread(void *arg)
{
    struct tally *tally = arg;

    while (!atomic_load(&stop)) {
        read_all(tally);
    }
    return NULL;
}

static void threads_agree(void)
{
    static unsigned seeds[2] = {3, 77777};
    static struct tally tallies[2];
    pthread_t threads[4];
    unsigned failed = 0;

    for (int i = 0; i < 2; i++) {
        failed += pthread_create(&threads[i], NULL, writing_thread, &seeds[i]) != 0;
        failed += pthread_create(&threads[2 + i], NULL, reading_thread, &tallies[i]) != 0;
    }
    for (int i = 0; i < 10; i++) {
        nap((long)(SECONDS * 100000));
    }
    atomic_store(&stop, true);
    for (int i = 0; i < 4; i++) {
        void *result = NULL;

        pthread_join(threads[i], &result);
        failed += result != NULL;
    }
    is_int(failed, 0, "writers in threads publish without failure");
    ok(tallies[0].read > 20 && tallies[1].read > 20, "readers in threads read");
    is_int((long long)(tallies[0].wrong + tallies[1].wrong), 0, "and get nothing wrong");
}

int main(void)
{
    struct hc_error err;

    hc_error_init(&err);
    if (hc_table_create(HC_TABLE_SIZE_LEAST, &fd, &reader, &err) != 0) {
        ok(false, "a table can be made");
        return done();
    }
    killed_writers_harm_nobody();
    what_a_dead_writer_left_is_wiped();
    threads_agree();
    hc_table_detach(reader);
    close(fd);
    return done();
}
