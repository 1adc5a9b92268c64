/* Pairs from PEM files and from what a CA sends, and back to PEM; see pair.h. */
#include <openssl/err.h>
#include <openssl/pem.h>
#include <string.h>

#include "pki/cert.h"
#include "pki/chain.h"
#include "pki/complete.h"
#include "pki/key.h"
#include "pki/openssl.h"
#include "pki/pair.h"
#include "pki/pair_make.h"
#include "pki/pem.h"

static bool same_bytes(struct hc_bytes a, struct hc_bytes b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.data, b.data, a.len) == 0);
}

/* A missing key or certificate, unless the file itself was named as the fault already. */
static int report_missing(enum hc_problem p, const char *subject, struct hc_findings *findings,
                          struct hc_error *err)
{
    if (hc_findings_find(findings, HC_P_PEM_NOT_PEM, subject) != NULL) {
        return 0;
    }
    return hc_findings_add(findings, p, subject, err, "%s",
                           p == HC_P_KEY_MISSING ? "the file holds no private key"
                                                 : "the file holds no certificate");
}

/* The key out of a file of its own; what the certificate file holds of keys is a remark. */
static int read_key_file(const struct hc_pair_source *src, const struct hc_pem *certs,
                         struct hc_pem *key, struct hc_findings *findings, struct hc_error *err)
{
    char place[HC_ERROR_SUBJECT];

    if (hc_pem_read(
            &(struct hc_pem_source){src->key_pem, src->key_subject, src->passphrases,
                                    src->httpd_keys ? HC_PEM_KEY | HC_PEM_KEY_HTTPD : HC_PEM_KEY},
            key, findings, err) != 0) {
        return -1;
    }
    if (certs->key_line > 0 &&
        hc_findings_add(findings, HC_P_PEM_KEY_IN_CHAIN,
                        hc_pem_place(place, sizeof(place), src->cert_subject, certs->key_line), err,
                        "the certificate file also holds a private key; hotcert uses %s",
                        src->key_subject) != 0) {
        return -1;
    }
    return key->key_line == 0 && !key->key_has_no_block
               ? report_missing(HC_P_KEY_MISSING, src->key_subject, findings, err)
               : 0;
}

/* A certificate of the file that the key does belong to: a CA's, further down; or NULL. */
static X509 *owner_of(const struct hc_pem *certs, EVP_PKEY *key)
{
    X509 *owner = NULL;

    for (size_t i = 0; owner == NULL && i < certs->cert_count; i++) {
        owner =
            X509_check_private_key(certs->certs[i].cert, key) == 1 ? certs->certs[i].cert : NULL;
    }
    ERR_clear_error();
    return owner;
}

static int report_mismatch(const struct hc_pem *certs, EVP_PKEY *key, const char *cert_subject,
                           const char *key_subject, struct hc_findings *findings,
                           struct hc_error *err)
{
    char label[HC_CERT_LABEL];
    char owner_label[HC_CERT_LABEL];
    char cert_kind[HC_KEY_LABEL];
    char key_kind[HC_KEY_LABEL];
    X509 *first = certs->certs[0].cert;
    X509 *owner = owner_of(certs, key);

    if (owner != NULL) {
        return hc_findings_add(findings, HC_P_KEY_MISMATCH, cert_subject, err,
                               "the private key in %s (%s) is that of %s, a CA of the chain, and "
                               "not that of %s, the first certificate in %s",
                               key_subject, hc_key_label(key, key_kind),
                               hc_cert_label(owner, owner_label), hc_cert_label(first, label),
                               cert_subject);
    }
    return hc_findings_add(findings, HC_P_KEY_MISMATCH, cert_subject, err,
                           "the private key in %s (%s) belongs to no certificate in %s (%zu, the "
                           "first is %s, %s)",
                           key_subject, hc_key_label(key, key_kind), cert_subject,
                           certs->cert_count, hc_cert_label(first, label),
                           hc_key_label(X509_get0_pubkey(first), cert_kind));
}

/* What a key and the certificates of a file make; all faults are findings. */
struct match {
    const struct hc_pem *certs;
    EVP_PKEY *key;
    const char *cert_subject;
    const char *key_subject;
    const struct hc_pair_more *more; /* NULL: the chain is in certs */
};

static int match_up(const struct match *m, struct hc_pair **out, struct hc_findings *findings,
                    struct hc_error *err)
{
    STACK_OF(X509) *chain = NULL;
    int leaf = hc_chain_leaf(m->certs->certs, m->certs->cert_count, m->key);
    int rc = -1;

    if (leaf < 0) {
        return report_mismatch(m->certs, m->key, m->cert_subject, m->key_subject, findings, err);
    }
    if (!hc_key_works_with(m->key, X509_get0_pubkey(m->certs->certs[leaf].cert))) {
        return hc_findings_add(findings, HC_P_KEY_MISMATCH, m->key_subject, err,
                               "the private key is damaged: its public half belongs to the "
                               "certificate, but what it signs does not verify");
    }
    chain = sk_X509_new_null();
    if (chain == NULL) {
        return hc_error_nomem(err);
    }
    rc = hc_chain_build(&(struct hc_chain_source){m->certs->certs, m->certs->cert_count,
                                                  (size_t)leaf, m->cert_subject},
                        chain, findings, err);
    if (rc == 0 && m->more != NULL) {
        rc = hc_chain_complete(m->certs->certs[leaf].cert, chain, m->more, m->cert_subject,
                               findings, err);
    }
    if (rc == 0 && hc_findings_worst(findings) != HC_CLASS_UNUSABLE) {
        rc = hc_pair_make(m->key, m->certs->certs[leaf].cert, chain, out, err);
    }
    if (rc == 0 && *out != NULL) {
        hc_pair_set_file_goes_on(*out, hc_chain_goes_on(m->certs->certs, m->certs->cert_count,
                                                        m->certs->certs[leaf].cert, chain));
    }
    sk_X509_pop_free(chain, X509_free);
    return rc;
}

