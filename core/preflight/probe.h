/*
 * hc_probe: the handshake that a CA would make for a challenge over TLS (RFC 8737 section 3), to
 * one address of one name. Stepped, as requests are.
 */
#ifndef HC_PREFLIGHT_PROBE_H
#define HC_PREFLIGHT_PROBE_H

#include "base/escape.h"
#include "base/kept_error.h"
#include "base/time.h"
#include "net/handshake.h"
#include "preflight/ranges.h"

#define HC_PROBE_MS 5000 /* for one handshake */

/* The same for all probes of a preflight. Borrowed. */
struct hc_probe_how {
    const struct hc_handshake_port *port;
    const struct hc_clock *clock;
    int64_t deadline_ms; /* monotonic, for all of them */
    unsigned tls_port;
    const struct hc_ranges *ranges; /* of CDNs; or NULL */
    bool answered;                  /* this machine's servers answer for the names just now */
    void (*wake)(void *self);       /* after a callback, last thing in it */
    void *self;
};

enum hc_probe_end {
    HC_PROBE_NONE,        /* not complete yet */
    HC_PROBE_RIGHT,       /* a certificate that proves a name; where nothing is answered: a refusal
                             such as ours */
    HC_PROBE_WRONG,       /* another server: what says how it is known */
    HC_PROBE_NOT_TLS,     /* what answers does not speak TLS */
    HC_PROBE_UNREACHABLE, /* nothing answers; error says why */
};

struct hc_probe {
    const struct hc_probe_how *how;
    const char *host; /* borrowed: a name or an IP address */
    struct hc_address address;
    enum hc_probe_end end;
    char what[HC_FOREIGN_MAX]; /* what was seen, presentable */
    struct hc_kept_error error;
    bool started;
    uint64_t id; /* under way */
};

/* Sets it up; it does not move until disposed. */
void hc_probe_init(struct hc_probe *probe, const struct hc_probe_how *how, const char *host,
                   const struct hc_address *address);
/* Goes on; true if anything changed. */
bool hc_probe_step(struct hc_probe *probe);
void hc_probe_dispose(struct hc_probe *probe);

#endif
