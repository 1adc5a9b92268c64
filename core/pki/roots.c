/* Trust anchors; see roots.h. */
#include "pki/roots.h"

#include <errno.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/str.h"
#include "pki/cert.h"

struct hc_roots {
    atomic_uint references;
    X509_STORE *store;
    char *subject;
    bool system;
    size_t count;
};

static int no_passphrase(char *buf HC_UNUSED, int size HC_UNUSED, int writing HC_UNUSED,
                         void *arg HC_UNUSED)
{
    return -1;
}

/* Adds every self-signed certificate; a block that cannot be read is none that is trusted. */
static int add_all(struct hc_roots *roots, BIO *bio, struct hc_error *err)
{
    for (;;) {
        X509 *cert = PEM_read_bio_X509_AUX(bio, NULL, no_passphrase, NULL);

        if (cert == NULL) {
            bool at_end = ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE;

            ERR_clear_error();
            if (at_end || BIO_eof(bio)) {
                return 0;
            }
            continue;
        }
        if (hc_cert_self_signed(cert)) {
            if (X509_STORE_add_cert(roots->store, cert) != 1) {
                X509_free(cert);
                return hc_error_set_openssl(err, HC_P_TLS_LIBRARY, roots->subject, "adding a root");
            }
            roots->count++;
        }
        X509_free(cert);
    }
}

int hc_roots_parse(struct hc_bytes pem, const char *subject, bool system, struct hc_roots **out,
                   struct hc_error *err)
{
    struct hc_roots *roots = calloc(1, sizeof(*roots));
    BIO *bio = NULL;
    int rc = -1;

    if (roots == NULL) {
        return hc_error_nomem(err);
    }
    atomic_init(&roots->references, 1);
    roots->system = system;
    roots->store = X509_STORE_new();
    bio = pem.len <= HC_ROOTS_MAX ? BIO_new_mem_buf(pem.data, (int)pem.len) : NULL;
    if (hc_strdup(subject, &roots->subject, err) != 0) {
        goto out;
    }
    if (roots->store == NULL || (bio == NULL && pem.len > 0)) {
        hc_error_set(err, pem.len > HC_ROOTS_MAX ? HC_P_TOO_LARGE : HC_P_OUT_OF_MEMORY, subject,
                     "reading roots");
        goto out;
    }
    if (pem.len > 0 && add_all(roots, bio, err) != 0) {
        goto out;
    }
    if (roots->count == 0) {
        hc_error_set(err, HC_P_BAD_VALUE, subject, "it holds no root (self-signed) certificate");
        goto out;
    }
    *out = roots;
    roots = NULL;
    rc = 0;
out:
    BIO_free(bio);
    hc_roots_free(roots);
    ERR_clear_error();
    return rc;
}

static int read_file(const char *path, struct hc_buf *out, struct hc_error *err)
{
    FILE *file = fopen(path, "re");
    char piece[16384];
    size_t n = 0;
    int rc = -1;

    if (file == NULL) {
        return hc_error_set_errno(err, HC_P_FILE_UNREADABLE, path, errno, "opening the roots");
    }
    while ((n = fread(piece, 1, sizeof(piece), file)) > 0) {
        if (hc_buf_append(out, piece, n, err) != 0) {
            goto out;
        }
    }
    if (ferror(file)) {
        hc_error_set_errno(err, HC_P_FILE_UNREADABLE, path, errno, "reading the roots");
        goto out;
    }
    rc = 0;
out:
    (void)fclose(file); /* it was only read */
    return rc;
}

int hc_roots_load(const char *path, struct hc_roots **out, struct hc_error *err)
{
    struct hc_buf text = HC_BUF_INIT(HC_ROOTS_MAX);
    const char *chosen = secure_getenv(X509_get_default_cert_file_env());
    const char *from = path != NULL ? path : chosen != NULL ? chosen : X509_get_default_cert_file();
    int rc = read_file(from, &text, err);

    if (rc == 0) {
        rc = hc_roots_parse(hc_bytes_of(&text), from, path == NULL, out, err);
    }
    hc_buf_dispose(&text);
    return rc;
}

struct hc_roots *hc_roots_ref(struct hc_roots *roots)
{
    atomic_fetch_add_explicit(&roots->references, 1, memory_order_relaxed);
    return roots;
}

void hc_roots_free(struct hc_roots *roots)
{
    if (roots == NULL ||
        atomic_fetch_sub_explicit(&roots->references, 1, memory_order_acq_rel) != 1) {
        return;
    }
    X509_STORE_free(roots->store);
    free(roots->subject);
    free(roots);
}

X509_STORE *hc_roots_store(const struct hc_roots *roots)
{
    return roots->store;
}

bool hc_roots_is_system(const struct hc_roots *roots)
{
    return roots->system;
}

const char *hc_roots_subject(const struct hc_roots *roots)
{
    return roots->subject;
}

size_t hc_roots_count(const struct hc_roots *roots)
{
    return roots->count;
}
