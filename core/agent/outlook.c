/*
 * The outlook of an identity's names: the preflight before an order, which names are left out of it
 * and until when, and the looks that bring them back. preflight/preflight.h looks,
 * preflight/leaveout.h decides; here is when, for whom, and what is said.
 */
#include <openssl/crypto.h>
#include <stdlib.h>

#include "agent/state.h"
#include "preflight/refusal.h"

#define LOOK_VALID_S 300 /* a look older than this is made anew before an order */
/*
 * While a CA fails, looks outlive the longest time between two orders that ask for all. Else an
 * order that needs no look, since it is placed already, would be faster each time.
 */
#define LOOK_VALID_FAILING_S 2400
#define TOKEN_BYTES          32
#define TOKEN_LIFE_S         60

int hc_outlooks_new(struct hc_agent *agent, struct hc_error *err)
{
    agent->outlooks = calloc(agent->conf->identity_count + 1, sizeof(*agent->outlooks));
    if (agent->outlooks == NULL) {
        return hc_error_nomem(err);
    }
    for (size_t i = 0; i < agent->conf->identity_count; i++) {
        struct hc_outlook *outlook = &agent->outlooks[i];

        outlook->agent = agent;
        outlook->identity = &agent->conf->identities[i];
        outlook->index = i;
        hc_hex(outlook->name, outlook->identity->id, HC_ID_SIZE);
    }
    return 0;
}

static void withdraw_token(struct hc_outlook *outlook)
{
    if (outlook->own.memory != NULL) {
        hc_answers_take_back(outlook->agent->answers, &outlook->own);
        hc_answer_dispose(&outlook->own);
    }
}

static void end_look(struct hc_outlook *outlook)
{
    if (outlook->preflight != NULL) {
        hc_preflight_free(outlook->preflight);
        outlook->preflight = NULL;
        LIST_REMOVE(outlook, link);
        outlook->agent->looking--;
    }
    withdraw_token(outlook);
}

void hc_outlooks_halt(struct hc_agent *agent)
{
    for (size_t i = 0; agent->outlooks != NULL && i < agent->conf->identity_count; i++) {
        end_look(&agent->outlooks[i]);
    }
    agent->looks_at = 0;
}

static void forget_refused(struct hc_outlook *outlook)
{
    for (size_t i = 0; i < outlook->refused_count; i++) {
        free(outlook->refused[i].name);
        hc_kept_error_dispose(&outlook->refused[i].said);
    }
    free(outlook->refused);
    outlook->refused = NULL;
    outlook->refused_count = 0;
}

/* The agent ends before the look that would have stood beside the CA's words. */
static void tell_refused(const struct hc_outlook *outlook)
{
    struct hc_error said;
    char text[HC_LOG_LINE];

    for (size_t i = 0; i < outlook->refused_count; i++) {
        hc_kept_error_get(&outlook->refused[i].said, &said);
        hc_logf(outlook->agent->o.log, HC_LOG_ERROR, "%s: %s", outlook->refused[i].name,
                hc_refusal_describe(&said, NULL, text, sizeof(text)));
    }
}

void hc_outlooks_free(struct hc_agent *agent)
{
    hc_outlooks_halt(agent);
    for (size_t i = 0; agent->outlooks != NULL && i < agent->conf->identity_count; i++) {
        hc_leaveout_dispose(&agent->outlooks[i].state);
        hc_leaveout_plan_dispose(&agent->outlooks[i].plan);
        tell_refused(&agent->outlooks[i]);
        forget_refused(&agent->outlooks[i]);
    }
    free(agent->outlooks);
    agent->outlooks = NULL;
}

/* ---- what is remembered ---- */

