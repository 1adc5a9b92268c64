#include "conf/build.h"
#include "conf/directive.h"

#include "conf/settings.h"
#include "conf_lib.h"
#include "tap.h"

static void names_follow_one_rule_on_both_servers(void)
{
    static const char *const names[][2] = {{"hotcert", "HotCert"},
                                           {"hotcert_check_interval", "HotCertCheckInterval"},
                                           {"directory_url", "HotCertDirectoryUrl"},
                                           {"terms_agreed", "HotCertTermsAgreed"}};
    const struct hc_directive *d = NULL;
    char name[HC_DIRECTIVE_NAME];

    for (size_t i = 0; i < HC_COUNT(names); i++) {
        is_str(hc_spelling_httpd(names[i][0], name), names[i][1], names[i][1]);
    }
    for (size_t i = 0; (d = hc_directive_at(i)) != NULL; i++) {
        const char *dflt = d->dflt != NULL ? d->dflt : d->field.preset;

        if ((d->field.type == NULL) != (d->opens != NULL) || d->doc[0] == '\0' ||
            d->args[0] == '\0' || dflt == NULL || dflt[0] == '\0' ||
            hc_directive_find(d->name, d->contexts) != d ||
            strcmp(hc_spelling_httpd(d->name, name), d->httpd) != 0 ||
            strlen(d->httpd) + 2 > HC_DIRECTIVE_NAME) {
            ok(false, d->name);
        }
    }
}

/* Messages spell what stands in blocks, too; one word alone ("contact") is no name of ours. */
static void options_of_blocks_are_spelled(void)
{
    const struct hc_directive *d = NULL;
    char text[64];

    hc_spelling_use(HC_SPELLING_HTTPD);
    for (size_t i = 0; (d = hc_directive_at(i)) != NULL; i++) {
        if (strchr(d->name, '_') != NULL) {
            is_str(hc_spell(d->name, text, sizeof(text)), d->httpd, d->name);
        }
    }
    hc_spelling_use(HC_SPELLING_BOTH);
}

