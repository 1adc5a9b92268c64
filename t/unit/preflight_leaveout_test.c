/* Which names are left out, and until when: the rules of docs/dns.md with injected times. */
#include "preflight/leaveout.h"
#include "tap.h"

#define DAY   86400
#define T0    1800000000 /* some time */
#define CHECK 60

static char *three_items[] = {(char[]){"a.test"}, (char[]){"b.test"}, (char[]){"c.test"}};
static const struct hc_list three = {three_items, 3, 3};
static const struct hc_list one = {three_items, 1, 1};
static const struct hc_list two = {three_items, 2, 2};

static struct hc_leaveout_case case_at(int64_t now)
{
    struct hc_leaveout_case c = {.names = &three, .now = now, .check_every = CHECK};

    return c;
}

/* The plan as text: "kind order|left_out". */
static const char *plan_text(struct hc_leaveout *s, const struct hc_leaveout_case *c,
                             struct hc_leaveout_plan *plan)
{
    static const char *const kinds[] = {"all", "part", "trial", "hold"};
    static char text[400];
    char order[150];
    char out[150];
    struct hc_error err = {0};

    if (hc_leaveout_plan(s, c, plan, &err) != 0) {
        return "failed";
    }
    snprintf(text, sizeof(text), "%s %s|%s", kinds[plan->kind],
             hc_list_format(&plan->order, order, sizeof(order)),
             hc_list_format(&plan->left_out, out, sizeof(out)));
    return text;
}

static void plan_is(struct hc_leaveout *s, const struct hc_leaveout_case *c, const char *want,
                    const char *name)
{
    struct hc_leaveout_plan plan;

    is_str(plan_text(s, c, &plan), want, name);
    hc_leaveout_plan_dispose(&plan);
}

static void check(struct hc_leaveout *s, const char *name, enum hc_leaveout_seen seen, int64_t now)
{
    struct hc_error err = {0};
    const struct hc_leaveout_sight sight = {
        name, seen, seen == HC_LEAVEOUT_SEEN_BAD ? HC_P_DNS_NO_SUCH_NAME : HC_P_DNS_FAILED};

    if (hc_leaveout_note(s, &sight, now, CHECK / 2, &err) != 0) {
        ok(false, "a check is noted");
    }
}

static void ordered(struct hc_leaveout *s, const struct hc_leaveout_case *c)
{
    struct hc_leaveout_plan plan;
    struct hc_error err = {0};

    if (hc_leaveout_plan(s, c, &plan, &err) != 0) {
        ok(false, "a plan is made");
    }
    hc_leaveout_ordered(s, &plan, c->now);
    hc_leaveout_plan_dispose(&plan);
}

static void test_leaves_out(void)
{
    struct hc_leaveout s = {0};
    struct hc_leaveout_case c = case_at(T0);

    plan_is(&s, &c, "all a.test, b.test, c.test|", "nothing_known_all_are_ordered");
    check(&s, "b.test", HC_LEAVEOUT_SEEN_BAD, T0);
    check(&s, "a.test", HC_LEAVEOUT_SEEN_WELL, T0);
    plan_is(&s, &c, "part a.test, c.test|b.test", "a_bad_name_is_left_out");
    c.policy = HC_BAD_NAMES_HOLD;
    plan_is(&s, &c, "hold |b.test", "hold_waits_for_it");
    c.policy = HC_BAD_NAMES_LEAVE_OUT;
    c.mode = HC_PREFLIGHT_ADVISE;
    plan_is(&s, &c, "all a.test, b.test, c.test|", "advise_leaves_nothing_out");
    c.mode = HC_PREFLIGHT_OFF;
    plan_is(&s, &c, "all a.test, b.test, c.test|", "off_neither");
    c.mode = HC_PREFLIGHT_ON;
    check(&s, "c.test", HC_LEAVEOUT_SEEN_FAILING, T0);
    plan_is(&s, &c, "part a.test, c.test|b.test", "a_name_that_fails_is_in_the_order");
    check(&s, "a.test", HC_LEAVEOUT_SEEN_SUSPECT, T0);
    plan_is(&s, &c, "part a.test, c.test|b.test", "so_is_a_suspect_one");
    hc_leaveout_dispose(&s);
    hc_leaveout_dispose(&s);
    ok(s.count == 0, "disposing twice is fine");
}

