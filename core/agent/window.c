/* When the CA wants a certificate renewed; see window.h. */
#include "agent/window.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "store/record.h"

#define KIND       "renewal"
#define FORMAT     1
#define RECORD_MAX ((size_t)8 << 10)

static int take_text(const json_t *object, const char *key, char **out, struct hc_error *err)
{
    const char *text = json_string_value(json_object_get(object, key));

    return hc_strdup(text != NULL ? text : "", out, err);
}

static int64_t take_int(const json_t *object, const char *key)
{
    return (int64_t)json_integer_value(json_object_get(object, key));
}

static int decode(struct hc_bytes text, struct hc_window_record *record, struct hc_error *err)
{
    json_t *object = json_loadb((const char *)text.data, text.len, JSON_REJECT_DUPLICATES, NULL);
    const char *explanation = NULL;
    int64_t failures = take_int(object, "failures");
    int rc = -1;

    if (!json_is_object(object) || take_int(object, "format") != FORMAT) {
        hc_error_set(err, HC_P_STORE_DAMAGED, NULL, "this version cannot read the record");
        goto out;
    }
    record->next = take_int(object, "next");
    record->until = take_int(object, "until");
    record->failures = failures > 0 && failures < 100 ? (unsigned)failures : 0;
    record->window.start = take_int(object, "start");
    record->window.end = take_int(object, "end");
    if (record->window.start <= 0 || record->window.end <= record->window.start) {
        record->window.start = record->window.end = 0;
    }
    explanation = json_string_value(json_object_get(object, "explanation"));
    if (take_text(object, "serial", &record->serial, err) != 0 ||
        take_text(object, "id", &record->id, err) != 0 ||
        take_text(object, "directory", &record->directory, err) != 0 ||
        take_text(object, "account", &record->account, err) != 0 ||
        (explanation != NULL && hc_strdup(explanation, &record->window.explanation, err) != 0)) {
        hc_window_record_dispose(record);
        goto out;
    }
    rc = 0;
out:
    json_decref(object);
    return rc;
}

int hc_window_record_new(const struct hc_line_info *info, struct hc_pair *pair, const char *account,
                         struct hc_window_record *record, struct hc_error *err)
{
    struct hc_buf id = HC_BUF_INIT(512);
    int rc = -1;

    if (!hc_ari_id(hc_pair_leaf(pair), &id)) {
        hc_buf_reset(&id);
    }
    if (hc_strdup(info->serial, &record->serial, err) == 0 &&
        hc_strdup(hc_buf_text(&id), &record->id, err) == 0 &&
        hc_strdup(info->issuer, &record->directory, err) == 0 &&
        hc_strdup(account != NULL ? account : "", &record->account, err) == 0) {
        rc = 0;
    }
    hc_buf_dispose(&id);
    return rc;
}

int hc_window_record_load(struct hc_store *store, const char *name, const struct hc_line_info *info,
                          struct hc_window_record *record, struct hc_error *err)
{
    struct hc_buf text = HC_BUF_INIT_SECRET(RECORD_MAX);
    int rc = hc_store_get(store, KIND, name, &text, err);

    if (rc == 0) {
        rc = decode(hc_bytes_of(&text), record, err);
    }
    if (rc == 0 && (strcmp(record->serial, info->serial) != 0 ||
                    strcmp(record->directory, info->issuer) != 0)) {
        hc_window_record_dispose(record);
        rc = hc_error_set(err, HC_P_STORE_EMPTY, name, "it is of another certificate");
    }
    hc_buf_dispose(&text);
    return rc;
}

int hc_window_record_store(struct hc_store *store, const char *name,
                           const struct hc_window_record *record, struct hc_error *err)
{
    json_t *object =
        json_pack("{s:i, s:s, s:s, s:s, s:s, s:I, s:I, s:s?, s:I, s:I, s:i}", "format", FORMAT,
                  "serial", record->serial, "id", record->id, "directory", record->directory,
                  "account", record->account, "start", (json_int_t)record->window.start, "end",
                  (json_int_t)record->window.end, "explanation", record->window.explanation, "next",
                  (json_int_t)record->next, "until", (json_int_t)record->until, "failures",
                  (int)record->failures);
    char *text = object != NULL ? json_dumps(object, JSON_COMPACT | JSON_ENSURE_ASCII) : NULL;
    int rc = -1;

    if (text == NULL) {
        hc_error_nomem(err);
    } else {
        rc = hc_store_put(store, KIND, name,
                          (struct hc_bytes){(const unsigned char *)text, strlen(text)}, err);
    }
    free(text);
    json_decref(object);
    return rc;
}

void hc_window_record_dispose(struct hc_window_record *record)
{
    free(record->serial);
    free(record->id);
    free(record->directory);
    free(record->account);
    hc_ari_window_dispose(&record->window);
    *record = (struct hc_window_record){0};
}

struct hc_window hc_window_of(const struct hc_window_record *record,
                              const struct hc_line_info *info, int64_t now)
{
    int64_t start = record->window.start;
    int64_t end = record->window.end;
    struct hc_window window = {
        .next = record->next, .until = record->until, .version = (uint32_t)info->version};

    if (start > 0 && end > start) {
        window.start = start;
        window.span = end - start > HC_WINDOW_SPAN ? HC_WINDOW_SPAN : (uint32_t)(end - start);
        window.drawn = (uint32_t)(hc_ari_instant(start, start + window.span, record->id) - start);
    }
    hc_window_pull_back(&window, now);
    return window;
}

void hc_window_pull_back(struct hc_window *window, int64_t now)
{
    if (window->next > now + HC_ARI_PAUSE_MOST) {
        window->next = now;
    }
    if (window->until > now + 2 * HC_ARI_PAUSE_MOST) {
        window->until = now + 2 * HC_ARI_PAUSE_MOST;
    }
}

bool hc_window_is_of(const struct hc_window *window, const struct hc_line_info *info)
{
    return window->version == (uint32_t)info->version;
}

bool hc_window_counts(const struct hc_window *window, const struct hc_line_info *info, int64_t now)
{
    return hc_window_is_of(window, info) && window->start > 0 && now < window->until;
}
