/* Trust anchors; see roots.h. */
#include "pki/roots.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/io.h"
#include "base/str.h"
#include "base/vec.h"
#include "conf/digest.h"
#include "pki/cert.h"
#include "pki/openssl.h"

/* A certificate that names itself as its issuer, not yet parsed. */
struct entry {
    X509_NAME *name;
    unsigned char *der;
    size_t len;
    bool trusted_form; /* OpenSSL's TRUSTED CERTIFICATE, with bytes of its own behind */
    bool added;        /* it is in the store, or was found not to be self-signed */
};

struct hc_roots {
    atomic_uint references;
    pthread_mutex_t *mutex; /* guards added, and that entries are added once */
    X509_STORE *store;
    struct entry *entries;
    size_t count;
    size_t cap;
    char *subject;
    unsigned char digest[HC_DIGEST_SIZE];
    bool system;
};

/* Steps over one DER element; its first byte and whole length. */
static bool step(const unsigned char **p, const unsigned char *end, int tag,
                 const unsigned char **start, size_t *len)
{
    long inner = 0;
    int got_tag = 0;
    int got_class = 0;

    *start = *p;
    if (*p >= end || (ASN1_get_object(p, &inner, &got_tag, &got_class, end - *p) & 0x81) != 0 ||
        (tag >= 0 && (got_tag != tag || got_class != V_ASN1_UNIVERSAL))) {
        return false;
    }
    *p += inner;
    *len = (size_t)(*p - *start);
    return *p <= end;
}

/* Goes into a SEQUENCE. */
static bool enter(const unsigned char **p, const unsigned char **end)
{
    long inner = 0;
    int tag = 0;
    int class = 0;

    if (*p >= *end || (ASN1_get_object(p, &inner, &tag, &class, *end - *p) & 0x81) != 0 ||
        tag != V_ASN1_SEQUENCE) {
        return false;
    }
    *end = *p + inner;
    return true;
}

/* The second name, if it says the same as the first, in whatever kind of string; else NULL. */
static X509_NAME *equal_name(const unsigned char *a, size_t a_len, const unsigned char *b,
                             size_t b_len)
{
    X509_NAME *first = d2i_X509_NAME(NULL, &a, (long)a_len);
    X509_NAME *second = d2i_X509_NAME(NULL, &b, (long)b_len);

    if (first == NULL || second == NULL || X509_NAME_cmp(first, second) != 0) {
        X509_NAME_free(second);
        second = NULL;
    }
    X509_NAME_free(first);
    return second;
}

/*
 * The subject's name of a certificate (RFC 5280 section 4.1) that has the same name as issuer; NULL
 * for others. Parsing a bundle's 150 keys takes a third of a second; this takes nothing, and the
 * few that a chain leads to are parsed, and their signatures verified, when they are needed.
 */
static X509_NAME *self_issued(const unsigned char *der, size_t len)
{
    const unsigned char *p = der;
    const unsigned char *end = der + len;
    const unsigned char *issuer = NULL;
    const unsigned char *subject = NULL;
    size_t issuer_len = 0;
    size_t subject_len = 0;
    bool found = enter(&p, &end) && enter(&p, &end);

    if (found && p < end && *p == 0xa0) { /* [0] version */
        found = step(&p, end, -1, &subject, &subject_len);
    }
    found = found && step(&p, end, V_ASN1_INTEGER, &subject, &subject_len) &&
            step(&p, end, V_ASN1_SEQUENCE, &subject, &subject_len) &&
            step(&p, end, V_ASN1_SEQUENCE, &issuer, &issuer_len) &&
            step(&p, end, V_ASN1_SEQUENCE, &subject, &subject_len) && /* validity */
            step(&p, end, V_ASN1_SEQUENCE, &subject, &subject_len);
    return found ? equal_name(issuer, issuer_len, subject, subject_len) : NULL;
}

/* Takes der over if it is one to keep. */
static int keep(struct hc_roots *roots, unsigned char **der, size_t len, bool trusted_form,
                struct hc_error *err)
{
    X509_NAME *name = self_issued(*der, len);
    struct entry *entries = NULL;

    if (name == NULL) {
        return 0;
    }
    entries = hc_vec_room(roots->entries, roots->count, &roots->cap, sizeof(*entries), err);
    if (entries == NULL) {
        X509_NAME_free(name);
        return -1;
    }
    roots->entries = entries;
    roots->entries[roots->count++] =
        (struct entry){.name = name, .der = *der, .len = len, .trusted_form = trusted_form};
    *der = NULL;
    return 0;
}

