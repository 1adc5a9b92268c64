/* The loop's descriptors and passes. */
#include "loop/loop.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "loop/timer.h"
#include "tap.h"

static int64_t fake_time_ms = 1000;

static int64_t fake_now(void *self HC_UNUSED)
{
    return fake_time_ms / 1000;
}

static int64_t fake_ms(void *self HC_UNUSED)
{
    return fake_time_ms;
}

static const struct hc_clock fake_clock = {NULL, fake_now, fake_ms};

/* One end of a pair of sockets, in the loop. */
struct end {
    struct hc_loop_fd guest;
    int other;
    int calls;
    unsigned events;
    struct end *removes; /* when it is called */
    bool frees;
};

static void on_ready(void *self, unsigned events)
{
    struct end *end = self;
    char byte = 0;

    end->calls++;
    end->events = events;
    if ((events & HC_LOOP_READ) != 0) {
        (void)!recv(end->guest.fd, &byte, 1, MSG_DONTWAIT);
    }
    if (end->removes != NULL) {
        hc_loop_fd_remove(&end->removes->guest);
    }
    if (end->frees) {
        close(end->guest.fd);
        close(end->other);
        free(end);
    }
}

static struct end *new_end(struct hc_loop *loop, unsigned events)
{
    struct end *end = calloc(1, sizeof(*end));
    int pair[2];

    if (end == NULL || socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) != 0) {
        exit(99);
    }
    end->other = pair[1];
    end->guest = (struct hc_loop_fd){pair[0], events, "test", on_ready, end, NULL};
    if (hc_loop_fd_add(loop, &end->guest, NULL) != 0) {
        exit(99);
    }
    return end;
}

static void free_end(struct end *end)
{
    hc_loop_fd_remove(&end->guest);
    close(end->guest.fd);
    close(end->other);
    free(end);
}

static void say(const struct end *end)
{
    (void)!write(end->other, "x", 1);
}

static struct hc_loop *new_loop(void)
{
    struct hc_loop *loop = NULL;

    if (hc_loop_new(&fake_clock, &loop, NULL) != 0) {
        exit(99);
    }
    return loop;
}

static bool pass(struct hc_loop *loop)
{
    return hc_loop_pass(loop, 0, NULL) == 0;
}

static void descriptors_are_told_of_what_they_wait_for(void)
{
    struct hc_loop *loop = new_loop();
    struct end *reader = new_end(loop, HC_LOOP_READ);
    struct end *writer = new_end(loop, HC_LOOP_WRITE);
    struct end *none = new_end(loop, 0);

    say(none);
    ok(pass(loop) && reader->calls == 0, "nothing to read, no call");
    ok(writer->calls == 1 && writer->events == HC_LOOP_WRITE, "room to write is told");
    ok(pass(loop) && writer->calls == 2, "again, as long as there is some");
    ok(hc_loop_fd_change(&writer->guest, 0, NULL) == 0, "until nobody wants to know");
    say(reader);
    ok(pass(loop) && reader->calls == 1 && reader->events == HC_LOOP_READ, "a byte is told");
    is_int(none->calls, 0, "who waits for nothing is told nothing");
    ok(hc_loop_fd_change(&none->guest, HC_LOOP_READ, NULL) == 0 && pass(loop) && none->calls == 1,
       "until it waits for something");
    ok(shutdown(writer->other, SHUT_RDWR) == 0 && pass(loop) && writer->calls == 2,
       "nor of an end");
    ok(hc_loop_fd_change(&writer->guest, HC_LOOP_READ | HC_LOOP_WRITE, NULL) == 0 && pass(loop) &&
           writer->events == (HC_LOOP_READ | HC_LOOP_WRITE),
       "which is both");
    is_int(hc_loop_calls(loop), 5, "calls are counted");
    is_int(hc_loop_turn(loop), 0, "none is under way now");
    free_end(reader);
    free_end(writer);
    free_end(none);
    hc_loop_free(loop);
}

