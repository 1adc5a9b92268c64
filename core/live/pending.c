/*
 * The answers that stand in the table: in slots of their own, found by kind and key (a SHA-256 of
 * both), so that a request for what nobody asked us to answer costs a microsecond however many are
 * pending. The payload of an answer's extent is when it is over, and its value.
 */
#include <openssl/crypto.h>
#include <string.h>

#include "base/time.h"
#include "live/layout.h"

#define HEAD  sizeof(int64_t)
#define TRIES 8 /* of as many each */

/* False: it is not one, or another process made it, and not by these rules. */
static bool read_value(enum hc_answer_kind kind, const char *key, int64_t now, struct hc_buf *value)
{
    char copy[HC_ANSWER_KEY_MAX];
    struct hc_answer answer = {.kind = kind, .name = "", .key = copy};
    int64_t expires = 0;

    if (value->len <= HEAD || value->len > HEAD + HC_ANSWER_VALUE_MAX ||
        memchr(value->data + HEAD, '\0', value->len - HEAD) != NULL) {
        return false;
    }
    memcpy(&expires, value->data, HEAD);
    memmove(value->data, value->data + HEAD, value->len - HEAD);
    value->len -= HEAD;
    value->data[value->len] = '\0';
    answer.value = hc_buf_text(value);
    (void)hc_copy(copy, sizeof(copy), key);
    return expires > now && hc_answer_check(&answer, NULL) == 0;
}

/* The agent may put the answer again just while the CA asks: then there is one all the time. */
static bool copy_out(const struct hc_table *table, int64_t at,
                     const unsigned char place[HC_ID_SIZE], struct hc_buf *out)
{
    uint64_t ignored = 0;
    int rc = -1;

    for (int i = 0; i < TRIES && rc < 0; i++) {
        rc = hc_extent_read(table, &(struct hc_slot_place){&table->answers, at, place}, &ignored,
                            out, NULL);
    }
    return rc == 1;
}

bool hc_table_answer_get(const struct hc_table *table, enum hc_answer_kind kind, const char *key,
                         size_t len, int64_t now, struct hc_buf *value)
{
    unsigned char place[HC_ID_SIZE];
    char copy[HC_ANSWER_KEY_MAX];
    int64_t at = -1;

    hc_buf_reset(value);
    if (len == 0 || len >= sizeof(copy) || memchr(key, '\0', len) != NULL) {
        return false;
    }
    hc_answer_place(kind, key, len, place);
    at = hc_slot_find(&table->answers, place);
    if (hc_slot_value(&table->answers, at) == 0 || !copy_out(table, at, place, value)) {
        return false;
    }
    memcpy(copy, key, len);
    copy[len] = '\0';
    if (!read_value(kind, copy, now, value)) {
        hc_buf_reset(value);
        return false;
    }
    return true;
}

static void take_away(struct hc_table *table, int64_t at)
{
    hc_slot_empty(table, &table->answers, at);
    hc_slot_forget(&table->answers, at);
}

/* When the answer in a slot is over; 0 if that cannot be told. Under the mutex. */
static int64_t expires_at(const struct hc_table *table, int64_t at)
{
    const struct hc_extent *extent = hc_extent_at(table, hc_slot_value(&table->answers, at));
    int64_t expires = 0;

    if (extent != NULL) {
        hc_words_load(&expires, extent->payload, sizeof(expires));
    }
    return expires;
}

/* Those of orders whose agent died, mostly. Under the mutex. */
static void drop_expired(struct hc_table *table, int64_t now)
{
    for (size_t i = 0; i < table->answers.count; i++) {
        if (hc_slot_value(&table->answers, (int64_t)i) != 0 &&
            expires_at(table, (int64_t)i) <= now) {
            take_away(table, (int64_t)i);
        }
    }
}

/* One try. Under the mutex. */
static int put(struct hc_table *table, const unsigned char place[HC_ID_SIZE],
               struct hc_bytes payload, struct hc_error *err)
{
    bool fresh = false;
    int64_t at = hc_slot_claim(&table->answers, place, &fresh);

    if (at < 0) {
        return hc_error_set(err, HC_P_TABLE_FULL, "live table",
                            "all %zu places for answers to challenges are in use",
                            table->answers.count);
    }
    return hc_slot_fill(table, &(struct hc_slot_place){&table->answers, at, place}, fresh, payload,
                        err);
}

int hc_table_answer_put(struct hc_table *table, const struct hc_answer *answer, int64_t now,
                        struct hc_error *err)
{
    unsigned char payload[HEAD + HC_ANSWER_VALUE_MAX];
    unsigned char place[HC_ID_SIZE];
    struct hc_bytes bytes = {payload, 0};
    int rc = 0;

    if (hc_answer_check(answer, err) != 0) {
        return -1;
    }
    bytes.len = HEAD + strlen(answer->value);
    memcpy(payload, &answer->expires, HEAD);
    memcpy(payload + HEAD, answer->value, bytes.len - HEAD);
    hc_answer_place(answer->kind, answer->key, strlen(answer->key), place);
    rc = hc_table_lock(table, err);
    if (rc == 0) {
        if (put(table, place, bytes, NULL) != 0) {
            drop_expired(table, now);
            rc = put(table, place, bytes, err);
        }
        hc_table_unlock(table);
    }
    OPENSSL_cleanse(payload, sizeof(payload));
    return rc;
}

int hc_table_answer_remove(struct hc_table *table, const struct hc_answer *answer,
                           struct hc_error *err)
{
    unsigned char place[HC_ID_SIZE];
    int64_t at = -1;

    hc_answer_place(answer->kind, answer->key, strlen(answer->key), place);
    if (hc_table_lock(table, err) != 0) {
        return -1;
    }
    at = hc_slot_find(&table->answers, place);
    if (at >= 0) {
        take_away(table, at);
    }
    hc_table_unlock(table);
    return 0;
}
