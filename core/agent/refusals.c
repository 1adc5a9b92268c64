/* What the CA said of names; see refusals.h. */
#include "agent/refusals.h"

#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "base/vec.h"
#include "preflight/refusal.h"

const struct hc_refused *hc_refusals_find(const struct hc_refusals *refusals, const char *name)
{
    for (size_t i = 0; i < refusals->count; i++) {
        if (strcmp(refusals->items[i].name, name) == 0) {
            return &refusals->items[i];
        }
    }
    return NULL;
}

int hc_refusals_add(struct hc_refusals *refusals, const char *name, const struct hc_error *said,
                    struct hc_error *err)
{
    struct hc_refused *grown = NULL;
    char *copy = NULL;

    if (hc_refusals_find(refusals, name) != NULL) {
        return 0;
    }
    grown = hc_vec_room(refusals->items, refusals->count, NULL, sizeof(*grown), err);
    if (grown == NULL) {
        return -1;
    }
    refusals->items = grown;
    if (hc_strdup(name, &copy, err) != 0) {
        return -1;
    }
    grown[refusals->count] = (struct hc_refused){.name = copy};
    hc_kept_error_set(&grown[refusals->count++].said, said);
    return 0;
}

void hc_refusals_tell(const struct hc_refusals *refusals, const struct hc_log *log)
{
    struct hc_error said;
    char text[HC_LOG_LINE];

    for (size_t i = 0; i < refusals->count; i++) {
        hc_kept_error_get(&refusals->items[i].said, &said);
        hc_logf(log, HC_LOG_ERROR, "%s: %s", refusals->items[i].name,
                hc_refusal_describe(&said, NULL, text, sizeof(text)));
    }
}

void hc_refusals_dispose(struct hc_refusals *refusals)
{
    for (size_t i = 0; i < refusals->count; i++) {
        free(refusals->items[i].name);
        hc_kept_error_dispose(&refusals->items[i].said);
    }
    free(refusals->items);
    refusals->items = NULL;
    refusals->count = 0;
}
