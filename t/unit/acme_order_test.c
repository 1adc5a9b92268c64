/* Orders against a CA made for tests: every fault that a CA or its network can have. */
#include "acme/order.h"

#include "acme_fake.h"
#include "fake_solver.h"

#define TEXT 4096

/* A solver that takes minutes, as who writes DNS records does. */
struct slow_solver {
    struct hc_solver solver;
    struct hc_solver set[2];
    struct hc_list methods;
    hc_solver_done *done[FAKE_NAMES]; /* those that are being presented */
    void *arg[FAKE_NAMES];
    int withdrawn, left;
    bool hidden; /* another one is shown in its place */
};

/* One issuer, one order, and what its owner saw. */
struct scene {
    struct fake ca;
    struct hc_issuer issuer;
    struct hc_list contacts;
    struct hc_list profile;
    const char *replaces; /* that the order asks for */
    struct hc_secret_port secrets;
    hc_secret_done *asked; /* the file was asked for, and nobody answered yet */
    void *asked_arg;
    struct hc_redaction *redaction;
    struct hc_acme *acme;
    struct hc_order *order;
    struct hc_order_handler handler;
    struct hc_list names;

    EVP_PKEY *account_key;
    char account_url[128];
    struct hc_order_state state;
    int persisted;
    struct fake_solver fake;
    struct slow_solver slow;
    struct hc_solver_set slow_set;
    char tried[64];
    enum hc_problem fail_store; /* what these calls fail with */
    enum hc_problem fail_persist;

    int done;
    struct hc_error error;
    bool ca_wide;
    bool dead;
    int left_presented; /* answers that were still there when it ended */
    bool waited;        /* hc_order_waiting() was true at some time */
    char chain[256];
    size_t name_count;
    char bad_names[FAKE_NAMES][64];
    enum hc_problem bad_problems[FAKE_NAMES];
};

static int store_account(void *self, const struct hc_acme_account *account, struct hc_error *err)
{
    struct scene *s = self;

    if (s->fail_store != HC_P_NONE) {
        return hc_error_set(err, s->fail_store, "account", NULL);
    }
    EVP_PKEY_up_ref(account->key);
    EVP_PKEY_free(s->account_key);
    s->account_key = account->key;
    snprintf(s->account_url, sizeof(s->account_url), "%s",
             account->url != NULL ? account->url : "");
    return 0;
}

static int persist(void *self, const struct hc_order_state *state, struct hc_error *err)
{
    struct scene *s = self;

    s->persisted++;
    if (s->fail_persist != HC_P_NONE) {
        return hc_error_set(err, s->fail_persist, "job", NULL);
    }
    EVP_PKEY_up_ref(state->key);
    EVP_PKEY_free(s->state.key);
    s->state.key = state->key;
    free(s->state.order_url);
    s->state.order_url = strdup(state->order_url);
    return 0;
}

static void order_done(void *self, const struct hc_order_result *result)
{
    struct scene *s = self;

    s->done++;
    s->left_presented = s->fake.presented - s->fake.withdrawn;
    s->error = result->error;
    s->ca_wide = result->ca_wide;
    s->dead = result->order_dead;
    s->name_count = result->name_count;
    snprintf(s->chain, sizeof(s->chain), "%.*s", (int)result->chain_pem.len,
             result->chain_pem.data != NULL ? (const char *)result->chain_pem.data : "");
    for (size_t i = 0; i < result->name_count && i < FAKE_NAMES; i++) {
        char text[TEXT];
        struct hc_error err;

        hc_kept_error_get(&result->names[i].error, &err);
        snprintf(s->bad_names[i], sizeof(s->bad_names[i]), "%s", result->names[i].name);
        s->bad_problems[i] = err.problem;
        fake_line(&s->ca, HC_LOG_ERROR, hc_error_format(&err, text, sizeof(text)));
    }
    hc_order_free(s->order);
    s->order = NULL;
}

static void tried(void *self, const char *name HC_UNUSED, const char *method,
                  const struct hc_error *err)
{
    struct scene *s = self;

    (void)snprintf(s->tried, sizeof(s->tried), "%s %s", method, err != NULL ? "failed" : "worked");
    if (err != NULL && s->slow.methods.count > 1) {
        s->slow.methods.items++; /* it gives way at the next try */
        s->slow.methods.count--;
    }
}

static const struct hc_list *methods_of(void *self, const char *name HC_UNUSED)
{
    struct scene *s = self;

    return s->slow.solver.type != NULL ? &s->slow.methods : &s->fake.methods;
}

static void scene_acme(struct scene *s)
{
    struct hc_acme_options o = {0};
    struct hc_acme_account account = {s->account_key, s->account_url[0] ? s->account_url : NULL};
    struct hc_error err;

    hc_error_init(&err);
    o.issuer = &s->issuer;
    o.contacts = &s->contacts;
    o.http = &s->ca.port;
    o.clock = &s->ca.clock;
    o.random = &hc_random_system;
    o.log = &s->ca.log;
    o.secrets = &s->secrets;
    o.redaction = s->redaction;
    o.self = s;
    o.store_account = store_account;
    if (hc_acme_new(&o, &account, &s->acme, &err) != 0) {
        abort();
    }
}

static struct scene *scene_new(const char *names)
{
    struct scene *s = calloc(1, sizeof(*s));
    char copy[256];

    fake_init(&s->ca);
    s->issuer.name = strdup("testca");
    s->issuer.directory_url = strdup(BASE "/dir");
    s->issuer.terms_agreed = 1;
    s->handler = (struct hc_order_handler){
        .self = s, .persist = persist, .methods = methods_of, .tried = tried, .done = order_done};
    snprintf(copy, sizeof(copy), "%s", names);
    for (char *n = strtok(copy, " "); n != NULL; n = strtok(NULL, " ")) {
        if (hc_list_add(&s->names, n, NULL) != 0) {
            abort();
        }
    }
    fake_solver_open(&s->fake);
    if (hc_redaction_new(&s->redaction, NULL) != 0) {
        abort();
    }
    scene_acme(s);
    return s;
}

static void start(struct scene *s, const struct hc_order_state *resume)
{
    struct hc_order_options o = {
        &s->names,        s->slow_set.count > 0 ? &s->slow_set : &s->fake.set,
        HC_KEY_ECDSA_256, resume,
        &s->handler,      &s->profile,
        s->replaces};
    struct hc_error err;

    hc_error_init(&err);
    if (hc_order_start(s->acme, &o, &s->order, &err) != 0) {
        abort();
    }
}

/* One event: a reply, or the next timer. False when nothing is left to happen. */
static bool event(struct scene *s)
{
    int64_t wait = hc_acme_run_timers(s->acme, s->ca.now_ms);

    if (s->order != NULL) {
        s->waited |= hc_order_waiting(s->order);
    }
    if (fake_step(&s->ca)) {
        return true;
    }
    if (wait < 0) {
        return false;
    }
    s->ca.now_ms += wait;
    return true;
}

static void run(struct scene *s)
{
    for (int i = 0; i < 20000 && s->done == 0 && event(s); i++) {
    }
}

/* What must not be in any line: tokens and the thumbprint, so no key authorization either. */
static bool is_silent(struct scene *s, const char *text)
{
    char thumbprint[HC_JWS_THUMBPRINT] = "?";
    char token[64];

    if (s->account_key != NULL && hc_jws_thumbprint(s->account_key, thumbprint, NULL) != 0) {
        abort();
    }
    for (int k = 0; k < FAKE_ORDERS; k++) {
        for (size_t i = 0; i < FAKE_NAMES; i++) {
            if (strstr(text, fake_token(k, i, token)) != NULL) {
                return false;
            }
        }
    }
    return strstr(text, thumbprint) == NULL;
}

