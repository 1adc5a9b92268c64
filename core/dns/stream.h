/*
 * hc_dns_stream: one message to a DNS server over TCP, and its reply (RFC 7766): for what is no
 * question of the resolver's. A guest of the loop, embedded in its owner; does not move while it
 * runs. Zeroed memory is one that does not run.
 */
#ifndef HC_DNS_STREAM_H
#define HC_DNS_STREAM_H

#include "base/buf.h"
#include "dns/resolver.h"
#include "loop/timer.h"

/* Either the reply, valid during the call, or err (HC_P_DNS_WRITE; about the server). Once, from
 * the loop; the stream does not run any more. */
typedef void hc_dns_stream_done(void *arg, struct hc_bytes reply, const struct hc_error *err);

struct hc_dns_stream {
    bool running;
    struct hc_loop_fd fd;
    struct hc_timer limit;
    struct hc_buf out;
    size_t sent;
    struct hc_buf in;
    hc_dns_stream_done *done;
    void *arg;
};

struct hc_dns_stream_options {
    struct hc_loop *loop;
    const struct hc_dns_server *server;
    struct hc_bytes message; /* copied */
    int64_t limit_ms;
};

/* Starts. -1 with err, and no callback. */
int hc_dns_stream_start(struct hc_dns_stream *stream, const struct hc_dns_stream_options *options,
                        hc_dns_stream_done *done, void *arg, struct hc_error *err) HC_MUST_USE;
/* Ends it without a callback. Fine for one that does not run. */
void hc_dns_stream_stop(struct hc_dns_stream *stream);

#endif
