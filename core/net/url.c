/* Which URLs are followed; see http.h. */
#include <arpa/inet.h>
#include <curl/curl.h>
#include <string.h>
#include <strings.h>

#include "net/http.h"

/* [::1] comes with its brackets */
static bool is_loopback(const char *host)
{
    struct in_addr v4;

    if (strcasecmp(host, "localhost") == 0 || strcmp(host, "[::1]") == 0) {
        return true;
    }
    return inet_pton(AF_INET, host, &v4) == 1 && (ntohl(v4.s_addr) >> 24) == 127;
}

static int check_plain_text(const char *url, struct hc_error *err)
{
    size_t len = strlen(url);

    if (len == 0) {
        return hc_error_set(err, HC_P_CA_URL, NULL, "the URL is empty");
    }
    if (len > HC_HTTP_URL_MAX) {
        return hc_error_set(err, HC_P_CA_URL, url, "the URL is longer than %d bytes",
                            HC_HTTP_URL_MAX);
    }
    for (size_t i = 0; i < len; i++) {
        if ((unsigned char)url[i] <= 0x20 || (unsigned char)url[i] > 0x7e) {
            return hc_error_set(err, HC_P_CA_URL, url,
                                "the URL holds a blank, control or non-ASCII byte");
        }
    }
    return 0;
}

static int check_parts(CURLU *handle, const char *url, struct hc_error *err)
{
    char *scheme = NULL;
    char *host = NULL;
    char *user = NULL;
    int rc = -1;

    if (curl_url_set(handle, CURLUPART_URL, url, 0) != CURLUE_OK ||
        curl_url_get(handle, CURLUPART_SCHEME, &scheme, 0) != CURLUE_OK ||
        curl_url_get(handle, CURLUPART_HOST, &host, 0) != CURLUE_OK) {
        hc_error_set(err, HC_P_CA_URL, url, "it is not a URL of http or https");
        goto out;
    }
    if (curl_url_get(handle, CURLUPART_USER, &user, 0) == CURLUE_OK ||
        curl_url_get(handle, CURLUPART_PASSWORD, &user, 0) == CURLUE_OK) {
        hc_error_set(err, HC_P_CA_URL, NULL, "the URL holds a user name or a password");
        goto out;
    }
    if (strcmp(scheme, "https") == 0) {
        rc = 0;
    } else if (strcmp(scheme, "http") != 0) {
        hc_error_set(err, HC_P_CA_URL, url, "its scheme is neither https nor http");
    } else if (!is_loopback(host)) {
        hc_error_set(err, HC_P_CA_URL, url, "http:// is for loopback addresses only; use https://");
    } else {
        rc = 0;
    }
out:
    curl_free(scheme);
    curl_free(host);
    curl_free(user);
    return rc;
}

int hc_http_check_url(const char *url, struct hc_error *err)
{
    CURLU *handle = NULL;
    int rc = -1;

    if (check_plain_text(url, err) != 0) {
        return -1;
    }
    handle = curl_url();
    if (handle == NULL) {
        return hc_error_nomem(err);
    }
    rc = check_parts(handle, url, err);
    curl_url_cleanup(handle);
    return rc;
}

int hc_http_check_handed_out(const char *directory, const char *url, struct hc_error *err)
{
    bool ours = strncasecmp(directory, "https:", 6) == 0;
    bool theirs = strncasecmp(url, "https:", 6) == 0;

    if (hc_http_check_url(url, err) != 0) {
        return -1;
    }
    if (ours != theirs) {
        return hc_error_set(err, HC_P_CA_URL, url, "the directory is %s, this is not",
                            ours ? "https" : "http");
    }
    return 0;
}
