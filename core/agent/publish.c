/*
 * Publishing: an identity's best bundle into the live table, and only what differs from what stands
 * there, so that workers parse nothing twice. Always after the commit.
 */
#include <stdlib.h>
#include <string.h>

#include "agent/best.h"
#include "agent/first.h"
#include "agent/state.h"

/* A table that was full is tried again after this, or when there is another pair. */
#define AGAIN_MS 300000
#define WEIGH_S  3600 /* lines beside `on` age, too */

/* ---- life ---- */

static int compare_named(const void *a, const void *b)
{
    const struct hc_named *left = a;
    const struct hc_named *right = b;
    int order = strcmp(left->name, right->name);

    return order != 0 ? order : left->index < right->index ? -1 : left->index > right->index;
}

/* Goes over the names under `on`; *out, if not NULL, has room for them. */
static size_t collect_names(const struct hc_conf *conf, struct hc_named *out)
{
    size_t count = 0;

    for (size_t i = 0; i < conf->identity_count; i++) {
        const struct hc_identity *identity = &conf->identities[i];

        for (size_t k = 0; identity->mode == HC_MODE_ON && k < identity->names.count; k++) {
            if (out != NULL) {
                out[count] = (struct hc_named){identity->names.items[k], i};
            }
            count++;
        }
    }
    return count;
}

int hc_publish_new(struct hc_agent *agent, struct hc_error *err)
{
    size_t count = collect_names(agent->conf, NULL);

    agent->served = calloc(agent->conf->identity_count + 1, sizeof(*agent->served));
    agent->named = calloc(count + 1, sizeof(*agent->named));
    if (agent->served == NULL || agent->named == NULL) {
        return hc_error_nomem(err);
    }
    agent->named_count = collect_names(agent->conf, agent->named);
    qsort(agent->named, agent->named_count, sizeof(*agent->named), compare_named);
    return 0;
}

void hc_publish_free(struct hc_agent *agent)
{
    free(agent->served);
    free(agent->named);
    agent->served = NULL;
    agent->named = NULL;
}

/* ---- into the table ---- */

/* Puts the bundle into the table unless the same bytes are there. 1: it was put, 0: it was there.
 */
static int put_bundle(struct hc_agent *agent, const struct hc_identity *identity,
                      const struct hc_bundle *bundle, struct hc_error *err)
{
    struct hc_buf fresh = HC_BUF_INIT_SECRET(HC_BUNDLE_MAX);
    struct hc_buf there = HC_BUF_INIT_SECRET(HC_BUNDLE_MAX);
    struct hc_error ignored;
    uint64_t value = 0;
    int64_t slot = hc_table_find(agent->o.table, identity->id);
    int rc = -1;

    hc_error_init(&ignored);
    if (hc_bundle_encode(bundle, &fresh, err) != 0) {
        goto out;
    }
    if (slot >= 0 &&
        hc_table_read(agent->o.table, slot, identity->id, &value, &there, &ignored) == 1 &&
        there.len == fresh.len && memcmp(there.data, fresh.data, fresh.len) == 0) {
        rc = 0;
        goto out;
    }
    rc = hc_table_publish(agent->o.table, identity->id, hc_bytes_of(&fresh), HC_PUBLISH_REPLACE,
                          err);
    rc = rc == 0 ? 1 : -1;
out:
    hc_buf_dispose(&fresh);
    hc_buf_dispose(&there);
    return rc;
}

struct hc_bundle *hc_publish_served(const struct hc_agent *agent,
                                    const struct hc_identity *identity)
{
    struct hc_buf bytes = HC_BUF_INIT_SECRET(HC_BUNDLE_MAX);
    int64_t slot = hc_table_find(agent->o.table, identity->id);
    struct hc_bundle *bundle = NULL;
    struct hc_error err;
    uint64_t value = 0;

    hc_error_init(&err);
    if (slot >= 0 && hc_table_read(agent->o.table, slot, identity->id, &value, &bytes, &err) == 1 &&
        hc_bundle_decode(bytes.data, bytes.len, &bundle, &err) != 0) {
        bundle = NULL;
    }
    if (hc_error_is_set(&err)) {
        hc_log_error(agent->o.log, HC_LOG_ERROR, "reading what is served", &err);
    }
    hc_buf_dispose(&bytes);
    return bundle;
}

static void say_served(struct hc_agent *agent, const struct hc_identity *identity,
                       const struct hc_bundle *bundle)
{
    char subject[HC_SUBJECT];
    char until[HC_TIME_TEXT];

    for (size_t i = 0; i < hc_bundle_count(bundle); i++) {
        const struct hc_pair *pair = hc_bundle_pair(bundle, i);

        hc_logf(agent->o.log, HC_LOG_NOTICE, "%s: now served: serial %s, %s, until %s",
                hc_identity_subject(identity, subject), hc_pair_serial(pair),
                hc_key_type_name(hc_pair_key_type(pair)),
                hc_time_format(hc_pair_not_after(pair), until));
    }
}

