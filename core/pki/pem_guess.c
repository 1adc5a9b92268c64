/* What a file without a PEM block is; see pem_guess.h. */
#include "pki/pem_guess.h"

#include <openssl/err.h>
#include <openssl/pkcs12.h>

static bool is_utf16(struct hc_bytes text)
{
    const unsigned char *d = text.data;

    return text.len >= 4 && ((d[0] == 0xff && d[1] == 0xfe) || (d[0] == 0xfe && d[1] == 0xff) ||
                             (d[0] == '-' && d[1] == 0) || (d[0] == 0 && d[1] == '-'));
}

static struct hc_pem_guess guess_binary(struct hc_bytes text, bool certificate)
{
    const unsigned char *p = text.data;
    PKCS12 *p12 = d2i_PKCS12(NULL, &p, (long)text.len);

    PKCS12_free(p12);
    ERR_clear_error();
    if (p12 != NULL) {
        return (struct hc_pem_guess){"the file is PKCS#12, not PEM",
                                     "convert it: openssl pkcs12 -in FILE -nodes -out FILE.pem"};
    }
    return (struct hc_pem_guess){
        "the file is DER (binary), not PEM",
        certificate ? "convert it: openssl x509 -inform DER -in FILE -out FILE.pem"
                    : "convert it: openssl pkey -inform DER -in FILE -out FILE.pem"};
}

struct hc_pem_guess hc_pem_guess(struct hc_bytes text, bool certificate, bool indented)
{
    if (text.len == 0) {
        return (struct hc_pem_guess){"the file is empty", "copy the file again from its source"};
    }
    if (indented) {
        return (struct hc_pem_guess){
            "the lines of the PEM block are indented, so no TLS library reads it",
            "remove the blanks at the beginning of its lines: sed -i 's/^[[:blank:]]*//' FILE"};
    }
    if (is_utf16(text)) {
        return (struct hc_pem_guess){"the file is UTF-16 text, which no TLS library reads",
                                     "save it as ASCII: iconv -f UTF-16 -t ASCII FILE > FILE.pem"};
    }
    if (text.data[0] == 0x30) {
        return guess_binary(text, certificate);
    }
    return (struct hc_pem_guess){
        "no line of it begins a PEM block",
        certificate ? "name the file that has the certificate, as PEM (-----BEGIN CERTIFICATE-----)"
                    : "name the file that has the private key, as PEM"};
}
