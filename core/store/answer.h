/*
 * Answers to pending challenges (live/answer.h), so that every server on this store gives them.
 * Those of an agent that died stay until somebody removes them: look at expires.
 */
#ifndef HC_STORE_ANSWER_H
#define HC_STORE_ANSWER_H

#include "base/str.h"
#include "live/answer.h"
#include "store/store.h"

int hc_store_answer_put(struct hc_store *store, const struct hc_answer *answer,
                        struct hc_error *err) HC_MUST_USE;
/* That there is none is fine. */
int hc_store_answer_remove(struct hc_store *store, const struct hc_answer *answer,
                           struct hc_error *err) HC_MUST_USE;
/*
 * The name of its file, which says nothing of the answer: a name that was read once stays the same
 * answer, so that followers need not read it again.
 */
#define HC_ANSWER_FILE 65
int hc_store_answer_file(const struct hc_answer *answer, char file[HC_ANSWER_FILE],
                         struct hc_error *err) HC_MUST_USE;
/* Appends the names of all to files. */
int hc_store_answer_list(struct hc_store *store, struct hc_list *files,
                         struct hc_error *err) HC_MUST_USE;
/* Reads one, the caller's to dispose. False: it is not there any more, or damaged (then it was
 * named and set aside). */
bool hc_store_answer_read(struct hc_store *store, const char *file,
                          struct hc_answer *answer) HC_MUST_USE;

#endif