static void test_comes_back(void)
{
    struct hc_leaveout s = {0};
    struct hc_leaveout_case c = case_at(T0);

    check(&s, "b.test", HC_LEAVEOUT_SEEN_BAD, T0);
    check(&s, "b.test", HC_LEAVEOUT_SEEN_WELL, T0 + 100);
    c.now = T0 + 100;
    plan_is(&s, &c, "part a.test, c.test|b.test", "one_well_look_is_not_enough");
    check(&s, "b.test", HC_LEAVEOUT_SEEN_WELL, T0 + 101);
    plan_is(&s, &c, "part a.test, c.test|b.test", "two_looks_within_a_second_are_one");
    check(&s, "b.test", HC_LEAVEOUT_SEEN_FAILING, T0 + 160);
    check(&s, "b.test", HC_LEAVEOUT_SEEN_WELL, T0 + 220);
    plan_is(&s, &c, "part a.test, c.test|b.test", "they_must_be_in_a_row");
    check(&s, "b.test", HC_LEAVEOUT_SEEN_WELL, T0 + 280);
    c.now = T0 + 280;
    plan_is(&s, &c, "all a.test, b.test, c.test|", "two_in_a_row_and_it_is_back");
    ok(s.trial == 0, "nothing is left to be tried");
    hc_leaveout_obtained(&s, &three);
    ok(!s.names[0].back, "obtained, it is one like the others");
    hc_leaveout_dispose(&s);

    check(&s, "b.test", HC_LEAVEOUT_SEEN_BAD, T0);
    check(&s, "b.test", HC_LEAVEOUT_SEEN_SUSPECT, T0 + 100);
    check(&s, "b.test", HC_LEAVEOUT_SEEN_SUSPECT, T0 + 200);
    plan_is(&s, &c, "all a.test, b.test, c.test|", "what_is_only_suspect_is_back_too");
    hc_leaveout_dispose(&s);
}

/* The operator says that it is mended, and the next check agrees. */
static void test_one_check_is_enough_if_asked(void)
{
    struct hc_leaveout s = {0};
    struct hc_leaveout_case c = case_at(T0 + 11);

    check(&s, "b.test", HC_LEAVEOUT_SEEN_BAD, T0);
    hc_leaveout_vouch(&s);
    plan_is(&s, &c, "part a.test, c.test|b.test", "a word alone brings nothing back");
    check(&s, "b.test", HC_LEAVEOUT_SEEN_BAD, T0 + 5);
    check(&s, "b.test", HC_LEAVEOUT_SEEN_WELL, T0 + 10);
    plan_is(&s, &c, "part a.test, c.test|b.test", "a bad check takes the word back");
    hc_leaveout_vouch(&s);
    check(&s, "b.test", HC_LEAVEOUT_SEEN_WELL, T0 + 11);
    plan_is(&s, &c, "all a.test, b.test, c.test|", "one good check behind it is enough, at once");
    hc_leaveout_dispose(&s);
}

static void come_and_go(struct hc_leaveout *s, int64_t now)
{
    check(s, "b.test", HC_LEAVEOUT_SEEN_BAD, now - 300);
    check(s, "b.test", HC_LEAVEOUT_SEEN_WELL, now - 200);
    check(s, "b.test", HC_LEAVEOUT_SEEN_WELL, now - 100);
}

