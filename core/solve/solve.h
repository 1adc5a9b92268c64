/* The solvers that there are, a line each in solve.c; see acme/solver.h for what one is. */
#ifndef HC_SOLVE_SOLVE_H
#define HC_SOLVE_SOLVE_H

#include "acme/solver.h"

/* Opens all of them. *out is the caller's to hc_solvers_close(). */
int hc_solvers_open(const struct hc_solver_env *env, struct hc_solver_set *out,
                    struct hc_error *err) HC_MUST_USE;
void hc_solvers_close(struct hc_solver_set *set); /* safe on zeroed memory and twice */

#endif
