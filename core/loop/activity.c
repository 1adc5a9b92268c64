/* Who holds the loop, and for how long; see activity.h. */
#include "loop/activity.h"

#include <string.h>
#include <time.h>

/* The last place is for all that found none. */
static struct hc_activity *place_of(struct hc_activities *all, const char *name)
{
    for (size_t i = 0; i < all->count; i++) {
        if (strcmp(all->items[i].name, name) == 0) {
            return &all->items[i];
        }
    }
    if (all->count == HC_ACTIVITY_MOST) {
        return &all->items[HC_ACTIVITY_MOST - 1];
    }
    all->items[all->count].name = all->count == HC_ACTIVITY_MOST - 1 ? "other" : name;
    return &all->items[all->count++];
}

static void add(struct hc_activity *activity, int64_t us)
{
    activity->runs++;
    activity->in_all_us += us;
    activity->worst_us = us > activity->worst_us ? us : activity->worst_us;
}

void hc_activity_ran(struct hc_activities *all, const char *name, int64_t us)
{
    struct hc_activity *activity = place_of(all, name);

    add(activity, us);
    activity->unfair += us > (int64_t)HC_LOOP_FAIR_MS * 1000;
}

void hc_activity_waited(struct hc_activities *all, int64_t us)
{
    add(&all->disk, us);
}

const struct hc_activity *hc_activity_worst(const struct hc_activities *all)
{
    const struct hc_activity *worst = NULL;

    for (size_t i = 0; i < all->count; i++) {
        if (worst == NULL || all->items[i].worst_us > worst->worst_us) {
            worst = &all->items[i];
        }
    }
    return worst;
}

uint64_t hc_activity_unfair(const struct hc_activities *all)
{
    uint64_t unfair = 0;

    for (size_t i = 0; i < all->count; i++) {
        unfair += all->items[i].unfair;
    }
    return unfair;
}

static int64_t clock_us(clockid_t clock)
{
    struct timespec ts = {0, 0};

    (void)clock_gettime(clock, &ts);
    return (int64_t)ts.tv_sec * 1000000 + ts.tv_nsec / 1000;
}

int64_t hc_activity_cpu_us(void)
{
    return clock_us(CLOCK_THREAD_CPUTIME_ID);
}

int64_t hc_activity_wall_us(void)
{
    return clock_us(CLOCK_MONOTONIC);
}
