/*
 * All parts of the agent, for those on top that ask many of them: the model, `renew`, control.
 * agent.c makes them, from the bottom up. A part itself is given those below it that it needs.
 */
#ifndef HC_AGENT_PARTS_H
#define HC_AGENT_PARTS_H

#include "agent/env.h"

struct hc_parts {
    struct hc_env env;
    struct hc_counters *counters;
    struct hc_storage *storage;
    struct hc_answers *answers;
    struct hc_follow *follow;
    struct hc_responder *responder;
    struct hc_clock_watch *clock;
    struct hc_cas *cas;
    struct hc_chains *chains;
    struct hc_publisher *publisher;
    struct hc_watches *watches;
    struct hc_garbage *garbage;
    struct hc_preflights *preflights;
    struct hc_outlooks *outlooks;
    struct hc_health *health;
    struct hc_jobs *jobs;
    struct hc_windows *windows;
    struct hc_obtains *obtains;
    struct hc_queue *queue;
};

#endif
