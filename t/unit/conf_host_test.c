#include "conf/build.h"
#include "conf/conf.h"
#include "conf/issuer.h"

#include "conf/settings.h"
#include "conf_lib.h"
#include "tap.h"

struct world {
    struct hc_conf *conf;
    struct hc_scope *a, *b;
    struct hc_findings notes;
    struct hc_error err;
};

static void setup(struct world *w)
{
    memset(w, 0, sizeof(*w));
    w->conf = hc_conf_new(HC_SERVER_NGINX, &w->err);
    w->a = hc_scope_new(&w->err);
    w->b = hc_scope_new(&w->err);
    ok(say(w->conf, NULL, NULL, "hotcert_terms_agreed on", &w->err) == 0, "terms");
}

static void teardown(struct world *w)
{
    hc_scope_free(w->a);
    hc_scope_free(w->b);
    hc_findings_dispose(&w->notes);
    hc_conf_free(w->conf);
}

static int host(struct world *w, struct hc_scope *scope, const char *names)
{
    int index = -2;

    hc_error_init(&w->err);
    return add_host(w->conf, scope, names, "", &w->notes, &index, &w->err) == 0 ? index : -3;
}

static void the_same_names_in_any_order_share_one_identity(void)
{
    struct world w;

    setup(&w);
    ok(say(w.conf, NULL, NULL, "hotcert on", &w.err) == 0, "on for all");
    ok(say(w.conf, w.a, NULL, "hotcert_key_type rsa:2048 ecdsa:256", &w.err) == 0, "two types");
    ok(say(w.conf, w.b, NULL, "hotcert_key_type ecdsa:256 rsa:2048", &w.err) == 0, "swapped");
    is_int(host(&w, NULL, "a.example www.a.example"), 0, "the first");
    is_int(host(&w, NULL, "WWW.a.example. a.example a.example"), 0, "the same");
    is_str(hc_identity_label(&w.conf->identities[0]), "a.example",
           "known by the first host's first");
    is_int(host(&w, NULL, "a.example"), 1, "fewer names are another");
    is_int(host(&w, w.a, "a.example"), 2, "other key types are another");
    is_int(host(&w, w.b, "a.example"), 2, "whose order does not count");
    is_int(host(&w, NULL, "_ shop.example b.example"), 3, "a host");
    is_str(hc_identity_label(&w.conf->identities[3]), "shop.example",
           "is known by the first name that is ordered, not by the alphabet's first");
    is_int(w.conf->identities[2].set->key_types.items[0], HC_KEY_ECDSA_256, "ECDSA stands first");
    is_int(w.conf->identities[0].where.count, 2, "each host is remembered");
    ok(hc_conf_finish(w.conf, &w.err) == 0, "the whole is fine");
    teardown(&w);
}

/* Stores and tables of earlier versions know them by these. */
static void an_identity_is_what_it_was(void)
{
    struct world w;
    char hex[2 * HC_ID_SIZE + 1];
    int index = -1;

    setup(&w);
    ok(say(w.conf, NULL, NULL, "hotcert on", &w.err) == 0, "on");
    ok(say(w.conf, w.a, NULL, "hotcert watch", &w.err) == 0, "and watch");
    is_int(host(&w, NULL, "www.a.example a.example"), 0, "a host that orders");
    ok(add_host(w.conf, w.a, "b.example", "/c.pem /k.pem ", &w.notes, &index, &w.err) == 0 &&
           index == 1,
       "and one that watches");
    hc_hex(hex, w.conf->identities[0].id, HC_ID_SIZE);
    is_str(hex, "cf8eaf3501ade9121c5f0c06e90a988e0b005b9476bece88fcb56fa89d47dcf5",
           "issuer, names, key types");
    hc_hex(hex, w.conf->identities[1].id, HC_ID_SIZE);
    is_str(hex, "eb68b76468550c8b231b6e01944f6ba1f2d6f3d80bfca9e0969cb344383d4921", "or files");
    teardown(&w);
}

