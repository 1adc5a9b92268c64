/* Listeners and http-01: what is said of which, and what is not. */
#include "conf/build.h"
#include "conf/listener.h"

#include "conf_lib.h"
#include "tap.h"

struct row {
    const char *address;
    unsigned port;
    bool tls;
    bool proxy_protocol;
};

static const struct {
    const char *what;
    enum hc_problem problem; /* HC_P_NONE: nothing is said */
    struct row listeners[4];
} cases[] = {
    {"no listener at all", HC_P_PORT_NOT_SERVED, {{NULL, 0, false, false}}},
    {"TLS alone", HC_P_PORT_NOT_SERVED, {{"0.0.0.0", 443, true, false}}},
    {"TLS on port 80", HC_P_PORT_NOT_SERVED, {{"0.0.0.0", 80, true, false}}},
    {"another plain port", HC_P_PORT_NOT_SERVED, {{"0.0.0.0", 8080, false, false}}},
    {"both on all addresses",
     HC_P_NONE,
     {{"0.0.0.0", 80, false, false}, {"0.0.0.0", 443, true, false}}},
    {"of either family", HC_P_NONE, {{"::", 80, false, false}, {"192.0.2.1", 443, true, false}}},
    {"the PROXY protocol",
     HC_P_PORT_PROXY_PROTOCOL,
     {{"0.0.0.0", 80, false, true}, {"0.0.0.0", 443, true, true}}},
    {"and beside it a listener without",
     HC_P_NONE,
     {{"192.0.2.1", 80, false, true},
      {"192.0.2.2", 80, false, false},
      {"0.0.0.0", 443, true, false}}},
    {"another address",
     HC_P_PORT_ELSEWHERE,
     {{"192.0.2.1", 80, false, false}, {"192.0.2.2", 443, true, false}}},
    {"one of two addresses",
     HC_P_PORT_ELSEWHERE,
     {{"192.0.2.1", 80, false, false},
      {"192.0.2.1", 443, true, false},
      {"2001:db8::1", 443, true, false}}},
    {"the same addresses",
     HC_P_NONE,
     {{"192.0.2.1", 80, false, false},
      {"2001:db8::1", 80, false, false},
      {"192.0.2.1", 443, true, false},
      {"2001:db8::1", 443, true, false}}},
    {"one address, and TLS on all",
     HC_P_NONE,
     {{"192.0.2.1", 80, false, false}, {"0.0.0.0", 443, true, false}}},
    {"loopback, and TLS on all",
     HC_P_PORT_ELSEWHERE,
     {{"127.0.0.1", 80, false, false}, {"0.0.0.0", 443, true, false}}},
    {"TLS on loopback, behind a proxy",
     HC_P_NONE,
     {{"192.0.2.1", 80, false, false}, {"127.0.0.1", 443, true, false}}},
};

/* Two hosts: their names, and whether they are the default of a listener. */
static const struct {
    const char *what;
    const char *names[2];
    bool is_default[2];
    size_t said;
} addresses[] = {
    {"no address", {"a.example", "b.example"}, {true, false}, 0},
    {"at the default", {"192.0.2.1", "b.example"}, {true, false}, 0},
    {"elsewhere", {"a.example", "192.0.2.1"}, {true, false}, 1},
    {"at both", {"a.example 192.0.2.1", "192.0.2.1"}, {true, false}, 0},
    {"another one at the default", {"192.0.2.2", "192.0.2.1"}, {true, false}, 1},
    {"two of them, beside a name",
     {"a.example", "b.example 192.0.2.1 2001:db8::1"},
     {true, false},
     2},
    {"each is the default of one listener", {"192.0.2.1", "192.0.2.2"}, {true, true}, 0},
    {"the same names, the second is it", {"192.0.2.1", "192.0.2.1"}, {false, true}, 0},
};

static int add_one(struct hc_conf *conf, const char *text, bool is_default,
                   struct hc_findings *notes, struct hc_error *err)
{
    struct hc_list names = {0};
    struct hc_host host = {
        .where = "test.conf:7", .names = &names, .tls = true, .is_default = is_default};
    char copy[256];
    char *rest = copy;
    char *word = NULL;
    int index = 0;
    int rc = 0;

    hc_copy(copy, sizeof(copy), text);
    while ((word = strsep(&rest, " ")) != NULL) {
        rc |= hc_list_add(&names, word, err);
    }
    rc |= hc_conf_add_host(conf, &host, &index, notes, err);
    hc_list_dispose(&names);
    return rc;
}

