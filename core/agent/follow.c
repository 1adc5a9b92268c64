/*
 * Following the store: versions that other agents commit are published here too, and answers
 * that they present are answered by our servers too. An announcement (inotify) makes a look come
 * at once; without one there is a look now and then all the same.
 */
#include <stdlib.h>
#include <string.h>

#include "agent/state.h"

#define LOOK_MS     1000  /* where nothing announces changes */
#define LOOK_FAR_MS 10000 /* where changes are announced */
#define SWEEP_MS    10000 /* a look at some lines whatever the mark says */
#define REST_MS     30000 /* looks at the lines are at most this far apart for what they cost */
#define MARK_MS     300   /* looks at the lines are at least this far apart */
#define MARK_SHARE  10    /* and cost at most this fraction of the time */

static void on_news(void *self, unsigned events HC_UNUSED)
{
    struct hc_follow *follow = self;

    follow->announced = true; /* the next look reads it */
}

void hc_follow_start(struct hc_agent *agent)
{
    struct hc_follow *follow = &agent->follow;
    struct hc_store_follower *follower = hc_storage_follower(agent->storage);
    int fd = follower != NULL ? hc_store_follower_fd(follower) : -1;

    follow->next_look_ms = follow->next_mark_ms = follow->next_sweep_ms = 0;
    follow->announced = true;
    follow->mark = 0;
    follow->news = (struct hc_loop_fd){fd, HC_LOOP_READ, "other agents", on_news, follow, NULL};
    if (fd >= 0) {
        (void)!hc_loop_fd_add(agent->o.loop, &follow->news, NULL); /* else it looks more often */
    }
}

/* What is mirrored stays in the table: the agent that comes next may have put the same there. */
void hc_follow_stop(struct hc_agent *agent)
{
    hc_loop_fd_remove(&agent->follow.news);
    hc_answers_unfollow(agent->answers);
}

/* Brings the inventory in step and publishes what became better. */
static int refresh(struct hc_agent *agent, bool announced, struct hc_error *err)
{
    size_t changed = 0;
    int rc = hc_inventory_refresh(hc_agent_inventory(agent), hc_agent_store(agent), announced,
                                  &changed, err);

    if (changed > 0) {
        hc_events_tell(&agent->events, HC_EVENT_LINES_CHANGED);
    }
    return rc;
}

/* True if there was a look, or none was needed; false: too soon, later. */
static bool look_at_lines(struct hc_agent *agent, struct hc_error *err)
{
    struct hc_follow *follow = &agent->follow;
    int64_t start = hc_agent_ms(agent);
    int64_t took = 0;
    int64_t rest = 0;
    uint64_t mark = 0;

    if (start < follow->next_mark_ms) {
        return false;
    }
    if (hc_store_change_mark(hc_agent_store(agent), &mark, err) != 0 ||
        (mark == follow->mark && start < follow->next_sweep_ms)) {
        return true;
    }
    follow->next_sweep_ms = start + SWEEP_MS;
    if (refresh(agent, mark != follow->mark, err) == 0) {
        follow->mark = mark;
    }
    took = hc_agent_ms(agent) - start;
    rest = took * MARK_SHARE > MARK_MS ? took * MARK_SHARE : MARK_MS;
    follow->next_mark_ms = start + took + (rest < REST_MS ? rest : REST_MS);
    return true;
}

void hc_follow_committed(struct hc_agent *agent)
{
    int64_t soon = hc_agent_ms(agent) + MARK_MS;

    hc_store_mark_own(hc_agent_store(agent), &agent->follow.mark);
    if (soon < agent->jobs_next_ms) {
        agent->jobs_next_ms = soon; /* what the version says of the clock is noted, too */
    }
}

int64_t hc_follow_run(struct hc_agent *agent)
{
    struct hc_follow *follow = &agent->follow;
    int64_t now = hc_agent_ms(agent);
    struct hc_error err;

    hc_error_init(&err);
    if (hc_storage_follower(agent->storage) == NULL) {
        return -1;
    }
    if (follow->announced || now >= follow->next_look_ms) {
        hc_store_follower_drain(hc_storage_follower(agent->storage));
        if (hc_answers_follow(agent->answers, &err) == 0) {
            follow->said = 0;
        }
        follow->announced = !look_at_lines(agent, &err);
        follow->next_look_ms = now + (follow->news.loop != NULL ? LOOK_FAR_MS : LOOK_MS);
        if (hc_error_is_set(&err)) {
            hc_say_once(agent->o.log, &follow->said, HC_LOG_ERROR, "following the store", &err);
        }
    }
    if (follow->announced && follow->next_mark_ms < follow->next_look_ms) {
        return follow->next_mark_ms > now ? follow->next_mark_ms - now : 0;
    }
    return follow->next_look_ms > now ? follow->next_look_ms - now : 0;
}