static void test_again_is_bounded(void)
{
    struct hc_leaveout s = {0};
    struct hc_leaveout_case c = case_at(T0);
    struct hc_leaveout_plan plan;
    struct hc_error err = {0};

    c.served = &one;
    c.not_before = T0 - 10 * DAY;
    c.not_after = T0 + 80 * DAY;
    come_and_go(&s, T0);
    plan_is(&s, &c, "all a.test, b.test, c.test|", "the_first_time_at_once");
    is_int(hc_leaveout_plan(&s, &c, &plan, &err), 0, "its plan");
    ok(plan.again, "says that a name is back");
    hc_leaveout_plan_dispose(&plan);
    ordered(&s, &c);
    c.now = T0 + 600;
    come_and_go(&s, c.now);
    plan_is(&s, &c, "part a.test, c.test|b.test", "not_twice_in_an_hour");
    is_int(hc_leaveout_plan(&s, &c, &plan, &err), 0, "its plan");
    is_int(plan.until - T0, HC_LEAVEOUT_HOUR_S, "says until when");
    hc_leaveout_plan_dispose(&plan);
    for (int i = 1; i < HC_LEAVEOUT_AGAIN; i++) {
        c.now = T0 + i * HC_LEAVEOUT_HOUR_S;
        plan_is(&s, &c, "all a.test, b.test, c.test|", "once_an_hour");
        ordered(&s, &c);
    }
    c.now = T0 + DAY;
    plan_is(&s, &c, "part a.test, c.test|b.test", "four_times_a_week_at_most");
    c.served = &three;
    plan_is(&s, &c, "all a.test, b.test, c.test|", "a_name_that_is_served_is_no_repetition");
    c.served = &one;
    c.now = T0 + HC_LEAVEOUT_WEEK_S;
    plan_is(&s, &c, "all a.test, b.test, c.test|", "a_week_later_again");
    hc_leaveout_dispose(&s);
}

static void test_trials(void)
{
    struct hc_leaveout s = {0};
    struct hc_leaveout_case c = case_at(T0);

    check(&s, "b.test", HC_LEAVEOUT_SEEN_BAD, T0);
    check(&s, "c.test", HC_LEAVEOUT_SEEN_BAD, T0 + 5);
    c.now = T0 + DAY - 1;
    plan_is(&s, &c, "part a.test|b.test, c.test", "no_trial_before_a_day");
    c.now = T0 + DAY;
    plan_is(&s, &c, "trial a.test, b.test|c.test", "after_a_day_one_name_is_put_back");
    plan_is(&s, &c, "trial a.test, b.test|c.test", "and_the_same_until_it_was_placed");
    ordered(&s, &c);
    c.now++;
    plan_is(&s, &c, "part a.test|b.test, c.test", "placed_the_next_is_a_day_away");
    c.now = T0 + 2 * DAY;
    plan_is(&s, &c, "trial a.test, c.test|b.test", "then_the_other");
    ordered(&s, &c);
    c.now = T0 + 3 * DAY;
    plan_is(&s, &c, "trial a.test, b.test|c.test", "and_so_on");
    check(&s, "a.test", HC_LEAVEOUT_SEEN_BAD, T0 + 3 * DAY - 5);
    plan_is(&s, &c, "trial a.test, b.test, c.test|", "with_none_left_all_are_tried");
    ordered(&s, &c);
    c.now++;
    plan_is(&s, &c, "hold |a.test, b.test, c.test", "and_else_it_is_held");
    c.now = T0 + 4 * DAY;
    c.policy = HC_BAD_NAMES_HOLD;
    plan_is(&s, &c, "trial a.test, b.test, c.test|", "under_hold_all_are_tried_too");
    hc_leaveout_obtained(&s, &three);
    plan_is(&s, &c, "all a.test, b.test, c.test|", "what_was_obtained_is_in_again");
    hc_leaveout_dispose(&s);
}

static void test_served_names_stay(void)
{
    struct hc_leaveout s = {0};
    struct hc_leaveout_case c = case_at(T0);
    struct hc_leaveout_plan plan;
    struct hc_error err = {0};
    char text[300];

    c.served = &two;
    c.not_before = T0 - 60 * DAY;
    c.not_after = T0 + 30 * DAY;
    check(&s, "b.test", HC_LEAVEOUT_SEEN_BAD, T0);
    plan_is(&s, &c, "hold |b.test", "a_served_name_is_not_dropped");
    is_int(hc_leaveout_plan(&s, &c, &plan, &err), 0, "the plan");
    is_int(plan.hold, HC_LEAVEOUT_HOLD_SERVED, "says why");
    is_str(hc_leaveout_describe(&s, &plan, text, sizeof(text)),
           "b.test (dns-no-such-name) left out; the certificate in use covers it, so it stays in "
           "use; next try at 2027-01-16T08:00:00Z at the latest",
           "and so does the log");
    hc_leaveout_plan_dispose(&plan);
    c.now = T0 + DAY;
    plan_is(&s, &c, "trial a.test, b.test, c.test|", "the_daily_trial_comes_all_the_same");
    ordered(&s, &c);
    c.now = T0 + 21 * DAY - 1;
    s.trial = c.now;
    plan_is(&s, &c, "hold |b.test", "not_a_second_before_the_last_tenth");
    c.now++;
    plan_is(&s, &c, "part a.test, c.test|b.test", "in_the_last_tenth_the_others_go_on");
    c.now = T0 + 31 * DAY;
    s.trial = c.now;
    plan_is(&s, &c, "part a.test, c.test|b.test", "expired_nothing_is_lost_by_it");
    hc_leaveout_dispose(&s);

    c = case_at(T0);
    c.served = &one;
    c.not_before = T0 - 60 * DAY;
    c.not_after = T0 + 30 * DAY;
    check(&s, "b.test", HC_LEAVEOUT_SEEN_BAD, T0);
    plan_is(&s, &c, "part a.test, c.test|b.test", "a_name_that_is_not_served_holds_nothing");
    hc_leaveout_dispose(&s);
}

