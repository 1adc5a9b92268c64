/* Alternate chains; see alternate.h. */
#include "acme/alternate.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <string.h>

#include "acme/network.h"
#include "net/url.h"

/* <URL>;rel="alternate" (RFC 8288): the URL as it is written; "" if it is another link. */
static void take_link(const char *link, char *url, size_t cap)
{
    const char *end = link[0] == '<' ? strchr(link, '>') : NULL;
    size_t len = end != NULL ? (size_t)(end - link) - 1 : 0;

    url[0] = '\0';
    if (end == NULL || len >= cap ||
        (strstr(end, "rel=\"alternate\"") == NULL && strstr(end, "rel=alternate") == NULL)) {
        return;
    }
    memcpy(url, link + 1, len);
    url[len] = '\0';
}

int hc_alternates_read(const struct hc_http_reply *reply, const char *directory_url,
                       const char *certificate_url, struct hc_list *urls, struct hc_error *err)
{
    for (size_t i = 0; reply->links != NULL && i < reply->links->count; i++) {
        char written[HC_HTTP_URL_MAX + 1];
        char url[HC_HTTP_URL_MAX + 1];

        take_link(reply->links->items[i], written, sizeof(written));
        if (written[0] == '\0' || !hc_url_resolve(certificate_url, written, url, sizeof(url)) ||
            hc_acme_check_url(directory_url, url, NULL) != 0 || hc_list_has(urls, url) ||
            urls->count >= HC_ALTERNATES_MAX) {
            continue;
        }
        if (hc_list_add(urls, url, err) != 0) {
            return -1;
        }
    }
    return 0;
}

static void take_common_name(const X509_NAME *name, char cn[HC_CHAIN_END])
{
    int at = X509_NAME_get_index_by_NID(name, NID_commonName, -1);
    const X509_NAME_ENTRY *entry = at >= 0 ? X509_NAME_get_entry(name, at) : NULL;
    unsigned char *text = NULL;
    int len = entry != NULL ? ASN1_STRING_to_UTF8(&text, X509_NAME_ENTRY_get_data(entry)) : -1;

    cn[0] = '\0';
    if (len > 0 && len < HC_CHAIN_END && memchr(text, '\0', (size_t)len) == NULL) {
        memcpy(cn, text, (size_t)len);
        cn[len] = '\0';
    }
    OPENSSL_free(text);
}

bool hc_chain_end(struct hc_bytes pem, char cn[HC_CHAIN_END])
{
    BIO *in = BIO_new_mem_buf(pem.data, (int)pem.len);
    X509 *topmost = NULL;
    X509 *next = NULL;

    cn[0] = '\0';
    while (in != NULL && (next = PEM_read_bio_X509(in, NULL, NULL, NULL)) != NULL) {
        X509_free(topmost);
        topmost = next;
    }
    ERR_clear_error();
    if (topmost != NULL) {
        take_common_name(X509_get_issuer_name(topmost), cn);
    }
    X509_free(topmost);
    BIO_free(in);
    return next == NULL && topmost != NULL;
}
