/* Timers of a loop, in a pairing heap: no memory but their own. See timer.h. */
#include "loop/timer.h"

#include <string.h>

#include "loop/queue.h"

static bool is_before(const struct hc_timer *a, const struct hc_timer *b)
{
    return a->at_ms != b->at_ms ? a->at_ms < b->at_ms : a->order < b->order;
}

/* Two heaps become one; either may be NULL. */
static struct hc_timer *merge(struct hc_timer *a, struct hc_timer *b)
{
    struct hc_timer *first = a;
    struct hc_timer *second = b;

    if (a == NULL || b == NULL) {
        return a != NULL ? a : b;
    }
    if (is_before(b, a)) {
        first = b;
        second = a;
    }
    second->prev = first;
    second->next = first->child;
    if (second->next != NULL) {
        second->next->prev = second;
    }
    first->child = second;
    return first;
}

/* The children of one that goes become one heap: in pairs, then all of those. */
static struct hc_timer *merge_children(struct hc_timer *child)
{
    struct hc_timer *pairs = NULL; /* by next, the last one first */
    struct hc_timer *heap = NULL;

    while (child != NULL) {
        struct hc_timer *a = child;
        struct hc_timer *b = a->next;

        child = b != NULL ? b->next : NULL;
        a->next = a->prev = NULL;
        if (b != NULL) {
            b->next = b->prev = NULL;
        }
        a = merge(a, b);
        a->next = pairs;
        pairs = a;
    }
    while (pairs != NULL) {
        struct hc_timer *next = pairs->next;

        pairs->next = pairs->prev = NULL;
        heap = merge(heap, pairs);
        pairs = next;
    }
    return heap;
}

void hc_timer_init(struct hc_timer *timer, struct hc_loop *loop, const char *name,
                   hc_timer_due *due, void *self)
{
    memset(timer, 0, sizeof(*timer));
    timer->loop = loop;
    timer->name = name;
    timer->due = due;
    timer->self = self;
}

void hc_timer_stop(struct hc_timer *timer)
{
    struct hc_timer_queue *queue = NULL;
    struct hc_timer *heap = NULL;

    if (!timer->is_set) {
        return;
    }
    queue = hc_loop_timers(timer->loop);
    heap = merge_children(timer->child);
    if (timer == queue->first) {
        queue->first = heap;
    } else {
        if (timer->prev->child == timer) {
            timer->prev->child = timer->next;
        } else {
            timer->prev->next = timer->next;
        }
        if (timer->next != NULL) {
            timer->next->prev = timer->prev;
        }
        queue->first = merge(queue->first, heap);
    }
    timer->child = timer->next = timer->prev = NULL;
    timer->is_set = false;
}

void hc_timer_at(struct hc_timer *timer, int64_t at_ms)
{
    struct hc_timer_queue *queue = hc_loop_timers(timer->loop);
    int64_t now = hc_now_ms(hc_loop_clock(timer->loop));

    hc_timer_stop(timer);
    timer->at_ms = at_ms > now ? at_ms : now; /* behind those that have been due for longer */
    timer->order = ++queue->order;
    timer->is_set = true;
    queue->first = merge(queue->first, timer);
}

void hc_timer_in(struct hc_timer *timer, int64_t ms)
{
    if (ms < 0) {
        hc_timer_stop(timer);
        return;
    }
    hc_timer_at(timer, hc_now_ms(hc_loop_clock(timer->loop)) + ms);
}

void hc_timer_within(struct hc_timer *timer, int64_t ms)
{
    if (ms >= 0 && (!timer->is_set || timer->at_ms > hc_now_ms(hc_loop_clock(timer->loop)) + ms)) {
        hc_timer_in(timer, ms);
    }
}
