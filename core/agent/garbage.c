/* What nobody wants any more; see garbage.h. */
#include "agent/garbage.h"

#include <stdlib.h>
#include <string.h>

#include "agent/said.h"
#include "agent/select.h"
#include "base/vec.h"
#include "loop/timer.h"
#include "store/line.h"
#include "store/record.h"

#define SWEEP_MS    3600000
#define SWEEP_SOON  60000 /* while bundles rest */
#define TABLE_REST  600000
#define EXPIRED_FOR ((int64_t)30 * 86400)

/* A bundle that the configuration does not name, and since when we know. */
struct seen {
    unsigned char id[HC_ID_SIZE];
    int64_t since_ms;
    bool still_there;
};

struct hc_garbage {
    const struct hc_env *env;
    struct hc_storage *storage;
    const struct hc_clock_watch *clock;
    struct hc_table *table;
    struct hc_timer due; /* the next sweep */
    struct seen *unwanted;
    size_t unwanted_count;
};

/* ---- what is wanted ---- */

static int compare_ids(const void *a, const void *b)
{
    return memcmp(*(const unsigned char *const *)a, *(const unsigned char *const *)b, HC_ID_SIZE);
}

/* Sorted, so that as many are found as there may be garbage. Borrowed. */
struct ids {
    const unsigned char **items;
    size_t count;
};

static bool ids_new(struct ids *ids, size_t cap)
{
    ids->count = 0;
    ids->items = calloc(cap + 1, sizeof(*ids->items));
    return ids->items != NULL;
}

static void ids_sort(struct ids *ids)
{
    qsort(ids->items, ids->count, sizeof(*ids->items), compare_ids);
}

static bool ids_have(const struct ids *ids, const unsigned char id[HC_ID_SIZE])
{
    return bsearch(&id, ids->items, ids->count, sizeof(*ids->items), compare_ids) != NULL;
}

/* ---- the table ---- */

static int compare_seen(const void *a, const void *b)
{
    const struct seen *left = a;
    const struct seen *right = b;

    return memcmp(left->id, right->id, HC_ID_SIZE);
}

struct search {
    struct hc_garbage *garbage;
    struct ids configured;
    size_t known; /* that many of garbage->unwanted are sorted */
};

static int note_bundle(void *arg, const unsigned char id[HC_ID_SIZE])
{
    struct search *search = arg;
    struct hc_garbage *garbage = search->garbage;
    struct seen fresh = {.since_ms = hc_env_ms(garbage->env), .still_there = true};
    struct seen *seen = NULL;

    if (ids_have(&search->configured, id)) {
        return 0;
    }
    memcpy(fresh.id, id, HC_ID_SIZE);
    seen = search->known > 0
               ? bsearch(&fresh, garbage->unwanted, search->known, sizeof(fresh), compare_seen)
               : NULL;
    if (seen != NULL) {
        seen->still_there = true;
        return 0;
    }
    seen = hc_vec_room(garbage->unwanted, garbage->unwanted_count, NULL, sizeof(*seen), NULL);
    if (seen != NULL) { /* else it is found again at the next sweep */
        garbage->unwanted = seen;
        garbage->unwanted[garbage->unwanted_count++] = fresh;
    }
    return 0;
}

/* What is in the table and not configured is in garbage->unwanted then. */
static int sweep_table(struct hc_garbage *garbage, struct hc_error *err)
{
    struct search search = {.garbage = garbage, .known = garbage->unwanted_count};
    int rc = -1;

    if (!ids_new(&search.configured, garbage->env->conf->identity_count)) {
        return hc_error_nomem(err);
    }
    for (size_t i = 0; i < garbage->env->conf->identity_count; i++) {
        search.configured.items[search.configured.count++] = garbage->env->conf->identities[i].id;
    }
    ids_sort(&search.configured);
    rc = hc_table_each(garbage->table, note_bundle, &search, err);
    if (garbage->unwanted_count > 0) {
        qsort(garbage->unwanted, garbage->unwanted_count, sizeof(*garbage->unwanted), compare_seen);
    }
    free(search.configured.items);
    return rc;
}

static void clean_table(struct hc_garbage *garbage)
{
    int64_t now = hc_env_ms(garbage->env);
    size_t kept = 0;
    struct hc_error err;

    hc_error_init(&err);
    for (size_t i = 0; i < garbage->unwanted_count; i++) {
        garbage->unwanted[i].still_there = false;
    }
    if (sweep_table(garbage, &err) != 0) {
        hc_log_error(garbage->env->log, HC_LOG_WARN, "searching the table", &err);
        return;
    }
    for (size_t i = 0; i < garbage->unwanted_count; i++) {
        struct seen *seen = &garbage->unwanted[i];

        if (seen->still_there && now - seen->since_ms < TABLE_REST) {
            garbage->unwanted[kept++] = *seen;
        } else if (seen->still_there && hc_table_remove(garbage->table, seen->id, &err) != 0) {
            hc_log_error(garbage->env->log, HC_LOG_WARN, "removing a bundle", &err);
        }
    }
    garbage->unwanted_count = kept;
}

/* ---- the store ---- */

