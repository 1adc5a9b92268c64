/*
 * Health: what is being served is judged again on the timer, since it ages while nobody looks. A
 * flaw is an error in the log, said anew once a day until it is mended; with a third of the life
 * left a warning comes, with a tenth an error.
 */
#include <openssl/sha.h>
#include <stdlib.h>

#include "agent/state.h"

#define EVERY_S 3600
#define AGAIN_S 86400
#define AT_ONCE 4 /* identities in one pass; a check costs milliseconds */

int hc_health_new(struct hc_agent *agent, struct hc_error *err)
{
    agent->healths = calloc(agent->conf->identity_count + 1, sizeof(*agent->healths));
    return agent->healths != NULL ? 0 : hc_error_nomem(err);
}

void hc_health_free(struct hc_agent *agent)
{
    free(agent->healths);
    agent->healths = NULL;
}

/* The next moment at which a pair's standing changes by its age alone. */
static int64_t next_change(const struct hc_pair *pair, int64_t now)
{
    int64_t life = hc_pair_not_after(pair) - hc_pair_not_before(pair);
    const int64_t moments[] = {
        hc_pair_not_before(pair),
        hc_pair_not_after(pair) - life / 3,
        hc_pair_not_after(pair) - life / 10,
        hc_pair_not_after(pair),
    };
    int64_t next = now + EVERY_S;

    for (size_t i = 0; i < HC_COUNT(moments); i++) {
        if (moments[i] >= now && moments[i] + 1 < next) {
            next = moments[i] + 1;
        }
    }
    return next;
}

/* What was found, without what changes with every look (the messages have times in them). */
static hc_said digest_of(const struct hc_findings *findings, bool last_tenth)
{
    unsigned char digest[SHA256_DIGEST_LENGTH];
    struct hc_buf text = HC_BUF_INIT((size_t)1 << 20);
    struct hc_error err;
    hc_said said = 0;

    hc_error_init(&err);
    for (size_t i = 0; i < findings->count; i++) {
        if (hc_buf_printf(&text, &err, "%d %s\n", (int)findings->items[i].problem,
                          findings->items[i].subject) != 0) {
            break;
        }
    }
    (void)SHA256(text.data, text.len, digest);
    memcpy(&said, digest, sizeof(said));
    hc_buf_dispose(&text);
    return findings->count == 0 ? 0 : (said | 2) ^ (last_tenth ? 1 : 0);
}

static bool in_last_tenth(const struct hc_pair *pair, int64_t now)
{
    return hc_pair_not_after(pair) - now <
           (hc_pair_not_after(pair) - hc_pair_not_before(pair)) / 10;
}

static void say(struct hc_agent *agent, struct hc_health *health, const char *subject,
                const struct hc_identity *identity, const struct hc_findings *findings,
                bool last_tenth)
{
    hc_said said = digest_of(findings, last_tenth);
    int64_t now = hc_agent_now(agent);

    if (said == health->said && (said == 0 || now < health->said_at + AGAIN_S)) {
        return;
    }
    if (said == 0) {
        hc_logf(agent->o.log, HC_LOG_NOTICE, "%s: what was said of its certificate is mended",
                subject);
    }
    health->said = said;
    health->said_at = now;
    for (size_t i = 0; i < findings->count; i++) {
        struct hc_findings one = {&findings->items[i], 1, 1};
        bool soon = findings->items[i].problem == HC_P_EXPIRES_SOON;

        hc_judge_say(agent->o.log, subject, &identity->set->accept, &one, HC_LOG_ERROR,
                     soon ? (last_tenth ? HC_LOG_ERROR : HC_LOG_WARN) : HC_LOG_NOTICE);
    }
}

/* Keeps the flaws for `list`: each once, and none that the operator accepts. */
static void note_flaws(struct hc_health *health, const struct hc_identity *identity,
                       const struct hc_findings *findings)
{
    health->flaw_count = 0;
    for (size_t i = 0; i < findings->count && health->flaw_count < HC_FLAWS_TOLD; i++) {
        enum hc_problem problem = findings->items[i].problem;
        bool told = findings->items[i].rank == HC_CLASS_REMARK ||
                    hc_list_has(&identity->set->accept, hc_problem_row(problem)->slug);

        for (size_t k = 0; k < health->flaw_count; k++) {
            told = told || health->flaws[k] == problem;
        }
        if (!told) {
            health->flaws[health->flaw_count++] = problem;
        }
    }
}

static void look_at(struct hc_agent *agent, size_t index)
{
    const struct hc_identity *identity = &agent->conf->identities[index];
    struct hc_health *health = &agent->healths[index];
    struct hc_bundle *bundle = hc_publisher_served(agent->publisher, index);
    struct hc_findings findings = {NULL, 0, 0};
    int64_t now = hc_agent_now(agent);
    struct hc_judge_case c = {
        .identity = identity, .left_out = &agent->outlooks[index].plan.left_out, .now = now};
    char subject[HC_SUBJECT];
    bool last_tenth = false;
    struct hc_error err;

    hc_error_init(&err);
    health->look_at = now + EVERY_S;
    for (size_t i = 0; bundle != NULL && i < hc_bundle_count(bundle); i++) {
        const struct hc_pair *pair = hc_bundle_pair(bundle, i);
        int64_t next = next_change(pair, now);

        if (hc_judge_served(&agent->judge, &c, pair, &findings, &err) != 0) {
            hc_log_error(agent->o.log, HC_LOG_ERROR, "checking what is served", &err);
            break;
        }
        last_tenth = last_tenth || in_last_tenth(pair, now);
        health->look_at = next < health->look_at ? next : health->look_at;
    }
    note_flaws(health, identity, &findings);
    if (bundle != NULL) {
        say(agent, health, hc_identity_subject(identity, subject), identity, &findings, last_tenth);
    }
    hc_findings_dispose(&findings);
    hc_bundle_free(bundle);
}

void hc_health_published(struct hc_agent *agent, size_t index)
{
    agent->healths[index].look_at = agent->health_at = 0;
}

void hc_health_note(struct hc_agent *agent, size_t index, const struct hc_pair *pair,
                    const struct hc_findings *findings)
{
    const struct hc_identity *identity = &agent->conf->identities[index];
    struct hc_health *health = &agent->healths[index];
    int64_t now = hc_agent_now(agent);
    char subject[HC_SUBJECT];

    if (identity->set->key_types.count != 1) {
        return; /* what is said is said of all its pairs together */
    }
    health->look_at = next_change(pair, now);
    note_flaws(health, identity, findings);
    say(agent, health, hc_identity_subject(identity, subject), identity, findings,
        in_last_tenth(pair, now));
}

int64_t hc_health_run(struct hc_agent *agent)
{
    int64_t now = hc_agent_now(agent);
    int64_t soonest = now + 60;
    int looked = 0;

    if (hc_clock_watch_is_wrong(agent->clock)) {
        return -1; /* no verdicts on time by a clock that is wrong */
    }
    if (now < agent->health_at && agent->health_at <= soonest) {
        return (agent->health_at - now) * 1000;
    }
    agent->health_at = 0;
    for (size_t i = 0; i < agent->conf->identity_count; i++) {
        struct hc_health *health = &agent->healths[i];

        if (now >= health->look_at || health->look_at > now + 2 * EVERY_S) {
            if (looked++ == AT_ONCE) {
                return 0;
            }
            look_at(agent, i);
        }
        soonest = health->look_at < soonest ? health->look_at : soonest;
    }
    agent->health_at = soonest;
    return soonest > now ? (soonest - now) * 1000 : 0;
}
