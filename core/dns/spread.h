/*
 * hc_dns_spread: waits until every name server of a zone answers with a TXT value. Each address is
 * asked by itself, again and again. An address that does not answer at all (a server that is down,
 * IPv6 where there is none) counts for nothing once others have the value. Where no server can be
 * reached from here, the resolvers are asked instead.
 *
 * A guest of the loop. Embedded in its owner; does not move while it runs. Zeroed memory is one
 * that does not run.
 */
#ifndef HC_DNS_SPREAD_H
#define HC_DNS_SPREAD_H

#include "dns/slot.h"
#include "dns/zone.h"
#include "loop/timer.h"

struct hc_dns_spread_result {
    const struct hc_error
        *err;        /* HC_P_DNS_NOT_SPREAD: a server answers without it. NULL: well .. */
    unsigned have;   /* .. so many addresses have it; 0: nobody could be asked .. */
    unsigned silent; /* .. and so many do not answer */
};

/* From the loop, once. The spread does not run any more by then, and may begin anew. */
typedef void hc_dns_spread_done(void *arg, const struct hc_dns_spread_result *result);

struct hc_dns_spread_options {
    struct hc_loop *loop;
    const struct hc_dns_port *dns;
    const struct hc_dname *name;         /* copied */
    const char *value;                   /* borrowed until it ends */
    const struct hc_dns_server *servers; /* copied; HC_ZONE_SERVERS at most; none: the resolvers */
    size_t server_count;
    int64_t limit_ms;
};

struct hc_dns_spread_target {
    struct hc_dns_server server;
    struct hc_dns_slot slot;
    bool has, lacks;
    unsigned silent; /* rounds in which it did not answer */
};

struct hc_dns_spread {
    bool running;
    struct hc_dns_slot_owner owner;
    struct hc_dname name;
    const char *value;
    struct hc_dns_spread_target targets[HC_ZONE_SERVERS];
    size_t count;
    bool resolvers; /* they are the one target */
    int64_t deadline_ms;
    int64_t pause_ms;
    const struct hc_clock *clock;
    struct hc_timer timer;
    hc_dns_spread_done *done;
    void *arg;
};

void hc_dns_spread_begin(struct hc_dns_spread *spread, const struct hc_dns_spread_options *options,
                         hc_dns_spread_done *done, void *arg);
/* Ends it without a callback. Fine for one that does not run. */
void hc_dns_spread_stop(struct hc_dns_spread *spread);

#endif
