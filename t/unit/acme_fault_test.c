/* Orders through a proxy that breaks what a real CA says: faults as they are on the wire. */
#include "acme_owner.h"

struct proxy {
    pid_t pid;
    int port;
    char rules[96];
    char used[96];
    char log[96];
};

static void proxy_start(struct proxy *x, const struct pebble *p)
{
    char port_file[96];
    char upstream[32];
    char cert[96];
    char key[96];
    FILE *f = NULL;

    snprintf(x->rules, sizeof(x->rules), "%s/rules", p->dir);
    snprintf(x->used, sizeof(x->used), "%s/rules.used", p->dir);
    snprintf(x->log, sizeof(x->log), "%s/proxy.log", p->dir);
    snprintf(port_file, sizeof(port_file), "%s/port", p->dir);
    snprintf(upstream, sizeof(upstream), "127.0.0.1:%d", p->port);
    snprintf(cert, sizeof(cert), "%s/ca.pem", p->dir);
    snprintf(key, sizeof(key), "%s/ca.key", p->dir);
    fflush(stdout);
    x->pid = fork();
    if (x->pid == 0) {
        if (freopen("/dev/null", "w", stdout) == NULL) {
            _exit(126);
        }
        execlp("perl", "perl", "t/lib/faultca.pl", "--upstream", upstream, "--cert", cert, "--key",
               key, "--rules", x->rules, "--log", x->log, "--port-file", port_file, (char *)NULL);
        _exit(127);
    }
    for (int i = 0; i < 500 && (f = fopen(port_file, "r")) == NULL; i++) {
        usleep(20000);
    }
    if (f == NULL || fscanf(f, "%d", &x->port) != 1) {
        printf("Bail out! the proxy does not start\n");
        exit(1);
    }
    fclose(f);
}

static void proxy_stop(struct proxy *x)
{
    kill(x->pid, SIGTERM);
    waitpid(x->pid, NULL, 0);
}

static void proxy_rules(const struct proxy *x, const char *text)
{
    FILE *f = fopen(x->rules, "w");

    if (f == NULL || fputs(text, f) < 0 || fclose(f) != 0) {
        abort();
    }
    (void)unlink(x->used);
}

struct row {
    const char *what;
    const char *rules;
    enum hc_problem want; /* HC_P_NONE: a certificate */
    bool account;         /* with an account that is not registered yet */
    int least_s;
};

