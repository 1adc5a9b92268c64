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

int main(void)
{
    for (size_t i = 0; i < HC_COUNT(cases); i++) {
        struct hc_error err = {0};
        struct hc_findings notes = {0};
        struct hc_listeners listeners = {0};
        struct hc_conf *conf = hc_conf_new(HC_SERVER_NGINX, &err);
        int index = 0;

        ok(say(conf, NULL, NULL, "hotcert_terms_agreed on", &err) == 0 &&
               say(conf, NULL, NULL, "hotcert on", &err) == 0 &&
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
        is_int(notes.count, cases[i].problem != HC_P_NONE, "once, or not at all");
        is_str(notes.count > 0 ? hc_problem_row(notes.items[0].problem)->slug : "",
               cases[i].problem != HC_P_NONE ? hc_problem_row(cases[i].problem)->slug : "",
               "what is said");
        hc_findings_dispose(&notes);
        hc_listeners_dispose(&listeners);
        hc_conf_free(conf);
    }
    return done();
}
