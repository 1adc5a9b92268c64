/* Proving names over TLS; see proof.h. */
#include "glue/proof.h"

#include <openssl/err.h>
#include <stdlib.h>
#include <string.h>

#include "base/time.h"
#include "glue/hello.h"
#include "glue/serve.h"
#include "pki/openssl.h"
#include "pki/proof.h"

#define PROTOCOL    "acme-tls/1"
#define SESSIONS    "hotcert challenge"
#define CIPHERSUITE "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256"
#define GROUPS      "X25519:P-256:P-384"

struct hc_proofs {
    SSL_CTX *ctx;
    struct hc_proofs_options o;
};

/* The pair that is pending for this name, or NULL. */
static struct hc_pair *find_pair(const struct hc_proofs *proofs, const char *name, size_t len)
{
    struct hc_buf pem = HC_BUF_INIT_SECRET(HC_TABLE_ANSWER_MAX);
    struct hc_pair *pair = NULL;
    struct hc_error err;

    hc_error_init(&err);
    if (*proofs->o.table != NULL && len > 0 &&
        hc_table_answer_get(*proofs->o.table, HC_ANSWER_TLS, name, len, hc_now(&hc_clock_system),
                            &pem) &&
        hc_proof_read(hc_bytes_of(&pem), name, &pair, &err) != 0) {
        hc_log_error(proofs->o.log, HC_LOG_ERROR, "could not answer a CA that validates over TLS",
                     &err);
    }
    hc_buf_dispose(&pem);
    return pair;
}

/* OpenSSL's ClientHello callback of our context: whom does the CA ask for? */
static int on_hello(SSL *ssl, int *alert, void *arg)
{
    const struct hc_proofs *proofs = arg;
    char name[HC_HELLO_NAME];
    size_t len = hc_hello_name(ssl, name);
    struct hc_pair *pair = NULL;
    bool served = false;

    pair = find_pair(proofs, name, len);
    served = pair != NULL && hc_serve_pair(ssl, pair);
    hc_pair_free(pair);
    if (!served) {
        ERR_clear_error();
        *alert = SSL_AD_NO_APPLICATION_PROTOCOL;
        return SSL_CLIENT_HELLO_ERROR;
    }
    hc_logf(proofs->o.log, HC_LOG_INFO, "%s: a CA that validates over TLS was answered", name);
    return SSL_CLIENT_HELLO_SUCCESS;
}

/* Without one of its own, OpenSSL would ask the context that the connection began with. */
static int on_name(SSL *ssl HC_UNUSED, int *alert HC_UNUSED, void *arg HC_UNUSED)
{
    return SSL_TLSEXT_ERR_OK;
}

static int on_protocols(SSL *ssl HC_UNUSED, const unsigned char **out, unsigned char *out_len,
                        const unsigned char *in HC_UNUSED, unsigned in_len HC_UNUSED,
                        void *arg HC_UNUSED)
{
    *out = (const unsigned char *)PROTOCOL; /* the only one that it offers */
    *out_len = sizeof(PROTOCOL) - 1;
    return SSL_TLSEXT_ERR_OK;
}

/*
 * What SSL_new() copied from the host's context and the change of context leaves in place. Where a
 * setting is not to be had (a provider without X25519), the host's stands.
 */
static void free_of_host(SSL *ssl)
{
    char groups[] = GROUPS;

    SSL_set_verify(ssl, SSL_VERIFY_NONE, NULL);
    SSL_clear_options(ssl, SSL_OP_NO_TLSv1_2 | SSL_OP_NO_TLSv1_3);
    SSL_set_options(ssl, SSL_OP_NO_TICKET | SSL_OP_NO_RENEGOTIATION);
    (void)SSL_set_min_proto_version(ssl, TLS1_2_VERSION);
    (void)SSL_set_max_proto_version(ssl, 0);
    (void)SSL_set_ciphersuites(ssl, CIPHERSUITE);
    (void)SSL_set1_groups_list(ssl, groups);
    /* a session of the site's is not resumed: it would prove nothing */
    (void)SSL_set_session_id_context(ssl, (const unsigned char *)SESSIONS, sizeof(SESSIONS) - 1);
    (void)SSL_set_num_tickets(ssl, 0);
    ERR_clear_error();
}

/* OpenSSL's message callback, until the first ClientHello is there. */
static void on_message(int written, int version HC_UNUSED, int type, const void *data, size_t len,
                       SSL *ssl, void *arg)
{
    const unsigned char *bytes = data;
    const struct hc_proofs *proofs = arg;
    struct hc_hello hello;

    if (written != 0 || type != SSL3_RT_HANDSHAKE || len < SSL3_HM_HEADER_LENGTH ||
        bytes[0] != SSL3_MT_CLIENT_HELLO) {
        return;
    }
    SSL_set_msg_callback(ssl, NULL);
    if (!hc_hello_read(
            (struct hc_bytes){bytes + SSL3_HM_HEADER_LENGTH, len - SSL3_HM_HEADER_LENGTH},
            &hello) ||
        !hello.validates ||
        (proofs->o.is_anothers != NULL && proofs->o.is_anothers(proofs->o.self, hello.name))) {
        return;
    }
    if (SSL_set_SSL_CTX(ssl, proofs->ctx) != NULL) {
        free_of_host(ssl);
    }
}

void hc_proofs_watch_context(struct hc_proofs *proofs, SSL_CTX *ctx)
{
    SSL_CTX_set_msg_callback(ctx, on_message);
    SSL_CTX_set_msg_callback_arg(ctx, proofs);
}

void hc_proofs_watch(struct hc_proofs *proofs, SSL *ssl)
{
    SSL_set_msg_callback(ssl, on_message);
    SSL_set_msg_callback_arg(ssl, proofs);
}

bool hc_proofs_took(const struct hc_proofs *proofs, const SSL *ssl)
{
    return proofs != NULL && SSL_get_SSL_CTX(ssl) == proofs->ctx;
}

int hc_proofs_new(const struct hc_proofs_options *options, struct hc_proofs **out,
                  struct hc_error *err)
{
    struct hc_proofs *proofs = calloc(1, sizeof(*proofs));

    if (proofs == NULL) {
        return hc_error_nomem(err);
    }
    proofs->o = *options;
    proofs->ctx = SSL_CTX_new(TLS_server_method());
    if (proofs->ctx == NULL) {
        free(proofs);
        return hc_error_set_openssl(err, HC_P_TLS_LIBRARY, NULL,
                                    "a context for proving names over TLS");
    }
    SSL_CTX_set_client_hello_cb(proofs->ctx, on_hello, proofs);
    SSL_CTX_set_tlsext_servername_callback(proofs->ctx, on_name);
    SSL_CTX_set_alpn_select_cb(proofs->ctx, on_protocols, NULL);
    SSL_CTX_set_session_cache_mode(proofs->ctx, SSL_SESS_CACHE_OFF);
    *out = proofs;
    return 0;
}

void hc_proofs_free(struct hc_proofs *proofs)
{
    if (proofs == NULL) {
        return;
    }
    SSL_CTX_free(proofs->ctx);
    free(proofs);
}