static void scene_free(struct scene *s, const char *name)
{
    char text[TEXT];
    char label[160];

    snprintf(label, sizeof(label),
             "%s: the client keeps the protocol, presents and withdraws in "
             "pairs, and tells no secret",
             name);
    hc_error_format(&s->error, text, sizeof(text));
    hc_order_free(s->order);
    ok(s->ca.mistakes == 0 && s->fake.presented == s->fake.withdrawn && is_silent(s, s->ca.text) &&
           is_silent(s, text),
       label);
    hc_acme_free(s->acme);
    hc_redaction_free(s->redaction);
    fake_dispose(&s->ca);
    hc_list_dispose(&s->names);
    hc_list_dispose(&s->contacts);
    hc_list_dispose(&s->profile);
    free(s->issuer.name);
    free(s->issuer.directory_url);
    EVP_PKEY_free(s->account_key);
    EVP_PKEY_free(s->state.key);
    free(s->state.order_url);
    free(s);
}

static bool issued(const struct scene *s)
{
    char text[TEXT];

    if (s->done != 1 || hc_error_is_set(&s->error)) {
        printf("# done %d: %s\n", s->done, hc_error_format(&s->error, text, sizeof(text)));
        return false;
    }
    return strcmp(s->chain, CHAIN) == 0;
}

static void a_certificate_is_obtained(void)
{
    struct scene *s = scene_new("b.test a.test 192.0.2.7");

    s->ca.authz_pending = 2;
    s->ca.order_processing = 2;
    start(s, NULL);
    ok(s->done == 0, "a start calls nobody back");
    run(s);
    ok(issued(s), "an order of three names ends with its chain");
    is_int(s->persisted, 1, "its state was stored once");
    is_int(s->fake.presented, 3, "three answers were presented");
    is_int(s->ca.new_accounts, 1, "one account was made");
    is_int(s->ca.new_orders, 1, "one order was placed");
    is_str(hc_acme_account_url(s->acme), BASE "/a/1", "the account's URL is known");
    ok(!s->dead && s->name_count == 0, "nothing is held against a name");
    scene_free(s, "a plain order");
}

/* draft-ietf-acme-profiles: a name that is not advertised is never sent. */
static void an_address_is_ordered_with_its_profile(void)
{
    static const struct {
        const char *what, *names, *meta, *want;
    } cases[] = {
        {"an address", "a.test 192.0.2.7", "{\"profiles\":{\"x\":\"y\",\"brief\":\"z\"}}", "brief"},
        {"of the other family", "2001:db8::7", "{\"profiles\":{\"brief\":\"z\"}}", "brief"},
        {"names alone", "a.test", "{\"profiles\":{\"brief\":\"z\"}}", ""},
        {"a CA without that profile", "192.0.2.7", "{\"profiles\":{\"x\":\"y\"}}", ""},
        {"a CA without profiles", "192.0.2.7", "{\"profiles\":[]}", ""},
    };

    for (size_t i = 0; i < HC_COUNT(cases); i++) {
        struct scene *s = scene_new(cases[i].names);
        char profile[] = "brief";

        s->ca.meta = cases[i].meta;
        s->issuer.address_profile = profile;
        start(s, NULL);
        run(s);
        ok(issued(s), cases[i].what);
        is_str(s->ca.profile, cases[i].want, "the profile that was asked for");
        s->issuer.address_profile = NULL;
        scene_free(s, cases[i].what);
    }
}

static struct scene *scene_with_profile(const char *names, const char *profile, bool required)
{
    struct scene *s = scene_new(names);

    if (hc_list_add(&s->profile, profile, NULL) != 0 ||
        (required && hc_list_add(&s->profile, "required", NULL) != 0)) {
        abort();
    }
    return s;
}

/* draft-ietf-acme-profiles: what the host asks for, and what becomes of it. */
static void hosts_ask_for_a_profile(void)
{
    static const struct {
        const char *what, *names, *meta;
        bool required;
        const char *want; /* NULL: no order */
        const char *log;
    } cases[] = {
        {"offered", "a.test", "{\"profiles\":{\"long\":\"y\",\"wish\":\"z\"}}", false, "wish",
         NULL},
        {"offered and required", "a.test", "{\"profiles\":{\"wish\":\"z\"}}", true, "wish", NULL},
        {"not offered", "a.test", "{\"profiles\":{\"long\":\"y\"}}", false, "",
         "testca does not issue with the profile \"wish\" (it offers long); ordering without a "
         "profile"},
        {"no profiles at all", "a.test", "{\"profiles\":{}}", false, "", "(it offers none)"},
        {"required and not offered", "a.test", "{\"profiles\":{\"long\":\"y\"}}", true, NULL, NULL},
        {"an address has its own", "192.0.2.7", "{\"profiles\":{\"brief\":\"y\",\"wish\":\"z\"}}",
         false, "brief", NULL},
        {"a required one counts for an address", "192.0.2.7",
         "{\"profiles\":{\"brief\":\"y\",\"wish\":\"z\"}}", true, "wish", NULL},
    };

    for (size_t i = 0; i < HC_COUNT(cases); i++) {
        struct scene *s = scene_with_profile(cases[i].names, "wish", cases[i].required);
        char brief[] = "brief";

        s->ca.meta = cases[i].meta;
        s->issuer.address_profile = brief;
        start(s, NULL);
        run(s);
        if (cases[i].want != NULL) {
            ok(issued(s), cases[i].what);
            is_str(s->ca.profile, cases[i].want, "the profile in newOrder");
        } else {
            is_int(s->error.problem, HC_P_CA_SAYS_PROFILE, cases[i].what);
            ok(strstr(s->error.detail, "testca: it offers long") != NULL, "what there is");
            ok(!s->ca_wide && s->ca.new_orders == 0, "nothing was ordered, nobody else is held");
        }
        ok(cases[i].log == NULL ? strstr(s->ca.text, "profile") == NULL
                                : strstr(s->ca.text, cases[i].log) != NULL,
           "what the log says");
        s->issuer.address_profile = NULL;
        scene_free(s, cases[i].what);
    }
}

/* The CA lists it, but not for this account or these names: RFC 8555 error "invalidProfile". */
static void a_profile_is_refused(void)
{
    static const char meta[] = "{\"profiles\":{\"wish\":\"z\"}}";

    for (int required = 0; required <= 1; required++) {
        struct scene *s = scene_with_profile("a.test", "wish", required == 1);
        struct rule *r = fake_rule(&s->ca, BASE "/order", 400);

        r->type = "invalidProfile";
        r->detail = "not for you";
        s->ca.meta = meta;
        start(s, NULL);
        run(s);
        if (required == 0) {
            ok(issued(s), "it is ordered without the profile that the CA refuses");
            is_str(s->ca.profile, "", "the profile in newOrder");
            ok(strstr(s->ca.text, "not for you") != NULL, "the log has the CA's words");
        } else {
            is_int(s->error.problem, HC_P_CA_SAYS_PROFILE, "a required profile is not given up");
            ok(!s->ca_wide, "it is held against this certificate alone");
        }
        scene_free(s, "a refused profile");
    }
    {
        struct scene *s = scene_new("192.0.2.7");
        struct rule *r = fake_rule(&s->ca, BASE "/order", 400);
        char brief[] = "brief";

        r->type = "invalidProfile";
        s->ca.meta = "{\"profiles\":{\"brief\":\"z\"}}";
        s->issuer.address_profile = brief;
        start(s, NULL);
        run(s);
        ok(issued(s), "nor does the profile of addresses stop an order");
        ok(strstr(s->ca.text, "the profile \"brief\"") != NULL, "the log names it");
        s->issuer.address_profile = NULL;
        scene_free(s, "a refused profile of addresses");
    }
    {
        struct scene *s = scene_with_profile("a.test", "wish", false);
        struct rule *r = fake_rule(&s->ca, BASE "/order", 400);

        r->type = "invalidProfile";
        r->times = 9;
        s->ca.meta = meta;
        start(s, NULL);
        run(s);
        is_int(s->error.problem, HC_P_CA_SAYS_PROFILE, "a CA that refuses without it as well");
        scene_free(s, "refused twice");
    }
}

