/* What a CA sent; see received.h. The rule for what is better is pki/swap.h's. */
#include "agent/received.h"

#include <openssl/x509v3.h>
#include <string.h>

#include "agent/schedule.h"
#include "pki/swap.h"
#include "store/line.h"

#define HELD_S 172800 /* CAs allow five certificates of one set of names a week */

/* "www.a.example" for "a.example" and the other way round: some CAs give both for either. */
static bool is_twin(const char *one, const char *other)
{
    return strncmp(one, "www.", 4) == 0 && strcmp(one + 4, other) == 0;
}

/* "a.example" for "*.a.example", but not the other way round. */
static bool is_apex(const char *name, const char *wildcard)
{
    return strncmp(wildcard, "*.", 2) == 0 && strcmp(wildcard + 2, name) == 0;
}

static bool was_asked_for(const char *name, const struct hc_list *asked)
{
    for (size_t i = 0; i < asked->count; i++) {
        const char *item = asked->items[i];

        if (strcmp(name, item) == 0 || is_twin(name, item) || is_twin(item, name) ||
            is_apex(name, item)) {
            return true;
        }
    }
    return false;
}

/* Nobody proved here that the other names are this server's: a CA that adds some is in error. */
static int check_strangers(const struct hc_received *r, const struct hc_pair *pair,
                           struct hc_error *err)
{
    const struct hc_list *asked = r->names;
    const struct hc_list *names = hc_pair_names(pair);
    struct hc_list strangers = {NULL, 0, 0};
    char text[160];

    if (hc_list_has(&r->identity->set->accept, hc_problem_row(HC_P_NAME_NOT_ASKED)->slug)) {
        return 0;
    }
    for (size_t i = 0; i < names->count; i++) {
        if (!was_asked_for(names->items[i], asked) &&
            hc_list_add(&strangers, names->items[i], err) != 0) {
            break;
        }
    }
    if (strangers.count > 0) {
        hc_error_set(err, HC_P_NAME_NOT_ASKED, asked->items[0], "it names %s as well",
                     hc_list_format(&strangers, text, sizeof(text)));
    }
    hc_list_dispose(&strangers);
    return hc_error_is_set(err) ? -1 : 0;
}

/* The CA's certificate must be what was asked for, whatever it says it is. */
static int check_pair(const struct hc_received *r, const struct hc_pair *pair, struct hc_error *err)
{
    const struct hc_list *names = r->names;
    const char *name = names->items[0];
    size_t covered = hc_pair_covers(pair, names);
    char until[HC_TIME_TEXT];

    if (covered != names->count) {
        return hc_error_set(err, HC_P_CERTIFICATE_WRONG, name, "it covers %zu of %zu names",
                            covered, names->count);
    }
    if (hc_pair_key_type(pair) != r->key_type) {
        return hc_error_set(err, HC_P_CERTIFICATE_WRONG, name, "its key is of the type %s",
                            hc_key_type_name(hc_pair_key_type(pair)));
    }
    if (hc_pair_not_after(pair) <= hc_env_now(r->env)) {
        return hc_error_set(err, HC_P_CERTIFICATE_WRONG, name, "it expired on %s",
                            hc_time_format(hc_pair_not_after(pair), until));
    }
    if (hc_pair_not_before(pair) > hc_env_now(r->env) + HC_FUTURE_MOST) {
        return hc_error_set(
            err, HC_P_CERTIFICATE_WRONG, name,
            "it is not valid before %s; the CA's clock, or this machine's, is wrong",
            hc_time_format(hc_pair_not_before(pair), until));
    }
    if (X509_check_ca(hc_pair_leaf(pair)) >= 1) {
        return hc_error_set(err, HC_P_CERTIFICATE_WRONG, name,
                            "it is a CA's own certificate: it may sign others (CA:TRUE)");
    }
    return check_strangers(r, pair, err);
}

/* The findings of the pair that serves in the job's own line; false if there is none. */
static bool judge_current(const struct hc_received *r, struct hc_findings *findings, int64_t *left,
                          int64_t *life)
{
    int64_t now = hc_env_now(r->env);
    struct hc_judge_case c = {.identity = r->identity, .now = now};
    struct hc_pair *pair = NULL;
    struct hc_error err;
    bool there = false;

    hc_error_init(&err);
    if (hc_store_current(hc_storage_store(r->storage), r->line, &pair, NULL, &err) != 0 ||
        hc_judge_pair(r->judge, &c, pair, findings, &err) != 0) {
        goto out;
    }
    *left = hc_pair_not_after(pair) - now;
    *life = hc_pair_not_after(pair) - hc_pair_not_before(pair);
    there = true;
out:
    hc_pair_free(pair);
    return there;
}

