/* The pairs of watched files; see offers.h. */
#include "agent/offers.h"

#include <stdlib.h>

/* Of one watched pair of files. */
struct hc_offer {
    struct hc_pair *pair; /* the last good one, or NULL */
    bool known;           /* the files were known at */
};

int hc_offers_init(struct hc_offers *offers, const struct hc_conf *conf, struct hc_error *err)
{
    offers->conf = conf;
    offers->first = calloc(conf->identity_count + 1, sizeof(*offers->first));
    if (offers->first == NULL) {
        return hc_error_nomem(err);
    }
    for (size_t i = 0; i < conf->identity_count; i++) {
        offers->first[i] = offers->count;
        offers->count += conf->identities[i].watched_count;
    }
    offers->items = calloc(offers->count + 1, sizeof(*offers->items));
    return offers->items != NULL ? 0 : hc_error_nomem(err);
}

void hc_offers_dispose(struct hc_offers *offers)
{
    for (size_t i = 0; offers->items != NULL && i < offers->count; i++) {
        hc_pair_free(offers->items[i].pair);
    }
    free(offers->items);
    free(offers->first);
    *offers = (struct hc_offers){.conf = NULL};
}

void hc_offers_hold(struct hc_offers *offers, size_t index, size_t which, struct hc_pair *pair)
{
    struct hc_offer *offer = &offers->items[offers->first[index] + which];

    if (offer->pair != pair) {
        hc_pair_free(offer->pair);
        offer->pair = pair != NULL ? hc_pair_ref(pair) : NULL;
    }
}

void hc_offers_put(struct hc_offers *offers, size_t index, size_t which, struct hc_pair *pair)
{
    hc_offers_hold(offers, index, which, pair);
    offers->items[offers->first[index] + which].known = true;
}

bool hc_offers_are_known(const struct hc_offers *offers, size_t index)
{
    const struct hc_offer *items = &offers->items[offers->first[index]];

    for (size_t i = 0; i < offers->conf->identities[index].watched_count; i++) {
        if (!items[i].known) {
            return false;
        }
    }
    return true;
}

/* Of two with keys of one kind the later counts, as in nginx. */
static size_t collect(const struct hc_offers *offers, size_t index,
                      struct hc_pair *pairs[HC_BUNDLE_PAIRS])
{
    const struct hc_offer *items = &offers->items[offers->first[index]];
    size_t count = 0;

    for (size_t i = 0; i < offers->conf->identities[index].watched_count; i++) {
        struct hc_pair *pair = items[i].pair;
        size_t at = 0;

        if (pair == NULL) {
            continue;
        }
        while (at < count && hc_pair_algorithm(pairs[at]) != hc_pair_algorithm(pair)) {
            at++;
        }
        if (at == HC_BUNDLE_PAIRS) {
            continue;
        }
        if (at < count) {
            hc_pair_free(pairs[at]);
        } else {
            count++;
        }
        pairs[at] = hc_pair_ref(pair);
    }
    return count;
}

int hc_offers_bundle(const struct hc_offers *offers, size_t index, struct hc_bundle **bundle,
                     struct hc_error *err)
{
    struct hc_pair *pairs[HC_BUNDLE_PAIRS] = {NULL};
    size_t count = collect(offers, index, pairs);

    *bundle = NULL;
    if (count > 0 && hc_bundle_new(pairs, count, bundle, err) != 0) {
        for (size_t i = 0; i < count; i++) {
            hc_pair_free(pairs[i]);
        }
        return -1;
    }
    return 0;
}
