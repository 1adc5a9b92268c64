/*
 * The answers to challenges that this machine's servers give: those of our own orders and
 * preflights, and those that other agents on the store present. The one place that brings them to
 * the live table, to the store, so that other agents mirror them, and to the list of what no log
 * shows (base/redaction.h), and takes them away again.
 *
 * Several may hold one answer (two orders of a name whose authorization the CA shares): it goes
 * with the last of them. Where several values stand at one place, every agent's table has the same
 * one (hc_answer_book_shown()).
 */
#ifndef HC_AGENT_ANSWERS_H
#define HC_AGENT_ANSWERS_H

#include "acme/solver.h"
#include "agent/env.h"
#include "agent/storage.h"
#include "live/table.h"

struct hc_answers;

/* Borrowed; env and storage outlive it. */
struct hc_answers_options {
    const struct hc_env *env;
    struct hc_storage *storage;
    struct hc_table *table;
};

int hc_answers_new(const struct hc_answers_options *options, struct hc_answers **out,
                   struct hc_error *err) HC_MUST_USE;
/* What is laid out stays until it expires: the agent that comes next may need it. */
void hc_answers_free(struct hc_answers *answers);

/* For solvers, whose answers are in the store as long as they are given. Valid as long as this. */
const struct hc_answer_port *hc_answers_port(struct hc_answers *answers);

/*
 * For a preflight, which nobody goes on with: in the store only if another server has to give
 * it, too. Taken back as any other. HC_P_TABLE_FULL, HC_P_STORE_WRITE ..
 */
int hc_answers_give_briefly(struct hc_answers *answers, const struct hc_answer *answer,
                            struct hc_error *err) HC_MUST_USE;
void hc_answers_take_back(struct hc_answers *answers, const struct hc_answer *answer);

/*
 * What stands at a place in DNS, for the responder: calls found with each value of this owner's
 * name that is not over.
 */
typedef void hc_answers_found(void *arg, const char *value);
void hc_answers_texts(const struct hc_answers *answers, const char *owner, hc_answers_found *found,
                      void *arg);
/* True if something stands below this name. */
bool hc_answers_texts_below(const struct hc_answers *answers, const char *owner);
/* True once the store was read: until then there may be more than is known here. */
bool hc_answers_are_known(const struct hc_answers *answers);

/* Gives what the store has, takes away what it has no more, and tells the others. */
int hc_answers_follow(struct hc_answers *answers, struct hc_error *err) HC_MUST_USE;
/*
 * The store is going: what was mirrored stays in the table (texts, which are not there, stay here),
 * and is read anew afterwards.
 */
void hc_answers_unfollow(struct hc_answers *answers);

#endif
