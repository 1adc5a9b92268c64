/* The agent's memory of jobs and issuers; see record.h. */
#include "agent/record.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "pki/key.h"

#define FORMAT 1

static json_t *json_of_resets(const int64_t resets[HC_RESETS_MAX])
{
    json_t *array = json_array();

    for (size_t i = 0; i < HC_RESETS_MAX; i++) {
        json_array_append_new(array, json_integer(resets[i]));
    }
    return array;
}

static json_t *json_of_ladder(const struct hc_ladder *ladder)
{
    return json_pack("{s:I, s:I, s:I}", "failures", (json_int_t)ladder->failures, "last",
                     (json_int_t)ladder->last, "next", (json_int_t)ladder->next);
}

/* Escaped to ASCII, texts are valid UTF-8 whatever they are. */
static json_t *json_of_error(const struct hc_last_error *last)
{
    struct hc_error_text text;
    struct hc_error err;

    if (last->error.problem == HC_P_NONE) {
        return json_null();
    }
    hc_kept_error_get(&last->error, &err);
    hc_error_render(&err, &text);
    return json_pack("{s:I, s:s, s:s, s:s, s:s}", "at", (json_int_t)last->at, "problem",
                     hc_problem_row(last->error.problem)->slug, "subject", text.subject, "activity",
                     text.activity, "detail", text.detail);
}

static int64_t int_of(const json_t *object, const char *key)
{
    return (int64_t)json_integer_value(json_object_get(object, key));
}

static const char *text_of(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));

    return text != NULL ? text : "";
}

static void resets_from(const json_t *array, int64_t resets[HC_RESETS_MAX])
{
    for (size_t i = 0; i < HC_RESETS_MAX; i++) {
        resets[i] = (int64_t)json_integer_value(json_array_get(array, i));
    }
}

/* In a row; what is no such number is the nearest that is. */
static unsigned failures_from(const json_t *object)
{
    int64_t failures = int_of(object, "failures");

    return failures < 0 ? 0 : failures > 1000 ? 1000 : (unsigned)failures;
}

static void ladder_from(const json_t *object, int64_t now, struct hc_ladder *ladder)
{
    ladder->failures = failures_from(object);
    ladder->last = int_of(object, "last");
    ladder->next = int_of(object, "next");
    hc_ladder_pull_back(ladder, now);
}

static void error_from(const json_t *object, struct hc_last_error *last)
{
    enum hc_problem p = hc_problem_by_slug(text_of(object, "problem"));
    struct hc_error err;

    hc_last_error_clear(last);
    if (!json_is_object(object)) {
        return;
    }
    /* none: a slug of another version */
    hc_error_restore(&err, p != HC_P_NONE ? p : HC_P_INTERNAL, text_of(object, "subject"),
                     text_of(object, "activity"), text_of(object, "detail"), NULL);
    hc_last_error_set(last, &err, int_of(object, "at"));
}

/* Takes the object; its text, which may hold a key, is wiped. */
static int dump(json_t *object, struct hc_buf *out, struct hc_error *err)
{
    char *text = object != NULL ? json_dumps(object, JSON_COMPACT | JSON_ENSURE_ASCII) : NULL;
    int rc = -1;

    if (text == NULL) {
        hc_error_nomem(err);
    } else {
        rc = hc_buf_append(out, text, strlen(text), err);
        OPENSSL_cleanse(text, strlen(text));
        free(text);
    }
    json_decref(object);
    return rc;
}

static json_t *load(struct hc_bytes text, struct hc_error *err)
{
    json_error_t where;
    json_t *object = NULL;

    if (text.len <= HC_RECORD_MAX) {
        object = json_loadb((const char *)text.data, text.len, JSON_REJECT_DUPLICATES, &where);
    }
    if (!json_is_object(object) || int_of(object, "format") != FORMAT) {
        json_decref(object);
        hc_error_set(err, HC_P_STORE_DAMAGED, NULL, "this version cannot read the record");
        return NULL;
    }
    return object;
}

