/* Names of hosts; see hosts.h. */
#include "agent/hosts.h"

#include <stdlib.h>
#include <string.h>

#include "base/vec.h"

static int compare_named(const void *a, const void *b)
{
    const struct hc_named *left = a;
    const struct hc_named *right = b;
    int order = strcmp(left->name, right->name);

    return order != 0 ? order : left->index < right->index ? -1 : left->index > right->index;
}

/* Goes over the names under `on`; *out, if not NULL, has room for them. */
static size_t collect_names(const struct hc_conf *conf, struct hc_named *out)
{
    size_t count = 0;

    for (size_t i = 0; i < conf->identity_count; i++) {
        const struct hc_identity *identity = &conf->identities[i];

        for (size_t k = 0; identity->mode == HC_MODE_ON && k < identity->names.count; k++) {
            if (out != NULL) {
                out[count] = (struct hc_named){identity->names.items[k], i};
            }
            count++;
        }
    }
    return count;
}

int hc_hosts_init(struct hc_hosts *hosts, const struct hc_conf *conf, struct hc_error *err)
{
    size_t count = collect_names(conf, NULL);

    hosts->items = calloc(count + 1, sizeof(*hosts->items));
    if (hosts->items == NULL) {
        return hc_error_nomem(err);
    }
    hosts->count = collect_names(conf, hosts->items);
    qsort(hosts->items, hosts->count, sizeof(*hosts->items), compare_named);
    return 0;
}

void hc_hosts_dispose(struct hc_hosts *hosts)
{
    free(hosts->items);
    hosts->items = NULL;
    hosts->count = 0;
}

static int compare_name(const void *key, const void *item)
{
    return strcmp(key, ((const struct hc_named *)item)->name);
}

size_t hc_hosts_find(const struct hc_hosts *hosts, const char *name)
{
    size_t at = 0;

    return hc_vec_place(name, hosts->items, hosts->count, sizeof(*hosts->items), compare_name, &at)
               ? at
               : hosts->count;
}
