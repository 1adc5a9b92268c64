/* Opening and closing the store; see store.h. */
#include "store/store.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/crypto.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/io.h"
#include "store/file.h"
#include "store/format.h"

/* Owner and mode of the folder itself. */
static int check_root(struct hc_store *store, struct hc_error *err)
{
    struct stat st;

    if (fstat(store->root, &st) != 0) {
        return hc_error_set_errno(err, HC_P_STORE_UNUSABLE, store->path, errno, NULL);
    }
    store->owner = st.st_uid;
    if (st.st_uid != geteuid() && (store->use == HC_STORE_DRIVE || geteuid() != 0)) {
        return hc_error_set(err, HC_P_STORE_UNSAFE, store->path,
                            "it belongs to user %u, this process is user %u", (unsigned)st.st_uid,
                            (unsigned)geteuid());
    }
    if ((st.st_mode & (S_IWGRP | S_IWOTH)) != 0) {
        return hc_error_set(err, HC_P_STORE_UNSAFE, store->path,
                            "others can write it: its mode is %04o",
                            (unsigned)(st.st_mode & 07777));
    }
    if (store->use == HC_STORE_DRIVE && (st.st_mode & 07777) != 0700) {
        (void)fchmod(store->root, 0700);
    }
    return 0;
}

static int open_root(struct hc_store *store, struct hc_error *err)
{
    store->root = open(store->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (store->root < 0 && errno == ENOENT && store->use == HC_STORE_DRIVE) {
        if (mkdir(store->path, 0700) != 0 && errno != EEXIST) {
            return hc_error_set_errno(err, HC_P_STORE_UNUSABLE, store->path, errno, "making it");
        }
        store->root = open(store->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    }
    if (store->root < 0 && errno == ENOENT) {
        return hc_error_set(err, HC_P_STORE_EMPTY, store->path, "there is no store yet");
    }
    if (store->root < 0) {
        return hc_error_set_errno(err, HC_P_STORE_UNUSABLE, store->path, errno, NULL);
    }
    return check_root(store, err);
}

int hc_store_open_on(const struct hc_store_options *options, struct hc_store **out,
                     struct hc_error *err)
{
    struct hc_store *store = calloc(1, sizeof(*store));
    int rc = -1;

    *out = NULL;
    if (store == NULL || pthread_mutex_init(&store->mutex, NULL) != 0) {
        free(store);
        return hc_error_nomem(err);
    }
    store->fs = options->fs;
    store->use = options->use;
    store->log = options->log;
    store->root = -1;
    if (options->secret != NULL) {
        memcpy(store->secret, options->secret, HC_SECRET_SIZE);
        store->has_secret = true;
    }
    if (hc_strdup(options->path, &store->path, err) != 0) {
        goto out;
    }
    if (store->use == HC_STORE_DRIVE && hc_store_need_secret(store, err) != 0) {
        goto out;
    }
    if (open_root(store, err) != 0 || hc_format_check(store, err) != 0) {
        goto out;
    }
    if (store->use == HC_STORE_DRIVE) {
        hc_file_clean(store);
    }
    *out = store;
    store = NULL;
    rc = 0;
out:
    hc_store_close(store);
    return rc == 0 ? 0 : hc_error_during(err, "opening the store");
}

int hc_store_open(const char *path, enum hc_store_use use,
                  const unsigned char secret[HC_SECRET_SIZE], const struct hc_log *log,
                  struct hc_store **out, struct hc_error *err)
{
    const struct hc_store_options options = {path, use, secret, log, &hc_fs_system};

    return hc_store_open_on(&options, out, err);
}

void hc_store_close(struct hc_store *store)
{
    if (store == NULL) {
        return;
    }
    hc_io_close(store->root);
    OPENSSL_cleanse(store->secret, sizeof(store->secret));
    hc_list_dispose(&store->warned);
    (void)pthread_mutex_destroy(&store->mutex);
    free(store->path);
    free(store);
}

int hc_store_probe(struct hc_store *store, struct hc_error *err)
{
    static const struct hc_bytes word = {(const unsigned char *)"probe\n", 6};
    int rc = hc_store_need_drive(store, err);

    if (rc == 0) {
        rc = hc_file_write(store, store->root, "probe", word, HC_FILE_REPLACE | HC_FILE_DURABLE,
                           err);
    }
    if (rc == 0) {
        rc = hc_file_wipe(store, store->root, "probe", err);
    }
    return rc;
}

int hc_store_is_empty(const char *path, bool *empty, struct hc_error *err)
{
    struct hc_error own = {0};
    struct hc_store *store = NULL;
    enum hc_sealed sealed = HC_SEALED_NONE;
    int rc = hc_store_open(path, HC_STORE_READ, NULL, NULL, &store, &own);

    *empty = false;
    if (rc == 0) {
        rc = hc_format_probe(store, &sealed, &own);
        *empty = rc == 0 && sealed == HC_SEALED_NONE;
    } else if (own.problem == HC_P_STORE_EMPTY) {
        *empty = true;
        rc = 0;
    }
    hc_store_close(store);
    if (rc != 0) {
        hc_error_chain(err, &own);
    }
    return rc;
}
