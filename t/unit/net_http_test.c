/* The HTTP client against real sockets: bounds, times, trust, the caller's descriptors. */
#include "loop/timer.h"
#include "net/http.h"

#include <time.h>

#include "http_server.h"
#include "tap.h"

static struct hc_loop *loop;

struct got {
    int calls;
    long status;
    char content_type[64];
    char nonce[64];
    char location[128];
    int64_t retry_after;
    size_t links;
    size_t len;
    char body[4096];
    struct hc_error err;
};

static void on_done(void *arg, const struct hc_http_reply *reply, const struct hc_error *err)
{
    struct got *g = arg;

    g->calls++;
    if (reply == NULL) {
        g->err = *err;
        return;
    }
    g->status = reply->status;
    snprintf(g->content_type, sizeof(g->content_type), "%s", reply->content_type);
    snprintf(g->nonce, sizeof(g->nonce), "%s", reply->replay_nonce);
    snprintf(g->location, sizeof(g->location), "%s", reply->location);
    g->retry_after = reply->retry_after;
    g->links = reply->links->count;
    g->len = reply->body.len;
    snprintf(g->body, sizeof(g->body), "%.*s", (int)reply->body.len,
             reply->body.data != NULL ? (const char *)reply->body.data : "");
}

static int64_t ms(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

static void wait_for(const struct got *g, int calls)
{
    int64_t until = ms() + 20000;

    while (g->calls < calls && ms() < until) {
        if (hc_loop_pass(loop, 1000, NULL) != 0) {
            abort();
        }
    }
}

/* Sends one request and waits for its end. */
static struct got ask(struct hc_http *http, struct hc_http_request *request, const char *scheme,
                      int port, const char *path)
{
    const struct hc_http_port *p = hc_http_port(http);
    struct got g = {0};
    char url[256];
    uint64_t id = 0;

    snprintf(url, sizeof(url), "%s://127.0.0.1:%d%s", scheme, port, path);
    request->url = url;
    if (p->send(p->self, request, on_done, &g, &id, &g.err) == 0) {
        wait_for(&g, 1);
    }
    return g;
}

static struct got get(struct hc_http *http, int port, const char *path)
{
    struct hc_http_request request = {.method = HC_HTTP_GET};

    return ask(http, &request, "http", port, path);
}

static void replies_come_with_their_headers(struct hc_http *http, int port)
{
    struct got g = get(http, port, "/ok");
    struct hc_http_request post = {.method = HC_HTTP_POST};
    struct hc_http_request head = {.method = HC_HTTP_HEAD};

    is_int(g.status, 200, "a status");
    is_str(g.body, "hello", "a body");
    is_str(g.content_type, "text/x-test", "a content type");
    is_str(g.nonce, "n2", "a nonce");
    is_str(g.location, "https://ca.test/2", "a location");
    is_int(g.retry_after, 5, "a time to wait");
    is_int(g.links, 1, "a link");
    g = get(http, port, "/interim");
    ok(strcmp(g.body, "late") == 0 && g.location[0] == '\0', "an interim reply is none");
    is_int(get(http, port, "/status/503").status, 503, "an error status is a reply");
    g = get(http, port, "/to?http://127.0.0.1:1/");
    is_int(g.status, 302, "a redirect is a reply, not followed");

    g = ask(http, &head, "http", port, "/ok");
    ok(g.status == 200 && g.len == 0 && strcmp(g.nonce, "n1") == 0, "HEAD");
    post.content_type = "application/jose+json";
    post.accept = "application/pem-certificate-chain";
    post.body = (struct hc_bytes){(const unsigned char *)"{\"a\":1}", 7};
    g = ask(http, &post, "http", port, "/echo");
    ok(strncmp(g.body, "POST /echo ", 11) == 0 && strstr(g.body, "\r\n\r\n{\"a\":1}") != NULL,
       "POST has its body");
    ok(strcasestr(g.body, "content-type: application/jose+json") != NULL &&
           strcasestr(g.body, "accept: application/pem-certificate-chain") != NULL &&
           strcasestr(g.body, "user-agent: hotcert-test") != NULL,
       "and its headers");
    ok(strcasestr(g.body, "expect:") == NULL && strcasestr(g.body, "cookie") == NULL &&
           strcasestr(g.body, "accept-encoding") == NULL && strcasestr(g.body, "auth") == NULL,
       "and no others that tell or cost something");
    post.body = (struct hc_bytes){NULL, 0};
    g = ask(http, &post, "http", port, "/echo");
    ok(strcasestr(g.body, "content-length: 0") != NULL, "an empty POST is one too");
}

static void who_asks_is_told(struct hc_http *http, int port)
{
    static const char *const headers[] = {"X-One: 1", "x-amz-security-token: s3ss10n", NULL};
    static const char *const two_lines[] = {"X-One: 1\r\nX-Two: 2", NULL};
    const struct hc_http_login basic = {"user", "pass word", NULL};
    const struct hc_http_login aws = {"AKID", "secret", "aws:amz:us-east-1:route53"};
    struct hc_http_request request = {.method = HC_HTTP_PUT, .headers = headers, .login = &basic};
    struct got g;

    request.body = (struct hc_bytes){(const unsigned char *)"abc", 3};
    g = ask(http, &request, "http", port, "/echo");
    ok(strncmp(g.body, "PUT /echo ", 10) == 0 && strstr(g.body, "\r\n\r\nabc") != NULL, "PUT");
    ok(strstr(g.body, "X-One: 1\r\n") != NULL, "with headers of its own");
    ok(strstr(g.body, "Authorization: Basic dXNlcjpwYXNzIHdvcmQ=\r\n") != NULL, "and a login");
    request.method = HC_HTTP_POST;
    request.login = &aws;
    g = ask(http, &request, "http", port, "/echo");
    ok(strstr(g.body, "Authorization: AWS4-HMAC-SHA256 Credential=AKID/") != NULL &&
           strstr(g.body, "/us-east-1/route53/aws4_request") != NULL &&
           strcasestr(g.body, "x-amz-date:") != NULL && strstr(g.body, "secret") == NULL,
       "signed for a scope");
    ok(strcasestr(g.body, ";x-amz-security-token") != NULL, "with the token of the session");
    ok(strcasestr(g.body, "expect") == NULL, "and no header that is not sent");
    request = (struct hc_http_request){.method = HC_HTTP_GET};
    g = ask(http, &request, "http", port, "/echo");
    ok(strcasestr(g.body, "authorization") == NULL && strstr(g.body, "X-One") == NULL,
       "nothing of it is left for the next request");
    request.headers = two_lines;
    g = ask(http, &request, "http", port, "/echo");
    ok(hc_error_is_set(&g.err) && g.calls == 0, "a header of two lines is refused");
}

static void replies_are_bounded(struct hc_http *http, int port)
{
    struct hc_http_request small = {.method = HC_HTTP_GET, .max_body = 1000};
    struct got g = get(http, port, "/size/1048576");

    is_int(g.len, 1048576, "a body may be as long as the maximum");
    g = get(http, port, "/size/1048577");
    is_int(g.err.problem, HC_P_TOO_LARGE, "and not longer");
    ok(strstr(g.err.detail, "larger than 1048576 bytes") != NULL, "which is said");
    g = ask(http, &small, "http", port, "/size/1001");
    is_int(g.err.problem, HC_P_TOO_LARGE, "a request's own maximum holds");
    g = ask(http, &small, "http", port, "/said/100000000000");
    is_int(g.err.problem, HC_P_TOO_LARGE, "a length that is only claimed is enough");
    is_int(get(http, port, "/headers/60000").status, 200, "headers may be long");
    g = get(http, port, "/headers/70000");
    is_int(g.err.problem, HC_P_TOO_LARGE, "but not too long");
    g = get(http, port, "/headers/5000000");
    ok(g.err.problem == HC_P_TOO_LARGE && strstr(g.err.detail, "headers") != NULL,
       "which is said as well");
}

static void time_is_bounded(struct hc_http *http, int port)
{
    static const char *const paths[] = {"/slow", "/hang"};

    for (size_t i = 0; i < HC_COUNT(paths); i++) {
        struct hc_http_request quick = {.method = HC_HTTP_GET, .timeout_ms = 400};
        int64_t start = ms();
        struct got g = ask(http, &quick, "http", port, paths[i]);

        is_int(g.err.problem, HC_P_FETCH_TIMEOUT, paths[i]);
        ok(ms() - start >= 390 && ms() - start < 5000, "ends at its time");
    }
}

static void broken_connections_are_told(struct hc_http *http, int port)
{
    int nobody = 0;
    struct http_server s;

    is_int(get(http, port, "/cut").err.problem, HC_P_FETCH_FAILED, "half a body is none");
    http_server_start(&s, NULL);
    nobody = s.port;
    http_server_stop(&s);
    is_int(get(http, nobody, "/ok").err.problem, HC_P_FETCH_FAILED, "nobody listens");
}

static void send_refuses_urls(struct hc_http *http)
{
    static const char *const urls[] = {"http://ca.test/", "ftp://127.0.0.1/", "file:///etc/passwd",
                                       "https://a@127.0.0.1/", ""};
    const struct hc_http_port *p = hc_http_port(http);

    for (size_t i = 0; i < HC_COUNT(urls); i++) {
        struct hc_http_request request = {.method = HC_HTTP_GET, .url = urls[i]};
        struct got g = {0};
        uint64_t id = 0;

        ok(p->send(p->self, &request, on_done, &g, &id, &g.err) == -1 &&
               g.err.problem == HC_P_FETCH_URL && g.calls == 0,
           urls[i]);
    }
}

static void cancelled_requests_are_silent(struct hc_http *http, int port)
{
    const struct hc_http_port *p = hc_http_port(http);
    struct hc_http_request request = {.method = HC_HTTP_GET};
    struct got a = {0};
    struct got b = {0};
    char url[64];
    uint64_t id_a = 0;
    uint64_t id_b = 0;

    snprintf(url, sizeof(url), "http://127.0.0.1:%d/ok", port);
    request.url = url;
    ok(p->send(p->self, &request, on_done, &a, &id_a, NULL) == 0 &&
           p->send(p->self, &request, on_done, &b, &id_b, NULL) == 0 && a.calls + b.calls == 0,
       "send calls nobody back");
    p->cancel(p->self, id_a);
    p->cancel(p->self, id_a);
    p->cancel(p->self, 12345);
    wait_for(&b, 1);
    ok(a.calls == 0 && b.status == 200, "a cancelled request is not heard of again");
    p->cancel(p->self, id_b);
}

static void many_side_by_side(struct hc_http *http, int port)
{
    const struct hc_http_port *p = hc_http_port(http);
    struct hc_http_request request = {.method = HC_HTTP_GET};
    static struct got g[100];
    char url[64];
    int good = 0;

    snprintf(url, sizeof(url), "http://127.0.0.1:%d/ok", port);
    request.url = url;
    for (int i = 0; i < 100; i++) {
        uint64_t id = 0;

        if (p->send(p->self, &request, on_done, &g[i], &id, NULL) != 0) {
            abort();
        }
    }
    for (int i = 0; i < 100; i++) {
        wait_for(&g[i], 1);
        good += g[i].calls == 1 && g[i].status == 200;
    }
    is_int(good, 100, "a hundred requests at once are each answered once");
}

static void count_timer(void *self)
{
    ++*(int *)self;
}

static void count_pipe(void *self, unsigned events HC_UNUSED)
{
    ++*(int *)self;
}

/* While a request hangs, whoever else is in the loop is called in time. */
static void other_guests_are_not_held_up(struct hc_http *http, int port)
{
    const struct hc_http_port *p = hc_http_port(http);
    struct hc_http_request request = {.method = HC_HTTP_GET};
    struct got g = {0};
    int timers = 0, pipes = 0;
    int ends[2];
    struct hc_timer timer;
    struct hc_loop_fd guest = {-1, HC_LOOP_READ, "pipe", count_pipe, &pipes, NULL};
    char url[64];
    uint64_t id = 0;
    int64_t start = ms();

    snprintf(url, sizeof(url), "http://127.0.0.1:%d/hang", port);
    request.url = url;
    if (pipe(ends) != 0 || write(ends[1], "x", 1) != 1 ||
        p->send(p->self, &request, on_done, &g, &id, NULL) != 0) {
        abort();
    }
    guest.fd = ends[0];
    hc_timer_init(&timer, loop, "timer", count_timer, &timers);
    hc_timer_in(&timer, 100);
    ok(hc_loop_fd_add(loop, &guest, NULL) == 0, "a descriptor beside the client's");
    while ((pipes == 0 || timers == 0) && ms() - start < 20000) {
        (void)!hc_loop_pass(loop, -1, NULL);
    }
    ok(pipes > 0 && timers == 1 && ms() - start >= 100, "it and a timer are called");
    is_int(g.calls, 0, "the request goes on");
    p->cancel(p->self, id);
    hc_loop_fd_remove(&guest);
    close(ends[0]);
    close(ends[1]);
}

static void a_proxy_of_the_environment_is_used(struct hc_http *http, int port)
{
    char proxy[64];

    snprintf(proxy, sizeof(proxy), "http://127.0.0.1:%d", port);
    (void)setenv("http_proxy", proxy, 1);
    is_str(get(http, 1, "/ok").body, "hello", "what nobody answers comes through the proxy");
    (void)setenv("no_proxy", "127.0.0.1", 1);
    is_int(get(http, 1, "/ok").err.problem, HC_P_FETCH_FAILED, "but not where no_proxy says so");
    (void)unsetenv("no_proxy");
    (void)unsetenv("http_proxy");
}

static void write_pem(const char *path, X509 *cert)
{
    FILE *f = fopen(path, "w");

    if (f == NULL || PEM_write_X509(f, cert) != 1 || fclose(f) != 0) {
        abort();
    }
}

static struct got ask_tls(struct hc_http *http, const struct forged *with, const char *roots)
{
    struct hc_http_request request = {.method = HC_HTTP_GET, .ca_bundle = roots};
    struct http_server s;
    struct got g;

    http_server_start(&s, with);
    g = ask(http, &request, "https", s.port, "/ok");
    http_server_stop(&s);
    return g;
}

static void the_peer_is_verified(struct hc_http *http)
{
    struct forged root = forge(&(struct forge){.name = "root", .ca = true});
    struct forged good = forge(&(struct forge){.sans = "IP:127.0.0.1", .by = &root});
    struct forged old =
        forge(&(struct forge){.sans = "IP:127.0.0.1", .by = &root, .from = -20, .days = -10});
    struct forged early =
        forge(&(struct forge){.sans = "IP:127.0.0.1", .by = &root, .from = 10, .days = 10});
    struct forged other = forge(&(struct forge){.sans = "DNS:other.test", .by = &root});
    char roots[] = "/tmp/hotcert-roots-XXXXXX";
    int fd = mkstemp(roots);
    struct got g;

    if (fd < 0) {
        abort();
    }
    close(fd);
    write_pem(roots, root.cert);
    g = ask_tls(http, &good, roots);
    is_int(g.status, 200, "a certificate of ca_bundle's root is trusted");
    g = ask_tls(http, &good, NULL);
    is_int(g.err.problem, HC_P_FETCH_UNTRUSTED, "but not by the system's roots");
    ok(strstr(g.err.detail, "issuer") != NULL, "an unknown issuer is told");
    g = ask_tls(http, &old, roots);
    ok(g.err.problem == HC_P_FETCH_UNTRUSTED && strstr(g.err.detail, "expired") != NULL,
       "so is an expired certificate");
    g = ask_tls(http, &early, roots);
    ok(g.err.problem == HC_P_FETCH_UNTRUSTED && strstr(g.err.detail, "not yet valid") != NULL,
       "one that is not valid yet");
    g = ask_tls(http, &other, roots);
    ok(g.err.problem == HC_P_FETCH_UNTRUSTED && strstr(g.err.detail, "127.0.0.1") != NULL,
       "and one for another name");
    g = ask_tls(http, &good, "/nonexistent/roots.pem");
    is_int(g.err.problem, HC_P_FILE_UNREADABLE, "ca_bundle that cannot be read is a file's fault");
    is_str(g.err.subject, "/nonexistent/roots.pem", "and names the file");
    ok(ERR_peek_error() == 0, "nothing is left on OpenSSL's error queue");
    unlink(roots);
    forged_free(&root);
    forged_free(&good);
    forged_free(&old);
    forged_free(&early);
    forged_free(&other);
}

int main(void)
{
    struct hc_http *http = NULL;
    struct http_server s;

    (void)unsetenv("http_proxy");
    (void)unsetenv("https_proxy");
    (void)unsetenv("all_proxy");
    (void)unsetenv("no_proxy");
    if (hc_loop_new(&hc_clock_system, &loop, NULL) != 0 ||
        hc_http_new(loop, "hotcert-test", &http, NULL) != 0) {
        return 1;
    }
    http_server_start(&s, NULL);
    replies_come_with_their_headers(http, s.port);
    who_asks_is_told(http, s.port);
    replies_are_bounded(http, s.port);
    time_is_bounded(http, s.port);
    broken_connections_are_told(http, s.port);
    send_refuses_urls(http);
    cancelled_requests_are_silent(http, s.port);
    many_side_by_side(http, s.port);
    other_guests_are_not_held_up(http, s.port);
    a_proxy_of_the_environment_is_used(http, s.port);
    the_peer_is_verified(http);
    {
        /* requests in flight end with the client, without callbacks */
        const struct hc_http_port *p = hc_http_port(http);
        struct hc_http_request request = {.method = HC_HTTP_GET};
        struct got g = {0};
        char url[64];
        uint64_t id = 0;

        snprintf(url, sizeof(url), "http://127.0.0.1:%d/hang", s.port);
        request.url = url;
        ok(p->send(p->self, &request, on_done, &g, &id, NULL) == 0 &&
               hc_loop_pass(loop, 10, NULL) == 0,
           "a request is in flight");
        hc_http_free(http);
        is_int(g.calls, 0, "and ends silently with its client");
    }
    hc_http_free(NULL);
    is_int(hc_loop_next_ms(loop), -1, "and leaves nothing in the loop");
    hc_loop_free(loop);
    http_server_stop(&s);
    return done();
}