/* Identities that say the same share what they say, however many they are. */
static void what_hosts_say_is_kept_once(void)
{
    struct world w;
    char name[32];

    setup(&w);
    ok(say(w.conf, NULL, NULL, "hotcert on", &w.err) == 0, "on");
    ok(say(w.conf, w.a, NULL, "hotcert_preflight off", &w.err) == 0, "one says more");
    ok(say(w.conf, w.b, NULL, "hotcert_accept expired", &w.err) == 0, "another accepts");
    for (int i = 0; i < 300; i++) {
        (void)snprintf(name, sizeof(name), "h%d.example", i);
        if (host(&w, i % 2 == 0 ? NULL : w.a, name) != i) {
            ok(false, name);
        }
    }
    is_int(w.conf->set_count, 2, "two sets for 300 hosts");
    is_int(w.conf->identities[7].set->preflight, HC_PREFLIGHT_OFF, "the host's own");
    is_int(w.conf->identities[8].set->preflight, HC_PREFLIGHT_ON, "the preset");
    is_int(host(&w, w.b, "h8.example"), 8, "a host that shares a certificate");
    is_int(w.conf->identities[8].set->accept.count, 1, "adds what it accepts");
    is_int(w.conf->identities[10].set->accept.count, 0, "and not to others");
    teardown(&w);
}

static void another_issuer_is_another_identity(void)
{
    struct world w;
    struct hc_issuer *issuer = NULL;

    setup(&w);
    ok(say(w.conf, NULL, NULL, "hotcert on", &w.err) == 0, "on");
    ok(begin_issuer(w.conf, "own", "test.conf:2", &issuer, &w.err) == 0, "own CA");
    ok(say(w.conf, NULL, issuer, "directory_url https://ca.example/d", &w.err) == 0, "its URL");
    ok(say(w.conf, w.a, NULL, "hotcert_use own", &w.err) == 0, "used by one host");
    is_int(host(&w, NULL, "a.example"), 0, "public");
    is_int(host(&w, w.a, "a.example"), 1, "internal");
    ok(hc_conf_finish(w.conf, &w.err) == 0, "both stand");
    teardown(&w);
}

static void another_profile_is_another_identity(void)
{
    struct world w;
    struct hc_issuer *issuer = NULL;

    setup(&w);
    ok(say(w.conf, NULL, NULL, "hotcert on", &w.err) == 0, "on");
    is_int(host(&w, NULL, "a.example"), 0, "the CA's own choice");
    ok(say(w.conf, w.a, NULL, "hotcert_profile tlsserver", &w.err) == 0, "a host's");
    ok(say(w.conf, w.b, NULL, "hotcert_profile tlsserver required", &w.err) == 0,
       "without a choice");
    is_int(host(&w, w.a, "a.example"), 1, "a profile");
    is_int(host(&w, w.b, "a.example"), 2, "one that is required");
    ok(begin_issuer(w.conf, "letsencrypt", "test.conf:2", &issuer, &w.err) == 0, "of the issuer");
    ok(say(w.conf, NULL, issuer, "profile shortlived", &w.err) == 0, "a profile");
    is_int(host(&w, NULL, "a.example"), 3, "the issuer's is a part of it");
    is_int(host(&w, w.a, "a.example"), 1, "but where the host has its own");
    is_str(hc_issuer_profile(issuer, w.conf->identities[1].set)->items[0], "tlsserver", "its own");
    is_str(hc_issuer_profile(issuer, w.conf->identities[3].set)->items[0], "shortlived",
           "that one");
    ok(say(w.conf, w.a, NULL, "hotcert_profile", &w.err) != 0, "one without a name");
    ok(hc_conf_finish(w.conf, &w.err) == 0, "all stand");
    teardown(&w);
}

static void what_cannot_be_ordered_is_left_out_and_said(void)
{
    struct world w;

    setup(&w);
    ok(say(w.conf, NULL, NULL, "hotcert on", &w.err) == 0, "on");
    is_int(host(&w, NULL, "_ ~^www\\d .b.example *.b.example www.*"), 0, "one name is left");
    is_int(w.conf->identities[0].names.count, 1, "one name");
    is_str(w.conf->identities[0].names.items[0], "b.example", "of the dot form, the name itself");
    is_int(w.notes.count, 5, "five remarks");
    is_int(hc_findings_worst(&w.notes), HC_CLASS_REMARK, "no more than remarks");
    is_int(host(&w, NULL, "_"), -3, "no name at all is refused");
    is_int(w.err.problem, HC_P_NO_NAMES, "as that");
    is_int(w.conf->identity_count, 1, "nothing of it stays");
    is_int(host(&w, NULL, "c.example www a_b.example"), 1, "aliases no CA knows cost no start");
    is_int(w.conf->identities[1].names.count, 1, "the name beside them is ordered");
    is_int(host(&w, NULL, "a_b.example"), -3, "if nothing is left to order, it does");
    is_int(w.err.problem, HC_P_NO_NAMES, "as that");
    teardown(&w);
}

