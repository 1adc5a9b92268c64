/* Preflights alone: what counts, for whom, and what ends them. With a DNS that never answers. */
#include "agent/preflights.h"
#include "agent_part.h"
#include "tap.h"

static const char *const on[] = {"hotcert on", "hotcert_use one", NULL};
static const char *const off[] = {"hotcert on", "hotcert_use one", "hotcert_preflight off", NULL};
static const char *const one_host[] = {"a.example", NULL};

struct question {
    uint64_t id;
    hc_dns_done *done;
    void *arg;
};
static struct question questions[200];
static size_t pending;
static uint64_t asked;
static uint64_t cancelled;

static int dns_ask(void *self HC_UNUSED, const struct hc_dns_ask *ask HC_UNUSED, hc_dns_done *done,
                   void *arg, uint64_t *id, struct hc_error *err)
{
    if (pending == HC_COUNT(questions)) {
        return hc_error_set(err, HC_P_TOO_LARGE, NULL, "too many questions for this test");
    }
    *id = ++asked;
    questions[pending++] = (struct question){*id, done, arg};
    return 0;
}

static void dns_cancel(void *self HC_UNUSED, uint64_t id)
{
    for (size_t i = 0; i < pending; i++) {
        if (questions[i].id == id) {
            questions[i] = questions[--pending];
            cancelled++;
            return;
        }
    }
}

static const struct hc_dns_port silent_dns = {NULL, dns_ask, dns_cancel};

struct parts {
    struct bench b;
    struct hc_answers *answers;
    struct hc_cas *cas;
    struct hc_preflights *preflights;
    struct hc_ca *ca;
    int told;
    size_t names; /* in the last result */
};

static void on_checked(void *self, size_t index, const struct hc_preflight_result *result)
{
    struct parts *p = self;

    p->told += index == 0;
    p->names = result->count;
}

static void new_parts(struct parts *p, const char *const *lines, const struct hc_dns_port *dns)
{
    struct hc_error err = {0};
    struct hc_answers_options a = {&p->b.env, NULL, NULL};
    struct hc_cas_options s = {.env = &p->b.env, .authority = &fake_authority};
    struct hc_preflights_options f = {.env = &p->b.env, .dns = dns};

    memset(p, 0, sizeof(*p));
    asked = cancelled = pending = 0;
    world_dns = &silent_dns; /* else new_conf() sets hotcert_preflight off */
    new_bench(&p->b, lines, one_host);
    a.storage = s.storage = p->b.storage;
    a.table = p->b.server.table;
    if (hc_answers_new(&a, &p->answers, &err) != 0 || hc_cas_new(&s, &p->cas, &err) != 0) {
        stop_here(__LINE__);
    }
    f.answers = p->answers;
    if (hc_preflights_new(&f, &p->preflights, &err) != 0) {
        stop_here(__LINE__);
    }
    hc_preflights_tell(p->preflights, on_checked, p);
    (void)hc_storage_run(p->b.storage);
    p->ca = hc_cas_named(p->cas, "one");
}

static void end_parts(struct parts *p)
{
    hc_storage_close(p->b.storage);
    hc_preflights_free(p->preflights);
    hc_cas_free(p->cas);
    hc_answers_free(p->answers);
    end_bench(&p->b);
}

/* Nobody answers: until it ends. */
static void run_out(struct parts *p)
{
    struct hc_error err = {0};

    hc_error_set(&err, HC_P_DNS_FAILED, NULL, "no answer in time");
    for (int i = 0; i < 100 && hc_preflights_running(p->preflights) > 0; i++) {
        while (pending > 0) {
            struct question q = questions[--pending];

            (q.done)(q.arg, NULL, NULL, &err);
        }
        clock_ms += 500;
        (void)!hc_loop_pass(p->b.loop, 0, NULL);
    }
}

static void one_that_ended_counts_for_a_while_and_for_its_issuer(void)
{
    struct parts p;
    struct hc_error err = {0};

    new_parts(&p, on, &silent_dns);
    ok(p.ca != NULL && !hc_preflights_are_fresh(p.preflights, 0, p.ca), "none was made");
    is_int(hc_preflights_start(p.preflights, 0, p.ca, &err), 0, "it starts");
    is_int(hc_preflights_start(p.preflights, 0, p.ca, &err), 0, "a second start is fine");
    is_int((int)hc_preflights_running(p.preflights), 1, "and starts nothing");
    ok(hc_preflights_is_running(p.preflights, 0), "it is under way");
    run_out(&p);
    is_int(p.told, 1, "its end is told once");
    is_int((int)p.names, 1, "with its names");
    ok(!hc_preflights_is_running(p.preflights, 0), "it is over");
    ok(hc_preflights_latest(p.preflights, 0) == p.ca, "it was for this issuer");
    ok(hc_preflights_are_fresh(p.preflights, 0, p.ca), "for which it counts");
    ok(!hc_preflights_are_fresh(p.preflights, 0, NULL), "and for no other");
    ok(hc_preflights_ruled_out(p.preflights, 0, NULL) == NULL, "nor does what it ruled out");
    pass_time(299);
    ok(hc_preflights_are_fresh(p.preflights, 0, p.ca), "for five minutes");
    pass_time(2);
    ok(!hc_preflights_are_fresh(p.preflights, 0, p.ca), "and no longer");
    ok(hc_preflights_were_for(p.preflights, 0, p.ca), "but it is known for whom it was");
    hc_preflights_forget(p.preflights, 0);
    ok(!hc_preflights_were_for(p.preflights, 0, p.ca), "until it is forgotten");
    end_parts(&p);
}

static void a_clock_that_was_set_back_and_a_closed_store_end_them(void)
{
    struct parts p;
    struct hc_error err = {0};

    new_parts(&p, on, &silent_dns);
    is_int(hc_preflights_start(p.preflights, 0, p.ca, &err), 0, "it starts");
    run_out(&p);
    clock_now -= 3600;
    hc_events_tell(&p.b.events, HC_EVENT_CLOCK_SET);
    clock_now += 3600;
    ok(!hc_preflights_are_fresh(p.preflights, 0, p.ca), "one of the future does not count");
    is_int(hc_preflights_start(p.preflights, 0, p.ca, &err), 0, "it starts");
    cancelled = 0;
    hc_storage_close(p.b.storage);
    is_int((int)hc_preflights_running(p.preflights), 0, "none outlives the store");
    ok(cancelled > 0, "its questions are cancelled");
    is_int(p.told, 1, "and nobody is told");
    end_parts(&p);
}

static void names_that_need_none_are_fresh(void)
{
    struct parts p;

    new_parts(&p, off, &silent_dns);
    ok(!hc_preflights_are_made(p.preflights, 0), "hotcert_preflight off");
    ok(hc_preflights_are_fresh(p.preflights, 0, p.ca), "no order waits for one");
    end_parts(&p);
    new_parts(&p, on, NULL);
    ok(!hc_preflights_are_possible(p.preflights), "nothing to ask the DNS with");
    ok(hc_preflights_are_fresh(p.preflights, 0, p.ca), "no order waits for one either");
    end_parts(&p);
}

int main(void)
{
    one_that_ended_counts_for_a_while_and_for_its_issuer();
    a_clock_that_was_set_back_and_a_closed_store_end_them();
    names_that_need_none_are_fresh();
    return done();
}
