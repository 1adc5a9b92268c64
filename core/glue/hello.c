/* The ClientHello; see hello.h. RFC 8446 section 4.1.2, RFC 7301 section 3.1. */
#include "glue/hello.h"

#include <string.h>

#define FIXED 34 /* version and random */

/* The extension's data: a list of one protocol of ten characters. */
static const unsigned char validation[] = "\x00\x0b\x0a"
                                          "acme-tls/1";

/* Takes a length of so many octets and that many bytes off; false: there are not so many. */
static bool take(struct hc_bytes *rest, size_t octets, struct hc_bytes *out)
{
    size_t len = 0;

    if (rest->len < octets) {
        return false;
    }
    for (size_t i = 0; i < octets; i++) {
        len = len << 8 | rest->data[i];
    }
    if (rest->len - octets < len) {
        return false;
    }
    *out = (struct hc_bytes){rest->data + octets, len};
    rest->data += octets + len;
    rest->len -= octets + len;
    return true;
}

/* The extensions; false: there are none. */
static bool extensions_of(struct hc_bytes hello, struct hc_bytes *out)
{
    struct hc_bytes skipped;

    if (hello.len < FIXED) {
        return false;
    }
    hello.data += FIXED;
    hello.len -= FIXED;
    /* session, ciphers, compression */
    return take(&hello, 1, &skipped) && take(&hello, 2, &skipped) && take(&hello, 1, &skipped) &&
           take(&hello, 2, out);
}

/* List length, name type 0, name length, name. 0: it is malformed. */
static size_t read_name(struct hc_bytes ext, char name[HC_HELLO_NAME])
{
    size_t len = 0;

    name[0] = '\0';
    if (ext.len < 6 || ext.data[2] != TLSEXT_NAMETYPE_host_name) {
        return 0;
    }
    len = (size_t)ext.data[3] << 8 | ext.data[4];
    if (len > ext.len - 5 || len >= HC_HELLO_NAME) {
        return 0;
    }
    for (size_t i = 0; i < len; i++) {
        char c = (char)ext.data[5 + i];

        name[i] = c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
    }
    len -= len > 1 && name[len - 1] == '.';
    name[len] = '\0';
    return len;
}

bool hc_hello_read(struct hc_bytes body, struct hc_hello *out)
{
    const size_t wanted = sizeof(validation) - 1;
    struct hc_bytes rest;
    struct hc_bytes data;

    *out = (struct hc_hello){.validates = false};
    if (!extensions_of(body, &rest)) {
        return false;
    }
    while (rest.len >= 2) {
        unsigned type = (unsigned)rest.data[0] << 8 | rest.data[1];

        rest.data += 2;
        rest.len -= 2;
        if (!take(&rest, 2, &data)) {
            *out = (struct hc_hello){.validates = false};
            return false;
        }
        if (type == TLSEXT_TYPE_application_layer_protocol_negotiation) {
            out->validates = data.len == wanted && memcmp(data.data, validation, wanted) == 0;
        } else if (type == TLSEXT_TYPE_server_name) {
            out->name_len = read_name(data, out->name);
        }
    }
    return true;
}

size_t hc_hello_name(SSL *ssl, char name[HC_HELLO_NAME])
{
    struct hc_bytes ext = {NULL, 0};

    name[0] = '\0';
    return SSL_client_hello_get0_ext(ssl, TLSEXT_TYPE_server_name, &ext.data, &ext.len) == 1
               ? read_name(ext, name)
               : 0;
}
