/*
 * Found by a hash of all their bytes, where a text begins as one of them does: a CA that gives many
 * tokens one beginning makes nothing slow. See redaction.h.
 */
#include "base/redaction.h"

#include <stdlib.h>
#include <string.h>

#include "base/hash.h"

struct text {
    struct text *next; /* of those with this hash */
    uint64_t hash;
    size_t added; /* so often */
    size_t len;
    char bytes[];
};

#define BEGINNINGS 1024 /* a power of two */

struct hc_redaction {
    struct text **chains; /* a power of two */
    size_t cap, count;
    size_t beginnings[BEGINNINGS];        /* how many begin with bytes of this hash */
    size_t lengths[HC_REDACTED_MOST + 1]; /* how many are so long */
    size_t longest;                       /* that ever was */
    struct hc_log log;
    const struct hc_log *to;
};

static bool is_listed(size_t len)
{
    return len >= HC_REDACTED_LEAST && len <= HC_REDACTED_MOST;
}

static size_t *beginning_of(struct hc_redaction *redaction, const char *text)
{
    return &redaction->beginnings[hc_hash_bytes(text, HC_REDACTED_LEAST, HC_HASH_SEED) &
                                  (BEGINNINGS - 1)];
}

/* Where the pointer to this one is, or would be. */
static struct text **place_of(const struct hc_redaction *redaction, const char *text, size_t len)
{
    uint64_t hash = hc_hash_bytes(text, len, HC_HASH_SEED);
    struct text **at = &redaction->chains[hash & (redaction->cap - 1)];

    while (*at != NULL &&
           ((*at)->hash != hash || (*at)->len != len || memcmp((*at)->bytes, text, len) != 0)) {
        at = &(*at)->next;
    }
    return at;
}

static int grow(struct hc_redaction *redaction, struct hc_error *err)
{
    size_t cap = redaction->cap > 0 ? redaction->cap * 2 : 16;
    struct text **chains = calloc(cap, sizeof(struct text *));

    if (chains == NULL) {
        return hc_error_nomem(err);
    }
    for (size_t i = 0; i < redaction->cap; i++) {
        while (redaction->chains[i] != NULL) {
            struct text *text = redaction->chains[i];

            redaction->chains[i] = text->next;
            text->next = chains[text->hash & (cap - 1)];
            chains[text->hash & (cap - 1)] = text;
        }
    }
    free(redaction->chains);
    redaction->chains = chains;
    redaction->cap = cap;
    return 0;
}

int hc_redaction_add(struct hc_redaction *redaction, const char *text, struct hc_error *err)
{
    size_t len = strlen(text);
    struct text **at = NULL;
    struct text *made = NULL;

    if (redaction == NULL || !is_listed(len)) {
        return 0;
    }
    if (redaction->count == redaction->cap && grow(redaction, err) != 0) {
        return -1;
    }
    at = place_of(redaction, text, len);
    if (*at != NULL) {
        (*at)->added++;
        return 0;
    }
    made = malloc(sizeof(*made) + len);
    if (made == NULL) {
        return hc_error_nomem(err);
    }
    *made = (struct text){.hash = hc_hash_bytes(text, len, HC_HASH_SEED), .added = 1, .len = len};
    memcpy(made->bytes, text, len);
    *at = made;
    redaction->count++;
    ++*beginning_of(redaction, text);
    redaction->lengths[len]++;
    redaction->longest = len > redaction->longest ? len : redaction->longest;
    return 0;
}

static void text_free(struct text *text)
{
    explicit_bzero(text->bytes, text->len);
    free(text);
}

void hc_redaction_remove(struct hc_redaction *redaction, const char *text)
{
    size_t len = strlen(text);
    struct text **at = NULL;
    struct text *found = NULL;

    if (redaction == NULL || redaction->cap == 0 || !is_listed(len)) {
        return;
    }
    at = place_of(redaction, text, len);
    found = *at;
    if (found != NULL && --found->added == 0) {
        *at = found->next;
        --*beginning_of(redaction, text);
        redaction->lengths[len]--;
        redaction->count--;
        text_free(found);
    }
}

size_t hc_redaction_match(struct hc_redaction *redaction, const char *text)
{
    size_t len = redaction != NULL ? strnlen(text, redaction->longest) : 0;

    if (len < HC_REDACTED_LEAST || *beginning_of(redaction, text) == 0) {
        return 0;
    }
    while (len >= HC_REDACTED_LEAST &&
           (redaction->lengths[len] == 0 || *place_of(redaction, text, len) == NULL)) {
        len--;
    }
    return len >= HC_REDACTED_LEAST ? len : 0;
}

static void put_line(void *self, enum hc_level level, const char *text)
{
    struct hc_redaction *redaction = self;
    char line[HC_LOG_LINE];
    size_t used = 0;

    while (*text != '\0') {
        size_t secret = hc_redaction_match(redaction, text);
        const char *piece = secret > 0 ? HC_REDACTED : text;
        size_t len = secret > 0 ? strlen(HC_REDACTED) : 1;

        if (used + len >= sizeof(line)) {
            break;
        }
        memcpy(line + used, piece, len);
        used += len;
        text += secret > 0 ? secret : 1;
    }
    line[used] = '\0';
    redaction->to->line(redaction->to->self, level, line);
}

int hc_redaction_clean(struct hc_redaction *redaction, struct hc_bytes bytes, struct hc_buf *out,
                       struct hc_error *err)
{
    struct hc_buf raw = HC_BUF_INIT_SECRET(bytes.len + 1);
    int rc = hc_buf_append(&raw, bytes.data, bytes.len, err);
    const char *at = hc_buf_text(&raw);
    const char *end = at + raw.len;

    while (rc == 0 && at < end) {
        size_t secret = hc_redaction_match(redaction, at);

        rc = secret > 0 ? hc_buf_puts(out, HC_REDACTED, err) : hc_buf_append(out, at, 1, err);
        at += secret > 0 ? secret : 1;
    }
    while (out->len > 0 && strchr(" \t\r\n", out->data[out->len - 1]) != NULL) {
        out->data[--out->len] = '\0';
    }
    hc_buf_dispose(&raw);
    return rc;
}

const struct hc_log *hc_redaction_log(struct hc_redaction *redaction, const struct hc_log *log)
{
    if (log == NULL) {
        return NULL;
    }
    redaction->to = log;
    redaction->log = (struct hc_log){redaction, log->most, put_line};
    return &redaction->log;
}

int hc_redaction_new(struct hc_redaction **out, struct hc_error *err)
{
    *out = calloc(1, sizeof(**out));
    return *out != NULL ? 0 : hc_error_nomem(err);
}

void hc_redaction_free(struct hc_redaction *redaction)
{
    if (redaction == NULL) {
        return;
    }
    for (size_t i = 0; i < redaction->cap; i++) {
        while (redaction->chains[i] != NULL) {
            struct text *text = redaction->chains[i];

            redaction->chains[i] = text->next;
            text_free(text);
        }
    }
    free(redaction->chains);
    free(redaction);
}
