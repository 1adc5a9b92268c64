/* The best bundle; see best.h. */
#include "agent/best.h"

#include <string.h>

#define SKIPS_MAX 16 /* unreadable lines that one identity passes over */

struct skips {
    unsigned char lines[SKIPS_MAX][HC_ID_SIZE];
    size_t count;
};

static bool is_skipped(void *arg, const unsigned char line[HC_ID_SIZE])
{
    const struct skips *skips = arg;

    for (size_t i = 0; i < skips->count; i++) {
        if (memcmp(skips->lines[i], line, HC_ID_SIZE) == 0) {
            return true;
        }
    }
    return false;
}

static void select_without(const struct hc_best_source *source, const struct hc_identity *identity,
                           struct skips *skips, struct hc_selection *selection)
{
    struct hc_select_case c = {source->conf, identity,   source->inventory,
                               source->now,  is_skipped, skips};

    hc_select(&c, selection);
}

void hc_best_select(const struct hc_best_source *source, const struct hc_identity *identity,
                    struct hc_selection *selection)
{
    struct skips none = {.count = 0};

    select_without(source, identity, &none, selection);
}

/* Reads one selected line; what is read may be an older version than was announced. */
static int read_line(const struct hc_best_source *source, struct hc_selected *item,
                     struct hc_pair **pair, struct hc_error *err)
{
    struct hc_line_info info;
    int rc = -1;

    memset(&info, 0, sizeof(info));
    if (source->fresh.pair != NULL && item->version == source->fresh.version &&
        memcmp(item->line, source->fresh.line, HC_ID_SIZE) == 0) {
        *pair = hc_pair_ref(source->fresh.pair);
        return 0;
    }
    if (hc_store_current(source->store, item->line, pair, &info, err) != 0) {
        return -1;
    }
    rc = 0;
    if (info.version != item->version || info.committed != item->committed) {
        item->version = info.version;
        item->committed = info.committed;
        rc = hc_inventory_put(source->inventory, &info, err);
    }
    if (rc != 0) {
        hc_pair_free(*pair);
        *pair = NULL;
    }
    hc_line_info_dispose(&info);
    return rc;
}

/* Reads all of a selection; the number of the one that cannot be read, or -1. */
static int read_all(const struct hc_best_source *source, struct hc_selection *selection,
                    struct hc_pair **pairs, struct hc_error *err)
{
    for (size_t i = 0; i < selection->count; i++) {
        if (read_line(source, &selection->items[i], &pairs[i], err) != 0) {
            return (int)i;
        }
    }
    return -1;
}

int hc_best_bundle(const struct hc_best_source *source, const struct hc_identity *identity,
                   struct hc_selection *selection, struct hc_bundle **bundle, struct hc_error *err)
{
    struct skips skips = {.count = 0};

    for (;;) {
        struct hc_pair *pairs[HC_KEY_TYPES_MAX] = {NULL};
        struct hc_error why;
        int bad = -1;

        hc_error_init(&why);
        if (selection->count == 0) {
            return 0;
        }
        bad = read_all(source, selection, pairs, &why);
        if (bad < 0 && hc_bundle_new(pairs, selection->count, bundle, err) == 0) {
            return 1;
        }
        for (size_t i = 0; i < HC_KEY_TYPES_MAX; i++) {
            hc_pair_free(pairs[i]);
        }
        if (bad < 0) {
            return -1;
        }
        if (why.problem != HC_P_STORE_EMPTY && why.problem != HC_P_STORE_DAMAGED) {
            return hc_error_chain(err, &why);
        }
        if (why.problem == HC_P_STORE_DAMAGED) {
            hc_log_error(source->log, HC_LOG_ERROR, NULL, &why);
        }
        if (skips.count == SKIPS_MAX) {
            return 0;
        }
        memcpy(skips.lines[skips.count++], selection->items[bad].line, HC_ID_SIZE);
        select_without(source, identity, &skips, selection);
    }
}
