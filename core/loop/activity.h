/*
 * Who holds the loop, and for how long: of every named activity how often it ran, the most CPU time
 * that it took at once, and how often that was more than is fair. Time in which the thread waits
 * for a disk is no CPU time; hc_activity_waited() counts it apart.
 */
#ifndef HC_LOOP_ACTIVITY_H
#define HC_LOOP_ACTIVITY_H

#include "base/compiler.h"

#define HC_LOOP_FAIR_MS  10   /* of CPU, for one callback */
#define HC_LOOP_SLICE_US 3000 /* what takes longer than it may is done so much at a time */
#define HC_ACTIVITY_MOST 40   /* names; those beyond are counted as one, "other" */

struct hc_activity {
    const char *name; /* static */
    uint64_t runs;
    uint64_t unfair;   /* runs that took more than HC_LOOP_FAIR_MS */
    int64_t worst_us;  /* the longest */
    int64_t in_all_us; /* all together */
};

struct hc_activities {
    struct hc_activity items[HC_ACTIVITY_MOST];
    size_t count;
    struct hc_activity disk; /* waits, by the clock on the wall; unfair counts nothing there */
};

/* One run of this activity. */
void hc_activity_ran(struct hc_activities *all, const char *name, int64_t us);

/* One wait for the disk. */
void hc_activity_waited(struct hc_activities *all, int64_t us);

/* The activity with the longest run, NULL: nothing ran. */
const struct hc_activity *hc_activity_worst(const struct hc_activities *all);

/* How often the loop was held for longer than is fair, by anybody. */
uint64_t hc_activity_unfair(const struct hc_activities *all);

/* CPU time of this thread, time on the wall: microseconds from some start. */
int64_t hc_activity_cpu_us(void);
int64_t hc_activity_wall_us(void);

#endif