static const struct row rows[] = {
    {"429 with seconds", "1 /order-plz status 429 2\n", HC_P_NONE, false, 2},
    {"429 with a date", "1 /order-plz status 429 date:2\n", HC_P_NONE, false, 1},
    {"429 for an hour", "* /order-plz problem 429 rateLimited 3600 -- too many\n",
     HC_P_RATE_LIMITED, false, 0},
    {"429 until a date in an hour", "* /order-plz problem 429 rateLimited date:3600 -- too many\n",
     HC_P_RATE_LIMITED, false, 0},
    {"503 with Retry-After everywhere once",
     "1 /dir status 503 1\n1 /nonce-plz status 503 1\n1 /sign-me-up status 503 1\n"
     "1 /order-plz status 503 1\n1 /authZ status 503 1\n1 /chalZ status 503 1\n"
     "1 /finalize status 503 1\n1 /my-order status 503 1\n1 /certZ status 503 1\n",
     HC_P_NONE, true, 3},
    {"500 everywhere once",
     "1 /dir status 500\n1 /nonce-plz status 500\n1 /sign-me-up status 500\n"
     "1 /order-plz status 500\n1 /authZ status 500\n1 /chalZ status 500\n"
     "1 /finalize status 500\n1 /my-order status 500\n1 /certZ status 500\n",
     HC_P_NONE, true, 1},
    {"500 for good", "* . status 500\n", HC_P_CA_ERROR, false, 0},
    {"connections cut before everything",
     "1 /dir drop\n1 /nonce-plz drop\n1 /sign-me-up drop\n1 /order-plz drop\n1 /authZ drop\n"
     "1 /chalZ drop\n1 /finalize drop\n1 /my-order drop\n1 /certZ drop\n",
     HC_P_NONE, true, 0},
    {"replies lost",
     "1 /sign-me-up lose\n1 /order-plz lose\n1 /authZ lose\n1 /chalZ lose\n1 /finalize lose\n"
     "1 /my-order lose\n1 /certZ lose\n",
     HC_P_NONE, true, 0},
    {"replies cut in the middle of their bodies",
     "1 /dir cut\n1 /sign-me-up cut\n1 /order-plz cut\n1 /authZ cut\n1 /chalZ cut\n"
     "1 /finalize cut\n1 /my-order cut\n1 /certZ cut\n",
     HC_P_NONE, true, 0},
    {"a slow body", "1 /certZ slow 2\n", HC_P_NONE, false, 2},
    {"a huge body", "* /order-plz huge 3000000\n", HC_P_CA_REPLY, false, 0},
    {"a huge certificate", "* /certZ huge 400000\n", HC_P_CA_REPLY, false, 0},
    {"another content type", "* /certZ type text/html\n", HC_P_NONE, false, 0},
    {"http:// handed out", "* /order-plz http\n", HC_P_CA_URL, false, 0},
    {"an order said to be ready too early", "1 ^POST./order-plz json status ready\n", HC_P_NONE,
     false, 0},
    {"an order said to be pending after the finalization",
     "1 ^POST./finalize json status pending\n", HC_P_NONE, false, 0},
    {"finalize without Location", "* ^POST./finalize header Location\n", HC_P_NONE, false, 0},
    {"a lost account", "1 /order-plz account\n", HC_P_NONE, false, 0},
    {"a CAA refusal", "1 ^POST./order-plz problem 403 caa wire.test=caa -- CAA forbids\n",
     HC_P_CA_SAYS_CAA, false, 0},
    {"ten bad nonces", "10 ^POST./order-plz nonce\n", HC_P_NONE, false, 0},
};

static void run_row(struct owner *o, const struct pebble *p, const struct proxy *x,
                    const struct row *row)
{
    struct job j = {0};
    struct pebble through = *p;
    char text[2048];
    int64_t start = 0;

    if (row->account) {
        EVP_PKEY_free(o->account_key);
        o->account_key = NULL;
        o->account_url[0] = '\0';
    }
    snprintf(through.url, sizeof(through.url), "https://localhost:%d/dir", x->port);
    owner_open(o, &through);
    proxy_rules(x, row->rules);
    if (hc_list_add(&j.names, "wire.test", NULL) != 0) {
        abort();
    }
    start = hc_now_ms(&hc_clock_system);
    (void)run_many(o, &j, 1, 1);
    snprintf(text, sizeof(text), "%s: %s", row->what,
             row->want == HC_P_NONE ? "got over" : hc_problem_row(row->want)->slug);
    is_int(j.error.problem, row->want, text);
    ok(j.good == (row->want == HC_P_NONE) && j.done == 1, "with or without a certificate");
    ok(hc_now_ms(&hc_clock_system) - start >= row->least_s * 1000, "after the time asked for");
    if (row->want == HC_P_RATE_LIMITED) {
        ok(j.error.foreign.retry_after > 3590 && j.error.foreign.retry_after <= 3601,
           "which is handed on");
    }
    job_dispose(&j);
    owner_close(o);
}

int main(void)
{
    struct owner o = {0};
    struct proxy x;
    struct pebble p;

    if (pebble_missing()) {
        printf("1..0 # SKIP %s is not there (make deps)\n", pebble_program());
        return 0;
    }
    setenv("PEBBLE_VA_ALWAYS_VALID", "1", 1);
    setenv("PEBBLE_VA_NOSLEEP", "1", 1);
    setenv("PEBBLE_AUTHZREUSE", "0", 1);
    setenv("PEBBLE_WFE_NONCEREJECT", "0", 1);
    pebble_make(&p, 1);
    pebble_start(&p);
    proxy_start(&x, &p);
    for (size_t i = 0; i < HC_COUNT(rows); i++) {
        run_row(&o, &p, &x, &rows[i]);
    }
    owner_dispose(&o);
    proxy_stop(&x);
    pebble_dispose(&p);
    return done();
}
