/* What the folder says of itself: its version, its id and whose secret it is sealed under. */
#ifndef HC_STORE_FORMAT_H
#define HC_STORE_FORMAT_H

#include "store/internal.h"

/* Checks the secret; DRIVE makes or repairs the file. */
int hc_format_check(struct hc_store *store, struct hc_error *err) HC_MUST_USE;

/*
 * Before something is sealed: the store is driven, with a secret, and still under this one. Until
 * something is sealed, another server may have taken it over.
 */
int hc_format_may_seal(struct hc_store *store, struct hc_error *err) HC_MUST_USE;

/* How many sealed files there are, and whether the secret opens them. */
enum hc_sealed { HC_SEALED_NONE, HC_SEALED_OURS, HC_SEALED_OTHER };
int hc_format_probe(struct hc_store *store, enum hc_sealed *sealed,
                    struct hc_error *err) HC_MUST_USE;

#endif
