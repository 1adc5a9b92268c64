/* The servers' readers; see pem_load.h. */
#include "pki/pem_load.h"

#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/vec.h"
#include "pki/cert.h"
#include "pki/key.h"

#define BEGIN "-----BEGIN "

/* The text as an open file: OpenSSL reads lines of files by fgets(), where NUL bytes count. */
struct source {
    FILE *file;
    BIO *bio;
    char buffer[4096]; /* the file's; wiped */
};

static int source_open(struct source *s, struct hc_bytes text, struct hc_error *err)
{
    memset(s, 0, sizeof(*s));
    /* opened for reading alone: nobody writes to it */
    s->file = fmemopen((void *)(uintptr_t)text.data, text.len, "r");
    s->bio = s->file != NULL && setvbuf(s->file, s->buffer, _IOFBF, sizeof(s->buffer)) == 0
                 ? BIO_new_fp(s->file, BIO_NOCLOSE)
                 : NULL;
    return s->bio != NULL ? 0 : hc_error_nomem(err);
}

static void source_close(struct source *s)
{
    BIO_free(s->bio);
    if (s->file != NULL) {
        (void)fclose(s->file); /* it was only read */
    }
    OPENSSL_cleanse(s->buffer, sizeof(s->buffer));
}

/* Counts the lines of what was read so far. */
struct walker {
    struct hc_bytes text;
    size_t at;
    size_t line;  /* that at is in, from 1 */
    size_t begin; /* the last BEGIN line before at */
};

static void walk_to(struct walker *w, size_t until)
{
    while (w->at < until) {
        const char *data = (const char *)w->text.data + w->at;
        size_t left = w->text.len - w->at;
        const char *end = memchr(data, '\n', left);

        if (left >= sizeof(BEGIN) - 1 && memcmp(data, BEGIN, sizeof(BEGIN) - 1) == 0) {
            w->begin = w->line;
        }
        if (end == NULL) {
            w->at = w->text.len;
            return;
        }
        w->at += (size_t)(end - data) + 1;
        w->line++;
    }
}

static void walk_on(struct walker *w, const struct source *s)
{
    long at = ftell(s->file);

    walk_to(w, at > 0 ? (size_t)at : 0);
}

static int keep_cert(struct hc_pem *out, X509 *cert, size_t line, struct hc_error *err)
{
    struct hc_pem_cert *certs =
        hc_vec_room(out->certs, out->cert_count, &out->cert_cap, sizeof(*certs), err);

    if (certs == NULL) {
        X509_free(cert);
        return -1;
    }
    out->certs = certs;
    out->certs[out->cert_count] = (struct hc_pem_cert){cert, line, out->cert_count};
    out->cert_count++;
    return 0;
}

/* Nobody is asked; what is closed stays so. */
static int no_passphrase(char *buf HC_UNUSED, int size HC_UNUSED, int writing HC_UNUSED,
                         void *arg HC_UNUSED)
{
    return -1;
}

/* What only shows when the certificate is put to use. */
static const char *cert_fault(X509 *cert)
{
    int64_t from = 0;
    int64_t until = 0;

    if (X509_get0_pubkey(cert) == NULL) {
        return "the public key of this certificate cannot be read";
    }
    return hc_cert_dates(cert, &from, &until, NULL) != 0
               ? "the dates of this certificate cannot be read"
               : NULL;
}

static const char *library_fault(void)
{
    unsigned long code = ERR_peek_last_error();

    if (ERR_GET_LIB(code) != ERR_LIB_PEM) {
        return "the certificate in this block cannot be read";
    }
    return ERR_GET_REASON(code) == PEM_R_NO_START_LINE
               ? NULL
               : "this PEM block is incomplete: its base64 or its END line is broken";
}

static void refuse(struct hc_pem_stop *stop, const struct walker *w, size_t from, const char *why)
{
    stop->refused = true;
    stop->from = from;
    stop->until = w->line;
    stop->block = w->begin >= from ? w->begin : 0;
    (void)hc_copy(stop->why, sizeof(stop->why), why);
}

/* The next one: 1 it is kept, 0 there is no other or the reader gave up, -1 no memory. */
static int next_cert(struct source *s, struct walker *w, struct hc_pem *out,
                     struct hc_pem_stop *stop, struct hc_error *err)
{
    size_t from = w->line;
    X509 *cert = out->cert_count == 0 ? PEM_read_bio_X509_AUX(s->bio, NULL, no_passphrase, NULL)
                                      : PEM_read_bio_X509(s->bio, NULL, no_passphrase, NULL);
    const char *fault = cert != NULL ? cert_fault(cert) : library_fault();

    walk_on(w, s);
    if (fault != NULL || (cert == NULL && out->cert_count == 0)) {
        refuse(stop, w, from, fault != NULL ? fault : "");
        X509_free(cert);
        return 0;
    }
    if (cert == NULL) {
        return 0;
    }
    return keep_cert(out, cert, w->begin, err) == 0 ? 1 : -1;
}

