/* One TXT value: located, written, spread, removed; see txt.h. */
#include "solve/txt.h"

#include <openssl/crypto.h>
#include <stdlib.h>
#include <string.h>

#define LOCATE_MS     20000
#define RETRY_MS      10000 /* of a removal that failed; doubles .. */
#define RETRY_MOST_MS 3600000
#define TRIES_UNSTOOD 4 /* of removing what never stood for sure */

static const struct hc_writer_env *env_of(const struct hc_txt *txt)
{
    return &txt->txts->o.env;
}

/* ---- strings ---- */

/* The struct's strings are const for writers; here they are owned. */
static char *owned(const char *text)
{
    return (char *)(uintptr_t)text;
}

static void wipe(const char *text)
{
    if (text != NULL) {
        OPENSSL_cleanse(owned(text), strlen(text));
        free(owned(text));
    }
}

static int replace(const char **at, const char *text, struct hc_error *err)
{
    char *copy = NULL;

    if (text != NULL && hc_strdup(text, &copy, err) != 0) {
        return -1;
    }
    wipe(*at);
    *at = copy;
    return 0;
}

/* What is not known is "", but for the zone. */
static int take_strings(struct hc_txt_value *to, const struct hc_txt_value *from,
                        struct hc_error *err)
{
    const char **const strings[] = {&to->name,  &to->value,   &to->alias, &to->domain,
                                    &to->token, &to->keyauth, &to->memo};
    const char *const texts[] = {from->name,  from->value,   from->alias, from->domain,
                                 from->token, from->keyauth, from->memo};

    for (size_t i = 0; i < HC_COUNT(strings); i++) {
        if (replace(strings[i], texts[i] != NULL ? texts[i] : "", err) != 0) {
            return -1;
        }
    }
    return replace(&to->zone, from->zone, err);
}

static void on_wake(void *self);
static void on_time(void *self);

struct hc_txt *hc_txt_new(struct hc_txts *txts, struct hc_txt_writer *writer,
                          const struct hc_txt_value *value, struct hc_error *err)
{
    struct hc_txt *txt = calloc(1, sizeof(*txt));
    if (txt == NULL) {
        hc_error_nomem(err);
        return NULL;
    }
    txt->txts = txts;
    txt->writer = writer;
    txt->owner = (struct hc_dns_slot_owner){txts->o.env.dns, on_wake, txt};
    txt->made_ms = hc_now_ms(txts->o.env.clock);
    TAILQ_INIT(&txt->waiters);
    hc_timer_init(&txt->timer, txts->o.env.loop, "TXT records", on_time, txt);
    TAILQ_INSERT_HEAD(&txts->items, txt, link);
    txts->made++;
    if (take_strings(&txt->is, value, err) != 0 ||
        hc_redaction_add(txts->o.env.redaction, txt->is.keyauth, err) != 0 ||
        hc_redaction_add(txts->o.env.redaction, txt->is.token, err) != 0) {
        hc_txt_free(txt);
        return NULL;
    }
    return txt;
}

static void end_change(struct hc_txt *txt)
{
    txt->changing = false;
    txt->writer->running--;
    hc_txts_look(txt->txts);
}

static void stop(struct hc_txt *txt)
{
    hc_timer_stop(&txt->timer);
    hc_dns_place_dispose(&txt->place);
    hc_dns_spread_stop(&txt->spread);
    if (txt->changing) {
        txt->writer->is.cancel(txt->writer->is.self, txt);
        end_change(txt);
    }
}

/* Every change of state goes through here. */
static void enter(struct hc_txt *txt, enum hc_txt_state state)
{
    txt->txts->made -= txt->state == HC_TXT_MADE;
    txt->state = state;
    txt->txts->made += state == HC_TXT_MADE;
}

