/* What the store has; see inventory.h. */
#include "agent/inventory.h"

#include <stdlib.h>
#include <string.h>

#include "base/vec.h"
#include "loop/activity.h"

#define SWEEP_MIN   256 /* lines that one sweep stamps */
#define SWEEP_SHARE 30  /* or this fraction of all */
#define TEXTS       32  /* issuers that are shared; lines of others have texts of their own */

static int compare_line(const void *key, const void *item)
{
    return memcmp(key, ((const struct hc_line_info *)item)->line, HC_ID_SIZE);
}

/* The place of a line, or where it would stand. */
static size_t place_of(const struct hc_inventory *inventory, const unsigned char line[HC_ID_SIZE],
                       bool *found)
{
    size_t at = 0;

    *found = hc_vec_place(line, inventory->items, inventory->count, sizeof(*inventory->items),
                          compare_line, &at);
    return at;
}

static int make_room(struct hc_inventory *inventory, struct hc_error *err)
{
    size_t cap = inventory->cap;
    struct hc_line_info *items =
        hc_vec_room(inventory->items, inventory->count, &cap, sizeof(*items), err);
    uint64_t *marks = NULL;

    if (items == NULL) {
        return -1;
    }
    inventory->items = items;
    marks = hc_vec_room(inventory->marks, inventory->count, &inventory->cap, sizeof(*marks), err);
    if (marks == NULL) {
        return -1;
    }
    inventory->marks = marks;
    return 0;
}

static void forget_names(struct hc_inventory *inventory, const struct hc_line_info *info,
                         size_t count)
{
    for (size_t i = 0; i < count; i++) {
        hc_name_index_remove(&inventory->names, info->names.items[i], info->line);
    }
}

static int index_names(struct hc_inventory *inventory, const struct hc_line_info *info,
                       struct hc_error *err)
{
    for (size_t i = 0; i < info->names.count; i++) {
        if (hc_name_index_add(&inventory->names, info->names.items[i], info->line, err) != 0) {
            forget_names(inventory, info, i);
            return -1;
        }
    }
    return 0;
}

/* Opens a place for one more. */
static void insert_at(struct hc_inventory *inventory, size_t at)
{
    size_t behind = inventory->count - at;

    memmove(inventory->items + at + 1, inventory->items + at, behind * sizeof(*inventory->items));
    memmove(inventory->marks + at + 1, inventory->marks + at, behind * sizeof(*inventory->marks));
    inventory->count++;
}

/* Gives one text of all that are equal. Where there is no room for it, it stays the line's own. */
static void share_text(struct hc_inventory *inventory, char **text)
{
    struct hc_list *texts = &inventory->texts;

    for (size_t i = 0; *text != NULL && i < texts->count; i++) {
        if (strcmp(texts->items[i], *text) == 0) {
            free(*text);
            *text = texts->items[i];
            return;
        }
    }
    if (*text != NULL && texts->count < TEXTS && hc_list_add(texts, *text, NULL) == 0) {
        free(*text);
        *text = texts->items[texts->count - 1];
    }
}

static void leave_text(const struct hc_inventory *inventory, char **text)
{
    for (size_t i = 0; i < inventory->texts.count; i++) {
        if (*text == inventory->texts.items[i]) {
            *text = NULL;
        }
    }
}

static void dispose_info(const struct hc_inventory *inventory, struct hc_line_info *info)
{
    leave_text(inventory, &info->issuer);
    leave_text(inventory, &info->issuer_name);
    leave_text(inventory, &info->profile);
    hc_line_info_dispose(info);
}

static void forget_at(struct hc_inventory *inventory, size_t at)
{
    forget_names(inventory, &inventory->items[at], inventory->items[at].names.count);
    dispose_info(inventory, &inventory->items[at]);
}

static void drop_at(struct hc_inventory *inventory, size_t at)
{
    size_t behind = inventory->count - at - 1;

    forget_at(inventory, at);
    inventory->count--;
    memmove(inventory->items + at, inventory->items + at + 1, behind * sizeof(*inventory->items));
    memmove(inventory->marks + at, inventory->marks + at + 1, behind * sizeof(*inventory->marks));
}

/* Takes over *info; its stamp's mark: zero for one that was not read from the disk. */
static int take(struct hc_inventory *inventory, struct hc_line_info *info, uint64_t mark,
                struct hc_error *err)
{
    bool found = false;
    size_t at = 0;

    if (make_room(inventory, err) != 0 || index_names(inventory, info, err) != 0) {
        hc_line_info_dispose(info);
        return -1;
    }
    at = place_of(inventory, info->line, &found);
    if (found) {
        forget_at(inventory, at);
    } else {
        insert_at(inventory, at);
    }
    share_text(inventory, &info->issuer);
    share_text(inventory, &info->issuer_name);
    share_text(inventory, &info->profile);
    hc_line_info_pack(info);
    inventory->items[at] = *info;
    inventory->marks[at] = mark;
    memset(info, 0, sizeof(*info));
    return 0;
}

