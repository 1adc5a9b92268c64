/*
 * The agent: the one process that talks to certificate authorities, and the only writer of the
 * store and of the live table. One thread, one loop.
 *
 * It is made of parts (parts.h), each an opaque type with a header of its own. From the bottom up:
 *
 *   counters    what happened, for metrics
 *   storage     opens the store, notices when it cannot be used and when it can again
 *   secrets     files that root alone reads, for writers
 *   written     what stands in other people's DNS
 *   answers     challenges that our servers answer; follow mirrors what other agents put there
 *   clock       is this machine's clock behind?
 *   cas         the issuers: account, breaker, the names that failed there
 *   chains      chains that lack an issuer; repair fetches it
 *   publisher   the best bundle of an identity, into the table
 *   watches     watched files
 *   garbage     what nobody wants any more
 *   preflights  of identities' names: which are under way, and what the latest found
 *   outlooks    the names of an order: which are left out of it, and when they are checked again
 *   health      the checks again, for what is served
 *   jobs        what is to be obtained, and what each waits for
 *   obtains     orders (obtain: one), from the line's lock to the commit; received, takeover and
 *               failure help
 *   responder   answers DNS queries with what answers holds
 *   queue       which jobs are started now
 *   control     the socket that `hotcert list|renew|wait` talk to; status is what it tells
 *
 * Everything from outside comes through the options, so that tests run it with a clock, a CA and
 * randomness of their own.
 */
#ifndef HC_AGENT_AGENT_H
#define HC_AGENT_AGENT_H

#include "agent/authority.h"
#include "base/log.h"
#include "base/time.h"
#include "conf/conf.h"
#include "dns/resolver.h"
#include "live/table.h"
#include "loop/loop.h"
#include "net/http.h"
#include "net/web.h"
#include "solve/writer.h"

struct hc_agent_options {
    struct hc_conf *conf;   /* taken, also when hc_agent_new() fails */
    struct hc_table *table; /* borrowed, writable */
    int keeper;             /* the keeper's socket, or -1: files are read with own rights */
    int supervise;          /* end-of-file there ends the agent; -1: none */
    int control;            /* a listening socket, or -1 */
    const int *dns_sockets; /* the responder's */
    size_t dns_socket_count;
    int signals;                 /* a signalfd of those that end the agent, or -1 */
    int64_t built;               /* when the program was built, UTC; 0: not known */
    const unsigned char *secret; /* HC_SECRET_SIZE bytes, or NULL: asked of the keeper */
    const struct hc_clock *clock;
    const struct hc_random *random;
    const struct hc_log *log;
    const struct hc_authority *authority;
    const struct hc_http_port *http;
    const struct hc_dns_port *dns;          /* NULL: cannot check names before an order */
    struct hc_anchors *anchors;             /* of DNSSEC; NULL: it is not validated */
    const struct hc_ranges *ranges;         /* of CDNs; NULL: not known */
    const struct hc_web_port *web;          /* NULL: no request is made by the preflight */
    const struct hc_handshake_port *tls;    /* NULL: nor is a handshake */
    const struct hc_command_port *commands; /* hc_runner_port(); NULL: no command is run */
    struct hc_loop *loop;                   /* borrowed; its clock is this clock */
};

struct hc_agent;
struct hc_parts;

/* Neither opens the store nor asks anybody: that is the first pass's. */
int hc_agent_new(const struct hc_agent_options *options, struct hc_agent **out,
                 struct hc_error *err) HC_MUST_USE;

/*
 * One pass of the loop, of at most max_wait_ms (-1: as long as there is nothing to do). True to go
 * on, false when the supervisor is gone or a signal said so.
 */
bool hc_agent_pass(struct hc_agent *agent, int max_wait_ms);

/* For tests that examine one. */
struct hc_parts *hc_agent_parts(struct hc_agent *agent);

/* Ends what is under way without waiting (it is resumed by the next agent) and frees all. */
void hc_agent_free(struct hc_agent *agent);

#endif
