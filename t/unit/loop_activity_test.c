/* Counting who holds the loop. */
#include "loop/activity.h"

#include "tap.h"

static char names[HC_ACTIVITY_MOST + 5][8];

int main(void)
{
    static struct hc_activities all;

    ok(hc_activity_worst(&all) == NULL && hc_activity_unfair(&all) == 0, "nobody, at first");
    hc_activity_ran(&all, "orders", 3000);
    hc_activity_ran(&all, "files", 10000);
    hc_activity_ran(&all, "files", 10001);
    hc_activity_waited(&all, 500000);
    is_int(all.count, 2, "one entry each");
    is_str(hc_activity_worst(&all)->name, "files", "who took longest");
    is_int(hc_activity_worst(&all)->runs, 2, "how often it ran");
    is_int(hc_activity_worst(&all)->in_all_us, 20001, "how long in all");
    is_int(hc_activity_unfair(&all), 1, "exactly as long as is fair is fair");
    ok(all.disk.runs == 1 && all.disk.worst_us == 500000 && all.disk.unfair == 0,
       "the disk is counted apart");
    for (size_t i = 0; i < HC_COUNT(names); i++) {
        snprintf(names[i], sizeof(names[i]), "n%zu", i);
        hc_activity_ran(&all, names[i], 1);
    }
    is_int(all.count, HC_ACTIVITY_MOST, "there is an end of names");
    is_str(all.items[HC_ACTIVITY_MOST - 1].name, "other", "the rest is one");
    is_int(all.items[HC_ACTIVITY_MOST - 1].runs, 8, "and counted");
    return done();
}
