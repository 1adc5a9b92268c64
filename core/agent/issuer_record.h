/*
 * What the agent remembers of one issuer: its breaker, and the retry state of each name and
 * certificate that failed there. record.h makes texts of it.
 */
#ifndef HC_AGENT_ISSUER_RECORD_H
#define HC_AGENT_ISSUER_RECORD_H

#include "agent/breaker.h"
#include "agent/last_error.h"
#include "agent/schedule.h"
#include "agent/tried.h"
#include "base/str.h"

#define HC_RECORD_NAMES 5000 /* names with failures that one issuer's record keeps */

/*
 * The retry state of one name at one issuer; or of a certificate that failed as a whole. One that
 * was cleared stays for a day without failures, so that agents on one store agree which is later.
 */
struct hc_name_ladder {
    char *name; /* a certificate's is its line in hex, which no host name can be */
    struct hc_ladder ladder;
};

struct hc_issuer_record {
    struct hc_breaker breaker;
    int64_t resets[HC_RESETS_MAX];
    char mark[2 * HC_ID_SIZE + 1]; /* the configuration under which it failed */
    struct hc_last_error last;
    struct hc_name_ladder *names; /* sorted */
    size_t name_count;
    size_t name_cap;
    struct hc_tried tried; /* methods, by name */
};

/* The name's ladder or NULL: nothing is held against it. */
struct hc_ladder *hc_issuer_record_find(const struct hc_issuer_record *record, const char *name);
/* The same, made if it is not there. NULL: no memory. */
struct hc_ladder *hc_issuer_record_name(struct hc_issuer_record *record, const char *name);
/* Forgets what is held against the name. True if anything was. */
bool hc_issuer_record_clear(struct hc_issuer_record *record, const char *name, int64_t now);
/* The same for all. */
void hc_issuer_record_clear_all(struct hc_issuer_record *record, int64_t now);
/*
 * Takes over what another agent wrote: of the breaker (with the last error) and of each name what
 * is later. -1: no memory, and then some of it is missing.
 */
int hc_issuer_record_merge(struct hc_issuer_record *record, const struct hc_issuer_record *other,
                           int64_t now, struct hc_error *err) HC_MUST_USE;
/* The clock was set back: pulls back all times. */
void hc_issuer_record_pull_back(struct hc_issuer_record *record, int64_t now);
void hc_issuer_record_dispose(struct hc_issuer_record *record);

#endif
