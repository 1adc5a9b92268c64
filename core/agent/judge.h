/*
 * The checks as loader and agent make them: roots loaded once for each hotcert_trusted_certificate,
 * the same questions for every pair, and the same words in the log.
 */
#ifndef HC_AGENT_JUDGE_H
#define HC_AGENT_JUDGE_H

#include "base/log.h"
#include "conf/conf.h"
#include "keeper/keeper.h"
#include "pki/check.h"
#include "pki/pair.h"

#define HC_JUDGE_ROOTS 32

/* Zeroed memory is a judge that has loaded nothing. */
struct hc_judge {
    struct {
        char *path;             /* NULL: the system's */
        struct hc_roots *roots; /* NULL: they cannot be loaded, which was said */
    } roots[HC_JUDGE_ROOTS];
    size_t count;
    const struct hc_log *log;
};

/* Loads the roots that pairs of this identity are judged by (NULL: they cannot be had, which was
 * said). A judge that loaded all may be asked from several threads. */
const struct hc_roots *hc_judge_roots(struct hc_judge *judge, const struct hc_identity *identity);

/* What a pair is judged for. */
struct hc_judge_case {
    const struct hc_identity *identity; /* that it is to serve, or serves */
    const struct hc_list *left_out;     /* names that were left out on purpose, or NULL */
    const char *key_path;               /* of the watched key file, or NULL */
    const struct hc_file_stamp *key_stamp;
    int64_t now;
};

/* Adds to findings what is wrong with the pair. -1 only without memory. */
int hc_judge_pair(struct hc_judge *judge, const struct hc_judge_case *c, const struct hc_pair *pair,
                  struct hc_findings *findings, struct hc_error *err) HC_MUST_USE;

/* The same for what is being served already: what goes over the wire does not change by age. */
int hc_judge_served(struct hc_judge *judge, const struct hc_judge_case *c,
                    const struct hc_pair *pair, struct hc_findings *findings,
                    struct hc_error *err) HC_MUST_USE;

/*
 * A line for each finding: flaws at flaw_level, but what hotcert_accept names and remarks at
 * remark_level. subject stands before them.
 */
void hc_judge_say(const struct hc_log *log, const char *subject, const struct hc_list *accept,
                  const struct hc_findings *findings, enum hc_level flaw_level,
                  enum hc_level remark_level);

void hc_judge_dispose(struct hc_judge *judge);

#endif
