/*
 * The writer `responder`: values stand where hotcert's own DNS server gives them out
 * (hotcert_dns_listen), on this server and on every other one on the store. Written is what all of
 * them give.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include "acme/solver.h"
#include "dns/domain.h"
#include "loop/timer.h"
#include "solve/writers.h"

#define PARALLEL    64
#define LIFE_S      21600 /* a value that no agent removes is dropped after this */
#define PATIENCE_MS 10000 /* for the other servers on the store */
#define LOOK_MS     100
#define SETTLE_MS   1100 /* resolvers that keep nothing still say the same within a second */

/* An addition that waits for the other servers. */
struct addition {
    LIST_ENTRY(addition) link;
    struct responder *writer;
    struct hc_answer answer; /* a copy */
    hc_writer_done *done;
    void *arg;
    int64_t from_ms, until_ms; /* it is done between them */
    struct hc_timer timer;
};

/* A value that was added and not removed; the other processes' are not here. */
struct standing {
    LIST_ENTRY(standing) link;
    struct hc_answer answer; /* a copy */
};

struct responder {
    struct hc_writer_env env;
    struct hc_dns_domain domain;
    LIST_HEAD(, addition) additions;
    LIST_HEAD(, standing) standing;
};

static void addition_free(struct addition *a)
{
    hc_timer_stop(&a->timer);
    LIST_REMOVE(a, link);
    hc_answer_dispose(&a->answer);
    free(a);
}

static void finish(struct addition *a)
{
    const struct hc_writer_result result = {.err = NULL};
    hc_writer_done *done = a->done;
    void *arg = a->arg;

    addition_free(a);
    done(arg, &result);
}

static void look(void *self)
{
    struct addition *a = self;
    const struct hc_answer_port *answers = a->writer->env.answers;
    bool given = answers->given(answers->self, &a->answer);
    int64_t now = hc_now_ms(a->writer->env.clock);

    if (now < a->from_ms || (!given && now < a->until_ms)) {
        hc_timer_in(&a->timer, LOOK_MS);
        return;
    }
    if (!given) {
        hc_logf(a->writer->env.log, HC_LOG_WARN,
                "%s: not every server on the store gives the TXT record after %d s; asking the CA "
                "to look anyway",
                a->answer.key, PATIENCE_MS / 1000);
    }
    finish(a);
}

/* ---- what it answers for ---- */

/* What has to be added so that a name of ours is asked for. */
static int refuse(const struct responder *writer, const struct hc_txt_value *value,
                  struct hc_error *err)
{
    char zone[HC_DNAME_TEXT];

    if (!writer->domain.one) {
        return hc_error_set(err, HC_P_DNS_WRITE, value->name,
                            "hotcert's DNS server answers for _acme-challenge of this server's "
                            "names only");
    }
    hc_dname_format(&writer->domain.zone, zone);
    return hc_error_set(err, HC_P_DNS_WRITE, value->name,
                        "hotcert's DNS server answers for the zone %s only; add: %s. 300 IN CNAME "
                        "%s.%s",
                        zone, value->alias, value->domain, zone);
}

static int check(const struct responder *writer, const struct hc_txt_value *value,
                 struct hc_error *err)
{
    struct hc_dname name;
    struct hc_dname apex;

    if (hc_dname_from_host(value->name, &name, err) != 0) {
        return -1;
    }
    return hc_dns_domain_find(&writer->domain, &name, &apex) ? 0 : refuse(writer, value, err);
}

/* ---- the calls ---- */

static struct hc_answer answer_of(const struct responder *writer, const struct hc_txt_value *value)
{
    return (struct hc_answer){
        .kind = HC_ANSWER_TXT,
        .name = value->domain,
        .key = value->name,
        .value = value->value,
        .expires = hc_now(writer->env.clock) + LIFE_S,
    };
}

static struct standing *find_standing(struct responder *writer, const struct hc_answer *answer)
{
    struct standing *at = NULL;

    LIST_FOREACH(at, &writer->standing, link)
    {
        if (hc_answer_equal(&at->answer, answer)) {
            break;
        }
    }
    return at;
}

static void standing_free(struct standing *standing)
{
    LIST_REMOVE(standing, link);
    hc_answer_dispose(&standing->answer);
    free(standing);
}

