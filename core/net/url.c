/* Which URLs are followed; see url.h and http.h. */
#include "net/url.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <curl/curl.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "conf/url.h"
#include "net/http.h"

/* What is no business of the parser's: it forgives much. */
static const char *fault_of_text(const char *url)
{
    size_t len = strlen(url);
    const char *slashes = strstr(url, "://");

    if (len > HC_HTTP_URL_MAX) {
        return "it is too long";
    }
    for (size_t i = 0; i < len; i++) {
        if ((unsigned char)url[i] <= 0x20 || (unsigned char)url[i] > 0x7e || url[i] == '\\') {
            return "it holds a byte that is not allowed in a URL";
        }
    }
    if (slashes == NULL || slashes[3] == '/' || slashes[3] == '\0') {
        return "it is not a URL of http or https";
    }
    return NULL;
}

/* Lower case, without the brackets of an IPv6 address. */
static bool take_host(const char *host, char out[HC_URL_HOST])
{
    size_t len = strlen(host);
    size_t skip = len > 2 && host[0] == '[' ? 1 : 0;

    if (len == 0 || len - 2 * skip >= HC_URL_HOST) {
        return false;
    }
    for (size_t i = 0; i < len - 2 * skip; i++) {
        out[i] = (char)tolower((unsigned char)host[i + skip]);
    }
    out[len - 2 * skip] = '\0';
    return true;
}

static const char *take_parts(CURLU *handle, const char *url, struct hc_url_parts *out)
{
    char *scheme = NULL;
    char *host = NULL;
    char *port = NULL;
    char *user = NULL;
    const char *why = "it is not a URL of http or https";

    if (curl_url_set(handle, CURLUPART_URL, url, 0) != CURLUE_OK ||
        curl_url_get(handle, CURLUPART_SCHEME, &scheme, 0) != CURLUE_OK ||
        curl_url_get(handle, CURLUPART_HOST, &host, 0) != CURLUE_OK ||
        curl_url_get(handle, CURLUPART_PORT, &port, CURLU_DEFAULT_PORT) != CURLUE_OK) {
        goto out;
    }
    out->tls = strcmp(scheme, "https") == 0;
    out->port = (uint16_t)strtoul(port, NULL, 10);
    if (!out->tls && strcmp(scheme, "http") != 0) {
        goto out;
    }
    if (curl_url_get(handle, CURLUPART_USER, &user, 0) == CURLUE_OK ||
        curl_url_get(handle, CURLUPART_PASSWORD, &user, 0) == CURLUE_OK) {
        why = "it holds a user name or a password";
    } else if (!take_host(host, out->host)) {
        why = "its host is too long";
    } else {
        why = NULL;
    }
out:
    curl_free(scheme);
    curl_free(host);
    curl_free(port);
    curl_free(user);
    return why;
}

const char *hc_url_take(const char *url, struct hc_url_parts *out)
{
    const char *why = fault_of_text(url);
    CURLU *handle = why == NULL ? curl_url() : NULL;

    *out = (struct hc_url_parts){{0}, 0, false};
    if (why == NULL) {
        why = handle != NULL ? take_parts(handle, url, out) : "there is no memory to parse it";
    }
    curl_url_cleanup(handle);
    return why;
}

bool hc_url_resolve(const char *base, const char *target, char *out, size_t cap)
{
    CURLU *handle = curl_url();
    char *url = NULL;
    bool there = false;

    if (handle != NULL && target[0] != '\0' &&
        curl_url_set(handle, CURLUPART_URL, base, 0) == CURLUE_OK &&
        curl_url_set(handle, CURLUPART_URL, target, 0) == CURLUE_OK &&
        curl_url_get(handle, CURLUPART_URL, &url, 0) == CURLUE_OK) {
        there = hc_copy(out, cap, url);
    }
    curl_free(url);
    curl_url_cleanup(handle);
    return there;
}

static bool is_whole_target(CURLU *handle, const char *base, const char *target)
{
    char *user = NULL;
    bool whole = curl_url_set(handle, CURLUPART_URL, base, 0) == CURLUE_OK &&
                 curl_url_set(handle, CURLUPART_URL, target, 0) == CURLUE_OK &&
                 curl_url_set(handle, CURLUPART_FRAGMENT, NULL, 0) == CURLUE_OK &&
                 curl_url_get(handle, CURLUPART_USER, &user, 0) == CURLUE_NO_USER;

    curl_free(user);
    return whole;
}

const char *hc_url_follow(const char *base, const char *target, struct hc_url_target *out)
{
    CURLU *handle = curl_url();
    char *url = NULL;
    char *scheme = NULL;
    char *host = NULL;
    char *port = NULL;
    const char *why = "it is not a URL that can be followed";

    memset(out, 0, sizeof(*out));
    if (handle == NULL || !is_whole_target(handle, base, target) ||
        curl_url_get(handle, CURLUPART_URL, &url, 0) != CURLUE_OK ||
        curl_url_get(handle, CURLUPART_SCHEME, &scheme, 0) != CURLUE_OK ||
        curl_url_get(handle, CURLUPART_HOST, &host, 0) != CURLUE_OK ||
        curl_url_get(handle, CURLUPART_PORT, &port, CURLU_DEFAULT_PORT) != CURLUE_OK) {
        goto out;
    }
    out->port = (uint16_t)strtoul(port, NULL, 10);
    why = hc_copy(out->url, sizeof(out->url), url) &&
                  hc_copy(out->scheme, sizeof(out->scheme), scheme) && take_host(host, out->host)
              ? NULL
              : "the URL is too long";

out:
    curl_free(url);
    curl_free(scheme);
    curl_free(host);
    curl_free(port);
    curl_url_cleanup(handle);
    return why;
}

/* 169.254.0.0/16 and fd00:ec2::/32, numerically. */
static bool is_metadata_host(const char *host)
{
    unsigned char raw[sizeof(struct in6_addr)];
    static const unsigned char v6[] = {0xfd, 0x00, 0x0e, 0xc2};

    if (inet_pton(AF_INET, host, raw) == 1) {
        return raw[0] == 169 && raw[1] == 254;
    }
    return inet_pton(AF_INET6, host, raw) == 1 && memcmp(raw, v6, sizeof(v6)) == 0;
}

/* The URL is left out of the error where it may hold a password. */
static int check_url(const char *url, bool metadata, struct hc_error *err)
{
    struct hc_url_parts parts;
    const char *why = hc_url_take(url, &parts);

    if (why != NULL) {
        return hc_error_set(err, HC_P_FETCH_URL, strchr(url, '@') == NULL ? url : NULL, "%s", why);
    }
    if (!parts.tls && !hc_url_is_loopback(parts.host) &&
        !(metadata && is_metadata_host(parts.host))) {
        return hc_error_set(err, HC_P_FETCH_URL, url,
                            "http:// is for loopback addresses only; use https://");
    }
    return 0;
}

bool hc_http_is_redirect(long status)
{
    return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
}

int hc_http_check_url(const char *url, struct hc_error *err)
{
    return check_url(url, false, err);
}

int hc_http_check_metadata_url(const char *url, struct hc_error *err)
{
    return check_url(url, true, err);
}
