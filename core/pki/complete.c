/* A chain completed from other files; see complete.h. */
#include "pki/complete.h"

#include <openssl/err.h>
#include <openssl/x509_vfy.h>
#include <openssl/x509v3.h>

#include "pki/cert.h"
#include "pki/openssl.h"
#include "pki/pem.h"

/* Where issuers are looked for. */
struct issuers {
    struct hc_pem pem;      /* of a file */
    X509_STORE *folder;     /* of a folder with hashed names, or NULL */
    X509_STORE_CTX *finder; /* into it */
};

static bool is_better(X509 *candidate, X509 *best)
{
    return best == NULL ||
           ASN1_TIME_compare(X509_get0_notAfter(candidate), X509_get0_notAfter(best)) > 0;
}

/* True if the root itself is there: then nothing is missing. */
static bool consider(X509 *candidate, X509 *last, X509 **best)
{
    if (X509_check_issued(candidate, last) != X509_V_OK || !hc_cert_issued(candidate, last)) {
        return false;
    }
    if (hc_cert_self_signed(candidate)) {
        return true;
    }
    if (is_better(candidate, *best)) {
        *best = candidate;
    }
    return false;
}

/* The issuer of last that ends last, with a reference; NULL: there is none, or it is a root. */
static X509 *find_issuer(const struct issuers *from, X509 *last)
{
    STACK_OF(X509) *named = NULL;
    X509 *best = NULL;
    bool rooted = false;

    for (size_t i = 0; i < from->pem.cert_count; i++) {
        rooted = consider(from->pem.certs[i].cert, last, &best) || rooted;
    }
    if (from->finder != NULL) {
        named = X509_STORE_CTX_get1_certs(from->finder, X509_get_issuer_name(last));
    }
    for (int i = 0; i < sk_X509_num(named); i++) {
        rooted = consider(sk_X509_value(named, i), last, &best) || rooted;
    }
    if (best != NULL && (rooted || X509_up_ref(best) != 1)) {
        best = NULL;
    }
    sk_X509_pop_free(named, X509_free);
    return best;
}

static X509 *last_of(X509 *leaf, STACK_OF(X509) * chain)
{
    int count = sk_X509_num(chain);

    return count > 0 ? sk_X509_value(chain, count - 1) : leaf;
}

static bool is_there(X509 *cert, X509 *leaf, STACK_OF(X509) * chain)
{
    bool found = X509_cmp(cert, leaf) == 0;

    for (int i = 0; i < sk_X509_num(chain); i++) {
        found = found || X509_cmp(cert, sk_X509_value(chain, i)) == 0;
    }
    return found;
}

/* Appends issuer after issuer; the number of them, or -1. */
static int follow(X509 *leaf, STACK_OF(X509) * chain, const struct issuers *from,
                  struct hc_error *err)
{
    int added = 0;

    while (sk_X509_num(chain) < HC_CHAIN_MAX - 1 && !hc_cert_self_signed(last_of(leaf, chain))) {
        X509 *issuer = find_issuer(from, last_of(leaf, chain));

        if (issuer == NULL) {
            break;
        }
        if (is_there(issuer, leaf, chain)) {
            X509_free(issuer); /* CAs that certified each other */
            break;
        }
        if (sk_X509_push(chain, issuer) <= 0) {
            X509_free(issuer);
            return hc_error_nomem(err);
        }
        added++;
    }
    return added;
}

/* A folder that cannot be read is as good as an empty one. */
static int open_folder(struct issuers *from, const char *folder, struct hc_error *err)
{
    X509_LOOKUP *lookup = NULL;

    from->folder = X509_STORE_new();
    from->finder = X509_STORE_CTX_new();
    if (from->folder == NULL || from->finder == NULL ||
        (lookup = X509_STORE_add_lookup(from->folder, X509_LOOKUP_hash_dir())) == NULL ||
        X509_LOOKUP_add_dir(lookup, folder, X509_FILETYPE_PEM) != 1 ||
        X509_STORE_CTX_init(from->finder, from->folder, NULL, NULL) != 1) {
        return hc_error_set_openssl(err, HC_P_TLS_LIBRARY, folder, "reading it");
    }
    return 0;
}

