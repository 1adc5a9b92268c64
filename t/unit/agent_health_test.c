/* Health alone: what ages while it is served is told, once a day, until it is mended. */
#include "agent/health.h"
#include "agent_part.h"
#include "tap.h"

static const char *const on[] = {"hotcert on", "hotcert_use one", NULL};
static const char *const one_host[] = {"a.example", NULL};

struct parts {
    struct hc_answers *answers;
    struct hc_clock_watch *clock;
    struct hc_cas *cas;
    struct hc_publisher *publisher;
    struct hc_preflights *preflights;
    struct hc_outlooks *outlooks;
    struct hc_health *health;
};

static void new_health(struct bench *b, struct parts *p)
{
    struct hc_error err = {0};
    struct hc_answers_options a = {&b->env, b->storage, b->server.table};
    struct hc_clock_options c = {&b->env, b->storage, NULL, 0};
    struct hc_cas_options s = {.env = &b->env, .storage = b->storage, .authority = &fake_authority};
    struct hc_publisher_options u = {&b->env, b->storage, &b->judge, b->server.table};
    struct hc_preflights_options f = {.env = &b->env};
    struct hc_outlooks_options o = {.env = &b->env, .storage = b->storage};
    struct hc_health_options h = {.env = &b->env, .judge = &b->judge};

    if (hc_answers_new(&a, &p->answers, &err) != 0 ||
        hc_clock_watch_new(&c, &p->clock, &err) != 0 || hc_cas_new(&s, &p->cas, &err) != 0 ||
        hc_publisher_new(&u, &p->publisher, &err) != 0) {
        stop_here(__LINE__);
    }
    o.publisher = p->publisher;
    h.publisher = p->publisher;
    o.cas = p->cas;
    f.answers = p->answers;
    if (hc_preflights_new(&f, &p->preflights, &err) != 0) {
        stop_here(__LINE__);
    }
    o.preflights = p->preflights;
    if (hc_outlooks_new(&o, &p->outlooks, &err) != 0) {
        stop_here(__LINE__);
    }
    h.clock = p->clock;
    h.outlooks = p->outlooks;
    if (hc_health_new(&h, &p->health, &err) != 0) {
        stop_here(__LINE__);
    }
    (void)hc_storage_run(b->storage);
}

static void end_parts(struct bench *b, struct parts *p)
{
    hc_storage_close(b->storage);
    hc_health_free(p->health);
    hc_outlooks_free(p->outlooks);
    hc_preflights_free(p->preflights);
    hc_publisher_free(p->publisher);
    hc_cas_free(p->cas);
    hc_clock_watch_free(p->clock);
    hc_answers_free(p->answers);
}

static bool has_flaw(const struct parts *p, enum hc_problem problem)
{
    enum hc_problem flaws[HC_FLAWS_TOLD];
    size_t count = hc_health_flaws(p->health, 0, flaws);

    for (size_t i = 0; i < count; i++) {
        if (flaws[i] == problem) {
            return true;
        }
    }
    return false;
}

static void what_ages_is_told(void)
{
    struct bench b;
    struct parts p;
    struct hc_pair *old = NULL;
    struct hc_pair *fresh = NULL;

    new_bench(&b, on, one_host);
    new_health(&b, &p);
    old = new_pair("DNS:a.example", 90);
    ok(commit_pair(&b, 0, old) == 0, "a pair is published");
    (void)hc_health_run(p.health);
    ok(!has_flaw(&p, HC_P_EXPIRED), "it is well");
    log_text[0] = '\0';
    pass_time(100 * DAY);
    (void)hc_health_run(p.health);
    ok(has_flaw(&p, HC_P_EXPIRED), "a hundred days later it is not");
    ok(count_in_log("(expired") > 0, "which the log says");
    log_text[0] = '\0';
    (void)hc_health_run(p.health);
    pass_time(3601);
    (void)hc_health_run(p.health);
    is_int(count_in_log("(expired"), 0, "once");
    pass_time(DAY);
    (void)hc_health_run(p.health);
    ok(count_in_log("(expired") > 0, "and anew a day later");
    fresh = new_pair("DNS:a.example", 90);
    ok(commit_pair(&b, 0, fresh) == 0, "a new pair is published");
    ok(hc_health_run(p.health) > 0, "which is judged at once");
    ok(!has_flaw(&p, HC_P_EXPIRED), "the flaw is gone");
    end_parts(&b, &p);
    hc_pair_free(old);
    hc_pair_free(fresh);
    end_bench(&b);
}

int main(void)
{
    what_ages_is_told();
    return done();
}
