/*
 * hc_lookup: what one question (name, type) ended with, after CNAMEs, at the resolvers and, for
 * what decides an order, at the zone's own servers too. hc_lookups: the lookups of one preflight; a
 * question that several names have in common is asked once.
 *
 * Whatever the zone's own servers say counts more than a resolver's cache. That a name does not
 * exist is believed after two answers only: at the zone's own servers and the resolvers, or at the
 * zone's own servers twice; where those cannot be reached, at the resolvers twice.
 */
#ifndef HC_PREFLIGHT_LOOKUP_H
#define HC_PREFLIGHT_LOOKUP_H

#include "base/time.h"
#include "dns/slot.h"
#include "dns/verification.h"
#include "dns/zone.h"

#define HC_LOOKUP_AGAIN_MS 400 /* between two queries at the same place */

enum hc_lookup_kind {
    HC_LOOKUP_RECORDS,       /* there are records of this type */
    HC_LOOKUP_NO_DATA,       /* the name exists, without such records */
    HC_LOOKUP_NO_NAME,       /* it does not exist, in two answers */
    HC_LOOKUP_DANGLING,      /* it is a CNAME to what does not exist, in two answers */
    HC_LOOKUP_CONTRADICTED,  /* the zone's servers do not agree whether it exists */
    HC_LOOKUP_DNSSEC_BROKEN, /* it does not validate */
    HC_LOOKUP_FAILED,        /* no answer; error */
};

/* One side's view: the resolvers', or the zone's servers'. */
struct hc_lookup_view {
    bool complete;
    enum hc_lookup_kind kind;
    struct hc_dname end;       /* where the CNAMEs lead */
    struct hc_dns_reply reply; /* has the records, of the last hop */
    char from[HC_DNS_SERVER_TEXT];
    struct hc_kept_error error;
};

struct hc_lookups;

struct hc_lookup {
    struct hc_lookup *next;
    struct hc_lookups *lookups;
    struct hc_dname name;
    enum hc_dns_type type;
    bool wants_direct;

    /* the result, once complete */
    bool complete;
    enum hc_lookup_kind kind;
    bool lame;                         /* FAILED: the resolvers answered, but cannot know */
    bool direct;                       /* the zone's own servers said so */
    const struct hc_lookup_view *view; /* the side that counts; NULL if neither answered */
    struct hc_kept_error error;        /* FAILED: what failed */
    enum hc_dnssec dnssec;             /* of the resolvers' answer; not PENDING */
    struct hc_kept_error direct_error; /* why the zone's servers were not heard, if they were not */

    /* the work */
    struct hc_lookup_view cached; /* through the resolvers */
    struct hc_lookup_view own;    /* at the zone's servers */
    struct hc_dns_slot cached_slot;
    struct hc_dns_slot own_slot;
    bool checking_disabled; /* the resolvers are being asked with CD, after a SERVFAIL */
    bool plain;             /* without DNSSEC records: with them none of the resolvers answers */
    bool asked_again;       /* with CD, after an answer that does not validate */
    struct hc_verification verification; /* of what they answer, unless they have validated it */
    unsigned cached_absent;              /* how often the resolvers said that it does not exist */
    unsigned own_absent;                 /* how often the zone's servers did */
    int64_t again_ms;                    /* when the next lookup is due; 0: none */
    struct hc_dname hop;                 /* the name that the zone's servers are asked for */
    unsigned hops;
    struct hc_zone *zone; /* of hop */
};

/*
 * deadline_ms: monotonic; every lookup is complete by then. The owner's self is the caller's.
 * anchors: replies that the resolvers have not validated are; NULL, or off: they are not.
 */
int hc_lookups_new(const struct hc_dns_slot_owner *owner, const struct hc_clock *clock,
                   int64_t deadline_ms, const struct hc_anchors *anchors, struct hc_lookups **out,
                   struct hc_error *err) HC_MUST_USE;
void hc_lookups_free(struct hc_lookups *lookups);

/* The lookup for this question; begun if it is not there. Lives as long as lookups. NULL: no
 * memory. */
const struct hc_lookup *hc_lookups_ask(struct hc_lookups *lookups, const struct hc_dname *name,
                                       enum hc_dns_type type, bool direct, struct hc_error *err);

/* Goes on with all of them; true if anything changed. */
bool hc_lookups_step(struct hc_lookups *lookups);

/* To be called before a run of steps: what takes long is done in several of them. */
void hc_lookups_begin_pass(struct hc_lookups *lookups);

/* What was not found to be valid is taken as it is; true if that changed a lookup, which is then
 * under way again. */
bool hc_lookups_stop_validating(struct hc_lookups *lookups);
/* Why nothing could be validated; false: it could, or was not to be. */
bool hc_lookups_unchecked(const struct hc_lookups *lookups, struct hc_error *why);

/* Milliseconds until a lookup is due again, -1: none. */
int64_t hc_lookups_next(const struct hc_lookups *lookups);

/* The zone that a complete lookup found its name in, or NULL. */
const struct hc_zone *hc_lookup_zone(const struct hc_lookup *lookup);

/* The next record of a complete lookup with records; *at counts from 0. NULL: no more. */
const struct hc_dns_record *hc_lookup_record(const struct hc_lookup *lookup, size_t *at);
/* The same of what the resolvers said, whether it validates or not. */
const struct hc_dns_record *hc_lookup_heard(const struct hc_lookup *lookup, size_t *at);

#endif
