/* Subject alternative names; see san.h. */
#include "pki/san.h"

#include <arpa/inet.h>
#include <openssl/err.h>
#include <string.h>

#include "conf/name.h"
#include "pki/openssl.h"

/* A GENERAL_NAME of one normalised name, or NULL. */
static GENERAL_NAME *general_name(const char *name)
{
    GENERAL_NAME *gn = GENERAL_NAME_new();
    ASN1_STRING *value = NULL;
    bool ip = hc_name_is_ip(name);

    if (ip) {
        value = a2i_IPADDRESS(name);
    } else if ((value = ASN1_IA5STRING_new()) != NULL && ASN1_STRING_set(value, name, -1) != 1) {
        ASN1_STRING_free(value);
        value = NULL;
    }
    if (gn == NULL || value == NULL) {
        ASN1_STRING_free(value);
        GENERAL_NAME_free(gn);
        return NULL;
    }
    GENERAL_NAME_set0_value(gn, ip ? GEN_IPADD : GEN_DNS, value);
    return gn;
}

int hc_san_new(const struct hc_list *names, GENERAL_NAMES **out, struct hc_error *err)
{
    GENERAL_NAMES *sans = GENERAL_NAMES_new();

    for (size_t i = 0; sans != NULL && i < names->count; i++) {
        GENERAL_NAME *gn = general_name(names->items[i]);

        if (gn == NULL || sk_GENERAL_NAME_push(sans, gn) <= 0) {
            GENERAL_NAME_free(gn);
            GENERAL_NAMES_free(sans);
            sans = NULL;
        }
    }
    if (sans == NULL) {
        return hc_error_set_openssl(err, HC_P_TLS_LIBRARY, NULL, "making subject names");
    }
    *out = sans;
    return 0;
}

/*
 * The text of a DNS or IP name; false for other kinds and for what is no text. Less strict than
 * what may be ordered: private certificates have single labels and underscores.
 */
static bool name_text(const GENERAL_NAME *gn, char text[HC_NAME_SIZE])
{
    int type = 0;
    const ASN1_STRING *value = GENERAL_NAME_get0_value(gn, &type);
    const unsigned char *data = NULL;
    size_t len = 0;

    if (type != GEN_DNS && type != GEN_IPADD) {
        return false;
    }
    data = ASN1_STRING_get0_data(value);
    len = (size_t)ASN1_STRING_length(value);
    if (type == GEN_IPADD) {
        return (len == 4 && inet_ntop(AF_INET, data, text, HC_NAME_SIZE) != NULL) ||
               (len == 16 && inet_ntop(AF_INET6, data, text, HC_NAME_SIZE) != NULL);
    }
    if (len == 0 || len >= HC_NAME_SIZE) {
        return false;
    }
    for (size_t i = 0; i < len; i++) {
        /* a NUL inside a name is the oldest trick there is */
        if (data[i] <= ' ' || data[i] > 0x7e) {
            return false;
        }
        text[i] = (char)(data[i] >= 'A' && data[i] <= 'Z' ? data[i] - 'A' + 'a' : data[i]);
    }
    text[len] = '\0';
    return true;
}

int hc_san_of(X509 *cert, struct hc_list *names, struct hc_error *err)
{
    GENERAL_NAMES *sans = X509_get_ext_d2i(cert, NID_subject_alt_name, NULL, NULL);
    int count = sk_GENERAL_NAME_num(sans);
    int rc = 0;

    for (int i = 0; i < count && i < HC_SAN_MAX && rc == 0; i++) {
        char text[HC_NAME_SIZE];

        if (name_text(sk_GENERAL_NAME_value(sans, i), text)) {
            rc = hc_list_add(names, text, err);
        }
    }
    GENERAL_NAMES_free(sans);
    ERR_clear_error();
    return rc;
}
