/*
 * hc_txts: the TXT values that this agent has in other people's DNS, for all solvers whose answers
 * stand there. It finds where a value belongs (CNAMEs, zone), has a writer write it, waits until
 * every name server of the zone has it, and removes it when nobody wants it any more: also what an
 * agent wrote that died, because what is written is in the store until it was removed.
 *
 *     prepare -> present -> (located, written, spread) done -> withdraw -> (removed) done
 *
 * One thread; never blocks; a guest of the loop.
 */
#ifndef HC_SOLVE_TXTS_H
#define HC_SOLVE_TXTS_H

#include "acme/solver.h"
#include "solve/writer.h"

/*
 * Port: what is written, durably (agent/written.h). A value is put before it is written, put again
 * when its memo is known, and dropped when it was removed.
 */
typedef void hc_written_found(void *arg, const char *writer, const struct hc_txt_value *value);
struct hc_written_port {
    void *self;
    int (*put)(void *self, const char *writer, const struct hc_txt_value *value,
               struct hc_error *err);
    /* What goes wrong is logged. */
    void (*drop)(void *self, const char *writer, const struct hc_txt_value *value);
    /* found is called for each that an earlier process of this agent put and nobody dropped, as
     * soon as the store is open, and for each that another agent left for long. NULL: no more. */
    void (*listen)(void *self, hc_written_found *found, void *arg);
};

struct hc_txts_options {
    struct hc_writer_env env;
    const struct hc_written_port *written;
    hc_writer_open *open; /* tests: instead of the table of writers; NULL: that table */
};

struct hc_txts;

/* Opens a writer for each hotcert_dns. */
int hc_txts_new(const struct hc_txts_options *options, struct hc_txts **out,
                struct hc_error *err) HC_MUST_USE;
/* What stands stays, and is the next process's. NULL is fine. */
void hc_txts_free(struct hc_txts *txts);

/* True if a hotcert_dns is named for this name, which may have its "*.". */
bool hc_txts_has_writer(const struct hc_txts *txts, const char *name);

/*
 * What is known of a challenge and stands in no answer: kept until the answer is presented and
 * withdrawn, or for a while. keyauth and token may be "".
 */
int hc_txts_prepare(struct hc_txts *txts, const struct hc_answer *answer, const char *token,
                    const char *keyauth, struct hc_error *err) HC_MUST_USE;

/* As the calls of hc_solver with these names; done() comes from the loop. */
void hc_txts_present(struct hc_txts *txts, const struct hc_answer *answer, hc_solver_done *done,
                     void *arg);
int hc_txts_ready(struct hc_txts *txts, const struct hc_answer *answer);
void hc_txts_withdraw(struct hc_txts *txts, const struct hc_answer *answer, hc_solver_done *done,
                      void *arg);
void hc_txts_leave(struct hc_txts *txts, const struct hc_answer *answer);
void hc_txts_cancel(struct hc_txts *txts, const void *arg);

#endif
