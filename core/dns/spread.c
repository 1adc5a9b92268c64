/* Until every server has it; see spread.h. */
#include "dns/spread.h"

#include <string.h>

#define PAUSE_MS      250 /* between the first rounds; grows by half .. */
#define PAUSE_MOST_MS 5000
#define SILENT_ROUNDS 2 /* after that nobody waits for an address that does not answer */

static void on_wake(void *self);

static int64_t now_of(const struct hc_dns_spread *spread)
{
    return hc_now_ms(spread->clock);
}

static void ask(struct hc_dns_spread *spread, struct hc_dns_spread_target *target)
{
    int64_t deadline = now_of(spread) + HC_ZONE_ASK_MS;
    struct hc_dns_ask question = {
        .question = {.name = spread->name,
                     .type = HC_DNS_TXT,
                     .recurse = spread->resolvers,
                     .checking_disabled = spread->resolvers},
        .servers = spread->resolvers ? NULL : &target->server,
        .server_count = spread->resolvers ? 0 : 1,
        .deadline_ms = deadline < spread->deadline_ms ? deadline : spread->deadline_ms,
    };

    hc_dns_slot_ask(&target->slot, &spread->owner, &question);
}

static void ask_all(struct hc_dns_spread *spread)
{
    for (size_t i = 0; i < spread->count; i++) {
        if (!spread->targets[i].has) {
            ask(spread, &spread->targets[i]);
        }
    }
}

/* What a target said in this round. */
static void take(const struct hc_dns_spread *spread, struct hc_dns_spread_target *target)
{
    const struct hc_dns_reply *reply = &target->slot.reply;
    bool answered = target->slot.state == HC_DNS_SLOT_REPLY &&
                    (reply->rcode == HC_DNS_NOERROR || reply->rcode == HC_DNS_NXDOMAIN) &&
                    (spread->resolvers || reply->authoritative);

    target->has = answered && hc_dns_reply_has_txt(reply, &spread->name, spread->value);
    target->lacks = answered && !target->has;
    target->silent = answered ? 0 : target->silent + 1;
    hc_dns_slot_dispose(&target->slot);
}

struct tally {
    unsigned have, lack, silent, fresh; /* fresh: silent, but not for long */
    const struct hc_dns_spread_target *lacking;
};

static struct tally count(const struct hc_dns_spread *spread)
{
    struct tally tally = {0};

    for (size_t i = 0; i < spread->count; i++) {
        const struct hc_dns_spread_target *target = &spread->targets[i];

        tally.have += target->has;
        tally.lack += target->lacks;
        tally.lacking = target->lacks ? target : tally.lacking;
        tally.silent += !target->has && !target->lacks;
        tally.fresh += !target->has && !target->lacks && target->silent < SILENT_ROUNDS;
    }
    return tally;
}

static void finish(struct hc_dns_spread *spread, const struct tally *tally, struct hc_error *err)
{
    const struct hc_dns_spread_result result = {err, tally->have, tally->silent};

    hc_dns_spread_stop(spread);
    spread->done(spread->arg, &result);
}

static void fail(struct hc_dns_spread *spread, const struct tally *tally)
{
    char name[HC_DNAME_TEXT];
    char server[HC_DNS_SERVER_TEXT];
    struct hc_error err;

    hc_error_init(&err);
    hc_error_set(&err, HC_P_DNS_NOT_SPREAD, hc_dname_format(&spread->name, name),
                 "%s answers without the TXT value %s; %u of %zu addresses have it",
                 hc_dns_server_format(&tally->lacking->server, server), spread->value, tally->have,
                 spread->count);
    finish(spread, tally, &err);
}

/* Nobody of the zone can be asked from here. */
static void turn_to_resolvers(struct hc_dns_spread *spread)
{
    spread->resolvers = true;
    spread->count = 1;
    spread->pause_ms = PAUSE_MS;
    spread->targets[0].silent = 0;
}

/* The end of a round: done, or when the next one begins. */
static void judge(struct hc_dns_spread *spread)
{
    struct tally tally = count(spread);
    bool late = now_of(spread) + spread->pause_ms >= spread->deadline_ms;

    if (tally.lack == 0 && tally.have > 0 && tally.fresh == 0) {
        finish(spread, &tally, NULL);
        return;
    }
    if (late && tally.lack > 0 && !spread->resolvers) { /* a resolver may have an old answer */
        fail(spread, &tally);
        return;
    }
    if (late || (spread->resolvers && tally.lack == 0 && tally.fresh == 0)) {
        finish(spread, &tally, NULL);
        return;
    }
    if (tally.lack == 0 && tally.have == 0 && tally.fresh == 0) {
        turn_to_resolvers(spread);
    }
    hc_timer_in(&spread->timer, spread->pause_ms);
    spread->pause_ms += spread->pause_ms / 2;
    spread->pause_ms = spread->pause_ms < PAUSE_MOST_MS ? spread->pause_ms : PAUSE_MOST_MS;
}

static bool round_is_over(const struct hc_dns_spread *spread)
{
    for (size_t i = 0; i < spread->count; i++) {
        if (!hc_dns_slot_settled(&spread->targets[i].slot)) {
            return false;
        }
    }
    return true;
}

/* A slot was filled, or the pause is over: told apart by whether the timer is set. */
static void on_wake(void *self)
{
    struct hc_dns_spread *spread = self;

    if (!round_is_over(spread)) {
        return;
    }
    for (size_t i = 0; i < spread->count; i++) {
        if (spread->targets[i].slot.state != HC_DNS_SLOT_IDLE) {
            take(spread, &spread->targets[i]);
        }
    }
    judge(spread);
}

static void on_time(void *self)
{
    struct hc_dns_spread *spread = self;

    ask_all(spread);
    if (round_is_over(spread)) {
        on_wake(spread); /* none could even be asked */
    }
}

void hc_dns_spread_begin(struct hc_dns_spread *spread, const struct hc_dns_spread_options *options,
                         hc_dns_spread_done *done, void *arg)
{
    memset(spread, 0, sizeof(*spread));
    spread->running = true;
    spread->owner = (struct hc_dns_slot_owner){options->dns, on_wake, spread};
    spread->name = *options->name;
    spread->value = options->value;
    spread->clock = hc_loop_clock(options->loop);
    spread->deadline_ms = now_of(spread) + options->limit_ms;
    spread->pause_ms = PAUSE_MS;
    spread->done = done;
    spread->arg = arg;
    for (; spread->count < options->server_count && spread->count < HC_ZONE_SERVERS;
         spread->count++) {
        spread->targets[spread->count].server = options->servers[spread->count];
    }
    if (spread->count == 0) {
        turn_to_resolvers(spread);
    }
    hc_timer_init(&spread->timer, options->loop, "dns", on_time, spread);
    hc_timer_in(&spread->timer, 0);
}

void hc_dns_spread_stop(struct hc_dns_spread *spread)
{
    if (!spread->running) {
        return;
    }
    spread->running = false;
    hc_timer_stop(&spread->timer);
    for (size_t i = 0; i < HC_COUNT(spread->targets); i++) {
        hc_dns_slot_dispose(&spread->targets[i].slot);
    }
}
