/*
 * Which host a TLS session belongs to. mod_ssl ties sessions to a host's name and port number of
 * ServerName, which two hosts on different addresses, with different client CAs, may share: with a
 * shared session cache or ticket key a session of one is then resumed at the other, and a client
 * certificate of the wrong CA passes (seen on 2.4.71). mod_ssl sets OpenSSL's session id context
 * itself, on every connection, so the tie is made here with what OpenSSL carries in a session for
 * the application: a tag, written when a session is stored or sent out as a ticket, compared when
 * one comes back.
 *
 * A tag is SHA-256 over the identity, the host's name and addresses, how clients are verified, and
 * the names of the client CAs. Hosts that are not ours have none, and stay as mod_ssl has them
 * among themselves. The callbacks are called on the context that a connection began with, which may
 * be another host's than the one that its name led to: every context has them, and they look at the
 * context that is in force.
 */
#include <openssl/err.h>
#include <string.h>

#include "mod_hotcert.h"

typedef int (*new_session)(SSL *ssl, SSL_SESSION *session);
typedef SSL_SESSION *(*get_session)(SSL *ssl, const unsigned char *id, int len, int *copy);

/* Of an SSL_CTX. */
struct tie {
    const struct mod_hotcert_host *host; /* NULL: not ours, no tag */
    unsigned char tag[HC_SESSION_TAG];
    new_session store; /* mod_ssl's; NULL without a session cache */
    get_session fetch;
};

/* OpenSSL's ex_data of an SSL_CTX: its tie. No callbacks: see mod_hotcert_ssl.c. */
static int tie_index = -1;

static const struct tie *tie_of(const SSL *ssl)
{
    return SSL_CTX_get_ex_data(SSL_get_SSL_CTX(ssl), tie_index);
}

const struct mod_hotcert_host *mod_hotcert_session_host(const SSL *ssl)
{
    const struct tie *tie = tie_index >= 0 ? tie_of(ssl) : NULL;

    return tie != NULL ? tie->host : NULL;
}

/* ---- the tag ---- */

static void add_addresses(struct hc_session_tag *tag, const server_rec *server)
{
    for (const server_addr_rec *a = server->addrs; a != NULL; a = a->next) {
        hc_session_add(tag, &a->host_port, sizeof(a->host_port));
        hc_session_add(tag, a->host_addr->ipaddr_ptr, (size_t)a->host_addr->ipaddr_len);
    }
}

static bool make_tag(struct tie *tie, const unsigned char id[HC_ID_SIZE], const SSL_CTX *ctx)
{
    const server_rec *server = tie->host->server;
    struct hc_session_tag tag;

    hc_session_begin(&tag, id);
    hc_session_add(&tag, server->server_hostname, strlen(server->server_hostname));
    add_addresses(&tag, server);
    hc_session_add_clients(&tag, ctx);
    return hc_session_end(&tag, tie->tag);
}

/* ---- sessions ---- */

static bool mark(SSL *ssl, SSL_SESSION *session)
{
    const struct tie *tie = tie_of(ssl);

    if (tie == NULL || tie->host == NULL) {
        return true;
    }
    return SSL_SESSION_set1_ticket_appdata(session, tie->tag, HC_SESSION_TAG) == 1;
}

static bool belongs(SSL *ssl, SSL_SESSION *session)
{
    const struct tie *tie = tie_of(ssl);
    bool tagged = tie != NULL && tie->host != NULL;
    void *tag = NULL;
    size_t len = 0;

    if (SSL_SESSION_get0_ticket_appdata(session, &tag, &len) != 1) {
        return false;
    }
    if (!tagged) {
        return len == 0;
    }
    return len == HC_SESSION_TAG && CRYPTO_memcmp(tag, tie->tag, HC_SESSION_TAG) == 0;
}

/* OpenSSL: a ticket is about to be made of the connection's session. 0 ends the handshake. */
static int make_ticket(SSL *ssl, void *unused HC_UNUSED)
{
    return mark(ssl, SSL_get_session(ssl));
}

/* OpenSSL: a ticket came in. */
static SSL_TICKET_RETURN take_ticket(SSL *ssl, SSL_SESSION *session,
                                     const unsigned char *name HC_UNUSED, size_t name_len HC_UNUSED,
                                     SSL_TICKET_STATUS status, void *unused HC_UNUSED)
{
    switch (status) {
    case SSL_TICKET_SUCCESS:
        return belongs(ssl, session) ? SSL_TICKET_RETURN_USE : SSL_TICKET_RETURN_IGNORE_RENEW;
    case SSL_TICKET_SUCCESS_RENEW:
        return belongs(ssl, session) ? SSL_TICKET_RETURN_USE_RENEW : SSL_TICKET_RETURN_IGNORE_RENEW;
    default: /* empty, or not to be decrypted: a full handshake and a new ticket */
        return SSL_TICKET_RETURN_IGNORE_RENEW;
    }
}

/* OpenSSL: a session goes to mod_ssl's cache. */
static int store_session(SSL *ssl, SSL_SESSION *session)
{
    const struct tie *tie = tie_of(ssl);

    if (tie == NULL || tie->store == NULL || !mark(ssl, session)) {
        return 0;
    }
    return tie->store(ssl, session);
}

/* OpenSSL: a session is looked for in mod_ssl's cache. */
static SSL_SESSION *fetch_session(SSL *ssl, const unsigned char *id, int len, int *copy)
{
    const struct tie *tie = tie_of(ssl);
    SSL_SESSION *session =
        tie != NULL && tie->fetch != NULL ? tie->fetch(ssl, id, len, copy) : NULL;

    if (session == NULL || belongs(ssl, session)) {
        return session;
    }
    if (*copy == 0) { /* the reference was to be OpenSSL's */
        SSL_SESSION_free(session);
    }
    return NULL;
}

int mod_hotcert_session_tie(const struct mod_hotcert_state *state,
                            const struct mod_hotcert_host *host, SSL_CTX *ctx, apr_pool_t *pool)
{
    struct tie *tie = apr_pcalloc(pool, sizeof(*tie));

    if (tie_index < 0) {
        tie_index = SSL_CTX_get_ex_new_index(0, NULL, NULL, NULL, NULL);
    }
    tie->host = host;
    tie->store = SSL_CTX_sess_get_new_cb(ctx);
    tie->fetch = SSL_CTX_sess_get_get_cb(ctx);
    if (tie_index < 0 ||
        (host != NULL && !make_tag(tie, state->conf->identities[host->identity].id, ctx)) ||
        SSL_CTX_set_ex_data(ctx, tie_index, tie) != 1 ||
        SSL_CTX_set_session_ticket_cb(ctx, make_ticket, take_ticket, NULL) != 1) {
        ERR_clear_error();
        return -1;
    }
    if (tie->store != NULL) {
        SSL_CTX_sess_set_new_cb(ctx, store_session);
    }
    if (tie->fetch != NULL) {
        SSL_CTX_sess_set_get_cb(ctx, fetch_session);
    }
    return 0;
}
