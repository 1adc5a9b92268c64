/* Publishing; see publisher.h. */
#include "agent/publisher.h"

#include <stdlib.h>
#include <string.h>

#include "agent/best.h"
#include "agent/hosts.h"
#include "agent/offers.h"
#include "agent/said.h"
#include "agent/shelf.h"
#include "loop/timer.h"

/* A table that was full is tried again after this, or when there is another pair. */
#define AGAIN_MS 300000
#define WEIGH_S  3600 /* lines beside `on` age, too */

/* What the table has of one identity. */
struct served {
    struct hc_publication is;
    hc_said said_unpublished;
    hc_said said_first;
    int64_t weigh_at; /* UTC: lines and what was obtained are weighed again then */
};

struct hc_publisher {
    struct hc_publisher_options o;
    struct served *served;      /* as conf->identities */
    struct hc_published *items; /* of their selections */
    struct hc_offers offers;
    struct hc_hosts hosts;
    struct hc_timer tick;
    struct hc_timer sweep; /* goes on with hc_publisher_run() */
    size_t next;           /* identity of the sweep */
    size_t left;           /* of them all */
};

static const struct hc_identity *identity_of(const struct hc_publisher *publisher, size_t index)
{
    return &publisher->o.env->conf->identities[index];
}

/* ---- into the table ---- */

struct hc_bundle *hc_publisher_served(const struct hc_publisher *publisher, size_t index)
{
    struct hc_bundle *bundle = NULL;
    struct hc_error err;

    hc_error_init(&err);
    if (hc_shelf_get(publisher->o.table, identity_of(publisher, index), &bundle, &err) != 0) {
        hc_log_error(publisher->o.env->log, HC_LOG_ERROR, "reading the served certificates", &err);
    }
    return bundle;
}

static void say_served(struct hc_publisher *publisher, const struct hc_identity *identity,
                       const struct hc_bundle *bundle)
{
    char subject[HC_SUBJECT];
    char until[HC_TIME_TEXT];

    for (size_t i = 0; i < hc_bundle_count(bundle); i++) {
        const struct hc_pair *pair = hc_bundle_pair(bundle, i);

        hc_logf(publisher->o.env->log, HC_LOG_NOTICE, "%s: now served: serial %s, %s, until %s",
                hc_identity_subject(identity, subject), hc_pair_serial(pair),
                hc_key_type_name(hc_pair_key_type(pair)),
                hc_time_format(hc_pair_not_after(pair), until));
    }
}

static void publish_bundle(struct hc_publisher *publisher, size_t index,
                           const struct hc_bundle *bundle)
{
    const struct hc_identity *identity = identity_of(publisher, index);
    struct served *served = &publisher->served[index];
    struct hc_error err;
    int rc = 0;

    hc_error_init(&err);
    rc = hc_shelf_put(publisher->o.table, identity, bundle, &err);
    if (rc < 0) {
        hc_error_during(&err, "publishing");
        hc_say_once(publisher->o.env->log, &served->said_unpublished, HC_LOG_ERROR,
                    hc_identity_label(identity), &err);
        served->is.again_ms = hc_env_ms(publisher->o.env) + AGAIN_MS;
        return;
    }
    served->is.published = true;
    served->is.again_ms = 0;
    served->said_unpublished = 0;
    if (rc > 0) {
        struct hc_event event = {.kind = HC_EVENT_PUBLISHED, .index = index};

        say_served(publisher, identity, bundle);
        hc_events_raise(publisher->o.env->events, &event);
    }
}

/* NULL: there is none, or it could not be made. *known: all of its files were read. */
static struct hc_bundle *watched_bundle(struct hc_publisher *publisher, size_t index, bool *known)
{
    struct hc_bundle *bundle = NULL;
    struct hc_error err;

    hc_error_init(&err);
    *known = hc_offers_are_known(&publisher->offers, index);
    if (hc_offers_bundle(&publisher->offers, index, &bundle, &err) != 0) {
        hc_log_error(publisher->o.env->log, HC_LOG_ERROR, "combining watched pairs", &err);
    }
    return bundle;
}

/* ---- certificate lines beside `on`: agent/first.h ---- */

