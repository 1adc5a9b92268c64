/* The chain that is served; see chain.h. */
#include "pki/chain.h"

#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/time.h"
#include "pki/cert.h"
#include "pki/pair.h"

/* What became of each certificate of the file. */
enum part { PART_STRANGER, PART_SERVED, PART_DUPLICATE, PART_ROOT, PART_EDITION };

/* So many certificates of one kind are named; more are counted. */
#define ONE_BY_ONE 8

struct build {
    const struct hc_pem_cert *certs;
    size_t count;
    const char *subject;
    enum part *parts;
    size_t served[HC_CHAIN_MAX]; /* indices, leaf first */
    size_t served_count;
    int namesake; /* names fit the last one served, but its signature does not verify; or -1 */
    struct hc_findings *findings;
    struct hc_error *err;
};

int hc_chain_leaf(const struct hc_pem_cert *certs, size_t count, EVP_PKEY *key)
{
    int found = -1;

    for (size_t i = 0; i < count; i++) {
        if (X509_check_private_key(certs[i].cert, key) != 1) {
            continue;
        }
        if (X509_check_ca(certs[i].cert) == 0) {
            found = (int)i;
            break;
        }
        /* further down it is an issuer, and its key was taken for the site's */
        found = i == 0 ? 0 : found;
    }
    ERR_clear_error();
    return found;
}

static const char *place(const struct build *b, size_t i, char dst[HC_ERROR_SUBJECT])
{
    if (b->subject == NULL) {
        snprintf(dst, HC_ERROR_SUBJECT, "certificate %zu", b->certs[i].index + 1);
        return dst;
    }
    return hc_pem_place(dst, HC_ERROR_SUBJECT, b->subject, b->certs[i].line);
}

static void mark_duplicates(struct build *b)
{
    for (size_t i = 1; i < b->count; i++) {
        for (size_t j = 0; j < i; j++) {
            if (b->parts[j] != PART_DUPLICATE &&
                X509_cmp(b->certs[i].cert, b->certs[j].cert) == 0) {
                b->parts[i] = PART_DUPLICATE;
                break;
            }
        }
    }
}

static bool ends_later(X509 *a, X509 *b)
{
    return ASN1_TIME_compare(X509_get0_notAfter(a), X509_get0_notAfter(b)) > 0;
}

/* The best issuer of the last certificate served so far, or -1. Marks the root if it is there. */
static int next_issuer(struct build *b)
{
    X509 *last = b->certs[b->served[b->served_count - 1]].cert;
    int best = -1;

    b->namesake = -1;
    for (size_t i = 0; i < b->count; i++) {
        X509 *cert = b->certs[i].cert;

        if (b->parts[i] != PART_STRANGER || X509_check_issued(cert, last) != X509_V_OK) {
            continue;
        }
        if (!hc_cert_issued(cert, last)) {
            b->namesake = (int)i;
            continue;
        }
        if (hc_cert_self_signed(cert)) {
            b->parts[i] = PART_ROOT;
        } else if (best < 0 || ends_later(cert, b->certs[best].cert)) {
            best = (int)i;
        }
    }
    return best;
}

/* What has signed a certificate that is served, and is not served itself. */
static void mark_editions(struct build *b)
{
    for (size_t k = 0; k < b->served_count; k++) {
        for (size_t i = 0; i < b->count; i++) {
            if (b->parts[i] == PART_STRANGER &&
                hc_cert_issued(b->certs[i].cert, b->certs[b->served[k]].cert)) {
                b->parts[i] = PART_EDITION;
            }
        }
    }
}

static void follow(struct build *b, size_t leaf)
{
    int next = (int)leaf;

    while (next >= 0 && b->served_count < HC_CHAIN_MAX) {
        b->parts[next] = PART_SERVED;
        b->served[b->served_count++] = (size_t)next;
        if (hc_cert_self_signed(b->certs[next].cert)) {
            break; /* only a leaf can be: nothing is above it */
        }
        next = next_issuer(b);
    }
}