static void a_catch_all_that_inherits_on_is_left_out(void)
{
    struct world w;
    struct hc_list names = {0};
    struct hc_host catch_all = {
        .where = "test.conf:1", .names = &names, .tls = true, .rejects = true};
    int index = 0;

    setup(&w);
    ok(say(w.conf, NULL, NULL, "hotcert on", &w.err) == 0 && hc_list_add(&names, "_", NULL) == 0,
       "inherited");
    ok(hc_conf_orders_nothing(w.conf, NULL, &names), "there is nothing to order");
    ok(hc_conf_add_host(w.conf, &catch_all, &index, &w.notes, &w.err) == 0 && index == -1,
       "it is left out");
    is_int(w.notes.count, 1, "with one remark");
    is_int(w.notes.items[0].problem, HC_P_CATCH_ALL, "that says so");
    ok(say(w.conf, w.a, NULL, "hotcert on", &w.err) == 0, "of its own");
    catch_all.scope = w.a;
    ok(!hc_conf_orders_nothing(w.conf, w.a, &names), "is to be done");
    ok(hc_conf_add_host(w.conf, &catch_all, &index, &w.notes, &w.err) != 0, "and refused");
    is_int(w.err.problem, HC_P_NO_NAMES, "as that");
    ok(strstr(w.err.detail, "ssl_reject_handshake on") != NULL, "with nginx's cure");
    ok(hc_list_add(&names, ".b.example", NULL) == 0 &&
           !hc_conf_orders_nothing(w.conf, NULL, &names),
       "a name beside it is to be ordered");
    hc_list_dispose(&names);
    teardown(&w);
}

/* Let's Encrypt certifies addresses that it can reach, if somebody asks for that. */
static void a_public_address_is_ordered_from_letsencrypt(void)
{
    struct world w;

    setup(&w);
    ok(say(w.conf, w.a, NULL, "hotcert on", &w.err) == 0 &&
           say(w.conf, w.a, NULL, "hotcert_names a.example 8.8.8.8 2606:4700:4700::1111", &w.err) ==
               0 &&
           host(&w, w.a, "a.example") == 0 && w.conf->identities[0].names.count == 3,
       "listed by hotcert_names");
    is_str(hc_conf_issuer(w.conf, "letsencrypt")->address_profile, "shortlived",
           "with the profile that it needs");
    teardown(&w);
    setup(&w);
    ok(say(w.conf, w.a, NULL, "hotcert on", &w.err) == 0 &&
           host(&w, w.a, "a.example 8.8.8.8") == 0 && w.conf->identities[0].names.count == 1 &&
           hc_findings_find(&w.notes, HC_P_NAME_LEFT_OUT, "8.8.8.8") != NULL,
       "not because a server happens to be called so: the certificate would live six days");
    teardown(&w);
}

static void an_address_is_ordered_where_it_can_be_had(void)
{
    static const struct {
        const char *issuer;  /* NULL: letsencrypt */
        const char *network; /* NULL: not said */
        const char *url;
        bool listed; /* by hotcert_names */
        bool ordered;
    } cases[] = {
        {NULL, NULL, NULL, false, false},
        {NULL, NULL, NULL, true, false},
        {"own", "network private", "https://ca.example/d", false, true},
        {"own", "network private", "https://ca.example/d", true, true},
        {"own", "network public", "https://10.0.0.1/d", false, false},
        {"own", "network public", "https://ca.example/d", true, true},
        {"own", NULL, "https://ca.example/d", false, false},
        {"own", NULL, "https://ca.example/d", true, true},
        {"own", NULL, "https://10.0.0.1/d", false, true},
        {"own", NULL, "https://[fd00::1]:14000/d", false, true},
        {"own", NULL, "https://localhost/d", false, true},
        {"own", NULL, "https://8.8.8.8/d", false, false},
    };

    for (size_t i = 0; i < HC_COUNT(cases); i++) {
        struct world w;
        struct hc_issuer *issuer = NULL;
        char line[100];
        int index = 0;

        setup(&w);
        if (cases[i].issuer != NULL) {
            (void)snprintf(line, sizeof(line), "directory_url %s", cases[i].url);
            ok(begin_issuer(w.conf, cases[i].issuer, "test.conf:2", &issuer, &w.err) == 0 &&
                   say(w.conf, NULL, issuer, line, &w.err) == 0 &&
                   (cases[i].network == NULL ||
                    say(w.conf, NULL, issuer, cases[i].network, &w.err) == 0) &&
                   say(w.conf, NULL, NULL, "hotcert_use own", &w.err) == 0,
               line);
        }
        ok(say(w.conf, w.a, NULL, "hotcert on", &w.err) == 0 &&
               (!cases[i].listed ||
                say(w.conf, w.a, NULL, "hotcert_names a.example 192.0.2.1", &w.err) == 0),
           cases[i].listed ? "listed by hotcert_names" : "a name of the server's");
        index = host(&w, w.a, "a.example 192.0.2.1");
        if (cases[i].listed && !cases[i].ordered) {
            is_int(index, -3, "what hotcert_names lists must be possible");
            is_int(w.err.problem, HC_P_NAME_INVALID, "as that");
        } else {
            is_int(index, 0, "the host is taken");
            is_int(w.conf->identities[0].names.count, cases[i].ordered ? 2 : 1,
                   cases[i].ordered ? "the address is ordered" : "it is left out");
            ok((hc_findings_find(&w.notes, HC_P_NAME_LEFT_OUT, "192.0.2.1") != NULL) !=
                   cases[i].ordered,
               "which is said");
        }
        teardown(&w);
    }
}

