/* dns-persist-01; see dns_persist01.h. */
#include "solve/dns_persist01.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include "acme/json.h"
#include "conf/method.h"
#include "conf/name.h"
#include "dns/issue_value.h"
#include "dns/persist.h"
#include "dns/place.h"

#define TYPE        "dns-persist-01"
#define ISSUERS_MAX 10    /* that a challenge may name */
#define LOCATE_MS   10000 /* for where the record is, and whose servers have it */
#define LIFE_S      3600

struct solver;

/* One answer whose record is looked for. */
struct search {
    LIST_ENTRY(search) link;
    struct solver *solver;
    struct hc_dns_slot_owner owner;
    struct hc_answer answer; /* a copy */
    struct hc_dns_place place;
    struct hc_dns_slot slot;
    hc_solver_done *done; /* NULL: cancelled */
    void *arg;
};

struct solver {
    struct hc_solver_env env;
    LIST_HEAD(, search) searches;
};

static bool supports(void *self HC_UNUSED, const char *name)
{
    return hc_method_takes(hc_method_find(TYPE), name);
}

/* ---- the answer: the record, as it would be made ---- */

/* The names of the CA, any of which may stand in the record. */
static const json_t *issuers_of(const struct hc_challenge_case *c)
{
    const json_t *names =
        c->object != NULL ? json_object_get(c->object, "issuer-domain-names") : NULL;
    size_t count = json_array_size(names);

    for (size_t i = 0; i < count; i++) {
        const char *name = json_string_value(json_array_get(names, i));
        char normal[HC_NAME_SIZE];

        if (name == NULL || hc_name_normalise(name, normal, NULL) != 0) {
            return NULL;
        }
    }
    return count > 0 && count <= ISSUERS_MAX ? names : NULL;
}

static int check_challenge(const struct hc_challenge_case *c, struct hc_error *err)
{
    const char *uri = c->object != NULL ? hc_json_text(c->object, "accounturi") : NULL;

    if (issuers_of(c) == NULL) {
        return hc_error_set(err, HC_P_CA_REPLY, c->name,
                            "its " TYPE " challenge does not say which names the CA has in DNS");
    }
    if (c->account_url == NULL) {
        return hc_error_set(err, HC_P_INTERNAL, c->name, "the account's URL is not known");
    }
    if (uri != NULL && strcmp(uri, c->account_url) != 0) {
        return hc_error_set(err, HC_P_CA_REPLY, c->name,
                            "its " TYPE " challenge is for another account: %s", uri);
    }
    return 0;
}

static int make_answer(void *self, const struct hc_challenge_case *c, struct hc_answer *answer,
                       struct hc_error *err)
{
    const struct solver *solver = self;
    bool wildcard = hc_name_is_wildcard(c->name);
    struct hc_persist_record record = {.account_uri = c->account_url, .wildcard = wildcard};
    struct hc_buf text = HC_BUF_INIT(HC_PERSIST_TEXT_MAX);
    struct hc_answer made = {.kind = HC_ANSWER_TXT, .name = c->name};
    char key[HC_ANSWER_KEY_MAX];
    int n = snprintf(key, sizeof(key), HC_PERSIST_LABEL ".%s", c->name + (wildcard ? 2 : 0));
    int rc = -1;

    if (n >= HC_NAME_SIZE) {
        return hc_error_set(err, HC_P_NAME_INVALID, c->name,
                            "with the label of " TYPE " in front it is too long");
    }
    if (check_challenge(c, err) != 0) {
        return -1;
    }
    record.issuer = json_string_value(json_array_get(issuers_of(c), 0));
    if (hc_persist_format(&record, &text, err) == 0) {
        made.key = key;
        made.value = hc_buf_text(&text);
        made.expires = hc_now(solver->env.clock) + LIFE_S;
        rc = hc_answer_copy(answer, &made, err);
    }
    hc_buf_dispose(&text);
    return rc;
}

/* ---- the search ---- */

static void search_free(struct search *search)
{
    LIST_REMOVE(search, link);
    hc_dns_place_dispose(&search->place);
    hc_dns_slot_dispose(&search->slot);
    hc_answer_dispose(&search->answer);
    free(search);
}

/* The search is over, and gone. */
static void end(struct search *search, const struct hc_error *err)
{
    hc_solver_done *done = search->done;
    void *arg = search->arg;

    search_free(search);
    if (done != NULL) {
        done(arg, err);
    }
}

/* What a record of ours says of itself. */
struct wanted {
    char issuer[HC_NAME_SIZE];
    char account[HC_PERSIST_TEXT_MAX];
    bool wildcard;
};

static void take(char *dst, size_t cap, struct hc_slice from)
{
    size_t len = from.len < cap ? from.len : cap - 1;

    memcpy(dst, from.at, len);
    dst[len] = '\0';
}

static bool note_parameter(void *arg, struct hc_slice tag, struct hc_slice value, bool twice)
{
    struct wanted *wanted = arg;

    if (hc_slice_is_tag(tag, "accounturi")) {
        take(wanted->account, sizeof(wanted->account), value);
    }
    return !twice;
}

static void read_wanted(const struct hc_answer *answer, struct wanted *wanted)
{
    struct hc_slice text = {answer->value, strlen(answer->value)};
    struct hc_slice domain = {answer->value, 0};

    *wanted = (struct wanted){.wildcard = hc_name_is_wildcard(answer->name)};
    if (hc_issue_value_read(text, &domain, note_parameter, wanted)) {
        take(wanted->issuer, sizeof(wanted->issuer), domain);
    }
}

