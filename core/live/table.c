/* hc_table: the memory itself, the writers' mutex and its recovery, publishing; see table.h. */
#include "live/table.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/io.h"
#include "base/time.h"
#include "live/layout.h"

#define LOCK_MS       5000 /* the longest wait for the mutex */
#define LOCK_NAP_NS   50000
#define ANSWERS_LEAST ((size_t)2048)
#define SEALS         (F_SEAL_SHRINK | F_SEAL_GROW)

static const char subject[] = "live table";

void hc_words_store(hc_word *dst, const void *src, size_t len)
{
    const unsigned char *bytes = src;

    for (size_t at = 0; at < len; at += 8) {
        uint64_t word = 0;

        memcpy(&word, bytes + at, len - at < 8 ? len - at : 8);
        atomic_store_explicit(dst++, word, memory_order_release);
    }
}

void hc_words_load(void *dst, const hc_word *src, size_t len)
{
    unsigned char *bytes = dst;

    for (size_t at = 0; at < len; at += 8) {
        uint64_t word = atomic_load_explicit(src++, memory_order_acquire);

        memcpy(bytes + at, &word, len - at < 8 ? len - at : 8);
    }
}

void hc_words_wipe(hc_word *dst, size_t len)
{
    for (size_t at = 0; at < len; at += 8) {
        atomic_store_explicit(dst++, 0, memory_order_release);
    }
}

static size_t page_up(size_t at)
{
    return (at + HC_LAYOUT_PAGE - 1) & ~(HC_LAYOUT_PAGE - 1);
}

/* Slots from *at on, a power of two of them, most at most; moves *at behind them. */
static struct hc_slots lay_out_slots(unsigned char *base, size_t *at, size_t most)
{
    struct hc_slots slots = {(struct hc_slot *)(void *)(base + *at), 1};

    while (slots.count * 2 <= most) {
        slots.count *= 2;
    }
    *at = page_up(*at + slots.count * sizeof(struct hc_slot));
    return slots;
}

/* A slot for every two KiB: a small pair's bundle is hardly ever less, and few orders are placed at
 * a time. */
static void lay_out(struct hc_table *table)
{
    unsigned char *base = table->base;
    size_t slots = table->size / 2048;
    size_t at = HC_LAYOUT_PAGE;

    table->header = table->base;
    table->pairs = lay_out_slots(base, &at, slots);
    table->answers = lay_out_slots(base, &at, slots > ANSWERS_LEAST ? slots : ANSWERS_LEAST);
    table->data = base + at;
    table->granules = (table->size - at) / HC_GRANULE;
}

static int map_memory(int fd, bool writable, struct hc_table *table, struct hc_error *err)
{
    int rights = writable ? PROT_READ | PROT_WRITE : PROT_READ;
    void *base = mmap(NULL, table->size, rights, MAP_SHARED, fd, 0);

    if (base == MAP_FAILED || base == NULL) {
        hc_error_set_errno(err, HC_P_SYSTEM, subject, errno, "mapping it");
        return -1;
    }
    table->base = base;
    table->writable = writable;
    /* it holds private keys: neither core dumps nor a child of a child should have them */
    if (madvise(table->base, table->size, MADV_DONTDUMP) != 0) {
        return hc_error_set_errno(err, HC_P_SYSTEM, subject, errno, "keeping it out of core dumps");
    }
    lay_out(table);
    return 0;
}

/*
 * A reader's mapping is made from a read-only description of the memory, so that mprotect() cannot
 * make it writable. Where /proc is not mounted the descriptor itself must do.
 */
static int map_reader(int fd, struct hc_table *table, struct hc_error *err)
{
    char path[32];
    int again = -1;
    int rc = -1;

    snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
    again = open(path, O_RDONLY | O_CLOEXEC);
    rc = map_memory(again >= 0 ? again : fd, false, table, err);
    hc_io_close(again);
    return rc;
}

