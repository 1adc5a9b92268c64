/*
 * hc_resolver: DNS lookups (RFC 1035, EDNS RFC 6891), many side by side on one thread. UDP from a
 * fresh socket, port and id for every try, TCP on truncation, several servers in turn, bounded in
 * time. What does not answer exactly the question that was asked, from the address that was
 * asked, is dropped unseen.
 *
 * It is a guest of the loop and never blocks.
 */
#ifndef HC_DNS_RESOLVER_H
#define HC_DNS_RESOLVER_H

#include "base/log.h"
#include "base/str.h"
#include "base/time.h"
#include "dns/message.h"
#include "dns/server.h"
#include "loop/loop.h"

#define HC_RESOLVER_TRY_MS 1500 /* for one try at one server; grows by half with each round */
#define HC_RESOLVER_ASK_MS 10000

/* One question to one set of servers. Copied. */
struct hc_dns_ask {
    struct hc_dns_question question;
    const struct hc_dns_server *servers; /* asked in turn; NULL: the resolvers */
    size_t server_count;
    int64_t deadline_ms; /* monotonic; 0: HC_RESOLVER_ASK_MS from now */
};

/*
 * Called once for each ask, from the loop, never from ask(). Either reply is set (with any
 * response code; a server that answers SERVFAIL or REFUSED, or cannot know, is passed over while
 * others are left)
 * or err is (HC_P_DNS_FAILED: nobody answered in time, or only with what cannot be read). Both are
 * valid during the call. from: who answered, or NULL.
 */
typedef void hc_dns_done(void *arg, const struct hc_dns_reply *reply,
                         const struct hc_dns_server *from, const struct hc_error *err);

/* Port: what preflight uses, so that tests can put a fake there. One thread, never blocks. */
struct hc_dns_port {
    void *self;
    /* Starts; *id (never 0) can cancel it. 0, or -1 with err and no callback. */
    int (*ask)(void *self, const struct hc_dns_ask *ask, hc_dns_done *done, void *arg, uint64_t *id,
               struct hc_error *err);
    /* Ends an ask without its callback. Unknown ids are ignored. */
    void (*cancel)(void *self, uint64_t id);
};

struct hc_resolver_options {
    const struct hc_list *servers; /* as hc_dns_server_parse() reads them; empty or NULL: */
    /* this file's nameservers; NULL: /etc/resolv.conf. A change of it is seen within seconds; while
     * it cannot be looked at, the servers stay. Copied. */
    const char *resolv_conf;
    struct hc_loop *loop; /* outlives it; its clock is used */
    const struct hc_random *random;
    const struct hc_log *log; /* or NULL */
};

struct hc_resolver;

/* HC_P_BAD_VALUE for a server that is none. Without any server, 127.0.0.1 is asked, as libc does.
 */
int hc_resolver_new(const struct hc_resolver_options *options, struct hc_resolver **out,
                    struct hc_error *err) HC_MUST_USE;
void hc_resolver_free(struct hc_resolver *resolver); /* asks in flight end without callbacks */

const struct hc_dns_port *hc_resolver_port(struct hc_resolver *resolver);

/* The servers in use, as text: "192.0.2.1, 192.0.2.2:5353". At most cap bytes; returns dst. */
char *hc_resolver_describe(const struct hc_resolver *resolver, char *dst, size_t cap);

#endif
