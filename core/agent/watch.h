/*
 * One watched pair of files: read when it changed, checked, stored, offered to the publisher. A
 * pair that cannot be taken leaves the last good one serving; one line says so for each state, and
 * a few quick checks catch the moment when the other file arrives.
 */
#ifndef HC_AGENT_WATCH_H
#define HC_AGENT_WATCH_H

#include "agent/chains.h"
#include "agent/copy.h"
#include "agent/publisher.h"
#include "agent/said.h"

enum hc_watch_state {
    HC_WATCH_QUEUED, /* not read yet */
    HC_WATCH_OK,
    HC_WATCH_BROKEN, /* what the files hold now cannot be taken */
    HC_WATCH_HELD,   /* it could be served, but the one that serves is better */
};

/* What all of them are given. */
struct hc_watch_env {
    const struct hc_env *env; /* borrowed, as all below */
    struct hc_judge *judge;
    struct hc_chains *chains;
    struct hc_publisher *publisher;
    struct hc_copy_env copies;
};

/* Plain data: the model reads it, watches.c keeps it in one array. */
struct hc_watch {
    const struct hc_identity *identity;
    size_t index; /* of the identity */
    const struct hc_watched *files;
    enum hc_watch_state state;
    bool stale;            /* the files that are seen are not those that are renewed */
    bool read_once;        /* whether well or not */
    bool loaded;           /* hc_watch_load() was called since the store was opened */
    bool checking;         /* a check is under way */
    bool hurried;          /* somebody waits for a check */
    unsigned quick_checks; /* quick checks since it was refused */
    int64_t next_ms;       /* the next check */
    struct hc_pair *pair;  /* the last good one, or NULL */
    struct hc_last_error last;
    struct hc_copy copy;
    uint64_t mark; /* of what was read last (hc_files_mark()); 0: nothing */
    hc_said said;
    hc_said said_stale;
};

/* The store was opened: what does it have of this pair? Only where it was not asked yet. */
void hc_watch_load(struct hc_watch *watch, const struct hc_watch_env *e);

/* What the files hold now cannot be taken. */
bool hc_watch_is_refused(const struct hc_watch *watch);

/* A check found the files that were read last: what came of that is still true. */
void hc_watch_unchanged(struct hc_watch *watch, const struct hc_watch_env *e,
                        const struct hc_file_stamp stamps[HC_FILES_PARTS]);
/* A check read them, or failed: rc and read_err as of reading.h. files are taken. */
void hc_watch_take(struct hc_watch *watch, const struct hc_watch_env *e, int rc,
                   struct hc_files *files, const struct hc_error *read_err);

void hc_watch_dispose(struct hc_watch *watch);

#endif