/* RFC 9773 section 5 */
static void an_order_says_what_it_replaces(void)
{
    static const struct {
        const char *what;
        bool ari;
        long status; /* of a refusal; 0: none */
        const char *type;
        const char *want; /* in the order that was placed; NULL: none was */
    } rows[] = {
        {"a CA with renewal information", true, 0, NULL, "key.serial"},
        {"a CA without", false, 0, NULL, ""},
        {"replaced already", true, 409, "alreadyReplaced", ""},
        {"another account's", true, 403, "unauthorized", ""},
        {"unknown", true, 404, "malformed", ""},
        {"a limit is no reason to order anew", true, 429, "rateLimited", NULL},
    };

    for (size_t i = 0; i < HC_COUNT(rows); i++) {
        struct scene *s = scene_new("a.test");

        s->replaces = "key.serial";
        s->ca.ari = rows[i].ari;
        if (rows[i].status != 0) {
            struct rule *r = fake_rule(&s->ca, BASE "/order", rows[i].status);

            r->type = rows[i].type;
            r->detail = "no";
            r->times = rows[i].want == NULL ? 99 : 1;
            r->retry_after = rows[i].want == NULL ? 86400 : 0;
        }
        start(s, NULL);
        run(s);
        if (rows[i].want != NULL) {
            ok(issued(s), rows[i].what);
            is_str(s->ca.replaces, rows[i].want, "what newOrder said");
        } else {
            is_int(s->error.problem, HC_P_RATE_LIMITED, rows[i].what);
        }
        ok((strstr(s->ca.text, "ordering without that") != NULL) ==
               (rows[i].status != 0 && rows[i].want != NULL),
           "the log says so where it was not taken");
        scene_free(s, rows[i].what);
    }
}

static void what_is_valid_already_is_not_done_again(void)
{
    struct scene *s = scene_new("a.test");

    s->ca.already_valid = true;
    start(s, NULL);
    run(s);
    ok(issued(s), "an order that is ready at once is finalized at once");
    is_int(s->fake.presented, 0, "without any challenge");
    scene_free(s, "a reused order");

    s = scene_new("a.test b.test");
    fake_rule(&s->ca, "/z/0/0", 200)->body =
        "{\"identifier\":{\"type\":\"dns\",\"value\":\"a.test\"},\"status\":\"valid\","
        "\"challenges\":[]}";
    start(s, NULL);
    event(s);
    while (s->done == 0 && event(s)) {
        /* the CA knows it as valid as well */
        if (s->ca.order_count > 0) {
            s->ca.orders[0].authz[0] = "valid";
        }
    }
    ok(issued(s), "an authorization that is valid already is left alone");
    is_int(s->fake.presented, 1, "and only the other is answered");
    scene_free(s, "a reused authorization");
}

static void nonces_are_retried(void)
{
    struct scene *s = scene_new("a.test");

    start(s, NULL);
    s->ca.bad_nonces = 30;
    run(s);
    ok(issued(s), "30 refused nonces in a row are got over");
    scene_free(s, "30 bad nonces");

    s = scene_new("a.test");
    start(s, NULL);
    s->ca.bad_nonces = 1000;
    run(s);
    is_int(s->error.problem, HC_P_BAD_NONCE, "but not any number of them");
    ok(s->ca_wide, "which is the CA's fault");
    scene_free(s, "no good nonces");
}

/* Each kind of request fails once in each passing way: the order does not notice. */
static void passing_faults_are_got_over(void)
{
    static const char *const where[] = {"/dir", "/nonce", "/acct", "/order", "/o/",
                                        "/z/",  "/c/",    "/f/",   "/cert/"};

    for (size_t i = 0; i < HC_COUNT(where); i++) {
        for (int kind = 0; kind < 4; kind++) {
            struct scene *s = scene_new("a.test b.test");
            struct rule *r = fake_rule(&s->ca, where[i], kind == 0 ? 500 : kind == 1 ? 503 : 0);
            char label[80];

            r->problem = HC_P_FETCH_FAILED;
            r->retry_after = kind == 1 ? 2 : 0;
            r->after = kind == 3;
            r->times = kind == 3 ? 1 : 2;
            s->ca.order_processing = 1;
            start(s, NULL);
            run(s);
            snprintf(label, sizeof(label), "%s on %s is got over",
                     kind == 0   ? "500"
                     : kind == 1 ? "503 with Retry-After"
                     : kind == 2 ? "a cut connection"
                                 : "a lost reply",
                     where[i]);
            ok(issued(s), label);
            scene_free(s, where[i]);
        }
    }
}

static void lasting_faults_are_the_cas(void)
{
    static const struct {
        const char *where;
        long status;
        enum hc_problem problem;
        enum hc_problem want;
    } rows[] = {
        {"/dir", 0, HC_P_FETCH_FAILED, HC_P_CA_UNREACHABLE},
        {"/dir", 0, HC_P_FETCH_UNTRUSTED, HC_P_CA_TLS},
        {"/dir", 404, HC_P_NONE, HC_P_CA_REFUSED},
        {"/dir", 302, HC_P_NONE, HC_P_CA_REPLY},
        {"/nonce", 503, HC_P_NONE, HC_P_CA_ERROR},
        {"/nonce", 0, HC_P_FETCH_TIMEOUT, HC_P_CA_TIMEOUT},
        {"/acct", 500, HC_P_NONE, HC_P_CA_ERROR},
        {"/order", 0, HC_P_FETCH_TIMEOUT, HC_P_CA_TIMEOUT},
        {"/order", 429, HC_P_NONE, HC_P_RATE_LIMITED},
        {"/order", 302, HC_P_NONE, HC_P_CA_REPLY},
        {"/z/", 0, HC_P_TOO_LARGE, HC_P_CA_REPLY},
        {"/c/", 500, HC_P_NONE, HC_P_CA_ERROR},
        {"/f/", 500, HC_P_NONE, HC_P_CA_ERROR},
        {"/cert/", 0, HC_P_FETCH_FAILED, HC_P_CA_UNREACHABLE},
    };

    for (size_t i = 0; i < HC_COUNT(rows); i++) {
        struct scene *s = scene_new("a.test");
        struct rule *r = fake_rule(&s->ca, rows[i].where, rows[i].status);
        char label[120];

        r->problem = rows[i].problem;
        r->times = 1000;
        start(s, NULL);
        run(s);
        snprintf(label, sizeof(label), "%s: %ld for good is %s", rows[i].where, rows[i].status,
                 hc_problem_row(rows[i].want)->slug);
        is_int(s->error.problem, rows[i].want, label);
        ok(s->done == 1 && (s->ca_wide || rows[i].want == HC_P_CA_REFUSED),
           "and says nothing of the names");
        ok(s->dead == (s->state.order_url == NULL), "a placed order is kept for later");
        scene_free(s, rows[i].where);
    }
}

static void rate_limits_tell_whom_they_mean(void)
{
    struct scene *s = scene_new("www.a.test");
    struct rule *r = fake_rule(&s->ca, "/order", 429);

    r->type = "rateLimited";
    r->detail = "too many new orders from this account";
    r->retry_after = 3600;
    r->times = 10;
    start(s, NULL);
    run(s);
    is_int(s->error.problem, HC_P_RATE_LIMITED, "a rate limit is one");
    is_int(s->error.foreign.retry_after, 3600, "with the CA's time");
    ok(s->ca_wide, "of the account: it holds for all orders");
    scene_free(s, "a limit of the account");

    s = scene_new("www.a.test");
    r = fake_rule(&s->ca, "/order", 429);
    r->type = "rateLimited";
    r->detail = "too many certificates already issued for \\\"a.test\\\"";
    r->retry_after = 7200;
    start(s, NULL);
    run(s);
    ok(!s->ca_wide, "one that names a name's parent holds for the name");
    ok(strstr(s->error.detail, "too many certificates") != NULL, "the CA's words are kept");
    scene_free(s, "a limit of a name");

    s = scene_new("www.ba.test");
    r = fake_rule(&s->ca, "/order", 429);
    r->type = "rateLimited";
    r->detail = "too many certificates already issued for \\\"alba.test\\\", see "
                "https://www.ba.test/limits";
    r->times = 10;
    start(s, NULL);
    run(s);
    ok(s->ca_wide, "another's name that ends like ours says nothing of ours");
    scene_free(s, "a limit of another name");
}

