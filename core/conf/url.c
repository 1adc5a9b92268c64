/* Which URLs are followed; see url.h. */
#include "conf/url.h"

#include <arpa/inet.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/http.h>
#include <string.h>

#include "base/str.h"

bool hc_url_is_loopback(const char *host)
{
    unsigned char v4[4];
    struct in6_addr v6;
    char bare[64];
    size_t len = strlen(host);

    if (strcmp(host, "localhost") == 0) {
        return true;
    }
    if (inet_pton(AF_INET, host, v4) == 1) {
        return v4[0] == 127;
    }
    /* an IPv6 host may come with its brackets */
    if (len > 2 && len < sizeof(bare) && host[0] == '[' && host[len - 1] == ']') {
        hc_copy(bare, len - 1, host + 1);
        host = bare;
    }
    return inet_pton(AF_INET6, host, &v6) == 1 && IN6_IS_ADDR_LOOPBACK(&v6);
}

/* Why this URL is not followed, or NULL; *tls: it is https. */
static const char *fault(const char *url, bool *tls)
{
    const char *why = "it is not a URL";
    char *user = NULL;
    char *host = NULL;
    int ssl = 0;

    *tls = false;
    if (strlen(url) > HC_URL_MAX) {
        return "it is longer than 2048 characters";
    }
    for (const char *p = url; *p != '\0'; p++) {
        if ((unsigned char)*p <= 0x20 || (unsigned char)*p >= 0x7f || *p == '\\') {
            return "it has a character that is not allowed in a URL";
        }
    }
    if (strncmp(url, "https://", 8) != 0 && strncmp(url, "http://", 7) != 0) {
        return "it must begin with https://";
    }
    if (OSSL_HTTP_parse_url(url, &ssl, &user, &host, NULL, NULL, NULL, NULL, NULL) != 1 ||
        host == NULL || host[0] == '\0') {
        goto out;
    }
    *tls = ssl != 0;
    why = NULL;
    if (user != NULL && user[0] != '\0') {
        why = "it has a user part";
    } else if (!*tls && !hc_url_is_loopback(host)) {
        why = "http:// is allowed only for this machine's loopback; use https://";
    }
out:
    OPENSSL_free(user);
    OPENSSL_free(host);
    ERR_clear_error();
    return why;
}

int hc_url_check(const char *url, struct hc_error *err)
{
    bool tls = false;
    const char *why = fault(url, &tls);

    return why == NULL ? 0 : hc_error_set(err, HC_P_BAD_VALUE, url, "%s", why);
}

int hc_url_host(const char *url, char *dst, size_t cap)
{
    char *host = NULL;
    size_t len = 0;
    int rc = -1;

    if (OSSL_HTTP_parse_url(url, NULL, NULL, &host, NULL, NULL, NULL, NULL, NULL) == 1 &&
        host != NULL) {
        len = strlen(host);
        if (len > 2 && host[0] == '[' && host[len - 1] == ']') {
            host[len - 1] = '\0';
            rc = hc_copy(dst, cap, host + 1) ? 0 : -1;
        } else {
            rc = len > 0 && hc_copy(dst, cap, host) ? 0 : -1;
        }
    }
    for (char *p = dst; rc == 0 && *p != '\0'; p++) {
        *p = *p >= 'A' && *p <= 'Z' ? (char)(*p - 'A' + 'a') : *p;
    }
    OPENSSL_free(host);
    ERR_clear_error();
    return rc;
}
