/*
 * CAA: reading a record and deciding whether a set lets an issuer in, RFC 8659, RFC 8657. Pure
 * functions; finding the set that decides (the climb) is the preflight's. Any thread.
 */
#ifndef HC_DNS_CAA_H
#define HC_DNS_CAA_H

#include "base/compiler.h"
#include "base/str.h"

/* The RDATA of one record. */
struct hc_caa_record {
    const uint8_t *data;
    size_t len;
};

/* Who asks. Lists are borrowed. */
struct hc_caa_asker {
    const struct hc_list
        *domains; /* the issuer's names of itself; any one will do, compared as given */
    const struct hc_list *methods; /* any one will do; empty or NULL: not known, all do */
    const char *account_uri;       /* NULL: not known */
    bool wildcard;                 /* the name that is asked for begins with "*." */
};

enum hc_caa_reason {
    HC_CAA_ALLOWED,
    HC_CAA_OTHER_ISSUER,     /* only others are named */
    HC_CAA_EMPTY,            /* nobody is named: ";" */
    HC_CAA_MALFORMED,        /* the value, or the record, is not what the grammar says: nobody */
    HC_CAA_ACCOUNT,          /* another account of this issuer, or accounturi given twice */
    HC_CAA_METHOD,           /* other methods, or validationmethods given twice */
    HC_CAA_UNKNOWN_CRITICAL, /* marked critical, with an unknown tag */
};

struct hc_caa_decision {
    enum hc_caa_reason reason;
    size_t record;  /* the record that the reason is about */
    bool issuewild; /* issuewild records decided, not issue records */
    /* Although it is allowed: */
    bool account_unknown; /* ..by a record that names an account, and ours is not known: */
    size_t account_record;
    bool flag_one;      /* an unknown tag with flag 1, which some CAs take for critical.. */
    size_t flag_record; /* ..this one */
    bool malformed;     /* a record beside it is malformed.. */
    size_t malformed_record;
};

/*
 * Decides for the set that was found (count > 0; an empty set never decides). A wildcard is judged
 * by issuewild records where there are any. domains must not be empty.
 */
void hc_caa_decide(const struct hc_caa_record *records, size_t count,
                   const struct hc_caa_asker *who, struct hc_caa_decision *out);

/*
 * The record that would let the asker in, as a zone file has it: `example.net. IN CAA 0 issue
 * "ca.example"`; for ACCOUNT and METHOD what the refusing record becomes. owner is a name with its
 * dot. At most cap bytes; returns dst.
 */
char *hc_caa_suggest(const struct hc_caa_record *records, const struct hc_caa_decision *decision,
                     const struct hc_caa_asker *who, const char *owner, char *dst, size_t cap);

#endif
