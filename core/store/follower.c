/*
 * Followers: followers/<pid>.<luck>, locked for as long as its agent lives. In it stand digests of
 * the challenges that this agent has mirrored, one a line, under a checksum: a reader that meets it
 * half-written takes it for "none" and looks again. What it holds is said by further digests, which
 * are of no challenge: earlier versions read over them.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/io.h"
#include "base/str.h"
#include "base/vec.h"
#include "store/file.h"
#include "store/follower.h"
#include "store/seal.h"
#include "store/sealed.h"

#define FOLDER       "followers"
#define TEXT_MAX     (HC_STORE_FILE_MAX + 32768)
#define HOLDS        "says what it holds"
#define LINE         65
#define ACKS_MAX     ((size_t)1 << 20)
#define FOLLOW_FLAGS (O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC)

struct hc_store_follower {
    struct hc_store *store;
    int fd;      /* locked */
    int inotify; /* or -1 */
    char name[64];
};

/*
 * Watches the folder for the file `changed`, and the folder of challenges. Without inotify, or
 * beyond its limits, followers have their timer.
 */
static void watch(struct hc_store_follower *f)
{
    struct hc_store *store = f->store;
    char path[64];
    bool watched = false;
    int folder = -1;

    f->inotify = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
    if (f->inotify < 0) {
        return;
    }
    (void)snprintf(path, sizeof(path), "/proc/self/fd/%d", store->root);
    if (inotify_add_watch(f->inotify, path, IN_CLOSE_WRITE | IN_MOVED_TO | IN_ONLYDIR) < 0) {
        close(f->inotify);
        f->inotify = -1;
        return;
    }
    if (hc_folder_open(store, store->root, "challenges", true, &folder, NULL) == 0 && folder >= 0) {
        (void)snprintf(path, sizeof(path), "/proc/self/fd/%d", folder);
        watched = inotify_add_watch(f->inotify, path, IN_MOVED_TO | IN_DELETE | IN_ONLYDIR) >= 0;
        close(folder);
    }
    if (!watched) { /* half of the news would make the timer slow, and challenges late */
        close(f->inotify);
        f->inotify = -1;
    }
}

/* The file is locked before it gets its place: nobody ever sees it without its lock. */
static int make_file(struct hc_store_follower *f, int folder, struct hc_error *err)
{
    struct hc_store *store = f->store;
    const struct hc_fs *fs = store->fs;
    int tmp = -1;
    int rc = -1;

    if (hc_folder_open(store, store->root, "tmp", true, &tmp, err) != 0 || tmp < 0) {
        return -1;
    }
    if (hc_file_temporary(store, tmp, f->name, &f->fd) != 0 ||
        fs->rename(fs->self, tmp, f->name, folder, f->name, false) != 0) {
        hc_error_set_errno(err, HC_P_STORE_WRITE, store->path, errno, "registering as a follower");
        if (f->fd >= 0) {
            (void)fs->unlink(fs->self, tmp, f->name);
        }
        goto out;
    }
    rc = 0;
out:
    close(tmp);
    return rc;
}

int hc_store_follow(struct hc_store *store, struct hc_store_follower **out, struct hc_error *err)
{
    struct hc_store_follower *f = NULL;
    int folder = -1;
    int rc = -1;

    *out = NULL;
    if (hc_store_need_drive(store, err) != 0) {
        return -1;
    }
    f = calloc(1, sizeof(*f));
    if (f == NULL) {
        return hc_error_nomem(err);
    }
    f->store = store;
    f->fd = f->inotify = -1;
    if (hc_folder_open(store, store->root, FOLDER, true, &folder, err) == 0 && folder >= 0) {
        rc = make_file(f, folder, err);
        close(folder);
    }
    if (rc == 0) {
        watch(f);
        *out = f;
    } else {
        hc_store_unfollow(f);
    }
    return rc;
}

void hc_store_unfollow(struct hc_store_follower *follower)
{
    int folder = -1;

    if (follower == NULL) {
        return;
    }
    if (follower->fd >= 0) {
        const struct hc_fs *fs = follower->store->fs;

        if (hc_folder_open(follower->store, follower->store->root, FOLDER, false, &folder, NULL) ==
                0 &&
            folder >= 0) {
            (void)fs->unlink(fs->self, folder, follower->name);
            close(folder);
        }
        close(follower->fd);
    }
    hc_io_close(follower->inotify);
    free(follower);
}

int hc_store_follower_fd(const struct hc_store_follower *follower)
{
    return follower->inotify;
}

