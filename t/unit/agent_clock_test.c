/* This machine's clock: what speaks against it, what for it, and what one CA in error may cost. */
#include "agent_world.h"
#include "tap.h"

static const char *const on[] = {"hotcert on", "hotcert_use one", NULL};
static const char *const on_both[] = {"hotcert on", "hotcert_use one two", NULL};
static const char *const one_host[] = {"a.example", NULL};
static const char *const other_host[] = {"b.example", NULL};
static const char *const two_hosts[] = {"a.example", "b.example", NULL};

/* ---- CAs that say what time it is ---- */

static int64_t their_time; /* ahead of ours, seconds; what all CAs say */
static bool silent;
static int requests;
static int strangers; /* requests to CAs that no host uses */

static struct {
    hc_http_done *done;
    void *arg;
} pending[8];

static int http_send(void *self HC_UNUSED, const struct hc_http_request *request,
                     hc_http_done *done, void *arg, uint64_t *id, struct hc_error *err HC_UNUSED)
{
    strangers += strncmp(request->url, "https://one.", 12) != 0 &&
                 strncmp(request->url, "https://two.", 12) != 0;
    for (size_t i = 0; i < HC_COUNT(pending); i++) {
        if (pending[i].done == NULL) {
            pending[i].done = done;
            pending[i].arg = arg;
            *id = i + 1;
            requests++;
            return 0;
        }
    }
    stop_here(__LINE__);
}

static void http_cancel(void *self HC_UNUSED, uint64_t id)
{
    pending[id - 1].done = NULL;
}

static const struct hc_http_port fake_http = {NULL, http_send, http_cancel};

static void answer_all(void)
{
    struct hc_http_reply reply = {
        .status = 200, .content_type = "", .location = "", .date = clock_now + their_time};
    struct hc_error err = {0};

    hc_error_set(&err, HC_P_FETCH_FAILED, "ca", "as the test says");
    for (size_t i = 0; i < HC_COUNT(pending); i++) {
        hc_http_done *tell = pending[i].done;

        pending[i].done = NULL;
        if (tell != NULL) {
            tell(pending[i].arg, silent ? NULL : &reply, silent ? &err : NULL);
        }
    }
}

static void live(struct server *s, int64_t seconds, int64_t step)
{
    for (int64_t t = 0; t < seconds; t += step) {
        pass_time(step);
        work(s, NULL);
        answer_all();
    }
    work(s, NULL);
}

static void start_world(void)
{
    new_world();
    world_http = &fake_http;
    world_built = 0;
    silent = true;
    their_time = 0;
    requests = 0;
}

/* As a store that an earlier version left: nobody marked what the clock was right for. */
static void drop_mark(struct server *s)
{
    struct hc_error err = {0};

    if (hc_store_delete(hc_storage_store(hc_agent_parts(s->agent)->storage), "clock", "good",
                        &err) != 0) {
        stop_here(__LINE__);
    }
}

/* ---- what is behind ---- */

static void a_clock_that_goes_back_is_noticed_with_one_certificate(void)
{
    struct server s;

    start_world();
    new_server(&s, on, one_host);
    live(&s, 120, 60);
    is_str(listed_state(&s), "ok", "obtained");
    kill_agent(&s);
    clock_now -= 30 * DAY;
    reload(&s, on, two_hosts);
    live(&s, 120, 60);
    is_int(cas[0].orders, 1, "thirty days back nothing is ordered");
    is_str(listed_state(&s), "clock-wrong", "`list` says so of what is not due, too");
    is_int(count_in_log("error: placing no orders: this machine's clock is behind"), 1,
           "and the log, once");
    reload(&s, on, other_host);
    live(&s, 120, 60);
    is_int(cas[0].orders, 1, "the next agent knows it, whatever hosts there are");
    clock_now += 30 * DAY;
    live(&s, 120, 60);
    is_int(cas[0].orders, 2, "right again, orders go on");
    is_int(count_in_log("the clock is right again"), 1, "which is said");
    is_int(strangers, 0, "no CA is asked that no host uses");
    end_server(&s);
    end_world();
}

