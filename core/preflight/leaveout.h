/*
 * hc_leaveout: which names of one identity are left out of its orders, and until when. A pure
 * state: what was seen goes in with its time, plans come out; no clock, no lookup, no log. The
 * rules stand in docs/dns.md ("Names that are left out").
 *
 *   - A name that consistently does not exist, or whose CAA forbids the issuer, is left out; in
 *     the last tenth of the certificate's life one that merely fails, too.
 *   - While nothing but the bootstrap serves, a name that the CA itself refused
 * HC_LEAVEOUT_REFUSALS times is left out, as long as one is left to order. When it comes back, one
 * more refusal is enough, also beside a certificate that does not cover it.
 *   - It comes back when it was well at two checks in a row. The full set is ordered again then,
 *     at most once an hour and HC_LEAVEOUT_AGAIN times a week.
 *   - Nothing is for good: once a day the order is tried with a left-out name put back, or, when no
 *     name would be left, with all of them.
 *   - A name that the certificate in use covers is not dropped before the last tenth of its life:
 *     until then the order without it waits.
 */
#ifndef HC_PREFLIGHT_LEAVEOUT_H
#define HC_PREFLIGHT_LEAVEOUT_H

#include "base/buf.h"
#include "base/str.h"
#include "conf/conf.h"
#include "preflight/preflight.h"

#define HC_LEAVEOUT_TRIAL_S 86400 /* between two trials */
#define HC_LEAVEOUT_HOUR_S                                                                         \
    3600 /* between two orders of the full set because of names that are back */
#define HC_LEAVEOUT_WEEK_S 604800
#define HC_LEAVEOUT_AGAIN                                                                          \
    4 /* such orders a week: CAs allow 5 of one set, one is for the renewal                        \
       */
#define HC_LEAVEOUT_REFUSALS 2   /* by the CA, until a name is left out where nothing serves */
#define HC_LEAVEOUT_WELL     2   /* checks in a row */
#define HC_LEAVEOUT_CHECK_S  900 /* the most between two checks of a left-out name */
#define HC_LEAVEOUT_MAX      ((size_t)256 << 10) /* octets of the encoded form */

/* How a check of a name ended, from best to worst. */
enum hc_leaveout_seen {
    HC_LEAVEOUT_SEEN_WELL,
    HC_LEAVEOUT_SEEN_SUSPECT, /* a CA that sees what we see refuses; but perhaps it sees other
                                 things */
    HC_LEAVEOUT_SEEN_FAILING, /* it could not be checked */
    HC_LEAVEOUT_SEEN_BAD,     /* it does not exist, or CAA forbids */
};

/* What a preflight's result for a name means here. */
enum hc_leaveout_seen hc_leaveout_seen_of(const struct hc_preflight_name *name);

/* A name at one check. */
struct hc_leaveout_sight {
    const char *name;
    enum hc_leaveout_seen seen;
    enum hc_problem why; /* of one that is not well */
};

struct hc_leaveout_name {
    char *name;
    enum hc_leaveout_seen seen; /* at the latest check */
    enum hc_problem why;        /* the cause of the latest check that was not well */
    int64_t since;              /* when it was first not well; 0: it is well */
    int64_t checked;            /* the latest check */
    int64_t tried;              /* the latest trial with it */
    unsigned well;              /* checks in a row that were well */
    bool out;                   /* left out */
    bool back;                  /* was left out, is well, and is not in the certificate yet */
    bool refused;               /* the CA refused it since it was last obtained */
    unsigned refusals;          /* so often; at most HC_LEAVEOUT_REFUSALS */
    bool dropped;               /* it was left out for that since then */
};

/* The state of one identity; zeroed memory is a fresh one. Plain fields, for tests and `list`. */
struct hc_leaveout {
    struct hc_leaveout_name *names;
    size_t count;
    int64_t trial; /* the latest trial, or when the first name was left out; 0: none is */
    int64_t again[HC_LEAVEOUT_AGAIN]; /* orders placed because names are back; latest first */
};

void hc_leaveout_dispose(struct hc_leaveout *state);

/* Forgets names that are not in this list: they left the configuration. */
void hc_leaveout_keep(struct hc_leaveout *state, const struct hc_list *names);

