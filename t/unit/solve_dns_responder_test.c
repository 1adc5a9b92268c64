/* The writer responder: the contract, with the answers of the test's own; names of others. */
#include "acme/solver.h"
#include "writer_contract.h"

#define MOST 16

/* What is laid out: by us, and by others. */
static struct {
    char key[256], value[256];
    int holders;
    bool others;
} laid_out[MOST];
static bool all_give = true;
static int refusals; /* so many gives fail */

static int find(const struct hc_answer *answer)
{
    for (int i = 0; i < MOST; i++) {
        if (strcmp(laid_out[i].key, answer->key) == 0 &&
            strcmp(laid_out[i].value, answer->value) == 0) {
            return i;
        }
    }
    return -1;
}

static int give(void *self HC_UNUSED, const struct hc_answer *answer, struct hc_error *err)
{
    int i = find(answer);

    if (refusals > 0) {
        refusals--;
        return hc_error_set(err, HC_P_STORE_WRITE, "the store", "it is full");
    }
    for (int k = 0; i < 0 && k < MOST; k++) {
        i = laid_out[k].key[0] == '\0' ? k : -1;
    }
    hc_copy(laid_out[i].key, 256, answer->key);
    hc_copy(laid_out[i].value, 256, answer->value);
    laid_out[i].holders++;
    return answer->kind == HC_ANSWER_TXT ? 0 : -1;
}

static bool given(void *self HC_UNUSED, const struct hc_answer *answer)
{
    return all_give && find(answer) >= 0;
}

/* Who takes back the last of his own takes it away from the others as well. */
static void take_back(void *self HC_UNUSED, const struct hc_answer *answer)
{
    int i = find(answer);

    if (i >= 0 && laid_out[i].holders > 0 && --laid_out[i].holders == 0) {
        memset(&laid_out[i], 0, sizeof(laid_out[i]));
    }
}

static void leave(void *self HC_UNUSED, const struct hc_answer *answer HC_UNUSED)
{
}

static const struct hc_answer_port port = {
    .give = give, .given = given, .take_back = take_back, .leave = leave};

static bool stands(struct writer_world *w HC_UNUSED, const char *name, const char *value)
{
    const struct hc_answer answer = {.key = name, .value = value};

    return find(&answer) >= 0;
}

static void others_have(int i, const char *key, const char *value)
{
    hc_copy(laid_out[i].key, 256, key);
    hc_copy(laid_out[i].value, 256, value);
    laid_out[i].others = true;
}

static const struct writer_foreign foreign[] = {
    {"a.test.acme.test", "of another server"}, {"acme.test", "v=spf1 -all"}, {NULL, NULL}};

static void begin(struct writer_world *w)
{
    static char zone[] = "acme.test";
    const char *lines[] = {"type responder", NULL};

    memset(w, 0, sizeof(*w));
    memset(laid_out, 0, sizeof(laid_out));
    all_give = true;
    others_have(0, foreign[0].name, foreign[0].value);
    others_have(1, foreign[1].name, foreign[1].value);
    /* writer_world_init() finishes the configuration, which wants the zone */
    writer_world_init_with(w, lines, "hotcert_dns_zone", zone);
    w->env.answers = &port;
    w->zone = zone;
    w->name = "a.test.acme.test";
    w->other = "b.test.acme.test";
    w->foreign = foreign;
    w->stands = stands;
    writer_world_open(w);
}

static void test_names(struct writer_world *w)
{
    struct hc_txt_value v = writer_value(w, "_acme-challenge.c.test", "x");
    int done = w->done;

    v.alias = v.name;
    v.domain = "c.test";
    w->writer.change(w->writer.self, HC_WRITER_ADD, &v, writer_done, w);
    is_int(w->done, done + 1, "a name outside of the zone");
    is_int(w->error.problem, HC_P_DNS_WRITE, "is not written");
    ok(strstr(w->error.detail, "_acme-challenge.c.test. 300 IN CNAME c.test.acme.test.") != NULL,
       "and the record to add is told");
}

static void test_others(struct writer_world *w)
{
    int64_t start = hc_now_ms(&hc_clock_system);

    all_give = false;
    ok(WRITER_ADD(w, w->name, "slow"), "a server that does not give it");
    ok(hc_now_ms(&hc_clock_system) - start >= 9000, "is waited for, and not for ever");
    ok(strstr(w->log, "not every server on the store gives") != NULL, "which is told");
    all_give = true;
    ok(WRITER_REMOVE(w, w->name, "slow") && !stands(w, w->name, "slow"), "it goes as well");
    ok(WRITER_REMOVE(w, w->name, foreign[0].value) && !stands(w, w->name, foreign[0].value),
       "what an agent left that died is removed when that is asked");
    refusals = 1;
    ok(!WRITER_ADD(w, w->name, "y"), "a store that takes nothing");
    is_int(w->error.problem, HC_P_STORE_WRITE, "is told");
    ok(!stands(w, w->name, "y"), "and nothing stands");
}

int main(void)
{
    struct writer_world w;

    begin(&w);
    writer_contract(&w);
    test_names(&w);
    test_others(&w);
    writer_world_end(&w);
    return done();
}
