/*
 * The answer to a CA that asks over HTTP (RFC 8555 section 8.3), on every host and listener, ahead
 * of whatever the host is configured to do. Both servers send the same: status 200, this type, this
 * one header more, the length, and for HEAD no body.
 */
#ifndef HC_GLUE_CHALLENGE_H
#define HC_GLUE_CHALLENGE_H

#include <stddef.h>
#include <stdint.h>

#include "live/table.h"

#define HC_CHALLENGE_TYPE "application/octet-stream"
/* A cache between would answer the CA with what was true before. */
#define HC_CHALLENGE_HEADER "Cache-Control"
#define HC_CHALLENGE_VALUE  "no-store"

/*
 * True if path (decoded, not terminated) asks for what is pending at this time: *answer is the
 * body. All else is the site's own business. table may be NULL. Any thread, no lock.
 */
bool hc_challenge_answer(const struct hc_table *table, const char *path, size_t len, int64_t now,
                         struct hc_buf *answer);

#endif