/* Lays it out, unless it is: what is added twice is removed at once. */
static int stand(struct responder *writer, const struct hc_answer *answer, struct hc_error *err)
{
    const struct hc_answer_port *answers = writer->env.answers;
    struct standing *standing = NULL;

    if (find_standing(writer, answer) != NULL) {
        return 0;
    }
    standing = calloc(1, sizeof(*standing));
    if (standing == NULL || hc_answer_copy(&standing->answer, answer, err) != 0) {
        free(standing);
        return hc_error_nomem(err);
    }
    LIST_INSERT_HEAD(&writer->standing, standing, link);
    if (answers->give(answers->self, answer, err) != 0) {
        standing_free(standing);
        return -1;
    }
    return 0;
}

static int add(struct responder *writer, const struct hc_txt_value *value, struct addition **out,
               struct hc_error *err)
{
    const struct hc_answer answer = answer_of(writer, value);
    struct addition *a = NULL;

    if (check(writer, value, err) != 0 || stand(writer, &answer, err) != 0) {
        return -1;
    }
    a = calloc(1, sizeof(*a));
    if (a == NULL || hc_answer_copy(&a->answer, &answer, err) != 0) {
        free(a);
        return hc_error_nomem(err);
    }
    a->writer = writer;
    a->from_ms = hc_now_ms(writer->env.clock) + SETTLE_MS;
    a->until_ms = hc_now_ms(writer->env.clock) + PATIENCE_MS;
    hc_timer_init(&a->timer, writer->env.loop, "responder", look, a);
    LIST_INSERT_HEAD(&writer->additions, a, link);
    *out = a;
    return 0;
}

/* What an agent laid out that died is taken first, and then given back. */
static int remove_value(struct responder *writer, const struct hc_txt_value *value,
                        struct hc_error *err)
{
    const struct hc_answer_port *answers = writer->env.answers;
    const struct hc_answer answer = answer_of(writer, value);
    struct standing *standing = NULL;

    if (stand(writer, &answer, err) != 0) {
        return -1;
    }
    standing = find_standing(writer, &answer);
    answers->take_back(answers->self, &standing->answer);
    standing_free(standing);
    return 0;
}

static void change(void *self, enum hc_writer_change what, const struct hc_txt_value *value,
                   hc_writer_done *done, void *arg)
{
    struct responder *writer = self;
    struct addition *a = NULL;
    struct hc_error err;
    struct hc_writer_result result = {.err = NULL};

    hc_error_init(&err);
    if (what == HC_WRITER_REMOVE) {
        result.err = remove_value(writer, value, &err) != 0 ? &err : NULL;
        done(arg, &result);
        return;
    }
    if (add(writer, value, &a, &err) != 0 || a == NULL) {
        result.err = &err;
        done(arg, &result);
        return;
    }
    a->done = done;
    a->arg = arg;
    look(a);
}

static void cancel(void *self, const void *arg)
{
    struct responder *writer = self;
    struct addition *next = NULL;

    for (struct addition *a = LIST_FIRST(&writer->additions); a != NULL; a = next) {
        next = LIST_NEXT(a, link);
        if (a->arg == arg) {
            addition_free(a);
        }
    }
}

static void close_writer(void *self)
{
    struct responder *writer = self;

    while (!LIST_EMPTY(&writer->additions)) {
        addition_free(LIST_FIRST(&writer->additions));
    }
    while (!LIST_EMPTY(&writer->standing)) { /* it stays laid out: the next process goes on */
        standing_free(LIST_FIRST(&writer->standing));
    }
    hc_dns_domain_dispose(&writer->domain);
    free(writer);
}

int hc_dns_responder_open(const struct hc_dns_block *block HC_UNUSED,
                          const struct hc_writer_env *env, struct hc_dns_writer *out,
                          struct hc_error *err)
{
    struct responder *writer = calloc(1, sizeof(*writer));

    if (writer == NULL) {
        return hc_error_nomem(err);
    }
    writer->env = *env;
    LIST_INIT(&writer->additions);
    LIST_INIT(&writer->standing);
    if (hc_dns_domain_of_conf(env->conf, &writer->domain, err) != 0) {
        free(writer);
        return -1;
    }
    *out = (struct hc_dns_writer){
        .self = writer,
        .parallel = PARALLEL,
        .change = change,
        .cancel = cancel,
        .identity = "hotcert's own DNS server",
        .close = close_writer,
    };
    return 0;
}
