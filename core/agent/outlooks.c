/* The outlook of names; see outlooks.h. */
#include "agent/outlooks.h"

#include <openssl/crypto.h>
#include <stdlib.h>
#include <string.h>

#include "agent/refusals.h"
#include "agent/said.h"
#include "preflight/leaveout.h"
#include "preflight/refusal.h"
#include "store/record.h"

#define LOOK_VALID_S 300 /* a look older than this is made anew before an order */
/*
 * While a CA fails, looks outlive the longest time between two orders that ask for all. Else an
 * order that needs no look, since it is placed already, would be faster each time.
 */
#define LOOK_VALID_FAILING_S 2400
#define TOKEN_BYTES          32
#define TOKEN_LIFE_S         60

/* A look that is under way. */
struct look {
    struct outlook *outlook;
    struct hc_preflight *preflight;
    struct hc_answer own; /* given; a copy, or zeroed */
};

/* What is thought of the names of one identity (under `on`). */
struct outlook {
    struct hc_outlooks *all;
    struct look *look; /* NULL: none is under way */
    struct hc_leaveout state;
    hc_said stored; /* what its record says; 0: there is none */
    struct hc_leaveout_plan plan;
    bool planned;
    int64_t looked_at; /* UTC: the latest look that came to its end */
    struct hc_ca *looked_for;
    struct hc_refusals refused; /* by the CA, since the latest look */
    hc_said said_plan;
    hc_said said_findings;
};

struct hc_outlooks {
    struct hc_outlooks_options o;
    struct outlook *items; /* as conf->identities */
    size_t looking;        /* looks that are under way */
    int64_t looks_at;      /* UTC: the next look at names left out; 0: to be found */
};

static size_t index_of(const struct outlook *outlook)
{
    return (size_t)(outlook - outlook->all->items);
}

static const struct hc_identity *identity_of(const struct outlook *outlook)
{
    return &outlook->all->o.env->conf->identities[index_of(outlook)];
}

/* Of its record. */
static const char *name_of(const struct outlook *outlook, char name[2 * HC_ID_SIZE + 1])
{
    hc_hex(name, identity_of(outlook)->id, HC_ID_SIZE);
    return name;
}

static void free_look(struct look *look)
{
    hc_preflight_free(look->preflight);
    if (look->own.memory != NULL) {
        hc_answers_take_back(look->outlook->all->o.answers, &look->own);
        hc_answer_dispose(&look->own);
    }
    free(look);
}

static void end_look(struct outlook *outlook)
{
    struct look *look = outlook->look;

    if (look != NULL) {
        outlook->look = NULL;
        outlook->all->looking--;
        free_look(look);
    }
}

/* ---- what is remembered ---- */

static void load_one(struct outlook *outlook)
{
    const struct hc_outlooks_options *o = &outlook->all->o;
    char name[2 * HC_ID_SIZE + 1];
    struct hc_buf text = HC_BUF_INIT_SECRET(HC_LEAVEOUT_MAX);
    struct hc_error err;

    hc_error_init(&err);
    hc_leaveout_dispose(&outlook->state);
    outlook->stored = 0;
    if (hc_store_get(hc_storage_store(o->storage), "names", name_of(outlook, name), &text, &err) ==
        0) {
        outlook->stored = hc_text_hash(hc_buf_text(&text));
    }
    if (outlook->stored == 0 ||
        hc_leaveout_decode(hc_buf_text(&text), text.len, &outlook->state, &err) != 0) {
        if (err.problem != HC_P_STORE_EMPTY) {
            hc_log_error(o->env->log, HC_LOG_WARN,
                         "saved preflight results are unreadable; starting fresh", &err);
        }
    }
    hc_leaveout_keep(&outlook->state, &identity_of(outlook)->names);
    hc_leaveout_pull_back(&outlook->state, hc_env_now(o->env));
    hc_buf_dispose(&text);
}

