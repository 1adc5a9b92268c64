/* Between the files that make pairs; not for others. */
#ifndef HC_PKI_PAIR_MAKE_H
#define HC_PKI_PAIR_MAKE_H

#include "pki/pair.h"

/*
 * A pair of these objects (references are taken): learns dates, serial, names and fingerprint.
 * The caller has made sure that they belong together. chain may be NULL: empty.
 */
int hc_pair_make(EVP_PKEY *key, X509 *leaf, STACK_OF(X509) * chain, struct hc_pair **out,
                 struct hc_error *err) HC_MUST_USE;

/* What hc_pair_file_goes_on() tells; before anybody else has the pair. */
void hc_pair_set_file_goes_on(struct hc_pair *pair, bool goes_on);

#endif
