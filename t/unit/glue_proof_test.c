/* Proving names over TLS: whom a listener answers how. Both ends are OpenSSL, in memory. */
#include "glue/proof.h"

#include <openssl/err.h>
#include <string.h>
#include <unistd.h>

#include "base/time.h"
#include "glue/hello.h"
#include "pki/pair.h"
#include "pki/proof.h"
#include "tap.h"

#define ACME                                                                                       \
    "\x0a"                                                                                         \
    "acme-tls/1"
#define NAME     "a.example"
#define ANOTHERS "md.example"

static struct hc_error err;
static struct hc_table *table;
static struct hc_proofs *proofs;
static SSL_CTX *site; /* the host's own context, as strict as can be */
static struct hc_pair *site_pair;

struct seen {
    bool done;        /* both ends finished */
    bool site, proof; /* which certificate the client was shown */
    bool took, reused;
    char protocol[16]; /* ALPN */
    int alert;         /* that the client got; 0: none */
    SSL_SESSION *session;
};

struct client {
    const char *name, *alpn;
    int version;
    size_t pieces; /* bytes at a time from the client; 0: all at once */
    SSL_SESSION *session;
    bool per_connection; /* as httpd does */
};

static int alert_seen;

static void on_info(const SSL *ssl, int where, int value)
{
    (void)ssl;
    if ((where & SSL_CB_READ_ALERT) != 0 && alert_seen == 0) {
        alert_seen = value & 0xff;
    }
}

static void move(BIO *from, BIO *to, size_t most)
{
    char bytes[16384];
    int len = 0;

    while ((len = BIO_read(from, bytes, (int)(most > 0 ? most : sizeof(bytes)))) > 0) {
        BIO_write(to, bytes, len);
        if (most > 0) {
            return;
        }
    }
}

static SSL *new_client(SSL_CTX *ctx, const struct client *c)
{
    SSL *ssl = SSL_new(ctx);
    char name[256]; /* libssl's macro wants one that it might change */

    SSL_set_connect_state(ssl);
    if (c->name != NULL) {
        (void)snprintf(name, sizeof(name), "%s", c->name);
        SSL_set_tlsext_host_name(ssl, name);
    }
    if (c->alpn != NULL) {
        SSL_set_alpn_protos(ssl, (const unsigned char *)c->alpn, (unsigned)strlen(c->alpn));
    }
    SSL_set_min_proto_version(ssl, c->version);
    SSL_set_max_proto_version(ssl, c->version);
    if (c->session != NULL) {
        SSL_set_session(ssl, c->session);
    }
    return ssl;
}

static struct seen connect_as(const struct client *c)
{
    SSL_CTX *client_ctx = SSL_CTX_new(TLS_client_method());
    BIO *up[2] = {BIO_new(BIO_s_mem()), BIO_new(BIO_s_mem())};
    BIO *down[2] = {BIO_new(BIO_s_mem()), BIO_new(BIO_s_mem())};
    SSL *server = SSL_new(site);
    SSL *client = new_client(client_ctx, c);
    unsigned char digest[HC_PROOF_DIGEST];
    const unsigned char *protocol = NULL;
    struct seen seen = {0};
    unsigned len = 0;
    X509 *cert = NULL;

