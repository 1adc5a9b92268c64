/*
 * One order under way: from the line's lock over takeover and the CA to the pair that waits for its
 * commit. obtains.h has them all.
 */
#ifndef HC_AGENT_OBTAIN_H
#define HC_AGENT_OBTAIN_H

#include <sys/queue.h>

#include "agent/chains.h"
#include "agent/health.h"
#include "agent/jobs.h"

struct hc_obtains;

/* What all of them are given. */
struct hc_obtain_env {
    const struct hc_env *env; /* borrowed, as all below */
    struct hc_storage *storage;
    struct hc_judge *judge;
    const struct hc_solver_set *solvers;
    struct hc_chains *chains;
    struct hc_publisher *publisher;
    const struct hc_preflights *preflights;
    struct hc_outlooks *outlooks;
    struct hc_health *health;
    struct hc_jobs *jobs;
    const struct hc_authority *authority;
};

struct hc_obtain {
    LIST_ENTRY(hc_obtain) link;
    struct hc_obtains *all;
    const struct hc_obtain_env *e;
    struct hc_job *job;
    struct hc_ca *ca;
    struct hc_store_lock *lock;
    struct hc_order *order;
    struct hc_order_handler handler;
    struct hc_list names;        /* what is ordered */
    struct hc_list methods;      /* of the name that was asked for last */
    struct hc_pair *pair;        /* obtained; waits for its commit */
    struct hc_findings findings; /* about it */
    int64_t started_ms;
};

/*
 * job->at is its CA from now on. done: how its order ended, with the obtain as self; once. NULL: no
 * memory.
 */
struct hc_obtain *hc_obtain_new(struct hc_obtains *all, const struct hc_obtain_env *e,
                                struct hc_job *job, struct hc_ca *ca,
                                void (*done)(void *self, const struct hc_order_result *result));
/* Without a result: the order's state stays in the job's record, for whoever goes on with it. */
void hc_obtain_free(struct hc_obtain *obtain);

/* 1: under way, 0: not now (the next review of the job says when), -1: err. */
int hc_obtain_begin(struct hc_obtain *obtain, struct hc_error *err) HC_MUST_USE;

/* What it is doing: a static text. */
const char *hc_obtain_activity(const struct hc_obtain *obtain);
/* True while it only waits for a time that the CA named, or for the disk. */
bool hc_obtain_is_waiting(const struct hc_obtain *obtain);

#endif
