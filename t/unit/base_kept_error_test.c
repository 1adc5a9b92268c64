#include "base/kept_error.h"

#include "failing_alloc.h"
#include "tap.h"

static void fill(struct hc_error *err)
{
    hc_error_init(err);
    hc_error_set_bytes(err, HC_P_RATE_LIMITED, "b\xc3\xa4.test", "slow\0er\n", 8);
    hc_error_during(err, "placing an order");
    hc_error_hint(err, "wait");
    err->foreign = (struct hc_foreign){.type = "rateLimited",
                                       .http_status = 429,
                                       .means = HC_P_DNS_FAILED,
                                       .retry_after = 3600,
                                       .names = " a.test b.test "};
}

static bool is_same(const struct hc_error *a, const struct hc_error *b)
{
    return a->problem == b->problem && strcmp(a->subject, b->subject) == 0 &&
           strcmp(a->activity, b->activity) == 0 && a->detail_len == b->detail_len &&
           memcmp(a->detail, b->detail, a->detail_len + 1) == 0 && strcmp(a->hint, b->hint) == 0 &&
           strcmp(a->foreign.type, b->foreign.type) == 0 &&
           a->foreign.http_status == b->foreign.http_status &&
           a->foreign.means == b->foreign.means &&
           a->foreign.retry_after == b->foreign.retry_after &&
           strcmp(a->foreign.names, b->foreign.names) == 0;
}

static void all_of_it_comes_back(void)
{
    struct hc_kept_error kept = {0};
    struct hc_error err;
    struct hc_error back;

    ok(sizeof(kept) <= 16, "what is kept is small");
    fill(&err);
    hc_kept_error_set(&kept, &err);
    memset(&back, 'x', sizeof(back));
    hc_kept_error_get(&kept, &back);
    ok(is_same(&err, &back), "with its bytes, and what the other side said");
    hc_error_init(&err);
    hc_error_set(&err, HC_P_TIMED_OUT, NULL, NULL);
    err.foreign.retry_after = 5;
    hc_kept_error_set(&kept, &err);
    hc_kept_error_get(&kept, &back);
    ok(is_same(&err, &back), "another takes its place");
    hc_error_init(&err);
    hc_kept_error_set(&kept, &err);
    ok(!hc_kept_error_is_set(&kept) && kept.text == NULL, "no error takes it away");
    hc_kept_error_get(&kept, &back);
    ok(!hc_error_is_set(&back), "and none comes back");
}

static void the_longest_fits(void)
{
    static char much[4096];
    struct hc_kept_error kept = {0};
    struct hc_error err = {0};
    struct hc_error back;

    memset(much, 'y', sizeof(much) - 1);
    hc_error_set(&err, HC_P_INTERNAL, much, "%s", much);
    hc_error_during(&err, "%s", much);
    hc_error_hint(&err, "%s", much);
    hc_kept_error_set(&kept, &err);
    hc_kept_error_get(&kept, &back);
    ok(is_same(&err, &back), "texts that fill all the room");
    hc_kept_error_dispose(&kept);
}

static void copies_live_on_their_own(void)
{
    struct hc_kept_error first = {0};
    struct hc_kept_error second = {0};
    struct hc_error err;
    struct hc_error back;

    fill(&err);
    hc_kept_error_set(&first, &err);
    hc_kept_error_copy(&second, &first);
    hc_kept_error_copy(&second, &second);
    hc_kept_error_dispose(&first);
    hc_kept_error_dispose(&first);
    ok(!hc_kept_error_is_set(&first), "the first is gone");
    hc_kept_error_get(&second, &back);
    ok(is_same(&err, &back), "the second is whole");
    hc_kept_error_copy(&second, &first);
    ok(!hc_kept_error_is_set(&second), "a copy of none is none");
    hc_kept_error_dispose(&second);
}

static void without_memory_the_problem_stays(void)
{
    struct hc_kept_error kept = {0};
    struct hc_error err;
    struct hc_error back;
    char line[HC_ERROR_LINE];

    fill(&err);
    alloc_countdown = 1;
    hc_kept_error_set(&kept, &err);
    alloc_countdown = 0;
    hc_kept_error_get(&kept, &back);
    is_int(back.problem, HC_P_RATE_LIMITED, "the problem");
    ok(!FAILING_ALLOC || (alloc_failed && back.detail_len == 0), "without its texts");
    hc_error_format(&back, line, sizeof(line));
    ok(strstr(line, hc_problem_row(HC_P_RATE_LIMITED)->sentence) != NULL, "has its sentence");
    hc_kept_error_dispose(&kept);
}

int main(void)
{
    all_of_it_comes_back();
    the_longest_fits();
    copies_live_on_their_own();
    without_memory_the_problem_stays();
    return done();
}
