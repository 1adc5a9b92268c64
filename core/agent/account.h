/*
 * The account at one issuer as the store keeps it: a small JSON text of key and URL, sealed. A key
 * without a URL was made, and perhaps registered, before the answer came.
 */
#ifndef HC_AGENT_ACCOUNT_H
#define HC_AGENT_ACCOUNT_H

#include "acme/acme.h"

int hc_account_encode(const struct hc_acme_account *account, struct hc_buf *out,
                      struct hc_error *err) HC_MUST_USE;
/* *account is zeroed memory; the caller disposes. */
int hc_account_decode(struct hc_bytes text, struct hc_acme_account *account,
                      struct hc_error *err) HC_MUST_USE;
void hc_account_dispose(struct hc_acme_account *account);

#endif
