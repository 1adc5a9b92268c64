/* Health of what is served; see health.h. */
#include "agent/health.h"

#include <openssl/sha.h>
#include <stdlib.h>
#include <string.h>

#include "agent/said.h"
#include "loop/timer.h"

#define EVERY_S 3600
#define AGAIN_S 86400
#define AT_ONCE 4 /* identities in one pass; a check costs milliseconds */

/* What the checks said of what an identity serves. */
struct entry {
    int64_t judge_at; /* UTC: when it is judged again; 0: at once */
    hc_said said;     /* what was found last */
    int64_t said_at;
    uint16_t flaws[HC_FLAWS_TOLD]; /* of these: enum hc_problem, in half its bytes; 0: no more */
};

_Static_assert(HC_P_NONE == 0 && HC_P_COUNT <= UINT16_MAX, "a problem fits");

struct hc_health {
    struct hc_health_options o;
    struct entry *entries; /* as conf->identities */
    int64_t next_at;       /* UTC: when something served is to be judged; 0: to be found */
    struct hc_timer due;
};

size_t hc_health_flaws(const struct hc_health *health, size_t index,
                       enum hc_problem flaws[HC_FLAWS_TOLD])
{
    const struct entry *entry = &health->entries[index];
    size_t count = 0;

    while (count < HC_FLAWS_TOLD && entry->flaws[count] != HC_P_NONE) {
        flaws[count] = (enum hc_problem)entry->flaws[count];
        count++;
    }
    return count;
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

/* What was found, without what changes every time (the messages have times in them). */
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

static void say(struct hc_health *health, struct entry *entry, const char *subject,
                const struct hc_identity *identity, const struct hc_findings *findings,
                bool last_tenth)
{
    hc_said said = digest_of(findings, last_tenth);
    int64_t now = hc_env_now(health->o.env);

    if (said == entry->said && (said == 0 || now < entry->said_at + AGAIN_S)) {
        return;
    }
    if (said == 0) {
        hc_logf(health->o.env->log, HC_LOG_NOTICE,
                "%s: the reported certificate problems are resolved", subject);
    }
    entry->said = said;
    entry->said_at = now;
    for (size_t i = 0; i < findings->count; i++) {
        struct hc_findings one = {&findings->items[i], 1, 1};
        bool soon = findings->items[i].problem == HC_P_EXPIRES_SOON;

        hc_judge_say(health->o.env->log, subject, &identity->set->accept, &one, HC_LOG_ERROR,
                     soon ? (last_tenth ? HC_LOG_ERROR : HC_LOG_WARN) : HC_LOG_NOTICE);
    }
}

/* Keeps the flaws for `list`: each once, and none that the operator accepts. */
static void note_flaws(struct entry *entry, const struct hc_identity *identity,
                       const struct hc_findings *findings)
{
    size_t count = 0;

    memset(entry->flaws, 0, sizeof(entry->flaws));
    for (size_t i = 0; i < findings->count && count < HC_FLAWS_TOLD; i++) {
        enum hc_problem problem = findings->items[i].problem;
        bool told = findings->items[i].rank == HC_CLASS_REMARK ||
                    hc_list_has(&identity->set->accept, hc_problem_row(problem)->slug);

        for (size_t k = 0; k < count; k++) {
            told = told || entry->flaws[k] == problem;
        }
        if (!told) {
            entry->flaws[count++] = (uint16_t)problem;
        }
    }
}

static void judge_one(struct hc_health *health, size_t index)
{
    const struct hc_identity *identity = &health->o.env->conf->identities[index];
    struct entry *entry = &health->entries[index];
    struct hc_bundle *bundle = hc_publisher_served(health->o.publisher, index);
    struct hc_findings findings = {NULL, 0, 0};
    int64_t now = hc_env_now(health->o.env);
    struct hc_judge_case c = {.identity = identity,
                              .left_out = hc_outlook_left_out(health->o.outlooks, index),
                              .now = now};
    char subject[HC_SUBJECT];
    bool last_tenth = false;
    struct hc_error err;

    hc_error_init(&err);
    entry->judge_at = now + EVERY_S;
    for (size_t i = 0; bundle != NULL && i < hc_bundle_count(bundle); i++) {
        const struct hc_pair *pair = hc_bundle_pair(bundle, i);
        int64_t next = next_change(pair, now);

        if (hc_judge_served(health->o.judge, &c, pair, &findings, &err) != 0) {
            hc_log_error(health->o.env->log, HC_LOG_ERROR, "checking the served certificates",
                         &err);
            break;
        }
        last_tenth = last_tenth || in_last_tenth(pair, now);
        entry->judge_at = next < entry->judge_at ? next : entry->judge_at;
    }
    note_flaws(entry, identity, &findings);
    if (bundle != NULL) {
        say(health, entry, hc_identity_subject(identity, subject), identity, &findings, last_tenth);
    }
    hc_findings_dispose(&findings);
    hc_bundle_free(bundle);
}

void hc_health_note(struct hc_health *health, size_t index, const struct hc_pair *pair,
                    const struct hc_findings *findings)
{
    const struct hc_identity *identity = &health->o.env->conf->identities[index];
    struct entry *entry = &health->entries[index];
    int64_t now = hc_env_now(health->o.env);
    char subject[HC_SUBJECT];

    if (identity->set->key_types.count != 1) {
        return; /* what is said is said of all its pairs together */
    }
    entry->judge_at = next_change(pair, now);
    note_flaws(entry, identity, findings);
    say(health, entry, hc_identity_subject(identity, subject), identity, findings,
        in_last_tenth(pair, now));
}

int64_t hc_health_run(struct hc_health *health)
{
    int64_t now = hc_env_now(health->o.env);
    int64_t soonest = now + 60;
    int judged = 0;

    if (hc_clock_watch_is_wrong(health->o.clock)) {
        return HC_ENV_TICK_MS; /* no verdicts on time by a clock that is wrong */
    }
    if (now < health->next_at && health->next_at <= soonest) {
        return (health->next_at - now) * 1000;
    }
    health->next_at = 0;
    for (size_t i = 0; i < health->o.env->conf->identity_count; i++) {
        struct entry *entry = &health->entries[i];

        if (now >= entry->judge_at || entry->judge_at > now + 2 * EVERY_S) {
            if (judged++ == AT_ONCE) {
                return 0;
            }
            judge_one(health, i);
        }
        soonest = entry->judge_at < soonest ? entry->judge_at : soonest;
    }
    health->next_at = soonest;
    return soonest > now ? (soonest - now) * 1000 : 0;
}

/* ---- life ---- */

static void on_due(void *self)
{
    struct hc_health *health = self;

    hc_timer_in(&health->due, hc_health_run(health));
}

static void on_event(void *self, const struct hc_event *event)
{
    struct hc_health *health = self;

    if (event->kind == HC_EVENT_PUBLISHED) {
        health->entries[event->index].judge_at = health->next_at = 0;
        hc_timer_within(&health->due, 0);
    }
}

int hc_health_new(const struct hc_health_options *options, struct hc_health **out,
                  struct hc_error *err)
{
    struct hc_health *health = calloc(1, sizeof(*health));

    if (health == NULL) {
        return hc_error_nomem(err);
    }
    health->o = *options;
    hc_timer_init(&health->due, options->env->loop, "health", on_due, health);
    hc_timer_in(&health->due, 0);
    health->entries = calloc(options->env->conf->identity_count + 1, sizeof(*health->entries));
    if (health->entries == NULL) {
        hc_error_nomem(err);
        goto failed;
    }
    if (hc_events_add(options->env->events, on_event, health, err) != 0) {
        goto failed;
    }
    *out = health;
    return 0;
failed:
    hc_health_free(health);
    return -1;
}

void hc_health_free(struct hc_health *health)
{
    if (health == NULL) {
        return;
    }
    hc_events_remove(health->o.env->events, health);
    hc_timer_stop(&health->due);
    free(health->entries);
    free(health);
}