static void waits_as_long_as_the_ca_asks(void)
{
    struct scene *s = scene_new("a.test");
    int64_t before = s->ca.now_ms;

    s->ca.order_processing = 2;
    s->ca.poll_retry_after = 7;
    start(s, NULL);
    run(s);
    ok(issued(s), "a slow order ends well");
    ok(s->ca.now_ms - before >= 21000 && s->ca.now_ms - before < 22000,
       "three times seven seconds later");
    ok(s->waited, "and its place was free meanwhile");
    scene_free(s, "Retry-After");

    s = scene_new("a.test");
    s->ca.order_processing = 1000000;
    s->ca.poll_retry_after = 100000;
    start(s, NULL);
    run(s);
    is_int(s->error.problem, HC_P_CA_TIMEOUT, "an order is not waited for without end");
    is_int(s->error.foreign.retry_after, 100000, "the CA's time is handed on");
    ok(!s->ca_wide && !s->dead, "it is this order's affair, and can be gone on with");
    scene_free(s, "an order that hangs");

    s = scene_new("a.test");
    s->ca.authz_pending = 1000000;
    start(s, NULL);
    run(s);
    is_int(s->error.problem, HC_P_CA_TIMEOUT, "nor is a validation");
    ok(!s->ca_wide && !s->dead, "of which the same is true");
    is_int(s->left_presented, 1, "and the CA may still ask for the answer");
    scene_free(s, "a validation that hangs");
}

/* The CA looks from several places: an answer that goes in between fails the name. */
static void answers_stay_while_the_ca_validates(void)
{
    static const struct {
        const char *what;
        int times; /* without Retry-After */
        int64_t retry_after;
    } rows[] = {{"503 for a minute", 1, 60}, {"503 time and again", 5, 0}};

    for (size_t i = 0; i < HC_COUNT(rows); i++) {
        struct scene *s = scene_new("a.test b.test");
        struct rule *r = fake_rule(&s->ca, "/z/", 503);

        r->skip = 2; /* both were asked before they were answered */
        r->times = rows[i].times;
        r->retry_after = rows[i].retry_after;
        s->ca.authz_pending = 1;
        start(s, NULL);
        run(s);
        ok(s->done == 1 && !s->dead && s->fake.presented == 2, rows[i].what);
        is_int(s->left_presented, 2, "leaves the answers where they are");
        s->done = 0;
        start(s, &s->state);
        run(s);
        ok(issued(s), "so that the order ends well when it goes on");
        is_int(s->ca.new_orders, 1, "as the same order");
        scene_free(s, rows[i].what);
    }
}

static void answers_go_with_an_order_that_is_over(void)
{
    struct scene *s = scene_new("a.test b.test");

    s->ca.bad_name = "a.test";
    start(s, NULL);
    run(s);
    ok(s->dead && s->fake.presented == 2, "an order that the CA made invalid");
    is_int(s->left_presented, 0, "leaves no answer");
    scene_free(s, "answers of a dead order");

    s = scene_new("a.test b.test");
    s->fake.fail = HC_P_TABLE_FULL;
    start(s, NULL);
    run(s);
    ok(!s->dead && s->fake.presented == 1, "nor does one of which the CA was told nothing");
    is_int(s->left_presented, 0, "since nobody asks for it");
    scene_free(s, "answers that were not announced");
}

static void each_bad_name_is_named(void)
{
    struct scene *s = scene_new("a.test b.test c.test");
    char keyauth[256];

    s->ca.bad_name = "b.test";
    s->ca.authz_pending = 1;
    snprintf(keyauth, sizeof(keyauth),
             "Expected Tok0_1AbcDefGhiJklMnoPqrStu42.CKlSkFa7PW5AOpSe0cUWsUoYZOjmdSR4pnVMDBUwv1o");
    s->ca.bad_detail = keyauth;
    start(s, NULL);
    run(s);
    is_int(s->error.problem, HC_P_CA_SAYS_ANSWER, "a wrong answer is called that");
    is_str(s->error.subject, "b.test", "of the name");
    is_str(s->error.detail, "the CA says: Expected [..].[..] [unauthorized]",
           "in the CA's words without the key authorization");
    ok(s->dead && !s->ca_wide, "the order is over, the CA is not to blame");
    is_int(s->name_count, 1, "one name is bad");
    is_str(s->bad_names[0], "b.test", "and named");
    scene_free(s, "one of three names");

    s = scene_new("a.test b.test c.test");
    struct rule *r = fake_rule(&s->ca, "/order", 403);
    r->type = "rejectedIdentifier";
    r->extra = ",\"subproblems\":[{\"type\":\"urn:ietf:params:acme:error:caa\",\"detail\":\"CAA\","
               "\"identifier\":{\"type\":\"dns\",\"value\":\"A.test\"}},"
               "{\"type\":\"urn:ietf:params:acme:error:rejectedIdentifier\",\"detail\":\"R\","
               "\"identifier\":{\"type\":\"dns\",\"value\":\"c.test\"}},"
               "{\"type\":\"x\",\"identifier\":{\"type\":\"dns\",\"value\":\"stranger.test\"}}]";
    start(s, NULL);
    run(s);
    is_int(s->name_count, 2, "subproblems name the names, strangers left out");
    is_str(s->bad_names[0], "a.test", "the one with CAA");
    is_int(s->bad_problems[0], HC_P_CA_SAYS_CAA, "as such");
    is_int(s->bad_problems[1], HC_P_CA_SAYS_NAME, "the other as refused");
    ok(!s->ca_wide, "which is not the CA's fault");
    scene_free(s, "subproblems of newOrder");

    s = scene_new("a.test b.test");
    r = fake_rule(&s->ca, "/f/", 403);
    r->type = "caa";
    r->extra = ",\"subproblems\":[{\"type\":\"urn:ietf:params:acme:error:caa\",\"detail\":\"CAA\","
               "\"identifier\":{\"type\":\"dns\",\"value\":\"b.test\"}}]";
    start(s, NULL);
    run(s);
    is_int(s->error.problem, HC_P_CA_SAYS_CAA, "CAA at the last moment");
    is_str(s->bad_names[0], "b.test", "names its name");
    scene_free(s, "subproblems of finalize");
}

static void an_invalid_order_is_explained(void)
{
    struct scene *s = scene_new("a.test");
    struct rule *r = fake_rule(&s->ca, "/f/", 200);

    r->body = "{\"status\":\"invalid\",\"identifiers\":[{\"type\":\"dns\",\"value\":\"a.test\"}],"
              "\"authorizations\":[\"" BASE "/z/0/0\"],\"finalize\":\"" BASE "/f/0\","
              "\"error\":{\"type\":\"urn:ietf:params:acme:error:serverInternal\","
              "\"detail\":\"signer broken\"}}";
    start(s, NULL);
    run(s);
    ok(strstr(s->error.detail, "signer broken") != NULL, "an invalid order: by its own error");
    ok(s->dead, "and it is over");
    scene_free(s, "an invalid order");
}

static void odd_states_are_lived_with(void)
{
    static const struct {
        const char *where;
        const char *status;
        int times;
    } rows[] = {
        {"/f/", "ready", 1},   {"/f/", "pending", 1},    {"/f/", "valid", 1}, {"/o/", "ready", 1},
        {"/o/", "pending", 3}, {"/o/", "processing", 5}, {"/o/", "valid", 2},
    };

    for (size_t i = 0; i < HC_COUNT(rows); i++) {
        struct scene *s = scene_new("a.test");
        struct rule *r = fake_rule(&s->ca, rows[i].where, 200);
        char body[512];
        char label[80];

        snprintf(body, sizeof(body),
                 "{\"status\":\"%s\",\"identifiers\":[{\"type\":\"dns\",\"value\":\"a.test\"}],"
                 "\"authorizations\":[\"" BASE "/z/0/0\"],\"finalize\":\"" BASE "/f/0\"}",
                 rows[i].status);
        r->body = body;
        r->times = rows[i].times;
        start(s, NULL);
        run(s);
        /* the swallowed finalize is what some of these rows are about */
        snprintf(label, sizeof(label), "%s said %d times by %s is lived with", rows[i].status,
                 rows[i].times, rows[i].where);
        ok(issued(s), label);
        is_int(s->ca.new_orders, 1, "with the one order");
        scene_free(s, label);
    }
    {
        struct scene *s = scene_new("a.test");
        struct rule *r = fake_rule(&s->ca, "/f/", 403);

        r->type = "orderNotReady";
        start(s, NULL);
        run(s);
        ok(issued(s), "orderNotReady is asked again");
        scene_free(s, "orderNotReady");
    }
    {
        struct scene *s = scene_new("a.test");

        fake_rule(&s->ca, "/f/", 200)->body = "";
        start(s, NULL);
        run(s);
        ok(issued(s), "a finalize reply without a body is looked behind");
        scene_free(s, "an empty finalize reply");
    }
}

