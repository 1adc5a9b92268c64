/* What failures at an issuer hang on; see ca_mark.h. */
#include "agent/ca_mark.h"

#include <openssl/sha.h>
#include <string.h>

#include "base/buf.h"
#include "base/str.h"

void hc_ca_mark(const struct hc_conf *conf, const struct hc_issuer *issuer,
                char mark[2 * HC_ID_SIZE + 1])
{
    const struct hc_list *contacts =
        issuer->contacts.count > 0 ? &issuer->contacts : &conf->contacts;
    unsigned char digest[SHA256_DIGEST_LENGTH];
    struct hc_buf text = HC_BUF_INIT((size_t)1 << 20);
    struct hc_error err;

    hc_error_init(&err);
    memset(digest, 0, sizeof(digest));
    if (hc_buf_printf(&text, &err, "%s\n%s\n%d\n%d\n%lld\n", issuer->directory_url,
                      issuer->ca_bundle != NULL ? issuer->ca_bundle : "", (int)issuer->network,
                      issuer->terms_agreed, (long long)issuer->http_port) == 0) {
        if (issuer->eab_kid != NULL) { /* marks of issuers without one are those of before */
            (void)!hc_buf_printf(&text, &err, "%s\n%s\n%d\n", issuer->eab_kid, issuer->eab_key,
                                 (int)issuer->eab_algorithm);
        }
        for (size_t i = 0; i < contacts->count; i++) {
            if (hc_buf_printf(&text, &err, "%s\n", contacts->items[i]) != 0) {
                break;
            }
        }
        (void)SHA256(text.data, text.len, digest);
    }
    hc_hex(mark, digest, sizeof(digest));
    hc_buf_dispose(&text);
}
