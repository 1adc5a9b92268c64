/*
 * Following the store: versions that other agents commit are published here too, and challenges
 * that they present are answered by our servers too. An announcement (inotify) makes a look come
 * at once; without one there is a look now and then all the same.
 */
#include "agent/state.h"

#define LOOK_MS     1000  /* where nothing announces changes */
#define LOOK_FAR_MS 10000 /* where changes are announced */
#define FULL_MS     30000 /* a look at all lines whatever the mark says */
#define MARK_MS     300   /* looks at the lines are at least this far apart */
#define MARK_SHARE  10    /* and cost at most this fraction of the time .. */
#define MARK_MOST   2000  /* .. but are never further apart than this */

int hc_follow_start(struct hc_agent *agent, struct hc_error *err)
{
    struct hc_follow *follow = &agent->follow;

    follow->next_look_ms = follow->next_mark_ms = 0;
    follow->announced = true;
    follow->mark = 0;
    return hc_store_follow(agent->storage.store, &follow->follower, err);
}

/* What is mirrored stays in the table: the agent that comes next may have put the same there. */
void hc_follow_stop(struct hc_agent *agent)
{
    struct hc_follow *follow = &agent->follow;

    hc_list_dispose(&follow->mirrored);
    hc_store_unfollow(follow->follower);
    follow->follower = NULL;
}

int hc_follow_fd(const struct hc_agent *agent)
{
    return agent->follow.follower != NULL ? hc_store_follower_fd(agent->follow.follower) : -1;
}

struct mirroring {
    struct hc_agent *agent;
    struct hc_list seen;
    struct hc_list expired;
    struct hc_error *err;
};

static int mirror_one(void *arg, const struct hc_challenge *challenge)
{
    struct mirroring *mirroring = arg;
    struct hc_agent *agent = mirroring->agent;
    struct hc_error err;

    hc_error_init(&err);
    if (challenge->expires <= hc_agent_now(agent)) {
        /* its agent died and none came to go on with the order */
        return hc_list_add(&mirroring->expired, challenge->token, mirroring->err);
    }
    if (!hc_list_has(&agent->follow.mirrored, challenge->token) &&
        hc_table_token_put(agent->o.table, challenge->token, challenge->keyauth, challenge->expires,
                           &err) != 0) {
        hc_say_once(agent, &agent->follow.said, HC_LOG_ERROR, NULL, &err);
        return 0; /* not acknowledged, so its agent knows that we do not answer it */
    }
    return hc_list_add(&mirroring->seen, challenge->token, mirroring->err);
}

static int look_at_challenges(struct hc_agent *agent, struct hc_error *err)
{
    struct hc_follow *follow = &agent->follow;
    struct mirroring mirroring = {.agent = agent, .err = err};
    int rc = -1;

    if (hc_store_challenge_each(agent->storage.store, mirror_one, &mirroring, err) != 0) {
        goto out;
    }
    for (size_t i = 0; i < follow->mirrored.count; i++) {
        if (!hc_list_has(&mirroring.seen, follow->mirrored.items[i]) &&
            hc_table_token_remove(agent->o.table, follow->mirrored.items[i], err) != 0) {
            goto out;
        }
    }
    for (size_t i = 0; i < mirroring.expired.count; i++) {
        if (hc_store_challenge_remove(agent->storage.store, mirroring.expired.items[i], err) != 0) {
            goto out;
        }
    }
    rc = hc_store_follower_ack(follow->follower, &mirroring.seen, err);
    hc_list_dispose(&follow->mirrored);
    follow->mirrored = mirroring.seen;
    memset(&mirroring.seen, 0, sizeof(mirroring.seen));
out:
    hc_list_dispose(&mirroring.expired);
    hc_list_dispose(&mirroring.seen);
    return rc;
}

int hc_follow_reload(struct hc_agent *agent, struct hc_error *err)
{
    if (hc_inventory_read(&agent->inventory, agent->storage.store, err) != 0) {
        return -1;
    }
    hc_publish_all(agent);
    agent->jobs_dirty = true;
    return 0;
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
    if (hc_store_change_mark(agent->storage.store, &mark, err) != 0 ||
        (mark == follow->mark && start < follow->next_full_ms)) {
        return true;
    }
    follow->next_full_ms = start + FULL_MS;
    if (hc_follow_reload(agent, err) == 0) {
        follow->mark = mark;
    }
    took = hc_agent_ms(agent) - start;
    rest = took * MARK_SHARE > MARK_MS ? took * MARK_SHARE : MARK_MS;
    follow->next_mark_ms = start + took + (rest < MARK_MOST ? rest : MARK_MOST);
    return true;
}

int64_t hc_follow_run(struct hc_agent *agent)
{
    struct hc_follow *follow = &agent->follow;
    int64_t now = hc_agent_ms(agent);
    struct hc_error err;

    hc_error_init(&err);
    if (follow->follower == NULL) {
        return -1;
    }
    if (follow->announced || now >= follow->next_look_ms) {
        hc_store_follower_drain(follow->follower);
        if (look_at_challenges(agent, &err) == 0) {
            follow->said = 0;
        }
        follow->announced = !look_at_lines(agent, &err);
        follow->next_look_ms = now + (hc_follow_fd(agent) >= 0 ? LOOK_FAR_MS : LOOK_MS);
        if (hc_error_is_set(&err)) {
            hc_say_once(agent, &follow->said, HC_LOG_ERROR, "following the store", &err);
        }
    }
    if (follow->announced && follow->next_mark_ms < follow->next_look_ms) {
        return follow->next_mark_ms > now ? follow->next_mark_ms - now : 0;
    }
    return follow->next_look_ms > now ? follow->next_look_ms - now : 0;
}
