/*
 * Host names as certificates have them: lower case, no trailing dot, A-labels (RFC 5890), an
 * optional leading "*." (RFC 6125), or an IP address in canonical text (RFC 8738). All that is
 * compared, ordered or stored went through hc_name_normalise() once.
 */
#ifndef HC_CONF_NAME_H
#define HC_CONF_NAME_H

#include "base/error.h"
#include "base/str.h"

#define HC_NAME_SIZE 256

/*
 * Normalises a name, whose labels may be U-labels in UTF-8 (base/idn.h); an IPv4 address that is
 * written as a mapped IPv6 one is that IPv4 address. HC_P_NAME_INVALID with what is wrong with it.
 */
int hc_name_normalise(const char *raw, char out[HC_NAME_SIZE], struct hc_error *err) HC_MUST_USE;

/*
 * Why no public CA certifies this name although it is one (normalised): an A-label that is no
 * punycode, a label with hyphens in places 3 and 4 that is no A-label (RFC 5890 section 2.3.1).
 * NULL: nothing stands against it.
 */
const char *hc_name_reserved(const char *name);

bool hc_name_is_ip(const char *name);       /* normalised */
bool hc_name_is_wildcard(const char *name); /* normalised */

/* True if a certificate's name (maybe a wildcard: one label, leftmost) covers this host name. */
bool hc_name_matches(const char *pattern, const char *name);
/* True if any of a certificate's names does. */
bool hc_name_among(const struct hc_list *patterns, const char *name);

#endif