/* The store has what a plan could depend on, and no file at all for names that are well. */
static void store_one(struct outlook *outlook)
{
    const struct hc_outlooks_options *o = &outlook->all->o;
    struct hc_store *store = hc_storage_store(o->storage);
    char name[2 * HC_ID_SIZE + 1];
    struct hc_buf text = HC_BUF_INIT(HC_LEAVEOUT_MAX);
    bool plain = hc_leaveout_is_plain(&outlook->state);
    struct hc_error err;
    hc_said now = 0;
    int rc = 0;

    hc_error_init(&err);
    if (!plain) {
        rc = hc_leaveout_encode(&outlook->state, &text, &err);
        now = rc == 0 ? hc_text_hash(hc_buf_text(&text)) : 0;
    }
    if (rc == 0 && now != outlook->stored && store != NULL) {
        rc = plain ? hc_store_delete(store, "names", name_of(outlook, name), &err)
                   : hc_store_put(store, "names", name_of(outlook, name), hc_bytes_of(&text), &err);
        outlook->stored = rc == 0 ? now : outlook->stored;
    }
    if (rc != 0) {
        hc_storage_failed(o->storage, &err);
    }
    hc_buf_dispose(&text);
}

/* ---- the plan ---- */

/* Says once what is left out, and that nothing is any more. */
static void say_plan(struct outlook *outlook)
{
    const struct hc_outlooks_options *o = &outlook->all->o;
    char text[HC_LOG_LINE];
    char left_out[HC_LOG_LINE];
    bool odd = outlook->plan.left_out.count > 0 || outlook->plan.kind == HC_LEAVEOUT_HOLD;
    bool changed = false;

    /* what is said changes with what is left out, not with every next trial */
    snprintf(left_out, sizeof(left_out), "%d %s", (int)outlook->plan.hold,
             hc_list_format(&outlook->plan.left_out, text, sizeof(text)));
    changed = hc_text_hash(left_out) != outlook->said_plan;
    if (odd && changed) {
        hc_leaveout_describe(&outlook->state, &outlook->plan, text, sizeof(text));
        hc_logf(o->env->log, HC_LOG_ERROR, "%s", text);
        outlook->said_plan = hc_text_hash(left_out);
    } else if (!odd && outlook->said_plan != 0) {
        hc_logf(o->env->log, HC_LOG_NOTICE, "%s: ordering all names again",
                hc_identity_subject(identity_of(outlook), text));
        outlook->said_plan = 0;
    }
}

static void plan_one(struct outlook *outlook)
{
    const struct hc_outlooks_options *o = &outlook->all->o;
    const struct hc_line_info *info = hc_publisher_in_use(o->publisher, index_of(outlook));
    struct hc_leaveout_case c = {
        .names = &identity_of(outlook)->names,
        .mode = o->dns != NULL ? identity_of(outlook)->set->preflight : HC_PREFLIGHT_OFF,
        .policy = identity_of(outlook)->set->bad_names,
        .served = info != NULL ? &info->names : NULL,
        .not_before = info != NULL ? info->not_before : 0,
        .not_after = info != NULL ? info->not_after : 0,
        .now = hc_env_now(o->env),
        .look_every = o->env->conf->check_interval,
    };
    struct hc_error err;

    hc_error_init(&err);
    hc_leaveout_plan_dispose(&outlook->plan);
    outlook->planned = hc_leaveout_plan(&outlook->state, &c, &outlook->plan, &err) == 0;
    if (!outlook->planned) {
        hc_log_error(o->env->log, HC_LOG_ERROR, "deciding which names to order", &err);
        return;
    }
    if (outlook->plan.look > 0 && outlook->plan.look < outlook->all->looks_at) {
        outlook->all->looks_at = outlook->plan.look;
    }
    if (c.mode != HC_PREFLIGHT_OFF && outlook->state.count > 0) {
        say_plan(outlook);
    }
}

void hc_outlooks_plan(struct hc_outlooks *outlooks)
{
    for (size_t i = 0; i < outlooks->o.env->conf->identity_count; i++) {
        if (outlooks->o.env->conf->identities[i].mode == HC_MODE_ON &&
            (!outlooks->items[i].planned || outlooks->items[i].state.count > 0)) {
            plan_one(&outlooks->items[i]);
        }
    }
}