static int judge(const struct search *search, struct hc_error *err)
{
    const struct hc_answer *answer = &search->answer;
    struct wanted wanted;
    struct hc_persist_verdict verdict = {0};
    struct hc_persist_verdict any = {0};
    char *name = wanted.issuer;
    struct hc_list issuers = {&name, 1, 0};
    struct hc_list all = {NULL, 0, 0};
    struct hc_persist_asker who = {.issuers = &all, .account_uri = wanted.account};

    read_wanted(answer, &wanted);
    who.wildcard = wanted.wildcard;
    who.now = hc_now(search->solver->env.clock);
    /* the account says whose record it is, whichever of its names the CA goes by there */
    if (hc_persist_judge_reply(&any, &search->slot.reply, &search->place.name, &who, err) != 0) {
        return -1;
    }
    if (any.reason == HC_PERSIST_RIGHT) {
        return 0;
    }
    who.issuers = &issuers;
    if (hc_persist_judge_reply(&verdict, &search->slot.reply, &search->place.name, &who, err) !=
        0) {
        return -1;
    }
    return hc_error_set(err, hc_persist_problem(verdict.reason), answer->name,
                        "add: %s TXT \"%.1000s\"", answer->key, answer->value);
}

/* The zone's servers said what is there, or nobody can be asked. */
static void conclude(struct search *search)
{
    struct hc_error err;
    bool answered =
        search->slot.state == HC_DNS_SLOT_REPLY &&
        (search->slot.reply.rcode == HC_DNS_NOERROR || search->slot.reply.rcode == HC_DNS_NXDOMAIN);

    hc_error_init(&err);
    end(search, answered && judge(search, &err) != 0 ? &err : NULL);
}

static void ask(struct search *search)
{
    const struct hc_zone *zone = &search->place.zone;
    const struct hc_clock *clock = search->solver->env.clock;
    struct hc_dns_ask question = {
        .question = {.name = search->place.name, .type = HC_DNS_TXT},
        .servers = zone->servers,
        .server_count = zone->server_count,
        .deadline_ms = hc_now_ms(clock) + HC_ZONE_ASK_MS,
    };

    hc_dns_slot_ask(&search->slot, &search->owner, &question);
}

static void go_on(void *self)
{
    struct search *search = self;

    while (hc_dns_place_step(&search->place, &search->owner)) {
    }
    if (!hc_dns_place_settled(&search->place)) {
        return;
    }
    if (search->place.state == HC_PLACE_FAILED || search->place.zone.state != HC_ZONE_READY) {
        end(search, NULL);
        return;
    }
    if (search->slot.state == HC_DNS_SLOT_IDLE) {
        ask(search);
    }
    if (hc_dns_slot_settled(&search->slot)) {
        conclude(search);
    }
}

/* ---- the solver ---- */

static void present(void *self, const struct hc_answer *answer, hc_solver_done *done, void *arg)
{
    struct solver *solver = self;
    struct search *search = NULL;
    struct hc_dname name;
    struct hc_error err;

    hc_error_init(&err);
    if (solver->env.dns == NULL) {
        done(arg, NULL);
        return;
    }
    search = calloc(1, sizeof(*search));
    if (search == NULL) {
        (void)hc_error_nomem(&err);
        done(arg, &err);
        return;
    }
    if (hc_answer_copy(&search->answer, answer, &err) != 0 ||
        hc_dname_from_host(answer->key, &name, &err) != 0) {
        hc_answer_dispose(&search->answer);
        free(search);
        done(arg, &err);
        return;
    }
    search->solver = solver;
    search->owner = (struct hc_dns_slot_owner){solver->env.dns, go_on, search};
    search->done = done;
    search->arg = arg;
    LIST_INSERT_HEAD(&solver->searches, search, link);
    hc_dns_place_begin(&search->place, &search->owner, &name,
                       hc_now_ms(solver->env.clock) + LOCATE_MS);
    go_on(search);
}

/* It stands in every place there is. */
static int ready(void *self HC_UNUSED, const struct hc_answer *answer HC_UNUSED,
                 struct hc_error *err HC_UNUSED)
{
    return 1;
}

/* Nothing was laid out. Orders may hold equal answers: whose search it is, only cancel() knows. */
static void withdraw(void *self HC_UNUSED, const struct hc_answer *answer HC_UNUSED,
                     hc_solver_done *done, void *arg)
{
    if (done != NULL) {
        done(arg, NULL);
    }
}

static void leave(void *self HC_UNUSED, const struct hc_answer *answer HC_UNUSED)
{
}

static void cancel(void *self, void *arg)
{
    struct solver *solver = self;
    struct search *search = NULL;

    LIST_FOREACH(search, &solver->searches, link)
    {
        if (search->arg == arg) {
            search->done = NULL;
        }
    }
}

static void close_solver(void *self)
{
    struct solver *solver = self;

    while (!LIST_EMPTY(&solver->searches)) {
        search_free(LIST_FIRST(&solver->searches));
    }
    free(solver);
}

int hc_dns_persist01_open(const struct hc_solver_env *env, struct hc_solver *out,
                          struct hc_error *err)
{
    struct solver *self = calloc(1, sizeof(*self));

    if (self == NULL) {
        return hc_error_nomem(err);
    }
    self->env = *env;
    LIST_INIT(&self->searches);
    *out = (struct hc_solver){
        .type = TYPE,
        .self = self,
        .supports = supports,
        .answer = make_answer,
        .present = present,
        .ready = ready,
        .withdraw = withdraw,
        .leave = leave,
        .cancel = cancel,
        .close = close_solver,
    };
    return 0;
}