static void foreign_urls_are_not_followed(void)
{
    static const struct {
        const char *where;
        const char *body;
        const char *location;
    } rows[] = {
        {"/dir",
         "{\"newNonce\":\"http://ca.test/n\",\"newAccount\":\"" BASE "/acct\","
         "\"newOrder\":\"" BASE "/order\"}",
         NULL},
        {"/dir",
         "{\"newNonce\":\"" BASE "/nonce\",\"newAccount\":\"" BASE "/acct\","
         "\"newOrder\":\"http://127.0.0.1/order\"}",
         NULL},
        {"/dir",
         "{\"newNonce\":\"file:///etc/passwd\",\"newAccount\":\"" BASE "/acct\","
         "\"newOrder\":\"" BASE "/order\"}",
         NULL},
        {"/acct", NULL, "http://ca.test/a/1"},
        {"/order", NULL, "http://ca.test/o/0"},
        {"/order", NULL, "https://user@ca.test/o/0"},
        {"/order",
         "{\"status\":\"pending\",\"identifiers\":[{\"type\":\"dns\",\"value\":"
         "\"a.test\"}],\"authorizations\":[\"http://ca.test/z/0/0\"],"
         "\"finalize\":\"" BASE "/f/0\"}",
         BASE "/o/0"},
        {"/order",
         "{\"status\":\"pending\",\"identifiers\":[{\"type\":\"dns\",\"value\":"
         "\"a.test\"}],\"authorizations\":[\"" BASE "/z/0/0\"],"
         "\"finalize\":\"http://ca.test/f/0\"}",
         BASE "/o/0"},
        {"/order",
         "{\"status\":\"valid\",\"identifiers\":[{\"type\":\"dns\",\"value\":"
         "\"a.test\"}],\"authorizations\":[\"" BASE "/z/0/0\"],"
         "\"finalize\":\"" BASE "/f/0\",\"certificate\":\"http://ca.test/c\"}",
         BASE "/o/0"},
        {"/z/",
         "{\"identifier\":{\"type\":\"dns\",\"value\":\"a.test\"},\"status\":\"pending\","
         "\"challenges\":[{\"type\":\"http-01\",\"url\":\"http://ca.test/c\","
         "\"token\":\"Tok0_0AbcDefGhiJklMnoPqrStu42\"}]}",
         NULL},
    };

    for (size_t i = 0; i < HC_COUNT(rows); i++) {
        struct scene *s = scene_new("a.test");
        struct rule *r = fake_rule(&s->ca, rows[i].where, 200);
        char label[80];

        r->body = rows[i].body;
        r->location = rows[i].location;
        r->times = 100;
        start(s, NULL);
        run(s);
        snprintf(label, sizeof(label), "row %zu: a URL of another kind on %s is refused", i,
                 rows[i].where);
        is_int(s->error.problem, HC_P_CA_URL, label);
        ok(s->ca_wide, "which is the CA's fault");
        scene_free(s, rows[i].where);
    }
}

static void nonsense_is_refused(void)
{
    static const struct {
        const char *where;
        const char *body;
        const char *type;
    } rows[] = {
        {"/dir", "<html>hello</html>", "text/html"},
        {"/dir", "", NULL},
        {"/dir", "{\"newNonce\":7}", NULL},
        {"/dir", "[]", NULL},
        {"/acct", "nonsense", NULL},
        {"/acct", "{\"status\":\"deactivated\"}", NULL},
        {"/order", "{}", NULL},
        {"/order", "{\"status\":\"odd\"}", NULL},
        {"/order", "{\"status\":\"ready\",\"status\":\"ready\"}", NULL},
        {"/order",
         "{\"status\":\"pending\",\"identifiers\":[{\"type\":\"dns\",\"value\":"
         "\"other.test\"}],\"authorizations\":[\"" BASE "/z/0/0\"],"
         "\"finalize\":\"" BASE "/f/0\"}",
         NULL},
        {"/z/",
         "{\"identifier\":{\"type\":\"dns\",\"value\":\"other.test\"},"
         "\"status\":\"pending\",\"challenges\":[]}",
         NULL},
        {"/z/",
         "{\"identifier\":{\"type\":\"dns\",\"value\":\"a.test\"},\"status\":\"pending\","
         "\"challenges\":[{\"type\":\"http-01\",\"url\":\"" BASE "/c/0/0\","
         "\"token\":\"../../etc/passwd-0123456789\"}]}",
         NULL},
        {"/cert/",
         "<html>"
         "-----BEGIN</html>",
         "text/html"},
        {"/cert/", "hello", "application/pem-certificate-chain"},
        {"/cert/", "", "application/pem-certificate-chain"},
        {"/cert/", CHAIN "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n",
         "application/pem-certificate-chain"},
    };

    for (size_t i = 0; i < HC_COUNT(rows); i++) {
        struct scene *s = scene_new("a.test");
        struct rule *r = fake_rule(&s->ca, rows[i].where, 200);
        char label[80];

        r->body = rows[i].body;
        r->content_type = rows[i].type;
        r->location = BASE "/o/0";
        r->times = 100;
        start(s, NULL);
        run(s);
        snprintf(label, sizeof(label), "row %zu: nonsense on %s is refused", i, rows[i].where);
        ok(s->done == 1 &&
               (s->error.problem == HC_P_CA_REPLY || s->error.problem == HC_P_ACCOUNT_DEACTIVATED),
           label);
        ok(s->ca_wide, "which is the CA's fault");
        scene_free(s, rows[i].where);
    }
}

/* RFC 8555 asks for application/pem-certificate-chain; not every CA sends it. */
static void a_chain_is_judged_by_its_content(void)
{
    static const char *const types[] = {"text/plain", "text/html", "application/octet-stream",
                                        "application/pkix-cert", ""};

    for (size_t i = 0; i < HC_COUNT(types); i++) {
        struct scene *s = scene_new("a.test");
        struct rule *r = fake_rule(&s->ca, "/cert/", 200);

        r->body = CHAIN;
        r->content_type = types[i];
        start(s, NULL);
        run(s);
        ok(issued(s), types[i]);
        scene_free(s, types[i]);
    }
    {
        struct scene *s = scene_new("a.test");
        struct rule *r = fake_rule(&s->ca, "/cert/", 200);

        r->body = "<html>log in</html>";
        r->content_type = "text/html";
        start(s, NULL);
        run(s);
        is_int(s->error.problem, HC_P_CA_REPLY, "what is no chain is refused");
        ok(strstr(s->error.activity, "\"text/html\"") != NULL, "and its label is told");
        scene_free(s, "no chain");
    }
}