    alert_seen = 0;
    SSL_set_info_callback(client, on_info);
    BIO_set_mem_eof_return(up[1], -1);
    BIO_set_mem_eof_return(down[1], -1);
    SSL_set_bio(client, down[1], up[0]);
    SSL_set_bio(server, up[1], down[0]);
    SSL_set_accept_state(server);
    if (c->per_connection) {
        hc_proofs_watch(proofs, server);
    }
    for (int i = 0; i < 4000 && !(SSL_is_init_finished(client) && SSL_is_init_finished(server));
         i++) {
        SSL_do_handshake(client);
        move(up[0], up[1], c->pieces);
        SSL_do_handshake(server);
        move(down[0], down[1], 0);
    }
    SSL_do_handshake(client);
    seen.done = SSL_is_init_finished(client) && SSL_is_init_finished(server);
    if (seen.done) { /* tickets of TLS 1.3 come after */
        char byte = 0;

        SSL_read(client, &byte, 1);
        seen.session = SSL_get1_session(client);
    }
    cert = SSL_get1_peer_certificate(client);
    seen.proof = cert != NULL && hc_proof_of(cert, digest);
    seen.site = cert != NULL && X509_cmp(cert, hc_pair_leaf(site_pair)) == 0;
    seen.took = hc_proofs_took(proofs, server);
    seen.reused = SSL_session_reused(client) == 1;
    seen.alert = alert_seen;
    SSL_get0_alpn_selected(client, &protocol, &len);
    memcpy(seen.protocol, len > 0 ? (const char *)protocol : "", len < 15 ? len : 15);
    X509_free(cert);
    /* or the session counts as broken off */
    SSL_set_shutdown(client, SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
    SSL_set_shutdown(server, SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
    SSL_free(client);
    SSL_free(server);
    SSL_CTX_free(client_ctx);
    ERR_clear_error();
    return seen;
}

static int select_h2(SSL *ssl, const unsigned char **out, unsigned char *out_len,
                     const unsigned char *in, unsigned in_len, void *arg)
{
    (void)ssl;
    (void)arg;
    return SSL_select_next_proto((unsigned char **)(uintptr_t)out, out_len,
                                 (const unsigned char *)"\x02h2\x08http/1.1", 12, in,
                                 in_len) == OPENSSL_NPN_NEGOTIATED
               ? SSL_TLSEXT_ERR_OK
               : SSL_TLSEXT_ERR_ALERT_FATAL;
}

static int reject(SSL *ssl, int *alert, void *arg)
{
    (void)ssl;
    (void)alert;
    (void)arg;
    return SSL_TLSEXT_ERR_ALERT_FATAL;
}

/* A host; a strict one rejects every name and demands a certificate of the client. */
static void open_site(bool strict)
{
    SSL_CTX_free(site);
    site = SSL_CTX_new(TLS_server_method());
    SSL_CTX_use_cert_and_key(site, hc_pair_leaf(site_pair), hc_pair_key(site_pair), NULL, 1);
    SSL_CTX_set_alpn_select_cb(site, select_h2, NULL);
    SSL_CTX_set_session_id_context(site, (const unsigned char *)"site", 4);
    if (strict) {
        SSL_CTX_set_verify(site, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
        SSL_CTX_set_tlsext_servername_callback(site, reject);
        SSL_CTX_set_ciphersuites(site, "TLS_CHACHA20_POLY1305_SHA256");
        SSL_CTX_set_cipher_list(site, "ECDHE-RSA-AES128-GCM-SHA256");
        SSL_CTX_set_min_proto_version(site, TLS1_3_VERSION);
    }
    hc_proofs_watch_context(proofs, site);
}

static void pend(const char *name, const char *key, int64_t life)
{
    static const unsigned char digest[HC_PROOF_DIGEST] = "whatever";
    struct hc_buf pem = HC_BUF_INIT_SECRET(HC_ANSWER_VALUE_MAX);
    struct hc_answer answer = {.kind = HC_ANSWER_TLS, .name = name, .key = key};

    answer.expires = hc_now(&hc_clock_system) + life;
    ok(hc_proof_make(name, digest, &pem, &err) == 0, "a proof");
    answer.value = hc_buf_text(&pem);
    ok(hc_table_answer_put(table, &answer, hc_now(&hc_clock_system), &err) == 0, "is laid out");
    hc_buf_dispose(&pem);
}

static const int versions[] = {TLS1_2_VERSION, TLS1_3_VERSION};

/* Neither what the host demands nor what it speaks stands in the way. */
static void a_pending_name_is_proved_whatever_the_host_demands(void)
{
    for (size_t i = 0; i < 8; i++) {
        const struct client c = {
            .name = NAME,
            .alpn = ACME,
            .version = versions[i & 1],
            .pieces = (i & 2) != 0 ? 7 : 0,
            .per_connection = (i & 4) != 0,
        };
        struct seen seen = connect_as(&c);

        ok(seen.done && seen.proof && !seen.site && seen.took, "the proof is shown");
        is_str(seen.protocol, "acme-tls/1", "and the protocol agreed on");
        SSL_SESSION_free(seen.session);
    }
}

static void other_names_get_an_alert_and_no_certificate(void)
{
    static const char *const names[] = {"b.example", "www.a.example", "expired.example", NULL};

    for (size_t i = 0; i < HC_COUNT(names); i++) {
        for (size_t v = 0; v < 2; v++) {
            const struct client c = {.name = names[i], .alpn = ACME, .version = versions[v]};
            struct seen seen = connect_as(&c);

            ok(!seen.done && !seen.site && !seen.proof, names[i] != NULL ? names[i] : "no name");
            is_int(seen.alert, SSL_AD_NO_APPLICATION_PROTOCOL, "is told so");
        }
    }
}

static void whoever_offers_more_is_a_client_like_any_other(void)
{
    static const char *const lists[] = {ACME "\x02h2", "\x02h2" ACME, "\x08http/1.1", NULL};

    for (size_t i = 0; i < HC_COUNT(lists); i++) {
        const struct client c = {.name = NAME, .alpn = lists[i], .version = versions[i & 1]};
        struct seen seen = connect_as(&c);

        ok(seen.done && seen.site && !seen.proof && !seen.took, "the site is served");
        ok(strcmp(seen.protocol, "acme-tls/1") != 0, "with a protocol of its own");
        SSL_SESSION_free(seen.session);
    }
}

static void what_another_module_proves_is_left_to_it(void)
{
    const struct client c = {.name = ANOTHERS, .alpn = ACME, .version = TLS1_3_VERSION};
    struct seen seen = connect_as(&c);

    ok(!seen.took, "it is not taken");
}

/* A session holds the site's certificate: resumed, nothing would be proved. */
static void a_session_of_the_site_is_not_resumed(void)
{
    for (size_t v = 0; v < 2; v++) {
        const struct client first = {.name = NAME, .alpn = "\x02h2", .version = versions[v]};
        struct client c = {.name = NAME, .alpn = "\x02h2", .version = versions[v]};
        struct seen site_seen = connect_as(&first);
        struct seen seen = {0};

        c.session = site_seen.session;
        seen = connect_as(&c);
        ok(seen.reused, "at the site it is");
        SSL_SESSION_free(seen.session);
        c.alpn = ACME;
        seen = connect_as(&c);
        ok(seen.done && !seen.reused && seen.proof, "by a CA it is not");
        SSL_SESSION_free(seen.session);
        SSL_SESSION_free(site_seen.session);
    }
}

/* The table is the agent's to write: a worker serves nothing but proofs from there. */
static void nothing_but_a_proof_is_shown(void)
{
    const struct client c = {.name = "odd.example", .alpn = ACME, .version = TLS1_3_VERSION};
    struct hc_answer answer = {.kind = HC_ANSWER_TLS, .name = "", .key = "odd.example"};
    struct hc_buf pem = HC_BUF_INIT_SECRET(HC_ANSWER_VALUE_MAX);
    struct seen seen = {0};

    ok(hc_pair_to_pem(site_pair, &pem, &err) == 0, "a pair that proves nothing");
    answer.value = hc_buf_text(&pem);
    answer.expires = hc_now(&hc_clock_system) + 60;
    ok(hc_table_answer_put(table, &answer, hc_now(&hc_clock_system), &err) == 0, "is laid out");
    seen = connect_as(&c);
    ok(!seen.done && !seen.site && seen.alert == SSL_AD_NO_APPLICATION_PROTOCOL, "and not shown");
    hc_buf_dispose(&pem);
}

static bool is_anothers(void *self, const char *name)
{
    (void)self;
    return strcmp(name, ANOTHERS) == 0;
}

static void malformed_hellos_are_none(void)
{
    static const unsigned char whole[] = "\x03\x03"
                                         "rrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrr"
                                         "\x00\x00\x02\x13\x01\x01\x00"
                                         "\x00\x1f"
                                         "\x00\x00\x00\x0a\x00\x08\x00\x00\x05"
                                         "A.ex."
                                         "\x00\x10\x00\x0d\x00\x0b\x0a"
                                         "acme-tls/1";
    struct hc_hello hello;
    size_t validating = 0;

    ok(hc_hello_read((struct hc_bytes){whole, sizeof(whole) - 1}, &hello) && hello.validates,
       "a ClientHello that validates");
    is_str(hello.name, "a.ex", "its name as certificates have it");
    for (size_t len = 0; len < sizeof(whole) - 1; len++) {
        validating += hc_hello_read((struct hc_bytes){whole, len}, &hello) && hello.validates;
    }
    is_int(validating, 0, "no part of it does");
}

int main(void)
{
    struct hc_proofs_options options = {.table = &table, .is_anothers = is_anothers};
    int fd = -1;

    hc_error_init(&err);
    ok(hc_proofs_new(&options, &proofs, &err) == 0 && hc_pair_bootstrap(&site_pair, &err) == 0,
       "a listener");
    open_site(false);
    other_names_get_an_alert_and_no_certificate(); /* there is no table */
    ok(hc_table_create(HC_TABLE_SIZE_LEAST, &fd, &table, &err) == 0, "a table");
    hc_table_detach(table);
    ok(hc_table_attach(fd, true, &table, &err) == 0, "to write to");
    pend(NAME, NAME, 60);
    pend("expired.example", "expired.example", -1);
    other_names_get_an_alert_and_no_certificate();
    a_pending_name_is_proved_whatever_the_host_demands();
    whoever_offers_more_is_a_client_like_any_other();
    what_another_module_proves_is_left_to_it();
    a_session_of_the_site_is_not_resumed();
    nothing_but_a_proof_is_shown();
    open_site(true);
    a_pending_name_is_proved_whatever_the_host_demands();
    other_names_get_an_alert_and_no_certificate();
    malformed_hellos_are_none();
    SSL_CTX_free(site);
    hc_proofs_free(proofs);
    hc_proofs_free(NULL);
    hc_pair_free(site_pair);
    hc_table_detach(table);
    close(fd);
    return done();
}
