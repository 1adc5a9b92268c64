/*
 * A file that was to be PEM and has no block: what it is instead, and what to do about just that.
 * Any thread; nothing is left on OpenSSL's error queue.
 */
#ifndef HC_PKI_PEM_GUESS_H
#define HC_PKI_PEM_GUESS_H

#include "base/buf.h"

struct hc_pem_guess {
    const char *what;
    const char *hint;
};

/* certificate: one was looked for, else a key; indented: its BEGIN line was, but indented. */
struct hc_pem_guess hc_pem_guess(struct hc_bytes text, bool certificate, bool indented);

#endif