static void test_last_tenth(void)
{
    struct hc_leaveout s = {0};
    struct hc_leaveout_case c = case_at(T0);
    struct hc_error err = {0};

    c.served = &two;
    c.not_before = T0 - 89 * DAY;
    c.not_after = T0 + DAY * 9 + DAY; /* 99 days, the last tenth begins 9.9 days before its end */
    check(&s, "b.test", HC_LEAVEOUT_SEEN_FAILING, T0);
    plan_is(&s, &c, "all a.test, b.test, c.test|", "what_fails_is_waited_for");
    c.now = T0 + DAY;
    plan_is(&s, &c, "part a.test, c.test|b.test", "in_the_last_tenth_it_is_left_out");
    check(&s, "b.test", HC_LEAVEOUT_SEEN_WELL, T0 + DAY + 60);
    check(&s, "b.test", HC_LEAVEOUT_SEEN_WELL, T0 + DAY + 120);
    plan_is(&s, &c, "all a.test, b.test, c.test|", "well_again_it_is_back");
    check(&s, "c.test", HC_LEAVEOUT_SEEN_SUSPECT, T0 + DAY + 120);
    plan_is(&s, &c, "all a.test, b.test, c.test|", "what_is_suspect_stays");
    is_int(hc_leaveout_refused(&s, "c.test", HC_P_HTTP_WRONG_ANSWER, c.now, &err), 0, "refused");
    plan_is(&s, &c, "part a.test, b.test|c.test", "unless_the_ca_refused_it");
    hc_leaveout_dispose(&s);

    c.served = NULL;
    check(&s, "b.test", HC_LEAVEOUT_SEEN_FAILING, T0);
    plan_is(&s, &c, "all a.test, b.test, c.test|", "without_a_certificate_nothing_runs_out");
    hc_leaveout_dispose(&s);
}

static void refuse(struct hc_leaveout *s, const char *name, int64_t now)
{
    struct hc_error err = {0};

    if (hc_leaveout_refused(s, name, HC_P_HTTP_WRONG_ANSWER, now, &err) != 0) {
        ok(false, "refused");
    }
}

static void test_refused_where_nothing_serves(void)
{
    struct hc_leaveout s = {0};
    struct hc_leaveout_case c = case_at(T0);
    struct hc_list obtained = {0};
    struct hc_error err = {0};

    refuse(&s, "b.test", T0);
    plan_is(&s, &c, "all a.test, b.test, c.test|", "refused_once_it_is_tried_again");
    refuse(&s, "b.test", T0 + 60);
    c.policy = HC_BAD_NAMES_HOLD;
    plan_is(&s, &c, "all a.test, b.test, c.test|", "hold_waits_for_every_name");
    c.policy = HC_BAD_NAMES_UNSET;
    c.served = &two;
    c.not_before = T0 - DAY;
    c.not_after = T0 + 89 * DAY;
    plan_is(&s, &c, "all a.test, b.test, c.test|", "beside_a_certificate_nothing_is_left_out");
    c.served = NULL;
    plan_is(&s, &c, "part a.test, c.test|b.test", "refused_twice_the_rest_goes_on");
    check(&s, "b.test", HC_LEAVEOUT_SEEN_SUSPECT, T0 + 120);
    check(&s, "b.test", HC_LEAVEOUT_SEEN_SUSPECT, T0 + 180);
    plan_is(&s, &c, "part a.test, c.test|b.test", "what_looks_bad_to_us_too_is_not_back");
    if (hc_list_add(&obtained, "a.test", &err) != 0 ||
        hc_list_add(&obtained, "c.test", &err) != 0) {
        ok(false, "a list");
    }
    hc_leaveout_obtained(&s, &obtained);
    c.served = &obtained;
    check(&s, "b.test", HC_LEAVEOUT_SEEN_WELL, T0 + 240);
    check(&s, "b.test", HC_LEAVEOUT_SEEN_WELL, T0 + 300);
    c.now = T0 + 300;
    plan_is(&s, &c, "all a.test, b.test, c.test|", "well_at_two_looks_it_is_back");
    refuse(&s, "b.test", T0 + 360);
    plan_is(&s, &c, "part a.test, c.test|b.test", "refused_again_it_stops_no_renewal");
    hc_leaveout_dispose(&s);

    c = case_at(T0);
    for (size_t i = 0; i < c.names->count; i++) {
        refuse(&s, c.names->items[i], T0);
        refuse(&s, c.names->items[i], T0 + 60);
    }
    plan_is(&s, &c, "all a.test, b.test, c.test|", "where_all_are_refused_none_is_left_out");
    hc_leaveout_dispose(&s);
    hc_list_dispose(&obtained);
}