static void a_public_ca_has_no_port_of_its_own(void)
{
    static const struct {
        const char *network;
        const char *port;
        bool fine;
    } cases[] = {
        {"network public", "http_port 8080", false}, {"network public", "tls_port 8443", false},
        {"network public", "http_port 80", true},    {"network public", "tls_port 443", true},
        {"network private", "http_port 8080", true}, {NULL, "http_port 8080", true},
    };

    for (size_t i = 0; i < HC_COUNT(cases); i++) {
        struct world w;
        struct hc_issuer *issuer = NULL;

        setup(&w);
        ok(begin_issuer(w.conf, "own", "test.conf:2", &issuer, &w.err) == 0 &&
               (cases[i].network == NULL ||
                say(w.conf, NULL, issuer, cases[i].network, &w.err) == 0) &&
               say(w.conf, NULL, issuer, cases[i].port, &w.err) == 0,
           cases[i].port);
        is_int(hc_conf_finish(w.conf, &w.err), cases[i].fine ? 0 : -1,
               cases[i].fine ? "is fine" : "contradicts it");
        is_int(w.err.problem, cases[i].fine ? HC_P_NONE : HC_P_CONFLICT, "and told so");
        teardown(&w);
    }
}

/* Judged when the host is complete: its own methods decide, wherever their directive stands. */
static void names_that_no_method_proves_are_refused_where_they_are_asked_for(void)
{
    struct world w;

    setup(&w);
    ok(say(w.conf, w.a, NULL, "hotcert_names a.example *.a.example", &w.err) == 0,
       "a wildcard can be asked for");
    ok(say(w.conf, w.a, NULL, "hotcert watch", &w.err) == 0 &&
           add_host(w.conf, w.a, "", "/c.pem /k.pem ", &w.notes, &(int){0}, &w.err) == 0 &&
           w.conf->identities[0].names.count == 2,
       "of files that are watched");
    ok(say(w.conf, w.b, NULL, "hotcert on", &w.err) == 0 &&
           say(w.conf, w.b, NULL, "hotcert_names a.example *.a.example", &w.err) == 0,
       "where it is to be ordered");
    is_int(host(&w, w.b, ""), -3, "it is refused");
    is_int(w.err.problem, HC_P_NAME_INVALID, "as a name");
    is_str(w.err.subject, "*.a.example", "by name");
    ok(strstr(w.err.detail, "tls-alpn-01 cannot prove") != NULL &&
           strstr(w.err.detail, "hotcert_names of the host at") != NULL,
       "with the method in force and the place");
    teardown(&w);
}

static void what_no_ca_certifies_is_left_out(void)
{
    struct world w;

    setup(&w);
    ok(say(w.conf, NULL, NULL, "hotcert on", &w.err) == 0, "on");
    is_int(host(&w, NULL, "a.example ab--cd.example xn--zzzzzz.example xn--bcher-kva.example"), 0,
           "the host is taken");
    is_int(w.conf->identities[0].names.count, 2, "two names are ordered");
    is_int(w.notes.count, 2, "two are left out");
    ok(say(w.conf, w.a, NULL, "hotcert watch", &w.err) == 0, "watch");
    ok(add_host(w.conf, w.a, "ab--cd.example", "/c.pem /k.pem ", &w.notes, &(int){0}, &w.err) ==
               0 &&
           w.conf->identities[1].names.count == 1,
       "files are expected to cover any name that there is");
    teardown(&w);
}

