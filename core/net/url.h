/*
 * URLs as the parser sees them that will connect: libcurl's own, so that nothing is checked by one
 * reading and followed by another.
 */
#ifndef HC_NET_URL_H
#define HC_NET_URL_H

#include <stddef.h>

#include "base/compiler.h"

#define HC_URL_HOST   256
#define HC_URL_TARGET 2048

struct hc_url_parts {
    char host[HC_URL_HOST]; /* lower case, without brackets */
    uint16_t port;
    bool tls; /* https */
};

/* Takes an http or https URL apart. What is wrong with it, in words; NULL: nothing. Any thread. */
const char *hc_url_take(const char *url, struct hc_url_parts *out);

/* Where a redirect from base to target leads; target may be relative. False: nowhere. Any thread.
 */
bool hc_url_resolve(const char *base, const char *target, char *out, size_t cap);

/* Where a redirect leads, taken apart. */
struct hc_url_target {
    char url[HC_URL_TARGET]; /* without a fragment */
    char scheme[16];
    char host[HC_URL_HOST]; /* as in hc_url_parts */
    uint16_t port;
};

/*
 * The same for who judges each step itself, whatever the scheme. Why it leads nowhere, in words;
 * NULL: it does not. Any thread.
 */
const char *hc_url_follow(const char *base, const char *target, struct hc_url_target *out);

/* True for a status whose Location is to be followed. */
bool hc_http_is_redirect(long status);

#endif
