/*
 * hc_loop: what one process waits for, on one thread: descriptors, timers (timer.h) and children
 * (child.h). Whoever has one to wait for is a guest: it embeds the struct below in its own object
 * and puts it into the loop, which allocates nothing for it. A callback may add, change and remove
 * whatever it likes, itself included, and free the object that the guest is embedded in once it was
 * removed.
 *
 * The loop is fair as long as its guests are: none may hold it for longer than HC_LOOP_FAIR_MS of
 * CPU. What takes longer runs in a child, or in parts. activity.h counts who does not keep to it.
 *
 * The time is the clock's that the loop was made with, so that a test can let it go by.
 */
#ifndef HC_LOOP_LOOP_H
#define HC_LOOP_LOOP_H

#include "base/time.h"
#include "loop/activity.h"

struct hc_loop;

#define HC_LOOP_READ  1u /* there is something to read, or it was hung up, or it is broken */
#define HC_LOOP_WRITE 2u /* it takes more, or it is broken */

/* events: what has come of what was waited for. */
typedef void hc_loop_ready(void *self, unsigned events);

/* A descriptor. Its owner sets the first five, and neither moves nor copies it while it is in. */
struct hc_loop_fd {
    int fd;
    unsigned events;  /* HC_LOOP_READ, HC_LOOP_WRITE, both, or 0: nothing at the moment */
    const char *name; /* of the activity; static */
    hc_loop_ready *ready;
    void *self;
    struct hc_loop *loop; /* the loop's; NULL: it is in none */
};

/* *out is the caller's to hc_loop_free(). clock is borrowed. */
int hc_loop_new(const struct hc_clock *clock, struct hc_loop **out,
                struct hc_error *err) HC_MUST_USE;
/* After its guests: none may be in it any more. NULL is fine. */
void hc_loop_free(struct hc_loop *loop);

const struct hc_clock *hc_loop_clock(const struct hc_loop *loop);

/* HC_P_SYSTEM. A descriptor is in one loop once; files on a disk are never waited for. */
int hc_loop_fd_add(struct hc_loop *loop, struct hc_loop_fd *guest,
                   struct hc_error *err) HC_MUST_USE;
/* Waits for other events from now on. */
int hc_loop_fd_change(struct hc_loop_fd *guest, unsigned events, struct hc_error *err) HC_MUST_USE;
/* Before the descriptor is closed. Fine for one that is in no loop. */
void hc_loop_fd_remove(struct hc_loop_fd *guest);

/*
 * One pass: waits until a timer is due, a descriptor is ready or max_wait_ms are over (-1: no such
 * limit), calls whoever is ready, then the timers that are due. What a timer sets for now is called
 * in the next pass, so that a pass ends. -1 with err when the system lets nobody wait.
 */
int hc_loop_pass(struct hc_loop *loop, int max_wait_ms, struct hc_error *err) HC_MUST_USE;

/* Passes until *ended, or -1. For commands, whose whole work is a question or two. */
int hc_loop_run(struct hc_loop *loop, const bool *ended, struct hc_error *err) HC_MUST_USE;

/* Milliseconds until the next timer is due, 0: one is, -1: none is set. */
int64_t hc_loop_next_ms(const struct hc_loop *loop);

/* How often a guest was called since the loop was made: more than before means, something was. */
uint64_t hc_loop_calls(const struct hc_loop *loop);
/* The number of the call that is under way, for what is remembered within one; 0: none is. */
uint64_t hc_loop_turn(const struct hc_loop *loop);

/*
 * From within a callback: what it does from here on is counted under this name, what it did until
 * now under the one of before.
 */
void hc_loop_does(struct hc_loop *loop, const char *name);

/* What was counted so far; valid as long as the loop. */
struct hc_activities *hc_loop_activities(struct hc_loop *loop);

#endif