const struct hc_list *hc_outlook_order(const struct hc_outlooks *outlooks, size_t index)
{
    const struct outlook *outlook = &outlooks->items[index];

    return outlook->planned && outlook->plan.order.count > 0 ? &outlook->plan.order
                                                             : &identity_of(outlook)->names;
}

const struct hc_list *hc_outlook_left_out(const struct hc_outlooks *outlooks, size_t index)
{
    return &outlooks->items[index].plan.left_out;
}

bool hc_outlook_wants(const struct hc_outlooks *outlooks, size_t index, const struct hc_list *have)
{
    const struct outlook *outlook = &outlooks->items[index];

    if (!outlook->planned) {
        return true;
    }
    if (outlook->plan.kind == HC_LEAVEOUT_HOLD) {
        return false;
    }
    for (size_t i = 0; i < outlook->plan.order.count; i++) {
        if (!hc_list_has(have, outlook->plan.order.items[i])) {
            return true;
        }
    }
    return outlook->plan.kind == HC_LEAVEOUT_TRIAL;
}

/* ---- looking ---- */

bool hc_outlook_is_fresh(const struct hc_outlooks *outlooks, size_t index, const struct hc_ca *ca)
{
    const struct outlook *outlook = &outlooks->items[index];
    int64_t now = hc_env_now(outlooks->o.env);
    int64_t valid = ca != NULL && hc_ca_is_failing(ca) ? LOOK_VALID_FAILING_S : LOOK_VALID_S;

    if (outlooks->o.dns == NULL || identity_of(outlook)->set->preflight == HC_PREFLIGHT_OFF) {
        return true;
    }
    return outlook->looked_for == ca && outlook->looked_at <= now &&
           now - outlook->looked_at <= valid;
}

bool hc_outlook_holds(const struct hc_outlooks *outlooks, size_t index, const struct hc_ca *ca,
                      int64_t *until)
{
    const struct outlook *outlook = &outlooks->items[index];
    const struct hc_leaveout_plan *plan = &outlook->plan;
    int64_t now = hc_env_now(outlooks->o.env);
    /* names that are left out have looks of their own, more seldom the longer they are out */
    bool waits = outlook->looked_for == ca && outlook->looked_at > 0 && outlook->looked_at <= now &&
                 (plan->look == 0 || plan->look > now);

    *until = plan->until;
    return outlook->planned && plan->kind == HC_LEAVEOUT_HOLD &&
           (waits || hc_outlook_is_fresh(outlooks, index, ca));
}

bool hc_outlook_is_looking(const struct hc_outlooks *outlooks, size_t index)
{
    return outlooks->items[index].look != NULL;
}

const struct hc_ca *hc_outlook_looked_for(const struct hc_outlooks *outlooks, size_t index)
{
    return outlooks->items[index].looked_for;
}

size_t hc_outlooks_looking(const struct hc_outlooks *outlooks)
{
    return outlooks->looking;
}

void hc_outlook_forget(struct hc_outlooks *outlooks, size_t index)
{
    outlooks->items[index].looked_at = 0;
}

/* Findings of one look, as one number: what is said changes with them alone. */
static hc_said digest_of(const struct hc_preflight_result *result)
{
    hc_said said = 0;

    for (size_t i = 0; i < result->count; i++) {
        const struct hc_findings *findings = &result->names[i].findings;

        for (size_t k = 0; k < findings->count; k++) {
            said = said * 31 +
                   (hc_text_hash(result->names[i].name) ^ (uint64_t)findings->items[k].problem);
        }
    }
    return said;
}

/* What is seen of each name; beside the CA's words where it refused. */
static void say_findings(struct outlook *outlook, const struct hc_preflight_result *result)
{
    const struct hc_outlooks_options *o = &outlook->all->o;
    hc_said said = digest_of(result);
    struct hc_error words;
    char text[HC_LOG_LINE];

    for (size_t i = 0; i < result->count; i++) {
        const struct hc_preflight_name *name = &result->names[i];
        const struct hc_refused *refused = hc_refusals_find(&outlook->refused, name->name);

        if (refused != NULL) {
            hc_kept_error_get(&refused->said, &words);
            hc_logf(o->env->log, HC_LOG_ERROR, "%s: %s", name->name,
                    hc_refusal_describe(&words, name, text, sizeof(text)));
        } else if (said != outlook->said_findings) {
            hc_judge_say(o->env->log, name->name, NULL, &name->findings,
                         name->leave_out ? HC_LOG_ERROR : HC_LOG_WARN, HC_LOG_NOTICE);
        }
    }
    outlook->said_findings = said;
}

