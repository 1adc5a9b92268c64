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
#include "solve/change.h"
#include "solve/writers.h"

#define PARALLEL    64
#define LIFE_S      21600 /* a value that no agent removes is dropped after this */
#define PATIENCE_MS 10000 /* for the other servers on the store */
#define LOOK_MS     100
#define SETTLE_MS   1100 /* resolvers that keep nothing still say the same within a second */

/* One that adds waits for the other servers. */
struct addition {
    struct hc_change is;
    struct hc_answer answer;   /* of the change's value */
    int64_t from_ms, until_ms; /* it is done between them */
    struct hc_timer timer;
};

/* A value that was added and not removed; the other processes' are not here. */
struct standing {
    LIST_ENTRY(standing) link;
    struct hc_answer answer; /* a copy */
};

struct responder {
    struct hc_changes is;
    struct hc_dns_domain domain;
    LIST_HEAD(, standing) standing;
};

static void drop(struct hc_change *change)
{
    hc_timer_stop(&((struct addition *)(void *)change)->timer);
}

static void look(void *self)
{
    struct addition *a = self;
    const struct hc_answer_port *answers = a->is.writer->env.answers;
    bool given = answers->given(answers->self, &a->answer);
    int64_t now = hc_now_ms(a->is.writer->env.clock);

    if (now < a->from_ms || (!given && now < a->until_ms)) {
        hc_timer_in(&a->timer, LOOK_MS);
        return;
    }
    if (!given) {
        hc_logf(a->is.writer->env.log, HC_LOG_WARN,
                "%s: not every server on the store gives the TXT record after %d s; asking the CA "
                "to validate anyway",
                a->answer.key, PATIENCE_MS / 1000);
    }
    hc_change_end(&a->is, NULL, false, NULL);
}

/* ---- what it answers for ---- */

/* What has to be added so that a name of ours is asked for. */
static int explain_scope(const struct responder *writer, const struct hc_txt_value *value,
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
    return hc_dns_domain_find(&writer->domain, &name, &apex) ? 0
                                                             : explain_scope(writer, value, err);
}

/* ---- the calls ---- */

static struct hc_answer answer_of(const struct responder *writer, const struct hc_txt_value *value)
{
    return (struct hc_answer){
        .kind = HC_ANSWER_TXT,
        .name = value->domain,
        .key = value->name,
        .value = value->value,
        .expires = hc_now(writer->is.env.clock) + LIFE_S,
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
    const struct hc_answer_port *answers = writer->is.env.answers;
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

/* What an agent laid out that died is taken first, and then given back. */
static int remove_value(struct responder *writer, const struct hc_txt_value *value,
                        struct hc_error *err)
{
    const struct hc_answer_port *answers = writer->is.env.answers;
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

static int add(struct addition *a, struct hc_error *err)
{
    struct responder *writer = (struct responder *)(void *)a->is.writer;
    int64_t now = hc_now_ms(writer->is.env.clock);

    a->answer = answer_of(writer, a->is.value);
    a->from_ms = now + SETTLE_MS;
    a->until_ms = now + PATIENCE_MS;
    return check(writer, a->is.value, err) == 0 ? stand(writer, &a->answer, err) : -1;
}

static void begin(struct hc_change *change)
{
    struct addition *a = (struct addition *)(void *)change;
    struct responder *writer = (struct responder *)(void *)change->writer;
    struct hc_error err;

    hc_error_init(&err);
    hc_timer_init(&a->timer, writer->is.env.loop, "responder", look, a);
    if (change->what == HC_WRITER_REMOVE) {
        int rc = remove_value(writer, change->value, &err);

        hc_change_end(change, rc == 0 ? NULL : &err, false, NULL);
    } else if (add(a, &err) != 0) {
        hc_change_fail(change, &err);
    } else {
        look(a);
    }
}

static void close_writer(struct hc_changes *is)
{
    struct responder *writer = (struct responder *)(void *)is;

    while (!LIST_EMPTY(&writer->standing)) { /* it stays laid out: the next process goes on */
        standing_free(LIST_FIRST(&writer->standing));
    }
    hc_dns_domain_dispose(&writer->domain);
}

int hc_dns_responder_open(const struct hc_dns_block *block, const struct hc_writer_env *env,
                          struct hc_dns_writer *out, struct hc_error *err)
{
    static const struct hc_change_kind kind = {
        .writer_size = sizeof(struct responder),
        .change_size = sizeof(struct addition),
        .parallel = PARALLEL,
        .begin = begin,
        .drop = drop,
        .close = close_writer,
    };
    struct hc_changes *is = hc_changes_new(&kind, block, env, out, err);
    struct responder *writer = (struct responder *)(void *)is;

    if (is == NULL) {
        return -1;
    }
    LIST_INIT(&writer->standing);
    (void)hc_copy(is->identity, sizeof(is->identity), "hotcert's own DNS server");
    if (hc_dns_domain_of_conf(env->conf, &writer->domain, err) != 0) {
        out->close(is);
        return -1;
    }
    return 0;
}
