/* The pinned GET: whatever a URL says, the connection goes where the caller said. */
#include "net/fetch.h"

#include <time.h>

#include "base/time.h"
#include "http_server.h"
#include "tap.h"

static struct hc_loop *loop;

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
            if (hc_loop_pass(loop, 200, NULL) != 0) {
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
    is_int(g.err.problem, HC_P_FETCH_UNTRUSTED, "a certificate that is not trusted ends a fetch");
    o.any_certificate = true;
    g = fetch(http, &o);
    is_str(g.body, "hello", "but not one that is made as a validator does");
    o.any_certificate = false;
    g = fetch(http, &o);
    is_int(g.err.problem, HC_P_FETCH_UNTRUSTED, "and the next is strict again");
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
    (void)!hc_loop_pass(loop, 50, NULL);
    is_int(g.calls, 0, "and not heard of again");
}

#define SILENT 70 /* more than the client has connections */

/* Listeners that never answer, each at an address of its own, and a fetch from each. */
struct silent {
    int fds[SILENT];
    struct got got[SILENT];
};

static void silent_start(struct silent *all, struct hc_http *http, long timeout_ms)
{
    memset(all, 0, sizeof(*all));
    for (int i = 0; i < SILENT; i++) {
        struct sockaddr_in a = {.sin_family = AF_INET};
        socklen_t len = sizeof(a);
        uint16_t ports[] = {0, 0};
        uint64_t id = 0;
        char address[32];
        char url[64];
        struct hc_fetch_options o = {
            .url = url, .address = address, .ports = ports, .timeout_ms = timeout_ms};

        snprintf(address, sizeof(address), "127.0.1.%d", i + 1);
        a.sin_addr.s_addr = inet_addr(address);
        all->fds[i] = socket(AF_INET, SOCK_STREAM, 0);
        if (all->fds[i] < 0 || bind(all->fds[i], (struct sockaddr *)&a, sizeof(a)) != 0 ||
            listen(all->fds[i], 8) != 0 ||
            getsockname(all->fds[i], (struct sockaddr *)&a, &len) != 0) {
            abort();
        }
        ports[0] = ntohs(a.sin_port);
        snprintf(url, sizeof(url), "http://silent.invalid:%d/", ports[0]);
        if (hc_fetch_start(http, &o, on_done, &all->got[i], &id, NULL) != 0) {
            abort();
        }
    }
}

static int silent_timed_out(const struct silent *all)
{
    int count = 0;

    for (int i = 0; i < SILENT; i++) {
        count += all->got[i].calls == 1 && all->got[i].err.problem == HC_P_FETCH_TIMEOUT;
    }
    return count;
}

static void silent_close(struct silent *all)
{
    for (int i = 0; i < SILENT; i++) {
        close(all->fds[i]);
    }
}

static void on_ca(void *arg, const struct hc_http_reply *reply, const struct hc_error *err)
{
    (void)err;
    *(long *)arg = reply != NULL ? reply->status : -1;
}

static void step_for(int64_t ms)
{
    int64_t end = hc_now_ms(&hc_clock_system) + ms;

    while (hc_now_ms(&hc_clock_system) < end) {
        if (hc_loop_pass(loop, 50, NULL) != 0) {
            abort();
        }
    }
}

static void fetches_leave_room_for_a_ca(struct hc_http *http, int port)
{
    const struct hc_http_port *p = hc_http_port(http);
    struct hc_http_request request = {.method = HC_HTTP_GET};
    struct silent all;
    char url[64];
    uint64_t id = 0;
    long status = 0;

    silent_start(&all, http, 2000);
    snprintf(url, sizeof(url), "http://127.0.0.1:%d/ok", port);
    request.url = url;
    ok(p->send(p->self, &request, on_ca, &status, &id, NULL) == 0, "beside many silent hosts");
    step_for(1000);
    is_int(status, 200, "a CA is asked at once");
    is_int(silent_timed_out(&all), 0, "while they all are waited for");
    step_for(4000);
    is_int(silent_timed_out(&all), SILENT, "and each is said to be silent in the end");
    silent_close(&all);
}

static void waiting_for_a_turn_is_no_time_out(struct hc_http *http, int port)
{
    uint16_t ports[] = {(uint16_t)port, 0};
    struct silent all;
    struct got got[10];
    char url[64];
    struct hc_fetch_options o = {
        .url = url, .address = "127.0.0.1", .ports = ports, .timeout_ms = 800};
    uint64_t id[10];
    int good = 0;
    struct got hasty = {0};
    struct got ended = {0};
    uint64_t hasty_id = 0;
    uint64_t ended_id = 0;

    memset(got, 0, sizeof(got));
    silent_start(&all, http, 800);
    snprintf(url, sizeof(url), "http://name.invalid:%d/ok", port);
    for (size_t i = 0; i < HC_COUNT(got); i++) {
        ok(hc_fetch_start(http, &o, on_done, &got[i], &id[i], NULL) == 0, "a host that answers");
    }
    ok(hc_fetch_start(http, &o, on_done, &ended, &ended_id, NULL) == 0, "one that is not wanted");
    o.wait_ms = 100;
    ok(hc_fetch_start(http, &o, on_done, &hasty, &hasty_id, NULL) == 0, "one that does not wait");
    hc_fetch_cancel(http, ended_id);
    step_for(3000);
    for (size_t i = 0; i < HC_COUNT(got); i++) {
        good += got[i].calls == 1 && got[i].status == 200;
    }
    is_int(good, (long)HC_COUNT(got), "those that come after many silent ones are all heard");
    ok(hasty.calls == 1 && hasty.err.problem == HC_P_TIMED_OUT, "who cannot wait was not asked");
    is_int(ended.calls, 0, "and who was cancelled in the queue neither");
    silent_close(&all);
}

static void the_queue_ends_with_its_client(void)
{
    struct hc_http *http = NULL;
    struct silent all;
    int calls = 0;

    if (hc_http_new(loop, "hotcert-test", &http, NULL) != 0) {
        abort();
    }
    silent_start(&all, http, 800);
    hc_http_free(http);
    for (int i = 0; i < SILENT; i++) {
        calls += all.got[i].calls;
    }
    is_int(calls, 0, "a queue ends silently with its client");
    silent_close(&all);
}

int main(void)
{
    struct hc_http *http = NULL;
    struct http_server s;

    if (hc_loop_new(&hc_clock_system, &loop, NULL) != 0 ||
        hc_http_new(loop, "hotcert-test", &http, NULL) != 0) {
        return 1;
    }
    http_server_start(&s, NULL);
    the_connection_is_pinned(http, s.port);
    redirects_are_told(http, s.port);
    fetches_are_bounded(http, s.port);
    what_is_refused(http, s.port);
    certificates(http);
    cancelled_fetches_are_silent(http, s.port);
    fetches_leave_room_for_a_ca(http, s.port);
    waiting_for_a_turn_is_no_time_out(http, s.port);
    the_queue_ends_with_its_client();
    hc_http_free(http);
    hc_loop_free(loop);
    http_server_stop(&s);
    return done();
}
