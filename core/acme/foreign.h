/*
 * What a CA's problem document says, as data (struct hc_foreign): its type, what its words add to
 * it, and of which names it speaks. All that is ever read out of a CA's words is read here, once.
 */
#ifndef HC_ACME_FOREIGN_H
#define HC_ACME_FOREIGN_H

#include <jansson.h>

#include "base/error.h"

/* The type of a document that has none (RFC 7807 section 4.2). */
#define HC_FOREIGN_UNTYPED "about:blank"

/*
 * Fills type, http_status (if the document has it), means and names from a problem object that was
 * understood as p. retry_after is the reply's and is left alone.
 */
void hc_foreign_read(const json_t *problem, enum hc_problem p, struct hc_foreign *foreign);

/* True if it speaks of the name, or of a domain that the name is in. A wildcard is its domain. */
bool hc_foreign_names(const struct hc_foreign *foreign, const char *name);

#endif
