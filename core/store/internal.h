/* What the files of the store share; nobody else includes it but tests. */
#ifndef HC_STORE_INTERNAL_H
#define HC_STORE_INTERNAL_H

#include <pthread.h>

#include "base/buf.h"
#include "base/log.h"
#include "base/secret.h"
#include "base/str.h"
#include "store/fs.h"
#include "store/use.h"

#define HC_STORE_FILE_MAX    ((size_t)2 << 20) /* no file of the store is larger */
#define HC_STORE_ENTRIES_MAX 200000            /* names that are read of one folder */
#define HC_STORE_VERSION_MAX UINT64_C(999999999999999)
#define HC_STORE_DAMAGED_MAX 64 /* files that are kept under damaged/ */

struct hc_store {
    const struct hc_fs *fs;
    enum hc_store_use use;
    const struct hc_log *log;
    char *path;
    int root;    /* the folder */
    uid_t owner; /* whose all of it must be */
    bool has_secret;
    bool sealed; /* something was sealed by us, so that no other secret can take it over */
    unsigned char secret[HC_SECRET_SIZE];
    unsigned made; /* temporary files so far: their names */
    struct {
        uint64_t before, after; /* equal: not known */
    } own_mark;                 /* what the last change made of the mark */
    pthread_mutex_t mutex;      /* guards warned */
    struct hc_list warned;
};

/* A warning about this file, once for as long as the store is open. */
void hc_store_warn(struct hc_store *store, const char *subject, const struct hc_error *why,
                   const char *what);

/* HC_P_SECRET_MISSING unless the store was opened with one. */
int hc_store_need_secret(const struct hc_store *store, struct hc_error *err) HC_MUST_USE;
/* HC_P_STORE_WRITE unless it was opened to be driven. */
int hc_store_need_drive(const struct hc_store *store, struct hc_error *err) HC_MUST_USE;

#endif
