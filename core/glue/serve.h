/* Serving: a bundle on a connection, and a newer bundle from the table. */
#ifndef HC_GLUE_SERVE_H
#define HC_GLUE_SERVE_H

#include <openssl/ssl.h>

#include "base/log.h"
#include "live/view.h"
#include "pki/pair.h"

/*
 * Puts one pair on the connection, beside those that are there. The chain is always given, be it
 * empty: without one OpenSSL would look for issuers of its own. OpenSSL takes its own references.
 */
bool hc_serve_pair(SSL *ssl, const struct hc_pair *pair);

/*
 * Puts every pair of the bundle on the connection. What is there goes first: a key of another type
 * would be served beside. A pair that OpenSSL refuses is an error in the log; false: it took none.
 */
bool hc_serve_bundle(SSL *ssl, const struct hc_bundle *bundle, const struct hc_log *log);

/* Logs that OpenSSL refused the pair, with its reason; empties its queue. */
void hc_serve_refused(const struct hc_pair *pair, const struct hc_log *log);

/*
 * Reads and parses what is newer than the entry (live/view.h). What cannot be used is an error in
 * the log, once a bundle, and the entry keeps what it has. The caller holds what guards the entry.
 */
void hc_serve_refresh(struct hc_view_entry *entry, const struct hc_identity *identity,
                      const struct hc_table *table, const struct hc_log *log);

#endif
