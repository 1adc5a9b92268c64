/*
 * The reply headers that ACME and the fetcher use, read line by line as they arrive (RFC 9110).
 * Values are hostile: bounded, and refused when they hold control characters.
 */
#ifndef HC_NET_HEADER_H
#define HC_NET_HEADER_H

#include "base/compiler.h"
#include "base/error.h"
#include "base/str.h"

#define HC_HEADER_VALUE_MAX 2048 /* one value */
#define HC_HEADER_LINKS_MAX 32   /* Link values kept of one reply */
#define HC_RETRY_AFTER_MAX  ((int64_t)366 * 86400)

/* A value: zeroed memory is an empty one. Absent headers are "" (retry_after: -1 after a reset). */
struct hc_http_headers {
    char content_type[128];
    char location[HC_HEADER_VALUE_MAX];
    char replay_nonce[256];
    char server[128];
    char www_authenticate[256];
    int64_t retry_after;
    int64_t date; /* UTC; 0: none */
    struct hc_list links;
};

/* Empties it, also before first use. */
void hc_http_headers_reset(struct hc_http_headers *headers);
void hc_http_headers_dispose(struct hc_http_headers *headers);

/*
 * Takes one line, with or without its line end. A status line empties what was collected, so that
 * interim replies (RFC 9110 section 15.2) leave nothing behind. The first of a repeated header
 * counts, except for Link. now: seconds, for Retry-After as a date. -1 only without memory.
 */
int hc_http_headers_line(struct hc_http_headers *headers, const char *line, size_t len, int64_t now,
                         struct hc_error *err) HC_MUST_USE;

/*
 * Retry-After, RFC 9110 section 10.2.3: seconds or an HTTP date. Seconds from now, at most
 * HC_RETRY_AFTER_MAX, 0 for a date that is past; -1 if it is neither.
 */
int64_t hc_http_retry_after(const char *text, int64_t now);

/* An HTTP date, RFC 9110 section 5.6.7, as seconds UTC; 0 if it is none. */
int64_t hc_http_date(const char *text);

#endif
