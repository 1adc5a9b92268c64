/* Waiting for descriptors and timers; see loop.h. */
#include "loop/loop.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "loop/queue.h"

#define EVENTS 64 /* taken at once; what is ready beyond them is so in the next pass */

struct hc_loop {
    const struct hc_clock *clock;
    int epoll;
    struct hc_timer_queue timers;
    struct epoll_event events[EVENTS]; /* of this pass */
    int event_count;
    uint64_t calls;
    const char *doing; /* the activity of the callback that runs */
    int64_t began_us;  /* when that began, in CPU time of this thread */
    struct hc_activities activities;
};

int hc_loop_new(const struct hc_clock *clock, struct hc_loop **out, struct hc_error *err)
{
    struct hc_loop *loop = calloc(1, sizeof(*loop));

    if (loop == NULL) {
        return hc_error_nomem(err);
    }
    loop->clock = clock;
    loop->epoll = epoll_create1(EPOLL_CLOEXEC);
    if (loop->epoll < 0) {
        hc_error_set_errno(err, HC_P_SYSTEM, NULL, errno, "a descriptor to wait with");
        free(loop);
        return -1;
    }
    *out = loop;
    return 0;
}

void hc_loop_free(struct hc_loop *loop)
{
    if (loop == NULL) {
        return;
    }
    close(loop->epoll);
    free(loop);
}

const struct hc_clock *hc_loop_clock(const struct hc_loop *loop)
{
    return loop->clock;
}

struct hc_timer_queue *hc_loop_timers(struct hc_loop *loop)
{
    return &loop->timers;
}

struct hc_activities *hc_loop_activities(struct hc_loop *loop)
{
    return &loop->activities;
}

uint64_t hc_loop_calls(const struct hc_loop *loop)
{
    return loop->calls;
}

uint64_t hc_loop_turn(const struct hc_loop *loop)
{
    return loop->doing != NULL ? loop->calls : 0;
}

/* What ran until now goes on its account. */
static void account(struct hc_loop *loop)
{
    int64_t now = hc_activity_cpu_us();

    hc_activity_ran(&loop->activities, loop->doing, now - loop->began_us);
    loop->began_us = now;
}

static void begin_call(struct hc_loop *loop, const char *name)
{
    loop->calls++;
    loop->doing = name;
    loop->began_us = hc_activity_cpu_us();
}

void hc_loop_does(struct hc_loop *loop, const char *name)
{
    account(loop);
    loop->doing = name;
}

static void end_call(struct hc_loop *loop)
{
    account(loop);
    loop->doing = NULL;
}

/* ---- descriptors ---- */

static int control(const struct hc_loop *loop, int what, struct hc_loop_fd *guest,
                   struct hc_error *err)
{
    struct epoll_event event = {.data.ptr = guest};

    event.events = ((guest->events & HC_LOOP_READ) != 0 ? (uint32_t)EPOLLIN : 0) |
                   ((guest->events & HC_LOOP_WRITE) != 0 ? (uint32_t)EPOLLOUT : 0);
    if (epoll_ctl(loop->epoll, what, guest->fd, &event) != 0) {
        return hc_error_set_errno(err, HC_P_SYSTEM, NULL, errno, "waiting for a descriptor (%s)",
                                  guest->name);
    }
    return 0;
}

/* What has come for it in this pass does not reach it any more. */
static void forget(struct hc_loop *loop, const struct hc_loop_fd *guest)
{
    for (int i = 0; i < loop->event_count; i++) {
        if (loop->events[i].data.ptr == guest) {
            loop->events[i].data.ptr = NULL;
        }
    }
}

int hc_loop_fd_add(struct hc_loop *loop, struct hc_loop_fd *guest, struct hc_error *err)
{
    /* one that waits for nothing is out of the kernel's sight: it would be told of its hang-up */
    if (guest->events != 0 && control(loop, EPOLL_CTL_ADD, guest, err) != 0) {
        return -1;
    }
    guest->loop = loop;
    return 0;
}

int hc_loop_fd_change(struct hc_loop_fd *guest, unsigned events, struct hc_error *err)
{
    unsigned before = guest->events;
    int what = before == 0 ? EPOLL_CTL_ADD : events == 0 ? EPOLL_CTL_DEL : EPOLL_CTL_MOD;

    if (events == before) {
        return 0;
    }
    guest->events = events;
    if (control(guest->loop, what, guest, err) != 0) {
        guest->events = before;
        return -1;
    }
    return 0;
}

void hc_loop_fd_remove(struct hc_loop_fd *guest)
{
    if (guest->loop == NULL) {
        return;
    }
    if (guest->events != 0) {
        (void)epoll_ctl(guest->loop->epoll, EPOLL_CTL_DEL, guest->fd, NULL);
    }
    forget(guest->loop, guest);
    guest->loop = NULL;
}

/* ---- a pass ---- */

static void run_timer(struct hc_loop *loop, struct hc_timer *timer)
{
    begin_call(loop, timer->name);
    hc_timer_stop(timer);
    timer->due(timer->self);
    end_call(loop);
}

/* Timers that are due; but one that a timer sets is the next pass's. */
static void run_timers(struct hc_loop *loop)
{
    uint64_t last = loop->timers.order;
    int64_t now = hc_now_ms(loop->clock);
    struct hc_timer *timer = NULL;

    while ((timer = loop->timers.first) != NULL && timer->at_ms <= now && timer->order <= last) {
        run_timer(loop, timer);
    }
}

static void run_ready(struct hc_loop *loop, struct hc_loop_fd *guest, uint32_t what)
{
    bool broken = (what & (EPOLLERR | EPOLLHUP)) != 0;
    unsigned events = ((what & EPOLLIN) != 0 || broken ? HC_LOOP_READ : 0) |
                      ((what & EPOLLOUT) != 0 || broken ? HC_LOOP_WRITE : 0);

    events &= guest->events;
    if (events == 0) {
        return; /* it waits for something else since */
    }
    begin_call(loop, guest->name);
    guest->ready(guest->self, events);
    end_call(loop);
}

int64_t hc_loop_next_ms(const struct hc_loop *loop)
{
    int64_t left = 0;

    if (loop->timers.first == NULL) {
        return -1;
    }
    left = loop->timers.first->at_ms - hc_now_ms(loop->clock);
    return left > 0 ? left : 0;
}

static int until_next(const struct hc_loop *loop, int max_wait_ms)
{
    int64_t wait = hc_loop_next_ms(loop);

    if (max_wait_ms >= 0 && (wait < 0 || wait > max_wait_ms)) {
        wait = max_wait_ms;
    }
    return wait > INT_MAX ? INT_MAX : (int)wait;
}

int hc_loop_pass(struct hc_loop *loop, int max_wait_ms, struct hc_error *err)
{
    int count = epoll_wait(loop->epoll, loop->events, EVENTS, until_next(loop, max_wait_ms));

    if (count < 0 && errno != EINTR) {
        return hc_error_set_errno(err, HC_P_SYSTEM, NULL, errno, "waiting for descriptors");
    }
    loop->event_count = count > 0 ? count : 0;
    for (int i = 0; i < loop->event_count; i++) {
        if (loop->events[i].data.ptr != NULL) {
            run_ready(loop, loop->events[i].data.ptr, loop->events[i].events);
        }
    }
    loop->event_count = 0;
    run_timers(loop);
    return 0;
}

int hc_loop_run(struct hc_loop *loop, const bool *ended, struct hc_error *err)
{
    while (!*ended) {
        if (hc_loop_pass(loop, -1, err) != 0) {
            return -1;
        }
    }
    return 0;
}
