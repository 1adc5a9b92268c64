#include "glue/session.h"

#include <string.h>

#include "conf/conf.h"
#include "tap.h"

static const unsigned char id[HC_ID_SIZE] = {1, 2, 3};

static void tag_of(const char *const parts[], const SSL_CTX *ctx, const unsigned char *identity,
                   unsigned char out[HC_SESSION_TAG])
{
    struct hc_session_tag tag;

    hc_session_begin(&tag, identity);
    for (size_t i = 0; parts[i] != NULL; i++) {
        hc_session_add(&tag, parts[i], strlen(parts[i]));
    }
    hc_session_add_clients(&tag, ctx);
    ok(hc_session_end(&tag, out), "a tag is made");
}

static bool differ(const unsigned char *a, const unsigned char *b)
{
    return memcmp(a, b, HC_SESSION_TAG) != 0;
}

static void add_client_ca(SSL_CTX *ctx, const char *name)
{
    X509_NAME *ca = X509_NAME_new();
    STACK_OF(X509_NAME) *list = sk_X509_NAME_new_null();

    X509_NAME_add_entry_by_txt(ca, "CN", MBSTRING_ASC, (const unsigned char *)name, -1, -1, 0);
    sk_X509_NAME_push(list, ca);
    SSL_CTX_set_client_CA_list(ctx, list);
}

int main(void)
{
    SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());
    unsigned char first[HC_SESSION_TAG];
    unsigned char other[HC_SESSION_TAG];

    tag_of((const char *const[]){"a.test", "b", NULL}, ctx, id, first);
    tag_of((const char *const[]){"a.test", "b", NULL}, ctx, id, other);
    ok(!differ(first, other), "the same host has the same tag");
    tag_of((const char *const[]){"a.tes", "tb", NULL}, ctx, id, other);
    ok(differ(first, other), "parts that only join to the same bytes have another");
    tag_of((const char *const[]){"a.test", "b", NULL}, ctx, NULL, other);
    ok(differ(first, other), "so has a host without hotcert");
    SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER, NULL);
    tag_of((const char *const[]){"a.test", "b", NULL}, ctx, id, other);
    ok(differ(first, other), "so has one that asks clients for a certificate");
    memcpy(first, other, sizeof(first));
    SSL_CTX_set_verify_depth(ctx, 3);
    tag_of((const char *const[]){"a.test", "b", NULL}, ctx, id, other);
    ok(differ(first, other), "to another depth");
    memcpy(first, other, sizeof(first));
    add_client_ca(ctx, "CA A");
    tag_of((const char *const[]){"a.test", "b", NULL}, ctx, id, other);
    ok(differ(first, other), "of a CA");
    memcpy(first, other, sizeof(first));
    add_client_ca(ctx, "CA B");
    tag_of((const char *const[]){"a.test", "b", NULL}, ctx, id, other);
    ok(differ(first, other), "and of another CA");
    SSL_CTX_free(ctx);
    return done();
}