static int report_order(struct build *b)
{
    char where[HC_ERROR_SUBJECT];
    char label[HC_CERT_LABEL];

    for (size_t i = 0; i < b->served_count; i++) {
        size_t at = b->served[i];
        bool first_of_file = i == 0 && at == 0;

        if (first_of_file || (i > 0 && at > b->served[i - 1])) {
            continue;
        }
        hc_cert_label(b->certs[at].cert, label);
        return hc_findings_add(
            b->findings, HC_P_CHAIN_ORDER, place(b, at, where), b->err,
            i == 0 ? "the leaf %s is not the first certificate; hotcert serves it first"
                   : "%s precedes the certificate that it issued; hotcert serves it after that one",
            label);
    }
    return 0;
}

/* Names say "issued by", the signature says no: damaged, or another CA of the same name. */
static int report_namesake(struct build *b)
{
    char where[HC_ERROR_SUBJECT];
    char label[HC_CERT_LABEL];
    char issuer[HC_CERT_LABEL];
    size_t last = b->served_count > 0 ? b->served[b->served_count - 1] : 0;

    if (b->namesake < 0) {
        return 0;
    }
    return hc_findings_add(b->findings, HC_P_CHAIN_INVALID, place(b, last, where), b->err,
                           "the signature of %s does not verify with the key of %s, which it names "
                           "as its issuer: one of the two is damaged, or of another CA",
                           hc_cert_label(b->certs[last].cert, label),
                           hc_cert_label(b->certs[b->namesake].cert, issuer));
}

/* What is said of a certificate by its part, and of many of them at once. */
struct words {
    enum hc_problem problem;
    const char *one, *many;
};

static const struct words part_words[] = {
    [PART_STRANGER] = {HC_P_CHAIN_STRANGER,
                       "issued no certificate of this chain; hotcert does not serve it",
                       "issued no certificates of this chain; hotcert does not serve them"},
    [PART_SERVED] = {HC_P_NONE, NULL, NULL},
    [PART_DUPLICATE] = {HC_P_CHAIN_DUPLICATE, "occurs twice; hotcert serves it once",
                        "are copies of others; hotcert serves each of them once"},
    [PART_ROOT] = {HC_P_CHAIN_ROOT,
                   "is a root; hotcert does not serve it, since clients use their own copy",
                   "are roots; hotcert does not serve them, since clients use their own copies"},
};

/* One by one, or, where a whole bundle was put into the file, once. */
static int report_parts(struct build *b, enum part part)
{
    const struct words *words = &part_words[part];
    char where[HC_ERROR_SUBJECT];
    char label[HC_CERT_LABEL];
    size_t count = 0;

    for (size_t i = 0; i < b->count; i++) {
        count += b->parts[i] == part;
    }
    for (size_t i = 0; i < b->count; i++) {
        if (b->parts[i] != part) {
            continue;
        }
        place(b, i, where);
        if (count > ONE_BY_ONE) {
            return hc_findings_add(b->findings, words->problem, where, b->err,
                                   "%zu certificates of the file, from this one on, %s", count,
                                   words->many);
        }
        if (hc_findings_add(b->findings, words->problem, where, b->err, "%s %s",
                            hc_cert_label(b->certs[i].cert, label), words->one) != 0) {
            return -1;
        }
    }
    return 0;
}

/* The one of several editions that is not served; other programs send what the file has. */
static int report_edition(struct build *b, size_t i)
{
    X509 *cert = b->certs[i].cert;
    char where[HC_ERROR_SUBJECT];
    char label[HC_CERT_LABEL];
    char text[HC_TIME_TEXT];
    char ends[HC_TIME_TEXT + 8] = "at no date that can be read";
    int64_t from = 0;
    int64_t until = 0;

    place(b, i, where);
    hc_cert_label(cert, label);
    if (hc_cert_dates(cert, &from, &until, NULL) == 0) {
        snprintf(ends, sizeof(ends), "on %s", hc_time_format(until, text));
    }
    return hc_findings_add(b->findings, HC_P_CHAIN_EDITION, where, b->err,
                           "%s is there in several editions; this one, which ends %s, is not "
                           "needed",
                           label, ends);
}

