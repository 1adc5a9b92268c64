/* An order while memory runs out, at each allocation of ours in turn. */
#include "failing_alloc.h"

#include "acme/order.h"
#include "acme_fake.h"
#include "fake_solver.h"

struct scene {
    struct fake ca;
    int done;
    struct fake_solver fake;
    bool good;
    bool lied; /* neither a chain nor an error */
    struct hc_order *order;
};

static int store_account(void *self HC_UNUSED, const struct hc_acme_account *account HC_UNUSED,
                         struct hc_error *err HC_UNUSED)
{
    return 0;
}

static int persist(void *self HC_UNUSED, const struct hc_order_state *state HC_UNUSED,
                   struct hc_error *err HC_UNUSED)
{
    return 0;
}

static void order_done(void *self, const struct hc_order_result *result)
{
    struct scene *s = self;

    s->done++;
    s->good = !hc_error_is_set(&result->error);
    s->lied = s->good != (result->chain_pem.len > 0);
    hc_order_free(s->order);
    s->order = NULL;
}

/* The CA's own memory never runs out. */
static bool answer(struct scene *s, long *countdown)
{
    bool any = false;

    *countdown = alloc_countdown;
    alloc_countdown = 0;
    any = fake_step(&s->ca);
    return any;
}

/*
 * The fake answers from within fake_step(), which calls back into the code under test: so the
 * countdown is held in the reply's callback.
 */
static long held;
static hc_http_done *held_done;
static void *held_arg;

static void resume_and_call(void *arg HC_UNUSED, const struct hc_http_reply *reply,
                            const struct hc_error *err)
{
    alloc_countdown = held;
    (*held_done)(held_arg, reply, err);
    held = alloc_countdown;
    alloc_countdown = 0;
}

/* Nor does that of its network. */
static int send_unharmed(void *self, const struct hc_http_request *request, hc_http_done *done,
                         void *arg, uint64_t *id, struct hc_error *err)
{
    long left = alloc_countdown;
    int rc = 0;

    alloc_countdown = 0;
    rc = fake_send(self, request, done, arg, id, err);
    alloc_countdown = left;
    return rc;
}

static const struct hc_list *methods_of(void *self, const char *name HC_UNUSED)
{
    return &((struct scene *)self)->fake.methods;
}

static void run(struct scene *s, struct hc_acme *acme, long nth)
{
    static const struct hc_order_handler handler = {
        .persist = persist, .methods = methods_of, .done = order_done};
    struct hc_order_handler mine = handler;
    struct hc_list names = {0};
    struct hc_order_options o = {&names, &s->fake.set, HC_KEY_ECDSA_256, NULL, &mine, NULL, NULL};

    mine.self = s;
    fake_solver_open(&s->fake);
    if (hc_list_add(&names, "a.test", NULL) != 0 || hc_list_add(&names, "b.test", NULL) != 0) {
        abort();
    }
    alloc_failed = false;
    alloc_countdown = nth;
    if (hc_order_start(acme, &o, &s->order, NULL) != 0) {
        s->done = 1;
    }
    for (int i = 0; i < 2000 && s->done == 0; i++) {
        int64_t wait = hc_acme_run_timers(acme, s->ca.now_ms);
        struct fake_request *r = s->ca.queue;

        if (s->done > 0) {
            break;
        }
        held = 0;
        if (r != NULL) {
            held_done = r->done;
            held_arg = r->arg;
            r->done = resume_and_call;
        }
        if (answer(s, &held)) {
            alloc_countdown = held;
            continue;
        }
        alloc_countdown = held;
        if (wait < 0) {
            break;
        }
        s->ca.now_ms += wait;
    }
    alloc_countdown = 0;
    hc_list_dispose(&names);
}

int main(void)
{
    static struct scene s;
    struct hc_issuer issuer = {0};
    struct hc_list contacts = {0};
    static char name[] = "testca";
    static char url[] = BASE "/dir";
    int undone = 0;
    int lied = 0;
    int unbalanced = 0;
    int good = 0;
    long nth = 1;

    if (!FAILING_ALLOC) {
        printf("1..0 # SKIP the sanitizer has the allocator\n");
        return 0;
    }
    issuer.name = name;
    issuer.directory_url = url;
    issuer.terms_agreed = 1;
    for (nth = 1; nth < 20000; nth++) {
        struct hc_acme_options o = {0};
        struct hc_acme *acme = NULL;

        memset(&s, 0, sizeof(s));
        fake_init(&s.ca);
        s.ca.port.send = send_unharmed;
        s.ca.log.most = HC_LOG_ERROR;
        s.ca.authz_pending = 1;
        s.ca.order_processing = 1;
        o.issuer = &issuer;
        o.contacts = &contacts;
        o.http = &s.ca.port;
        o.clock = &s.ca.clock;
        o.random = &hc_random_system;
        o.log = &s.ca.log;
        o.self = &s;
        o.store_account = store_account;
        if (hc_acme_new(&o, NULL, &acme, NULL) != 0) {
            abort();
        }
        run(&s, acme, nth);
        hc_order_free(s.order);
        hc_acme_free(acme);
        undone += s.done != 1;
        lied += s.lied;
        unbalanced += s.fake.presented != s.fake.withdrawn;
        good += s.good;
        fake_dispose(&s.ca);
        if (!alloc_failed) {
            break;
        }
    }
    ok(nth > 100 && nth < 20000, "memory ran out at a hundred places and more");
    printf("# %ld allocations, %d of the orders ended well all the same\n", nth, good);
    is_int(undone, 0, "each order ends exactly once");
    is_int(lied, 0, "with a certificate or with an error");
    is_int(unbalanced, 0, "and withdraws what it presented");
    ok(s.good, "the last one, with memory enough, ends well");
    return done();
}
