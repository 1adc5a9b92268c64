#include "conf/conf.h"

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

int main(void)
{
    what_is_written_is_read_back();
    damaged_text_is_refused_or_harmless();
    return done();
}
