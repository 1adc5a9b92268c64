/* One breaker per issuer. */
#include "agent/breaker.h"

#include "tap.h"

static int all_zeros(void *self HC_UNUSED, unsigned char *dst, size_t len)
{
    memset(dst, 0, len);
    return 0;
}

/* draws 0: the shortest delay, four fifths of the step */
static const struct hc_random low = {NULL, all_zeros};

static void it_doubles_to_a_quarter_of_an_hour(void)
{
    static const int64_t want[] = {4, 8, 16, 32, 64, 128, 256, 512, 720, 720};
    struct hc_breaker b = {0};
    int64_t now = 1000;

    ok(hc_breaker_allows(&b, now), "closed at first");
    for (size_t i = 0; i < HC_COUNT(want); i++) {
        ok(hc_breaker_fail(&b, now, 0, &low), "opens");
        is_int(b.until - now, want[i], "for the step less its jitter");
        ok(!hc_breaker_allows(&b, b.until - 1), "nobody asks before");
        ok(hc_breaker_allows(&b, b.until), "one may ask then");
        now = b.until;
    }
    is_int(b.since, 1000, "it remembers since when");
}

static void failures_under_way_count_once(void)
{
    struct hc_breaker b = {0};

    ok(hc_breaker_fail(&b, 1000, 0, &low), "the first opens it");
    for (int i = 0; i < 7; i++) {
        ok(!hc_breaker_fail(&b, 1001, 0, &low), "those beside it do not");
    }
    is_int(b.failures, 1, "one failure");
    is_int(b.until, 1004, "the same time");
    ok(!hc_breaker_fail(&b, 1001, 100, &low), "but a Retry-After among them");
    is_int(b.until, 1101, "is honoured");
}

static void one_probe_for_all(void)
{
    struct hc_breaker b = {0};

    (void)hc_breaker_fail(&b, 1000, 0, &low);
    ok(hc_breaker_allows(&b, 1004), "the first may ask");
    hc_breaker_take(&b);
    ok(!hc_breaker_allows(&b, 1004), "the second waits for its answer");
    hc_breaker_give_back(&b);
    ok(hc_breaker_allows(&b, 1004), "unless it did not ask");
    hc_breaker_take(&b);
    ok(hc_breaker_ok(&b, 1005), "an answer closes it");
    ok(hc_breaker_allows(&b, 1004), "for all");
    ok(!hc_breaker_ok(&b, 1006), "it was closed already");
}

static void retry_after_is_bounded(void)
{
    struct hc_breaker b = {0};

    (void)hc_breaker_fail(&b, 1000, 30, &low);
    is_int(b.until, 1030, "longer than the step");
    (void)hc_breaker_fail(&b, 1030, INT64_MAX, &low);
    is_int(b.until, 1030 + 86400, "a day at most");
    b.until = 1030 + 86400 * 100;
    hc_breaker_pull_back(&b, 1030);
    is_int(b.until, 1030 + 900, "a time from a wrong clock is pulled back");
}

static void a_clock_that_is_set_back_keeps_the_wait(void)
{
    struct hc_breaker b = {0};

    (void)hc_breaker_fail(&b, 500000, 600, &low);
    hc_breaker_take(&b);
    hc_breaker_pull_back(&b, 499000);
    is_int(b.until, 499600, "as long as it was to be");
    is_int(b.since, 499000, "since now");
    ok(b.probing, "whoever asks is still asking");
    hc_breaker_pull_back(&b, 499100);
    is_int(b.until, 499600, "which is not put off again");
}

static void old_news_say_nothing(void)
{
    struct hc_breaker b = {0};

    is_int(hc_breaker_failing_since(&b, 1000), 0, "it works");
    (void)hc_breaker_fail(&b, 1000, 0, &low);
    is_int(hc_breaker_failing_since(&b, 2000), 1000, "it has failed since");
    (void)hc_breaker_fail(&b, 2000, 0, &low);
    is_int(hc_breaker_failing_since(&b, 2000), 1000, "since the first failure");
    is_int(hc_breaker_failing_since(&b, b.until + HC_BREAKER_NEWS), 0, "nobody has asked lately");
}

static void what_is_later_counts(void)
{
    struct hc_breaker ours = {0};
    struct hc_breaker theirs = {0};

    ok(!hc_breaker_merge(&ours, &theirs), "nobody knows anything");
    (void)hc_breaker_fail(&theirs, 1000, 600, &low);
    ok(hc_breaker_merge(&ours, &theirs), "they saw it fail");
    is_int(ours.until, 1600, "so we do not ask either");
    hc_breaker_take(&ours);
    ok(hc_breaker_ok(&ours, 1700), "later we saw it work");
    ok(!hc_breaker_merge(&ours, &theirs), "what they saw is older");
    ok(hc_breaker_allows(&ours, 1700), "so it may be asked");
    ok(hc_breaker_merge(&theirs, &ours), "and by them");
    ok(hc_breaker_allows(&theirs, 1700), "as well");
}

int main(void)
{
    it_doubles_to_a_quarter_of_an_hour();
    failures_under_way_count_once();
    one_probe_for_all();
    retry_after_is_bounded();
    a_clock_that_is_set_back_keeps_the_wait();
    old_news_say_nothing();
    what_is_later_counts();
    return done();
}
