/* The methods by which control of a name is proved; see method.h. */
#include "conf/method.h"

#include <openssl/sha.h>
#include <string.h>

#include "conf/name.h"

/* In order of preference, as far as the standard ones go. */
const struct hc_method hc_methods[] = {
    {.word = "http-01", .over = HC_OVER_HTTP, .addresses = true, .solved = true, .standard = true},
    {.word = "tls-alpn-01",
     .over = HC_OVER_TLS,
     .addresses = true,
     .solved = true,
     .standard = true},
    {.word = "dns-01",
     .over = HC_OVER_DNS,
     .wildcards = true,
     .solved = true,
     .written = true,
     .preferred = true},
    {.word = "dns-account-01",
     .over = HC_OVER_DNS,
     .wildcards = true,
     .solved = true,
     .written = true,
     .of_account = true},
    {.word = "dns-persist-01",
     .over = HC_OVER_DNS,
     .wildcards = true,
     .solved = true,
     .standing = true},
};
const size_t hc_method_count = HC_COUNT(hc_methods);

const struct hc_method *hc_method_find(const char *word)
{
    for (size_t i = 0; i < hc_method_count; i++) {
        if (strcmp(hc_methods[i].word, word) == 0) {
            return &hc_methods[i];
        }
    }
    return NULL;
}

bool hc_method_takes(const struct hc_method *method, const char *name)
{
    if (hc_name_is_ip(name)) {
        return method->addresses;
    }
    return method->wildcards || !hc_name_is_wildcard(name);
}

#define LABEL_BYTES 10 /* of the digest of the account's URL */

/* RFC 4648 section 6, in lower case and without padding, of ten bytes. Returns behind its end. */
static char *base32(const unsigned char *bytes, char *out)
{
    static const char digits[] = "abcdefghijklmnopqrstuvwxyz234567";
    unsigned held = 0;
    unsigned bits = 0;

    for (size_t i = 0; i < LABEL_BYTES; i++) {
        held = held << 8 | bytes[i];
        for (bits += 8; bits >= 5; bits -= 5) {
            *out++ = digits[held >> (bits - 5) & 31u];
        }
    }
    return out;
}

int hc_method_label(const struct hc_method *method, const char *account_url,
                    char dst[HC_METHOD_LABEL])
{
    unsigned char digest[SHA256_DIGEST_LENGTH];
    char *end = dst;

    if (method->of_account && account_url == NULL) {
        return -1;
    }
    if (method->of_account) {
        SHA256((const unsigned char *)account_url, strlen(account_url), digest);
        *end++ = '_';
        end = base32(digest, end);
        *end++ = '.';
    }
    (void)hc_copy(end, (size_t)(dst + HC_METHOD_LABEL - end), "_acme-challenge.");
    return 0;
}

/* The at-th method of a list, or NULL: it has no row. False when the list is over. */
static bool method_at(const struct hc_list *words, size_t at, const struct hc_method **method)
{
    if (words->count > 0) {
        *method = at < words->count ? hc_method_find(words->items[at]) : NULL;
        return at < words->count;
    }
    *method = at < hc_method_count && hc_methods[at].standard ? &hc_methods[at] : NULL;
    return at < hc_method_count;
}

bool hc_methods_take(const struct hc_list *words, const char *name)
{
    const struct hc_method *method = NULL;

    for (size_t i = 0; method_at(words, i, &method); i++) {
        if (method != NULL && hc_method_takes(method, name)) {
            return true;
        }
    }
    return false;
}

bool hc_methods_go_over(const struct hc_list *words, enum hc_method_over over)
{
    const struct hc_method *method = NULL;

    for (size_t i = 0; method_at(words, i, &method); i++) {
        if (method != NULL && method->over == over) {
            return true;
        }
    }
    return false;
}

int hc_methods_copy(struct hc_list *out, const struct hc_list *words, struct hc_error *err)
{
    const struct hc_method *method = NULL;

    for (size_t i = 0; method_at(words, i, &method); i++) {
        if (method != NULL && hc_list_add(out, method->word, err) != 0) {
            return -1;
        }
    }
    return 0;
}

int hc_methods_copy_written(struct hc_list *out, struct hc_error *err)
{
    for (int standard = 0; standard < 2; standard++) {
        for (size_t i = 0; i < hc_method_count; i++) {
            bool wanted = standard == 1 ? hc_methods[i].standard : hc_methods[i].preferred;

            if (wanted && hc_list_add(out, hc_methods[i].word, err) != 0) {
                return -1;
            }
        }
    }
    return 0;
}

const char *hc_methods_written(const struct hc_list *words)
{
    const struct hc_method *method = NULL;

    for (size_t i = 0; method_at(words, i, &method); i++) {
        if (method != NULL && method->written) {
            return method->word;
        }
    }
    return NULL;
}

bool hc_methods_stand(const struct hc_list *words)
{
    const struct hc_method *method = NULL;

    for (size_t i = 0; method_at(words, i, &method); i++) {
        if (method != NULL && method->standing) {
            return true;
        }
    }
    return false;
}

char *hc_methods_format(const struct hc_list *words, char *dst, size_t cap)
{
    struct hc_list known = {NULL, 0, 0};

    dst[0] = '\0';
    if (hc_methods_copy(&known, words, NULL) == 0) {
        (void)hc_list_format(&known, dst, cap);
    }
    hc_list_dispose(&known);
    return dst;
}
