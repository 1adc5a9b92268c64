/*
 * hc_solver: one method of proof, RFC 8555 section 8. A method is one file of core/solve that fills
 * in this struct, and a line in the table of solve.c; neither the order nor the agent knows any of
 * them by name. All calls come from the one thread; none blocks.
 *
 * An answer is presented, becomes ready (every place where a CA may look has it), and is withdrawn.
 * Both presenting and withdrawing may take minutes: they say so by done().
 */
#ifndef HC_ACME_SOLVER_H
#define HC_ACME_SOLVER_H

#include <jansson.h>

#include "base/log.h"
#include "base/time.h"
#include "live/answer.h"

struct hc_dns_port;
struct hc_txts;

/*
 * Port: where answers are laid out that this machine's servers give, with those of all others on
 * the same store. The agent's (agent/answers.h).
 */
struct hc_answer_port {
    void *self;
    /* Lays it out, here and for the others. Again is fine; each give wants a take_back. */
    int (*give)(void *self, const struct hc_answer *answer, struct hc_error *err);
    /* True when every other server that lives gives it, too. */
    bool (*given)(void *self, const struct hc_answer *answer);
    /*
     * Another value that stands at its place: one of ours, or of another agent's. When this one was
     * given: the other only if that is what is shown there. NULL: none.
     */
    const struct hc_answer *(*other)(void *self, const struct hc_answer *answer);
    /* Nobody gives it any more once all that gave it took it back. What goes wrong is logged. */
    void (*take_back)(void *self, const struct hc_answer *answer);
    /* It stays laid out until it expires, and is nobody's here: the next process goes on. */
    void (*leave)(void *self, const struct hc_answer *answer);
};

struct hc_loop;

/* What solvers are given. Borrowed; outlives them. */
struct hc_solver_env {
    const struct hc_conf *conf;
    const struct hc_clock *clock;
    const struct hc_log *log;
    struct hc_loop *loop; /* for timers */
    const struct hc_answer_port *answers;
    const struct hc_dns_port *dns; /* NULL: there is no resolver */
    struct hc_txts *txts;          /* solve/txts.h; NULL: nothing is written into the DNS */
};

/* What the CA asks, and who is asked. */
struct hc_challenge_case {
    const char *name;        /* normalised; with its "*." */
    const char *token;       /* or NULL: there is none */
    const char *thumbprint;  /* of the account's key */
    const char *account_url; /* or NULL: not known */
    const json_t *object;    /* all that the CA says of this challenge; NULL: nothing */
};

/* err: NULL if it went well. Borrowed during the call. */
typedef void hc_solver_done(void *arg, const struct hc_error *err);

struct hc_solver {
    const char *type; /* as the CA writes it */
    void *self;
    /* True if it can prove this name here: by its nature, and by what is configured. */
    bool (*supports)(void *self, const char *name);
    /*
     * What is to be found, and where. *answer is the caller's to dispose. HC_P_CA_REPLY: the
     * challenge is not one that can be answered.
     */
    int (*answer)(void *self, const struct hc_challenge_case *c, struct hc_answer *answer,
                  struct hc_error *err);
    /*
     * Starts to lay it out (which is copied). done() comes exactly once, maybe from within, unless
     * it is cancelled; when it comes later, it may withdraw this answer and others from within. The
     * same answer again is fine, and wants a withdrawal of its own. When it failed there is nothing
     * to withdraw.
     */
    void (*present)(void *self, const struct hc_answer *answer, hc_solver_done *done, void *arg);
    /*
     * After done(): 1 ready, 0 not yet, -1 it never will be (err says why). Asked now and then.
     * Where it is 0 with an error, the CA would find nothing: when its time is over, it failed.
     */
    int (*ready)(void *self, const struct hc_answer *answer, struct hc_error *err);
    /*
     * Takes it back, also while it is being presented: who does that cancels as well, since others
     * may hold the same answer. done may be NULL; what goes wrong is logged by the solver then.
     * Twice is fine.
     */
    void (*withdraw)(void *self, const struct hc_answer *answer, hc_solver_done *done, void *arg);
    /* What was presented, or is being presented, stays, and is not ours any more: another process
     * goes on. */
    void (*leave)(void *self, const struct hc_answer *answer);
    /* No done() comes with this arg any more; what was begun goes on by itself. */
    void (*cancel)(void *self, void *arg);
    void (*close)(void *self);
    int64_t patience_ms; /* so long it may take to become ready */
    bool strict;         /* then it failed; else the CA is told all the same, but see ready() */
};

/* Those that this process has. */
struct hc_solver_set {
    struct hc_solver *items;
    size_t count;
};

#endif