/* ---- jobs ---- */

static void free_order(struct hc_job_order *order)
{
    if (order != NULL) {
        free(order->url);
        free(order->directory);
        hc_list_dispose(&order->names);
        EVP_PKEY_free(order->key);
        free(order);
    }
}

int hc_job_order_new(const struct hc_job_order *order, struct hc_job_order **out,
                     struct hc_error *err)
{
    struct hc_job_order *copy = calloc(1, sizeof(*copy));

    if (copy == NULL || EVP_PKEY_up_ref(order->key) != 1) {
        free(copy);
        return hc_error_nomem(err);
    }
    copy->key = order->key;
    copy->base = order->base;
    if (hc_strdup(order->url, &copy->url, err) != 0 ||
        hc_strdup(order->directory, &copy->directory, err) != 0 ||
        hc_list_copy(&copy->names, &order->names, err) != 0) {
        free_order(copy);
        return -1;
    }
    *out = copy;
    return 0;
}

static json_t *json_of_order(const struct hc_job_order *order, struct hc_error *err)
{
    struct hc_buf der = HC_BUF_INIT_SECRET(HC_KEY_DER_MAX);
    struct hc_buf text = HC_BUF_INIT_SECRET(2 * HC_KEY_DER_MAX);
    json_t *names = json_array();
    json_t *object = NULL;

    if (hc_key_to_der(order->key, &der, err) != 0 ||
        hc_base64url(der.data, der.len, &text, err) != 0) {
        goto out;
    }
    for (size_t i = 0; i < order->names.count; i++) {
        json_array_append_new(names, json_string(order->names.items[i]));
    }
    object =
        json_pack("{s:s, s:s, s:s, s:O, s:I}", "url", order->url, "directory", order->directory,
                  "key", hc_buf_text(&text), "names", names, "base", (json_int_t)order->base);
    if (object == NULL) {
        hc_error_nomem(err);
    }
out:
    json_decref(names);
    hc_buf_dispose(&der);
    hc_buf_dispose(&text);
    return object;
}

int hc_job_record_encode(const struct hc_job_record *record, struct hc_buf *out,
                         struct hc_error *err)
{
    json_t *order = json_null();

    if (record->order != NULL) {
        order = json_of_order(record->order, err);
        if (order == NULL) {
            return -1;
        }
    }
    return dump(json_pack("{s:i, s:I, s:o, s:o, s:o}", "format", FORMAT, "replace",
                          (json_int_t)record->replace, "resets", json_of_resets(record->resets),
                          "error", json_of_error(&record->last), "order", order),
                out, err);
}

static int order_from(const json_t *object, struct hc_job_record *record, struct hc_error *err)
{
    struct hc_buf der = HC_BUF_INIT_SECRET(HC_KEY_DER_MAX);
    const char *key = text_of(object, "key");
    const json_t *names = json_object_get(object, "names");
    struct hc_job_order *order = NULL;
    int rc = -1;

    if (!json_is_object(object)) {
        return 0;
    }
    order = record->order = calloc(1, sizeof(*order));
    if (order == NULL) {
        return hc_error_nomem(err);
    }
    if (hc_base64url_decode(key, strlen(key), &der, err) != 0 ||
        hc_key_from_der(der.data, der.len, &order->key, err) != 0 ||
        hc_strdup(text_of(object, "url"), &order->url, err) != 0 ||
        hc_strdup(text_of(object, "directory"), &order->directory, err) != 0) {
        goto out;
    }
    order->base = (uint64_t)int_of(object, "base");
    for (size_t i = 0; i < json_array_size(names) && i < HC_NAMES_MAX; i++) {
        const char *name = json_string_value(json_array_get(names, i));

        if (name != NULL && hc_list_add(&order->names, name, err) != 0) {
            goto out;
        }
    }
    rc = 0;
out:
    hc_buf_dispose(&der);
    return rc;
}

