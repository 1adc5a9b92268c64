/* Methods that would fail; see ruled_out.h. */
#include "agent/ruled_out.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "conf/name.h"

#define ITEM (HC_NAME_SIZE + 64)

/* Without memory it is tried. */
static void add(struct hc_ruled_out *out, const char *text)
{
    if (out->items == NULL) {
        out->items = calloc(1, sizeof(*out->items));
    }
    if (out->items != NULL) {
        (void)!hc_list_add(out->items, text, NULL);
    }
}

void hc_ruled_out_note(struct hc_ruled_out *out, const struct hc_preflight_result *result)
{
    char text[ITEM];

    hc_ruled_out_dispose(out);
    for (size_t i = 0; i < result->count; i++) {
        const struct hc_preflight_name *name = &result->names[i];

        for (size_t k = 0; k < name->ruled_out.count; k++) {
            (void)snprintf(text, sizeof(text), "%s %s", name->ruled_out.items[k], name->name);
            add(out, text);
        }
    }
}

bool hc_ruled_out_has(const struct hc_ruled_out *out, const char *name, const char *method)
{
    char text[ITEM];

    (void)snprintf(text, sizeof(text), "%s %s", method, name);
    return out != NULL && out->items != NULL && hc_list_has(out->items, text);
}

void hc_ruled_out_last(const struct hc_ruled_out *out, const char *name, struct hc_list *methods)
{
    size_t at = 0;

    for (size_t left = methods->count; left > 0; left--) {
        char *method = methods->items[at];

        if (!hc_ruled_out_has(out, name, method)) {
            at++;
            continue;
        }
        memmove(methods->items + at, methods->items + at + 1,
                (methods->count - at - 1) * sizeof(*methods->items));
        methods->items[methods->count - 1] = method;
    }
}

void hc_ruled_out_dispose(struct hc_ruled_out *out)
{
    if (out->items != NULL) {
        hc_list_dispose(out->items);
        free(out->items);
        out->items = NULL;
    }
}