/* More BEGIN lines of certificates behind what was read. */
static bool more_follows(const struct walker *w)
{
    static const char word[] = "\n-----BEGIN CERTIFICATE-----";
    size_t at = w->at > 0 ? w->at - 1 : 0;

    return memmem(w->text.data + at, w->text.len - at, word, sizeof(word) - 1) != NULL;
}

int hc_pem_load_certs(struct hc_bytes text, struct hc_pem *out, struct hc_pem_stop *stop,
                      struct hc_error *err)
{
    struct walker w = {.text = text, .line = 1};
    struct source s;
    int rc = -1;

    memset(stop, 0, sizeof(*stop));
    if (text.len == 0) {
        refuse(stop, &w, 1, "");
        return 0;
    }
    if (source_open(&s, text, err) == 0) {
        do {
            rc = next_cert(&s, &w, out, stop, err);
        } while (rc > 0 && out->cert_count < HC_PEM_CERTS_MAX);
        out->passed_over = rc > 0 && more_follows(&w) ? w.line : 0;
        rc = rc < 0 ? -1 : 0;
    }
    source_close(&s);
    ERR_clear_error();
    return rc;
}

/* ---- the key ---- */

/* Hands out one passphrase, and notes that it was wanted. */
struct asked {
    const char *passphrase; /* or NULL */
    bool asked;
};

static int passphrase_cb(char *buf, int size, int writing HC_UNUSED, void *arg)
{
    struct asked *a = arg;
    size_t len = a->passphrase != NULL ? strlen(a->passphrase) : 0;

    a->asked = true;
    if (a->passphrase == NULL || size < 0 || len > (size_t)size) {
        return -1;
    }
    memcpy(buf, a->passphrase, len); /* NOLINT(bugprone-not-null-terminated-result): it counts */
    return (int)len;
}

/*
 * The key in the plain PKCS#8 block that OpenSSL's reader would take, found by its own walk over
 * the blocks, and decoded by ours: a tenth of the time where thousands of files are read. NULL:
 * whatever is else in the file is that reader's to judge.
 */
static int read_plain(struct hc_bytes text, EVP_PKEY **key, struct hc_error *err)
{
    struct asked nobody = {NULL, false};
    struct hc_error unsaid = {0};
    struct source s;
    unsigned char *der = NULL;
    char *label = NULL;
    long len = 0;
    int rc = source_open(&s, text, err);

    if (rc == 0 &&
        PEM_bytes_read_bio(&der, &len, &label, PEM_STRING_EVP_PKEY, s.bio, passphrase_cb,
                           &nobody) == 1 &&
        strcmp(label, PEM_STRING_PKCS8INF) == 0 && len > 0 &&
        hc_key_from_der(der, (size_t)len, key, &unsaid) != 0) {
        *key = NULL;
    }
    OPENSSL_clear_free(der, len > 0 ? (size_t)len : 0);
    OPENSSL_free(label);
    source_close(&s);
    ERR_clear_error();
    return rc;
}

enum form { FORM_PEM, FORM_BASE64, FORM_DER };

static EVP_PKEY *read_base64(struct source *s)
{
    BIO *filter = BIO_new(BIO_f_base64());
    EVP_PKEY *key = NULL;

    if (filter != NULL) {
        key = d2i_PrivateKey_bio(BIO_push(filter, s->bio), NULL);
        (void)BIO_pop(filter);
        BIO_free(filter);
    }
    return key;
}

static int read_key(struct hc_bytes text, enum form form, struct asked *asked, EVP_PKEY **key,
                    struct hc_error *err)
{
    struct source s;
    int rc = source_open(&s, text, err);

    if (rc == 0) {
        switch (form) {
        case FORM_PEM:
            *key = PEM_read_bio_PrivateKey(s.bio, NULL, passphrase_cb, asked);
            break;
        case FORM_BASE64:
            *key = read_base64(&s);
            break;
        case FORM_DER:
            *key = d2i_PrivateKey_bio(s.bio, NULL);
            break;
        }
    }
    source_close(&s);
    ERR_clear_error();
    return rc;
}

int hc_pem_load_key(struct hc_bytes text, const struct hc_list *passphrases, bool other_forms,
                    struct hc_pem *out, struct hc_error *err)
{
    struct asked a = {NULL, false};
    size_t count = passphrases != NULL ? passphrases->count : 0;
    int rc = text.len > 0 ? read_plain(text, &out->key, err) : 0;

    if (rc == 0 && out->key == NULL && text.len > 0) {
        rc = read_key(text, FORM_PEM, &a, &out->key, err);
    }

    for (size_t i = 0; rc == 0 && a.asked && out->key == NULL && i < count; i++) {
        a.passphrase = passphrases->items[i];
        rc = read_key(text, FORM_PEM, &a, &out->key, err);
    }
    out->key_was_closed = a.asked;
    for (int form = FORM_BASE64;
         rc == 0 && other_forms && text.len > 0 && !a.asked && out->key == NULL && form <= FORM_DER;
         form++) {
        rc = read_key(text, (enum form)form, &a, &out->key, err);
        out->key_has_no_block = out->key != NULL;
    }
    return rc;
}