/* Keeps every self-issued certificate; a block that cannot be read is none that is trusted. */
static int read_all(struct hc_roots *roots, BIO *bio, struct hc_error *err)
{
    int rc = 0;

    while (rc == 0) {
        char *label = NULL;
        char *header = NULL;
        unsigned char *der = NULL;
        long len = 0;

        if (PEM_read_bio(bio, &label, &header, &der, &len) != 1) {
            bool at_end = ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE;

            ERR_clear_error();
            if (at_end || BIO_eof(bio)) {
                return 0;
            }
            continue;
        }
        if (strcmp(label, PEM_STRING_X509) == 0 || strcmp(label, PEM_STRING_X509_OLD) == 0 ||
            strcmp(label, PEM_STRING_X509_TRUSTED) == 0) {
            rc = keep(roots, &der, (size_t)len, strcmp(label, PEM_STRING_X509_TRUSTED) == 0, err);
        }
        OPENSSL_free(label);
        OPENSSL_free(header);
        OPENSSL_free(der);
    }
    return rc;
}

/* Parses an entry and adds it to the store, if its signature says that it is a root. */
static int add(const struct hc_roots *roots, struct entry *e, struct hc_error *err)
{
    const unsigned char *p = e->der;
    X509 *cert =
        e->trusted_form ? d2i_X509_AUX(NULL, &p, (long)e->len) : d2i_X509(NULL, &p, (long)e->len);
    int rc = 0;

    if (cert != NULL && hc_cert_self_signed(cert) && X509_STORE_add_cert(roots->store, cert) != 1) {
        rc = hc_error_set_openssl(err, HC_P_TLS_LIBRARY, roots->subject, "adding a root");
    }
    e->added = rc == 0;
    X509_free(cert);
    ERR_clear_error();
    return rc;
}

int hc_roots_want(const struct hc_roots *roots, const X509_NAME *name, struct hc_error *err)
{
    int rc = 0;

    pthread_mutex_lock(roots->mutex);
    for (size_t i = 0; rc == 0 && i < roots->count; i++) {
        if (!roots->entries[i].added && X509_NAME_cmp(roots->entries[i].name, name) == 0) {
            rc = add(roots, &roots->entries[i], err);
        }
    }
    pthread_mutex_unlock(roots->mutex);
    return rc;
}

int hc_roots_parse(struct hc_bytes pem, const char *subject, bool system, struct hc_roots **out,
                   struct hc_error *err)
{
    struct hc_roots *roots = calloc(1, sizeof(*roots));
    BIO *bio = NULL;
    struct hc_digest digest;
    int rc = -1;

    if (roots == NULL) {
        return hc_error_nomem(err);
    }
    atomic_init(&roots->references, 1);
    roots->system = system;
    roots->store = X509_STORE_new();
    roots->mutex = malloc(sizeof(*roots->mutex));
    if (roots->mutex != NULL) {
        (void)pthread_mutex_init(roots->mutex, NULL); /* cannot fail without attributes */
    }
    bio = pem.len <= HC_ROOTS_MAX ? BIO_new_mem_buf(pem.data, (int)pem.len) : NULL;
    if (hc_strdup(subject, &roots->subject, err) != 0) {
        goto out;
    }
    if (roots->store == NULL || roots->mutex == NULL || (bio == NULL && pem.len > 0)) {
        hc_error_set(err, pem.len > HC_ROOTS_MAX ? HC_P_TOO_LARGE : HC_P_OUT_OF_MEMORY, subject,
                     "reading roots");
        goto out;
    }
    if (pem.len > 0 && read_all(roots, bio, err) != 0) {
        goto out;
    }
    if (roots->count == 0) {
        hc_error_set(err, HC_P_BAD_VALUE, subject, "it holds no root (self-signed) certificate");
        goto out;
    }
    hc_digest_begin(&digest);
    hc_digest_bytes(&digest, pem.data, pem.len);
    if (hc_digest_end(&digest, roots->digest, err) != 0) {
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
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    int rc = -1;

    if (fd < 0) {
        return hc_error_set_errno(err, HC_P_FILE_UNREADABLE, path, errno, "opening the roots");
    }
    rc = hc_io_read_all(fd, path, out, err);
    (void)close(fd); /* it was only read */
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
    for (size_t i = 0; i < roots->count; i++) {
        X509_NAME_free(roots->entries[i].name);
        OPENSSL_free(roots->entries[i].der);
    }
    free(roots->entries);
    X509_STORE_free(roots->store);
    if (roots->mutex != NULL) {
        (void)pthread_mutex_destroy(roots->mutex);
    }
    free(roots->mutex);
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

const unsigned char *hc_roots_digest(const struct hc_roots *roots)
{
    return roots->digest;
}

const char *hc_roots_subject(const struct hc_roots *roots)
{
    return roots->subject;
}

size_t hc_roots_count(const struct hc_roots *roots)
{
    return roots->count;
}
