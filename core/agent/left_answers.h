/*
 * Answers in the store whose agent died and whose order nobody goes on with, or goes on with beyond
 * them: a killed agent leaves nothing behind for long.
 */
#ifndef HC_AGENT_LEFT_ANSWERS_H
#define HC_AGENT_LEFT_ANSWERS_H

#include "agent/answer_book.h"
#include "agent/storage.h"

/*
 * Removes from the store those of the mirrored answers that no living agent has held since
 * HC_ANSWER_LEFT_S: who died may be back, and goes on with the order. The next pass over the store
 * finds them gone. To be called a few times within that time.
 */
int hc_left_answers_remove(struct hc_answer_book *book, struct hc_storage *storage, int64_t now,
                           struct hc_error *err) HC_MUST_USE;

#endif
