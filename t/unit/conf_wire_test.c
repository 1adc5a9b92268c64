#include "conf/build.h"
#include "conf/conf.h"

#include <stdio.h>

#include "conf/issuer.h"
#include "conf/settings.h"
#include "conf_lib.h"
#include "tap.h"

static struct hc_conf *sample(void)
{
    static const char *const lines[] = {"hotcert on",
                                        "hotcert_terms_agreed on",
                                        "hotcert_contact ops@example.net",
                                        "hotcert_parallel 3",
                                        "hotcert_resolver [::1]:53",
                                        "hotcert_preflight advise",
                                        "hotcert_bad_names hold",
                                        "hotcert_store /srv/a%20b\tc",
                                        "hotcert_secret /s"};
    struct hc_conf *conf = hc_conf_new(HC_SERVER_NGINX, NULL);
    struct hc_scope *watch = hc_scope_new(NULL);
    struct hc_issuer *issuer = NULL;
    struct hc_findings notes = {0};
    int index = 0;
    int rc = begin_issuer(conf, "own", "test.conf:1", &issuer, NULL);

    rc |= say(conf, NULL, issuer, "directory_url https://127.0.0.1:14000/dir", NULL);
    rc |= say(conf, NULL, issuer, "ca_bundle /ca.pem", NULL);
    for (size_t i = 0; i < HC_COUNT(lines); i++) {
        rc |= say(conf, NULL, NULL, lines[i], NULL);
    }
    rc |= say(conf, watch, NULL, "hotcert watch", NULL);
    rc |= say(conf, watch, NULL, "hotcert_accept expired", NULL);
    rc |= add_host(conf, NULL, "b.example a.example", "", &notes, &index, NULL);
    rc |= add_host(conf, watch, "c.example", "/c.pem /k.pem /p", &notes, &index, NULL);
    rc |= hc_conf_finish(conf, NULL);
    is_int(rc, 0, "a configuration");
    conf->joins_running = true;
    hc_identity_note_level(&conf->identities[0], 3);
    hc_scope_free(watch);
    hc_findings_dispose(&notes);
    return conf;
}

static void what_is_written_is_read_back(void)
{
    struct hc_conf *conf = sample();
    struct hc_conf *back = NULL;
    struct hc_buf first = HC_BUF_INIT(HC_CONF_WIRE_MAX);
    struct hc_buf second = HC_BUF_INIT(HC_CONF_WIRE_MAX);
    struct hc_error err;

    hc_error_init(&err);
    ok(hc_conf_encode(conf, &first, &err) == 0, "written");
    back = hc_conf_decode(hc_buf_text(&first), first.len, &err);
    ok(back != NULL, "read");
    ok(hc_conf_encode(back, &second, &err) == 0, "written again");
    is_str(hc_buf_text(&second), hc_buf_text(&first), "to the same text");
    is_str(back->store, "/srv/a%20b\tc", "percent and tab survive");
    is_int(back->parallel, 3, "numbers survive");
    is_int(back->identity_count, 2, "both identities");
    is_str(back->identities[0].lead, "b.example", "the name it is known by");
    is_int(back->identities[0].set->preflight, HC_PREFLIGHT_ADVISE, "choices survive");
    is_int(back->identities[0].set->bad_names, HC_BAD_NAMES_HOLD, "each of them");
    is_int(back->identities[0].security_level, 3, "the hosts' strictness");
    ok(back->joins_running, "and what the glue knows");
    is_str(back->resolvers.items[0], "[::1]:53", "resolvers too");
    ok(memcmp(back->identities[1].id, conf->identities[1].id, HC_ID_SIZE) == 0, "with their ids");
    is_str(back->files.items[back->identities[1].watched[0].passphrase], "/p", "and files");
    is_str(hc_conf_issuer(back, "own")->contacts.items[0], "mailto:ops@example.net", "contacts");
    hc_conf_free(conf);
    hc_conf_free(back);
    hc_buf_dispose(&first);
    hc_buf_dispose(&second);
}

/* Whatever is cut or flipped: read or refused with an error, never a crash. */
static void damaged_text_is_refused_or_harmless(void)
{
    struct hc_conf *conf = sample();
    struct hc_buf text = HC_BUF_INIT(HC_CONF_WIRE_MAX);
    struct hc_error err;
    size_t cuts_taken = 0;
    size_t silent = 0;

    hc_error_init(&err);
    ok(hc_conf_encode(conf, &text, &err) == 0, "written");
    for (size_t cut = 0; cut + 1 < text.len; cut++) {
        struct hc_conf *back = hc_conf_decode(hc_buf_text(&text), cut, &err);

        /* without its last newline the text is still whole */
        cuts_taken += back != NULL && cut + 1 < text.len;
        hc_conf_free(back);
    }
    is_int(cuts_taken, 0, "no cut is taken");
    for (size_t i = 0; i < text.len * 8; i++) {
        struct hc_conf *back = NULL;

        hc_error_init(&err);
        text.data[i / 8] ^= (unsigned char)(1u << i % 8);
        back = hc_conf_decode(hc_buf_text(&text), text.len, &err);
        silent += back == NULL && !hc_error_is_set(&err);
        hc_conf_free(back);
        text.data[i / 8] ^= (unsigned char)(1u << i % 8);
    }
    is_int(silent, 0, "each refusal has its reason");
    hc_conf_free(conf);
    hc_buf_dispose(&text);
}

