/* Following the store; see follow.h. */
#include "agent/follow.h"

#include <stdlib.h>

#include "agent/said.h"
#include "loop/timer.h"
#include "store/follower.h"
#include "store/mark.h"

#define SCAN_MS     1000  /* where nothing announces changes */
#define SCAN_FAR_MS 10000 /* where changes are announced */
#define SWEEP_MS    10000 /* some lines are scanned whatever the mark says */
#define REST_MS     30000 /* scans are at most this far apart, whatever they cost */
#define MARK_MS     300   /* scans are at least this far apart */
#define MARK_SHARE  10    /* and cost at most this fraction of the time */

struct hc_follow {
    const struct hc_env *env;
    struct hc_storage *storage;
    struct hc_answers *answers;
    uint64_t mark;         /* of the inventory that we have */
    int64_t next_mark_ms;  /* scans are this far apart */
    int64_t next_sweep_ms; /* some lines are scanned then, whatever the mark says */
    int64_t next_scan_ms;  /* a scan even if nothing was announced */
    int64_t took_ms;       /* by the scan under way */
    uint64_t scan_mark;    /* the mark at its begin */
    bool scan_all;         /* of all lines */
    bool scanning;
    bool announced;
    struct hc_loop_fd news; /* in the loop where the store tells of changes */
    hc_said said;
    struct hc_timer due;
};

static void on_news(void *self, unsigned events HC_UNUSED)
{
    struct hc_follow *follow = self;

    follow->announced = true;
    hc_timer_within(&follow->due, 0); /* which reads it */
}

static void start(struct hc_follow *follow)
{
    struct hc_store_follower *follower = hc_storage_follower(follow->storage);
    int fd = follower != NULL ? hc_store_follower_fd(follower) : -1;

    follow->next_scan_ms = follow->next_mark_ms = follow->next_sweep_ms = 0;
    follow->announced = true;
    follow->scanning = false;
    follow->mark = 0;
    follow->news = (struct hc_loop_fd){fd, HC_LOOP_READ, "other agents", on_news, follow, NULL};
    if (fd >= 0) {
        (void)!hc_loop_fd_add(follow->env->loop, &follow->news,
                              NULL); /* else it scans more often */
    }
}

/* Brings the inventory in step and publishes what became better. 1: there is more to do. */
static int refresh(struct hc_follow *follow, bool announced, struct hc_error *err)
{
    size_t changed = 0;
    int rc = hc_inventory_refresh(hc_storage_inventory(follow->storage),
                                  hc_storage_store(follow->storage), announced, &changed, err);

    if (changed > 0) {
        hc_events_tell(follow->env->events, HC_EVENT_LINES_CHANGED);
    }
    return rc;
}

/* True if a scan is due. *done: none is needed; else it is too soon. */
static bool begin_scan(struct hc_follow *follow, bool *done, struct hc_error *err)
{
    int64_t now = hc_env_ms(follow->env);

    *done = false;
    if (now < follow->next_mark_ms) {
        return false;
    }
    if (hc_store_change_mark(hc_storage_store(follow->storage), &follow->scan_mark, err) != 0 ||
        (follow->scan_mark == follow->mark && now < follow->next_sweep_ms)) {
        *done = true;
        return false;
    }
    follow->next_sweep_ms = now + SWEEP_MS;
    follow->scan_all = follow->scan_mark != follow->mark;
    follow->took_ms = 0;
    return true;
}

/* True if a scan ended, or none was needed; false: too soon, later, or there is more of it. */
static bool scan_lines(struct hc_follow *follow, struct hc_error *err)
{
    int64_t start = hc_env_ms(follow->env);
    int64_t rest = 0;
    bool done = false;
    int rc = 0;

    if (!follow->scanning && !begin_scan(follow, &done, err)) {
        return done;
    }
    rc = refresh(follow, follow->scan_all, err);
    follow->took_ms += hc_env_ms(follow->env) - start;
    follow->scanning = rc > 0;
    if (rc > 0) {
        return false;
    }
    if (rc == 0) {
        follow->mark = follow->scan_mark;
    }
    rest = follow->took_ms * MARK_SHARE > MARK_MS ? follow->took_ms * MARK_SHARE : MARK_MS;
    follow->next_mark_ms = hc_env_ms(follow->env) + (rest < REST_MS ? rest : REST_MS);
    return true;
}

int64_t hc_follow_run(struct hc_follow *follow)
{
    int64_t now = hc_env_ms(follow->env);
    struct hc_error err;

    hc_error_init(&err);
    if (hc_storage_follower(follow->storage) == NULL) {
        return -1;
    }
    if (follow->announced || now >= follow->next_scan_ms) {
        if (!follow->scanning) {
            hc_store_follower_drain(hc_storage_follower(follow->storage));
            if (hc_answers_follow(follow->answers, &err) == 0) {
                follow->said = 0;
            }
        }
        follow->announced = !scan_lines(follow, &err);
        follow->next_scan_ms = now + (follow->news.loop != NULL ? SCAN_FAR_MS : SCAN_MS);
        if (hc_error_is_set(&err)) {
            hc_say_once(follow->env->log, &follow->said, HC_LOG_ERROR, "following the store", &err);
        }
    }
    if (follow->announced && follow->next_mark_ms < follow->next_scan_ms) {
        return follow->next_mark_ms > now ? follow->next_mark_ms - now : 0;
    }
    return follow->next_scan_ms > now ? follow->next_scan_ms - now : 0;
}

/* ---- life ---- */

static void on_due(void *self)
{
    struct hc_follow *follow = self;

    hc_timer_in(&follow->due, hc_follow_run(follow));
}

static void on_event(void *self, const struct hc_event *event)
{
    struct hc_follow *follow = self;

    if (event->kind == HC_EVENT_STORE_OPENED) {
        start(follow);
        hc_timer_in(&follow->due, 0);
    } else if (event->kind == HC_EVENT_STORE_CLOSING) {
        /* what is mirrored stays in the table: the next agent may have put the same there */
        hc_loop_fd_remove(&follow->news);
        hc_answers_unfollow(follow->answers);
    } else if (event->kind == HC_EVENT_LINE_COMMITTED) {
        /* it is in the inventory already: no reason to read all lines */
        hc_store_mark_own(hc_storage_store(follow->storage), &follow->mark);
    }
}

int hc_follow_new(const struct hc_env *env, struct hc_storage *storage, struct hc_answers *answers,
                  struct hc_follow **out, struct hc_error *err)
{
    struct hc_follow *follow = calloc(1, sizeof(*follow));

    if (follow == NULL) {
        return hc_error_nomem(err);
    }
    follow->env = env;
    follow->storage = storage;
    follow->answers = answers;
    hc_timer_init(&follow->due, env->loop, "other agents", on_due, follow);
    if (hc_events_add(env->events, on_event, follow, err) != 0) {
        free(follow);
        return -1;
    }
    *out = follow;
    return 0;
}

void hc_follow_free(struct hc_follow *follow)
{
    if (follow == NULL) {
        return;
    }
    hc_events_remove(follow->env->events, follow);
    hc_loop_fd_remove(&follow->news);
    hc_timer_stop(&follow->due);
    free(follow);
}
