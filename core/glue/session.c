/* The tag of a host's sessions; see session.h. */
#include "glue/session.h"

#include "conf/conf.h"

void hc_session_begin(struct hc_session_tag *tag, const unsigned char *id)
{
    hc_digest_begin(&tag->digest);
    tag->good = true;
    if (id != NULL) {
        hc_session_add(tag, id, HC_ID_SIZE);
    }
}

void hc_session_add(struct hc_session_tag *tag, const void *data, size_t len)
{
    hc_digest_chunk(&tag->digest, data, len);
}

void hc_session_add_clients(struct hc_session_tag *tag, const SSL_CTX *ctx)
{
    const STACK_OF(X509_NAME) *names = SSL_CTX_get_client_CA_list(ctx);
    int verify[2] = {SSL_CTX_get_verify_mode(ctx), SSL_CTX_get_verify_depth(ctx)};

    hc_session_add(tag, verify, sizeof(verify));
    for (int i = 0; i < sk_X509_NAME_num(names); i++) {
        const unsigned char *der = NULL;
        size_t len = 0;

        tag->good = tag->good && X509_NAME_get0_der(sk_X509_NAME_value(names, i), &der, &len) == 1;
        if (tag->good) {
            hc_session_add(tag, der, len);
        }
    }
}

bool hc_session_end(struct hc_session_tag *tag, unsigned char out[HC_SESSION_TAG])
{
    return hc_digest_end(&tag->digest, out, NULL) == 0 && tag->good;
}