/* True if the look before this one found something against the name. */
static bool was_unwell(const struct outlook *outlook, const char *name)
{
    for (size_t i = 0; i < outlook->state.count; i++) {
        if (strcmp(outlook->state.names[i].name, name) == 0) {
            return outlook->state.names[i].seen != HC_LEAVEOUT_SEEN_WELL;
        }
    }
    return false;
}

static void on_looked(void *self, const struct hc_preflight_result *result)
{
    struct outlook *outlook = self;
    const struct hc_outlooks_options *o = &outlook->all->o;
    int64_t now = hc_env_now(o->env);
    struct hc_list mended = {NULL, 0, 0};
    struct hc_event ended = {.kind = HC_EVENT_LOOK_ENDED, .names = &mended};
    struct hc_error err;

    hc_error_init(&err);
    for (size_t i = 0; i < result->count; i++) {
        const struct hc_preflight_name *name = &result->names[i];

        if (hc_leaveout_seen_of(name) == HC_LEAVEOUT_SEEN_WELL && was_unwell(outlook, name->name) &&
            hc_list_add(&mended, name->name, &err) != 0) {
            hc_log_error(o->env->log, HC_LOG_ERROR, "storing the preflight results", &err);
        }
        if (hc_leaveout_look(&outlook->state, name->name, hc_leaveout_seen_of(name), name->cause,
                             now, o->env->conf->check_interval / 2, &err) != 0) {
            hc_log_error(o->env->log, HC_LOG_ERROR, "storing the preflight results", &err);
        }
    }
    say_findings(outlook, result);
    hc_refusals_dispose(&outlook->refused);
    outlook->looked_at = now;
    end_look(outlook);
    store_one(outlook);
    plan_one(outlook);
    ended.index = index_of(outlook);
    /* all well, as before: its jobs are in the queue, and nothing else depends on the look */
    ended.changed = mended.count > 0 || !hc_leaveout_is_plain(&outlook->state);
    hc_events_raise(o->env->events, &ended);
    hc_list_dispose(&mended);
}

/* A token of our own, answered by all servers on this store: what a CA would find over HTTP. */
static int present_token(struct look *look, struct hc_error *err)
{
    const struct hc_outlooks_options *o = &look->outlook->all->o;
    unsigned char bytes[TOKEN_BYTES];
    struct hc_buf text = HC_BUF_INIT(HC_TOKEN_MAX);
    char value[HC_KEYAUTH_MAX];
    struct hc_answer answer = {.kind = HC_ANSWER_HTTP, .name = "", .value = value};
    int rc = -1;

    if (o->env->random->bytes(o->env->random->self, bytes, sizeof(bytes)) != 0) {
        return hc_error_set(err, HC_P_SYSTEM, NULL, "no random bytes");
    }
    if (hc_base64url(bytes, sizeof(bytes), &text, err) != 0) {
        goto out;
    }
    (void)snprintf(value, sizeof(value), "%s.hotcert-preflight", hc_buf_text(&text));
    answer.key = hc_buf_text(&text);
    answer.expires = hc_env_now(o->env) + TOKEN_LIFE_S;
    if (hc_answer_copy(&look->own, &answer, err) != 0) {
        goto out;
    }
    rc = hc_answers_give_briefly(o->answers, &look->own, err);
    if (rc != 0) {
        hc_answer_dispose(&look->own);
    }
out:
    hc_buf_dispose(&text);
    return rc;
}