static int format(struct hc_header *header, size_t size, struct hc_error *err)
{
    pthread_mutexattr_t attr;
    int rc = pthread_mutexattr_init(&attr);

    if (rc == 0) {
        rc = pthread_mutexattr_setpshared(&attr, PTHREAD_PROCESS_SHARED);
    }
    if (rc == 0) {
        rc = pthread_mutexattr_setrobust(&attr, PTHREAD_MUTEX_ROBUST);
    }
    if (rc == 0) {
        rc = pthread_mutex_init(&header->lock, &attr);
    }
    pthread_mutexattr_destroy(&attr);
    if (rc != 0) {
        return hc_error_set_errno(err, HC_P_SYSTEM, subject, rc, "making its mutex");
    }
    atomic_store(&header->size, size);
    atomic_store(&header->version, HC_LAYOUT_VERSION);
    atomic_store(&header->cursor, 1);
    atomic_store(&header->high, 1);
    atomic_store(&header->magic, HC_LAYOUT_MAGIC);
    return 0;
}

/* Never executable, where the kernel knows how to say so (Linux 6.3). */
static int make_memfd(void)
{
    const unsigned flags = MFD_CLOEXEC | MFD_ALLOW_SEALING;
    const unsigned noexec_seal = 0x0008U;
    int fd = memfd_create("hotcert-table", flags | noexec_seal);

    return fd >= 0 || errno != EINVAL ? fd : memfd_create("hotcert-table", flags);
}

/*
 * The limit on the size of files holds for memory with a descriptor, too; beyond it the kernel ends
 * the process without a word (SIGXFSZ).
 */
static int check_limit(size_t size, struct hc_error *err)
{
    struct rlimit most = {RLIM_INFINITY, RLIM_INFINITY};

    if (getrlimit(RLIMIT_FSIZE, &most) != 0 || most.rlim_cur == RLIM_INFINITY ||
        size <= most.rlim_cur) {
        return 0;
    }
    return hc_error_set(err, HC_P_SYSTEM, subject,
                        "making its memory: it is %zu bytes, and the limit on the size of files "
                        "(ulimit -f, LimitFSIZE) is %llu",
                        size, (unsigned long long)most.rlim_cur);
}

int hc_table_create(size_t size, int *fd, struct hc_table **out, struct hc_error *err)
{
    struct hc_table scratch = {.base = NULL, .size = page_up(size)};
    int memory = -1;
    int rc = -1;

    if (size < HC_TABLE_SIZE_LEAST || size > HC_TABLE_SIZE_MOST) {
        return hc_error_set(err, HC_P_BAD_VALUE, subject, "its size must be %zu to %zu bytes",
                            HC_TABLE_SIZE_LEAST, HC_TABLE_SIZE_MOST);
    }
    if (check_limit(scratch.size, err) != 0) {
        goto out;
    }
    memory = make_memfd();
    /* 0600: it is born open to all, and /proc/PID/fd of whoever holds it is a way in.
       sealed: nobody can cut it off under its readers, which would be their SIGBUS */
    if (memory < 0 || fchmod(memory, 0600) != 0 || ftruncate(memory, (off_t)scratch.size) != 0 ||
        fcntl(memory, F_ADD_SEALS, SEALS | F_SEAL_SEAL) != 0) {
        hc_error_set_errno(err, HC_P_SYSTEM, subject, errno, "making its memory");
        goto out;
    }
    if (map_memory(memory, true, &scratch, err) != 0 || scratch.base == NULL ||
        format(scratch.base, scratch.size, err) != 0) {
        goto out;
    }
    rc = hc_table_attach(memory, false, out, err);
out:
    if (scratch.base != NULL) {
        munmap(scratch.base, scratch.size);
    }
    if (rc == 0) {
        *fd = memory;
    } else
        hc_io_close(memory);
    return rc;
}

static int check_header(const struct hc_table *table, struct hc_error *err)
{
    const struct hc_header *header = table->header;

    if (atomic_load(&header->magic) != HC_LAYOUT_MAGIC ||
        atomic_load(&header->size) != table->size) {
        return hc_error_set(err, HC_P_PROTOCOL, subject, "this memory is not a table");
    }
    if (atomic_load(&header->version) != HC_LAYOUT_VERSION) {
        return hc_error_set(err, HC_P_SERVER_OTHER, subject, "it has layout %llu, this is %d",
                            (unsigned long long)atomic_load(&header->version), HC_LAYOUT_VERSION);
    }
    return 0;
}