/* Once, when they have served their time, or why they still do. */
static void say_first(struct hc_publisher *publisher, size_t index, bool has_lines)
{
    static const char *const sentences[] = {
        [HC_FIRST_OBTAINED] =
            "serving the obtained certificate; you can remove the certificate lines",
        [HC_FIRST_ALONE] = "serving the certificate lines until hotcert obtains a certificate",
        [HC_FIRST_TRUSTED] = "still serving the certificate lines: their certificate leads to a "
                             "trusted root, the obtained one does not",
        [HC_FIRST_BETTER] = "still serving the certificate lines: the obtained certificate has a "
                            "flaw that theirs does not have",
        [HC_FIRST_OUTLASTED] =
            "serving the certificate lines: the obtained certificate has expired",
    };
    struct served *served = &publisher->served[index];
    hc_said said = (hc_said)served->is.first + 1;
    char subject[HC_SUBJECT];

    if (said == served->said_first ||
        (served->is.first == HC_FIRST_OBTAINED && (!has_lines || !served->is.complete))) {
        return;
    }
    served->said_first = said;
    hc_logf(publisher->o.env->log, HC_LOG_NOTICE, "%s (%s): %s",
            hc_identity_subject(identity_of(publisher, index), subject),
            identity_of(publisher, index)->where.items[0], sentences[served->is.first]);
}

/* Weighs what was obtained (NULL: nothing) and publishes it, or the pairs of the lines. */
static void publish_best(struct hc_publisher *publisher, size_t index,
                         const struct hc_bundle *obtained)
{
    const struct hc_identity *identity = identity_of(publisher, index);
    struct served *served = &publisher->served[index];
    int64_t now = hc_env_now(publisher->o.env);
    bool known = true;
    struct hc_bundle *lines = watched_bundle(publisher, index, &known);
    struct hc_first_case c = {identity, lines, obtained, served->is.complete, now};
    const struct hc_bundle *best = NULL;
    struct hc_error err;

    hc_error_init(&err);
    if (hc_first_choose(publisher->o.judge, &c, &served->is.first, &err) != 0) {
        hc_log_error(publisher->o.env->log, HC_LOG_ERROR, "comparing the certificate lines", &err);
    }
    best = served->is.first == HC_FIRST_OBTAINED ? obtained : lines;
    served->is.first_until = served->is.first == HC_FIRST_OBTAINED ? 0 : hc_first_until(lines);
    served->weigh_at = now + WEIGH_S;
    served->is.complete = served->is.complete && served->is.first != HC_FIRST_ALONE;
    if (best != NULL) {
        publish_bundle(publisher, index, best);
        say_first(publisher, index, identity->watched_count > 0);
    }
    hc_bundle_free(lines);
}

/* True if something may have changed but for the store's pairs. */
static bool must_weigh(const struct hc_publisher *publisher, size_t index)
{
    const struct served *served = &publisher->served[index];

    return identity_of(publisher, index)->watched_count > 0 &&
           hc_env_now(publisher->o.env) >= served->weigh_at;
}

bool hc_publisher_needs_files(const struct hc_publisher *publisher, size_t index)
{
    const struct served *served = &publisher->served[index];

    return identity_of(publisher, index)->mode != HC_MODE_ON || !served->is.known ||
           !served->is.complete || served->is.first != HC_FIRST_OBTAINED ||
           hc_env_now(publisher->o.env) >= served->is.obtained_until;
}

static bool is_chosen(const struct hc_publication *is, const struct hc_selection *selection)
{
    bool same = is->count == selection->count;

    for (size_t i = 0; same && i < is->count; i++) {
        same = is->items[i].version == selection->items[i].version &&
               is->items[i].committed == selection->items[i].committed &&
               memcmp(is->items[i].line, selection->items[i].line, HC_LINE_HEAD) == 0;
    }
    return same;
}

/* One for each of the identity's key types at most: for so many there is room. */
static void choose(struct hc_publication *is, const struct hc_selection *selection)
{
    is->count = (uint8_t)selection->count;
    for (size_t i = 0; i < selection->count; i++) {
        const struct hc_selected *from = &selection->items[i];
        struct hc_published *item = &is->items[i];

        *item = (struct hc_published){
            .version = from->version, .committed = from->committed, .own = from->own};
        memcpy(item->line, from->line, HC_LINE_HEAD);
    }
}

