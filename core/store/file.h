/*
 * Files and folders of the store. Everything is opened below a descriptor, never through a symlink,
 * never blocking; what is read must be a regular file of the owner's. Files are written under tmp/
 * and renamed: whoever looks sees the old or the new one, whole.
 */
#ifndef HC_STORE_FILE_H
#define HC_STORE_FILE_H

#include "store/internal.h"

/* What a name turned out to be. */
enum hc_file_state {
    HC_FILE_GOOD,
    HC_FILE_ABSENT,
    HC_FILE_STRANGE, /* a symlink, a FIFO, a folder, too large: nothing of ours */
    HC_FILE_FOREIGN, /* somebody else's, or closed to us: a restore with wrong owners looks so */
    HC_FILE_FAILING, /* the disk or the system refuses: it may be good */
};

/* Opens a folder for reading; made with 0700 if it is missing and make is true, else *fd is -1. */
int hc_folder_open(struct hc_store *store, int parent, const char *name, bool make, int *fd,
                   struct hc_error *err) HC_MUST_USE;

/*
 * Brings a folder of the store's root, with the names in it, to the disk: for folders below it that
 * were found rather than made. Whoever made them may have been killed before its own sync.
 * HC_P_STORE_WRITE.
 */
int hc_folder_anchor(struct hc_store *store, const char *name, struct hc_error *err) HC_MUST_USE;

/* The names in it but "." and "..", at most HC_STORE_ENTRIES_MAX. */
int hc_folder_list(struct hc_store *store, int folder, struct hc_list *names,
                   struct hc_error *err) HC_MUST_USE;

/* Where a file is, and what errors call it. */
struct hc_file_place {
    int folder;
    const char *name;
    const char *subject;
};

/* Reads a file whole, appends to out. -1 with *state saying why, and err filled. */
int hc_file_read(struct hc_store *store, const struct hc_file_place *place, struct hc_buf *out,
                 enum hc_file_state *state, struct hc_error *err) HC_MUST_USE;

enum hc_file_how {
    HC_FILE_REPLACE = 1, /* without it: 1 is returned, nothing is changed, when the name is taken */
    HC_FILE_DURABLE = 2, /* file and folder reach the disk before it returns */
};
/* On -1 nothing is changed, but for a REPLACE whose last sync failed: then either may be there. */
int hc_file_write(struct hc_store *store, int folder, const char *name, struct hc_bytes bytes,
                  unsigned how, struct hc_error *err) HC_MUST_USE;

/* Moves what stands there, whatever it is, to damaged/. label: what it was, for the name there. */
void hc_file_set_aside(struct hc_store *store, int folder, const char *name, const char *label);

/* Unlinks and overwrites (if no other name leads to it). Absent is fine. Tidying may ignore the
 * result. */
int hc_file_wipe(struct hc_store *store, int folder, const char *name, struct hc_error *err);

/* Unlinks. Absent is fine. */
int hc_file_remove(struct hc_store *store, int folder, const char *name, struct hc_error *err);

/*
 * A fresh file under tmp/, open and locked: the lock tells whoever cleans up that its writer lives.
 * If the cleaner was faster than the lock, another one is made. -1 with errno.
 */
int hc_file_temporary(struct hc_store *store, int tmp, char name[64], int *fd) HC_MUST_USE;

/* Removes what writers that died left under tmp/; files still being written are locked. */
void hc_file_clean(struct hc_store *store);

#endif