static void addresses_are_judged(enum hc_server server, const char *word)
{
    for (size_t i = 0; i < HC_COUNT(addresses); i++) {
        struct hc_error err = {0};
        struct hc_findings notes = {0};
        struct hc_listeners listeners = {0};
        struct hc_listener plain = {.address = "0.0.0.0", .port = 80};
        struct hc_conf *conf = hc_conf_new(server, &err);
        struct hc_issuer *issuer = NULL;

        ok(begin_issuer(conf, "own", "test.conf:1", &issuer, &err) == 0 &&
               say(conf, NULL, issuer, "directory_url https://ca.example/dir", &err) == 0 &&
               say(conf, NULL, issuer, "network private", &err) == 0 &&
               say(conf, NULL, NULL, "hotcert_terms_agreed on", &err) == 0 &&
               say(conf, NULL, NULL, "hotcert_use own", &err) == 0 &&
               say(conf, NULL, NULL, "hotcert on", &err) == 0 &&
               add_one(conf, addresses[i].names[0], addresses[i].is_default[0], &notes, &err) ==
                   0 &&
               add_one(conf, addresses[i].names[1], addresses[i].is_default[1], &notes, &err) ==
                   0 &&
               hc_conf_finish(conf, &err) == 0 && hc_listeners_add(&listeners, &plain, &err) == 0 &&
               hc_listeners_check(&listeners, conf, &notes, &err) == 0,
           addresses[i].what);
        is_int(notes.count, addresses[i].said, addresses[i].what);
        for (size_t k = 0; k < notes.count; k++) {
            is_int(notes.items[k].problem, HC_P_ADDRESS_NOT_DEFAULT, "that is what is said");
            ok(strstr(notes.items[k].message, word) != NULL, "in the server's words");
        }
        hc_findings_dispose(&notes);
        hc_listeners_dispose(&listeners);
        hc_conf_free(conf);
    }
}

/* What is said of a case, with these methods: a slug, or "". */
static void is_said(size_t i, const char *methods, const char *slug)
{
    struct hc_error err = {0};
    struct hc_findings notes = {0};
    struct hc_listeners listeners = {0};
    struct hc_conf *conf = hc_conf_new(HC_SERVER_NGINX, &err);
    int index = 0;

    ok(say(conf, NULL, NULL, "hotcert_terms_agreed on", &err) == 0 &&
           say(conf, NULL, NULL, "hotcert on", &err) == 0 &&
           say(conf, NULL, NULL, methods, &err) == 0 &&
           add_host(conf, NULL, "a.example", "", &notes, &index, &err) == 0 &&
           add_host(conf, NULL, "b.example", "", &notes, &index, &err) == 0 &&
           hc_conf_finish(conf, &err) == 0,
       "two hosts that order");
    for (size_t k = 0; k < 4 && cases[i].listeners[k].address != NULL; k++) {
        const struct row *row = &cases[i].listeners[k];
        struct hc_listener l = {
            .port = row->port, .tls = row->tls, .proxy_protocol = row->proxy_protocol};

        hc_copy(l.address, sizeof(l.address), row->address);
        is_int(hc_listeners_add(&listeners, &l, &err), 0, row->address);
    }
    is_int(hc_listeners_check(&listeners, conf, &notes, &err), 0, cases[i].what);
    is_int(notes.count, slug[0] != '\0', "once, or not at all");
    is_str(notes.count > 0 ? hc_problem_row(notes.items[0].problem)->slug : "", slug,
           "what is said");
    hc_findings_dispose(&notes);
    hc_listeners_dispose(&listeners);
    hc_conf_free(conf);
}

/* Whoever can be proved over TLS needs no listener for HTTP. */
static bool has_tls(size_t i)
{
    for (size_t k = 0; k < 4 && cases[i].listeners[k].address != NULL; k++) {
        const struct row *row = &cases[i].listeners[k];

        if (row->tls && row->port == 443 && !row->proxy_protocol &&
            strcmp(row->address, "127.0.0.1") != 0) {
            return true;
        }
    }
    return false;
}

int main(void)
{
    addresses_are_judged(HC_SERVER_NGINX, "default_server");
    addresses_are_judged(HC_SERVER_HTTPD, "first virtual host");
    for (size_t i = 0; i < HC_COUNT(cases); i++) {
        const char *slug =
            cases[i].problem != HC_P_NONE ? hc_problem_row(cases[i].problem)->slug : "";

        is_said(i, "hotcert_challenge http-01", slug);
        is_said(i, "hotcert_challenge http-01 tls-alpn-01", has_tls(i) ? "" : slug);
        is_said(i, "hotcert_challenge tls-alpn-01", "");
    }
    return done();
}
