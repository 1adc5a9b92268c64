/*
 * What the examination of a start found (agent/loader.h), for the loader of the same start: pairs
 * that were judged, so that nobody judges them twice. In a memfd that the server's master makes,
 * gives to both one after the other, and seals in between; no process of another user can write
 * it. It holds private keys.
 *
 * Known by a digest of all that the judgement was about, so that what changed in between is judged.
 */
#ifndef HC_AGENT_PRIOR_H
#define HC_AGENT_PRIOR_H

#include "base/buf.h"
#include "conf/digest.h"

#define HC_PRIOR_MAX ((size_t)64 << 20) /* what goes beyond is judged again */

struct hc_prior;

int hc_prior_new(struct hc_prior **out, struct hc_error *err) HC_MUST_USE;
void hc_prior_free(struct hc_prior *prior); /* NULL is fine */

/* bytes: an encoded bundle. HC_P_TOO_LARGE: it is full. */
int hc_prior_add(struct hc_prior *prior, const unsigned char key[HC_DIGEST_SIZE],
                 struct hc_bytes bytes, struct hc_error *err) HC_MUST_USE;

int hc_prior_write(const struct hc_prior *prior, int fd, struct hc_error *err) HC_MUST_USE;
/* HC_P_PROTOCOL: it is not sealed, or not what hc_prior_write() made. An empty one is fine. */
int hc_prior_read(int fd, struct hc_prior **out, struct hc_error *err) HC_MUST_USE;

/* Borrowed; of no length: it is not known. Any thread, once all was added or read. */
struct hc_bytes hc_prior_get(const struct hc_prior *prior, const unsigned char key[HC_DIGEST_SIZE]);
size_t hc_prior_count(const struct hc_prior *prior);

#endif
