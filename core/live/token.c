/*
 * Pending http-01 tokens (RFC 8555 section 8.3). Readers scan the tags, a word an entry, so that a
 * request for a token that is not pending costs about a microsecond, and look into an entry only
 * when its tag fits; each entry is guarded by a sequence number.
 */
#include <openssl/sha.h>
#include <string.h>

#include "base/str.h"
#include "base/time.h"
#include "live/layout.h"

#define TRIES 8

/* The copy of an entry. */
struct entry {
    int64_t expires;
    char token[HC_TOKEN_MAX + 1];
    char auth[HC_KEYAUTH_MAX + 1];
};

/* Never 0. */
static uint64_t tag_of(const char *token, size_t len)
{
    unsigned char hash[SHA256_DIGEST_LENGTH];
    uint64_t tag = 0;

    SHA256((const unsigned char *)token, len, hash);
    memcpy(&tag, hash, sizeof(tag));
    return tag | 1;
}

static bool is_base64url(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '_';
}

/* 1 to most - 1 characters of base64url. */
static bool is_token(const char *text, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        if (!is_base64url(text[i])) {
            return false;
        }
    }
    return len > 0 && len < HC_TOKEN_MAX;
}

/* The token, a full stop, the account key's thumbprint; nothing else is ever sent to a visitor. */
static bool is_auth_of(const char *auth, const char *token, size_t len)
{
    size_t total = strlen(auth);

    if (total <= len + 1 || total >= HC_KEYAUTH_MAX || memcmp(auth, token, len) != 0 ||
        auth[len] != '.') {
        return false;
    }
    for (const char *p = auth + len + 1; *p != '\0'; p++) {
        if (!is_base64url(*p)) {
            return false;
        }
    }
    return true;
}

static bool read_entry(const struct hc_token *from, struct entry *to)
{
    for (int i = 0; i < TRIES; i++) {
        uint64_t seq = atomic_load_explicit(&from->seq, memory_order_acquire);

        if ((seq & 1) != 0) {
            continue;
        }
        to->expires = (int64_t)atomic_load_explicit(&from->expires, memory_order_acquire);
        hc_words_load(to->token, from->token, HC_TOKEN_MAX);
        hc_words_load(to->auth, from->auth, HC_KEYAUTH_MAX);
        to->token[HC_TOKEN_MAX] = '\0';
        to->auth[HC_KEYAUTH_MAX] = '\0';
        if (atomic_load_explicit(&from->seq, memory_order_acquire) == seq) {
            return true;
        }
    }
    return false;
}

bool hc_table_token_get(const struct hc_table *table, const char *token, size_t len, int64_t now,
                        char keyauth[HC_KEYAUTH_MAX])
{
    uint64_t tag = 0;

    if (!is_token(token, len)) {
        return false;
    }
    tag = tag_of(token, len);
    for (size_t i = 0; i < HC_TOKENS; i++) {
        struct entry entry;

        if (atomic_load_explicit(&table->tags[i], memory_order_acquire) != tag ||
            !read_entry(&table->tokens[i], &entry)) {
            continue;
        }
        if (entry.expires > now && strlen(entry.token) == len &&
            memcmp(entry.token, token, len) == 0 && is_auth_of(entry.auth, token, len)) {
            memcpy(keyauth, entry.auth, HC_KEYAUTH_MAX);
            return true;
        }
    }
    return false;
}

/* The last store of an entry makes seq even again. */
static void write_entry(struct hc_token *to, const char *token, const char *auth, int64_t expires)
{
    uint64_t seq = atomic_load(&to->seq) | 1;
    char padded[HC_KEYAUTH_MAX];

    atomic_store(&to->seq, seq);
    atomic_store_explicit(&to->expires, (uint64_t)expires, memory_order_release);
    memset(padded, 0, sizeof(padded));
    (void)hc_copy(padded, sizeof(padded), token);
    hc_words_store(to->token, padded, HC_TOKEN_MAX);
    memset(padded, 0, sizeof(padded));
    (void)hc_copy(padded, sizeof(padded), auth);
    hc_words_store(to->auth, padded, HC_KEYAUTH_MAX);
    atomic_store_explicit(&to->seq, seq + 1, memory_order_release);
}