/* The lines of all key types that are obtained, and of all watched pairs. */
struct wanted {
    unsigned char (*lines)[HC_ID_SIZE];
    struct ids ids;
};

static size_t lines_of(const struct hc_identity *identity)
{
    return identity->watched_count +
           (identity->mode == HC_MODE_ON ? identity->set->key_types.count : 0);
}

static void add_lines(struct wanted *wanted, const struct hc_conf *conf,
                      const struct hc_identity *identity)
{
    size_t orders = lines_of(identity) - identity->watched_count;

    for (size_t i = 0; i < lines_of(identity); i++) {
        unsigned char *line = wanted->lines[wanted->ids.count];

        if (i < orders) {
            hc_line_of(identity->id, identity->set->key_types.items[i], line);
        } else {
            hc_watched_line(conf, &identity->watched[i - orders], line);
        }
        wanted->ids.items[wanted->ids.count++] = line;
    }
}

static bool wanted_new(const struct hc_conf *conf, struct wanted *wanted)
{
    size_t count = 0;

    for (size_t i = 0; i < conf->identity_count; i++) {
        count += lines_of(&conf->identities[i]);
    }
    wanted->lines = calloc(count + 1, sizeof(*wanted->lines));
    if (wanted->lines == NULL || !ids_new(&wanted->ids, count)) {
        free(wanted->lines);
        return false;
    }
    for (size_t i = 0; i < conf->identity_count; i++) {
        add_lines(wanted, conf, &conf->identities[i]);
    }
    ids_sort(&wanted->ids);
    return true;
}

static void remove_line(struct hc_garbage *garbage, const struct hc_line_info *info)
{
    struct hc_store *store = hc_storage_store(garbage->storage);
    unsigned char line[HC_ID_SIZE];
    char name[2 * HC_ID_SIZE + 1];
    char names[HC_SUBJECT];
    char until[HC_TIME_TEXT];
    struct hc_error err;

    hc_error_init(&err);
    memcpy(line, info->line, HC_ID_SIZE);
    hc_hex(name, line, HC_ID_SIZE);
    hc_list_format(&info->names, names, sizeof(names));
    hc_time_format(info->not_after, until);
    if (hc_store_remove(store, line, &err) != 0 || hc_store_delete(store, "job", name, &err) != 0 ||
        hc_store_delete(store, "verdict", name, &err) != 0 ||
        hc_store_delete(store, "renewal", name, &err) != 0) {
        hc_storage_failed(garbage->storage, &err);
        return;
    }
    hc_logf(garbage->env->log, HC_LOG_NOTICE,
            "%s: wiped the stored certificate, which ended %s and is not configured", names, until);
    hc_inventory_drop(hc_storage_inventory(garbage->storage), line);
}

static void clean_store(struct hc_garbage *garbage)
{
    int64_t now = hc_env_now(garbage->env);
    struct wanted wanted;

    if (!hc_storage_ready(garbage->storage) || hc_clock_watch_is_wrong(garbage->clock) ||
        !wanted_new(garbage->env->conf, &wanted)) {
        return;
    }
    for (size_t i = hc_storage_inventory(garbage->storage)->count;
         i > 0 && hc_storage_ready(garbage->storage); i--) {
        const struct hc_line_info *info = &hc_storage_inventory(garbage->storage)->items[i - 1];

        if (info->not_after < now - EXPIRED_FOR && !ids_have(&wanted.ids, info->line)) {
            remove_line(garbage, info);
        }
    }
    free(wanted.ids.items);
    free(wanted.lines);
}

static void on_due(void *self)
{
    hc_garbage_run(self);
}

static void sweep_later(struct hc_garbage *garbage)
{
    hc_timer_stop(&garbage->due);
    hc_timer_init(&garbage->due, garbage->env->loop, "garbage", on_due, garbage);
    hc_timer_in(&garbage->due, garbage->unwanted_count > 0 ? SWEEP_SOON : SWEEP_MS);
}

void hc_garbage_run(struct hc_garbage *garbage)
{
    clean_table(garbage);
    clean_store(garbage);
    sweep_later(garbage);
}

/* At a start the clock was not judged yet, so that nothing in the store is old for sure. */
static void on_start(void *self)
{
    struct hc_garbage *garbage = self;

    clean_table(garbage);
    sweep_later(garbage);
}

/* ---- life ---- */

int hc_garbage_new(const struct hc_env *env, struct hc_storage *storage,
                   const struct hc_clock_watch *clock, struct hc_table *table,
                   struct hc_garbage **out, struct hc_error *err)
{
    struct hc_garbage *garbage = calloc(1, sizeof(*garbage));

    if (garbage == NULL) {
        return hc_error_nomem(err);
    }
    garbage->env = env;
    garbage->storage = storage;
    garbage->clock = clock;
    garbage->table = table;
    hc_timer_init(&garbage->due, env->loop, "garbage", on_start, garbage);
    hc_timer_in(&garbage->due, 0);
    *out = garbage;
    return 0;
}

void hc_garbage_free(struct hc_garbage *garbage)
{
    if (garbage == NULL) {
        return;
    }
    hc_timer_stop(&garbage->due);
    free(garbage->unwanted);
    free(garbage);
}
