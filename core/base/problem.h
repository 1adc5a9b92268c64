/*
 * The table of problems: everything that can be wrong, with its slug, class, sentence and hint.
 *
 * One table for errors and for findings. Errors are what a function of ours reports when it could
 * not do its work (hc_error); findings are what a check says of a pair, a name or a record
 * (hc_finding). The rows stand in problem_<area>.def, one file per area; `make docs` writes
 * docs/problems.md from them.
 *
 * Adding a problem: one row in the .def of its area, and a test that provokes it.
 */
#ifndef HC_BASE_PROBLEM_H
#define HC_BASE_PROBLEM_H

#include "base/compiler.h"

/* What an error means for whoever asked. */
enum hc_class {
    HC_CLASS_RETRYABLE, /* the same call may succeed later: network, CA, disk full */
    HC_CLASS_PERMANENT, /* will not go away unless somebody changes something */
    HC_CLASS_USAGE,     /* a directive, an argument or a file of the operator's is wrong */
    HC_CLASS_INTERNAL,  /* out of memory, a broken invariant, a refused system call */
    HC_CLASS_UNUSABLE,  /* finding: can never be served */
    HC_CLASS_FLAWED,    /* finding: some or all clients will fail */
    HC_CLASS_REMARK,    /* finding: works, but should be fixed */
};

enum hc_problem {
    HC_P_NONE = 0,
#define HC_PROBLEM(id, slug, cls, sentence, hint) id,
#include "base/problem_acme.def"
#include "base/problem_base.def"
#include "base/problem_conf.def"
#include "base/problem_dns.def"
#include "base/problem_pki.def"
#include "base/problem_store.def"
#undef HC_PROBLEM
    HC_P_COUNT
};

struct hc_problem_row {
    const char *slug; /* "key-mismatch": stable, for machines */
    enum hc_class cls;
    const char *sentence; /* what is wrong, in plain words, without a full stop */
    const char *hint;     /* what to do about it; never empty */
};

/* The row of problem p; never NULL. Any thread. */
const struct hc_problem_row *hc_problem_row(enum hc_problem p);

/* The problem with this slug, or HC_P_NONE. Any thread. */
enum hc_problem hc_problem_by_slug(const char *slug);

/* "retryable", "flawed" and so on; never NULL. */
const char *hc_class_name(enum hc_class cls);

#endif