int hc_outlook_start(struct hc_outlooks *outlooks, size_t index, struct hc_ca *ca,
                     struct hc_error *err)
{
    const struct hc_outlooks_options *o = &outlooks->o;
    struct outlook *outlook = &outlooks->items[index];
    const struct hc_issuer *issuer = hc_ca_issuer(ca);
    struct look *look = NULL;
    struct hc_preflight_options options = {
        .names = &identity_of(outlook)->names,
        .caa_domains = hc_ca_caa_domains(ca),
        .methods = &identity_of(outlook)->set->challenges,
        .account_uri = hc_ca_account_url(ca),
        .network = issuer->network,
        .directory_url = issuer->directory_url,
        .http_port = issuer->http_port,
        .tls_port = issuer->tls_port,
        .web = o->web,
        .dns = o->dns,
        .loop = o->env->loop,
        .log = o->env->log,
        .self = outlook,
        .done = on_looked,
    };

    if (outlook->look != NULL) {
        return 0;
    }
    look = calloc(1, sizeof(*look));
    if (look == NULL) {
        return hc_error_nomem(err);
    }
    look->outlook = outlook;
    if (present_token(look, err) != 0) {
        free_look(look);
        return -1;
    }
    options.token = look->own.key;
    options.answer = look->own.value;
    if (hc_preflight_start(&options, &look->preflight, err) != 0) {
        free_look(look);
        return -1;
    }
    outlook->look = look;
    outlook->looked_for = ca;
    outlooks->looking++;
    return 0;
}

/* Looks at names that are left out when their time has come. */
static void look_again(struct hc_outlooks *outlooks, struct outlook *outlook)
{
    struct hc_ca *ca = outlook->looked_for != NULL
                           ? outlook->looked_for
                           : hc_cas_named(outlooks->o.cas, identity_of(outlook)->set->use.items[0]);
    struct hc_error err;

    hc_error_init(&err);
    if (ca != NULL && hc_outlook_start(outlooks, index_of(outlook), ca, &err) != 0) {
        hc_log_error(outlooks->o.env->log, HC_LOG_WARN, "checking names", &err);
        outlook->plan.look = hc_env_now(outlooks->o.env) + outlooks->o.env->conf->check_interval;
    }
}

/* Looks at all names that are left out and whose time has come; finds out when the next has. */
static void look_again_at_all(struct hc_outlooks *outlooks, int64_t now)
{
    outlooks->looks_at = INT64_MAX;
    for (size_t i = 0; i < outlooks->o.env->conf->identity_count; i++) {
        struct outlook *outlook = &outlooks->items[i];
        int64_t look = 0;

        if (outlook->look != NULL || !outlook->planned) {
            continue; /* at the end of a look the next one is planned */
        }
        if (outlook->plan.look > 0 && outlook->plan.look <= now &&
            hc_storage_ready(outlooks->o.storage) && outlooks->looking < HC_LOOKING_MOST) {
            look_again(outlooks, outlook);
        }
        look = outlook->look == NULL ? outlook->plan.look : 0;
        if (look > 0 && look < outlooks->looks_at) {
            outlooks->looks_at = look > now ? look : now + 1;
        }
    }
}

int64_t hc_outlooks_run(struct hc_outlooks *outlooks)
{
    int64_t now = hc_env_now(outlooks->o.env);

    if (outlooks->o.dns == NULL) {
        return -1;
    }
    if (now >= outlooks->looks_at) {
        look_again_at_all(outlooks, now);
    }
    return outlooks->looks_at < INT64_MAX ? (outlooks->looks_at - now) * 1000 : -1;
}

/* ---- what became of orders ---- */

void hc_outlook_ordered(struct hc_outlooks *outlooks, size_t index)
{
    struct outlook *outlook = &outlooks->items[index];

    outlook->looked_at = 0; /* every order has a look of its own */
    if (outlook->planned && outlook->state.count > 0) {
        hc_leaveout_ordered(&outlook->state, &outlook->plan, hc_env_now(outlooks->o.env));
        store_one(outlook);
    }
}

void hc_outlook_obtained(struct hc_outlooks *outlooks, size_t index, const struct hc_list *names)
{
    struct outlook *outlook = &outlooks->items[index];

    hc_leaveout_obtained(&outlook->state, names);
    store_one(outlook);
    plan_one(outlook);
}

