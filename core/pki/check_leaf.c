/*
 * What can be wrong with a leaf by itself: names (RFC 6125, RFC 9525), usage (RFC 5280 section
 * 4.2.1.12), key, must-staple (RFC 7633), SCTs (RFC 6962 section 3.3), lifetime.
 */
#include <openssl/ct.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <string.h>

#include "base/time.h"
#include "conf/name.h"
#include "pki/check_run.h"
#include "pki/san.h"

#define DAY 86400

/* RFC 7633: the number of the status_request extension. */
#define FEATURE_STATUS_REQUEST 5

/* The longest life of a certificate that is issued from a date on (CA/B Forum BR 6.3.2). */
static const struct {
    int64_t from;
    int64_t days;
} lifetimes[] = {
    {1868227200, 47},  /* 2029-03-15 */
    {1805068800, 100}, /* 2027-03-15 */
    {1773532800, 200}, /* 2026-03-15 */
    {INT64_MIN, 398},
};

static int64_t lifetime_limit(int64_t issued)
{
    size_t i = 0;

    while (issued < lifetimes[i].from) {
        i++;
    }
    return lifetimes[i].days;
}

/* As clients compare: never the common name, and "w*.example.org" covers nothing (RFC 9525). */
#define HOST_FLAGS (X509_CHECK_FLAG_NEVER_CHECK_SUBJECT | X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS)

static bool covers(X509 *leaf, const struct hc_list *sans, const char *name)
{
    if (hc_name_is_wildcard(name)) {
        return hc_list_has(sans, name);
    }
    return hc_name_is_ip(name) ? X509_check_ip_asc(leaf, name, 0) == 1
                               : X509_check_host(leaf, name, 0, HOST_FLAGS, NULL) == 1;
}

static int check_names(struct hc_check_run *run)
{
    const struct hc_list *names = run->how->names;
    const struct hc_list *left_out = run->how->left_out;
    struct hc_list sans = {0};
    char text[256];
    int rc = hc_san_of(run->leaf, &sans, run->err);

    for (size_t i = 0; rc == 0 && names != NULL && i < names->count; i++) {
        if (!covers(run->leaf, &sans, names->items[i]) &&
            (left_out == NULL || !hc_list_has(left_out, names->items[i]))) {
            const struct hc_subject name = hc_subject_of(HC_SUBJECT_NAME, names->items[i]);

            rc = hc_findings_add_of(run->findings, HC_P_NAME_NOT_COVERED, &name, run->err,
                                    sans.count > 0 ? "the certificate is for %s"
                                                   : "the certificate names no host%s",
                                    hc_list_format(&sans, text, sizeof(text)));
        }
    }
    for (size_t i = 0; rc == 0 && left_out != NULL && i < left_out->count; i++) {
        if (!covers(run->leaf, &sans, left_out->items[i])) {
            const struct hc_subject name = hc_subject_of(HC_SUBJECT_NAME, left_out->items[i]);

            rc = hc_findings_add_of(run->findings, HC_P_LEFT_OUT, &name, run->err,
                                    "hotcert has left it out of the order for now");
        }
    }
    hc_list_dispose(&sans);
    return rc;
}

static int check_usage(struct hc_check_run *run, const struct hc_subject *place)
{
    if (X509_check_ca(run->leaf) >= 1 &&
        hc_findings_add_of(
            run->findings, HC_P_CA_AS_LEAF, place, run->err,
            "it may sign certificates (CA:TRUE), and the site presents it as its own") != 0) {
        return -1;
    }
    /* TLS 1.3 and every exchange with forward secrecy have the key sign (RFC 8446 section 4.4.2.2)
     */
    if ((X509_get_key_usage(run->leaf) & KU_DIGITAL_SIGNATURE) == 0 &&
        hc_findings_add_of(run->findings, HC_P_USAGE_NO_SIGNATURE, place, run->err,
                           "its key usage lacks digitalSignature; Chrome, Firefox and GnuTLS "
                           "refuse it") != 0) {
        return -1;
    }
    if (X509_get_ext_by_NID(run->leaf, NID_ext_key_usage, -1) < 0) {
        return hc_findings_add_of(run->findings, HC_P_USAGE_MISSING, place, run->err,
                                  "it does not state its purpose");
    }
    return X509_check_purpose(run->leaf, X509_PURPOSE_SSL_SERVER, 0) == 0
               ? hc_findings_add_of(run->findings, HC_P_USAGE_NOT_SERVER, place, run->err,
                                    "its extended key usage or key usage excludes TLS servers")
               : 0;
}

static int check_curve(struct hc_check_run *run, EVP_PKEY *key, const struct hc_subject *place)
{
    char group[64] = "";
    char label[HC_KEY_LABEL];

    hc_key_label(key, label);
    if (EVP_PKEY_get_group_name(key, group, sizeof(group), NULL) == 1 &&
        (strcmp(group, SN_X9_62_prime256v1) == 0 || strcmp(group, SN_secp384r1) == 0)) {
        return 0;
    }
    return hc_findings_add_of(run->findings,
                              strcmp(group, SN_secp521r1) == 0 ? HC_P_KEY_UNCOMMON
                                                               : HC_P_CURVE_UNSUPPORTED,
                              place, run->err, "its key is %s", label);
}

