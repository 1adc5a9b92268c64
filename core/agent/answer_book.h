/*
 * The answers that are known here, each once, found by what they are, where they stand and the file
 * that the store has for them, however many there are. Also the one place where they come on the
 * list of what no log shows, and leave it.
 */
#ifndef HC_AGENT_ANSWER_BOOK_H
#define HC_AGENT_ANSWER_BOOK_H

#include <sys/queue.h>

#include "base/redaction.h"
#include "live/answer.h"
#include "store/answer.h"

/* One answer. It is held (by our own orders and preflights), mirrored (the store has it), or both.
 */
struct hc_answer_entry {
    TAILQ_ENTRY(hc_answer_entry) link;
    struct hc_answer_entry *next_place,
        *next_file; /* of those with these hashes, the newest first */
    uint64_t place;
    struct hc_answer answer;
    char file[HC_ANSWER_FILE]; /* in the store */
    unsigned holders;
    int64_t left_s; /* nobody who lives holds it, as was first seen then; 0: somebody does */
    bool left;      /* as was seen just now */
    bool stored;    /* by us */
    bool mirrored;  /* acknowledged to the others */
    bool seen;      /* in the pass over the store that is under way */
};

struct hc_answer_book {
    TAILQ_HEAD(, hc_answer_entry) entries; /* the oldest first */
    struct hc_answer_entry **places, **files;
    size_t cap, count; /* of both; a power of two */
    struct hc_redaction *redaction;
};

/* redaction: borrowed, or NULL. */
void hc_answer_book_init(struct hc_answer_book *book, struct hc_redaction *redaction);
void hc_answer_book_dispose(struct hc_answer_book *book);

/* Copies answer, which is not in it. NULL: err. */
struct hc_answer_entry *hc_answer_book_add(struct hc_answer_book *book,
                                           const struct hc_answer *answer, struct hc_error *err);
void hc_answer_book_remove(struct hc_answer_book *book, struct hc_answer_entry *entry);

/* NULL: it is not there. */
struct hc_answer_entry *hc_answer_book_find(const struct hc_answer_book *book,
                                            const struct hc_answer *answer);
struct hc_answer_entry *hc_answer_book_find_file(const struct hc_answer_book *book,
                                                 const char *file);
/*
 * Which of those at this answer's place is shown, where one can be: the newest value of a token, or
 * by hc_answer_goes_first(). NULL: there is none that is not over.
 */
const struct hc_answer_entry *hc_answer_book_shown(const struct hc_answer_book *book,
                                                   const struct hc_answer *answer, int64_t now);
/* The newest of those that stand at this answer's place. */
struct hc_answer_entry *hc_answer_book_newest(const struct hc_answer_book *book,
                                              const struct hc_answer *answer);
/* Another value at its place, which is not over at now; NULL: there is none. */
const struct hc_answer *hc_answer_book_other(const struct hc_answer_book *book,
                                             const struct hc_answer *answer, int64_t now);
/* The one before it at the same place, or NULL. */
const struct hc_answer_entry *hc_answer_book_older(const struct hc_answer_entry *entry);

#endif
