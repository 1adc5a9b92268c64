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
    int64_t settled_ms; /* nothing is asked of a CA before; see hc_env_unsettled() */
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

#define HC_ENV_TICK_MS 60000

/* How often to check what nothing announces. */
static inline int64_t hc_env_tick_ms(const struct hc_env *env)
{
    int64_t interval = hc_env_interval_ms(env);

    return interval < HC_ENV_TICK_MS ? interval : HC_ENV_TICK_MS;
}

/* Until this UTC second, at most a tick: the clock may be set meanwhile. INT64_MAX: never. */
static inline int64_t hc_env_until_ms(const struct hc_env *env, int64_t at)
{
    int64_t left = at - hc_env_now(env);

    return left >= HC_ENV_TICK_MS / 1000 ? HC_ENV_TICK_MS : left > 0 ? left * 1000 : 0;
}

/*
 * Workers of the generation before, that answer no token, may take connections for a moment still:
 * a CA that is fast would ask them. Milliseconds until orders may be placed.
 */
static inline int64_t hc_env_unsettled(const struct hc_env *env)
{
    int64_t left = env->settled_ms - hc_env_ms(env);

    return left > 0 ? left : 0;
}

#endif