/* Nothing is left to prove: the member may be missing. */
static void an_order_without_authorizations_goes_on(void)
{
    static const struct {
        const char *status;
        const char *more;
        bool good;
    } rows[] = {
        {"ready", "", true},
        {"ready", "\"authorizations\":null,", true},
        {"ready", "\"authorizations\":[],", true},
        {"valid", "\"certificate\":\"" BASE "/cert/0\",", true},
        {"processing", "", true},
        {"pending", "", false},
    };

    for (size_t i = 0; i < HC_COUNT(rows); i++) {
        struct scene *s = scene_new("a.test");
        struct rule *r = fake_rule(&s->ca, "/order", 201);
        char body[512];
        char label[80];

        s->ca.already_valid = true;
        snprintf(body, sizeof(body),
                 "{\"status\":\"%s\",%s\"identifiers\":[{\"type\":\"dns\",\"value\":"
                 "\"a.test\"}],\"finalize\":\"" BASE "/f/0\"}",
                 rows[i].status, rows[i].more);
        r->body = body;
        r->real = true;
        start(s, NULL);
        run(s);
        snprintf(label, sizeof(label), "%s %s", rows[i].status, rows[i].more);
        if (rows[i].good) {
            ok(issued(s), label);
        } else {
            is_int(s->error.problem, HC_P_CA_REPLY, label);
        }
        scene_free(s, label);
    }
}

/* At the same server it may be anywhere; who else is trusted is not the CA's to say. */
static void a_directory_that_moved_is_followed_at_its_server_only(void)
{
    static const struct {
        long status;
        const char *to;
        enum hc_problem problem;
    } rows[] = {
        {301, BASE "/dir2", HC_P_NONE},
        {302, "/dir2", HC_P_NONE},
        {303, "dir2", HC_P_NONE},
        {307, BASE ":443/dir2", HC_P_NONE},
        {308, "//CA.test/dir2", HC_P_NONE},
        {301, "https://other.test/dir", HC_P_CA_MOVED},
        {301, BASE ":8443/dir", HC_P_CA_MOVED},
        {302, "http://ca.test/dir", HC_P_CA_MOVED},
        {302, "https://user@ca.test/dir", HC_P_CA_MOVED},
        {301, "/dir", HC_P_CA_MOVED},
        {301, "", HC_P_CA_REPLY},
        {304, BASE "/dir2", HC_P_CA_REPLY},
    };

    for (size_t i = 0; i < HC_COUNT(rows); i++) {
        struct scene *s = scene_new("a.test");
        struct rule *r = fake_rule(&s->ca, BASE "/dir", rows[i].status);
        char label[80];

        r->exact = true;
        r->body = "";
        r->location = rows[i].to;
        r->times = 100;
        start(s, NULL);
        run(s);
        snprintf(label, sizeof(label), "%ld to \"%s\"", rows[i].status, rows[i].to);
        is_int(s->error.problem, rows[i].problem, label);
        if (rows[i].problem == HC_P_NONE) {
            ok(issued(s), "is followed");
        } else {
            ok(s->ca_wide, "is the CA's affair");
            is_int(s->ca.new_accounts, 0, "and nothing is sent there");
        }
        if (rows[i].problem == HC_P_CA_MOVED) {
            ok(strstr(s->error.detail,
                      strcmp(rows[i].to, "/dir") == 0 ? BASE "/dir" : rows[i].to) != NULL,
               "the target is named");
        }
        scene_free(s, label);
    }
}

static void a_lost_account_is_made_again(void)
{
    for (int when = 0; when < 16; when++) {
        struct scene *s = scene_new("a.test b.test");
        EVP_PKEY *key = NULL;
        char label[80];

        s->ca.order_processing = 1;
        start(s, NULL);
        run(s);
        /* the second order of this account meets a CA that forgot, at each of its steps */
        s->done = 0;
        key = s->account_key;
        EVP_PKEY_up_ref(key);
        start(s, NULL);
        for (int i = 0; i < when && s->done == 0; i++) {
            event(s);
        }
        if (s->done == 0) {
            s->ca.account_known = false;
        }
        run(s);
        snprintf(label, sizeof(label), "an account lost after %d events is made again", when);
        ok(issued(s), label);
        ok(EVP_PKEY_eq(key, s->account_key) == 1, "with the same key");
        ok(s->ca.account_known == false || s->ca.new_accounts == 1 ||
               strstr(s->ca.text, "no longer knows account") != NULL,
           "which is said");
        EVP_PKEY_free(key);
        scene_free(s, label);
    }
}

static void a_lost_order_is_placed_again(void)
{
    struct scene *s = scene_new("a.test");
    struct rule *r = NULL;

    (void)fake_rule(&s->ca, "/o/", 404);
    s->ca.order_processing = 1;
    start(s, NULL);
    run(s);
    ok(issued(s), "an order that the CA lost is placed again");
    is_int(s->ca.new_orders, 2, "as a second one");
    is_int(s->persisted, 2, "which is stored");
    ok(strstr(s->ca.text, "placing a new one") != NULL, "and that is said");
    scene_free(s, "a lost order");

    s = scene_new("a.test");
    r = fake_rule(&s->ca, "/o/", 404);
    r->times = 10;
    s->ca.order_processing = 1;
    start(s, NULL);
    run(s);
    is_int(s->error.problem, HC_P_ORDER_LOST, "but only once");
    ok(s->dead && s->ca_wide, "then it is dead, and the CA to blame");
    scene_free(s, "an order lost twice");
}

static void an_order_is_resumed_at_any_event(void)
{
    int resumed = 0;

    for (int events = 0; events < 40; events++) {
        struct scene *s = scene_new("a.test b.test");
        char label[80];
        bool was_placed = false;
        bool was_done = false;

        s->ca.authz_pending = 1;
        s->ca.order_processing = 2;
        start(s, NULL);
        for (int i = 0; i < events && s->done == 0; i++) {
            event(s);
        }
        was_done = s->done > 0;
        was_placed = s->state.order_url != NULL;
        if (!was_done) {
            hc_order_free(s->order);
            s->order = NULL;
            hc_acme_free(s->acme);
            ok(s->fake.presented == s->fake.withdrawn, "who ends early withdraws all");
            ok(s->ca.queue == NULL, "and leaves no request behind");
            scene_acme(s);
            start(s, was_placed ? &s->state : NULL);
            run(s);
            resumed += was_placed;
        }
        snprintf(label, sizeof(label), "an order cut off after %d events goes on", events);
        ok(issued(s), label);
        if (was_placed) {
            is_int(s->ca.new_orders, 1, "as the same order");
            is_int(s->ca.finalized >= 1 && s->ca.finalized <= 2, 1, "finalized");
        }
        ok(s->ca.new_accounts <= 2 && s->ca.account_serial == 1, "by the one account");
        scene_free(s, label);
    }
    ok(resumed > 8, "many of them in the middle");
}

static void on_read_asked(void *self, const char *path, hc_secret_done *done, void *arg)
{
    struct scene *s = self;

    is_str(path, "/etc/ca.key", "the file of the issuer is asked for");
    s->asked = done;
    s->asked_arg = arg;
}

static void on_read_at_once(void *self HC_UNUSED, const char *path HC_UNUSED, hc_secret_done *tell,
                            void *arg)
{
    static const char key[] = "zW-_Npww8TXhdqzPzHkQqV3BTPXmkCIFS5hi7MqOSWo\n";

    tell(arg, (struct hc_bytes){(const unsigned char *)key, sizeof(key) - 1}, NULL);
}

static void on_read_forget(void *self, const void *arg)
{
    struct scene *s = self;

    ok(arg == s->asked_arg, "what it waited for is forgotten");
    s->asked = NULL;
}

static struct scene *scene_bound(void (*read)(void *, const char *, hc_secret_done *, void *))
{
    struct scene *s = scene_new("a.test");
    static char kid[] = "kid-1";
    static char path[] = "/etc/ca.key";

    s->issuer.eab_kid = kid;
    s->issuer.eab_key = path;
    s->secrets = (struct hc_secret_port){s, read, read, on_read_forget};
    s->ca.meta = "{\"externalAccountRequired\":true}";
    return s;
}

