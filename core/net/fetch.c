/* A pinned GET; see fetch.h. */
#include "net/fetch.h"

#include <curl/curl.h>
#include <stdlib.h>

#include "net/transfer.h"
#include "net/url.h"

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

int hc_fetch_target(const char *url, const uint16_t *ports, struct hc_fetch_target *out,
                    struct hc_error *err)
{
    struct hc_url_parts parts;
    const char *why = hc_url_take(url, &parts);

    if (why != NULL) {
        return hc_error_set(err, HC_P_FETCH_URL, url, "%s", why);
    }
    if (!allowed(parts.port, parts.tls, ports)) {
        return hc_error_set(err, HC_P_FETCH_URL, url, "its port is %u", (unsigned)parts.port);
    }
    (void)hc_copy(out->host, sizeof(out->host), parts.host);
    out->port = parts.port;
    out->tls = parts.tls;
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
        out.server = reply->server;
        out.www_authenticate = reply->www_authenticate;
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
    struct hc_fetch_target target = {{0}, 0, false};
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
    pin.wait_ms = options->wait_ms;
    pin.done = on_reply;
    pin.arg = f;
    pin.release = fetch_free;
    return hc_http_send_pinned(http, &request, &pin, id, err);
}

void hc_fetch_cancel(struct hc_http *http, uint64_t id)
{
    const struct hc_http_port *port = hc_http_port(http);

    port->cancel(port->self, id);
}