/*
 * Pulls back times from a clock that was ahead: after reading from disk, and when the clock was set
 * back. What lies in the future happened now.
 */
void hc_leaveout_pull_back(struct hc_leaveout *state, int64_t now);

/*
 * What a check found, or what the CA said of a name in an order that failed. min_apart: seconds; a
 * check that ends well nearer than this to the one before is the same check.
 */
int hc_leaveout_note(struct hc_leaveout *state, const struct hc_leaveout_sight *sight, int64_t now,
                     int64_t min_apart, struct hc_error *err) HC_MUST_USE;
int hc_leaveout_refused(struct hc_leaveout *state, const char *name, enum hc_problem why,
                        int64_t now, struct hc_error *err) HC_MUST_USE;

/* The operator says that all is mended: the next check that ends well is enough. */
void hc_leaveout_vouch(struct hc_leaveout *state);
/* True if every plan is the same without it: all names were well, and nothing is counted. */
bool hc_leaveout_is_plain(const struct hc_leaveout *state);

/* A certificate with these names was obtained: they are in, whatever was thought of them. */
void hc_leaveout_obtained(struct hc_leaveout *state, const struct hc_list *names);

/* What is known when a plan is made. */
struct hc_leaveout_case {
    const struct hc_list *names;   /* the identity's */
    enum hc_preflight_mode mode;   /* UNSET counts as on */
    enum hc_bad_names policy;      /* UNSET counts as leave-out */
    const struct hc_list *served;  /* names in the certificate in use; NULL: none is */
    int64_t not_before, not_after; /* of that certificate */
    int64_t now;
    int64_t check_every; /* seconds between two checks, at first */
};

enum hc_leaveout_kind {
    HC_LEAVEOUT_ALL,   /* order all names */
    HC_LEAVEOUT_PART,  /* order without those that are left out */
    HC_LEAVEOUT_TRIAL, /* the daily trial: order holds at least one name that is left out */
    HC_LEAVEOUT_HOLD,  /* place no order */
};

enum hc_leaveout_hold {
    HC_LEAVEOUT_HOLD_NONE,
    HC_LEAVEOUT_HOLD_EMPTY,  /* no name would be left */
    HC_LEAVEOUT_HOLD_POLICY, /* hotcert_bad_names hold */
    HC_LEAVEOUT_HOLD_SERVED, /* a name that is being served would be dropped */
};

struct hc_leaveout_plan {
    enum hc_leaveout_kind kind;
    enum hc_leaveout_hold hold;
    struct hc_list order;    /* the names to order, should an order be due; empty: HOLD */
    struct hc_list left_out; /* the others */
    bool again;              /* names that are back are in it: their absence makes it due */
    int64_t until;           /* the next trial, or the end of a hold; 0: nothing is left out */
    int64_t check_at;        /* when left-out names are to be checked again; 0: none are */
};

/*
 * Says what to order now. In the last tenth names that fail are marked as left out, so state may
 * change; otherwise the same state and case give the same plan. plan is disposed by the caller.
 */
int hc_leaveout_plan(struct hc_leaveout *state, const struct hc_leaveout_case *c,
                     struct hc_leaveout_plan *plan, struct hc_error *err) HC_MUST_USE;
void hc_leaveout_plan_dispose(struct hc_leaveout_plan *plan);

/* An order was placed by this plan: counts trials and repetitions. */
void hc_leaveout_ordered(struct hc_leaveout *state, const struct hc_leaveout_plan *plan,
                         int64_t now);

/* "www.example.net is left out (caa-empty) until it is well or 2026-..": one line for the log. */
char *hc_leaveout_describe(const struct hc_leaveout *state, const struct hc_leaveout_plan *plan,
                           char *dst, size_t cap);

/* For the store: JSON. Decoding refuses what is malformed, and then leaves a fresh state. */
int hc_leaveout_encode(const struct hc_leaveout *state, struct hc_buf *out,
                       struct hc_error *err) HC_MUST_USE;
int hc_leaveout_decode(const char *text, size_t len, struct hc_leaveout *out,
                       struct hc_error *err) HC_MUST_USE;

#endif
