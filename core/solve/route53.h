/*
 * From inside: a change at Route 53 on its way, and what it asks: each request in its turn, signed,
 * again where the service is busy. What is asked, and in which order: dns_route53.c.
 */
#ifndef HC_SOLVE_ROUTE53_H
#define HC_SOLVE_ROUTE53_H

#include "loop/timer.h"
#include "net/aws.h"
#include "solve/change.h"
#include "solve/route53_text.h"

#define HC_ROUTE53_ROUNDS 8 /* of read and write, at most */
#define HC_ROUTE53_REPLY  ((size_t)256 << 10)
#define HC_ROUTE53_ZONES  16 /* that are kept */

struct hc_route53;
struct hc_route53_job;
typedef void hc_route53_begin(struct hc_route53_job *job);
typedef void hc_route53_step(struct hc_route53_job *job, const struct hc_aws_credentials *who);
/* A good reply. -1 with err ends the change. */
typedef int hc_route53_judge(struct hc_route53_job *job, struct hc_bytes body,
                             struct hc_error *err);

struct hc_route53_job {
    struct hc_change is;
    hc_route53_step *step;   /* sends a request */
    hc_route53_judge *judge; /* its reply */
    hc_route53_begin *read;  /* of the set, anew: somebody else changed it */
    struct hc_timer timer;   /* for its turn to ask */
    uint64_t request;        /* in flight; 0: none */
    bool renewed;            /* they were refused once */
    unsigned failures, rounds;
    int64_t until_ms, sync_until_ms;
    const char *suffix;       /* of the name: the zone that is looked for */
    bool tried_soa;           /* the one that the DNS says comes first */
    char zone[HC_ROUTE53_ID]; /* its id */
    struct hc_route53_set set;
    struct hc_route53_change sent;
    bool writing; /* what is asked rests on the set as it was read */
    bool written; /* the set is read to see whether ours is still in it */
};

struct hc_route53_zone {
    char name[256];
    char id[HC_ROUTE53_ID];
    int64_t until;
};

struct hc_route53 {
    struct hc_changes is;
    struct hc_aws *aws;
    char url[2048];
    int64_t next_ms; /* when the next request may be sent */
    struct hc_route53_zone zones[HC_ROUTE53_ZONES];
    size_t zone_next;
};

static inline struct hc_route53 *hc_route53_of(const struct hc_route53_job *job)
{
    return (struct hc_route53 *)(void *)job->is.writer;
}

/* Sends the step's request in its turn, after so long. */
void hc_route53_ask(struct hc_route53_job *job, hc_route53_step *step, int64_t ms);
/* The same step once more. */
void hc_route53_again(struct hc_route53_job *job, int64_t ms);

/* From a step: a request with this path. POST if it has a body. */
void hc_route53_send(struct hc_route53_job *job, const struct hc_aws_credentials *who,
                     const char *path, struct hc_bytes body);
/* GET; path: before, the name escaped, behind. */
void hc_route53_get(struct hc_route53_job *job, const struct hc_aws_credentials *who,
                    const char *before, const char *name, const char *behind);

/* Tells who waits, and frees it. cause: what went wrong, or NULL. */
void hc_route53_finish(struct hc_route53_job *job, const struct hc_error *cause, bool spread);
/* Nothing of it is asked for any more. */
void hc_route53_drop(struct hc_route53_job *job);
/* The first turn is prepared. */
void hc_route53_begin_asking(struct hc_route53_job *job);

#endif