static void publish_bundle(struct hc_agent *agent, size_t index, const struct hc_bundle *bundle)
{
    const struct hc_identity *identity = &agent->conf->identities[index];
    struct hc_served *served = &agent->served[index];
    struct hc_error err;
    int rc = 0;

    hc_error_init(&err);
    rc = put_bundle(agent, identity, bundle, &err);
    if (rc < 0) {
        hc_error_during(&err, "publishing");
        hc_say_once(agent->o.log, &served->said_unpublished, HC_LOG_ERROR,
                    hc_identity_label(identity), &err);
        served->again_ms = hc_agent_ms(agent) + AGAIN_MS;
        return;
    }
    served->published = true;
    served->again_ms = 0;
    served->said_unpublished = 0;
    if (rc > 0) {
        served->look_at = agent->health_at = 0;
        say_served(agent, identity, bundle);
    }
}

/* The watched pairs' last good ones; of two with keys of one kind the later counts, as in nginx. */
static size_t collect_watched(struct hc_agent *agent, size_t index,
                              struct hc_pair *pairs[HC_BUNDLE_PAIRS], bool *looked)
{
    size_t count = 0;
    size_t watch_count = 0;
    const struct hc_watch *watches = hc_watches_of(agent, index, &watch_count);

    for (size_t i = 0; i < watch_count; i++) {
        struct hc_pair *pair = watches[i].pair;
        size_t at = 0;

        *looked = *looked && watches[i].read_once;
        if (pair == NULL) {
            continue;
        }
        while (at < count && hc_pair_algorithm(pairs[at]) != hc_pair_algorithm(pair)) {
            at++;
        }
        if (at == HC_BUNDLE_PAIRS) {
            continue;
        }
        if (at < count) {
            hc_pair_free(pairs[at]);
        } else {
            count++;
        }
        pairs[at] = hc_pair_ref(pair);
    }
    return count;
}

/* NULL: there is none, or err is set. *looked: at all of them. */
static struct hc_bundle *watched_bundle(struct hc_agent *agent, size_t index, bool *looked)
{
    struct hc_pair *pairs[HC_BUNDLE_PAIRS] = {NULL};
    struct hc_bundle *bundle = NULL;
    struct hc_error err;
    size_t count = 0;

    hc_error_init(&err);
    *looked = true;
    count = collect_watched(agent, index, pairs, looked);
    if (count > 0 && hc_bundle_new(pairs, count, &bundle, &err) != 0) {
        hc_log_error(agent->o.log, HC_LOG_ERROR, "putting watched pairs together", &err);
        for (size_t i = 0; i < count; i++) {
            hc_pair_free(pairs[i]);
        }
    }
    return bundle;
}

/* ---- certificate lines beside `on`: agent/first.h ---- */

/* Once, when they have served their time, or why they still do. */
static void say_first(struct hc_agent *agent, size_t index, bool has_lines)
{
    static const char *const sentences[] = {
        [HC_FIRST_OBTAINED] = "the obtained certificate serves: its certificate lines can go",
        [HC_FIRST_ALONE] = "its certificate lines serve until a certificate is obtained",
        [HC_FIRST_TRUSTED] = "its certificate lines go on serving: trusted roots carry their "
                             "certificate, and not the obtained one",
        [HC_FIRST_BETTER] = "its certificate lines go on serving: the obtained certificate has a "
                            "flaw that theirs is without",
        [HC_FIRST_OUTLASTED] = "its certificate lines serve: the obtained certificate has expired",
    };
    struct hc_served *served = &agent->served[index];
    hc_said said = (hc_said)served->first + 1;
    char subject[HC_SUBJECT];

    if (said == served->said_first ||
        (served->first == HC_FIRST_OBTAINED && (!has_lines || !served->complete))) {
        return;
    }
    served->said_first = said;
    hc_logf(agent->o.log, HC_LOG_NOTICE, "%s (%s): %s",
            hc_identity_subject(&agent->conf->identities[index], subject),
            agent->conf->identities[index].where.items[0], sentences[served->first]);
}

/* Weighs what was obtained (NULL: nothing) and publishes it, or the pairs of the lines. */
static void publish_best(struct hc_agent *agent, size_t index, const struct hc_bundle *obtained)
{
    const struct hc_identity *identity = &agent->conf->identities[index];
    struct hc_served *served = &agent->served[index];
    int64_t now = hc_agent_now(agent);
    bool looked = true;
    struct hc_bundle *lines = watched_bundle(agent, index, &looked);
    const struct hc_bundle *best = NULL;
    struct hc_error err;

    hc_error_init(&err);
    if (hc_first_choose(&agent->judge, identity, lines, obtained, served->complete, now,
                        &served->first, &err) != 0) {
        hc_log_error(agent->o.log, HC_LOG_ERROR, "weighing the certificate lines", &err);
    }
    best = served->first == HC_FIRST_OBTAINED ? obtained : lines;
    served->first_until = served->first == HC_FIRST_OBTAINED ? 0 : hc_first_until(lines);
    served->weigh_at = now + WEIGH_S;
    served->complete = served->complete && served->first != HC_FIRST_ALONE;
    if (best != NULL) {
        publish_bundle(agent, index, best);
        say_first(agent, index, identity->watched_count > 0);
    }
    hc_bundle_free(lines);
}