/*
 * Seconds until another order may give a better pair than the one that is held back. In the last
 * tenth of what serves it would be taken, whatever it lacks.
 */
static int64_t held_for(const struct hc_swap_case *c)
{
    int64_t tenth = c->current != NULL ? c->current_left - c->current_life / 10 : 0;

    return tenth < 0 ? 0 : tenth < HELD_S ? tenth : HELD_S;
}

/* The rule of pki/swap.h: -1 if the pair that serves is the better one; err says why. */
static int decide(const struct hc_received *r, const struct hc_pair *pair,
                  struct hc_findings *findings, struct hc_error *err)
{
    const struct hc_identity *identity = r->identity;
    struct hc_findings current = {NULL, 0, 0};
    struct hc_swap_case c = {.candidate = findings, .accept = &identity->set->accept};
    struct hc_judge_case how = {
        .identity = identity, .left_out = r->left_out, .now = hc_env_now(r->env)};
    const struct hc_finding *why = NULL;
    int rc = -1;

    if (hc_judge_pair(r->judge, &how, pair, findings, err) != 0) {
        goto out;
    }
    if (judge_current(r, &current, &c.current_left, &c.current_life)) {
        c.current = &current;
    }
    rc = hc_swap_decide(&c, &why) == HC_SWAP_TAKE ? 0 : -1;
    if (rc != 0 && why != NULL) {
        hc_error_set(err, HC_P_CERTIFICATE_WRONG, hc_identity_label(identity), "%s (%s)",
                     why->message, hc_problem_row(why->problem)->slug);
    } else if (rc != 0) {
        hc_error_set(err, HC_P_INTERNAL, hc_identity_label(identity), "the rule gave no reason");
    }
    err->foreign.retry_after = rc != 0 ? held_for(&c) : 0;
out:
    hc_findings_dispose(&current);
    return rc;
}

/* How good a chain is for the roots of the host. */
static enum hc_class judge_chain(const struct hc_received *r, const struct hc_order_result *result,
                                 struct hc_bytes chain, struct hc_error *err)
{
    struct hc_judge_case how = {
        .identity = r->identity, .left_out = r->left_out, .now = hc_env_now(r->env)};
    struct hc_findings found = {NULL, 0, 0};
    struct hc_pair *pair = NULL;
    enum hc_class worst = HC_CLASS_UNUSABLE;

    if (hc_pair_from_key(result->key, chain, r->names->items[0], &pair, &found, err) == 0 &&
        hc_judge_pair(r->judge, &how, pair, &found, err) == 0) {
        worst = hc_findings_worst(&found);
        (void)!hc_findings_to_error(&found, HC_CLASS_FLAWED, err);
    }
    hc_pair_free(pair);
    hc_findings_dispose(&found);
    return worst;
}

/* The preferred chain, unless it is worse than the CA's default. */
static struct hc_bytes choose_chain(const struct hc_received *r,
                                    const struct hc_order_result *result)
{
    struct hc_error why;
    struct hc_error ignored;

    if (result->preferred_pem.len == 0) {
        return result->chain_pem;
    }
    hc_error_init(&why);
    hc_error_init(&ignored);
    if (judge_chain(r, result, result->preferred_pem, &why) <
        judge_chain(r, result, result->chain_pem, &ignored)) {
        hc_log_error(r->env->log, HC_LOG_WARN,
                     "the preferred chain is not sound; using the CA's default chain", &why);
        return result->chain_pem;
    }
    return result->preferred_pem;
}

int hc_received_take(const struct hc_received *r, const struct hc_order_result *result,
                     struct hc_pair **out, struct hc_findings *findings, struct hc_error *err)
{
    struct hc_findings found = {NULL, 0, 0};
    struct hc_pair *pair = NULL;
    int rc = -1;

    if (hc_pair_from_key(result->key, choose_chain(r, result), r->names->items[0], &pair, &found,
                         err) != 0) {
        goto out;
    }
    hc_chains_complete(r->chains, r->identity, &pair);
    if (check_pair(r, pair, err) == 0 && decide(r, pair, &found, err) == 0) {
        *out = pair;
        *findings = found;
        memset(&found, 0, sizeof(found));
        pair = NULL;
        rc = 0;
    }
out:
    hc_pair_free(pair);
    hc_findings_dispose(&found);
    return rc == 0 ? 0 : hc_error_during(err, "checking the certificate that the CA sent");
}
