/*
 * tls-alpn-01, RFC 8737, and RFC 8738 for addresses: the servers' TLS listeners show a certificate
 * made for the challenge (pki/proof.h) to whoever validates (glue/proof.h).
 *
 * A place is a server name, and shows one certificate at a time. Where the same name is being
 * proved already with another one (a second key type, another agent on the store), this one waits
 * for its turn.
 */
#ifndef HC_SOLVE_TLS_ALPN01_H
#define HC_SOLVE_TLS_ALPN01_H

#include "acme/solver.h"

int hc_tls_alpn01_open(const struct hc_solver_env *env, struct hc_solver *out,
                       struct hc_error *err) HC_MUST_USE;

#endif
