/* From inside: one TXT value of ours on its way into the DNS and out of it; see txts.h. */
#ifndef HC_SOLVE_TXT_H
#define HC_SOLVE_TXT_H

#include <sys/queue.h>

#include "base/kept_error.h"
#include "dns/place.h"
#include "dns/spread.h"
#include "loop/timer.h"
#include "solve/txts.h"

enum hc_txt_state {
    HC_TXT_MADE,     /* nothing was done for it yet */
    HC_TXT_LOCATING, /* where does it belong? */
    HC_TXT_TO_ADD,   /* its writer's turn will come */
    HC_TXT_ADDING,
    HC_TXT_SPREADING, /* until every server has it */
    HC_TXT_STANDS,
    HC_TXT_IDLE, /* it stands, and nobody wants it: until its timer */
    HC_TXT_TO_REMOVE,
    HC_TXT_REMOVING,
};

/* A block hotcert_dns, opened. */
struct hc_txt_writer {
    const struct hc_dns_block *block;
    struct hc_dns_writer is;
    size_t running; /* changes */
};

/* Who waits for a value to stand, or to be gone; then for its call. */
struct hc_txt_waiter {
    TAILQ_ENTRY(hc_txt_waiter) link;
    hc_solver_done *done;
    void *arg;
    struct hc_kept_error error;
};
TAILQ_HEAD(hc_txt_waiters, hc_txt_waiter);

struct hc_txt {
    TAILQ_ENTRY(hc_txt) link;
    struct hc_txts *txts;
    struct hc_txt_writer *writer;
    enum hc_txt_state state;
    struct hc_txt_value is; /* its strings are this struct's */
    unsigned holders;       /* who presented it and did not withdraw it */
    bool stored;            /* it is in the store: it may stand */
    bool stood;             /* it stood for sure */
    bool changing;          /* its writer is at it */
    bool again;             /* while it is removed somebody wanted it */
    unsigned failures;      /* of removing it, in a row */
    int64_t made_ms;
    struct hc_txt_waiters waiters;
    struct hc_dns_slot_owner owner;
    struct hc_dns_place place;
    struct hc_dns_spread spread;
    struct hc_timer timer;
};
TAILQ_HEAD(hc_txt_list, hc_txt);

struct hc_txt_name; /* txts.c: whose writer is which */

struct hc_txts {
    struct hc_txts_options o;
    struct hc_txt_writer *writers;
    size_t writer_count;
    struct hc_txt_name *names;
    size_t name_count;
    struct hc_txt_list items;
    size_t made; /* how many were only made */
    struct hc_txt_waiters due;
    struct hc_timer timer; /* while somebody is due, or a writer may have a turn */
};

/* txt.c */
struct hc_txt *hc_txt_new(struct hc_txts *txts, struct hc_txt_writer *writer,
                          const struct hc_txt_value *value, struct hc_error *err);
void hc_txt_free(struct hc_txt *txt);
/* Somebody wants it: it is on its way to stand. */
void hc_txt_want(struct hc_txt *txt);
/* Nobody wants it any more: it goes, after so long if it stands. It may be freed by this. */
void hc_txt_unwant(struct hc_txt *txt, int64_t after_ms);
/* An earlier process wrote it: it goes after so long, unless somebody wants it. */
void hc_txt_found(struct hc_txt *txt, int64_t after_ms);
/* Its writer's turn has come. */
void hc_txt_change(struct hc_txt *txt);

/* txts.c */
/* Tells all its waiters; err: NULL if it went well. */
void hc_txts_tell(struct hc_txt *txt, const struct hc_error *err);
/* Looks for whose turn it is, from the loop. */
void hc_txts_look(struct hc_txts *txts);

#endif
