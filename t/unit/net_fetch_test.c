/* The pinned GET: whatever a URL says, the connection goes where the caller said. */
#include "net/fetch.h"

#include <time.h>

#include "http_server.h"
#include "tap.h"

struct got {
    int calls;
    long status;
    char redirect[256];
    char body[512];
    size_t len;
    struct hc_error err;
};

static void on_done(void *arg, const struct hc_fetch_reply *reply, const struct hc_error *err)
{
    struct got *g = arg;

    g->calls++;
    if (reply == NULL) {
        g->err = *err;
        return;
    }
    g->status = reply->status;
    g->len = reply->body.len;
    snprintf(g->redirect, sizeof(g->redirect), "%s", reply->redirect);
    snprintf(g->body, sizeof(g->body), "%.*s", (int)reply->body.len,
             reply->body.data != NULL ? (const char *)reply->body.data : "");
}

static struct got fetch(struct hc_http *http, const struct hc_fetch_options *options)
{
    struct got g = {0};
    uint64_t id = 0;

    if (hc_fetch_start(http, options, on_done, &g, &id, &g.err) == 0) {
        for (int i = 0; i < 100 && g.calls == 0; i++) {
            if (hc_http_step(http, NULL, 0, 200, NULL) != 0) {
                abort();
            }
        }
    }
    return g;
}

static struct got get(struct hc_http *http, int port, const char *host, const char *path)
{
    uint16_t ports[] = {(uint16_t)port, 0};
    char url[256];
    struct hc_fetch_options o = {
        .url = url, .address = "127.0.0.1", .ports = ports, .timeout_ms = 2000, .max_body = 4096};

    snprintf(url, sizeof(url), "http://%s:%d%s", host, port, path);
    return fetch(http, &o);
}

static void the_connection_is_pinned(struct hc_http *http, int port)
{
    struct got g = get(http, port, "name.invalid", "/host");
    char want[64];

    snprintf(want, sizeof(want), "name.invalid:%d", port);
    is_int(g.status, 200, "a name that does not exist is fetched from the address given");
    is_str(g.body, want, "with the name as Host");
    g = get(http, port, "192.0.2.1", "/ok");
    is_str(g.body, "hello", "so is an address that is another one");
    g = get(http, port, "[2001:db8::1]", "/ok");
    is_str(g.body, "hello", "of either family");
    (void)setenv("http_proxy", "http://127.0.0.1:1", 1);
    g = get(http, port, "name.invalid", "/ok");
    is_str(g.body, "hello", "a proxy in the environment is not used");
    (void)unsetenv("http_proxy");
}

static void redirects_are_told(struct hc_http *http, int port)
{
    static const struct {
        const char *to;
        const char *want;
    } rows[] = {
        {"https://other.test/x", "https://other.test/x"},
        {"http://127.0.0.1:22/", "http://127.0.0.1:22/"},
        {"ftp://other.test/x", "ftp://other.test/x"},
    };
    struct got g;
    char want[128];

    for (size_t i = 0; i < HC_COUNT(rows); i++) {
        char path[128];

        snprintf(path, sizeof(path), "/to?%s", rows[i].to);
        g = get(http, port, "name.invalid", path);
        is_str(g.redirect, rows[i].want, rows[i].to);
        ok(g.status == 302 && g.len == 0, "without a body");
    }
    g = get(http, port, "name.invalid", "/to?/there?x=1");
    snprintf(want, sizeof(want), "http://name.invalid:%d/there?x=1", port);
    is_str(g.redirect, want, "a path is resolved against its URL");
    g = get(http, port, "name.invalid", "/to?//else.test/y");
    is_str(g.redirect, "http://else.test/y", "and so is a host");
    g = get(http, port, "name.invalid", "/status/301");
    is_str(g.redirect, "", "a redirect to nowhere leads nowhere");
    g = get(http, port, "name.invalid", "/ok");
    is_str(g.redirect, "", "a Location with status 200 is no redirect");
}

static void fetches_are_bounded(struct hc_http *http, int port)
{
    struct got g = get(http, port, "name.invalid", "/size/4097");

    is_int(g.err.problem, HC_P_TOO_LARGE, "a body that is too large");
    g = get(http, port, "name.invalid", "/hang");
    is_int(g.err.problem, HC_P_FETCH_TIMEOUT, "a server that says nothing");
    g = get(http, port, "name.invalid", "/cut");
    is_int(g.err.problem, HC_P_FETCH_FAILED, "half a reply");
}

static void what_is_refused(struct hc_http *http, int port)
{
    char url[64];
    struct hc_fetch_options o = {.url = url, .address = "127.0.0.1"};
    struct got g;

    snprintf(url, sizeof(url), "http://name.invalid:%d/", port);
    g = fetch(http, &o);
    is_int(g.err.problem, HC_P_FETCH_URL, "a port that was not allowed");
    snprintf(url, sizeof(url), "http://name.invalid/");
    o.address = "name.invalid";
    g = fetch(http, &o);
    is_int(g.err.problem, HC_P_INTERNAL, "an address that is a name");
    is_int(g.calls, 0, "without a callback");
}

static void certificates(struct hc_http *http)
{
    struct forged own = forge(&(struct forge){.sans = "DNS:other.test"});
    struct http_server s;
    uint16_t ports[2] = {0, 0};
    char url[64];
    struct hc_fetch_options o = {.url = url, .address = "127.0.0.1", .ports = ports};
    struct got g;

    http_server_start(&s, &own);
    ports[0] = (uint16_t)s.port;
    snprintf(url, sizeof(url), "https://name.invalid:%d/ok", s.port);
    g = fetch(http, &o);
    is_int(g.err.problem, HC_P_FETCH_FAILED, "a certificate that is not trusted ends a fetch");
    o.any_certificate = true;
    g = fetch(http, &o);
    is_str(g.body, "hello", "but not one that is made as a validator does");
    o.any_certificate = false;
    g = fetch(http, &o);
    is_int(g.err.problem, HC_P_FETCH_FAILED, "and the next is strict again");
    http_server_stop(&s);
    forged_free(&own);
}

static void cancelled_fetches_are_silent(struct hc_http *http, int port)
{
    uint16_t ports[] = {(uint16_t)port, 0};
    char url[64];
    struct hc_fetch_options o = {.url = url, .address = "127.0.0.1", .ports = ports};
    struct got g = {0};
    uint64_t id = 0;

    snprintf(url, sizeof(url), "http://name.invalid:%d/hang", port);
    ok(hc_fetch_start(http, &o, on_done, &g, &id, NULL) == 0 && id != 0, "a fetch is under way");
    hc_fetch_cancel(http, id);
    hc_fetch_cancel(http, id);
    (void)!hc_http_step(http, NULL, 0, 50, NULL);
    is_int(g.calls, 0, "and not heard of again");
}

int main(void)
{
    struct hc_http *http = NULL;
    struct http_server s;

    if (hc_http_new("hotcert-test", &http, NULL) != 0) {
        return 1;
    }
    http_server_start(&s, NULL);
    the_connection_is_pinned(http, s.port);
    redirects_are_told(http, s.port);
    fetches_are_bounded(http, s.port);
    what_is_refused(http, s.port);
    certificates(http);
    cancelled_fetches_are_silent(http, s.port);
    hc_http_free(http);
    http_server_stop(&s);
    return done();
}
