/*
 * The pairs of watched files, as the publisher is offered them: of each identity's files the last
 * good pair, and whether the files were read.
 */
#ifndef HC_AGENT_OFFERS_H
#define HC_AGENT_OFFERS_H

#include "conf/conf.h"
#include "pki/pair.h"

struct hc_offer;

/* Zeroed memory is empty. */
struct hc_offers {
    const struct hc_conf *conf; /* borrowed */
    struct hc_offer *items;
    size_t count;
    size_t *first; /* the number of each identity's first */
};

int hc_offers_init(struct hc_offers *offers, const struct hc_conf *conf,
                   struct hc_error *err) HC_MUST_USE;
void hc_offers_dispose(struct hc_offers *offers);

/* The pair (a reference is taken; NULL: nothing good) of the which-th files of an identity. */
void hc_offers_hold(struct hc_offers *offers, size_t index, size_t which, struct hc_pair *pair);
/* The same, after reading the files. */
void hc_offers_put(struct hc_offers *offers, size_t index, size_t which, struct hc_pair *pair);

/* True if all of the identity's files were read, or there are none. */
bool hc_offers_are_known(const struct hc_offers *offers, size_t index);

/* What the identity's files have. *bundle is the caller's to free; NULL: nothing good. */
int hc_offers_bundle(const struct hc_offers *offers, size_t index, struct hc_bundle **bundle,
                     struct hc_error *err) HC_MUST_USE;

#endif