static void test_checks_are_spaced(void)
{
    struct hc_leaveout s = {0};
    struct hc_leaveout_case c = case_at(T0);
    static const struct {
        int64_t after;
        int64_t next;
    } rows[] = {{0, 60}, {600, 60}, {3000, 300}, {90000, 900}};
    struct hc_leaveout_plan plan;
    struct hc_error err = {0};

    for (size_t i = 0; i < HC_COUNT(rows); i++) {
        check(&s, "b.test", HC_LEAVEOUT_SEEN_BAD, T0 + rows[i].after);
        s.trial = T0 + rows[i].after;
        c.now = T0 + rows[i].after;
        is_int(hc_leaveout_plan(&s, &c, &plan, &err), 0, "a plan");
        is_int(plan.check_at - c.now, rows[i].next,
               "the longer it is out, the later the next check");
        hc_leaveout_plan_dispose(&plan);
    }
    check(&s, "b.test", HC_LEAVEOUT_SEEN_WELL, c.now);
    is_int(hc_leaveout_plan(&s, &c, &plan, &err), 0, "a plan");
    is_int(plan.check_at - c.now, 60, "the second good check is not put off");
    hc_leaveout_plan_dispose(&plan);
    hc_leaveout_dispose(&s);
}

static void test_store(void)
{
    struct hc_leaveout s = {0};
    struct hc_leaveout t = {0};
    struct hc_buf first = HC_BUF_INIT(HC_LEAVEOUT_MAX);
    struct hc_buf second = HC_BUF_INIT(HC_LEAVEOUT_MAX);
    struct hc_error err = {0};
    struct hc_leaveout_case c = case_at(T0 + 100);
    int decoded = 0;

    check(&s, "b.test", HC_LEAVEOUT_SEEN_BAD, T0);
    check(&s, "c.test", HC_LEAVEOUT_SEEN_FAILING, T0);
    is_int(hc_leaveout_refused(&s, "c.test", HC_P_CAA_EMPTY, T0, &err), 0, "a refusal");
    s.again[0] = T0 - 5;
    is_int(hc_leaveout_encode(&s, &first, &err), 0, "it is encoded");
    is_int(hc_leaveout_decode(hc_buf_text(&first), first.len, &t, &err), 0, "and decoded");
    is_int(hc_leaveout_encode(&t, &second, &err), 0, "and encoded again");
    is_str(hc_buf_text(&second), hc_buf_text(&first), "to the same");
    plan_is(&t, &c, "part a.test, c.test|b.test", "and_the_plan_is_the_same");
    hc_leaveout_keep(&t, &one);
    is_int(t.count, 0, "names that left the configuration are forgotten");
    ok(t.trial == 0, "with their trial");
    hc_leaveout_dispose(&t);
    for (size_t len = 0; len < first.len; len++) {
        struct hc_error why = {0};

        decoded += hc_leaveout_decode(hc_buf_text(&first), len, &t, &why) == 0;
        decoded += t.names != NULL;
    }
    is_int(decoded, 0, "no cut record is taken, and each leaves a fresh state");
    for (size_t i = 0; i < first.len; i++) {
        struct hc_error why = {0};
        unsigned char kept = first.data[i];

        first.data[i] ^= 0x11;
        if (hc_leaveout_decode(hc_buf_text(&first), first.len, &t, &why) == 0) {
            hc_leaveout_dispose(&t);
        }
        first.data[i] = kept;
    }
    hc_buf_dispose(&first);
    hc_buf_dispose(&second);
    hc_leaveout_dispose(&s);
}