static void a_host_without_tls_orders_nothing(void)
{
    struct world w;
    struct hc_list names = {0};
    struct hc_host plain = {.where = "test.conf:1", .names = &names};
    int index = 0;

    setup(&w);
    ok(say(w.conf, NULL, NULL, "hotcert on", &w.err) == 0 &&
           hc_list_add(&names, "a.example", NULL) == 0,
       "inherited");
    ok(hc_conf_add_host(w.conf, &plain, &index, &w.notes, &w.err) == 0 && index == -1, "nothing");
    is_int(w.notes.count, 0, "and nothing to say of it");
    ok(say(w.conf, w.a, NULL, "hotcert on", &w.err) == 0, "of its own");
    plain.scope = w.a;
    ok(hc_conf_add_host(w.conf, &plain, &index, &w.notes, &w.err) == 0 && index == -1, "nothing");
    is_int(w.notes.items[0].problem, HC_P_NO_TLS, "is said");
    hc_list_dispose(&names);
    teardown(&w);
}

static void issuers_must_be_known_and_agreed_to(void)
{
    struct world w;

    setup(&w);
    ok(say(w.conf, NULL, NULL, "hotcert on", &w.err) == 0, "on");
    ok(say(w.conf, w.a, NULL, "hotcert_use typo", &w.err) == 0, "an unknown issuer");
    is_int(host(&w, w.a, "a.example"), 0, "is a host");
    ok(hc_conf_finish(w.conf, &w.err) != 0, "but no configuration");
    is_int(w.err.problem, HC_P_UNKNOWN_ISSUER, "because of the issuer");
    is_str(w.err.subject, "typo", "by name");
    is_str(hc_error_hint_of(&w.err),
           "define it with hotcert_issuer in the http block, or use one of these: letsencrypt, "
           "letsencrypt-staging, zerossl, google, sslcom, actalis",
           "and what there is");
    teardown(&w);
    memset(&w, 0, sizeof(w));
    w.conf = hc_conf_new(HC_SERVER_NGINX, &w.err);
    ok(say(w.conf, NULL, NULL, "hotcert on", &w.err) == 0, "on");
    is_int(host(&w, NULL, "a.example"), 0, "without terms");
    ok(hc_conf_finish(w.conf, &w.err) != 0 && w.err.problem == HC_P_TERMS, "is refused");
    teardown(&w);
}

static void watched_files_make_the_identity_of_watch(void)
{
    struct world w;
    int first = -1;
    int second = -1;

    setup(&w);
    ok(say(w.conf, NULL, NULL, "hotcert watch", &w.err) == 0, "watch");
    ok(add_host(w.conf, NULL, "a.example", "/c.pem /k.pem ", &w.notes, &first, &w.err) == 0,
       "a host");
    ok(add_host(w.conf, NULL, "b.example", "/c.pem /k.pem ", &w.notes, &second, &w.err) == 0,
       "another");
    is_int(second, first, "with the same files shares them");
    is_int(w.conf->identities[0].names.count, 2, "and brings its name");
    is_int(w.conf->files.count, 2, "each file is known once");
    ok(add_host(w.conf, NULL, "a.example", "/c.pem /k2.pem /pass", &w.notes, &second, &w.err) == 0,
       "another key");
    is_int(second, 1, "is another identity");
    is_int(w.conf->identities[1].watched[0].passphrase, 3, "with its passphrase file");
    ok(add_host(w.conf, NULL, "_ ~^x *.w.example .d.example", "/w.pem /w.key ", &w.notes, &second,
                &w.err) == 0,
       "wildcards and patterns");
    is_int(w.conf->identities[2].names.count, 3, "are names to cover where they can be");
    is_str(w.conf->identities[2].names.items[0], "*.d.example", "the dot form is two of them");
    is_int(w.notes.count, 0, "and no reason for a remark: nothing is ordered");
    ok(say(w.conf, w.a, NULL, "hotcert_files /x.pem y.pem", &w.err) == 0, "named files");
    ok(add_host(w.conf, w.a, "_", "/c.pem /k.pem ", &w.notes, &second, &w.err) == 0, "win");
    is_str(w.conf->files.items[w.conf->identities[3].watched[0].key], "/etc/server/y.pem",
           "over those");
    ok(add_host(w.conf, w.b, "a.example", "", &w.notes, &second, &w.err) == 0 && second == -1,
       "a host that only inherits watch and has no files is left as it is");
    is_int(w.notes.count, 0, "without a word: its server may have a certificate for it");
    ok(say(w.conf, w.b, NULL, "hotcert watch", &w.err) == 0, "watch in the host itself");
    ok(add_host(w.conf, w.b, "a.example", "", &w.notes, &second, &w.err) != 0 &&
           w.err.problem == HC_P_NO_FILES,
       "without files is refused");
    teardown(&w);
}