/* info and pair: what was committed a moment ago, or NULL. */
static void publish_obtained(struct hc_publisher *publisher, size_t index,
                             const struct hc_line_info *info, struct hc_pair *pair)
{
    const struct hc_identity *identity = identity_of(publisher, index);
    struct served *served = &publisher->served[index];
    struct hc_best_source source = {
        .conf = publisher->o.env->conf,
        .store = hc_storage_store(publisher->o.storage),
        .inventory = hc_storage_inventory(publisher->o.storage),
        .log = publisher->o.env->log,
        .now = hc_env_now(publisher->o.env),
    };
    struct hc_selection selection;
    struct hc_bundle *bundle = NULL;
    struct hc_error err;
    int rc = 0;

    hc_error_init(&err);
    if (source.store == NULL || !hc_offers_are_known(&publisher->offers, index)) {
        return; /* a part of the lines would take away what the loader published */
    }
    if (pair != NULL) {
        source.fresh.line = info->line;
        source.fresh.version = info->version;
        source.fresh.pair = pair;
    }
    hc_best_select(&source, identity, &selection);
    if (served->is.known && is_chosen(&served->is, &selection) &&
        (served->is.again_ms == 0 || hc_env_ms(publisher->o.env) < served->is.again_ms) &&
        !must_weigh(publisher, index)) {
        return;
    }
    rc = hc_best_bundle(&source, identity, &selection, &bundle, &err);
    if (rc < 0) {
        hc_say_once(publisher->o.env->log, &served->said_unpublished, HC_LOG_ERROR,
                    "reading the certificates to serve", &err);
        return;
    }
    choose(&served->is, &selection);
    served->is.known = true;
    served->is.complete = hc_selection_is_own(&selection, identity);
    served->is.obtained_until = hc_first_until(bundle);
    publish_best(publisher, index, rc > 0 ? bundle : NULL);
    hc_bundle_free(bundle);
}

static void publish_watched(struct hc_publisher *publisher, size_t index)
{
    bool known = true; /* a part of them would take away what the loader published */
    struct hc_bundle *bundle = watched_bundle(publisher, index, &known);

    if (bundle != NULL && known) {
        publisher->served[index].is.complete = true;
        publish_bundle(publisher, index, bundle);
    }
    hc_bundle_free(bundle);
}

static void publish_identity(struct hc_publisher *publisher, size_t index)
{
    if (identity_of(publisher, index)->mode == HC_MODE_ON) {
        publish_obtained(publisher, index, NULL, NULL);
    } else {
        publish_watched(publisher, index);
    }
}

/* As many as one may at a time. */
static void sweep(void *self)
{
    struct hc_publisher *publisher = self;
    int64_t began_us = hc_activity_cpu_us();

    while (publisher->left > 0) {
        if (hc_activity_cpu_us() - began_us > HC_LOOP_SLICE_US) {
            hc_timer_in(&publisher->sweep, 0);
            return;
        }
        publisher->left--;
        publisher->next %= publisher->o.env->conf->identity_count;
        publish_identity(publisher, publisher->next++);
    }
}