/* Each wrong value is refused, and the message names the directive, the value, what is right. */
static void wrong_values_are_refused_by_name(void)
{
    static const struct {
        int level; /* 0 main, 1 host, 2 issuer */
        const char *line, *subject, *detail;
    } cases[] = {
        {0, "hotcert yes", "hotcert \"yes\"", "on | watch | off"},
        {0, "hotcert", "hotcert", "on | watch | off"},
        {0, "hotcert on off", "hotcert", "on | watch | off"},
        {0, "hotcert_names a.example", "hotcert_names", ""},
        {1, "hotcert_names a_b.example", "hotcert_names \"a_b.example\"", "host names cannot have"},
        {1, "hotcert_key_type rsa:1024", "hotcert_key_type \"rsa:1024\"", "ecdsa:256"},
        {1, "hotcert_key_type rsa:2048 rsa:4096", "hotcert_key_type \"rsa:4096\"", "one ecdsa"},
        {0, "hotcert_check_interval 0", "hotcert_check_interval \"0\"", "1s to 1d"},
        {0, "hotcert_check_interval soon", "hotcert_check_interval \"soon\"", "30s"},
        {0, "hotcert_check_interval 2d", "hotcert_check_interval \"2d\"", "1s to 1d"},
        {1, "hotcert_check_interval 5s", "hotcert_check_interval", ""},
        {0, "hotcert_parallel 0", "hotcert_parallel \"0\"", "1 to 64"},
        {0, "hotcert_parallel 8x", "hotcert_parallel \"8x\"", "1 to 64"},
        {0, "hotcert_parallel -1", "hotcert_parallel \"-1\"", "1 to 64"},
        {0, "hotcert_table_size 1", "hotcert_table_size \"1\"", "a number of MiB from 8 to 1024"},
        {0, "hotcert_challenge dns-99", "hotcert_challenge \"dns-99\"", "http-01"},
        {1, "hotcert_challenge http-01 http-01", "hotcert_challenge http-01", "twice"},
        {1, "hotcert_challenge http-01 http", "hotcert_challenge \"http\"", "http-01"},
        {0, "hotcert_accept key-mismatch", "hotcert_accept \"key-mismatch\"", "slugs of flaws"},
        {0, "hotcert_accept typo", "hotcert_accept \"typo\"", "slugs of flaws"},
        {0, "hotcert_bootstrap none", "hotcert_bootstrap \"none\"", "self-signed | reject"},
        {0, "hotcert_terms_agreed true", "hotcert_terms_agreed \"true\"", "on | off"},
        {0, "hotcert_contact nobody", "hotcert_contact \"nobody\"", "mail address"},
        {0, "hotcert_contact a@b,c@d", "hotcert_contact \"a@b,c@d\"", "mail address"},
        {2, "directory_url http://ca.example/d", "directory_url \"http://ca.example/d\"",
         "loopback"},
        {2, "directory_url ca.example", "directory_url \"ca.example\"", "https://"},
        {0, "directory_url https://ca.example/d", "directory_url", ""},
        {1, "hotcert_files /a", "hotcert_files", "CERTIFICATE KEY"},
        {0, "hotcert_preflight maybe", "hotcert_preflight \"maybe\"", "on | advise | off"},
        {0, "hotcert_bad_names drop", "hotcert_bad_names \"drop\"", "leave-out | hold"},
        {1, "hotcert_repair on", "hotcert_repair \"on\"", "off | aia"},
        {0, "hotcert_resolver dns.example", "hotcert_resolver \"dns.example\"", "ADDR[:PORT]"},
        {0, "hotcert_resolver 127.0.0.1:0", "hotcert_resolver \"127.0.0.1:0\"", "ADDR[:PORT]"},
        {0, "hotcert_resolver 127.0.0.1:53x", "hotcert_resolver \"127.0.0.1:53x\"", "ADDR[:PORT]"},
        {0, "hotcert_resolver [::1]53", "hotcert_resolver \"[::1]53\"", "ADDR[:PORT]"},
        {0, "hotcert_dns_listen 127.0.0.1", "hotcert_dns_listen \"127.0.0.1\"", "ADDR:PORT"},
        {0, "hotcert_dns_listen ::1", "hotcert_dns_listen \"::1\"", "ADDR:PORT"},
        {0, "hotcert_dns_listen *:53", "hotcert_dns_listen \"*:53\"", "ADDR:PORT"},
        {0, "hotcert_dns_listen 0.0.0.0:53 0.0.0.0:53", "hotcert_dns_listen 0.0.0.0:53", "twice"},
        {0, "hotcert_dns_ns 192.0.2.1 ns.example", "hotcert_dns_ns \"192.0.2.1\"", "follow"},
        {0, "hotcert_dns_zone a..b", "hotcert_dns_zone \"a..b\"", ""},
        {0, "hotcert_resolver :53", "hotcert_resolver \":53\"", "ADDR[:PORT]"},
        {2, "network home", "network \"home\"", "public | private"},
        {2, "http_port 65536", "http_port \"65536\"", "1 to 65535"},
        {2, "tls_port 0", "tls_port \"0\"", "1 to 65535"},
        {2, "caa_domain a_b.example", "caa_domain \"a_b.example\"", "host names cannot have"},
    };
    struct hc_error err;

    for (size_t i = 0; i < HC_COUNT(cases); i++) {
        struct hc_conf *conf = hc_conf_new(HC_SERVER_NGINX, NULL);
        struct hc_scope *scope = hc_scope_new(NULL);
        struct hc_issuer *issuer = NULL;

        hc_error_init(&err);
        ok(begin_issuer(conf, "own", "test.conf:1", &issuer, &err) == 0, cases[i].line);
        ok(say(conf, cases[i].level == 1 ? scope : NULL, cases[i].level == 2 ? issuer : NULL,
               cases[i].line, &err) != 0,
           "refused");
        is_str(err.subject, cases[i].subject, "directive and value are named");
        ok(strstr(err.detail, cases[i].detail) != NULL, "and what would be right");
        is_int(hc_error_class(&err), HC_CLASS_USAGE, "a usage error");
        hc_scope_free(scope);
        hc_conf_free(conf);
    }
}