/* The text of a fixture; tests run in the top folder. */
static struct hc_conf *decode_file(const char *path, struct hc_error *err)
{
    struct hc_buf text = HC_BUF_INIT(HC_CONF_WIRE_MAX);
    struct hc_conf *conf = NULL;
    char chunk[4096];
    size_t n = 0;
    FILE *f = fopen(path, "r");

    ok(f != NULL, path);
    while (f != NULL && (n = fread(chunk, 1, sizeof(chunk), f)) > 0) {
        ok(hc_buf_append(&text, chunk, n, err) == 0, "read");
    }
    if (f != NULL) {
        (void)fclose(f);
    }
    conf = hc_conf_decode(hc_buf_text(&text), text.len, err);
    hc_buf_dispose(&text);
    return conf;
}

/* What the modules of released versions hand over. None of these files is ever changed. */
static void the_forms_of_released_versions_are_read(void)
{
    static const char *const paths[] = {"t/fixtures/wire/0.2.0-nginx",
                                        "t/fixtures/wire/0.2.0-httpd"};

    for (size_t i = 0; i < HC_COUNT(paths); i++) {
        struct hc_error err = {0};
        struct hc_conf *conf = decode_file(paths[i], &err);
        const struct hc_identity *watch = NULL;

        ok(conf != NULL && !hc_error_is_set(&err), "it is understood");
        if (conf == NULL) {
            continue;
        }
        is_str(conf->from, "0.2.0-dev", "who wrote it");
        is_int(conf->server, i == 0 ? HC_SERVER_NGINX : HC_SERVER_HTTPD, "for which server");
        is_int(conf->unknown.count, 0, "all of it");
        is_int(conf->parallel, 3, "a number");
        is_str(conf->user, "www-data", "what the glue knows");
        is_int(conf->identity_count, 3, "its hosts");
        is_int(conf->identities[1].set->bad_names, HC_BAD_NAMES_HOLD, "a host's own word");
        is_int(conf->identities[1].set->preflight, HC_PREFLIGHT_ADVISE, "an inherited one");
        is_int(conf->identities[1].set->key_types.items[1], HC_KEY_RSA_2048, "key types");
        is_str(hc_identity_label(&conf->identities[1]), "www.b.test", "its first name");
        watch = &conf->identities[conf->server == HC_SERVER_NGINX ? 2 : 0]; /* httpd counts down */
        is_int(watch->mode, HC_MODE_WATCH, "a watched host");
        is_int(watch->watched_count, 1, "its pair");
        is_int(watch->set->use.count, 0, "which orders nothing");
        is_int(hc_conf_issuer(conf, "pebble")->terms_agreed, HC_SWITCH_ON, "issuers");
        hc_conf_free(conf);
    }
}

static void the_form_of_0_1_0_asks_for_a_restart(void)
{
    struct hc_error err = {0};

    ok(decode_file("t/fixtures/wire/0.1.0-nginx", &err) == NULL, "it is not understood");
    is_int(err.problem, HC_P_SERVER_OTHER, "which is said");
    is_str(hc_error_hint_of(&err), "restart the server", "with what to do");
}

static const char issuer_and_set[] = "begin issuer own\n"
                                     "directory_url https://ca.example/d\n"
                                     "end\n"
                                     "begin set 0\n"
                                     "use own\n"
                                     "end\n";
static const char identity[] = "where a.conf:1\nset 0\nname a.example\nmode on\nend\nend\n";

/* More than is known, and less than is needed. */
static void what_is_not_known_is_passed_over_and_what_misses_has_its_preset(void)
{
    char text[2048];
    char id[2 * HC_ID_SIZE + 1];
    struct hc_error err = {0};
    struct hc_conf *conf = NULL;

    memset(id, 'a', sizeof(id) - 1);
    id[sizeof(id) - 1] = '\0';
    (void)snprintf(text, sizeof(text),
                   "hotcert-conf 2\nfrom 9\nserver caddy\ngreeting hello\n"
                   "begin depot d\nbucket b\ngreeting x\nend\n%sbegin identity %s\nweather "
                   "fine\n%s",
                   issuer_and_set, id, identity);
    conf = hc_conf_decode(text, strlen(text), &err);
    ok(conf != NULL, "read");
    if (conf == NULL) {
        return;
    }
    is_int(conf->unknown.count, 4, "each unknown word is noted once");
    is_str(conf->unknown.items[0], "server", "a value");
    is_str(conf->unknown.items[1], "greeting", "a key");
    is_str(conf->unknown.items[2], "depot", "a kind of block");
    is_str(conf->unknown.items[3], "weather", "a key of an identity");
    is_int(conf->check_interval, 60, "a preset of the main level");
    is_int(conf->identities[0].set->preflight, HC_PREFLIGHT_ON, "of hosts");
    is_int(conf->identities[0].set->key_types.count, 1, "of orders");
    is_int(hc_conf_issuer(conf, "own")->http_port, 80, "of issuers");
    hc_conf_free(conf);
    (void)snprintf(text, sizeof(text),
                   "hotcert-conf 2\n%sbegin identity %s\nmode borrow\nend\nbegin identity %s\n%s",
                   issuer_and_set, id, id, identity);
    conf = hc_conf_decode(text, strlen(text), &err);
    ok(conf != NULL && conf->identity_count == 1, "a host of an unknown mode is left out");
    hc_conf_free(conf);
}

int main(void)
{
    what_is_written_is_read_back();
    damaged_text_is_refused_or_harmless();
    the_forms_of_released_versions_are_read();
    the_form_of_0_1_0_asks_for_a_restart();
    what_is_not_known_is_passed_over_and_what_misses_has_its_preset();
    return done();
}