void hc_store_follower_drain(struct hc_store_follower *follower)
{
    char events[4096];

    if (follower->inotify < 0) {
        return;
    }
    while (read(follower->inotify, events, sizeof(events)) > 0) {
    }
}

/* The line of an agent that holds this challenge. */
static int held_mark(const char *file, char hex[LINE], struct hc_error *err)
{
    char text[80];

    (void)snprintf(text, sizeof(text), "held %.64s", file);
    return hc_name_digest(text, hex, err);
}

/* Digests of tokens, one a line, and at the end that of all lines. */
static int write_acks(const struct hc_list *files, const struct hc_list *held, struct hc_buf *out,
                      struct hc_error *err)
{
    char hex[LINE];

    for (size_t i = 0; i < files->count; i++) {
        if (hc_buf_printf(out, err, "%.64s\n", files->items[i]) != 0) {
            return -1;
        }
    }
    for (size_t i = 0; held != NULL && i < held->count; i++) {
        if (held_mark(held->items[i], hex, err) != 0 || hc_buf_printf(out, err, "%s\n", hex) != 0) {
            return -1;
        }
    }
    if (held != NULL &&
        (hc_name_digest(HOLDS, hex, err) != 0 || hc_buf_printf(out, err, "%s\n", hex) != 0)) {
        return -1;
    }
    if (hc_seal_checksum(hc_bytes_of(out), hex, err) != 0) {
        return -1;
    }
    return hc_buf_printf(out, err, "%s\n", hex);
}

int hc_store_follower_ack(struct hc_store_follower *follower, const struct hc_list *files,
                          const struct hc_list *held, struct hc_error *err)
{
    struct hc_buf text = HC_BUF_INIT(ACKS_MAX);
    int rc = -1;

    if (write_acks(files, held, &text, err) == 0) {
        /* in place: the lock is on this file and no other */
        if (ftruncate(follower->fd, 0) == 0 &&
            pwrite(follower->fd, text.data, text.len, 0) == (ssize_t)text.len) {
            rc = 0;
        } else {
            hc_error_set_errno(err, HC_P_STORE_WRITE, follower->store->path, errno,
                               "acknowledging challenges");
        }
    }
    hc_buf_dispose(&text);
    return rc;
}

/* The length of the lines that its checksum is of; 0: there are none, or it is half-written. */
static size_t lines_of(const struct hc_buf *text)
{
    size_t body = text->len >= LINE ? text->len - LINE : 0;
    char check[LINE];

    return text->len % LINE == 0 && body > 0 &&
                   hc_seal_checksum((struct hc_bytes){text->data, body}, check, NULL) == 0 &&
                   memcmp(text->data + body, check, LINE - 1) == 0
               ? body
               : 0;
}

static bool has_line(const struct hc_buf *text, const char *hex)
{
    size_t body = lines_of(text);

    for (size_t at = 0; at < body; at += LINE) {
        if (memcmp(text->data + at, hex, LINE - 1) == 0) {
            return true;
        }
    }
    return false;
}

/*
 * What cannot be opened: it is gone, or nothing that an agent of this store made; then nobody waits
 * for it. Else we could not look (no descriptors left, a bad disk), and it may live.
 */
static bool is_no_agent(const struct hc_store *store, int folder, const char *name, int errnum)
{
    struct stat st;

    if (errnum == EACCES || errnum == EPERM) {
        return fstatat(folder, name, &st, AT_SYMLINK_NOFOLLOW) != 0 ? errno == ENOENT
                                                                    : st.st_uid != store->owner;
    }
    return errnum == ENOENT || errnum == ELOOP || errnum == ENXIO || errnum == EISDIR;
}

/* What one that lives says is appended to text. 1: it is dead (then it is removed); -1: it may
 * live, and cannot be read. */
static int read_acks(struct hc_store *store, int folder, const char *name, struct hc_buf *text)
{
    const struct hc_fs *fs = store->fs;
    enum hc_file_state state = HC_FILE_ABSENT;
    int rc = 0;
    int fd = fs->open(fs->self, folder, name, O_RDONLY | FOLLOW_FLAGS, 0);

    if (fd < 0) {
        return is_no_agent(store, folder, name, errno) ? 1 : -1;
    }
    /* shared: two that look at the same time do not take each other for its owner */
    if (flock(fd, LOCK_SH | LOCK_NB) == 0) {
        (void)fs->unlink(fs->self, folder, name);
        rc = 1;
    } else if (hc_file_read(store, &(struct hc_file_place){folder, name, name}, text, &state,
                            NULL) != 0) {
        rc = state == HC_FILE_ABSENT ? 1 : -1;
    }
    close(fd);
    return rc;
}

