/*
 * The file `changed`: a fresh random number with every change of a line. Random, so that two
 * writers at once cannot write the same one. It is written in place and under a lock, so that a
 * writer knows which number it replaced; where that cannot be, a new file is renamed over whatever
 * stands there.
 */
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "store/file.h"
#include "store/mark.h"

#define MARK_FILE "changed"
#define MARK_TEXT 17 /* 16 digits and the end of the line */

/* Only a file of our own with no second name, which may be a backup's, is written in place. */
static bool may_write(const struct hc_store *store, int fd)
{
    struct stat st;

    return fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_uid == store->owner &&
           st.st_nlink == 1 && st.st_size == MARK_TEXT && flock(fd, LOCK_EX | LOCK_NB) == 0;
}

static bool replace_in_place(struct hc_store *store, const char text[MARK_TEXT + 1],
                             uint64_t *before)
{
    const struct hc_fs *fs = store->fs;
    char old[MARK_TEXT + 1] = "";
    bool done = false;
    int fd = fs->open(fs->self, store->root, MARK_FILE,
                      O_RDWR | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC, 0);

    if (fd < 0) {
        return false;
    }
    if (may_write(store, fd) && fs->read(fs->self, fd, old, MARK_TEXT) == MARK_TEXT &&
        lseek(fd, 0, SEEK_SET) == 0) {
        *before = strtoull(old, NULL, 16);
        done = fs->write(fs->self, fd, text, MARK_TEXT) == MARK_TEXT;
    }
    close(fd);
    return done;
}

void hc_mark_touch(struct hc_store *store)
{
    char text[MARK_TEXT + 1];
    uint64_t before = 0;
    uint64_t fresh = 0;
    struct hc_error err = {0};

    store->own_mark.before = store->own_mark.after = 0;
    if (getrandom(&fresh, sizeof(fresh), 0) != (ssize_t)sizeof(fresh)) {
        return;
    }
    (void)snprintf(text, sizeof(text), "%016" PRIx64 "\n", fresh);
    if (replace_in_place(store, text, &before)) {
        store->own_mark.before = before;
        store->own_mark.after = fresh;
    } else if (hc_file_write(store, store->root, MARK_FILE,
                             (struct hc_bytes){(const unsigned char *)text, MARK_TEXT},
                             HC_FILE_REPLACE, &err) != 0) {
        hc_store_warn(store, MARK_FILE, &err, "other servers on this store will notice later");
    }
}

void hc_store_mark_own(const struct hc_store *store, uint64_t *mark)
{
    if (store->own_mark.before == *mark) {
        *mark = store->own_mark.after;
    }
}

int hc_store_change_mark(struct hc_store *store, uint64_t *mark, struct hc_error *err)
{
    struct hc_buf text = HC_BUF_INIT(HC_STORE_FILE_MAX + 32768);
    enum hc_file_state state = HC_FILE_ABSENT;
    struct hc_error own = {0};
    int rc = hc_file_read(store, &(struct hc_file_place){store->root, MARK_FILE, MARK_FILE}, &text,
                          &state, &own);

    *mark = 0;
    if (rc == 0) {
        *mark = strtoull(hc_buf_text(&text), NULL, 16);
    } else if (state == HC_FILE_ABSENT || state == HC_FILE_STRANGE) {
        rc = 0; /* nothing was committed yet, or the next commit writes it */
    } else {
        hc_error_chain(err, &own);
    }
    hc_buf_dispose(&text);
    return rc;
}
