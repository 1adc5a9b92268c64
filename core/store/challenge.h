/*
 * Pending challenges, so that every server on this store answers them. Those of an agent that died
 * stay until somebody removes them: look at expires.
 */
#ifndef HC_STORE_CHALLENGE_H
#define HC_STORE_CHALLENGE_H

#include "base/str.h"
#include "store/store.h"

struct hc_challenge {
    char token[129];
    char keyauth[256];
    int64_t expires;
};
int hc_store_challenge_put(struct hc_store *store, const struct hc_challenge *challenge,
                           struct hc_error *err) HC_MUST_USE;
int hc_store_challenge_remove(struct hc_store *store, const char *token,
                              struct hc_error *err) HC_MUST_USE;
/* Names of their files, which say nothing of the token: a name that was read once stays the same
 * challenge, so that followers need not read it again. Appended to files. */
int hc_store_challenge_list(struct hc_store *store, struct hc_list *files,
                            struct hc_error *err) HC_MUST_USE;
/* Reads one. False: it is not there any more, or damaged (then it was named and set aside). */
bool hc_store_challenge_read(struct hc_store *store, const char *file,
                             struct hc_challenge *challenge) HC_MUST_USE;

#endif
