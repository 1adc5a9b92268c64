#include "base/time.h"

#include <stdlib.h>
#include <time.h>

#include "tap.h"

static void times_are_utc_whatever_the_zone(void)
{
    char text[HC_TIME_TEXT];
    int64_t t = 0;

    setenv("TZ", "Pacific/Kiritimati", 1);
    tzset();
    ok(hc_time_parse("2026-03-04T05:06:07Z", &t, NULL) == 0, "reads");
    is_int(t, 1772600767, "to the second");
    is_str(hc_time_format(t, text), "2026-03-04T05:06:07Z", "and writes");
    ok(hc_time_parse("2026-03-04", &t, NULL) == 0 && t == 1772582400, "a day is its first second");
    ok(hc_time_parse("2026-03-04T05:06:07", &t, NULL) == 0 && t == 1772600767, "without Z is UTC");
    ok(hc_time_parse("2026-03-04T05:06:07+01:00", &t, NULL) != 0, "other zones are refused");
    ok(hc_time_parse("tomorrow", &t, NULL) != 0 && hc_time_parse("", &t, NULL) != 0,
       "as are words");
}

static void durations_read_as_in_nginx(void)
{
    static const struct {
        const char *text;
        int64_t seconds;
    } good[] = {{"90", 90},     {"90s", 90}, {"5m", 300},   {"1h30m", 5400},
                {"2d", 172800}, {"0", 0},    {"1w", 604800}};
    static const char *const refused[] = {"",     "s",   "1x", "-1", "1 h", "99999999999999999999",
                                          "600w", "1.5h"};
    int64_t seconds = 0;
    char text[32];

    for (size_t i = 0; i < HC_COUNT(good); i++) {
        ok(hc_duration_parse(good[i].text, &seconds, NULL) == 0 && seconds == good[i].seconds,
           good[i].text);
    }
    for (size_t i = 0; i < HC_COUNT(refused); i++) {
        ok(hc_duration_parse(refused[i], &seconds, NULL) != 0, refused[i]);
    }
    is_str(hc_duration_format(3 * 86400, text, sizeof(text)), "3 days", "in days");
    is_str(hc_duration_format(7300, text, sizeof(text)), "2 hours", "in hours");
    is_str(hc_duration_format(59, text, sizeof(text)), "59 s", "in seconds");
}

static int fixed_bytes(void *self, unsigned char *dst, size_t len)
{
    memset(dst, *(int *)self, len);
    return 0;
}

static void draws_stay_below_their_limit(void)
{
    int byte = 0xff;
    struct hc_random random = {&byte, fixed_bytes};

    ok(hc_random_below(&random, 7) < 7, "below");
    is_int(hc_random_below(&random, 1), 0, "of one there is zero");
    for (int i = 0; i < 1000; i++) {
        if (hc_random_below(&hc_random_system, 10) >= 10) {
            ok(false, "below ten");
        }
    }
}

static void no_wait_is_longer_than_any(void)
{
    is_int(hc_wait_least(7, 3), 3, "the shorter");
    is_int(hc_wait_least(0, 3), 0, "which may be none: at once");
    is_int(hc_wait_least(-1, 3), 3, "-1 waits for nothing");
    is_int(hc_wait_least(3, -1), 3, "on either side");
    is_int(hc_wait_least(-1, -1), -1, "or on both");
}

int main(void)
{
    times_are_utc_whatever_the_zone();
    durations_read_as_in_nginx();
    draws_stay_below_their_limit();
    no_wait_is_longer_than_any();
    return done();
}