void hc_txt_free(struct hc_txt *txt)
{
    struct hc_txt_waiter *waiter = NULL;

    stop(txt);
    enter(txt, HC_TXT_IDLE);
    while ((waiter = TAILQ_FIRST(&txt->waiters)) != NULL) {
        TAILQ_REMOVE(&txt->waiters, waiter, link);
        free(waiter);
    }
    TAILQ_REMOVE(&txt->txts->items, txt, link);
    if (txt->is.keyauth != NULL && txt->is.token != NULL) {
        hc_redaction_remove(env_of(txt)->redaction, txt->is.keyauth);
        hc_redaction_remove(env_of(txt)->redaction, txt->is.token);
    }
    wipe(txt->is.keyauth);
    wipe(txt->is.token);
    free(owned(txt->is.name));
    free(owned(txt->is.zone));
    free(owned(txt->is.value));
    free(owned(txt->is.alias));
    free(owned(txt->is.domain));
    wipe(txt->is.memo);
    free(txt);
}

/* ---- removing ---- */

static void gone(struct hc_txt *txt, const struct hc_error *err)
{
    hc_txts_tell(txt, err);
    hc_txt_free(txt);
}

/* It may stand. */
static void begin_removal(struct hc_txt *txt)
{
    enter(txt, HC_TXT_TO_REMOVE);
    hc_txts_look(txt->txts);
}

static void log_removed(const struct hc_txt *txt)
{
    hc_logf(env_of(txt)->log, HC_LOG_INFO, "removed TXT record %s \"%s\" by %s", txt->is.name,
            txt->is.value, txt->writer->is.identity);
}

static void removal_failed(struct hc_txt *txt, const struct hc_error *why)
{
    struct hc_error err = *why;
    int64_t wait = RETRY_MS;
    bool last = !txt->stood && txt->failures + 1 >= TRIES_UNSTOOD;

    hc_error_during(&err, "removing a TXT record");
    txt->failures++;
    if (txt->failures == 1 || last) {
        hc_log_error(env_of(txt)->log, HC_LOG_WARN,
                     last ? "hotcert leaves a TXT record that it could not remove"
                          : "cannot remove a TXT record; hotcert tries again",
                     &err);
    }
    if (last) {
        txt->txts->o.written->drop(txt->txts->o.written->self, txt->writer->block->name, &txt->is);
        gone(txt, &err);
        return;
    }
    hc_txts_tell(txt, &err); /* nobody waits for the tries after the first */
    for (unsigned i = 1; i < txt->failures && wait < RETRY_MOST_MS; i++) {
        wait *= 2;
    }
    enter(txt, HC_TXT_IDLE);
    hc_timer_in(&txt->timer, wait < RETRY_MOST_MS ? wait : RETRY_MOST_MS);
}

static void on_removed(void *arg, const struct hc_writer_result *result)
{
    struct hc_txt *txt = arg;

    end_change(txt);
    if (result->err != NULL) {
        if (txt->again) {
            txt->again = false;
            enter(txt, HC_TXT_MADE);
            hc_txt_want(txt);
            return;
        }
        removal_failed(txt, result->err);
        return;
    }
    txt->txts->o.written->drop(txt->txts->o.written->self, txt->writer->block->name, &txt->is);
    txt->stored = false;
    log_removed(txt);
    if (txt->again) {
        txt->again = false;
        enter(txt, HC_TXT_MADE);
        hc_txt_want(txt);
        return;
    }
    gone(txt, NULL);
}

/* ---- adding ---- */

/* What failed was tried, and so may stand. */
static void add_failed(struct hc_txt *txt, const struct hc_error *err)
{
    txt->holders = 0; /* there is nothing to withdraw */
    hc_txts_tell(txt, err);
    if (txt->stored) {
        begin_removal(txt);
    } else {
        hc_txt_free(txt);
    }
}

static void stands(struct hc_txt *txt)
{
    enter(txt, HC_TXT_STANDS);
    txt->stood = true;
    txt->failures = 0;
    hc_txts_tell(txt, NULL);
}

