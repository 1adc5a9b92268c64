/* Serving a bundle; see serve.h. */
#include "glue/serve.h"

#include "pki/openssl.h"

bool hc_serve_pair(SSL *ssl, const struct hc_pair *pair)
{
    return SSL_use_cert_and_key(ssl, hc_pair_leaf(pair), hc_pair_key(pair), hc_pair_chain(pair),
                                1) == 1;
}

void hc_serve_refused(const struct hc_pair *pair, const struct hc_log *log)
{
    struct hc_error err;

    hc_error_init(&err);
    hc_error_set_openssl(&err, HC_P_TLS_LIBRARY, hc_pair_serial(pair), "cannot serve a pair");
    hc_log_error(log, HC_LOG_ERROR, NULL, &err);
}

bool hc_serve_bundle(SSL *ssl, const struct hc_bundle *bundle, const struct hc_log *log)
{
    bool served = false;

    SSL_certs_clear(ssl);
    for (size_t i = 0; i < hc_bundle_count(bundle); i++) {
        const struct hc_pair *pair = hc_bundle_pair(bundle, i);

        if (hc_serve_pair(ssl, pair)) {
            served = true;
        } else {
            hc_serve_refused(pair, log);
        }
    }
    return served;
}

void hc_serve_refresh(struct hc_view_entry *entry, const struct hc_identity *identity,
                      const struct hc_table *table, const struct hc_log *log)
{
    uint64_t refused = entry->refused;
    char text[HC_LOG_LINE];
    struct hc_error err;

    hc_error_init(&err);
    if (hc_view_entry_refresh(entry, table, &err) < 0 && entry->refused != refused) {
        hc_logf(log, HC_LOG_ERROR, "could not serve the new certificate of the host at %s: %s",
                identity->where.items[0], hc_error_format(&err, text, sizeof(text)));
    }
}
