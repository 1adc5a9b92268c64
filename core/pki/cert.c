/* One certificate; see cert.h. */
#include "pki/cert.h"

#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/str.h"
#include "base/time.h"
#include "pki/openssl.h"
#include "pki/san.h"

/* One attribute of a name as UTF-8; false if it is not there. */
static bool attribute(const X509_NAME *name, int nid, char dst[HC_CERT_LABEL])
{
    int at = X509_NAME_get_index_by_NID(name, nid, -1);
    unsigned char *text = NULL;
    int len = 0;

    if (at < 0) {
        return false;
    }
    len = ASN1_STRING_to_UTF8(&text, X509_NAME_ENTRY_get_data(X509_NAME_get_entry(name, at)));
    if (len > 0) {
        size_t n = (size_t)len < HC_CERT_LABEL ? (size_t)len : HC_CERT_LABEL - 1;

        memcpy(dst, text, n);
        dst[n] = '\0';
    }
    OPENSSL_free(text);
    return len > 0;
}

static bool name_label(const X509_NAME *name, char dst[HC_CERT_LABEL])
{
    bool found = attribute(name, NID_commonName, dst) ||
                 attribute(name, NID_organizationName, dst) ||
                 attribute(name, NID_organizationalUnitName, dst);

    ERR_clear_error();
    return found;
}

char *hc_cert_label(X509 *cert, char dst[HC_CERT_LABEL])
{
    struct hc_list names = {0};

    if (!name_label(X509_get_subject_name(cert), dst)) {
        bool named = hc_san_of(cert, &names, NULL) == 0 && names.count > 0;

        hc_copy(dst, HC_CERT_LABEL, named ? names.items[0] : "(no name)");
    }
    hc_list_dispose(&names);
    return dst;
}

char *hc_cert_issuer_label(X509 *cert, char dst[HC_CERT_LABEL])
{
    if (!name_label(X509_get_issuer_name(cert), dst)) {
        hc_copy(dst, HC_CERT_LABEL, "(no name)");
    }
    return dst;
}

char *hc_cert_serial(X509 *cert, char dst[HC_CERT_SERIAL])
{
    const ASN1_INTEGER *serial = X509_get0_serialNumber(cert);
    size_t len = (size_t)ASN1_STRING_length(serial);

    hc_hex(dst, ASN1_STRING_get0_data(serial), len <= 64 ? len : 64);
    return dst;
}

/* notBefore or notAfter. */
static int time_of(const ASN1_TIME *t, int64_t *out, struct hc_error *err)
{
    struct tm tm;

    memset(&tm, 0, sizeof(tm));
    if (t == NULL || ASN1_TIME_to_tm(t, &tm) != 1) {
        return hc_error_set_openssl(err, HC_P_TLS_LIBRARY, NULL, "a date in a certificate");
    }
    *out = (int64_t)timegm(&tm);
    return 0;
}

int hc_cert_dates(X509 *cert, int64_t *not_before, int64_t *not_after, struct hc_error *err)
{
    return time_of(X509_get0_notBefore(cert), not_before, err) == 0 &&
                   time_of(X509_get0_notAfter(cert), not_after, err) == 0
               ? 0
               : -1;
}

bool hc_cert_self_signed(X509 *cert)
{
    bool self = X509_self_signed(cert, 1) == 1;

    ERR_clear_error();
    return self;
}

bool hc_cert_issued(X509 *issuer, X509 *cert)
{
    bool issued = X509_check_issued(issuer, cert) == X509_V_OK &&
                  X509_verify(cert, X509_get0_pubkey(issuer)) == 1;

    ERR_clear_error();
    return issued;
}

bool hc_cert_signature_is_weak(X509 *cert)
{
    int digest = NID_undef;
    int known = X509_get_signature_info(cert, &digest, NULL, NULL, NULL);

    ERR_clear_error();
    return known == 1 && (digest == NID_sha1 || digest == NID_md5 || digest == NID_md4 ||
                          digest == NID_md2 || digest == NID_ripemd160 || digest == NID_md5_sha1);
}

/* NIST's names are the ones that people know. */
static const char *curve_label(const char *group)
{
    static const char *const names[][2] = {
        {SN_X9_62_prime256v1, "P-256"}, {SN_secp384r1, "P-384"}, {SN_secp521r1, "P-521"}};

    for (size_t i = 0; i < HC_COUNT(names); i++) {
        if (strcmp(group, names[i][0]) == 0) {
            return names[i][1];
        }
    }
    return group;
}

char *hc_key_label(EVP_PKEY *key, char dst[HC_KEY_LABEL])
{
    char group[32] = "";
    const char *type = EVP_PKEY_get0_type_name(key);

    switch (EVP_PKEY_get_base_id(key)) {
    case EVP_PKEY_RSA:
        snprintf(dst, HC_KEY_LABEL, "RSA %d", EVP_PKEY_get_bits(key));
        break;
    case EVP_PKEY_RSA_PSS:
        snprintf(dst, HC_KEY_LABEL, "RSA-PSS %d", EVP_PKEY_get_bits(key));
        break;
    case EVP_PKEY_EC:
        if (EVP_PKEY_get_group_name(key, group, sizeof(group), NULL) != 1) {
            hc_copy(group, sizeof(group), "on a curve without a name");
        }
        snprintf(dst, HC_KEY_LABEL, "ECDSA %s", curve_label(group));
        break;
    default:
        snprintf(dst, HC_KEY_LABEL, "%s", type != NULL ? type : "unknown");
        break;
    }
    ERR_clear_error();
    return dst;
}
