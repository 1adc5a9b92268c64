/*
 * What a client would receive: a handshake in memory over a BIO pair, TLS 1.3 or what the server
 * context allows. libssl builds chains of its own and refuses keys by its security level; both
 * would otherwise show only at a visitor's.
 */
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <pthread.h>
#include <string.h>

#include "pki/openssl.h"

#include "pki/check.h"
#include "pki/check_kind.h"

/* Turns that each side gets; a handshake needs three. */
#define TURNS 20

static const struct hc_subject the_pair = {HC_SUBJECT_PAIR, 0, "the pair"};

static int refused(const struct hc_pair *pair, const char *doing, struct hc_findings *findings,
                   struct hc_error *err)
{
    const char *reason = ERR_reason_error_string(ERR_peek_error());
    int rc = hc_findings_add_of(findings, HC_P_TLS_REFUSED, &the_pair, err,
                                "OpenSSL refuses %s (serial %s): %s", doing, hc_pair_serial(pair),
                                reason != NULL ? reason : "it gives no reason");

    ERR_clear_error();
    return rc;
}

/*
 * One context for each side, made when first needed and kept for the life of the process: making
 * one costs more than the handshake. Contexts are libssl's to share between threads; the pair is
 * given to the connection.
 */
static struct {
    pthread_mutex_t mutex;
    SSL_CTX *server;
    SSL_CTX *client;
} contexts = {.mutex = PTHREAD_MUTEX_INITIALIZER};

/* As the servers make theirs. */
static SSL_CTX *server_context(void)
{
    SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());

    if (ctx != NULL) {
        SSL_CTX_set_mode(ctx, SSL_MODE_NO_AUTO_CHAIN);
        SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
        (void)SSL_CTX_set_num_tickets(ctx, 0); /* one message less; nothing hangs on it */
    }
    return ctx;
}

/* The most tolerant client: it looks, it does not judge. */
static SSL_CTX *client_context(void)
{
    SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());

    if (ctx != NULL) {
        SSL_CTX_set_verify(ctx, SSL_VERIFY_NONE, NULL);
        SSL_CTX_set_security_level(ctx, 0);
    }
    return ctx;
}

static bool have_contexts(void)
{
    bool have = false;

    pthread_mutex_lock(&contexts.mutex);
    contexts.server = contexts.server != NULL ? contexts.server : server_context();
    contexts.client = contexts.client != NULL ? contexts.client : client_context();
    have = contexts.server != NULL && contexts.client != NULL;
    pthread_mutex_unlock(&contexts.mutex);
    return have;
}

int hc_check_level(int security_level)
{
    return security_level > 0 || !have_contexts() ? security_level
                                                  : SSL_CTX_get_security_level(contexts.server);
}

static bool wants_more(SSL *ssl, int rc)
{
    int what = SSL_get_error(ssl, rc);

    return what == SSL_ERROR_WANT_READ || what == SSL_ERROR_WANT_WRITE;
}

static bool shake_hands(SSL *server, SSL *client)
{
    for (int i = 0; i < TURNS; i++) {
        int c = SSL_do_handshake(client);
        int s = 0;

        if (c != 1 && !wants_more(client, c)) {
            return false;
        }
        s = SSL_do_handshake(server);
        if (s != 1 && !wants_more(server, s)) {
            return false;
        }
        if (c == 1 && s == 1) {
            return true;
        }
    }
    return false;
}

static bool arrived_whole(SSL *client, const struct hc_pair *pair)
{
    STACK_OF(X509) *arrived = SSL_get_peer_cert_chain(client);
    STACK_OF(X509) *chain = hc_pair_chain(pair);
    bool same = sk_X509_num(arrived) == sk_X509_num(chain) + 1 &&
                X509_cmp(sk_X509_value(arrived, 0), hc_pair_leaf(pair)) == 0;

    for (int i = 0; same && i < sk_X509_num(chain); i++) {
        same = X509_cmp(sk_X509_value(arrived, i + 1), sk_X509_value(chain, i)) == 0;
    }
    return same;
}

static int judge_handshake(SSL *server, SSL *client, const struct hc_pair *pair,
                           struct hc_findings *findings, struct hc_error *err)
{
    BIO *server_end = NULL;
    BIO *client_end = NULL;

