/*
 * dns-persist-01 (draft-ietf-acme-dns-persist): the answer is a TXT record that the operator added
 * once and that stays (dns/persist.h). There is nothing to lay out: presenting it is to ask the
 * zone's own name servers whether it stands there, so that no attempt is spent at the CA on a
 * record that is missing or wrong. Where they cannot be asked from here, the CA decides.
 */
#ifndef HC_SOLVE_DNS_PERSIST01_H
#define HC_SOLVE_DNS_PERSIST01_H

#include "acme/solver.h"

int hc_dns_persist01_open(const struct hc_solver_env *env, struct hc_solver *out,
                          struct hc_error *err) HC_MUST_USE;

#endif
