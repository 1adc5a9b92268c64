/*
 * Where challenge records must lead, by what the stores of this machine keep: an acme-dns server
 * gave each name a target when it was registered there. Root alone can read that.
 */
#ifndef HC_CMD_TARGETS_H
#define HC_CMD_TARGETS_H

#include "cmd/which_ca.h"

/*
 * Appends host and target, host, target .. of the names to pairs; label: in front of a host, with
 * its dot. stores: as for accounts. HC_P_STORE_EMPTY: a name is registered in none of them.
 */
int hc_targets_find(const char *endpoint, const struct hc_which_ca *stores, const char *label,
                    const struct hc_list *names, struct hc_list *pairs,
                    struct hc_error *err) HC_MUST_USE;

#endif