static int report_editions(struct build *b)
{
    for (size_t i = 0; i < b->count; i++) {
        if (b->parts[i] == PART_EDITION && report_edition(b, i) != 0) {
            return -1;
        }
    }
    return 0;
}

/* SHA-1 or older on a certificate that nobody will see; a few of them stand for all. */
static int report_weak(struct build *b)
{
    char where[HC_ERROR_SUBJECT];
    char label[HC_CERT_LABEL];
    size_t said = 0;

    for (size_t i = 0; i < b->count && said < ONE_BY_ONE; i++) {
        if (b->parts[i] == PART_SERVED || b->parts[i] == PART_DUPLICATE ||
            !hc_cert_signature_is_weak(b->certs[i].cert)) {
            continue;
        }
        said++;
        if (hc_findings_add(
                b->findings, HC_P_SIGNATURE_UNNEEDED, place(b, i, where), b->err,
                "%s is signed with a hash that clients refuse; hotcert does not serve it",
                hc_cert_label(b->certs[i].cert, label)) != 0) {
            return -1;
        }
    }
    return 0;
}

/* Of a leaf that is there twice, the first copy counts. */
static size_t first_copy(const struct build *b, size_t leaf)
{
    for (size_t i = 0; i < leaf; i++) {
        if (X509_cmp(b->certs[i].cert, b->certs[leaf].cert) == 0) {
            return i;
        }
    }
    return leaf;
}

int hc_chain_build(const struct hc_chain_source *source, STACK_OF(X509) * chain,
                   struct hc_findings *findings, struct hc_error *err)
{
    static const enum part parts[] = {PART_ROOT, PART_STRANGER, PART_DUPLICATE};
    struct build b = {.certs = source->certs,
                      .count = source->count,
                      .subject = source->subject,
                      .namesake = -1,
                      .findings = findings,
                      .err = err};
    int rc = -1;

    b.parts = calloc(b.count, sizeof(*b.parts));
    if (b.parts == NULL) {
        hc_error_nomem(err);
        goto out;
    }
    mark_duplicates(&b);
    follow(&b, first_copy(&b, source->leaf));
    mark_editions(&b);
    for (size_t i = 1; i < b.served_count; i++) {
        if (X509_add_cert(chain, b.certs[b.served[i]].cert, X509_ADD_FLAG_UP_REF) != 1) {
            hc_error_nomem(err);
            goto out;
        }
    }
    if (report_order(&b) != 0 || report_namesake(&b) != 0) {
        goto out;
    }
    for (size_t i = 0; i < HC_COUNT(parts); i++) {
        if (report_parts(&b, parts[i]) != 0) {
            goto out;
        }
    }
    rc = report_editions(&b) == 0 ? report_weak(&b) : -1;
out:
    free(b.parts);
    ERR_clear_error();
    return rc;
}

static bool is_served(X509 *cert, X509 *leaf, STACK_OF(X509) * chain)
{
    bool served = X509_cmp(cert, leaf) == 0;

    for (int i = 0; !served && i < sk_X509_num(chain); i++) {
        X509 *one = sk_X509_value(chain, i);

        /* another edition of an issuer is that issuer */
        served = X509_NAME_cmp(X509_get_subject_name(cert), X509_get_subject_name(one)) == 0;
    }
    return served;
}

bool hc_chain_goes_on(const struct hc_pem_cert *certs, size_t count, X509 *leaf,
                      STACK_OF(X509) * chain)
{
    int length = sk_X509_num(chain);
    X509 *last = length > 0 ? sk_X509_value(chain, length - 1) : leaf;
    bool more = false;

    if (hc_cert_self_signed(last)) {
        return false;
    }
    for (size_t i = 0; i < count; i++) {
        if (hc_cert_issued(certs[i].cert, last)) {
            return false;
        }
        more =
            more || (X509_check_ca(certs[i].cert) == 1 && !is_served(certs[i].cert, leaf, chain));
    }
    return more;
}