static void lines_beside_on_are_the_first_certificate(void)
{
    struct world w;
    struct hc_identity *identity = NULL;
    unsigned char with[HC_ID_SIZE];
    int index = 0;

    setup(&w);
    ok(say(w.conf, w.a, NULL, "hotcert on", &w.err) == 0, "on");
    is_int(host(&w, w.a, "a.example"), 0, "a host without lines");
    memcpy(with, w.conf->identities[0].id, sizeof(with));
    is_int(w.conf->identities[0].watched_count, 0, "has none");
    ok(add_host(w.conf, w.a, "a.example", "/c /k /p /d /l ", &w.notes, &index, &w.err) == 0,
       "and one with lines");
    is_int(index, 0, "are one: what it is does not change when the lines are taken away");
    identity = &w.conf->identities[0];
    is_int(identity->watched_count, 2, "whose first certificate has two pairs");
    is_str(w.conf->files.items[identity->watched[0].certificate], "/c", "of these files");
    is_str(w.conf->files.items[identity->watched[1].key], "/l", "each");
    is_int(identity->watched[1].passphrase, -1, "with a passphrase or without");
    ok(add_host(w.conf, w.a, "a.example", "/x /y /z", &w.notes, &index, &w.err) == 0 && index == 0,
       "of a third host with other lines");
    is_int(w.conf->identities[0].watched_count, 2, "those of the first count");
    ok(memcmp(with, w.conf->identities[0].id, sizeof(with)) == 0, "all the time it is the same");
    ok(say(w.conf, w.b, NULL, "hotcert on", &w.err) == 0 &&
           say(w.conf, w.b, NULL, "hotcert_files /x.pem /y.pem", &w.err) == 0,
       "files that are named for `watch`");
    is_int(host(&w, w.b, "b.example"), -3, "are refused under `on`");
    is_int(w.err.problem, HC_P_CONFLICT, "as a conflict");
    teardown(&w);
}

static void an_inherited_certificate_beside_on_is_passed_over(void)
{
    struct world w;
    struct hc_list names = {0};
    struct hc_host own = {
        .where = "test.conf:5", .names = &names, .tls = true, .not_inherited = "/of/http.pem"};
    int index = 0;

    setup(&w);
    ok(hc_list_add(&names, "a.example", NULL) == 0, "a name");
    ok(say(w.conf, w.a, NULL, "hotcert on", &w.err) == 0, "on");
    own.scope = w.a;
    ok(hc_conf_add_host(w.conf, &own, &index, &w.notes, &w.err) == 0 && index == 0, "it is taken");
    is_int(w.notes.items[0].problem, HC_P_NOT_INHERITED, "that it is passed over is said");
    hc_list_dispose(&names);
    teardown(&w);
}

static void what_a_host_names_itself_counts_more_than_an_inherited_on(void)
{
    struct world w;
    struct hc_list names = {0};
    struct hc_host h = {.where = "test.conf:5",
                        .names = &names,
                        .tls = true,
                        .has_certificate = true,
                        .own_certificate = true};
    int index = 0;

    setup(&w);
    ok(hc_list_add(&names, "a.example", NULL) == 0, "a name");
    ok(say(w.conf, NULL, NULL, "hotcert on", &w.err) == 0, "on for all");
    ok(hc_conf_add_host(w.conf, &h, &index, &w.notes, &w.err) == 0, "it is no conflict");
    is_int(index, -1, "the host is left as it is");
    is_int(w.notes.items[0].problem, HC_P_HOST_LEFT_ALONE, "which is said");
    is_int(hc_note_level(&w.notes.items[0]), HC_LOG_NOTICE, "as a notice");
    h.scope = w.a;
    ok(hc_conf_leaves_host(w.conf, w.a, true, true), "other directives of its own change nothing");
    ok(say(w.conf, w.a, NULL, "hotcert on", &w.err) == 0, "on in the host");
    ok(!hc_conf_leaves_host(w.conf, w.a, true, true), "is the host's own word");
    hc_list_dispose(&names);
    teardown(&w);
}