/* True if something may have changed but for the store's pairs. */
static bool must_weigh(const struct hc_agent *agent, size_t index)
{
    const struct hc_served *served = &agent->served[index];

    return agent->conf->identities[index].watched_count > 0 &&
           hc_agent_now(agent) >= served->weigh_at;
}

/* A part of the lines would take away what the loader published. */
static bool lines_were_read(const struct hc_agent *agent, size_t index)
{
    size_t count = 0;
    const struct hc_watch *watches = hc_watches_of(agent, index, &count);

    for (size_t i = 0; i < count; i++) {
        if (!watches[i].read_once) {
            return false;
        }
    }
    return true;
}

bool hc_publish_needs_files(const struct hc_agent *agent, size_t index)
{
    const struct hc_served *served = &agent->served[index];

    return agent->conf->identities[index].mode != HC_MODE_ON || !served->known ||
           !served->complete || served->first != HC_FIRST_OBTAINED ||
           hc_agent_now(agent) >= served->obtained_until;
}

void hc_publish_files(struct hc_agent *agent, size_t index)
{
    agent->served[index].weigh_at = 0;
    hc_publish_identity(agent, index);
}

/* info and pair: what was committed a moment ago, or NULL. */
static void publish_obtained(struct hc_agent *agent, size_t index, const struct hc_line_info *info,
                             struct hc_pair *pair)
{
    const struct hc_identity *identity = &agent->conf->identities[index];
    struct hc_served *served = &agent->served[index];
    struct hc_best_source source = {
        .conf = agent->conf,
        .store = hc_agent_store(agent),
        .inventory = hc_agent_inventory(agent),
        .log = agent->o.log,
        .now = hc_agent_now(agent),
    };
    struct hc_selection selection;
    struct hc_bundle *bundle = NULL;
    struct hc_error err;
    int rc = 0;

    hc_error_init(&err);
    if (source.store == NULL || !lines_were_read(agent, index)) {
        return;
    }
    if (pair != NULL) {
        source.fresh.line = info->line;
        source.fresh.version = info->version;
        source.fresh.pair = pair;
    }
    hc_select(agent->conf, identity, hc_agent_inventory(agent), source.now, NULL, NULL, &selection);
    if (served->known && hc_selection_equal(&selection, &served->selection) &&
        (served->again_ms == 0 || hc_agent_ms(agent) < served->again_ms) &&
        !must_weigh(agent, index)) {
        return;
    }
    rc = hc_best_bundle(&source, identity, &selection, &bundle, &err);
    if (rc < 0) {
        hc_say_once(agent->o.log, &served->said_unpublished, HC_LOG_ERROR,
                    "reading what is to be served", &err);
        return;
    }
    served->selection = selection;
    served->known = true;
    served->complete = hc_selection_is_own(&selection, identity);
    served->obtained_until = hc_first_until(bundle);
    publish_best(agent, index, rc > 0 ? bundle : NULL);
    hc_bundle_free(bundle);
}

static void publish_watched(struct hc_agent *agent, size_t index)
{
    bool looked = true; /* at all of them: a part would take away what the loader published */
    struct hc_bundle *bundle = watched_bundle(agent, index, &looked);

    if (bundle != NULL && looked) {
        agent->served[index].complete = true;
        publish_bundle(agent, index, bundle);
    }
    hc_bundle_free(bundle);
}

void hc_publish_identity(struct hc_agent *agent, size_t index)
{
    if (agent->conf->identities[index].mode == HC_MODE_ON) {
        publish_obtained(agent, index, NULL, NULL);
    } else {
        publish_watched(agent, index);
    }
}

void hc_publish_all(struct hc_agent *agent)
{
    for (size_t i = 0; i < agent->conf->identity_count; i++) {
        hc_publish_identity(agent, i);
    }
}

/* The first place of a name in agent->named, or where it would stand. */
static size_t place_of(const struct hc_agent *agent, const char *name)
{
    size_t low = 0;
    size_t high = agent->named_count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (strcmp(agent->named[middle].name, name) < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

/* True if one of the first names of the line's leads to the identity already. */
static bool was_found(const struct hc_identity *identity, const struct hc_list *names, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (hc_list_has(&identity->names, names->items[i])) {
            return true;
        }
    }
    return false;
}

void hc_publish_after(struct hc_agent *agent, const struct hc_line_info *info, struct hc_pair *pair)
{
    for (size_t i = 0; i < info->names.count; i++) {
        const char *name = info->names.items[i];

        for (size_t at = place_of(agent, name);
             at < agent->named_count && strcmp(agent->named[at].name, name) == 0; at++) {
            size_t index = agent->named[at].index;

            if (!was_found(&agent->conf->identities[index], &info->names, i)) {
                publish_obtained(agent, index, info, pair);
            }
        }
    }
}