void hc_outlook_refused(struct hc_outlooks *outlooks, size_t index, const char *name,
                        const struct hc_error *said)
{
    struct outlook *outlook = &outlooks->items[index];
    struct hc_error err;

    hc_error_init(&err);
    if (outlooks->o.dns == NULL || identity_of(outlook)->set->preflight == HC_PREFLIGHT_OFF) {
        return;
    }
    outlook->looked_at = 0;
    if (hc_leaveout_refused(&outlook->state, name, hc_refusal_problem(said),
                            hc_env_now(outlooks->o.env), &err) != 0 ||
        hc_refusals_add(&outlook->refused, name, said, &err) != 0) {
        hc_log_error(outlooks->o.env->log, HC_LOG_ERROR, "storing the CA's answer about a name",
                     &err);
    }
    store_one(outlook);
}

bool hc_outlook_compare(struct hc_outlooks *outlooks, size_t index, struct hc_ca *ca)
{
    struct hc_error err;

    hc_error_init(&err);
    if (outlooks->items[index].refused.count == 0) {
        return false;
    }
    if (hc_outlook_start(outlooks, index, ca, &err) != 0) {
        hc_log_error(outlooks->o.env->log, HC_LOG_WARN, "checking names", &err);
        hc_refusals_dispose(&outlooks->items[index].refused);
        return false;
    }
    return true;
}

/* ---- life ---- */

/* The clock was set back. */
static void begin_waits_anew(struct outlook *outlook)
{
    int64_t now = hc_env_now(outlook->all->o.env);

    hc_leaveout_pull_back(&outlook->state, now);
    if (outlook->looked_at > now) {
        outlook->looked_at = 0;
    }
}

static void on_event(void *self, const struct hc_event *event)
{
    struct hc_outlooks *outlooks = self;
    const struct hc_conf *conf = outlooks->o.env->conf;

    if (event->kind != HC_EVENT_STORE_OPENED && event->kind != HC_EVENT_STORE_CLOSING &&
        event->kind != HC_EVENT_CLOCK_SET) {
        return;
    }
    for (size_t i = 0; i < conf->identity_count; i++) {
        struct outlook *outlook = &outlooks->items[i];

        if (event->kind == HC_EVENT_STORE_OPENED && conf->identities[i].mode == HC_MODE_ON) {
            load_one(outlook);
        } else if (event->kind == HC_EVENT_STORE_CLOSING) {
            end_look(outlook);
            outlooks->looks_at = 0;
        } else if (event->kind == HC_EVENT_CLOCK_SET) {
            begin_waits_anew(outlook);
        }
    }
}

int hc_outlooks_new(const struct hc_outlooks_options *options, struct hc_outlooks **out,
                    struct hc_error *err)
{
    size_t count = options->env->conf->identity_count;
    struct hc_outlooks *outlooks = calloc(1, sizeof(*outlooks));

    if (outlooks == NULL) {
        return hc_error_nomem(err);
    }
    outlooks->o = *options;
    outlooks->items = calloc(count + 1, sizeof(*outlooks->items));
    if (outlooks->items == NULL) {
        hc_error_nomem(err);
        goto failed;
    }
    for (size_t i = 0; i < count; i++) {
        outlooks->items[i].all = outlooks;
    }
    if (hc_events_add(options->env->events, on_event, outlooks, err) != 0) {
        goto failed;
    }
    *out = outlooks;
    return 0;
failed:
    hc_outlooks_free(outlooks);
    return -1;
}

void hc_outlooks_free(struct hc_outlooks *outlooks)
{
    if (outlooks == NULL) {
        return;
    }
    hc_events_remove(outlooks->o.env->events, outlooks);
    for (size_t i = 0; outlooks->items != NULL && i < outlooks->o.env->conf->identity_count; i++) {
        struct outlook *outlook = &outlooks->items[i];

        end_look(outlook);
        hc_leaveout_dispose(&outlook->state);
        hc_leaveout_plan_dispose(&outlook->plan);
        /* the agent ends before the look that would have stood beside the CA's words */
        hc_refusals_tell(&outlook->refused, outlooks->o.env->log);
        hc_refusals_dispose(&outlook->refused);
    }
    free(outlooks->items);
    free(outlooks);
}
