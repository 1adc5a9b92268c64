/*
 * The best bundle for an identity out of the store: selection, reading, and another selection
 * where something turns out to be unreadable. Loader and agent do this alike.
 */
#ifndef HC_AGENT_BEST_H
#define HC_AGENT_BEST_H

#include "agent/select.h"

struct hc_best_source {
    const struct hc_conf *conf;
    struct hc_store *store;
    struct hc_inventory *inventory; /* corrected where a version turns out to be another */
    const struct hc_log *log;
    int64_t now;
    /* a version that was committed a moment ago and need not be read back; pair NULL: none */
    struct {
        const unsigned char *line;
        uint64_t version;
        struct hc_pair *pair;
    } fresh;
};

/* What is to serve the identity (of the mode `on`), as far as the inventory knows. */
void hc_best_select(const struct hc_best_source *source, const struct hc_identity *identity,
                    struct hc_selection *selection);

/*
 * 1: *bundle is what serves the identity (of the mode `on`) best, *selection says what it is made
 * of; 0: the store has nothing that covers any of its names; -1: err. What cannot be read is
 * logged and passed over. *selection comes with what hc_best_select() chose.
 */
int hc_best_bundle(const struct hc_best_source *source, const struct hc_identity *identity,
                   struct hc_selection *selection, struct hc_bundle **bundle,
                   struct hc_error *err) HC_MUST_USE;

#endif
