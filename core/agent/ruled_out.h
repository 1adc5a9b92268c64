/*
 * The methods that the latest preflight of an identity's names found to fail for them: a value.
 * Empty for nearly all.
 */
#ifndef HC_AGENT_RULED_OUT_H
#define HC_AGENT_RULED_OUT_H

#include "preflight/preflight.h"

/* Zeroed memory is empty. */
struct hc_ruled_out {
    struct hc_list *items; /* "method name"; NULL: none */
};

/* What a preflight found takes the place of what was known. Without memory something is missing. */
void hc_ruled_out_note(struct hc_ruled_out *out, const struct hc_preflight_result *result);
/* out may be NULL, here and below: nothing is. */
bool hc_ruled_out_has(const struct hc_ruled_out *out, const char *name, const char *method);
/*
 * Puts these methods last in the list: each is tried where nothing else can be, for instance since
 * the CA offers nothing else, and this machine may see what the CA does not.
 */
void hc_ruled_out_last(const struct hc_ruled_out *out, const char *name, struct hc_list *methods);
void hc_ruled_out_dispose(struct hc_ruled_out *out);

#endif
