/*
 * Which of the stored pairs serves an identity best: a pure function of what the store says of
 * them, used by loader and agent alike.
 *
 * For each key type of the identity, in this order of weight:
 *   1. a pair whose time is now, before one that has expired or has not begun;
 *   2. the more of the identity's names it covers, the better; one that covers none never serves;
 *   3. the identity's own line;
 *   4. the same names and key type from an issuer that is still in use: it can be adopted;
 *   5. any issuer in use before one that is not (staging's before nothing at all);
 *   6. whatever lasts longest.
 * Copies of certificate lines that stand beside the identity's `on` are not among them:
 * agent/first.h weighs those. A pair of another line serves in place of a key type of the same kind
 * (ECDSA for ECDSA). One of another kind serves only if there would be nothing at all.
 */
#ifndef HC_AGENT_SELECT_H
#define HC_AGENT_SELECT_H

#include "agent/inventory.h"

struct hc_selection {
    size_t count; /* 0: only the bootstrap is left */
    struct hc_selected {
        unsigned char line[HC_ID_SIZE];
        uint64_t version;
        int64_t committed; /* a number that was set aside as damaged is given out again */
        bool own;          /* the identity's own line, not somebody else's in its place */
    } items[HC_KEY_TYPES_MAX];
};

/* A line that turned out to be unreadable, by its number in the inventory, is left out. */
typedef bool hc_select_skip(void *arg, const unsigned char line[HC_ID_SIZE]);

/* All borrowed. */
struct hc_select_case {
    const struct hc_conf *conf;
    const struct hc_identity *identity; /* one in the mode `on` */
    const struct hc_inventory *inventory;
    int64_t now;
    hc_select_skip *skip; /* or NULL */
    void *arg;
};

void hc_select(const struct hc_select_case *c, struct hc_selection *out);

/* True if every key type has a line of the identity's own. */
bool hc_selection_is_own(const struct hc_selection *selection, const struct hc_identity *identity);

/*
 * Another line with exactly these names and this key type, from an issuer that the identity uses,
 * now valid: the pair can become the identity's own without an order. NULL: there is none.
 */
const struct hc_line_info *hc_select_adoptable(const struct hc_conf *conf,
                                               const struct hc_identity *identity,
                                               enum hc_key_type type,
                                               const struct hc_inventory *inventory, int64_t now);

/* True if the identity's issuers (by their directories) include this directory. */
bool hc_identity_uses(const struct hc_conf *conf, const struct hc_identity *identity,
                      const char *directory_url);

/* The line of one watched pair: of its paths, whatever kind of key is in the files. */
void hc_watched_line(const struct hc_conf *conf, const struct hc_watched *watched,
                     unsigned char line[HC_ID_SIZE]);

#endif
