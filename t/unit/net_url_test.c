/* Which URLs are followed, and that both of our parsers see the same in them. */
#include "conf/url.h"
#include "net/fetch.h"
#include "net/http.h"
#include "net/url.h"
#include "tap.h"

static void urls_that_are_followed(void)
{
    static const struct {
        const char *url;
        bool good;
    } rows[] = {
        {"https://acme.example/directory", true},
        {"https://acme.example:14000/dir", true},
        {"http://127.0.0.1:14000/dir", true},
        {"http://127.8.9.10/dir", true},
        {"http://[::1]:14000/dir", true},
        {"http://localhost/dir", true},
        {"https://[2001:db8::1]/dir", true},
        {"https://192.0.2.1/x?y=z", true},
        {"http://acme.example/directory", false},
        {"http://128.0.0.1/", false},
        {"http://[::2]/", false},
        {"http://localhost.example/", false},
        {"http://127.0.0.1.example/", false},
        {"http://127.0.0.1@acme.example/", false},
        {"http://acme.example#@127.0.0.1/", false},
        {"https://user@acme.example/", false},
        {"https://:word@acme.example/", false},
        {"https://user:word@acme.example/", false},
        {"ftp://acme.example/", false},
        {"file:///etc/passwd", false},
        {"gopher://127.0.0.1/", false},
        {"https://", false},
        {"https:///x", false},
        {"acme.example/directory", false},
        {"//acme.example/directory", false},
        {"/directory", false},
        {"", false},
        {"https://acme.example/a b", false},
        {"https://acme.example/\n", false},
        {"https://acme.example/\x7f", false},
        {"https://acme.ex\xc3\xa4mple/", false},
    };

    for (size_t i = 0; i < HC_COUNT(rows); i++) {
        struct hc_error err;
        char label[128];

        hc_error_init(&err);
        hc_escape(label, sizeof(label), rows[i].url, strlen(rows[i].url));
        is_int(hc_http_check_url(rows[i].url, &err), rows[i].good ? 0 : -1, label);
        ok(rows[i].good == !hc_error_is_set(&err), "and an error is set accordingly");
        /* the configuration's check is made without libcurl: it may be stricter, never laxer */
        ok(hc_url_check(rows[i].url, NULL) != 0 || rows[i].good, "the other check agrees");
    }
}

static void where_clouds_tell_their_machines(void)
{
    static const struct {
        const char *url;
        bool good;
    } rows[] = {
        {"http://169.254.169.254/latest/api/token", true},
        {"http://169.254.170.2/v2/credentials/x", true},
        {"http://[fd00:ec2::254]/latest/api/token", true},
        {"http://127.0.0.1:8080/", true},
        {"https://sts.example/", true},
        {"http://169.253.169.254/", false},
        {"http://169.254.169.254.example/", false},
        {"http://169.254.169.254@acme.example/", false},
        {"http://[fd00:ec3::254]/", false},
        {"http://acme.example/", false},
    };

    for (size_t i = 0; i < HC_COUNT(rows); i++) {
        is_int(hc_http_check_metadata_url(rows[i].url, NULL), rows[i].good ? 0 : -1, rows[i].url);
    }
    is_int(hc_http_check_url(rows[0].url, NULL), -1, "nobody else asks there");
}

static void what_is_fetched(void)
{
    static const uint16_t ports[] = {8080, 0};
    static const struct {
        const char *url;
        const char *host; /* NULL: refused */
        uint16_t port;
        bool tls;
        bool with_ports;
    } rows[] = {
        {"http://Example.TEST/x", "example.test", 80, false, false},
        {"https://example.test/x", "example.test", 443, true, false},
        {"http://example.test:80/", "example.test", 80, false, false},
        {"http://[2001:DB8::1]/", "2001:db8::1", 80, false, false},
        {"http://192.0.2.1/", "192.0.2.1", 80, false, false},
        {"http://example.test:8080/", "example.test", 8080, false, true},
        {"http://example.test:8080/", NULL, 0, false, false},
        {"http://example.test:443/", NULL, 0, false, false},
        {"https://example.test:80/", NULL, 0, false, false},
        {"http://example.test:22/", NULL, 0, false, true},
        {"http://example.test:0/", NULL, 0, false, true},
        {"http://example.test:65616/", NULL, 0, false, true},
        {"http://user@example.test/", NULL, 0, false, false},
        {"ftp://example.test/", NULL, 0, false, false},
        {"ldap://example.test/", NULL, 0, false, false},
        {"http:///x", NULL, 0, false, false},
        {"example.test", NULL, 0, false, false},
        {"", NULL, 0, false, false},
        {"http://example.test\\@127.0.0.1/", NULL, 0, false, false},
    };

    for (size_t i = 0; i < HC_COUNT(rows); i++) {
        struct hc_fetch_target t = {{0}, 0, false};
        struct hc_error err;

        hc_error_init(&err);
        is_int(hc_fetch_target(rows[i].url, rows[i].with_ports ? ports : NULL, &t, &err),
               rows[i].host != NULL ? 0 : -1, rows[i].url);
        if (rows[i].host != NULL) {
            is_str(t.host, rows[i].host, "host");
            ok(t.port == rows[i].port && t.tls == rows[i].tls, "port and scheme");
        } else {
            is_int(err.problem, HC_P_FETCH_URL, "refused as such");
        }
    }
}

static void where_redirects_lead(void)
{
    static const struct {
        const char *target;
        const char *url; /* NULL: nowhere */
        const char *host;
        uint16_t port;
    } rows[] = {
        {"/other?x#part", "http://a.test/other?x", "a.test", 80},
        {"//B.test:81/", "http://B.test:81/", "b.test", 81},
        {"https://[2001:DB8::1]/", "https://[2001:DB8::1]/", "2001:db8::1", 443},
        {"ftp://a.test/x", "ftp://a.test/x", "a.test", 21},
        {"http://user@a.test/", NULL, NULL, 0},
        {"nothing://", NULL, NULL, 0},
    };
    char longer[HC_URL_TARGET + 2] = "/";
    struct hc_url_target to;

    for (size_t i = 0; i < HC_COUNT(rows); i++) {
        const char *why = hc_url_follow("http://a.test/first", rows[i].target, &to);

        if (rows[i].url == NULL) {
            is_str(why, "it is not a URL that can be followed", rows[i].target);
            continue;
        }
        ok(why == NULL, rows[i].target);
        is_str(to.url, rows[i].url, "the whole of it, without its fragment");
        is_str(to.host, rows[i].host, "its host, bare and in lower case");
        is_int(to.port, rows[i].port, "its port");
    }
    memset(longer + 1, 'x', sizeof(longer) - 2);
    is_str(hc_url_follow("http://a.test/", longer, &to), "the URL is too long", "nor a longer one");
}

int main(void)
{
    urls_that_are_followed();
    where_clouds_tell_their_machines();
    what_is_fetched();
    where_redirects_lead();
    return done();
}