int hc_job_record_decode(struct hc_bytes text, struct hc_job_record *record, struct hc_error *err)
{
    json_t *object = load(text, err);
    int rc = -1;

    if (object == NULL) {
        return -1;
    }
    memset(record, 0, sizeof(*record));
    resets_from(json_object_get(object, "resets"), record->resets);
    error_from(json_object_get(object, "error"), &record->last);
    record->replace = (uint64_t)int_of(object, "replace");
    rc = order_from(json_object_get(object, "order"), record, err);
    if (rc != 0) {
        hc_job_record_dispose(record);
    }
    json_decref(object);
    return rc;
}

void hc_job_record_forget_order(struct hc_job_record *record)
{
    free_order(record->order);
    record->order = NULL;
}

void hc_job_record_dispose(struct hc_job_record *record)
{
    hc_job_record_forget_order(record);
    hc_last_error_clear(&record->last);
    memset(record, 0, sizeof(*record));
}

/* ---- issuers ---- */

static json_t *json_of_breaker(const struct hc_breaker *breaker)
{
    return json_pack("{s:I, s:I, s:I, s:I}", "failures", (json_int_t)breaker->failures, "since",
                     (json_int_t)breaker->since, "until", (json_int_t)breaker->until, "at",
                     (json_int_t)breaker->at);
}

int hc_issuer_record_encode(const struct hc_issuer_record *record, struct hc_buf *out,
                            struct hc_error *err)
{
    json_t *names = json_object();

    for (size_t i = 0; i < record->name_count && i < HC_RECORD_NAMES; i++) {
        json_object_set_new(names, record->names[i].name, json_of_ladder(&record->names[i].ladder));
    }
    return dump(json_pack("{s:i, s:o, s:o, s:s, s:o, s:o, s:o}", "format", FORMAT, "breaker",
                          json_of_breaker(&record->breaker), "resets",
                          json_of_resets(record->resets), "mark", record->mark, "error",
                          json_of_error(&record->last), "names", names, "tried",
                          hc_tried_to_json(&record->tried)),
                out, err);
}

static int names_from(json_t *names, int64_t now, struct hc_issuer_record *record,
                      struct hc_error *err)
{
    const char *name = NULL;
    json_t *value = NULL;

    json_object_foreach(names, name, value)
    {
        struct hc_ladder read;
        struct hc_ladder *ladder = NULL;

        ladder_from(value, now, &read);
        if (hc_ladder_is_forgotten(&read, now) || record->name_count >= HC_RECORD_NAMES) {
            continue;
        }
        ladder = hc_issuer_record_name(record, name);
        if (ladder == NULL) {
            return hc_error_nomem(err);
        }
        *ladder = read;
    }
    return 0;
}

static void breaker_from(const json_t *object, int64_t now, struct hc_breaker *breaker)
{
    breaker->failures = failures_from(object);
    breaker->since = int_of(object, "since");
    breaker->until = int_of(object, "until");
    breaker->at = int_of(object, "at");
    breaker->probing = false;
    hc_breaker_pull_back(breaker, now);
}

int hc_issuer_record_decode(struct hc_bytes text, int64_t now, struct hc_issuer_record *record,
                            struct hc_error *err)
{
    json_t *object = load(text, err);
    int rc = -1;

    if (object == NULL) {
        return -1;
    }
    memset(record, 0, sizeof(*record));
    breaker_from(json_object_get(object, "breaker"), now, &record->breaker);
    resets_from(json_object_get(object, "resets"), record->resets);
    hc_copy(record->mark, sizeof(record->mark), text_of(object, "mark"));
    error_from(json_object_get(object, "error"), &record->last);
    rc = names_from(json_object_get(object, "names"), now, record, err);
    rc = rc == 0 ? hc_tried_from_json(json_object_get(object, "tried"), now, &record->tried, err)
                 : rc;
    if (rc != 0) {
        hc_issuer_record_dispose(record);
    }
    json_decref(object);
    return rc;
}