/* RFC 8555 section 7.3.4 */
static void an_account_is_bound_to_an_external_one(void)
{
    struct scene *s = scene_bound(on_read_at_once);
    struct rule *r = NULL;
    struct hc_error err;

    start(s, NULL);
    run(s);
    ok(issued(s), "a CA that wants it gets it");
    ok(strstr(s->ca.binding, "\"signature\"") != NULL, "in newAccount");
    ok(strstr(s->ca.text, "bound to kid-1") != NULL, "the log says to what");
    scene_free(s, "a bound account");

    s = scene_bound(on_read_asked);
    start(s, NULL);
    while (s->asked == NULL && event(s)) {
    }
    ok(s->asked != NULL && s->ca.new_accounts == 0, "nothing is sent before the key is there");
    while (event(s)) {
    }
    is_int(s->done, 0, "however long it takes");
    on_read_at_once(NULL, NULL, s->asked, s->asked_arg);
    s->asked = NULL;
    run(s);
    ok(issued(s), "and then it goes on");
    scene_free(s, "a key that takes its time");

    s = scene_bound(on_read_asked);
    start(s, NULL);
    while (s->asked == NULL && event(s)) {
    }
    scene_free(s, "an end while the key is being read");

    s = scene_bound(on_read_asked);
    start(s, NULL);
    while (s->asked == NULL && event(s)) {
    }
    hc_error_init(&err);
    hc_error_set(&err, HC_P_FILE_UNREADABLE, "/etc/ca.key", "it is gone");
    s->asked(s->asked_arg, (struct hc_bytes){NULL, 0}, &err);
    run(s);
    is_int(s->error.problem, HC_P_FILE_UNREADABLE, "a key that cannot be read");
    ok(s->ca_wide && s->ca.new_accounts == 0, "is no name's fault, and nothing was sent");
    scene_free(s, "no key");

    s = scene_bound(on_read_at_once);
    r = fake_rule(&s->ca, BASE "/acct", 403);
    r->type = "unauthorized";
    r->detail = "unknown key";
    start(s, NULL);
    run(s);
    is_int(s->error.problem, HC_P_EAB_REFUSED, "a binding that the CA refuses");
    ok(strstr(s->error.detail, "unknown key") != NULL && s->ca_wide, "in its words");
    scene_free(s, "a refused binding");
}

static void a_stored_order_may_be_dead(void)
{
    struct scene *s = scene_new("a.test");
    struct hc_order_state state = {strdup(BASE "/o/99"), NULL};

    if (hc_key_new(HC_KEY_ECDSA_256, &state.key, NULL) != 0) {
        abort();
    }
    start(s, &state);
    run(s);
    ok(issued(s), "a stored order that the CA does not know is placed again");
    ok(s->state.key != NULL && EVP_PKEY_eq(s->state.key, state.key) == 1, "with its key");
    scene_free(s, "an unknown stored order");

    s = scene_new("a.test");
    free(state.order_url);
    state.order_url = strdup("http://ca.test/o/0");
    start(s, &state);
    run(s);
    ok(issued(s), "a stored URL that is not followed leads to a new order");
    scene_free(s, "a stored URL of another kind");

    s = scene_new("a.test");
    s->ca.bad_name = "a.test";
    start(s, NULL);
    run(s);
    s->done = 0;
    s->name_count = 0;
    start(s, &s->state);
    run(s);
    is_int(s->error.problem, HC_P_CA_SAYS_ANSWER,
           "a stored order that became invalid is explained");
    ok(s->dead && s->name_count == 1, "and dead");
    scene_free(s, "an invalid stored order");
    free(state.order_url);
    EVP_PKEY_free(state.key);
}

static void what_fails_at_home_is_said(void)
{
    struct scene *s = scene_new("a.test");

    s->fail_store = HC_P_STORE_EMPTY;
    start(s, NULL);
    run(s);
    is_int(s->error.problem, HC_P_STORE_EMPTY, "an account that cannot be stored is not made");
    is_int(s->ca.new_accounts, 0, "really");
    scene_free(s, "no store for the account");

    s = scene_new("a.test");
    s->fail_persist = HC_P_STORE_EMPTY;
    start(s, NULL);
    run(s);
    is_int(s->error.problem, HC_P_STORE_EMPTY, "an order that cannot be stored ends");
    is_int(s->fake.presented, 0, "before anything is presented");
    scene_free(s, "no store for the order");

    s = scene_new("a.test b.test");
    s->fake.fail = HC_P_TABLE_FULL;
    start(s, NULL);
    run(s);
    is_int(s->error.problem, HC_P_TABLE_FULL, "an answer that cannot be presented ends it");
    ok(!s->dead, "but the order can be gone on with");
    scene_free(s, "no place for the answer");

    s = scene_new("a.test");
    s->fake.never_ready = true;
    start(s, NULL);
    run(s);
    ok(issued(s), "a server that never says that it has the answer is waited for, then not");
    ok(s->ca.now_ms >= 1010000, "ten seconds");
    ok(strstr(s->ca.text, "not every server") != NULL, "and that is said");
    scene_free(s, "a silent server");
}

static void terms_and_binding(void)
{
    struct scene *s = scene_new("a.test");

    s->ca.meta = "{\"externalAccountRequired\":true}";
    start(s, NULL);
    run(s);
    is_int(s->error.problem, HC_P_EAB_REQUIRED, "external account binding is asked for: said so");
    ok(s->ca_wide && strstr(s->error.detail, "externalAccountRequired") != NULL, "in words");
    is_int(s->ca.new_accounts, 0, "and nothing is sent");
    scene_free(s, "binding");

    s = scene_new("a.test");
    s->issuer.terms_agreed = 0;
    start(s, NULL);
    run(s);
    is_int(s->error.problem, HC_P_CA_SAYS_TERMS, "terms that are not agreed to: said so");
    ok(strstr(s->error.detail, "https://ca.test/terms") != NULL, "with their address");
    scene_free(s, "terms");

    s = scene_new("a.test");
    struct rule *r = fake_rule(&s->ca, "/acct", 400);
    r->type = "invalidContact";
    r->detail = "no such domain";
    start(s, NULL);
    run(s);
    is_int(s->error.problem, HC_P_CA_SAYS_CONTACT, "a contact that the CA does not take");
    ok(s->ca_wide, "concerns all orders");
    scene_free(s, "contact");
}

/* A pause is the names' affair: other hosts of the account go on. */
static void a_pause_is_of_the_names(void)
{
    struct scene *s = scene_new("a.test");
    struct rule *r = fake_rule(&s->ca, "/order", 429);

    r->type = "rateLimited";
    r->detail = "Please visit: https://ca.test/unpause?jwt=x.y.z";
    start(s, NULL);
    run(s);
    is_int(s->error.problem, HC_P_CA_PAUSED, "the account is paused for a name");
    ok(!s->ca_wide && s->dead, "which says nothing of others");
    scene_free(s, "a pause");
}

static void a_refused_account_is_told_apart(void)
{
    static const struct {
        const char *detail;
        enum hc_problem problem;
    } rows[] = {
        {"Account is not valid, has status \\\"deactivated\\\"", HC_P_ACCOUNT_DEACTIVATED},
        {"you may not", HC_P_ACCOUNT_REFUSED},
        {NULL, HC_P_CA_REPLY}, /* not even a document: something in front of the CA */
    };

    for (size_t i = 0; i < HC_COUNT(rows); i++) {
        struct scene *s = scene_new("a.test");
        struct rule *r = fake_rule(&s->ca, "/order", 403);

        r->type = rows[i].detail != NULL ? "unauthorized" : NULL;
        r->detail = rows[i].detail;
        r->body = rows[i].detail != NULL ? NULL : "<html>";
        start(s, NULL);
        run(s);
        is_int(s->error.problem, rows[i].problem, hc_problem_row(rows[i].problem)->slug);
        ok(s->ca_wide, "holds for all orders");
        scene_free(s, "a refused account");
    }
}

static void contacts_follow_the_configuration(void)
{
    struct scene *s = scene_new("a.test");

    if (hc_list_add(&s->contacts, "mailto:one@a.test", NULL) != 0) {
        abort();
    }
    start(s, NULL);
    run(s);
    ok(issued(s) && s->ca.contacts == NULL, "a new account has its contacts from the start");
    hc_acme_free(s->acme);
    hc_list_dispose(&s->contacts);
    if (hc_list_add(&s->contacts, "mailto:two@a.test", NULL) != 0) {
        abort();
    }
    scene_acme(s);
    s->done = 0;
    start(s, NULL);
    run(s);
    ok(issued(s), "the next process orders");
    is_str(s->ca.contacts, "[\"mailto:two@a.test\"]", "and tells the CA who is to be told now");
    is_int(s->ca.new_accounts, 1, "of the same account");
    fake_rule(&s->ca, "/a/", 400)->type = "invalidContact";
    hc_acme_free(s->acme);
    scene_acme(s);
    s->done = 0;
    start(s, NULL);
    run(s);
    ok(issued(s), "contacts that the CA refuses stop no order");
    ok(strstr(s->ca.text, "keeps the old contacts") != NULL, "and that is said");
    scene_free(s, "contacts");
}