static void load_one(struct hc_agent *agent, struct hc_outlook *outlook)
{
    struct hc_buf text = HC_BUF_INIT_SECRET(HC_LEAVEOUT_MAX);
    struct hc_error err;

    hc_error_init(&err);
    hc_leaveout_dispose(&outlook->state);
    outlook->stored = 0;
    if (hc_store_get(hc_agent_store(agent), "names", outlook->name, &text, &err) == 0) {
        outlook->stored = hc_text_hash(hc_buf_text(&text));
    }
    if (outlook->stored == 0 ||
        hc_leaveout_decode(hc_buf_text(&text), text.len, &outlook->state, &err) != 0) {
        if (err.problem != HC_P_STORE_EMPTY) {
            hc_log_error(agent->o.log, HC_LOG_WARN, "what was known of names is lost", &err);
        }
    }
    hc_leaveout_keep(&outlook->state, &outlook->identity->names);
    hc_leaveout_mend(&outlook->state, hc_agent_now(agent));
    hc_buf_dispose(&text);
}

void hc_outlooks_load(struct hc_agent *agent)
{
    for (size_t i = 0; i < agent->conf->identity_count; i++) {
        if (agent->outlooks[i].identity->mode == HC_MODE_ON) {
            load_one(agent, &agent->outlooks[i]);
        }
    }
}

void hc_outlooks_mend(struct hc_agent *agent, int64_t now)
{
    for (size_t i = 0; i < agent->conf->identity_count; i++) {
        hc_leaveout_mend(&agent->outlooks[i].state, now);
        if (agent->outlooks[i].looked_at > now) {
            agent->outlooks[i].looked_at = 0;
        }
    }
}

/* The store has what a plan could depend on, and no file at all for names that are well. */
static void store_one(struct hc_outlook *outlook)
{
    struct hc_agent *agent = outlook->agent;
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
    if (rc == 0 && now != outlook->stored && hc_agent_store(agent) != NULL) {
        rc = plain ? hc_store_delete(hc_agent_store(agent), "names", outlook->name, &err)
                   : hc_store_put(hc_agent_store(agent), "names", outlook->name, hc_bytes_of(&text),
                                  &err);
        outlook->stored = rc == 0 ? now : outlook->stored;
    }
    if (rc != 0) {
        hc_storage_failed(agent->storage, &err);
    }
    hc_buf_dispose(&text);
}

/* ---- the plan ---- */

/* Says once what is left out, and that nothing is any more. */
static void say_plan(struct hc_outlook *outlook)
{
    struct hc_agent *agent = outlook->agent;
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
        hc_logf(agent->o.log, HC_LOG_ERROR, "%s", text);
        outlook->said_plan = hc_text_hash(left_out);
    } else if (!odd && outlook->said_plan != 0) {
        hc_logf(agent->o.log, HC_LOG_NOTICE, "%s: all names are ordered again",
                hc_identity_subject(outlook->identity, text));
        outlook->said_plan = 0;
    }
}

void hc_outlook_plan(struct hc_agent *agent, size_t index)
{
    struct hc_outlook *outlook = &agent->outlooks[index];
    const struct hc_line_info *info = hc_publisher_in_use(agent->publisher, index);
    struct hc_leaveout_case c = {
        .names = &outlook->identity->names,
        .mode = agent->o.dns != NULL ? outlook->identity->set->preflight : HC_PREFLIGHT_OFF,
        .policy = outlook->identity->set->bad_names,
        .served = info != NULL ? &info->names : NULL,
        .not_before = info != NULL ? info->not_before : 0,
        .not_after = info != NULL ? info->not_after : 0,
        .now = hc_agent_now(agent),
        .look_every = agent->conf->check_interval,
    };
    struct hc_error err;

    hc_error_init(&err);
    hc_leaveout_plan_dispose(&outlook->plan);
    outlook->planned = hc_leaveout_plan(&outlook->state, &c, &outlook->plan, &err) == 0;
    if (!outlook->planned) {
        hc_log_error(agent->o.log, HC_LOG_ERROR, "deciding which names to order", &err);
        return;
    }
    if (outlook->plan.look > 0 && outlook->plan.look < agent->looks_at) {
        agent->looks_at = outlook->plan.look;
    }
    if (c.mode != HC_PREFLIGHT_OFF && outlook->state.count > 0) {
        say_plan(outlook);
    }
}

void hc_outlooks_plan(struct hc_agent *agent)
{
    for (size_t i = 0; i < agent->conf->identity_count; i++) {
        if (agent->outlooks[i].identity->mode == HC_MODE_ON &&
            (!agent->outlooks[i].planned || agent->outlooks[i].state.count > 0)) {
            hc_outlook_plan(agent, i);
        }
    }
}

