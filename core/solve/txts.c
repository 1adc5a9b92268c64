/* All TXT values; see txts.h. */
#include "solve/txts.h"

#include <stdlib.h>
#include <string.h>

#include "conf/name.h"
#include "solve/txt.h"
#include "solve/writers.h"

#define LEFT_MS   60000 /* what was left is somebody's who comes back soon, or else nobody's */
#define FOUND_MS  30000 /* the same for what an earlier process wrote */
#define MADE_MOST 4096  /* that were never presented */

struct hc_txt_name {
    const char *name; /* the configuration's */
    size_t writer;
};

/* ---- whose writer is which ---- */

static int by_name(const void *a, const void *b)
{
    return strcmp(((const struct hc_txt_name *)a)->name, ((const struct hc_txt_name *)b)->name);
}

static struct hc_txt_writer *writer_named(const struct hc_txts *txts, const char *name)
{
    for (size_t i = 0; i < txts->writer_count; i++) {
        /* NOLINTNEXTLINE(clang-analyzer-core.NullDereference): each writer is of a block */
        if (strcmp(txts->writers[i].block->name, name) == 0) {
            return &txts->writers[i];
        }
    }
    return NULL;
}

static struct hc_txt_writer *writer_of(const struct hc_txts *txts, const char *name)
{
    const struct hc_txt_name key = {name, 0};
    const struct hc_txt_name *found =
        txts->name_count > 0 ? bsearch(&key, txts->names, txts->name_count, sizeof(key), by_name)
                             : NULL;

    return found != NULL ? &txts->writers[found->writer] : NULL;
}

bool hc_txts_has_writer(const struct hc_txts *txts, const char *name)
{
    return writer_of(txts, name) != NULL;
}

static bool is_written(const struct hc_identity *identity)
{
    return identity->mode == HC_MODE_ON && identity->set->dns_use != NULL;
}

/* Of a name at several hosts any writer will do: it stands in one zone. */
static int index_names(struct hc_txts *txts, struct hc_error *err)
{
    const struct hc_conf *conf = txts->o.env.conf;
    size_t count = 0;

    for (size_t i = 0; i < conf->identity_count; i++) {
        count += is_written(&conf->identities[i]) ? conf->identities[i].names.count : 0;
    }
    txts->names = calloc(count + 1, sizeof(*txts->names));
    if (txts->names == NULL) {
        return hc_error_nomem(err);
    }
    for (size_t i = 0; i < conf->identity_count; i++) {
        const struct hc_identity *identity = &conf->identities[i];
        struct hc_txt_writer *writer =
            is_written(identity) ? writer_named(txts, identity->set->dns_use) : NULL;

        for (size_t k = 0; writer != NULL && k < identity->names.count; k++) {
            txts->names[txts->name_count++] =
                (struct hc_txt_name){identity->names.items[k], (size_t)(writer - txts->writers)};
        }
    }
    qsort(txts->names, txts->name_count, sizeof(*txts->names), by_name);
    return 0;
}

/* ---- turns ---- */

static bool is_busy(const struct hc_txts *txts, const struct hc_txt *with)
{
    const struct hc_txt *txt = NULL;

    TAILQ_FOREACH(txt, &txts->items, link)
    {
        if (txt->changing && txt->writer == with->writer &&
            strcmp(txt->is.name, with->is.name) == 0) {
            return true;
        }
    }
    return false;
}

/* Who waited longest and may go, or NULL. New ones are put in front. */
static struct hc_txt *next_turn(struct hc_txts *txts)
{
    struct hc_txt *txt = NULL;

    TAILQ_FOREACH_REVERSE(txt, &txts->items, hc_txt_list, link)
    {
        if ((txt->state == HC_TXT_TO_ADD || txt->state == HC_TXT_TO_REMOVE) &&
            txt->writer->running < txt->writer->is.parallel && !is_busy(txts, txt)) {
            return txt;
        }
    }
    return NULL;
}

void hc_txts_look(struct hc_txts *txts)
{
    hc_timer_within(&txts->timer, 0);
}

/* One call, or one turn, at a time: what is called may change everything. */
static void on_time(void *self)
{
    struct hc_txts *txts = self;
    struct hc_txt_waiter *waiter = TAILQ_FIRST(&txts->due);
    struct hc_txt *txt = NULL;

    if (waiter != NULL) {
        struct hc_error err;
        hc_solver_done *done = waiter->done;
        void *arg = waiter->arg;

        hc_kept_error_get(&waiter->error, &err);
        hc_kept_error_dispose(&waiter->error);
        TAILQ_REMOVE(&txts->due, waiter, link);
        free(waiter);
        hc_timer_in(&txts->timer, 0);
        done(arg, hc_error_is_set(&err) ? &err : NULL);
        return;
    }
    txt = next_turn(txts);
    if (txt != NULL) {
        hc_timer_in(&txts->timer, 0);
        hc_txt_change(txt);
    }
}