void hc_publisher_run(struct hc_publisher *publisher)
{
    publisher->left = publisher->o.env->conf->identity_count;
    sweep(publisher);
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

/* The line's own identity and those that lack a pair and share a name. */
static void publish_line(struct hc_publisher *publisher, const struct hc_line_info *info,
                         struct hc_pair *pair)
{
    const struct hc_hosts *hosts = &publisher->hosts;

    for (size_t i = 0; i < info->names.count; i++) {
        const char *name = info->names.items[i];

        for (size_t at = hc_hosts_find(hosts, name);
             at < hosts->count && strcmp(hosts->items[at].name, name) == 0; at++) {
            size_t index = hosts->items[at].index;

            if (!was_found(identity_of(publisher, index), &info->names, i)) {
                publish_obtained(publisher, index, info, pair);
            }
        }
    }
}

static void on_event(void *self, const struct hc_event *event)
{
    struct hc_publisher *publisher = self;

    if (event->kind == HC_EVENT_STORE_OPENED || event->kind == HC_EVENT_LINES_CHANGED) {
        hc_publisher_run(publisher);
    } else if ((event->kind == HC_EVENT_LINE_COMMITTED || event->kind == HC_EVENT_LINE_FOUND) &&
               event->line->mode == HC_MODE_ON) {
        publish_line(publisher, event->line, event->pair);
    }
}

/* ---- watched files ---- */

void hc_publisher_hold(struct hc_publisher *publisher, size_t index, size_t which,
                       struct hc_pair *pair)
{
    hc_offers_hold(&publisher->offers, index, which, pair);
}

void hc_publisher_offer(struct hc_publisher *publisher, size_t index, size_t which,
                        struct hc_pair *pair)
{
    hc_offers_put(&publisher->offers, index, which, pair);
    publisher->served[index].weigh_at = 0;
    publish_identity(publisher, index);
}

/* ---- what it is ---- */

const struct hc_publication *hc_publisher_of(const struct hc_publisher *publisher, size_t index)
{
    return &publisher->served[index].is;
}

int64_t hc_publisher_until(const struct hc_publisher *publisher, size_t index)
{
    const struct hc_publication *is = &publisher->served[index].is;
    int64_t until = is->first_until;

    if (until > 0) {
        return until;
    }
    for (size_t i = 0; i < is->count; i++) {
        const struct hc_line_info *info =
            hc_inventory_find_head(hc_storage_inventory(publisher->o.storage), is->items[i].line);

        if (info != NULL && (until == 0 || info->not_after < until)) {
            until = info->not_after;
        }
    }
    return until;
}

const struct hc_line_info *hc_publisher_in_use(const struct hc_publisher *publisher, size_t index)
{
    const struct hc_publication *is = &publisher->served[index].is;
    const struct hc_inventory *inventory = hc_storage_inventory(publisher->o.storage);
    unsigned char line[HC_ID_SIZE];

    if (is->first_until > 0) {
        hc_watched_line(publisher->o.env->conf, &identity_of(publisher, index)->watched[0], line);
        return hc_inventory_find(inventory, line);
    }
    return is->count > 0 ? hc_inventory_find_head(inventory, is->items[0].line) : NULL;
}

const struct hc_line_info *hc_publisher_stand_in(const struct hc_publisher *publisher, size_t index)
{
    const struct hc_publication *is = &publisher->served[index].is;

    for (size_t i = 0; i < is->count; i++) {
        if (!is->items[i].own) {
            return hc_inventory_find_head(hc_storage_inventory(publisher->o.storage),
                                          is->items[i].line);
        }
    }
    return NULL;
}

/* ---- life ---- */

static void on_tick(void *self)
{
    struct hc_publisher *publisher = self;

    hc_publisher_run(publisher);
    hc_timer_in(&publisher->tick, hc_env_tick_ms(publisher->o.env));
}

static size_t room_of(const struct hc_identity *identity)
{
    return identity->mode == HC_MODE_ON ? identity->set->key_types.count : 0;
}

static int make_items(struct hc_publisher *publisher, struct hc_error *err)
{
    const struct hc_conf *conf = publisher->o.env->conf;
    size_t count = 0;

    for (size_t i = 0; i < conf->identity_count; i++) {
        count += room_of(&conf->identities[i]);
    }
    publisher->items = calloc(count + 1, sizeof(*publisher->items));
    if (publisher->items == NULL) {
        return hc_error_nomem(err);
    }
    count = 0;
    for (size_t i = 0; i < conf->identity_count; i++) {
        publisher->served[i].is.items = &publisher->items[count];
        count += room_of(&conf->identities[i]);
    }
    return 0;
}

int hc_publisher_new(const struct hc_publisher_options *options, struct hc_publisher **out,
                     struct hc_error *err)
{
    struct hc_publisher *publisher = calloc(1, sizeof(*publisher));

    if (publisher == NULL) {
        return hc_error_nomem(err);
    }
    publisher->o = *options;
    hc_timer_init(&publisher->tick, options->env->loop, "publishing", on_tick, publisher);
    hc_timer_in(&publisher->tick, 0);
    hc_timer_init(&publisher->sweep, options->env->loop, "publishing", sweep, publisher);
    publisher->served = calloc(options->env->conf->identity_count + 1, sizeof(*publisher->served));
    if (publisher->served == NULL) {
        hc_error_nomem(err);
        goto failed;
    }
    if (make_items(publisher, err) != 0 ||
        hc_offers_init(&publisher->offers, options->env->conf, err) != 0 ||
        hc_hosts_init(&publisher->hosts, options->env->conf, err) != 0 ||
        hc_events_add(options->env->events, on_event, publisher, err) != 0) {
        goto failed;
    }
    *out = publisher;
    return 0;
failed:
    hc_publisher_free(publisher);
    return -1;
}

void hc_publisher_free(struct hc_publisher *publisher)
{
    if (publisher == NULL) {
        return;
    }
    hc_events_remove(publisher->o.env->events, publisher);
    hc_timer_stop(&publisher->tick);
    hc_timer_stop(&publisher->sweep);
    hc_offers_dispose(&publisher->offers);
    free(publisher->served);
    free(publisher->items);
    hc_hosts_dispose(&publisher->hosts);
    free(publisher);
}
