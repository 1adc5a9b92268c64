/*
 * hc_suffixes: which names belong to nobody. The Public Suffix List (libpsl), the newer one of that
 * which is built into the library and that of the system. Only its ICANN section counts: what
 * registries give out. Below a private suffix (github.io) CAs issue wildcards as well (BR 3.2.2.6).
 * Reads a file when it is made; afterwards any thread.
 */
#ifndef HC_DNS_SUFFIX_H
#define HC_DNS_SUFFIX_H

#include "base/compiler.h"
#include "base/error.h"

enum hc_suffix {
    HC_SUFFIX_BELOW,   /* an ordinary name: below a public suffix */
    HC_SUFFIX_ITSELF,  /* a public suffix, such as com or co.uk */
    HC_SUFFIX_REVERSE, /* in-addr.arpa, ip6.arpa, or below: CAs issue nothing there (BR 4.2.2) */
    HC_SUFFIX_UNKNOWN, /* the list has no such top-level domain */
};

struct hc_suffixes;
int hc_suffixes_new(struct hc_suffixes **out, struct hc_error *err) HC_MUST_USE;
void hc_suffixes_free(struct hc_suffixes *suffixes); /* NULL is fine */

/* host: normalised, A-labels, without "*."; no IP address. */
enum hc_suffix hc_suffixes_find(const struct hc_suffixes *suffixes, const char *host);

#endif