    if (BIO_new_bio_pair(&server_end, 0, &client_end, 0) != 1) {
        return hc_error_set_openssl(err, HC_P_TLS_LIBRARY, NULL, "setting up a handshake");
    }
    SSL_set_bio(server, server_end, server_end);
    SSL_set_bio(client, client_end, client_end);
    SSL_set_accept_state(server);
    SSL_set_connect_state(client);
    if (!shake_hands(server, client)) {
        /* a curve that this client, like all others, does not offer has its finding already */
        return hc_findings_find(findings, HC_P_CURVE_UNSUPPORTED, NULL) != NULL
                   ? 0
                   : refused(pair, "a handshake with it", findings, err);
    }
    if (arrived_whole(client, pair)) {
        return 0;
    }
    return hc_findings_add_of(findings, HC_P_WIRE_DIFFERS, &the_pair, err,
                              "%d certificates arrive where %d were checked (serial %s)",
                              sk_X509_num(SSL_get_peer_cert_chain(client)),
                              sk_X509_num(hc_pair_chain(pair)) + 1, hc_pair_serial(pair));
}

/* A server's end as strict as the servers that will have the pair. */
static SSL *server_end_of(SSL_CTX *given, int security_level)
{
    SSL *server = SSL_new(given != NULL ? given : contexts.server);

    if (server != NULL && given == NULL && security_level > 0) {
        SSL_set_security_level(server, security_level);
    }
    return server;
}

static bool loads(SSL *server, const struct hc_pair *pair)
{
    return SSL_use_cert_and_key(server, hc_pair_leaf(pair), hc_pair_key(pair), hc_pair_chain(pair),
                                1) == 1;
}

int hc_check_loads(const struct hc_bundle *bundle, int security_level, struct hc_error *err)
{
    SSL *server = have_contexts() ? server_end_of(NULL, security_level) : NULL;
    int rc = 0;

    if (server == NULL) {
        return hc_error_set_openssl(err, HC_P_TLS_LIBRARY, NULL, "setting up a connection");
    }
    for (size_t i = 0; rc == 0 && i < hc_bundle_count(bundle); i++) {
        const struct hc_pair *pair = hc_bundle_pair(bundle, i);

        if (!loads(server, pair)) {
            rc = hc_error_set_openssl(err, HC_P_TLS_REFUSED, hc_pair_serial(pair),
                                      "at security level %d", SSL_get_security_level(server));
        }
    }
    SSL_free(server);
    ERR_clear_error();
    return rc;
}

int hc_check_wire(SSL_CTX *given, int security_level, const struct hc_pair *pair,
                  struct hc_findings *findings, struct hc_error *err)
{
    bool have = have_contexts();
    SSL *server = have ? server_end_of(given, security_level) : NULL;
    SSL *client = have ? SSL_new(contexts.client) : NULL;
    int rc = -1;

    if (server == NULL || client == NULL) {
        hc_error_set_openssl(err, HC_P_TLS_LIBRARY, NULL, "setting up a handshake");
    } else if (given == NULL && !loads(server, pair)) {
        rc = refused(pair, "to load it", findings, err);
    } else {
        rc = judge_handshake(server, client, pair, findings, err);
    }
    SSL_free(server);
    SSL_free(client);
    ERR_clear_error();
    return rc;
}

/* The handshake was made with another of its kind: what is left is whether libssl takes this one.
 */
static int check_load(const struct hc_pair *pair, int security_level, struct hc_findings *findings,
                      struct hc_error *err)
{
    SSL *server = have_contexts() ? server_end_of(NULL, security_level) : NULL;
    int rc = 0;

    if (server == NULL) {
        return hc_error_set_openssl(err, HC_P_TLS_LIBRARY, NULL, "setting up a connection");
    }
    if (!loads(server, pair)) {
        rc = refused(pair, "to load it", findings, err);
    }
    SSL_free(server);
    ERR_clear_error();
    return rc;
}

int hc_check_usable(const struct hc_pair *pair, int security_level, struct hc_findings *findings,
                    struct hc_error *err)
{
    unsigned char kind[HC_DIGEST_SIZE];
    bool has_kind = hc_kind_of(pair, security_level, kind);
    size_t before = findings->count;
    int rc = 0;

    if (has_kind && hc_kind_is_known(kind)) {
        return check_load(pair, security_level, findings, err);
    }
    rc = hc_check_wire(NULL, security_level, pair, findings, err);
    if (rc == 0 && has_kind && findings->count == before) {
        hc_kind_add(kind);
    }
    return rc;
}
