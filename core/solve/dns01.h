/*
 * dns-01, RFC 8555 section 8.4, and dns-account-01, draft-ietf-acme-dns-account-label: a TXT record
 * has a digest of the key authorization, at a label of its own below the name.
 */
#ifndef HC_SOLVE_DNS01_H
#define HC_SOLVE_DNS01_H

#include "acme/solver.h"

int hc_dns01_open(const struct hc_solver_env *env, struct hc_solver *out,
                  struct hc_error *err) HC_MUST_USE;
int hc_dns_account01_open(const struct hc_solver_env *env, struct hc_solver *out,
                          struct hc_error *err) HC_MUST_USE;

#endif
