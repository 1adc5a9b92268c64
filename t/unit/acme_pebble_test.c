/* Orders against a real CA: Pebble, with 30 % of all nonces refused. */
#include <sys/resource.h>

#include "acme_owner.h"

#define ORDERS_MOST 200

static double cpu_ms(void)
{
    struct rusage r;

    getrusage(RUSAGE_SELF, &r);
    return (double)(r.ru_utime.tv_sec + r.ru_stime.tv_sec) * 1e3 +
           (double)(r.ru_utime.tv_usec + r.ru_stime.tv_usec) / 1e3;
}

static void orders_side_by_side(struct owner *o)
{
    static struct job jobs[ORDERS_MOST];
    const char *asked = getenv("HC_ORDERS");
    int count = asked != NULL ? atoi(asked) : 12;
    double cpu = cpu_ms();
    int64_t start = hc_now_ms(&hc_clock_system);
    int presented_all = 0;
    int withdrawn_all = 0;

    count = count > 0 && count <= ORDERS_MOST ? count : 12;
    name_jobs(jobs, count, "side.test");
    is_int(run_many(o, jobs, count, 8), count, "orders side by side end with sound certificates");
    printf("# %d orders: %.1f s, %.2f ms of CPU each\n", count,
           (double)(hc_now_ms(&hc_clock_system) - start) / 1e3, (cpu_ms() - cpu) / count);
    for (int i = 0; i < count; i++) {
        presented_all += jobs[i].fake.presented;
        withdrawn_all += jobs[i].fake.withdrawn;
        job_dispose(&jobs[i]);
    }
    is_int(presented_all, count, "each answer was presented once");
    is_int(withdrawn_all, count, "and withdrawn once");
    is_int(o->accounts_stored, 2, "the account was stored with its key, then with its URL");
}

static void many_names_in_one_order(struct owner *o)
{
    struct job j = {0};
    int64_t start = hc_now_ms(&hc_clock_system);

    for (int i = 0; i < 40; i++) {
        char name[64];

        snprintf(name, sizeof(name), "n%d.many.test", i);
        if (hc_list_add(&j.names, name, NULL) != 0) {
            abort();
        }
    }
    if (hc_list_add(&j.names, "127.0.0.1", NULL) != 0 || hc_list_add(&j.names, "::1", NULL) != 0) {
        abort();
    }
    is_int(run_many(o, &j, 1, 1), 1, "an order of 40 names and two IP addresses ends well");
    is_int(j.fake.presented, 42, "each name's answer was presented");
    printf("# 42 names: %lld ms\n", (long long)(hc_now_ms(&hc_clock_system) - start));
    job_dispose(&j);
}

static void wildcard_has_no_challenge(struct owner *o)
{
    struct job j = {0};

    if (hc_list_add(&j.names, "*.wild.test", NULL) != 0) {
        abort();
    }
    is_int(run_many(o, &j, 1, 1), 0, "a wildcard cannot be had by http-01");
    is_int(j.error.problem, HC_P_NO_CHALLENGE, "and that is what is said");
    is_str(j.error.subject, "*.wild.test", "of the wildcard");
    job_dispose(&j);
}

/* The process dies in the middle, at more and more events, and goes on from what it stored. */
static void killed_and_resumed(struct owner *o, const struct pebble *p)
{
    int bad = 0;
    int resumed = 0;

    for (int events = 1; events < 40; events += 3) {
        struct job j = {0};
        char url[256] = "";

        name_jobs(&j, 1, "resume.test");
        job_start(&j, o, NULL);
        for (int i = 0; i < events && j.done == 0; i++) {
            step(o);
        }
        hc_order_free(j.order);
        j.order = NULL;
        owner_close(o);
        owner_open(o, p);
        if (j.done == 0) {
            int64_t until = hc_now_ms(&hc_clock_system) + 30000;

            resumed += j.state.order_url != NULL;
            snprintf(url, sizeof(url), "%s", j.state.order_url != NULL ? j.state.order_url : "");
            job_start(&j, o, j.state.order_url != NULL ? &j.state : NULL);
            while (j.done == 0 && hc_now_ms(&hc_clock_system) < until) {
                step(o);
            }
            bad += url[0] != '\0' && strcmp(url, j.state.order_url) != 0;
        }
        bad += !j.good;
        job_dispose(&j);
    }
    is_int(bad, 0, "orders cut off anywhere go on, without a second order");
    ok(resumed > 3, "and several of them were in the middle");
}

static void database_lost(struct owner *o, struct pebble *p)
{
    static struct job jobs[8];
    EVP_PKEY *key = o->account_key;
    int64_t until = 0;
    int left = 8;
    int good = 0;

    EVP_PKEY_up_ref(key);
    name_jobs(jobs, 8, "lost.test");
    for (int i = 0; i < 8; i++) {
        job_start(&jobs[i], o, NULL);
    }
    for (int i = 0; i < 12; i++) {
        step(o);
    }
    pebble_stop(p);
    pebble_start(p);
    o->log[0] = '\0';
    until = hc_now_ms(&hc_clock_system) + 60000;
    while (left > 0 && hc_now_ms(&hc_clock_system) < until) {
        step(o);
        left = 0;
        for (int i = 0; i < 8; i++) {
            left += jobs[i].done == 0;
        }
    }
    for (int i = 0; i < 8; i++) {
        if (!jobs[i].good) {
            char text[2048];

            printf("# %s\n", hc_error_format(&jobs[i].error, text, sizeof(text)));
        }
        good += jobs[i].good;
        job_dispose(&jobs[i]);
    }
    is_int(good, 8, "orders whose CA lost its database in the middle all end well");
    ok(EVP_PKEY_eq(key, o->account_key) == 1, "with the account's old key");
    ok(strstr(o->log, "no longer knows account") != NULL, "and the log says so");
    EVP_PKEY_free(key);
}

int main(void)
{
    struct owner o = {0};
    struct pebble p;

    if (pebble_missing()) {
        printf("1..0 # SKIP %s is not there (make deps)\n", pebble_program());
        return 0;
    }
    setenv("PEBBLE_VA_ALWAYS_VALID", "1", 1);
    setenv("PEBBLE_VA_NOSLEEP", "1", 1);
    setenv("PEBBLE_AUTHZREUSE", "0", 1);
    setenv("PEBBLE_WFE_NONCEREJECT", "30", 0);
    pebble_make(&p, 1);
    pebble_start(&p);
    owner_open(&o, &p);
    orders_side_by_side(&o);
    many_names_in_one_order(&o);
    wildcard_has_no_challenge(&o);
    killed_and_resumed(&o, &p);
    database_lost(&o, &p);
    owner_close(&o);
    owner_dispose(&o);
    pebble_dispose(&p);
    return done();
}