/* Where this token stands, and what is there, or -1. Under the mutex. */
static int64_t find(const struct hc_table *table, const char *token, struct entry *entry)
{
    uint64_t tag = tag_of(token, strlen(token));

    for (size_t i = 0; i < HC_TOKENS; i++) {
        if (atomic_load(&table->tags[i]) == tag && read_entry(&table->tokens[i], entry) &&
            strcmp(entry->token, token) == 0) {
            return (int64_t)i;
        }
    }
    return -1;
}

/*
 * The agent puts a token that it mirrors again and again, just while the CA asks for it: what is
 * there already is left readable all the time, only its end is moved.
 */
static bool prolong(struct hc_table *table, const char *token, const char *keyauth, int64_t expires)
{
    struct entry entry;
    int64_t at = find(table, token, &entry);

    if (at < 0 || strcmp(entry.auth, keyauth) != 0) {
        return false;
    }
    atomic_store(&table->tokens[at].expires, (uint64_t)expires);
    return true;
}

/* An entry without a tag, else one whose token has expired, else -1. Under the mutex. */
static int64_t find_free(const struct hc_table *table, int64_t now)
{
    int64_t expired = -1;

    for (size_t i = 0; i < HC_TOKENS; i++) {
        if (atomic_load(&table->tags[i]) == 0) {
            return (int64_t)i;
        }
        if (expired < 0 && (int64_t)atomic_load(&table->tokens[i].expires) <= now) {
            expired = (int64_t)i;
        }
    }
    return expired;
}

int hc_table_token_put(struct hc_table *table, const char *token, const char *keyauth,
                       int64_t expires, struct hc_error *err)
{
    size_t len = strlen(token);
    struct entry entry;
    int64_t at = -1;

    if (!is_token(token, len) || !is_auth_of(keyauth, token, len)) {
        return hc_error_set(err, HC_P_CA_REPLY, NULL, "its token is not one of RFC 8555");
    }
    if (hc_table_lock(table, err) != 0) {
        return -1;
    }
    if (prolong(table, token, keyauth, expires)) {
        hc_table_unlock(table);
        return 0;
    }
    at = find(table, token, &entry);
    if (at < 0) {
        at = find_free(table, hc_now(&hc_clock_system));
    }
    if (at >= 0) {
        atomic_store(&table->tags[at], 0);
        write_entry(&table->tokens[at], token, keyauth, expires);
        atomic_store_explicit(&table->tags[at], tag_of(token, len), memory_order_release);
    }
    hc_table_unlock(table);
    if (at < 0) {
        return hc_error_set(err, HC_P_TABLE_FULL, "live table", "%d tokens are pending", HC_TOKENS);
    }
    return 0;
}

int hc_table_token_remove(struct hc_table *table, const char *token, struct hc_error *err)
{
    struct entry entry;
    int64_t at = -1;

    if (!is_token(token, strlen(token))) {
        return 0;
    }
    if (hc_table_lock(table, err) != 0) {
        return -1;
    }
    at = find(table, token, &entry);
    if (at >= 0) {
        atomic_store(&table->tags[at], 0);
        write_entry(&table->tokens[at], "", "", 0);
    }
    hc_table_unlock(table);
    return 0;
}

void hc_token_recover(struct hc_table *table)
{
    for (size_t i = 0; i < HC_TOKENS; i++) {
        if ((atomic_load(&table->tokens[i].seq) & 1) != 0) {
            atomic_store(&table->tags[i], 0);
            write_entry(&table->tokens[i], "", "", 0);
        }
    }
}
