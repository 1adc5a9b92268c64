/*
 * The file `changed`: a fresh random number with every change of a line. Random, so that two
 * writers at once cannot write the same one; renamed into place, so that watchers of the folder
 * are told.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "store/file.h"

#define MARK_FILE "changed"

void hc_mark_touch(struct hc_store *store)
{
    char text[24];
    uint64_t fresh = 0;
    struct hc_error err = {0};
    int n = 0;

    if (getrandom(&fresh, sizeof(fresh), 0) != (ssize_t)sizeof(fresh)) {
        return;
    }
    n = snprintf(text, sizeof(text), "%016" PRIx64 "\n", fresh);
    if (hc_file_write(store, store->root, MARK_FILE,
                      (struct hc_bytes){(const unsigned char *)text, (size_t)n}, HC_FILE_REPLACE,
                      &err) != 0) {
        hc_store_warn(store, MARK_FILE, &err, "other servers on this store hear of it later");
    }
}

int hc_store_change_mark(struct hc_store *store, uint64_t *mark, struct hc_error *err)
{
    struct hc_buf text = HC_BUF_INIT(HC_STORE_FILE_MAX + 32768);
    enum hc_file_state state = HC_FILE_ABSENT;
    struct hc_error own = {0};
    int rc = hc_file_read(store, store->root, MARK_FILE, MARK_FILE, &text, &state, &own);

    *mark = 0;
    if (rc == 0) {
        *mark = strtoull(hc_buf_text(&text), NULL, 16);
    } else if (state == HC_FILE_ABSENT || state == HC_FILE_STRANGE) {
        rc = 0; /* nothing was committed yet, or the next commit mends it */
    } else if (err != NULL && err->problem == HC_P_NONE) {
        *err = own;
    }
    hc_buf_dispose(&text);
    return rc;
}
