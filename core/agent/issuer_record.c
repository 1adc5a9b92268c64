/* What is remembered of one issuer; see issuer_record.h. */
#include "agent/issuer_record.h"

#include <stdlib.h>
#include <string.h>

#include "base/vec.h"

static int compare_name(const void *key, const void *item)
{
    return strcmp(key, ((const struct hc_name_ladder *)item)->name);
}

static size_t name_place(const struct hc_issuer_record *record, const char *name, bool *found)
{
    size_t at = 0;

    *found = hc_vec_place(name, record->names, record->name_count, sizeof(*record->names),
                          compare_name, &at);
    return at;
}

struct hc_ladder *hc_issuer_record_find(const struct hc_issuer_record *record, const char *name)
{
    bool found = false;
    size_t at = name_place(record, name, &found);

    return found && record->names[at].ladder.failures > 0 ? &record->names[at].ladder : NULL;
}

struct hc_ladder *hc_issuer_record_name(struct hc_issuer_record *record, const char *name)
{
    bool found = false;
    size_t at = name_place(record, name, &found);
    struct hc_name_ladder *names = NULL;
    char *copy = NULL;

    if (found) {
        return &record->names[at].ladder;
    }
    names = hc_vec_room(record->names, record->name_count, &record->name_cap, sizeof(*names), NULL);
    if (names == NULL) {
        return NULL;
    }
    record->names = names;
    if (hc_strdup(name, &copy, NULL) != 0) {
        return NULL;
    }
    memmove(record->names + at + 1, record->names + at,
            (record->name_count - at) * sizeof(*record->names));
    record->names[at] = (struct hc_name_ladder){.name = copy};
    record->name_count++;
    return &record->names[at].ladder;
}

bool hc_issuer_record_clear(struct hc_issuer_record *record, const char *name, int64_t now)
{
    struct hc_ladder *ladder = hc_issuer_record_find(record, name);

    if (ladder == NULL) {
        return false;
    }
    *ladder = (struct hc_ladder){.last = now};
    return true;
}

void hc_issuer_record_clear_all(struct hc_issuer_record *record, int64_t now)
{
    for (size_t i = 0; i < record->name_count; i++) {
        if (record->names[i].ladder.failures > 0) {
            record->names[i].ladder = (struct hc_ladder){.last = now};
        }
    }
}

static void drop_forgotten(struct hc_issuer_record *record, int64_t now)
{
    size_t kept = 0;

    for (size_t i = 0; i < record->name_count; i++) {
        if (hc_ladder_is_forgotten(&record->names[i].ladder, now)) {
            free(record->names[i].name);
        } else {
            record->names[kept++] = record->names[i];
        }
    }
    record->name_count = kept;
}

int hc_issuer_record_merge(struct hc_issuer_record *record, const struct hc_issuer_record *other,
                           int64_t now, struct hc_error *err)
{
    drop_forgotten(record, now);
    if (hc_breaker_merge(&record->breaker, &other->breaker)) {
        hc_kept_error_copy(&record->last.error, &other->last.error); /* it goes with the breaker */
        record->last.at = other->last.at;
    }
    for (size_t i = 0; i < other->name_count; i++) {
        struct hc_ladder *ladder = hc_issuer_record_name(record, other->names[i].name);

        if (ladder == NULL) {
            return hc_error_nomem(err);
        }
        if (other->names[i].ladder.last > ladder->last) {
            *ladder = other->names[i].ladder;
        }
    }
    return hc_tried_merge(&record->tried, &other->tried, now, err);
}

void hc_issuer_record_pull_back(struct hc_issuer_record *record, int64_t now)
{
    hc_breaker_pull_back(&record->breaker, now);
    for (size_t i = 0; i < record->name_count; i++) {
        hc_ladder_pull_back(&record->names[i].ladder, now);
    }
    hc_tried_pull_back(&record->tried, now);
}

void hc_issuer_record_dispose(struct hc_issuer_record *record)
{
    for (size_t i = 0; i < record->name_count; i++) {
        free(record->names[i].name);
    }
    free(record->names);
    hc_tried_dispose(&record->tried);
    hc_last_error_clear(&record->last);
    memset(record, 0, sizeof(*record));
}