void hc_txts_tell(struct hc_txt *txt, const struct hc_error *err)
{
    struct hc_txt_waiter *waiter = NULL;

    while ((waiter = TAILQ_FIRST(&txt->waiters)) != NULL) {
        TAILQ_REMOVE(&txt->waiters, waiter, link);
        TAILQ_INSERT_TAIL(&txt->txts->due, waiter, link);
        if (err != NULL) {
            hc_kept_error_set(&waiter->error, err);
        }
        hc_txts_look(txt->txts);
    }
}

/* ---- values ---- */

static struct hc_txt *find(struct hc_txts *txts, const struct hc_answer *answer)
{
    struct hc_txt *txt = NULL;

    TAILQ_FOREACH(txt, &txts->items, link)
    {
        if (strcmp(txt->is.value, answer->value) == 0 && strcmp(txt->is.alias, answer->key) == 0) {
            return txt;
        }
    }
    return NULL;
}

/* The oldest that was never presented makes room. */
static void drop_made(struct hc_txts *txts)
{
    struct hc_txt *txt = NULL;

    TAILQ_FOREACH_REVERSE(txt, &txts->items, hc_txt_list, link)
    {
        if (txt->state == HC_TXT_MADE && txt->holders == 0) {
            hc_txt_free(txt);
            return;
        }
    }
}

static struct hc_txt *make(struct hc_txts *txts, const struct hc_answer *answer, const char *token,
                           const char *keyauth, struct hc_error *err)
{
    const struct hc_txt_value value = {
        .name = answer->key,
        .value = answer->value,
        .alias = answer->key,
        .domain = hc_name_is_wildcard(answer->name) ? answer->name + 2 : answer->name,
        .token = token,
        .keyauth = keyauth,
    };
    struct hc_txt_writer *writer = writer_of(txts, answer->name);

    if (writer == NULL) {
        hc_error_set(err, HC_P_UNKNOWN_DNS, answer->name, "the host has no hotcert_dns_use");
        return NULL;
    }
    if (txts->made >= MADE_MOST) {
        drop_made(txts);
    }
    return hc_txt_new(txts, writer, &value, err);
}

int hc_txts_prepare(struct hc_txts *txts, const struct hc_answer *answer, const char *token,
                    const char *keyauth, struct hc_error *err)
{
    return find(txts, answer) != NULL || make(txts, answer, token, keyauth, err) != NULL ? 0 : -1;
}

/* False, and nothing done: no memory. */
static bool add_waiter(struct hc_txt_waiters *to, hc_solver_done *done, void *arg)
{
    struct hc_txt_waiter *waiter = calloc(1, sizeof(*waiter));

    if (waiter != NULL) {
        waiter->done = done;
        waiter->arg = arg;
        TAILQ_INSERT_TAIL(to, waiter, link);
    }
    return waiter != NULL;
}

void hc_txts_present(struct hc_txts *txts, const struct hc_answer *answer, hc_solver_done *done,
                     void *arg)
{
    struct hc_error err;
    struct hc_txt *txt = find(txts, answer);

    hc_error_init(&err);
    if (txt == NULL) {
        txt = make(txts, answer, "", "", &err);
    }
    if (txt == NULL || !add_waiter(&txt->waiters, done, arg)) {
        (void)hc_error_nomem(&err);
        done(arg, &err);
        return;
    }
    txt->holders++;
    hc_txt_want(txt);
}

int hc_txts_ready(struct hc_txts *txts, const struct hc_answer *answer)
{
    const struct hc_txt *txt = find(txts, answer);

    return txt != NULL && txt->state == HC_TXT_STANDS;
}

static void drop_waiters(struct hc_txt *txt)
{
    struct hc_txt_waiter *waiter = NULL;

    while ((waiter = TAILQ_FIRST(&txt->waiters)) != NULL) {
        TAILQ_REMOVE(&txt->waiters, waiter, link);
        free(waiter);
    }
}

void hc_txts_withdraw(struct hc_txts *txts, const struct hc_answer *answer, hc_solver_done *done,
                      void *arg)
{
    struct hc_txt *txt = find(txts, answer);
    bool last = txt != NULL && txt->holders == 1;

    if (txt != NULL && txt->holders > 0) {
        txt->holders--;
    }
    if (last) {
        drop_waiters(txt);
    }
    if (done != NULL) {
        bool wait = last || (txt != NULL && txt->changing);

        if (!add_waiter(wait ? &txt->waiters : &txts->due, done, arg)) {
            done(arg, NULL);
        }
        hc_txts_look(txts);
    }
    if (last) {
        hc_txt_unwant(txt, 0);
    }
}