static void callbacks_may_remove_anything(void)
{
    struct hc_loop *loop = new_loop();
    struct end *a = new_end(loop, HC_LOOP_READ);
    struct end *b = new_end(loop, HC_LOOP_READ);

    a->removes = b;
    b->removes = a;
    say(a);
    say(b);
    ok(pass(loop), "both are ready in one pass");
    is_int(a->calls + b->calls, 1, "whoever comes first removes the other, which is not called");
    free_end(a);
    free_end(b);

    a = new_end(loop, HC_LOOP_READ);
    a->removes = a;
    a->frees = true;
    say(a);
    ok(pass(loop) && pass(loop), "a guest that frees itself is not touched any more");
    hc_loop_free(loop);
}

static void there_may_be_many(void)
{
    enum { MANY = 300 };
    struct hc_loop *loop = new_loop();
    struct end *ends[MANY];
    int called = 0;

    for (int i = 0; i < MANY; i++) {
        ends[i] = new_end(loop, HC_LOOP_READ);
        say(ends[i]);
    }
    for (int i = 0; i < MANY / 64 + 1; i++) {
        ok(pass(loop), "a pass takes some of them");
    }
    for (int i = 0; i < MANY; i++) {
        called += ends[i]->calls == 1;
        free_end(ends[i]);
    }
    is_int(called, MANY, "each was called, once");
    hc_loop_free(loop);
}

static void what_cannot_be_waited_for_is_an_error(void)
{
    struct hc_loop *loop = new_loop();
    struct hc_loop_fd closed = {1000000, HC_LOOP_READ, "closed", on_ready, NULL, NULL};
    struct hc_error err;

    hc_error_init(&err);
    ok(hc_loop_fd_add(loop, &closed, &err) != 0 && err.problem == HC_P_SYSTEM &&
           strstr(err.detail, "closed") != NULL,
       "a descriptor that is closed, by its name");
    ok(closed.loop == NULL, "and is not in the loop");
    hc_loop_fd_remove(&closed);
    hc_loop_free(loop);
    hc_loop_free(NULL);
}

static void set_ended(void *self)
{
    *(bool *)self = true;
}

static void spin(void *self)
{
    int64_t until = hc_activity_cpu_us() + *(int *)self * 1000;

    while (hc_activity_cpu_us() < until) {
    }
}

static void commands_run_it_until_they_are_done(void)
{
    struct hc_loop *loop = new_loop();
    struct hc_timer timer;
    bool ended = false;

    hc_timer_init(&timer, loop, "end", set_ended, &ended);
    hc_timer_in(&timer, 0);
    ok(hc_loop_run(loop, &ended, NULL) == 0 && ended, "hc_loop_run()");
    hc_loop_free(loop);
}

static void who_holds_the_loop_is_counted(void)
{
    struct hc_loop *loop = new_loop();
    struct hc_activities *all = hc_loop_activities(loop);
    struct hc_timer quick, slow;
    int little = 0, much = HC_LOOP_FAIR_MS + 5;

    hc_timer_init(&quick, loop, "quick", spin, &little);
    hc_timer_init(&slow, loop, "slow", spin, &much);
    hc_timer_in(&quick, 0);
    hc_timer_in(&slow, 0);
    ok(pass(loop) && hc_activity_unfair(all) == 1, "one was unfair");
    is_str(hc_activity_worst(all)->name, "slow", "by its name");
    ok(hc_activity_worst(all)->worst_us >= much * 1000 && hc_activity_worst(all)->runs == 1,
       "with its time");
    hc_loop_free(loop);
}

int main(void)
{
    descriptors_are_told_of_what_they_wait_for();
    callbacks_may_remove_anything();
    there_may_be_many();
    what_cannot_be_waited_for_is_an_error();
    commands_run_it_until_they_are_done();
    who_holds_the_loop_is_counted();
    return done();
}
