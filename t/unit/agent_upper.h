/*
 * The parts from the CAs up to the orders, on the bench of agent_part.h: each is the agent's own,
 * with the CA, the clock and the store of the test. Names are not looked at.
 */
#ifndef HC_T_AGENT_UPPER_H
#define HC_T_AGENT_UPPER_H

#include "agent_part.h"

#include "agent/answers.h"
#include "agent/obtains.h"
#include "agent/queue.h"
#include "solve/solve.h"

struct upper {
    struct bench b;
    struct hc_clock_watch *clock;
    struct hc_answers *answers;
    struct hc_solver_set solvers;
    struct hc_cas *cas;
    struct hc_chains *chains;
    struct hc_publisher *publisher;
    struct hc_preflights *preflights;
    struct hc_outlooks *outlooks;
    struct hc_health *health;
    struct hc_jobs *jobs;
    struct hc_obtains *obtains;
};

static inline void must(int rc, const struct hc_error *err)
{
    if (rc != 0) {
        fprintf(stderr, "%s %s\n", err->subject, err->detail);
        stop_here(__LINE__);
    }
}

static inline void new_lower_parts(struct upper *u)
{
    struct bench *b = &u->b;
    struct hc_error err = {0};
    struct hc_solver_env solvers = {.conf = b->conf, .clock = &fake_clock, .log = &fake_log};

    must(hc_clock_watch_new(&(struct hc_clock_options){.env = &b->env, .storage = b->storage},
                            &u->clock, &err),
         &err);
    must(hc_answers_new(&(struct hc_answers_options){.env = &b->env,
                                                     .storage = b->storage,
                                                     .table = b->server.table},
                        &u->answers, &err),
         &err);
    solvers.answers = hc_answers_port(u->answers);
    must(hc_solvers_open(&solvers, &u->solvers, &err), &err);
    must(hc_cas_new(&(struct hc_cas_options){.env = &b->env,
                                             .storage = b->storage,
                                             .authority = &fake_authority},
                    &u->cas, &err),
         &err);
    must(hc_chains_new(
             &(struct hc_chains_options){.env = &b->env, .storage = b->storage, .judge = &b->judge},
             &u->chains, &err),
         &err);
    must(hc_publisher_new(
             &(struct hc_publisher_options){&b->env, b->storage, &b->judge, b->server.table},
             &u->publisher, &err),
         &err);
}

static inline void new_upper(struct upper *u, const char *const *lines, const char *const *hosts)
{
    struct bench *b = &u->b;
    struct hc_error err = {0};

    memset(u, 0, sizeof(*u));
    new_bench(b, lines, hosts);
    new_lower_parts(u);
    must(hc_preflights_new(&(struct hc_preflights_options){.env = &b->env, .answers = u->answers},
                           &u->preflights, &err),
         &err);
    must(hc_outlooks_new(&(struct hc_outlooks_options){.env = &b->env,
                                                       .storage = b->storage,
                                                       .publisher = u->publisher,
                                                       .cas = u->cas,
                                                       .preflights = u->preflights},
                         &u->outlooks, &err),
         &err);
    must(hc_health_new(&(struct hc_health_options){.env = &b->env,
                                                   .judge = &b->judge,
                                                   .clock = u->clock,
                                                   .publisher = u->publisher,
                                                   .outlooks = u->outlooks},
                       &u->health, &err),
         &err);
    must(hc_jobs_new(&(struct hc_jobs_options){&b->env, b->storage, u->clock, u->publisher, u->cas,
                                               u->preflights, u->outlooks},
                     &u->jobs, &err),
         &err);
    must(hc_obtains_new(&(struct hc_obtain_env){.env = &b->env,
                                                .storage = b->storage,
                                                .judge = &b->judge,
                                                .solvers = &u->solvers,
                                                .chains = u->chains,
                                                .publisher = u->publisher,
                                                .preflights = u->preflights,
                                                .outlooks = u->outlooks,
                                                .health = u->health,
                                                .jobs = u->jobs,
                                                .authority = &fake_authority},
                        &u->obtains, &err),
         &err);
}

static inline void end_upper(struct upper *u)
{
    hc_storage_close(u->b.storage);
    hc_obtains_free(u->obtains);
    hc_jobs_free(u->jobs);
    hc_health_free(u->health);
    hc_outlooks_free(u->outlooks);
    hc_preflights_free(u->preflights);
    hc_publisher_free(u->publisher);
    hc_chains_free(u->chains);
    hc_cas_free(u->cas);
    hc_clock_watch_free(u->clock);
    hc_solvers_close(&u->solvers);
    hc_answers_free(u->answers);
    end_bench(&u->b);
}

/* Lets the loop run for a second of little steps. */
static inline void turn(struct upper *u)
{
    struct hc_error err = {0};

    for (int i = 0; i < 50; i++) {
        must(hc_loop_pass(u->b.loop, 0, &err), &err);
        clock_ms += 20;
    }
}

#endif
