/* Timers of a loop, with a clock of the test's own. */
#include "loop/timer.h"

#include <stdlib.h>

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
static struct hc_loop *loop;

static char called[100]; /* the letters of those that were called */

struct lettered {
    struct hc_timer timer;
    char letter;
    int again_ms; /* >= 0: sets itself anew */
    struct lettered *stops, *sets;
};

static void on_due(void *self)
{
    struct lettered *l = self;
    size_t used = strlen(called);

    if (used < sizeof(called) - 1) {
        called[used] = l->letter;
        called[used + 1] = '\0';
    }
    if (l->again_ms >= 0) {
        hc_timer_in(&l->timer, l->again_ms);
    }
    if (l->stops != NULL) {
        hc_timer_stop(&l->stops->timer);
    }
    if (l->sets != NULL) {
        hc_timer_within(&l->sets->timer, 0); /* in() would move it behind, each time */
    }
}

static void letter(struct lettered *l, char c)
{
    *l = (struct lettered){.letter = c, .again_ms = -1};
    hc_timer_init(&l->timer, loop, "letter", on_due, l);
}

static const char *pass_at(int64_t ms)
{
    fake_time_ms = ms;
    called[0] = '\0';
    return hc_loop_pass(loop, 0, NULL) == 0 ? called : "failed";
}

static void they_are_called_in_their_order(void)
{
    struct lettered a, b, c, d;

    letter(&a, 'a');
    letter(&b, 'b');
    letter(&c, 'c');
    letter(&d, 'd');
    is_int(hc_loop_next_ms(loop), -1, "none is set");
    hc_timer_at(&c.timer, 1300);
    hc_timer_at(&a.timer, 1100);
    hc_timer_at(&d.timer, 1300);
    hc_timer_at(&b.timer, 1200);
    is_int(hc_loop_next_ms(loop), 100, "the first one counts");
    is_str(pass_at(1099), "", "not too early");
    is_str(pass_at(1100), "a", "on time");
    is_int(hc_loop_next_ms(loop), 100, "then the second one");
    is_str(pass_at(1400), "bcd", "by time, and as they were set");
    is_str(pass_at(1500), "", "once");
}

static void they_may_be_set_anew_and_stopped(void)
{
    struct lettered a, b;
    struct hc_timer zeroed = {0};

    letter(&a, 'a');
    letter(&b, 'b');
    hc_timer_stop(&zeroed);
    hc_timer_in(&a.timer, 100);
    hc_timer_in(&a.timer, 300);
    is_str(pass_at(1700), "", "later than it was");
    hc_timer_within(&a.timer, 500);
    is_str(pass_at(1800), "a", "within leaves what is earlier");
    hc_timer_within(&a.timer, -1);
    ok(!a.timer.is_set, "and sets nothing for never");
    hc_timer_within(&a.timer, 500);
    hc_timer_within(&a.timer, 100);
    is_str(pass_at(1900), "a", "but takes what is");
    hc_timer_at(&a.timer, 10);
    is_int(hc_loop_next_ms(loop), 0, "a time that is over is now");
    hc_timer_in(&a.timer, -1);
    is_str(pass_at(2000), "", "stopped");
    hc_timer_at(&b.timer, 2000);
    hc_timer_at(&a.timer, 1);
    is_str(pass_at(2000), "ba", "who was due comes before who is set for the past");
}

static void callbacks_may_do_what_they_like(void)
{
    struct lettered a, b, c;

    letter(&a, 'a');
    letter(&b, 'b');
    letter(&c, 'c');
    a.again_ms = 0;
    a.stops = &b;
    a.sets = &c;
    hc_timer_in(&a.timer, 0);
    hc_timer_in(&b.timer, 0);
    is_str(pass_at(3000), "a", "b is stopped, and what is set for now is the next pass's");
    is_str(pass_at(3000), "ac", "which does it");
    hc_timer_stop(&a.timer);
    hc_timer_stop(&c.timer);
    is_int(hc_loop_next_ms(loop), -1, "all is over");
}

enum { MANY = 2000 };
static struct lettered many[MANY];
static int64_t last_ms;
static int in_order;

static void on_one_of_many(void *self)
{
    const struct hc_timer *timer = self;

    in_order += timer->at_ms >= last_ms;
    last_ms = timer->at_ms;
}

static void many_stay_in_order(void)
{
    unsigned random = 12345;
    int set = 0;

    for (int i = 0; i < MANY; i++) {
        hc_timer_init(&many[i].timer, loop, "many", on_one_of_many, &many[i].timer);
    }
    for (int i = 0; i < MANY * 5; i++) {
        struct hc_timer *timer = &many[(random = random * 1103515245 + 12345) / 65536 % MANY].timer;

        if (random % 3 == 0) {
            hc_timer_stop(timer);
        } else {
            hc_timer_in(timer, random / 7 % 50000);
        }
    }
    for (int i = 0; i < MANY; i++) {
        set += many[i].timer.is_set;
    }
    last_ms = 0;
    (void)pass_at(fake_time_ms + 25000);
    (void)pass_at(fake_time_ms + 25000);
    is_int(in_order, set, "whatever was set, moved and stopped before");
    is_int(hc_loop_next_ms(loop), -1, "and none is left");
    ok(set > MANY / 4, "there were some");
}

int main(void)
{
    if (hc_loop_new(&fake_clock, &loop, NULL) != 0) {
        return 99;
    }
    they_are_called_in_their_order();
    they_may_be_set_anew_and_stopped();
    callbacks_may_do_what_they_like();
    many_stay_in_order();
    hc_loop_free(loop);
    return done();
}
