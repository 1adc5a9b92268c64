/*
 * Whether signatures with SHA-1 can be verified here: some systems' OpenSSL refuses them by policy
 * (RHEL 9), and every signature would count as wrong. Any thread.
 */
#ifndef HC_DNS_SHA1_H
#define HC_DNS_SHA1_H

#include <stdbool.h>

/* Verifies one that is known to be good; only once. */
bool hc_sha1_works(void);

#endif
