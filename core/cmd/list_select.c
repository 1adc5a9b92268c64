/* What `hotcert list` shows; see list_select.h. */
#include "cmd/list_select.h"

#include <stdlib.h>
#include <string.h>

#include "base/time.h"
#include "conf/name.h"

/* States of a certificate that nobody has to look after. */
static const char *const quiet_states[] = {
    "ok", "queued", "looking", "ordering", "stored", "ordered-elsewhere", "first", "waiting"};

static const char *text_of(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));

    return text != NULL ? text : "";
}

/* Seconds until it expires; INT64_MAX: there is no certificate yet. */
static int64_t time_left(const json_t *certificate, int64_t now)
{
    int64_t until = 0;

    return hc_time_parse(text_of(certificate, "not_after"), &until, NULL) == 0 ? until - now
                                                                               : INT64_MAX;
}

static bool is_quiet(const char *state)
{
    for (size_t i = 0; i < HC_COUNT(quiet_states); i++) {
        if (strcmp(state, quiet_states[i]) == 0) {
            return true;
        }
    }
    return false;
}

bool hc_list_needs_somebody(const json_t *certificate, int64_t now)
{
    if (strcmp(text_of(certificate, "state"), "not-needed") == 0) {
        return false; /* lines that can go */
    }
    return !is_quiet(text_of(certificate, "state")) ||
           json_is_true(json_object_get(certificate, "flawed")) ||
           json_is_object(json_object_get(certificate, "error")) ||
           time_left(certificate, now) <= 0;
}

static bool has_name(const json_t *certificate, const char *wanted)
{
    const json_t *names = json_object_get(certificate, "names");

    for (size_t i = 0; i < json_array_size(names); i++) {
        const char *name = json_string_value(json_array_get(names, i));

        if (name != NULL && (strcmp(name, wanted) == 0 || hc_name_matches(name, wanted))) {
            return true;
        }
    }
    return false;
}

static bool is_asked_for(const json_t *certificate, const struct hc_list_select *how, int64_t now)
{
    bool named = how->names.count == 0;

    for (size_t i = 0; i < how->names.count && !named; i++) {
        named = has_name(certificate, how->names.items[i]);
    }
    if (!named || (!how->failed && how->expiring < 0)) {
        return named;
    }
    return (how->failed && hc_list_needs_somebody(certificate, now)) ||
           (how->expiring >= 0 && time_left(certificate, now) <= how->expiring);
}

static const char *first_name(const json_t *certificate)
{
    const char *name = json_string_value(json_array_get(json_object_get(certificate, "names"), 0));

    return name != NULL ? name : "";
}

static int by_first_name(const void *a, const void *b)
{
    const json_t *left = *(json_t *const *)a;
    const json_t *right = *(json_t *const *)b;
    int order = strcmp(first_name(left), first_name(right));

    order = order != 0 ? order : strcmp(text_of(left, "server"), text_of(right, "server"));
    return order != 0 ? order : strcmp(text_of(left, "key_type"), text_of(right, "key_type"));
}

json_t *hc_list_select(const json_t *certificates, const struct hc_list_select *how, int64_t now)
{
    size_t size = json_array_size(certificates);
    json_t **items = calloc(size + 1, sizeof(json_t *));
    json_t *out = json_array();
    size_t count = 0;
    int rc = items != NULL && out != NULL ? 0 : -1;

    for (size_t i = 0; rc == 0 && i < size; i++) {
        json_t *certificate = json_array_get(certificates, i);

        if (is_asked_for(certificate, how, now)) {
            items[count++] = certificate;
        }
    }
    if (rc == 0) {
        qsort(items, count, sizeof(json_t *), by_first_name);
    }
    for (size_t i = 0; i < count && rc == 0; i++) {
        rc = json_array_append(out, items[i]);
    }
    free(items);
    if (rc != 0) {
        json_decref(out);
        return NULL;
    }
    return out;
}

const char *hc_list_missing(const json_t *certificates, const struct hc_list_select *how)
{
    for (size_t n = 0; n < how->names.count; n++) {
        bool found = false;

        for (size_t i = 0; i < json_array_size(certificates) && !found; i++) {
            found = has_name(json_array_get(certificates, i), how->names.items[n]);
        }
        if (!found) {
            return how->names.items[n];
        }
    }
    return NULL;
}
