/* Issuers that stores of this machine know; see check_known.h. */
#include "cmd/check_known.h"

#include <openssl/err.h>
#include <openssl/pem.h>

#include "cmd/stores.h"
#include "pki/cert.h"
#include "pki/pem.h"
#include "store/line.h"

#define TEXT_MAX ((size_t)1 << 20)

/* ---- in the process that reads a store ---- */

struct reading {
    struct hc_store *store;
    STACK_OF(X509) * found;
};

/* A line that cannot be read is no evidence, and no reason to stop. */
static int add_line(void *arg, const struct hc_line_info *info)
{
    struct reading *r = arg;
    struct hc_error ignored = {0};
    struct hc_pair *pair = NULL;
    int rc = 0;

    if (hc_store_current(r->store, info->line, &pair, NULL, &ignored) == 0 &&
        X509_add_certs(r->found, hc_pair_chain(pair),
                       X509_ADD_FLAG_UP_REF | X509_ADD_FLAG_NO_DUP | X509_ADD_FLAG_NO_SS) != 1) {
        rc = -1;
    }
    hc_pair_free(pair);
    return rc;
}

static int write_certificates(STACK_OF(X509) * from, struct hc_buf *out, struct hc_error *err)
{
    BIO *text = BIO_new(BIO_s_mem());
    char *data = NULL;
    int rc = text != NULL ? 0 : hc_error_nomem(err);

    for (int i = 0; rc == 0 && i < sk_X509_num(from); i++) {
        rc = PEM_write_bio_X509(text, sk_X509_value(from, i)) == 1 ? 0 : hc_error_nomem(err);
    }
    if (rc == 0) {
        long len = BIO_get_mem_data(text, &data);

        rc = hc_buf_append(out, data, (size_t)len, err);
    }
    BIO_free(text);
    return rc;
}

static int read_issuers(struct hc_store *store, const void *arg HC_UNUSED, struct hc_buf *out,
                        struct hc_error *err)
{
    struct reading r = {store, sk_X509_new_null()};
    int rc = -1;

    if (r.found == NULL) {
        return hc_error_nomem(err);
    }
    if (hc_store_each(store, add_line, &r, err) == 0) {
        rc = write_certificates(r.found, out, err);
    }
    sk_X509_pop_free(r.found, X509_free);
    return rc;
}

/* ---- in the command ---- */

static int add_store(struct hc_check_known *known, const char *folder, struct hc_error *err)
{
    struct hc_buf text = HC_BUF_INIT(TEXT_MAX);
    struct hc_findings ignored = {0};
    struct hc_pem pem = {0};
    int rc = hc_stores_read(folder, known->secret, read_issuers, NULL, &text, err);

    if (rc == 0 && text.len > 0) {
        rc = hc_pem_read(&(struct hc_pem_source){hc_bytes_of(&text), folder, NULL, HC_PEM_CERTS},
                         &pem, &ignored, err);
    }
    for (size_t i = 0; rc == 0 && i < pem.cert_count; i++) {
        if (X509_add_cert(known->issuers, pem.certs[i].cert,
                          X509_ADD_FLAG_UP_REF | X509_ADD_FLAG_NO_DUP) != 1) {
            rc = hc_error_nomem(err);
        }
    }
    hc_pem_dispose(&pem);
    hc_findings_dispose(&ignored);
    hc_buf_dispose(&text);
    return rc;
}

/* Those at hand; one that cannot be read knows nothing. */
static void read_stores(struct hc_check_known *known)
{
    struct hc_list folders = {0};
    struct hc_error none = {0};
    int rc = hc_stores_find(&folders, &none);

    known->read = true;
    known->issuers = sk_X509_new_null();
    for (size_t i = 0; rc == 0 && known->issuers != NULL && i < folders.count; i++) {
        struct hc_error why = {0};

        (void)add_store(known, folders.items[i], &why);
    }
    hc_list_dispose(&folders);
}

int hc_check_known_load(struct hc_check_known *known, const char *folder, struct hc_error *err)
{
    known->read = true;
    known->issuers = sk_X509_new_null();
    return known->issuers != NULL ? add_store(known, folder, err) : hc_error_nomem(err);
}

bool hc_check_known_issued(void *self, X509 *cert)
{
    struct hc_check_known *known = self;
    bool issued = false;

    if (!known->read) {
        read_stores(known);
    }
    for (int i = 0; !issued && i < sk_X509_num(known->issuers); i++) {
        issued = hc_cert_issued(sk_X509_value(known->issuers, i), cert);
    }
    ERR_clear_error();
    return issued;
}

void hc_check_known_dispose(struct hc_check_known *known)
{
    sk_X509_pop_free(known->issuers, X509_free);
    known->issuers = NULL;
    known->read = false;
}