static int check_key(struct hc_check_run *run, const struct hc_subject *place)
{
    EVP_PKEY *key = X509_get0_pubkey(run->leaf);
    char label[HC_KEY_LABEL];

    switch (EVP_PKEY_get_base_id(key)) {
    case EVP_PKEY_EC:
        return check_curve(run, key, place);
    case EVP_PKEY_RSA:
        return EVP_PKEY_get_security_bits(key) < 112
                   ? hc_findings_add_of(run->findings, HC_P_KEY_WEAK, place, run->err,
                                        "its key is %s; the minimum is 2048 bits",
                                        hc_key_label(key, label))
                   : 0;
    default:
        return hc_findings_add_of(run->findings, HC_P_KEY_UNCOMMON, place, run->err,
                                  "its key is %s", hc_key_label(key, label));
    }
}

/* The curves on which browsers verify what an issuer signed. */
static bool verifies(EVP_PKEY *key)
{
    static const char *const curves[] = {SN_X9_62_prime256v1, SN_secp384r1, SN_secp521r1};
    char group[64] = "";

    switch (EVP_PKEY_get_base_id(key)) {
    case EVP_PKEY_RSA:
        return true; /* its length is the paths' to judge */
    case EVP_PKEY_EC:
        if (EVP_PKEY_get_group_name(key, group, sizeof(group), NULL) != 1) {
            return false;
        }
        for (size_t i = 0; i < HC_COUNT(curves); i++) {
            if (strcmp(group, curves[i]) == 0) {
                return true;
            }
        }
        return false;
    default:
        return false;
    }
}

static int check_issuer(struct hc_check_run *run, X509 *cert)
{
    EVP_PKEY *key = X509_get0_pubkey(cert);
    struct hc_subject place;
    char label[HC_KEY_LABEL];

    if (key == NULL || verifies(key)) {
        return 0;
    }
    return hc_findings_add_of(run->findings, HC_P_CHAIN_CURVE, hc_check_place(run, cert, &place),
                              run->err, "its key is %s; browsers do not verify what it signed",
                              hc_key_label(key, label));
}

/* All that is served, and the root. */
static int check_issuers(struct hc_check_run *run)
{
    int count = run->chain != NULL ? sk_X509_num(run->chain) : 0;
    int rc = 0;

    for (int i = 0; rc == 0 && i < count; i++) {
        rc = check_issuer(run, sk_X509_value(run->chain, i));
    }
    return rc == 0 && run->root != NULL && X509_cmp(run->root, run->leaf) != 0
               ? check_issuer(run, run->root)
               : rc;
}

static bool demands_staple(X509 *leaf)
{
    TLS_FEATURE *features = X509_get_ext_d2i(leaf, NID_tlsfeature, NULL, NULL);
    bool demands = false;

    for (int i = 0; i < sk_ASN1_INTEGER_num(features); i++) {
        demands |= ASN1_INTEGER_get(sk_ASN1_INTEGER_value(features, i)) == FEATURE_STATUS_REQUEST;
    }
    TLS_FEATURE_free(features);
    return demands;
}

/* Public CAs' certificates, and those that have any: whoever logs one means browsers to see it. */
static int check_scts(struct hc_check_run *run, int64_t life, bool public,
                      const struct hc_subject *place)
{
    bool there = X509_get_ext_by_NID(run->leaf, NID_ct_precert_scts, -1) >= 0;
    STACK_OF(SCT) *scts = X509_get_ext_d2i(run->leaf, NID_ct_precert_scts, NULL, NULL);
    int count = scts != NULL ? sk_SCT_num(scts) : 0;
    int wanted = life <= (int64_t)180 * DAY ? 2 : 3;

    SCT_LIST_free(scts);
    if (count >= wanted || (!there && !public)) {
        return 0;
    }
    return hc_findings_add_of(run->findings, HC_P_SCTS_FEW, place, run->err,
                              "it carries %d signed certificate timestamps; browsers want %d",
                              count, wanted);
}

int hc_check_leaf(struct hc_check_run *run)
{
    struct hc_subject place;
    int64_t from = 0;
    int64_t until = 0;
    bool public = run->root != NULL && hc_roots_is_system(run->how->roots);

    hc_check_place(run, run->leaf, &place);
    if (check_names(run) != 0 || check_usage(run, &place) != 0 || check_key(run, &place) != 0 ||
        check_issuers(run) != 0) {
        return -1;
    }
    if (hc_cert_self_signed(run->leaf) &&
        hc_findings_add_of(
            run->findings, HC_P_SELF_SIGNED, &place, run->err,
            "it is its own issuer; clients trust it only if it is installed there") != 0) {
        return -1;
    }
    if (demands_staple(run->leaf) && !run->how->stapled &&
        hc_findings_add_of(run->findings, HC_P_MUST_STAPLE, &place, run->err,
                           "it has the TLS feature status_request (must-staple)") != 0) {
        return -1;
    }
    if (hc_cert_dates(run->leaf, &from, &until, NULL) != 0) {
        return 0; /* said already */
    }
    if (public && until - from > lifetime_limit(from) * DAY &&
        hc_findings_add_of(run->findings, HC_P_LIFETIME_LONG, &place, run->err,
                           "it is valid for %lld days; by its date of issue %lld are allowed",
                           (long long)((until - from) / DAY),
                           (long long)lifetime_limit(from)) != 0) {
        return -1;
    }
    return check_scts(run, until - from, public, &place);
}
