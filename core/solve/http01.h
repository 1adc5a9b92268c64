/* http-01, RFC 8555 section 8.3: servers give the key authorization where its token is asked for.
 */
#ifndef HC_SOLVE_HTTP01_H
#define HC_SOLVE_HTTP01_H

#include "acme/solver.h"

int hc_http01_open(const struct hc_solver_env *env, struct hc_solver *out,
                   struct hc_error *err) HC_MUST_USE;

#endif