/* Asked about what each other follower that lives says (NULL: it cannot be read). */
typedef bool says(void *arg, const struct hc_buf *text);

/* True if all others said so; the first that does not ends it. */
static bool all_others(struct hc_store *store, const struct hc_store_follower *self, says *so,
                       void *arg)
{
    struct hc_list names = {0};
    int folder = -1;
    bool all = hc_folder_open(store, store->root, FOLDER, false, &folder, NULL) == 0;

    if (all && folder >= 0) {
        all = hc_folder_list(store, folder, &names, NULL) == 0;
    }
    for (size_t i = 0; all && i < names.count; i++) {
        struct hc_buf text = HC_BUF_INIT(TEXT_MAX);

        if (self == NULL || strcmp(names.items[i], self->name) != 0) {
            int rc = read_acks(store, folder, names.items[i], &text);

            all = rc > 0 || so(arg, rc == 0 ? &text : NULL);
        }
        hc_buf_dispose(&text);
    }
    hc_list_dispose(&names);
    hc_io_close(folder);
    return all;
}

static bool take_text(void *arg, const struct hc_buf *text)
{
    struct hc_store_acks *acks = arg;
    struct hc_buf *texts = hc_vec_room(acks->texts, acks->count, NULL, sizeof(*texts), NULL);

    if (texts == NULL) {
        return false;
    }
    acks->texts = texts;
    texts[acks->count] = (struct hc_buf)HC_BUF_INIT(TEXT_MAX);
    return text != NULL && hc_buf_append(&texts[acks->count++], text->data, text->len, NULL) == 0;
}

void hc_store_acks_read(struct hc_store *store, const struct hc_store_follower *self,
                        struct hc_store_acks *acks)
{
    acks->whole = all_others(store, self, take_text, acks);
}

bool hc_store_acks_have(const struct hc_store_acks *acks, const char *file)
{
    bool all = acks->whole;

    for (size_t i = 0; all && i < acks->count; i++) {
        all = has_line(&acks->texts[i], file);
    }
    return all;
}

void hc_store_acks_dispose(struct hc_store_acks *acks)
{
    for (size_t i = 0; i < acks->count; i++) {
        hc_buf_dispose(&acks->texts[i]);
    }
    free(acks->texts);
    memset(acks, 0, sizeof(*acks));
}

bool hc_store_all_follow(struct hc_store *store, const struct hc_store_follower *self,
                         const char *file)
{
    struct hc_store_acks acks = {0};
    bool all = false;

    hc_store_acks_read(store, self, &acks);
    all = hc_store_acks_have(&acks, file);
    hc_store_acks_dispose(&acks);
    return all;
}

/* What all say that they hold. */
struct held {
    char says_so[LINE]; /* the line of an agent that says it at all */
    struct hc_list lines;
    struct hc_error *err;
};

static bool take_lines(void *arg, const struct hc_buf *text)
{
    struct held *held = arg;
    size_t body = text != NULL ? lines_of(text) : 0;

    if (body == 0 || !has_line(text, held->says_so)) {
        return false;
    }
    for (size_t at = 0; at < body; at += LINE) {
        if (hc_list_add_len(&held->lines, (const char *)text->data + at, LINE - 1, held->err) !=
            0) {
            return false;
        }
    }
    return true;
}

static int by_text(const void *key, const void *item)
{
    return strcmp(key, *(char *const *)item);
}

int hc_store_left(struct hc_store *store, const struct hc_store_follower *self,
                  const struct hc_list *files, struct hc_list *left, struct hc_error *err)
{
    struct held held = {.err = err};
    char mark[LINE];
    int rc = hc_name_digest(HOLDS, held.says_so, err);

    if (rc == 0 && all_others(store, self, take_lines, &held)) {
        hc_list_sort_unique(&held.lines);
        for (size_t i = 0; rc == 0 && i < files->count; i++) {
            rc = held_mark(files->items[i], mark, err);
            if (rc == 0 &&
                (held.lines.count == 0 || bsearch(mark, held.lines.items, held.lines.count,
                                                  sizeof(char *), by_text) == NULL)) {
                rc = hc_list_add(left, files->items[i], err);
            }
        }
    }
    hc_list_dispose(&held.lines);
    return rc == 0 && !hc_error_is_set(err) ? 0 : -1;
}