int hc_inventory_put(struct hc_inventory *inventory, const struct hc_line_info *info,
                     struct hc_error *err)
{
    struct hc_line_info copy;

    memset(&copy, 0, sizeof(copy));
    return hc_line_info_copy(&copy, info, err) == 0 ? take(inventory, &copy, 0, err) : -1;
}

void hc_inventory_drop(struct hc_inventory *inventory, const unsigned char line[HC_ID_SIZE])
{
    bool found = false;
    size_t at = place_of(inventory, line, &found);

    if (found && inventory->count > 0) {
        drop_at(inventory, at);
    }
}

const struct hc_line_info *hc_inventory_find(const struct hc_inventory *inventory,
                                             const unsigned char line[HC_ID_SIZE])
{
    bool found = false;
    size_t at = place_of(inventory, line, &found);

    return found ? &inventory->items[at] : NULL;
}

static int compare_head(const void *key, const void *item)
{
    return memcmp(key, ((const struct hc_line_info *)item)->line, HC_LINE_HEAD);
}

const struct hc_line_info *hc_inventory_find_head(const struct hc_inventory *inventory,
                                                  const unsigned char head[HC_LINE_HEAD])
{
    size_t at = 0;

    return hc_vec_place(head, inventory->items, inventory->count, sizeof(*inventory->items),
                        compare_head, &at)
               ? &inventory->items[at]
               : NULL;
}

const struct hc_line_info *hc_inventory_named(const struct hc_inventory *inventory,
                                              const char *name, size_t *at)
{
    const unsigned char *head = NULL;

    while ((head = hc_name_index_next(&inventory->names, name, at)) != NULL) {
        const struct hc_line_info *info = hc_inventory_find_head(inventory, head);

        if (info != NULL && hc_list_has(&info->names, name)) {
            return info;
        }
    }
    return NULL;
}

/* ---- what the store has ---- */

struct refresh {
    struct hc_inventory *inventory;
    struct hc_store *store;
    size_t changed;
};

static bool is_same(const struct hc_line_info *a, const struct hc_line_info *b)
{
    return a->version == b->version && a->committed == b->committed && a->hidden == b->hidden &&
           a->not_after == b->not_after && strcmp(a->serial, b->serial) == 0;
}

/* Reads one line and keeps what it says, or that there is nothing to be had of it. */
static int read_line(struct refresh *r, const unsigned char line[HC_ID_SIZE], struct hc_error *err)
{
    const struct hc_line_info *known = hc_inventory_find(r->inventory, line);
    struct hc_line_stamp before = {0};
    struct hc_line_stamp after = {0};
    char hex[2 * HC_ID_SIZE + 1];
    struct hc_line_info info;
    bool found = false;
    int rc = -1;

    memset(&info, 0, sizeof(info));
    hc_hex(hex, line, HC_ID_SIZE);
    /* which version will be read is not known before: its stamp is taken twice */
    hc_line_stamp_take(r->store, line, known != NULL ? known->version : 0, &before);
    if (hc_store_line_info(r->store, hex, &info, &found, err) != 0) {
        goto out;
    }
    rc = 0;
    if (!found) {
        r->changed += known != NULL;
        hc_inventory_drop(r->inventory, line);
        goto out;
    }
    hc_line_stamp_take(r->store, line, info.version, &after);
    after.settled = after.settled && !info.passed && before.folder == after.folder &&
                    before.folder_ctime == after.folder_ctime;
    r->changed += known == NULL || !is_same(known, &info);
    rc = take(r->inventory, &info, hc_line_stamp_mark(&after), err);
out:
    hc_line_info_dispose(&info);
    return rc;
}

static bool holds(const struct refresh *r, size_t at)
{
    const struct hc_line_info *info = &r->inventory->items[at];
    struct hc_line_stamp now;

    hc_line_stamp_take(r->store, info->line, info->version, &now);
    return hc_line_stamp_holds(r->inventory->marks[at], &now);
}

static void end_walk(struct hc_inventory *inventory)
{
    hc_list_dispose(&inventory->walk.lines);
    memset(&inventory->walk, 0, sizeof(inventory->walk));
}

static bool is_walking(const struct hc_inventory *inventory)
{
    return inventory->walk.lines.count > 0;
}

/*
 * Drops what stands from a place on to this line (NULL: to the end) and was not among the lines: it
 * went, unless it came meanwhile.
 */
static int drop_until(struct refresh *r, size_t at, const unsigned char *line, struct hc_error *err)
{
    struct hc_inventory *inventory = r->inventory;

    while (at < inventory->count &&
           (line == NULL || memcmp(inventory->items[at].line, line, HC_ID_SIZE) < 0)) {
        unsigned char gone[HC_ID_SIZE];
        bool found = false;

        memcpy(gone, inventory->items[at].line, HC_ID_SIZE);
        if (read_line(r, gone, err) != 0) {
            return -1;
        }
        at = place_of(inventory, gone, &found) + (found ? 1 : 0);
    }
    return 0;
}