static void test_plain(void)
{
    struct hc_leaveout s = {0};
    struct hc_error err = {0};

    ok(hc_leaveout_is_plain(&s), "a fresh state need not be kept");
    check(&s, "a.test", HC_LEAVEOUT_SEEN_WELL, T0);
    ok(hc_leaveout_is_plain(&s), "nor one in which all names are well");
    check(&s, "a.test", HC_LEAVEOUT_SEEN_FAILING, T0 + 60);
    ok(!hc_leaveout_is_plain(&s), "a name that fails is kept");
    check(&s, "a.test", HC_LEAVEOUT_SEEN_WELL, T0 + 120);
    ok(hc_leaveout_is_plain(&s), "until it is well");
    check(&s, "a.test", HC_LEAVEOUT_SEEN_BAD, T0 + 180);
    check(&s, "a.test", HC_LEAVEOUT_SEEN_WELL, T0 + 240);
    ok(!hc_leaveout_is_plain(&s), "one that was left out, until it was well twice");
    check(&s, "a.test", HC_LEAVEOUT_SEEN_WELL, T0 + 300);
    ok(!hc_leaveout_is_plain(&s), "and is in the certificate again");
    hc_leaveout_obtained(&s, &three);
    ok(hc_leaveout_is_plain(&s), "then nothing is to be kept");
    is_int(hc_leaveout_refused(&s, "a.test", HC_P_CAA_EMPTY, T0, &err), 0, "a refusal");
    ok(!hc_leaveout_is_plain(&s), "is kept");
    hc_leaveout_obtained(&s, &three);
    s.again[0] = T0;
    ok(!hc_leaveout_is_plain(&s), "and so are repetitions that are counted");
    hc_leaveout_dispose(&s);
}

static void test_clock_set_back(void)
{
    struct hc_leaveout s = {0};
    struct hc_leaveout_case c = case_at(T0 + 60);
    struct hc_leaveout_plan plan;

    check(&s, "b.test", HC_LEAVEOUT_SEEN_BAD, T0 + 400 * DAY);
    hc_leaveout_pull_back(&s, T0);
    is_str(plan_text(&s, &c, &plan), "part a.test, c.test|b.test", "it stays out");
    is_int(plan.check_at, T0 + CHECK, "but is checked as ever");
    is_int(plan.until, T0 + DAY, "and tried in a day at the latest");
    hc_leaveout_plan_dispose(&plan);
    s.again[0] = T0 + 400 * DAY;
    hc_leaveout_pull_back(&s, T0);
    is_int(s.again[0], T0, "an order of the full set was placed now at the latest");
    hc_leaveout_dispose(&s);
}

static void test_seen(void)
{
    struct hc_preflight_name n = {.verdict = HC_PREFLIGHT_READY};

    is_int(hc_leaveout_seen_of(&n), HC_LEAVEOUT_SEEN_WELL, "ready is well");
    n.verdict = HC_PREFLIGHT_UNKNOWN;
    is_int(hc_leaveout_seen_of(&n), HC_LEAVEOUT_SEEN_FAILING, "unknown is failing");
    n.verdict = HC_PREFLIGHT_WOULD_FAIL;
    is_int(hc_leaveout_seen_of(&n), HC_LEAVEOUT_SEEN_SUSPECT, "would-fail is suspect");
    n.leave_out = true;
    is_int(hc_leaveout_seen_of(&n), HC_LEAVEOUT_SEEN_BAD, "unless it blocks");
}

int main(void)
{
    test_leaves_out();
    test_comes_back();
    test_one_check_is_enough_if_asked();
    test_again_is_bounded();
    test_trials();
    test_served_names_stay();
    test_last_tenth();
    test_refused_where_nothing_serves();
    test_checks_are_spaced();
    test_store();
    test_plain();
    test_seen();
    test_clock_set_back();
    return done();
}