static void on_spread(void *arg, const struct hc_dns_spread_result *result)
{
    struct hc_txt *txt = arg;

    if (result->err != NULL) {
        add_failed(txt, result->err);
        return;
    }
    if (result->have == 0) {
        hc_logf(env_of(txt)->log, HC_LOG_WARN,
                "%s: this machine cannot ask the name servers of %s whether they have the record; "
                "asking the CA to validate anyway",
                txt->is.name, txt->is.zone != NULL ? txt->is.zone : "its zone");
    } else if (result->silent > 0) {
        hc_logf(env_of(txt)->log, HC_LOG_INFO,
                "%s: %u name servers have the record, %u addresses did not answer", txt->is.name,
                result->have, result->silent);
    }
    stands(txt);
}

static void begin_spread(struct hc_txt *txt)
{
    const struct hc_dns_spread_options options = {
        .loop = env_of(txt)->loop,
        .dns = env_of(txt)->dns,
        .name = &txt->place.name,
        .value = txt->is.value,
        .servers = txt->place.zone.servers,
        .server_count = txt->place.zone.server_count,
        .limit_ms = txt->writer->block->propagation_timeout * 1000,
    };

    enter(txt, HC_TXT_SPREADING);
    hc_dns_spread_begin(&txt->spread, &options, on_spread, txt);
}

static int put(struct hc_txt *txt, struct hc_error *err)
{
    const struct hc_written_port *written = txt->txts->o.written;

    if (written->put(written->self, txt->writer->block->name, &txt->is, err) != 0) {
        return -1;
    }
    txt->stored = true;
    return 0;
}

static void on_added(void *arg, const struct hc_writer_result *result)
{
    struct hc_txt *txt = arg;
    struct hc_error err;

    hc_error_init(&err);
    end_change(txt);
    txt->stood |= result->err == NULL; /* the writer says so: it is removed until that works */
    /* what removes it is what was said when it was written, not why it could not be once more */
    if (result->memo != NULL && (result->err == NULL || txt->is.memo[0] == '\0') &&
        strcmp(result->memo, txt->is.memo) != 0 &&
        (replace(&txt->is.memo, result->memo, &err) != 0 || put(txt, &err) != 0)) {
        hc_log_error(env_of(txt)->log, HC_LOG_WARN, "cannot store how to remove a TXT record",
                     &err);
    }
    if (txt->holders == 0) {
        begin_removal(txt);
    } else if (result->err != NULL) {
        add_failed(txt, result->err);
    } else {
        hc_logf(env_of(txt)->log, HC_LOG_INFO, "wrote TXT record %s \"%s\" by %s", txt->is.name,
                txt->is.value, txt->writer->is.identity);
        if (result->spread) {
            stands(txt);
        } else {
            begin_spread(txt);
        }
    }
}

static void change(struct hc_txt *txt, enum hc_txt_state state, enum hc_writer_change what,
                   hc_writer_done *done)
{
    struct hc_dns_writer *writer = &txt->writer->is;

    enter(txt, state);
    txt->changing = true;
    txt->writer->running++;
    writer->change(writer->self, what, &txt->is, done, txt);
}

void hc_txt_change(struct hc_txt *txt)
{
    struct hc_error err;

    hc_error_init(&err);
    if (txt->state == HC_TXT_TO_REMOVE) {
        change(txt, HC_TXT_REMOVING, HC_WRITER_REMOVE, on_removed);
    } else if (put(txt, &err) == 0) {
        change(txt, HC_TXT_ADDING, HC_WRITER_ADD, on_added);
    } else {
        add_failed(txt, &err);
    }
}

/* ---- where it belongs ---- */

/* Without the dot at the end, which writers do not have. */
static int set_name(const char **at, const struct hc_dname *name, struct hc_error *err)
{
    char text[HC_DNAME_TEXT];
    size_t len = strlen(hc_dname_format(name, text));

    if (len > 1) {
        text[len - 1] = '\0';
    }
    return replace(at, text, err);
}

/* What may stand was written at another name: the CNAME leads elsewhere since. */
static bool stands_elsewhere(const struct hc_txt *txt)
{
    struct hc_dname old;

    return txt->stored && txt->is.name[0] != '\0' &&
           hc_dname_from_host(txt->is.name, &old, NULL) == 0 &&
           !hc_dname_equal(&old, &txt->place.name);
}