static void files_beside_a_pair_are_watched_and_make_another_identity(void)
{
    struct world w;
    struct hc_list names = {0};
    struct hc_list files = {0};
    struct hc_host h = {.where = "test.conf:5", .names = &names, .tls = true, .files = &files};
    struct hc_conf *back = NULL;
    struct hc_buf text = HC_BUF_INIT(HC_CONF_WIRE_MAX);
    int index[4] = {-1, -1, -1, -1};

    setup(&w);
    ok(say(w.conf, NULL, NULL, "hotcert watch", &w.err) == 0, "watch");
    ok(hc_list_add(&files, "/c.pem", NULL) == 0 && hc_list_add(&files, "/k.pem", NULL) == 0 &&
           hc_list_add(&files, "", NULL) == 0,
       "a pair");
    for (int i = 0; i < 4; i++) {
        h.chain_file = i >= 1 ? "/chain.pem" : NULL;
        h.store_file = i == 2 ? "/cas.pem" : NULL;
        h.store_folder = i == 3 ? "/cas" : NULL;
        ok(hc_conf_add_host(w.conf, &h, &index[i], &w.notes, &w.err) == 0 && index[i] == i,
           "with other files beside it it is another");
    }
    is_int(w.conf->identities[0].watched[0].chain, -1, "none");
    ok(hc_conf_finish(w.conf, &w.err) == 0 && hc_conf_encode(w.conf, &text, &w.err) == 0 &&
           (back = hc_conf_decode(hc_buf_text(&text), text.len, &w.err)) != NULL,
       "the agent reads them");
    is_str(back->files.items[back->identities[2].watched[0].chain], "/chain.pem", "the chain");
    is_str(back->files.items[back->identities[2].watched[0].store], "/cas.pem", "the store");
    is_int(back->identities[2].watched[0].folder, -1, "no folder there");
    is_str(back->files.items[back->identities[3].watched[0].folder], "/cas", "and the folder");
    hc_conf_free(back);
    hc_buf_dispose(&text);
    hc_list_dispose(&names);
    hc_list_dispose(&files);
    teardown(&w);
}

static void the_strictest_of_the_hosts_decides(void)
{
    struct world w;
    struct hc_list names = {0};
    struct hc_host h = {.where = "test.conf:5", .names = &names, .tls = true};
    int index = 0;

    setup(&w);
    ok(hc_list_add(&names, "a.example", NULL) == 0, "a name");
    ok(say(w.conf, NULL, NULL, "hotcert on", &w.err) == 0, "on");
    for (int level = 1; level <= 3; level++) {
        h.security_level = level == 2 ? 3 : level == 3 ? 0 : 2;
        ok(hc_conf_add_host(w.conf, &h, &index, &w.notes, &w.err) == 0 && index == 0, "a host");
    }
    is_int(w.conf->identities[0].security_level, 3, "of those that share a certificate");
    hc_list_dispose(&names);
    teardown(&w);
}

int main(void)
{
    the_same_names_in_any_order_share_one_identity();
    an_identity_is_what_it_was();
    what_hosts_say_is_kept_once();
    another_issuer_is_another_identity();
    another_profile_is_another_identity();
    what_cannot_be_ordered_is_left_out_and_said();
    a_catch_all_that_inherits_on_is_left_out();
    an_address_is_ordered_where_it_can_be_had();
    a_public_address_is_ordered_from_letsencrypt();
    a_public_ca_has_no_port_of_its_own();
    names_that_no_method_proves_are_refused_where_they_are_asked_for();
    what_no_ca_certifies_is_left_out();
    a_host_without_tls_orders_nothing();
    issuers_must_be_known_and_agreed_to();
    watched_files_make_the_identity_of_watch();
    lines_beside_on_are_the_first_certificate();
    an_inherited_certificate_beside_on_is_passed_over();
    what_a_host_names_itself_counts_more_than_an_inherited_on();
    files_beside_a_pair_are_watched_and_make_another_identity();
    the_strictest_of_the_hosts_decides();
    return done();
}
