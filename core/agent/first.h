/*
 * `on` beside certificate lines: the lines are the host's first certificate. It serves, and its
 * files are followed, until the obtained one is there; then the lines can go. Loader and agent
 * decide alike.
 *
 * The obtained certificate takes over when every key type of the host has its own, with all key
 * types of the lines at once. It waits while the lines' certificate is trusted and it is not (a
 * staging CA), or while it brings a flaw that the lines are without (pki/swap.h). Lines that are
 * self-signed, untrusted or expired hold nothing back.
 */
#ifndef HC_AGENT_FIRST_H
#define HC_AGENT_FIRST_H

#include "agent/judge.h"

enum hc_first {
    HC_FIRST_OBTAINED,  /* what was obtained serves, or there are no lines that could */
    HC_FIRST_ALONE,     /* the lines serve: nothing of the host's own is there, or only a part */
    HC_FIRST_TRUSTED,   /* .. since trusted roots carry them, and not what was obtained */
    HC_FIRST_BETTER,    /* .. since what was obtained has a flaw that they are without */
    HC_FIRST_OUTLASTED, /* .. since what was obtained has expired */
};

/* Findings of all pairs of one side together, and the life of the one that ends first. */
struct hc_first_side {
    bool there; /* false: this side has nothing */
    struct hc_findings findings;
    int64_t left; /* seconds, may be < 0 */
    int64_t life;
};

/* A pure function. own: what was obtained is the host's own, for each key type. */
enum hc_first hc_first_decide(const struct hc_first_side *lines,
                              const struct hc_first_side *obtained, bool own,
                              const struct hc_list *accept);

/* What is weighed. */
struct hc_first_case {
    const struct hc_identity *identity;
    const struct hc_bundle *lines, *obtained; /* NULL where there is nothing */
    bool own;
    int64_t now;
};

/*
 * Judges both sides and decides. judge: NULL, if there is no time for the checks; then dates alone
 * count. -1 only without memory.
 */
int hc_first_choose(struct hc_judge *judge, const struct hc_first_case *c, enum hc_first *choice,
                    struct hc_error *err) HC_MUST_USE;

/* The notAfter of the pair that ends first; 0: there is none. */
int64_t hc_first_until(const struct hc_bundle *bundle);

#endif
