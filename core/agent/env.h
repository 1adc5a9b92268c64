/*
 * What every part of the agent is given: the configuration, the ports to the world, and the events
 * by which parts learn of each other. Borrowed; lives as long as the agent.
 */
#ifndef HC_AGENT_ENV_H
#define HC_AGENT_ENV_H

#include "agent/events.h"
#include "base/redaction.h"
#include "base/time.h"
#include "conf/conf.h"
#include "loop/loop.h"

struct hc_env {
    const struct hc_conf *conf;
    const struct hc_clock *clock;
    const struct hc_random *random;
    const struct hc_log *log; /* leaves out what is in .. */
    struct hc_redaction *redaction;
    struct hc_loop *loop;
    struct hc_events *events;
};

static inline int64_t hc_env_now(const struct hc_env *env)
{
    return hc_now(env->clock);
}

static inline int64_t hc_env_ms(const struct hc_env *env)
{
    return hc_now_ms(env->clock);
}

/* The directive hotcert_check_interval, in milliseconds. */
static inline int64_t hc_env_interval_ms(const struct hc_env *env)
{
    return env->conf->check_interval * 1000;
}

#endif
