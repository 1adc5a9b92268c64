/*
 * The sockets of the DNS responder (hotcert_dns_listen): bound by the master, as root, and handed
 * to the agent. The master keeps them as long as it lives, so that neither a reload nor the end of
 * an agent loses a question: it waits in the kernel for the next agent. Called by the master,
 * single-threaded.
 */
#ifndef HC_KEEPER_DNS_SOCKETS_H
#define HC_KEEPER_DNS_SOCKETS_H

#include <sys/types.h>

#include "base/log.h"
#include "conf/conf.h"

#define HC_DNS_SOCKETS (2 * HC_DNS_LISTEN_MAX)

/* Static memory, or such as lives as long as the process; zeroed at first. */
struct hc_dns_sockets {
    bool made; /* the descriptors below are -1 or open */
    struct {
        char address[HC_DNS_LISTEN_TEXT]; /* as the configuration has it; "": free */
        int fds[2];                       /* UDP, TCP */
    } items[HC_DNS_LISTEN_MAX];
};

/*
 * Whether a start could have these sockets: binds what is not held, and lets go of it. running: the
 * process of this very server that a start would take over from, or a test is for (a busy address
 * is no fault if it is that one's); 0: none. HC_P_DNS_PORT_BUSY names who is in the way,
 * HC_P_DNS_PORT_DENIED, HC_P_DNS_LISTEN.
 */
int hc_dns_sockets_examine(const struct hc_dns_sockets *held, const struct hc_conf *conf,
                           pid_t running, struct hc_error *err) HC_MUST_USE;

/*
 * Holds what the configuration says, and nothing else: what is held stays as it is. No process that
 * is forked from now on has them but the keeper (private.h). One address that cannot be had does
 * not keep the others away; the first such is err's.
 */
int hc_dns_sockets_take(struct hc_dns_sockets *held, const struct hc_conf *conf, pid_t running,
                        struct hc_error *err) HC_MUST_USE;

/* Those that are open; returns how many. */
size_t hc_dns_sockets_list(const struct hc_dns_sockets *held, int fds[HC_DNS_SOCKETS]);

void hc_dns_sockets_close(struct hc_dns_sockets *held);

#endif
