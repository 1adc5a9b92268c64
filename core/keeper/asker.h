/*
 * Questions to the keeper out of a loop: nobody waits for the answer but whoever asked. One
 * question is under way at a time, the others stand in one queue; what comes back is told by a
 * callback. For the agent; the loader, which has no loop, asks by keeper.h.
 *
 * A question that is not answered within HC_ASKER_LIMIT_MS has failed, and so have those that wait
 * behind it: what holds the keeper up would hold them up as well. A reply that comes later is
 * dropped. When the keeper is gone every question fails.
 */
#ifndef HC_KEEPER_ASKER_H
#define HC_KEEPER_ASKER_H

#include <sys/queue.h>

#include "base/buf.h"
#include "base/secret.h"
#include "keeper/question.h"
#include "loop/loop.h"

#define HC_ASKER_LIMIT_MS 5000

struct hc_asker;

/* What came back, for the call. */
struct hc_asker_answer {
    const struct hc_error *err; /* NULL: it went well; else as keeper.h says */
    struct hc_bytes content;    /* what was read; wiped after the call */
    struct hc_file_stamp stamp; /* of a file */
};

/* Never from within hc_ask(). May ask again, and may free what the question is embedded in. */
typedef void hc_asked_done(void *self, const struct hc_asker_answer *answer);

/* One question, embedded in its owner, who sets the first six and does not move it meanwhile. */
struct hc_asked {
    enum hc_keeper_op op;
    int file;         /* index into hc_conf.files */
    bool create;      /* HC_KEEPER_SECRET: see hc_keeper_secret() */
    const char *name; /* of the activity that the answer goes to; static */
    hc_asked_done *done;
    void *self;
    struct hc_asker *asker; /* the asker's; NULL: it is not being asked */
    uint64_t order;
    TAILQ_ENTRY(hc_asked) link;
};

/* fd: the socket to the keeper, borrowed; -1: there is none, and every question fails. */
int hc_asker_new(struct hc_loop *loop, int fd, struct hc_asker **out,
                 struct hc_error *err) HC_MUST_USE;
/* Questions that are still there are forgotten. NULL is fine. */
void hc_asker_free(struct hc_asker *asker);

/* False if there never was a keeper: a server that was not started as root has none. */
bool hc_asker_has_keeper(const struct hc_asker *asker);

/* Asks. One that is being asked already is left as it is. */
void hc_ask(struct hc_asker *asker, struct hc_asked *asked);
/* Nobody wants to know any more. Fine for one that is not being asked, and for zeroed memory. */
void hc_ask_stop(struct hc_asked *asked);

/* The secret in an answer to HC_KEEPER_SECRET, which went well. -1: it is none. The caller wipes
 * it. */
int hc_asker_secret(const struct hc_asker_answer *answer, unsigned char secret[HC_SECRET_SIZE],
                    struct hc_error *err) HC_MUST_USE;

#endif
