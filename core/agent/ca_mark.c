/* What failures at an issuer hang on; see ca_mark.h. */
#include "agent/ca_mark.h"

#include <openssl/sha.h>
#include <string.h>

#include "agent/schedule.h"
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

/* The settings are tried when the wait is over. The mark stays, so that a later reload can, too. */
static void tell_later(const struct hc_env *env, const struct hc_issuer *issuer,
                       const struct hc_issuer_record *record)
{
    int64_t now = hc_env_now(env);
    char wait[32];

    if (record->breaker.until <= now) {
        return;
    }
    hc_logf(env->log, HC_LOG_WARN,
            "issuer %s: its settings changed, but hotcert tried changed settings %d times within "
            "an hour and now waits; to try them at once, run `hotcert renew`, or reload in %s",
            issuer->name, HC_RESETS_MAX,
            hc_duration_format(hc_schedule_reset_at(record->resets) - now, wait, sizeof(wait)));
}

bool hc_ca_mark_changed(const struct hc_env *env, const struct hc_issuer *issuer,
                        struct hc_issuer_record *record)
{
    char mark[sizeof(record->mark)];
    bool known = record->mark[0] != '\0';

    hc_ca_mark(env->conf, issuer, mark);
    if (strcmp(record->mark, mark) == 0) {
        return false;
    }
    if (known && !hc_schedule_take_reset(record->resets, hc_env_now(env))) {
        tell_later(env, issuer, record);
        return false;
    }
    hc_copy(record->mark, sizeof(record->mark), mark);
    return known;
}
