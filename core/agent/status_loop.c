/* Who held the loop, as JSON; see status_loop.h. */
#include "agent/status_loop.h"

static double ms_of(int64_t us)
{
    return (double)us / 1000;
}

static json_t *activity_of(const struct hc_activity *activity)
{
    return json_pack("{s:s, s:I, s:I, s:f, s:f}", "name", activity->name, "runs",
                     (json_int_t)activity->runs, "over_10ms", (json_int_t)activity->unfair,
                     "worst_ms", ms_of(activity->worst_us), "in_all_ms",
                     ms_of(activity->in_all_us));
}

json_t *hc_status_loop(const struct hc_activities *all)
{
    const struct hc_activity *worst = hc_activity_worst(all);
    json_t *activities = json_array();
    json_t *disk = json_pack("{s:I, s:f, s:f}", "waits", (json_int_t)all->disk.runs, "worst_ms",
                             ms_of(all->disk.worst_us), "in_all_ms", ms_of(all->disk.in_all_us));

    for (size_t i = 0; i < all->count; i++) {
        (void)json_array_append_new(activities, activity_of(&all->items[i]));
    }
    return json_pack("{s:I, s:s?, s:f, s:o, s:o}", "over_10ms", (json_int_t)hc_activity_unfair(all),
                     "worst", worst != NULL ? worst->name : NULL, "worst_ms",
                     worst != NULL ? ms_of(worst->worst_us) : 0.0, "disk", disk, "activities",
                     activities);
}