void hc_txts_leave(struct hc_txts *txts, const struct hc_answer *answer)
{
    struct hc_txt *txt = find(txts, answer);

    if (txt == NULL || txt->holders == 0) {
        return;
    }
    txt->holders--;
    if (txt->holders == 0) {
        drop_waiters(txt);
        hc_txt_unwant(txt, LEFT_MS);
    }
}

static void cancel_in(struct hc_txt_waiters *waiters, const void *arg)
{
    struct hc_txt_waiter *next = NULL;

    for (struct hc_txt_waiter *w = TAILQ_FIRST(waiters); w != NULL; w = next) {
        next = TAILQ_NEXT(w, link);
        if (w->arg == arg) {
            TAILQ_REMOVE(waiters, w, link);
            hc_kept_error_dispose(&w->error);
            free(w);
        }
    }
}

void hc_txts_cancel(struct hc_txts *txts, const void *arg)
{
    struct hc_txt *txt = NULL;

    cancel_in(&txts->due, arg);
    TAILQ_FOREACH(txt, &txts->items, link)
    {
        cancel_in(&txt->waiters, arg);
    }
}

/* ---- what an earlier process wrote ---- */

static void on_found(void *arg, const char *writer, const struct hc_txt_value *value)
{
    struct hc_txts *txts = arg;
    const struct hc_answer answer = {.key = value->alias, .value = value->value};
    struct hc_txt_writer *by = writer_named(txts, writer);
    struct hc_txt *txt = find(txts, &answer);
    struct hc_error err;

    hc_error_init(&err);
    if (txt != NULL) {
        txt->stored = true; /* what is being done with it goes on */
        return;
    }
    if (by == NULL) {
        hc_logf(txts->o.env.log, HC_LOG_WARN,
                "TXT record %s \"%s\" was written by hotcert_dns %s, which is no longer "
                "configured: remove the record by hand",
                value->name, value->value, writer);
        txts->o.written->drop(txts->o.written->self, writer, value);
        return;
    }
    txt = hc_txt_new(txts, by, value, &err);
    if (txt == NULL) {
        hc_log_error(txts->o.env.log, HC_LOG_WARN, "a TXT record of an earlier run", &err);
        return;
    }
    hc_txt_found(txt, FOUND_MS);
}

/* ---- life ---- */

static int open_writers(struct hc_txts *txts, struct hc_error *err)
{
    const struct hc_conf *conf = txts->o.env.conf;

    txts->writers = calloc(conf->dns_count + 1, sizeof(*txts->writers));
    if (txts->writers == NULL) {
        return hc_error_nomem(err);
    }
    for (size_t i = 0; i < conf->dns_count; i++) {
        struct hc_txt_writer *writer = &txts->writers[i];

        writer->block = &conf->dns[i];
        if (txts->o.open(writer->block, &txts->o.env, &writer->is, err) != 0) {
            return hc_error_during(err, "opening hotcert_dns %s", writer->block->name);
        }
        txts->writer_count++;
    }
    return index_names(txts, err);
}

int hc_txts_new(const struct hc_txts_options *options, struct hc_txts **out, struct hc_error *err)
{
    struct hc_txts *txts = calloc(1, sizeof(*txts));

    *out = NULL;
    if (txts == NULL) {
        return hc_error_nomem(err);
    }
    txts->o = *options;
    if (txts->o.open == NULL) {
        txts->o.open = hc_writers_open;
    }
    TAILQ_INIT(&txts->items);
    TAILQ_INIT(&txts->due);
    hc_timer_init(&txts->timer, options->env.loop, "TXT records", on_time, txts);
    if (open_writers(txts, err) != 0) {
        hc_txts_free(txts);
        return -1;
    }
    options->written->listen(options->written->self, on_found, txts);
    *out = txts;
    return 0;
}

void hc_txts_free(struct hc_txts *txts)
{
    struct hc_txt *txt = NULL;
    struct hc_txt_waiter *waiter = NULL;

    if (txts == NULL) {
        return;
    }
    txts->o.written->listen(txts->o.written->self, NULL, NULL);
    while ((txt = TAILQ_FIRST(&txts->items)) != NULL) {
        hc_txt_free(txt);
    }
    while ((waiter = TAILQ_FIRST(&txts->due)) != NULL) {
        TAILQ_REMOVE(&txts->due, waiter, link);
        hc_kept_error_dispose(&waiter->error);
        free(waiter);
    }
    hc_timer_stop(&txts->timer);
    for (size_t i = 0; i < txts->writer_count; i++) {
        txts->writers[i].is.close(txts->writers[i].is.self);
    }
    free(txts->writers);
    free(txts->names);
    free(txts);
}