/* One of the lines of the walk (sorted, as the inventory is), and what stood before it. */
static int walk_line(struct refresh *r, size_t i, struct hc_error *err)
{
    struct hc_inventory *inventory = r->inventory;
    unsigned char line[HC_ID_SIZE];
    unsigned char before[HC_ID_SIZE];
    bool found = false;
    size_t at = 0;

    if (hc_unhex(line, HC_ID_SIZE, inventory->walk.lines.items[i]) != 0) {
        return 0;
    }
    if (i > 0 && hc_unhex(before, HC_ID_SIZE, inventory->walk.lines.items[i - 1]) == 0) {
        at = place_of(inventory, before, &found);
        at += found ? 1 : 0;
    }
    if (drop_until(r, at, line, err) != 0) {
        return -1;
    }
    at = place_of(inventory, line, &found);
    return found && holds(r, at) ? 0 : read_line(r, line, err);
}

static int begin_walk(struct refresh *r, struct hc_error *err)
{
    struct hc_line_stamp folder;

    hc_lines_stamp_take(r->store, &folder);
    r->inventory->walk.folder = hc_line_stamp_mark(&folder);
    return hc_store_lines(r->store, &r->inventory->walk.lines, err);
}

/* Goes over the lines that are there: what is new, gone, changed. 1: there are more. */
static int refresh_all(struct refresh *r, struct hc_error *err)
{
    struct hc_inventory *inventory = r->inventory;
    int64_t began_us = hc_activity_cpu_us();
    int rc = is_walking(inventory) ? 0 : begin_walk(r, err);
    unsigned char last[HC_ID_SIZE];
    bool found = false;
    size_t at = 0;

    while (rc == 0 && inventory->walk.next < inventory->walk.lines.count) {
        rc = walk_line(r, inventory->walk.next, err);
        inventory->walk.next++;
        if (rc == 0 && hc_activity_cpu_us() - began_us > HC_LOOP_SLICE_US) {
            return 1;
        }
    }
    if (rc == 0 && inventory->walk.lines.count > 0 &&
        hc_unhex(last, HC_ID_SIZE, inventory->walk.lines.items[inventory->walk.lines.count - 1]) ==
            0) {
        at = place_of(inventory, last, &found);
        at += found ? 1 : 0;
    }
    rc = rc == 0 ? drop_until(r, at, NULL, err) : rc;
    if (rc == 0) {
        inventory->folder = inventory->walk.folder;
    }
    end_walk(inventory);
    return rc;
}

/* Some lines each time: a change that nobody announced, or a file that was damaged, is found. */
static int refresh_some(struct refresh *r, struct hc_error *err)
{
    struct hc_inventory *inventory = r->inventory;
    size_t count =
        inventory->count / SWEEP_SHARE > SWEEP_MIN ? inventory->count / SWEEP_SHARE : SWEEP_MIN;
    int rc = 0;

    for (size_t i = 0; rc == 0 && i < count && i < inventory->count; i++) {
        size_t at = inventory->sweep++ % inventory->count;

        if (!holds(r, at)) {
            unsigned char line[HC_ID_SIZE];

            memcpy(line, inventory->items[at].line, HC_ID_SIZE);
            rc = read_line(r, line, err);
        }
    }
    return rc;
}

int hc_inventory_refresh(struct hc_inventory *inventory, struct hc_store *store, bool all,
                         size_t *changed, struct hc_error *err)
{
    struct refresh r = {inventory, store, 0};
    struct hc_line_stamp folder;
    int rc = 0;

    hc_lines_stamp_take(store, &folder);
    all = all || is_walking(inventory) || !hc_line_stamp_holds(inventory->folder, &folder);
    rc = all ? refresh_all(&r, err) : refresh_some(&r, err);
    *changed = r.changed;
    return rc;
}

int hc_inventory_read(struct hc_inventory *inventory, struct hc_store *store, struct hc_error *err)
{
    struct hc_inventory fresh;
    size_t changed = 0;
    int rc = 1;

    memset(&fresh, 0, sizeof(fresh));
    while (rc > 0) {
        rc = hc_inventory_refresh(&fresh, store, true, &changed, err);
    }
    if (rc != 0) {
        hc_inventory_dispose(&fresh);
        return -1;
    }
    hc_inventory_dispose(inventory);
    *inventory = fresh;
    return 0;
}

void hc_inventory_dispose(struct hc_inventory *inventory)
{
    for (size_t i = 0; i < inventory->count; i++) {
        dispose_info(inventory, &inventory->items[i]);
    }
    hc_list_dispose(&inventory->texts);
    free(inventory->items);
    free(inventory->marks);
    inventory->items = NULL;
    inventory->marks = NULL;
    inventory->folder = 0;
    inventory->sweep = 0;
    inventory->count = inventory->cap = 0;
    hc_name_index_dispose(&inventory->names);
    end_walk(inventory);
}