static void on_place(struct hc_txt *txt)
{
    const struct hc_dns_place *place = &txt->place;
    struct hc_error err;

    hc_error_init(&err);
    if (place->state == HC_PLACE_FAILED) {
        hc_kept_error_get(&place->error, &err);
    } else if (stands_elsewhere(txt)) {
        hc_error_set(&err, HC_P_DNS_WRITE, txt->is.name,
                     "its CNAME record now leads elsewhere; removing the earlier TXT record first");
    } else if (set_name(&txt->is.name, &place->name, &err) == 0) {
        if (place->zone.state == HC_ZONE_READY) {
            (void)!set_name(&txt->is.zone, &place->zone.apex, &err);
        } else if (!txt->stored) {
            (void)!replace(&txt->is.zone, NULL, &err);
        }
    }
    if (hc_error_is_set(&err)) {
        hc_error_during(&err, "finding the zone of a TXT record");
        add_failed(txt, &err);
        return;
    }
    enter(txt, HC_TXT_TO_ADD);
    hc_txts_look(txt->txts);
}

static void on_wake(void *self)
{
    struct hc_txt *txt = self;

    (void)hc_dns_place_step(&txt->place, &txt->owner);
    if (txt->state == HC_TXT_LOCATING && hc_dns_place_settled(&txt->place)) {
        on_place(txt);
    }
}

static void begin_locating(struct hc_txt *txt)
{
    struct hc_dname alias;
    struct hc_error err;

    hc_error_init(&err);
    enter(txt, HC_TXT_LOCATING);
    hc_timer_stop(&txt->timer);
    hc_dns_place_dispose(&txt->place);
    if (env_of(txt)->dns == NULL) {
        hc_error_set(&err, HC_P_DNS_FAILED, txt->is.alias, "this agent has no resolver");
    }
    if (hc_error_is_set(&err) || hc_dname_from_host(txt->is.alias, &alias, &err) != 0) {
        add_failed(txt, &err);
        return;
    }
    hc_dns_place_begin(&txt->place, &txt->owner, &alias, hc_now_ms(env_of(txt)->clock) + LOCATE_MS);
    on_wake(txt); /* it may have failed at once */
}

/* ---- wanted or not ---- */

void hc_txt_want(struct hc_txt *txt)
{
    switch (txt->state) {
    case HC_TXT_MADE:
    case HC_TXT_IDLE:
    case HC_TXT_TO_REMOVE:
        begin_locating(txt);
        break;
    case HC_TXT_REMOVING:
        txt->again = true;
        break;
    case HC_TXT_STANDS:
        hc_txts_tell(txt, NULL);
        break;
    case HC_TXT_LOCATING:
    case HC_TXT_TO_ADD:
    case HC_TXT_ADDING:
    case HC_TXT_SPREADING:
        break;
    }
}

void hc_txt_unwant(struct hc_txt *txt, int64_t after_ms)
{
    switch (txt->state) {
    case HC_TXT_MADE:
    case HC_TXT_LOCATING:
    case HC_TXT_TO_ADD:
    case HC_TXT_SPREADING:
    case HC_TXT_STANDS:
        hc_dns_place_dispose(&txt->place);
        hc_dns_spread_stop(&txt->spread);
        if (!txt->stored) {
            gone(txt, NULL);
        } else if (after_ms > 0) {
            enter(txt, HC_TXT_IDLE);
            hc_timer_in(&txt->timer, after_ms);
        } else {
            begin_removal(txt);
        }
        break;
    case HC_TXT_REMOVING:
        txt->again = false;
        break;
    case HC_TXT_ADDING: /* on_added() */
    case HC_TXT_IDLE:
    case HC_TXT_TO_REMOVE:
        break;
    }
}

/* It stands, and nobody came for it. */
static void on_time(void *self)
{
    begin_removal(self);
}

void hc_txt_found(struct hc_txt *txt, int64_t after_ms)
{
    txt->stored = txt->stood = true;
    enter(txt, HC_TXT_STANDS);
    hc_txt_unwant(txt, after_ms);
}