int hc_table_attach(int fd, bool writable, struct hc_table **out, struct hc_error *err)
{
    struct hc_table *table = calloc(1, sizeof(*table));
    struct stat st;
    int seals = fcntl(fd, F_GET_SEALS);

    if (table == NULL) {
        return hc_error_nomem(err);
    }
    if (seals < 0 || (seals & SEALS) != SEALS || fstat(fd, &st) != 0 ||
        st.st_size < (off_t)HC_TABLE_SIZE_LEAST || st.st_size > (off_t)HC_TABLE_SIZE_MOST) {
        hc_error_set(err, HC_P_PROTOCOL, subject, "the descriptor is not a table's");
        goto fail;
    }
    table->size = (size_t)st.st_size;
    if ((writable ? map_memory(fd, true, table, err) : map_reader(fd, table, err)) != 0 ||
        check_header(table, err) != 0) {
        goto fail;
    }
    *out = table;
    return 0;
fail:
    hc_table_detach(table);
    return -1;
}

void hc_table_detach(struct hc_table *table)
{
    if (table == NULL) {
        return;
    }
    if (table->base != NULL) {
        munmap(table->base, table->size);
    }
    free(table->used);
    free(table);
}

static uint64_t newest_of(const struct hc_slots *slots, uint64_t newest)
{
    for (size_t i = 0; i < slots->count; i++) {
        uint64_t generation = atomic_load(&slots->at[i].value) >> HC_GRANULE_BITS;

        newest = generation > newest ? generation : newest;
    }
    return newest;
}

/*
 * A writer died in its turn. Nothing but the slots is believed: the counter is raised above every
 * generation in use, the map of extents is made anew, what no slot refers to is wiped.
 */
static void recover(struct hc_table *table)
{
    uint64_t newest = newest_of(&table->pairs, atomic_load(&table->header->generation));

    atomic_store(&table->header->generation, newest_of(&table->answers, newest));
    hc_extent_map(table);
    hc_extent_wipe_unused(table);
}

/*
 * A turn takes microseconds and turns are rare, so the mutex is tried for rather than slept on: the
 * wait is bounded by a clock that nobody sets.
 */
static int take_mutex(pthread_mutex_t *lock)
{
    const struct timespec nap = {0, LOCK_NAP_NS};
    int64_t until = hc_now_ms(&hc_clock_system) + LOCK_MS;
    int rc = pthread_mutex_trylock(lock);

    while (rc == EBUSY && hc_now_ms(&hc_clock_system) < until) {
        (void)nanosleep(&nap, NULL);
        rc = pthread_mutex_trylock(lock);
    }
    return rc;
}

int hc_table_lock(struct hc_table *table, struct hc_error *err)
{
    struct hc_header *header = table->header;
    uint64_t changes = 0;
    int rc = 0;

    if (!table->writable) {
        return hc_error_set(err, HC_P_INTERNAL, subject, "it is mapped for reading");
    }
    if (table->used == NULL) {
        table->used = calloc(table->granules / 64 + 1, sizeof(uint64_t));
        table->used_at = UINT64_MAX;
    }
    if (table->used == NULL) {
        return hc_error_nomem(err);
    }
    rc = take_mutex(&header->lock);
    if (rc != 0 && rc != EOWNERDEAD) {
        return hc_error_set_errno(err, HC_P_SYSTEM, subject, rc, "waiting for its other writer");
    }
    changes = atomic_load(&header->changes);
    atomic_store(&header->changes, changes + 1);
    if (rc == EOWNERDEAD) {
        recover(table);
        pthread_mutex_consistent(&header->lock);
    } else if (table->used_at != changes) {
        hc_extent_map(table);
    }
    table->used_at = changes + 1;
    return 0;
}

void hc_table_unlock(struct hc_table *table)
{
    pthread_mutex_unlock(&table->header->lock);
}
