/* hc_answer: kinds and their rules; see answer.h. */
#include "live/answer.h"

#include <ctype.h>
#include <openssl/crypto.h>
#include <openssl/sha.h>
#include <stdlib.h>
#include <string.h>

static bool is_base64url(const char *text, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        if (!isalnum((unsigned char)text[i]) && text[i] != '-' && text[i] != '_') {
            return false;
        }
    }
    return len > 0;
}

/* RFC 8555 section 8.3: a token; CAs use 43 characters. */
static bool is_token(const char *key)
{
    size_t len = strlen(key);

    return len < HC_TOKEN_MAX && is_base64url(key, len);
}

/* The token, a full stop, the account key's thumbprint. */
static bool is_key_authorization(const char *key, const char *value)
{
    size_t len = strlen(key);
    size_t total = strlen(value);

    return total < HC_KEYAUTH_MAX && total > len + 1 && memcmp(value, key, len) == 0 &&
           value[len] == '.' && is_base64url(value + len + 1, total - len - 1);
}

/* A name as DNS has it, lower case; underscores are of service labels. */
static bool is_dns_name(const char *key)
{
    for (const char *p = key; *p != '\0'; p++) {
        if (!islower((unsigned char)*p) && !isdigit((unsigned char)*p) &&
            strchr("-_.", *p) == NULL) {
            return false;
        }
    }
    return key[0] != '\0' && strlen(key) < HC_ANSWER_KEY_MAX;
}

static bool is_pem(const char *key HC_UNUSED, const char *value)
{
    return strlen(value) < HC_ANSWER_VALUE_MAX && strncmp(value, "-----BEGIN ", 11) == 0;
}

/* One string of a record: printable, 255 octets at most. */
static bool is_record_text(const char *key HC_UNUSED, const char *value)
{
    size_t len = strlen(value);

    for (size_t i = 0; i < len; i++) {
        if (!isprint((unsigned char)value[i])) {
            return false;
        }
    }
    return len > 0 && len <= 255;
}

static const struct {
    const char *word;
    bool served;
    bool secret;
    bool (*is_key)(const char *key);
    bool (*is_value)(const char *key, const char *value);
} kinds[] = {
    [HC_ANSWER_HTTP] = {"http", true, true, is_token, is_key_authorization},
    [HC_ANSWER_TLS] = {"tls", true, false, is_dns_name, is_pem},
    [HC_ANSWER_TXT] = {"txt", false, false, is_dns_name, is_record_text},
};
_Static_assert(HC_COUNT(kinds) == HC_ANSWER_KINDS, "a row for each kind");

const char *hc_answer_kind_word(enum hc_answer_kind kind)
{
    return kinds[kind].word;
}

bool hc_answer_kind_find(const char *word, enum hc_answer_kind *kind)
{
    for (size_t i = 0; i < HC_COUNT(kinds); i++) {
        if (strcmp(kinds[i].word, word) == 0) {
            *kind = (enum hc_answer_kind)i;
            return true;
        }
    }
    return false;
}

bool hc_answer_kind_is_secret(enum hc_answer_kind kind)
{
    return kinds[kind].secret;
}

bool hc_answer_kind_is_served(enum hc_answer_kind kind)
{
    return kinds[kind].served;
}

int hc_answer_check(const struct hc_answer *answer, struct hc_error *err)
{
    if (!kinds[answer->kind].is_key(answer->key)) {
        return hc_error_set(err, HC_P_CA_REPLY, answer->name,
                            "its challenge asks for what no answer can be given to (%s)",
                            kinds[answer->kind].word);
    }
    if (!kinds[answer->kind].is_value(answer->key, answer->value)) {
        return hc_error_set(err, HC_P_CA_REPLY, answer->name,
                            "the answer to its challenge is not one that can be given (%s)",
                            kinds[answer->kind].word);
    }
    return 0;
}

bool hc_answer_same_place(const struct hc_answer *a, const struct hc_answer *b)
{
    return a->kind == b->kind && strcmp(a->key, b->key) == 0;
}

bool hc_answer_equal(const struct hc_answer *a, const struct hc_answer *b)
{
    return hc_answer_same_place(a, b) && strcmp(a->value, b->value) == 0;
}

static bool has_turn(const struct hc_answer *answer, int64_t now)
{
    return now < answer->expires - HC_ANSWER_LIFE_S + HC_ANSWER_TURN_S;
}

bool hc_answer_goes_first(const struct hc_answer *a, const struct hc_answer *b, int64_t now)
{
    bool turn = has_turn(a, now);

    if (turn != has_turn(b, now)) {
        return turn;
    }
    if (a->expires != b->expires) {
        return turn ? a->expires < b->expires : a->expires > b->expires;
    }
    return strcmp(a->value, b->value) < 0;
}

void hc_answer_place(enum hc_answer_kind kind, const char *key, size_t len,
                     unsigned char place[HC_ID_SIZE])
{
    unsigned char text[1 + HC_ANSWER_KEY_MAX];

    len = len < HC_ANSWER_KEY_MAX ? len : HC_ANSWER_KEY_MAX;
    text[0] = (unsigned char)kind;
    memcpy(text + 1, key, len);
    SHA256(text, 1 + len, place);
}

/* Appends text with its NUL to memory at *used. */
static const char *append(char *memory, size_t *used, const char *text)
{
    char *at = memory + *used;
    size_t size = strlen(text) + 1;

    memcpy(at, text, size);
    *used += size;
    return at;
}

static size_t size_of(const struct hc_answer *answer)
{
    return strlen(answer->name) + strlen(answer->key) + strlen(answer->value) + 3;
}

int hc_answer_copy(struct hc_answer *out, const struct hc_answer *from, struct hc_error *err)
{
    struct hc_answer copy = *from;
    size_t used = 0;

    copy.memory = malloc(size_of(from));
    if (copy.memory == NULL) {
        return hc_error_nomem(err);
    }
    copy.name = append(copy.memory, &used, from->name);
    copy.key = append(copy.memory, &used, from->key);
    copy.value = append(copy.memory, &used, from->value);
    *out = copy;
    return 0;
}

void hc_answer_dispose(struct hc_answer *answer)
{
    if (answer->memory != NULL) {
        OPENSSL_cleanse(answer->memory, size_of(answer));
        free(answer->memory);
    }
    *answer = (struct hc_answer){.kind = answer->kind};
}
