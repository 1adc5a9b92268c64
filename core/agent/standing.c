/* How the names of one identity stand; see standing.h. */
#include "agent/standing.h"

#include <string.h>

#include "agent/judge.h"
#include "preflight/refusal.h"
#include "store/record.h"

void hc_standing_dispose(struct hc_standing *standing)
{
    hc_leaveout_dispose(&standing->state);
    hc_leaveout_plan_dispose(&standing->plan);
    hc_refusals_dispose(&standing->refused);
}

bool hc_standing_is_plain(const struct hc_standing *standing)
{
    return hc_leaveout_is_plain(&standing->state) && standing->stored == 0 &&
           standing->plan.kind == HC_LEAVEOUT_ALL && standing->plan.left_out.count == 0 &&
           standing->refused.count == 0 && standing->said_plan == 0 && standing->said_findings == 0;
}

/* ---- what is remembered ---- */

/* Of its record. */
static const char *name_of(const struct hc_standing *standing, char name[2 * HC_ID_SIZE + 1])
{
    hc_hex(name, standing->identity->id, HC_ID_SIZE);
    return name;
}

void hc_standing_load(struct hc_standing *standing, const struct hc_standing_env *e)
{
    char name[2 * HC_ID_SIZE + 1];
    struct hc_buf text = HC_BUF_INIT_SECRET(HC_LEAVEOUT_MAX);
    struct hc_error err;

    hc_error_init(&err);
    hc_leaveout_dispose(&standing->state);
    standing->stored = 0;
    if (hc_store_get(hc_storage_store(e->storage), "names", name_of(standing, name), &text, &err) ==
        0) {
        standing->stored = hc_text_hash(hc_buf_text(&text));
    }
    if (standing->stored == 0 ||
        hc_leaveout_decode(hc_buf_text(&text), text.len, &standing->state, &err) != 0) {
        if (err.problem != HC_P_STORE_EMPTY) {
            hc_log_error(e->env->log, HC_LOG_WARN,
                         "saved preflight results are unreadable; starting fresh", &err);
        }
    }
    hc_leaveout_keep(&standing->state, &standing->identity->names);
    hc_leaveout_pull_back(&standing->state, hc_env_now(e->env));
    hc_buf_dispose(&text);
}

/* The store has what a plan could depend on, and no file at all for names that are well. */
void hc_standing_store(struct hc_standing *standing, const struct hc_standing_env *e)
{
    struct hc_store *store = hc_storage_store(e->storage);
    char name[2 * HC_ID_SIZE + 1];
    struct hc_buf text = HC_BUF_INIT(HC_LEAVEOUT_MAX);
    bool plain = hc_leaveout_is_plain(&standing->state);
    struct hc_error err;
    hc_said now = 0;
    int rc = 0;

    hc_error_init(&err);
    if (!plain) {
        rc = hc_leaveout_encode(&standing->state, &text, &err);
        now = rc == 0 ? hc_text_hash(hc_buf_text(&text)) : 0;
    }
    if (rc == 0 && now != standing->stored && store != NULL) {
        rc = plain
                 ? hc_store_delete(store, "names", name_of(standing, name), &err)
                 : hc_store_put(store, "names", name_of(standing, name), hc_bytes_of(&text), &err);
        standing->stored = rc == 0 ? now : standing->stored;
    }
    if (rc != 0) {
        hc_storage_failed(e->storage, &err);
    }
    hc_buf_dispose(&text);
}

/* ---- the plan ---- */

/* Says once what is left out, and that nothing is any more. */
static void say_plan(struct hc_standing *standing, const struct hc_log *log)
{
    char text[HC_LOG_LINE];
    char left_out[HC_LOG_LINE];
    bool odd = standing->plan.left_out.count > 0 || standing->plan.kind == HC_LEAVEOUT_HOLD;
    bool changed = false;

    /* what is said changes with what is left out, not with every next trial */
    snprintf(left_out, sizeof(left_out), "%d %s", (int)standing->plan.hold,
             hc_list_format(&standing->plan.left_out, text, sizeof(text)));
    changed = hc_text_hash(left_out) != standing->said_plan;
    if (odd && changed) {
        hc_leaveout_describe(&standing->state, &standing->plan, text, sizeof(text));
        hc_logf(log, HC_LOG_ERROR, "%s", text);
        standing->said_plan = hc_text_hash(left_out);
    } else if (!odd && standing->said_plan != 0) {
        hc_logf(log, HC_LOG_NOTICE, "%s: ordering all names again",
                hc_identity_subject(standing->identity, text));
        standing->said_plan = 0;
    }
}

