/* The pause of a job whose order fails alone. */
#include "agent/pause.h"

#include "tap.h"

/* Only compared. */
static const char marks[2];
#define ONE ((const struct hc_ca *)(const void *)&marks[0])
#define TWO ((const struct hc_ca *)(const void *)&marks[1])

static void it_doubles_to_half_an_hour(void)
{
    static const int64_t want[] = {10, 20, 40, 80, 160, 320, 640, 1280, 1800, 1800};
    struct hc_pause pause = {0};
    int64_t now = 5000;

    is_int(hc_pause_left(&pause, ONE, false, now), 0, "no failure: no pause");
    for (size_t i = 0; i < HC_COUNT(want); i++) {
        hc_pause_fail(&pause, ONE, now);
        is_int(hc_pause_left(&pause, ONE, false, now), want[i] * 1000, "so long");
        now += want[i] * 1000;
        is_int(hc_pause_left(&pause, ONE, false, now), 0, "and then no longer");
    }
}

static void it_counts_where_it_failed(void)
{
    struct hc_pause pause = {0};

    hc_pause_fail(&pause, ONE, 1000);
    is_int(hc_pause_left(&pause, TWO, false, 1000), 0, "another CA may be asked");
    is_int(hc_pause_left(&pause, ONE, true, 1000), 0, "an open breaker sets the pace by itself");
    is_int(hc_pause_failures(&pause, ONE), 1, "one failure there");
    is_int(hc_pause_failures(&pause, TWO), 0, "none at the other");
    hc_pause_fail(&pause, TWO, 2000);
    is_int(hc_pause_failures(&pause, TWO), 1, "at another CA it begins anew");
    is_int(hc_pause_left(&pause, TWO, false, 2000), 10000, "with the first step");
    hc_pause_fail(&pause, NULL, 3000);
    is_int(hc_pause_left(&pause, ONE, true, 3000), 10000, "what failed here concerns every CA");
}

static void an_order_is_given_up(void)
{
    struct hc_pause pause = {0};

    for (int i = 0; i < HC_PAUSE_ALONE; i++) {
        ok(!hc_pause_is_hopeless(&pause, 5000), "not yet");
        hc_pause_fail(&pause, ONE, 1000);
    }
    ok(hc_pause_is_hopeless(&pause, 5000), "soon if the CA works for others");
    for (int i = HC_PAUSE_ALONE; i < HC_PAUSE_HOPELESS; i++) {
        ok(!hc_pause_is_hopeless(&pause, 500), "later if it does not");
        hc_pause_fail(&pause, ONE, 1000);
    }
    ok(hc_pause_is_hopeless(&pause, 500), "but then, too");
}

int main(void)
{
    it_doubles_to_half_an_hour();
    it_counts_where_it_failed();
    an_order_is_given_up();
    return done();
}