static void httpd_reads_its_own_spelling(void)
{
    struct hc_conf *conf = hc_conf_new(HC_SERVER_HTTPD, NULL);
    struct hc_error err;

    hc_error_init(&err);
    ok(say(conf, NULL, NULL, "hotcert_check_interval 0", &err) != 0, "refused");
    is_str(err.subject, "HotCertCheckInterval \"0\"", "in httpd's spelling");
    hc_conf_free(conf);
}

static void values_land_where_they_belong(void)
{
    struct hc_conf *conf = hc_conf_new(HC_SERVER_NGINX, NULL);
    struct hc_scope *scope = hc_scope_new(NULL);
    struct hc_issuer *issuer = NULL;
    struct hc_error err;

    hc_error_init(&err);
    ok(say(conf, NULL, NULL, "hotcert_check_interval 5m", &err) == 0, "interval");
    is_int(conf->check_interval, 300, "in seconds");
    ok(say(conf, NULL, NULL, "hotcert_check_interval 6m", &err) != 0, "a second one is refused");
    is_int(err.problem, HC_P_DUPLICATE, "as a duplicate");
    hc_error_init(&err);
    ok(say(conf, NULL, NULL, "hotcert_store store", &err) == 0, "a relative path");
    is_str(conf->store, "/etc/server/store", "is below the server's folder");
    ok(say(conf, NULL, NULL, "hotcert_table_size 128", &err) == 0, "the table");
    is_int(conf->table_size, (int64_t)128 << 20, "in MiB");
    ok(say(conf, scope, NULL, "hotcert_key_type rsa:3072 ecdsa:384", &err) == 0, "two key types");
    is_int(scope->key_types.count, 2, "are two");
    ok(say(conf, scope, NULL, "hotcert_accept none", &err) == 0, "accept none");
    ok(scope->has_accept && scope->accept.count == 0, "overrides what is inherited");
    ok(say(conf, NULL, NULL, "hotcert_resolver 127.0.0.1 ::1 192.0.2.1:5353 [2001:db8::1]:53",
           &err) == 0,
       "resolvers of each form");
    is_int(conf->resolvers.count, 4, "all four");
    ok(say(conf, NULL, NULL, "hotcert_dns_listen 0.0.0.0:53 [2001:db8::1]:9953", &err) == 0 &&
           conf->dns_listen.count == 2,
       "addresses of the responder");
    ok(say(conf, NULL, NULL, "hotcert_dns_ns NS1.example. 192.0.2.1 2001:DB8::1 ns2.example",
           &err) == 0 &&
           conf->dns_ns.count == 4 && strcmp(conf->dns_ns.items[0], "ns1.example") == 0 &&
           strcmp(conf->dns_ns.items[2], "2001:db8::1") == 0,
       "its name servers, normalised");
    ok(begin_issuer(conf, "letsencrypt", "test.conf:3", &issuer, &err) == 0,
       "a built-in issuer can be added to");
    ok(say(conf, NULL, issuer, "contact ops@example.net", &err) == 0, "a contact");
    is_str(issuer->contacts.items[0], "mailto:ops@example.net", "becomes a URI");
    ok(say(conf, NULL, issuer, "directory_url https://other.example/d", &err) != 0,
       "but its directory stays");
    hc_error_init(&err);
    ok(begin_issuer(conf, "letsencrypt", "test.conf:9", &issuer, &err) != 0 &&
           err.problem == HC_P_DUPLICATE,
       "and it is defined once");
    hc_scope_free(scope);
    hc_conf_free(conf);
}

int main(void)
{
    names_follow_one_rule_on_both_servers();
    options_of_blocks_are_spelled();
    wrong_values_are_refused_by_name();
    httpd_reads_its_own_spelling();
    values_land_where_they_belong();
    return done();
}
