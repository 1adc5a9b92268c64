/*
 * What the store has, as far as it says without the secret: the newest version of every line, found
 * by line. Read whole once; from then on only lines that changed are read, and what this agent
 * commits itself is put.
 */
#ifndef HC_AGENT_INVENTORY_H
#define HC_AGENT_INVENTORY_H

#include "agent/names.h"
#include "store/line.h"
#include "store/scan.h"

/* Zeroed memory is an empty inventory. Owns its infos; sorted by line, found by name too. */
struct hc_inventory {
    struct hc_line_info *items;
    size_t count;
    uint64_t *marks; /* of the items' stamps */
    size_t cap;
    uint64_t folder; /* the mark of all lines' */
    size_t sweep;    /* where the next sweep goes on */
    struct hc_name_index names;
    struct hc_list texts;     /* issuers of the items, which many of them share */
    struct {                  /* going over all lines, a bit at a time */
        struct hc_list lines; /* that there were at its begin */
        size_t next;
        uint64_t folder;
    } walk;
};

/* Replaces the content by what the store has now; on -1 the old content stays. */
int hc_inventory_read(struct hc_inventory *inventory, struct hc_store *store,
                      struct hc_error *err) HC_MUST_USE;

/*
 * Brings it in step with the store. all: something was announced, so every line's stamp is read,
 * and the lines whose stamp changed are opened. Else only some, in turn, and all if a line came
 * or went: what nobody announced is found all the same. *changed: how many lines now say something
 * else. 0: done. 1: it took as long as one may at a time (HC_LOOP_SLICE_US); the next call goes on.
 * On -1 what was read so far is kept, and the next call begins anew.
 */
int hc_inventory_refresh(struct hc_inventory *inventory, struct hc_store *store, bool all,
                         size_t *changed, struct hc_error *err) HC_MUST_USE;

/* Adds or replaces one line's info (copied). */
int hc_inventory_put(struct hc_inventory *inventory, const struct hc_line_info *info,
                     struct hc_error *err) HC_MUST_USE;

void hc_inventory_drop(struct hc_inventory *inventory, const unsigned char line[HC_ID_SIZE]);

/* The line's info or NULL; valid until the next change. */
const struct hc_line_info *hc_inventory_find(const struct hc_inventory *inventory,
                                             const unsigned char line[HC_ID_SIZE]);

/* The same by a line's first bytes: lines are digests, which these tell apart. */
const struct hc_line_info *hc_inventory_find_head(const struct hc_inventory *inventory,
                                                  const unsigned char head[HC_LINE_HEAD]);

/*
 * The lines that have exactly this name among theirs, one after the other, in no order: *at is 0
 * before the first. NULL: no more. Valid until the next change.
 */
const struct hc_line_info *hc_inventory_named(const struct hc_inventory *inventory,
                                              const char *name, size_t *at);

void hc_inventory_dispose(struct hc_inventory *inventory);

#endif
