/* A pinned GET; see fetch.h. */
#include "net/fetch.h"

#include <ctype.h>
#include <curl/curl.h>
#include <stdlib.h>
#include <string.h>

#include "net/transfer.h"

struct fetch {
    char *url;
    hc_fetch_done *done;
    void *arg;
};

static bool allowed(uint16_t port, bool tls, const uint16_t *ports)
{
    if (port == (tls ? 443 : 80)) {
        return true;
    }
    for (size_t i = 0; ports != NULL && ports[i] != 0; i++) {
        if (ports[i] == port) {
            return true;
        }
    }
    return false;
}

static bool is_printable(const char *url)
{
    size_t len = strlen(url);

    for (size_t i = 0; i < len; i++) {
        if ((unsigned char)url[i] <= 0x20 || (unsigned char)url[i] > 0x7e || url[i] == '\\') {
            return false;
        }
    }
    return len > 0 && len <= HC_HTTP_URL_MAX;
}

/* Lower case, without the brackets of an IPv6 address. */
static int take_host(const char *host, char out[HC_FETCH_HOST])
{
    size_t len = strlen(host);
    size_t skip = len > 2 && host[0] == '[' ? 1 : 0;

    if (len == 0 || len - 2 * skip >= HC_FETCH_HOST) {
        return -1;
    }
    for (size_t i = 0; i < len - 2 * skip; i++) {
        out[i] = (char)tolower((unsigned char)host[i + skip]);
    }
    out[len - 2 * skip] = '\0';
    return 0;
}

static const char *take_parts(CURLU *handle, const char *url, struct hc_fetch_target *out)
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
    } else if (take_host(host, out->host) != 0) {
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

int hc_fetch_target(const char *url, const uint16_t *ports, struct hc_fetch_target *out,
                    struct hc_error *err)
{
    CURLU *handle = NULL;
    const char *why = NULL;

    if (!is_printable(url)) {
        return hc_error_set(err, HC_P_FETCH_URL, url,
                            "it holds a byte that no URL has, or too many");
    }
    handle = curl_url();
    if (handle == NULL) {
        return hc_error_nomem(err);
    }
    why = take_parts(handle, url, out);
    curl_url_cleanup(handle);
    if (why != NULL) {
        return hc_error_set(err, HC_P_FETCH_URL, url, "%s", why);
    }
    if (!allowed(out->port, out->tls, ports)) {
        return hc_error_set(err, HC_P_FETCH_URL, url, "its port is %u", (unsigned)out->port);
    }
    return 0;
}

static bool is_redirect(long status)
{
    return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
}

/* What a Location means, RFC 3986 section 5; NULL if it is no URL. curl_free(). */
static char *resolve(const char *base, const char *location)
{
    CURLU *handle = curl_url();
    char *absolute = NULL;

    if (handle == NULL || location[0] == '\0') {
        goto out;
    }
    if (curl_url_set(handle, CURLUPART_URL, base, 0) != CURLUE_OK ||
        curl_url_set(handle, CURLUPART_URL, location, CURLU_NON_SUPPORT_SCHEME) != CURLUE_OK ||
        curl_url_get(handle, CURLUPART_URL, &absolute, 0) != CURLUE_OK) {
        absolute = NULL;
    }
out:
    curl_url_cleanup(handle);
    return absolute;
}

static void on_reply(void *arg, const struct hc_http_reply *reply, const struct hc_error *err)
{
    struct fetch *f = arg;
    struct hc_fetch_reply out = {0};
    char *redirect = NULL;

    if (reply == NULL) {
        f->done(f->arg, NULL, err);
    } else {
        out.status = reply->status;
        out.content_type = reply->content_type;
        out.redirect = "";
        if (is_redirect(reply->status)) {
            redirect = resolve(f->url, reply->location);
            out.redirect = redirect != NULL ? redirect : "";
        } else {
            out.body = reply->body;
        }
        f->done(f->arg, &out, NULL);
    }
    curl_free(redirect);
}

static void fetch_free(void *arg)
{
    struct fetch *f = arg;

    free(f->url);
    free(f);
}

int hc_fetch_start(struct hc_http *http, const struct hc_fetch_options *options,
                   hc_fetch_done *done, void *arg, uint64_t *id, struct hc_error *err)
{
    struct hc_http_request request = {0};
    struct hc_fetch_target target;
    struct hc_http_pin pin = {0};
    struct fetch *f = NULL;

    if (hc_fetch_target(options->url, options->ports, &target, err) != 0) {
        return -1;
    }
    f = calloc(1, sizeof(*f));
    if (f == NULL || hc_strdup(options->url, &f->url, err) != 0) {
        free(f);
        return hc_error_nomem(err);
    }
    f->done = done;
    f->arg = arg;
    request.method = HC_HTTP_GET;
    request.url = options->url;
    request.accept = options->accept;
    request.max_body = options->max_body;
    request.timeout_ms = options->timeout_ms;
    pin.address = options->address;
    pin.port = target.port;
    pin.any_certificate = options->any_certificate;
    pin.release = fetch_free;
    return hc_http_send_pinned(http, &request, &pin, on_reply, f, id, err);
}

void hc_fetch_cancel(struct hc_http *http, uint64_t id)
{
    const struct hc_http_port *port = hc_http_port(http);

    port->cancel(port->self, id);
}