const struct hc_list *hc_outlook_order(const struct hc_agent *agent, size_t index)
{
    const struct hc_outlook *outlook = &agent->outlooks[index];

    return outlook->planned && outlook->plan.order.count > 0 ? &outlook->plan.order
                                                             : &outlook->identity->names;
}

bool hc_outlook_wants(const struct hc_agent *agent, size_t index, const struct hc_list *have)
{
    const struct hc_outlook *outlook = &agent->outlooks[index];

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

bool hc_outlook_is_fresh(const struct hc_agent *agent, size_t index, const struct hc_ca *ca)
{
    const struct hc_outlook *outlook = &agent->outlooks[index];
    int64_t now = hc_agent_now(agent);
    int64_t valid = ca != NULL && hc_ca_is_failing(ca) ? LOOK_VALID_FAILING_S : LOOK_VALID_S;

    if (agent->o.dns == NULL || outlook->identity->set->preflight == HC_PREFLIGHT_OFF) {
        return true;
    }
    return outlook->looked_for == ca && outlook->looked_at <= now &&
           now - outlook->looked_at <= valid;
}

bool hc_outlook_holds(const struct hc_agent *agent, size_t index, const struct hc_ca *ca,
                      int64_t *until)
{
    const struct hc_outlook *outlook = &agent->outlooks[index];
    const struct hc_leaveout_plan *plan = &outlook->plan;
    int64_t now = hc_agent_now(agent);
    /* names that are left out have looks of their own, more seldom the longer they are out */
    bool waits = outlook->looked_for == ca && outlook->looked_at > 0 && outlook->looked_at <= now &&
                 (plan->look == 0 || plan->look > now);

    *until = plan->until;
    return outlook->planned && plan->kind == HC_LEAVEOUT_HOLD &&
           (waits || hc_outlook_is_fresh(agent, index, ca));
}

bool hc_outlook_is_looking(const struct hc_agent *agent, size_t index)
{
    return agent->outlooks[index].preflight != NULL;
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

static const struct hc_refused *find_refused(const struct hc_outlook *outlook, const char *name)
{
    for (size_t i = 0; i < outlook->refused_count; i++) {
        if (strcmp(outlook->refused[i].name, name) == 0) {
            return &outlook->refused[i];
        }
    }
    return NULL;
}

/* What is seen of each name; beside the CA's words where it refused. */
static void say_findings(struct hc_outlook *outlook, const struct hc_preflight_result *result)
{
    struct hc_agent *agent = outlook->agent;
    hc_said said = digest_of(result);
    struct hc_error words;
    char text[HC_LOG_LINE];

    for (size_t i = 0; i < result->count; i++) {
        const struct hc_preflight_name *name = &result->names[i];
        const struct hc_refused *refused = find_refused(outlook, name->name);

        if (refused != NULL) {
            hc_kept_error_get(&refused->said, &words);
            hc_logf(agent->o.log, HC_LOG_ERROR, "%s: %s", name->name,
                    hc_refusal_describe(&words, name, text, sizeof(text)));
        } else if (said != outlook->said_findings) {
            hc_judge_say(agent->o.log, name->name, NULL, &name->findings,
                         name->leave_out ? HC_LOG_ERROR : HC_LOG_WARN, HC_LOG_NOTICE);
        }
    }
    outlook->said_findings = said;
}

/* True if the look before this one found something against the name. */
static bool was_unwell(const struct hc_outlook *outlook, const char *name)
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
    struct hc_outlook *outlook = self;
    struct hc_agent *agent = outlook->agent;
    int64_t now = hc_agent_now(agent);
    struct hc_list mended = {NULL, 0, 0};
    struct hc_error err;

    hc_error_init(&err);
    for (size_t i = 0; i < result->count; i++) {
        const struct hc_preflight_name *name = &result->names[i];

        if (hc_leaveout_seen_of(name) == HC_LEAVEOUT_SEEN_WELL && was_unwell(outlook, name->name) &&
            hc_list_add(&mended, name->name, &err) != 0) {
            hc_log_error(agent->o.log, HC_LOG_ERROR, "keeping what was seen of names", &err);
        }
        if (hc_leaveout_look(&outlook->state, name->name, hc_leaveout_seen_of(name), name->cause,
                             now, agent->conf->check_interval / 2, &err) != 0) {
            hc_log_error(agent->o.log, HC_LOG_ERROR, "keeping what was seen of names", &err);
        }
    }
    say_findings(outlook, result);
    forget_refused(outlook);
    outlook->looked_at = now;
    end_look(outlook);
    store_one(outlook);
    hc_outlook_plan(agent, outlook->index);
    if (mended.count > 0) {
        hc_jobs_forgive(agent, outlook->index, &mended);
    }
    /* all well, as before: its jobs are in the queue, and nothing else depends on the look */
    agent->jobs_dirty =
        agent->jobs_dirty || mended.count > 0 || !hc_leaveout_is_plain(&outlook->state);
    hc_list_dispose(&mended);
}

/* A token of our own, answered by all servers on this store: what a CA would find over HTTP. */
static int present_token(struct hc_outlook *outlook, struct hc_error *err)
{
    struct hc_agent *agent = outlook->agent;
    unsigned char bytes[TOKEN_BYTES];
    struct hc_buf text = HC_BUF_INIT(HC_TOKEN_MAX);
    char value[HC_KEYAUTH_MAX];
    struct hc_answer answer = {.kind = HC_ANSWER_HTTP, .name = "", .value = value};
    int rc = -1;

    if (agent->o.random->bytes(agent->o.random->self, bytes, sizeof(bytes)) != 0) {
        return hc_error_set(err, HC_P_SYSTEM, NULL, "no random bytes");
    }
    if (hc_base64url(bytes, sizeof(bytes), &text, err) != 0) {
        goto out;
    }
    (void)snprintf(value, sizeof(value), "%s.hotcert-preflight", hc_buf_text(&text));
    answer.key = hc_buf_text(&text);
    answer.expires = hc_agent_now(agent) + TOKEN_LIFE_S;
    if (hc_answer_copy(&outlook->own, &answer, err) != 0) {
        goto out;
    }
    rc = hc_answers_give_briefly(agent->answers, &outlook->own, err);
    if (rc != 0) {
        hc_answer_dispose(&outlook->own);
    }
out:
    hc_buf_dispose(&text);
    return rc;
}

int hc_outlook_start(struct hc_agent *agent, size_t index, struct hc_ca *ca, struct hc_error *err)
{
    struct hc_outlook *outlook = &agent->outlooks[index];
    struct hc_preflight_options options = {
        .names = &outlook->identity->names,
        .caa_domains = hc_ca_caa_domains(ca),
        .methods = &outlook->identity->set->challenges,
        .account_uri = hc_ca_account_url(ca),
        .network = hc_ca_issuer(ca)->network,
        .directory_url = hc_ca_issuer(ca)->directory_url,
        .http_port = hc_ca_issuer(ca)->http_port,
        .tls_port = hc_ca_issuer(ca)->tls_port,
        .web = agent->o.web,
        .dns = agent->o.dns,
        .loop = agent->o.loop,
        .log = agent->o.log,
        .self = outlook,
        .done = on_looked,
    };

    if (outlook->preflight != NULL) {
        return 0;
    }
    if (present_token(outlook, err) != 0) {
        return -1;
    }
    options.token = outlook->own.key;
    options.answer = outlook->own.value;
    if (hc_preflight_start(&options, &outlook->preflight, err) != 0) {
        withdraw_token(outlook);
        return -1;
    }
    outlook->looked_for = ca;
    LIST_INSERT_HEAD(&agent->looking_now, outlook, link);
    agent->looking++;
    return 0;
}

/* Looks at names that are left out when their time has come. */
static void look_again(struct hc_agent *agent, struct hc_outlook *outlook)
{
    struct hc_ca *ca = outlook->looked_for != NULL
                           ? outlook->looked_for
                           : hc_cas_named(agent->cas, outlook->identity->set->use.items[0]);
    struct hc_error err;

    hc_error_init(&err);
    if (ca != NULL && hc_outlook_start(agent, outlook->index, ca, &err) != 0) {
        hc_log_error(agent->o.log, HC_LOG_WARN, "looking at names", &err);
        outlook->plan.look = hc_agent_now(agent) + agent->conf->check_interval;
    }
}

/* Looks at all names that are left out and whose time has come; finds out when the next has. */
static void look_again_at_all(struct hc_agent *agent, int64_t now)
{
    agent->looks_at = INT64_MAX;
    for (size_t i = 0; i < agent->conf->identity_count; i++) {
        struct hc_outlook *outlook = &agent->outlooks[i];
        int64_t look = 0;

        if (outlook->preflight != NULL || !outlook->planned) {
            continue; /* at the end of a look the next one is planned */
        }
        if (outlook->plan.look > 0 && outlook->plan.look <= now &&
            hc_storage_ready(agent->storage) && agent->looking < HC_LOOKING_MOST) {
            look_again(agent, outlook);
        }
        look = outlook->preflight == NULL ? outlook->plan.look : 0;
        if (look > 0 && look < agent->looks_at) {
            agent->looks_at = look > now ? look : now + 1;
        }
    }
}

int64_t hc_outlooks_run(struct hc_agent *agent)
{
    int64_t now = hc_agent_now(agent);

    if (agent->o.dns == NULL) {
        return -1;
    }
    if (now >= agent->looks_at) {
        look_again_at_all(agent, now);
    }
    return agent->looks_at < INT64_MAX ? (agent->looks_at - now) * 1000 : -1;
}

/* ---- what became of orders ---- */

void hc_outlook_ordered(struct hc_agent *agent, size_t index)
{
    struct hc_outlook *outlook = &agent->outlooks[index];

    outlook->looked_at = 0; /* every order has a look of its own */
    if (outlook->planned && outlook->state.count > 0) {
        hc_leaveout_ordered(&outlook->state, &outlook->plan, hc_agent_now(agent));
        store_one(outlook);
    }
}

void hc_outlook_obtained(struct hc_agent *agent, size_t index, const struct hc_list *names)
{
    struct hc_outlook *outlook = &agent->outlooks[index];

    hc_leaveout_obtained(&outlook->state, names);
    store_one(outlook);
    hc_outlook_plan(agent, index);
}

static int keep_refused(struct hc_outlook *outlook, const char *name, const struct hc_error *said,
                        struct hc_error *err)
{
    struct hc_refused *grown = NULL;
    char *copy = NULL;

    if (find_refused(outlook, name) != NULL) {
        return 0;
    }
    grown = realloc(outlook->refused, (outlook->refused_count + 1) * sizeof(*grown));
    if (grown == NULL || hc_strdup(name, &copy, err) != 0) {
        outlook->refused = grown != NULL ? grown : outlook->refused;
        return hc_error_nomem(err);
    }
    outlook->refused = grown;
    grown[outlook->refused_count] = (struct hc_refused){.name = copy};
    hc_kept_error_set(&grown[outlook->refused_count++].said, said);
    return 0;
}

void hc_outlook_refused(struct hc_agent *agent, size_t index, const char *name,
                        const struct hc_error *said)
{
    struct hc_outlook *outlook = &agent->outlooks[index];
    struct hc_error err;

    hc_error_init(&err);
    if (agent->o.dns == NULL || outlook->identity->set->preflight == HC_PREFLIGHT_OFF) {
        return;
    }
    outlook->looked_at = 0;
    if (hc_leaveout_refused(&outlook->state, name, hc_refusal_problem(said), hc_agent_now(agent),
                            &err) != 0 ||
        keep_refused(outlook, name, said, &err) != 0) {
        hc_log_error(agent->o.log, HC_LOG_ERROR, "keeping what the CA said of a name", &err);
    }
    store_one(outlook);
}

bool hc_outlook_compare(struct hc_agent *agent, size_t index, struct hc_ca *ca)
{
    struct hc_error err;

    hc_error_init(&err);
    if (agent->outlooks[index].refused_count == 0) {
        return false;
    }
    if (hc_outlook_start(agent, index, ca, &err) != 0) {
        hc_log_error(agent->o.log, HC_LOG_WARN, "looking at names", &err);
        forget_refused(&agent->outlooks[index]);
        return false;
    }
    return true;
}