static void wildcards_need_another_challenge(void)
{
    struct scene *s = scene_new("*.a.test a.test");

    start(s, NULL);
    run(s);
    is_int(s->error.problem, HC_P_NO_CHALLENGE, "a wildcard has no http-01");
    is_str(s->error.subject, "*.a.test", "and is named");
    is_int(s->name_count, 1, "the other name is not");
    scene_free(s, "wildcard");
}

/* ---- a solver that takes its time ---- */

static int slow_answer(void *self HC_UNUSED, const struct hc_challenge_case *c,
                       struct hc_answer *answer, struct hc_error *err)
{
    return hc_answer_copy(
        answer, &(struct hc_answer){HC_ANSWER_TXT, c->name, "_x.a.test", "v", INT64_MAX, NULL},
        err);
}

static void slow_present(void *self, const struct hc_answer *answer HC_UNUSED, hc_solver_done *say,
                         void *arg)
{
    struct slow_solver *slow = self;

    for (size_t i = 0; i < FAKE_NAMES; i++) {
        if (slow->done[i] == NULL) {
            slow->done[i] = say;
            slow->arg[i] = arg;
            return;
        }
    }
    abort();
}

static int slow_ready(void *self, const struct hc_answer *answer HC_UNUSED, struct hc_error *err)
{
    if (((struct slow_solver *)self)->hidden) {
        hc_error_set(err, HC_P_TIMED_OUT, "a.test", "another one is shown");
    }
    return 0;
}

static void slow_withdraw(void *self, const struct hc_answer *answer HC_UNUSED,
                          hc_solver_done *say HC_UNUSED, void *arg HC_UNUSED)
{
    ((struct slow_solver *)self)->withdrawn++;
}

static void slow_leave(void *self, const struct hc_answer *answer HC_UNUSED)
{
    ((struct slow_solver *)self)->left++;
}

static void slow_cancel(void *self, void *arg)
{
    struct slow_solver *slow = self;

    for (size_t i = 0; i < FAKE_NAMES; i++) {
        if (slow->arg[i] == arg) {
            slow->done[i] = NULL;
        }
    }
}

static char slow_method[] = "dns-01";
static char *both_methods[] = {slow_method, fake_method};

static struct scene *slow_scene(bool strict)
{
    struct scene *s = scene_new("a.test");

    s->slow.solver = (struct hc_solver){.type = slow_method,
                                        .self = &s->slow,
                                        .supports = fake_supports,
                                        .answer = slow_answer,
                                        .present = slow_present,
                                        .ready = slow_ready,
                                        .withdraw = slow_withdraw,
                                        .leave = slow_leave,
                                        .cancel = slow_cancel,
                                        .patience_ms = 120000,
                                        .strict = strict};
    s->slow.set[0] = s->slow.solver;
    s->slow.set[1] = s->fake.solver;
    s->slow_set = (struct hc_solver_set){s->slow.set, 2};
    s->slow.methods = (struct hc_list){both_methods, 2, 2};
    start(s, NULL);
    while (s->slow.done[0] == NULL && event(s)) {
    }
    return s;
}

static void say(struct scene *s, const struct hc_error *err)
{
    hc_solver_done *told = s->slow.done[0];

    s->slow.done[0] = NULL;
    told(s->slow.arg[0], err);
}

static void a_solver_may_take_minutes(void)
{
    struct scene *s = slow_scene(false);
    int64_t before = s->ca.now_ms;

    ok(s->slow.done[0] != NULL && !event(s), "nothing happens until it says how it went");
    s->ca.now_ms += 300000;
    ok(s->done == 0, "five minutes later");
    say(s, NULL);
    run(s);
    ok(issued(s), "the order goes on and ends well");
    ok(s->ca.now_ms - before > 420000, "its patience counts from then");
    is_str(s->tried, "dns-01 worked", "the method is remembered");
    is_int(s->slow.withdrawn, 1, "its answer is withdrawn");
    scene_free(s, "a slow solver");

    s = slow_scene(true);
    say(s, NULL);
    run(s);
    is_int(s->error.problem, HC_P_TIMED_OUT, "a strict one is never ready: that is an end");
    is_str(s->tried, "dns-01 failed", "of the method");
    ok(!s->ca_wide, "and says nothing of the CA");
    is_int(s->slow.withdrawn, 1, "its answer is withdrawn as well");
    scene_free(s, "a strict solver");

    s = slow_scene(false);
    s->slow.hidden = true;
    say(s, NULL);
    run(s);
    ok(s->error.problem == HC_P_TIMED_OUT && strcmp(s->error.detail, "another one is shown") == 0,
       "nor is the CA told where it would find nothing");
    ok(!s->ca_wide, "which says nothing of the CA");
    scene_free(s, "a solver whose answer is not shown");
}

static void a_method_that_fails_gives_way(void)
{
    struct scene *s = slow_scene(false);
    struct hc_error err;

    hc_error_init(&err);
    hc_error_set(&err, HC_P_STORE_WRITE, "zone", NULL);
    say(s, &err);
    run(s);
    ok(s->done == 1 && s->error.problem == HC_P_STORE_WRITE, "its reason is the order's");
    is_int(s->slow.withdrawn, 0, "there is nothing to withdraw");
    s->done = 0;
    hc_error_init(&s->error);
    start(s, NULL);
    run(s);
    ok(issued(s), "the next order ends well");
    is_str(s->tried, "http-01 worked", "by the next method");
    scene_free(s, "a method that fails");
}

static void an_order_may_end_while_it_is_presented(void)
{
    struct scene *s = slow_scene(false);

    hc_order_free(s->order);
    s->order = NULL;
    is_int(s->slow.withdrawn, 1, "an order that is dropped withdraws what is not there yet");
    scene_free(s, "dropped");

    s = slow_scene(false);
    hc_order_leave(s->order);
    s->order = NULL;
    ok(s->slow.left == 1 && s->slow.withdrawn == 0, "one that is left leaves it");
    ok(s->slow.done[0] == NULL, "and is told of it no more");
    scene_free(s, "left");
}

int main(void)
{
    a_certificate_is_obtained();
    an_address_is_ordered_with_its_profile();
    hosts_ask_for_a_profile();
    a_profile_is_refused();
    an_order_says_what_it_replaces();
    what_is_valid_already_is_not_done_again();
    nonces_are_retried();
    passing_faults_are_got_over();
    lasting_faults_are_the_cas();
    rate_limits_tell_whom_they_mean();
    waits_as_long_as_the_ca_asks();
    answers_stay_while_the_ca_validates();
    answers_go_with_an_order_that_is_over();
    each_bad_name_is_named();
    an_invalid_order_is_explained();
    odd_states_are_lived_with();
    foreign_urls_are_not_followed();
    nonsense_is_refused();
    a_chain_is_judged_by_its_content();
    an_order_without_authorizations_goes_on();
    a_directory_that_moved_is_followed_at_its_server_only();
    a_lost_account_is_made_again();
    a_lost_order_is_placed_again();
    an_order_is_resumed_at_any_event();
    an_account_is_bound_to_an_external_one();
    a_stored_order_may_be_dead();
    what_fails_at_home_is_said();
    terms_and_binding();
    a_pause_is_of_the_names();
    a_refused_account_is_told_apart();
    contacts_follow_the_configuration();
    wildcards_need_another_challenge();
    a_solver_may_take_minutes();
    a_method_that_fails_gives_way();
    an_order_may_end_while_it_is_presented();
    return done();
}
