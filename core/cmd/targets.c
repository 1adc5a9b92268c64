/* Targets of challenge records, from stores; see targets.h. */
#include "cmd/targets.h"

#include <stdio.h>

#include "agent/kept.h"
#include "cmd/stores.h"
#include "conf/name.h"
#include "solve/writers.h"

/* What is looked for in a store. */
struct sought {
    const char *endpoint;
    char alias[HC_NAME_SIZE + 64];
};

/* In the process that has the store's rights: the target and nothing else leaves it. */
static int read_target(struct hc_store *store, const void *arg, struct hc_buf *out,
                       struct hc_error *err)
{
    const struct sought *sought = arg;
    struct hc_keep_port keep;
    char target[HC_NAME_SIZE];
    int found = 0;

    hc_kept_port_of_store(store, &keep);
    found = hc_dns_acme_dns_target(&keep, sought->endpoint, sought->alias, target, err);
    return found == 1 ? hc_buf_puts(out, target, err) : found;
}

/* 1: found; 0: in none of the stores that can be read. */
static int find_one(const struct sought *sought, const struct hc_list *stores, const char *secret,
                    const char *host, struct hc_list *pairs, struct hc_error *err)
{
    int rc = 0;

    for (size_t i = 0; i < stores->count && rc == 0; i++) {
        struct hc_buf target = HC_BUF_INIT(HC_NAME_SIZE);
        char name[HC_NAME_SIZE];
        struct hc_error ignored; /* of a store that is not there, or of somebody else */

        hc_error_init(&ignored);
        if (hc_stores_read(stores->items[i], secret, read_target, sought, &target, &ignored) == 0 &&
            target.len > 0 && hc_name_normalise(hc_buf_text(&target), name, &ignored) == 0) {
            rc = hc_list_add(pairs, host, err) == 0 && hc_list_add(pairs, name, err) == 0 ? 1 : -1;
        }
        hc_buf_dispose(&target);
    }
    return rc;
}

int hc_targets_find(const char *endpoint, const struct hc_which_ca *stores, const char *label,
                    const struct hc_list *names, struct hc_list *pairs, struct hc_error *err)
{
    struct hc_list folders = {0};
    int rc = stores->stores.count > 0 ? hc_list_copy(&folders, &stores->stores, err)
                                      : hc_stores_find(&folders, err);

    for (size_t i = 0; i < names->count && rc == 0; i++) {
        const char *host = names->items[i] + (hc_name_is_wildcard(names->items[i]) ? 2 : 0);
        struct sought sought = {.endpoint = endpoint};
        int found = 0;

        (void)snprintf(sought.alias, sizeof(sought.alias), "%.60s%.253s", label, host);
        found = find_one(&sought, &folders, stores->secret, host, pairs, err);
        rc = found == 1   ? 0
             : found == 0 ? hc_error_set(err, HC_P_STORE_EMPTY, sought.alias,
                                         "no store that hotcert can read here has a registration "
                                         "at %.200s; the first order makes it",
                                         endpoint)
                          : -1;
    }
    hc_list_dispose(&folders);
    return rc;
}