static void a_clock_before_the_build_is_wrong_without_any_certificate(void)
{
    struct server s;

    start_world();
    world_built = clock_now + 3 * DAY;
    new_server(&s, on, one_host);
    live(&s, 120, 60);
    is_int(cas[0].asked, 0, "nothing is ordered");
    is_int(count_in_log("but hotcert was built"), 1, "the log says why");
    live(&s, 4 * DAY, 3600);
    is_int(cas[0].orders, 1, "later it is");
    end_server(&s);
    end_world();
}

static void a_CA_that_says_the_same_time_settles_it(void)
{
    struct server s;

    start_world();
    new_server(&s, on, one_host);
    live(&s, 120, 60);
    kill_agent(&s);
    clock_now -= 30 * DAY;
    reload(&s, on, two_hosts);
    live(&s, 120, 60);
    is_str(listed_state(&s), "clock-wrong", "behind what it was right for");
    ok(requests > 0, "the CAs are asked for their time");
    their_time = 30 * DAY;
    silent = false;
    live(&s, 1800, 60);
    is_str(listed_state(&s), "clock-wrong", "who say that it is behind");
    their_time = 10;
    live(&s, 1800, 60);
    ok(strcmp(listed_state(&s), "clock-wrong") != 0, "they say the same: it was ahead before");
    is_int(cas[0].orders > 1, 1, "orders go on");
    end_server(&s);
    end_world();
}

static void what_one_CA_says_of_the_time_stops_nothing(void)
{
    struct server s;

    start_world();
    new_server(&s, on_both, one_host);
    work(&s, NULL);
    for (size_t i = 0; i < 2; i++) {
        hc_clock_watch_note(hc_agent_parts(s.agent)->clock, i, clock_now + 30 * DAY);
        live(&s, 120, 60);
        is_str(listed_state(&s), i == 0 ? "ok" : "clock-wrong",
               i == 0 ? "one CA is thirty days ahead" : "two are: the clock is behind");
    }
    end_server(&s);
    end_world();
}

/* ---- certificates of the future ---- */

static void a_stored_certificate_of_the_future_stops_nothing(void)
{
    struct server s;

    start_world();
    clock_now += 40 * DAY;
    new_server(&s, on, one_host);
    live(&s, 120, 60);
    is_int(cas[0].orders, 1, "obtained under a clock that was ahead");
    drop_mark(&s);
    kill_agent(&s);
    clock_now -= 40 * DAY;
    reload(&s, on, other_host);
    live(&s, 120, 60);
    is_int(cas[0].orders, 2, "set back, other hosts get theirs");
    is_int(count_in_log("clock-wrong"), 0, "what is not configured does not count");
    reload(&s, on, two_hosts);
    live(&s, 120, 60);
    is_int(cas[0].orders, 3, "and what has not begun is ordered anew");
    ok(is_served(&s, 0) && is_served(&s, 1), "all are served");
    end_server(&s);
    end_world();
}

static void a_CA_of_the_future_loses_its_turn(void)
{
    struct server s;

    start_world();
    cas[0].future = 40;
    new_server(&s, on_both, one_host);
    live(&s, 3 * 3600, 60);
    ok(cas[0].orders >= 3, "what it sends is not taken");
    ok(count_in_log("it is not valid before ") > 0, "the log says why");
    ok(is_served(&s, 0), "the second issuer gets its turn");
    is_int(cas[1].orders, 1, "with one order");
    is_int(count_in_log("clock-wrong"), 0, "and nobody blames this machine's clock");
    end_server(&s);
    end_world();
}

int main(void)
{
    a_clock_that_goes_back_is_noticed_with_one_certificate();
    a_clock_before_the_build_is_wrong_without_any_certificate();
    a_CA_that_says_the_same_time_settles_it();
    what_one_CA_says_of_the_time_stops_nothing();
    a_stored_certificate_of_the_future_stops_nothing();
    a_CA_of_the_future_loses_its_turn();
    forged_free(&mid);
    forged_free(&root);
    return done();
}