void hc_standing_plan(struct hc_standing *standing, const struct hc_standing_env *e)
{
    const struct hc_line_info *info =
        hc_publisher_in_use(e->publisher, (size_t)(standing->identity - e->env->conf->identities));
    struct hc_leaveout_case c = {
        .names = &standing->identity->names,
        .mode = e->preflights ? standing->identity->set->preflight : HC_PREFLIGHT_OFF,
        .policy = standing->identity->set->bad_names,
        .served = info != NULL ? &info->names : NULL,
        .not_before = info != NULL ? info->not_before : 0,
        .not_after = info != NULL ? info->not_after : 0,
        .now = hc_env_now(e->env),
        .check_every = e->env->conf->check_interval,
    };
    struct hc_error err;

    hc_error_init(&err);
    hc_leaveout_plan_dispose(&standing->plan);
    standing->planned = hc_leaveout_plan(&standing->state, &c, &standing->plan, &err) == 0;
    if (!standing->planned) {
        hc_log_error(e->env->log, HC_LOG_ERROR, "deciding which names to order", &err);
        return;
    }
    if (c.mode != HC_PREFLIGHT_OFF && standing->state.count > 0) {
        say_plan(standing, e->env->log);
    }
}

const struct hc_list *hc_standing_order(const struct hc_standing *standing)
{
    return standing->planned && standing->plan.order.count > 0 ? &standing->plan.order
                                                               : &standing->identity->names;
}

bool hc_standing_wants(const struct hc_standing *standing, const struct hc_list *have)
{
    if (!standing->planned) {
        return true;
    }
    if (standing->plan.kind == HC_LEAVEOUT_HOLD) {
        return false;
    }
    if (!hc_list_has_all(have, hc_standing_order(standing))) {
        return true;
    }
    return standing->plan.kind == HC_LEAVEOUT_TRIAL;
}

/* ---- what a preflight found ---- */

/* Findings of one preflight, as one number: what is said changes with them alone. */
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

/* Says what was found of each name; beside the CA's words where it refused. */
static void tell(struct hc_standing *standing, const struct hc_log *log,
                 const struct hc_preflight_result *result)
{
    hc_said said = digest_of(result);
    struct hc_error words;
    char text[HC_LOG_LINE];

    for (size_t i = 0; i < result->count; i++) {
        const struct hc_preflight_name *name = &result->names[i];
        const struct hc_refused *refused = hc_refusals_find(&standing->refused, name->name);

        if (refused != NULL) {
            hc_kept_error_get(&refused->said, &words);
            hc_logf(log, HC_LOG_ERROR, "%s: %s", name->name,
                    hc_refusal_describe(&words, name, text, sizeof(text)));
        } else if (said != standing->said_findings) {
            hc_judge_say(log, name->name, NULL, &name->findings,
                         name->leave_out ? HC_LOG_ERROR : HC_LOG_WARN, HC_LOG_NOTICE);
        }
    }
    standing->said_findings = said;
}

/* True if the preflight before found something against the name. */
static bool was_unwell(const struct hc_standing *standing, const char *name)
{
    for (size_t i = 0; i < standing->state.count; i++) {
        if (strcmp(standing->state.names[i].name, name) == 0) {
            return standing->state.names[i].seen != HC_LEAVEOUT_SEEN_WELL;
        }
    }
    return false;
}

int hc_standing_see(struct hc_standing *standing, const struct hc_standing_env *e,
                    const struct hc_preflight_result *result, struct hc_list *recovered,
                    struct hc_error *err)
{
    int64_t now = hc_env_now(e->env);
    int rc = 0;

    for (size_t i = 0; i < result->count; i++) {
        const struct hc_preflight_name *name = &result->names[i];
        const struct hc_leaveout_sight sight = {name->name, hc_leaveout_seen_of(name), name->cause};

        if (sight.seen == HC_LEAVEOUT_SEEN_WELL && was_unwell(standing, name->name)) {
            rc |= hc_list_add(recovered, name->name, err);
        }
        rc |=
            hc_leaveout_note(&standing->state, &sight, now, e->env->conf->check_interval / 2, err);
    }
    tell(standing, e->env->log, result);
    hc_refusals_dispose(&standing->refused);
    return rc == 0 ? 0 : -1;
}