/*
 * Ends both ways of making a pair: without one, err tells the worst finding. found are those of
 * this pair alone (the caller's list may hold another's), and go to the caller's list.
 */
static int conclude(int rc, struct hc_pair **out, struct hc_findings *found,
                    struct hc_findings *findings, struct hc_error *err)
{
    if (rc == 0 && *out == NULL) {
        rc = -1;
        if (hc_findings_to_error(found, HC_CLASS_UNUSABLE, err) == 0) {
            hc_error_set(err, HC_P_INTERNAL, NULL, "no pair and no finding that says why");
        }
    }
    if (hc_findings_take(findings, found, err) != 0) {
        rc = -1;
    }
    if (rc != 0) {
        hc_pair_free(*out);
        *out = NULL;
    }
    ERR_clear_error();
    return rc;
}

int hc_pair_from_pem(const struct hc_pair_source *source, struct hc_pair **out,
                     struct hc_findings *findings, struct hc_error *err)
{
    bool apart = source->key_pem.len > 0 && !same_bytes(source->key_pem, source->cert_pem);
    struct hc_pem certs = {0};
    struct hc_pem keys = {0};
    struct hc_findings found = {0};
    struct match m = {.certs = &certs,
                      .cert_subject = source->cert_subject,
                      .key_subject = apart ? source->key_subject : source->cert_subject,
                      .more = &source->more};
    int rc = -1;

    *out = NULL;
    if (hc_pem_read(&(struct hc_pem_source){source->cert_pem, source->cert_subject,
                                            source->passphrases,
                                            apart ? HC_PEM_CERTS : HC_PEM_CERTS | HC_PEM_KEY},
                    &certs, &found, err) != 0 ||
        (apart && read_key_file(source, &certs, &keys, &found, err) != 0)) {
        goto out;
    }
    if (certs.cert_count == 0 && hc_findings_find(&found, HC_P_PEM_DAMAGED, NULL) == NULL &&
        report_missing(HC_P_CERTIFICATE_MISSING, source->cert_subject, &found, err) != 0) {
        goto out;
    }
    if (!apart && certs.key_line == 0 &&
        report_missing(HC_P_KEY_MISSING, source->cert_subject, &found, err) != 0) {
        goto out;
    }
    m.key = apart ? keys.key : certs.key;
    /* of a damaged file nobody knows which certificate its leaf was */
    rc = certs.cert_count > 0 && m.key != NULL && hc_findings_worst(&found) != HC_CLASS_UNUSABLE
             ? match_up(&m, out, &found, err)
             : 0;
out:
    hc_pem_dispose(&certs);
    hc_pem_dispose(&keys);
    return conclude(rc, out, &found, findings, err);
}

int hc_pair_from_key(EVP_PKEY *key, struct hc_bytes chain_pem, const char *subject,
                     struct hc_pair **out, struct hc_findings *findings, struct hc_error *err)
{
    struct hc_pem certs = {0};
    struct hc_findings found = {0};
    struct match m = {.certs = &certs,
                      .key = key,
                      .cert_subject = subject,
                      .key_subject = "the key of the order"};
    int rc = -1;

    *out = NULL;
    rc = hc_pem_read(&(struct hc_pem_source){chain_pem, subject, NULL, HC_PEM_CERTS}, &certs,
                     &found, err);
    if (rc == 0 && certs.cert_count == 0) {
        rc = report_missing(HC_P_CERTIFICATE_MISSING, subject, &found, err);
    } else if (rc == 0 && hc_findings_worst(&found) != HC_CLASS_UNUSABLE) {
        rc = match_up(&m, out, &found, err);
    }
    hc_pem_dispose(&certs);
    return conclude(rc, out, &found, findings, err);
}

int hc_pair_to_pem(const struct hc_pair *pair, struct hc_buf *out, struct hc_error *err)
{
    BIO *bio = BIO_new(BIO_s_mem());
    STACK_OF(X509) *chain = hc_pair_chain(pair);
    char *text = NULL;
    long len = 0;
    int good = bio != NULL && PEM_write_bio_X509(bio, hc_pair_leaf(pair)) == 1;
    int rc = -1;

    for (int i = 0; good && i < sk_X509_num(chain); i++) {
        good = PEM_write_bio_X509(bio, sk_X509_value(chain, i)) == 1;
    }
    if (!good ||
        PEM_write_bio_PKCS8PrivateKey(bio, hc_pair_key(pair), NULL, NULL, 0, NULL, NULL) != 1) {
        hc_error_set_openssl(err, HC_P_TLS_LIBRARY, NULL, "writing a pair as PEM");
        goto out;
    }
    len = BIO_get_mem_data(bio, &text);
    rc = hc_buf_append(out, text, len > 0 ? (size_t)len : 0, err);
out:
    BIO_free(bio); /* its memory is wiped: BUF_MEM_free() clears */
    ERR_clear_error();
    return rc;
}