static void issuers_dispose(struct issuers *from)
{
    X509_STORE_CTX_free(from->finder);
    X509_STORE_free(from->folder);
    hc_pem_dispose(&from->pem);
}

static int from_chain_file(X509 *leaf, STACK_OF(X509) * chain, const struct hc_pair_more *more,
                           struct hc_findings *findings, struct hc_error *err)
{
    struct issuers from = {.pem = {0}};
    struct hc_findings found = {0};
    bool alone = sk_X509_num(chain) == 0;
    int added = hc_pem_read(
        &(struct hc_pem_source){more->chain_pem, more->chain_subject, NULL, HC_PEM_CERTS},
        &from.pem, &found, err);
    int rc = added;

    if (rc == 0 && from.pem.cert_count > 0) {
        added = follow(leaf, chain, &from, err);
        rc = added < 0 ? -1 : 0;
    }
    if (rc == 0 && hc_findings_find(&found, HC_P_PEM_NOT_PEM, NULL) != NULL) {
        hc_findings_dispose(&found); /* httpd takes a file without certificates for no chain */
    }
    if (rc == 0 && alone && added == 0) {
        rc = hc_findings_add(&found, HC_P_CHAIN_STRANGER, more->chain_subject, err,
                             "no certificate of the chain file issued the one that is served");
    }
    issuers_dispose(&from);
    return hc_findings_take(findings, &found, err) == 0 ? rc : -1;
}

static int report_store(STACK_OF(X509) * chain, const struct hc_pair_more *more,
                        const char *subject, struct hc_findings *findings, struct hc_error *err)
{
    char label[HC_CERT_LABEL];

    return hc_findings_add(
        findings, HC_P_CHAIN_FROM_STORE, subject, err,
        "%s%s from %s%s%s: the file itself holds no issuer",
        hc_cert_label(sk_X509_value(chain, 0), label),
        sk_X509_num(chain) > 1 ? " and its issuers come" : " comes",
        more->store_subject != NULL ? more->store_subject : more->store_folder,
        more->store_subject != NULL && more->store_folder != NULL ? " or " : "",
        more->store_subject != NULL && more->store_folder != NULL ? more->store_folder : "");
}

static int from_store(X509 *leaf, STACK_OF(X509) * chain, const struct hc_pair_more *more,
                      const char *subject, struct hc_findings *findings, struct hc_error *err)
{
    struct issuers from = {.pem = {0}};
    struct hc_findings unsaid = {0}; /* what is odd in a file that serves other ends */
    int rc = -1;

    if ((more->store_pem.len > 0 &&
         hc_pem_read(&(struct hc_pem_source){more->store_pem, "", NULL, HC_PEM_CERTS}, &from.pem,
                     &unsaid, err) != 0) ||
        (more->store_folder != NULL && open_folder(&from, more->store_folder, err) != 0)) {
        goto out;
    }
    rc = follow(leaf, chain, &from, err);
    if (rc > 0) {
        rc = report_store(chain, more, subject, findings, err);
    }
out:
    hc_findings_dispose(&unsaid);
    issuers_dispose(&from);
    return rc;
}

int hc_chain_complete(X509 *leaf, STACK_OF(X509) * chain, const struct hc_pair_more *more,
                      const char *subject, struct hc_findings *findings, struct hc_error *err)
{
    int rc = 0;

    if (more->chain_subject != NULL) {
        rc = from_chain_file(leaf, chain, more, findings, err);
    }
    if (rc == 0 && sk_X509_num(chain) == 0 &&
        (more->store_pem.len > 0 || more->store_folder != NULL)) {
        rc = from_store(leaf, chain, more, subject, findings, err);
    }
    ERR_clear_error();
    return rc;
}
