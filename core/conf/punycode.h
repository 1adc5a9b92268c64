/* Punycode (RFC 3492) as A-labels have it: whether a label decodes at all. Any thread. */
#ifndef HC_CONF_PUNYCODE_H
#define HC_CONF_PUNYCODE_H

#include "base/compiler.h"

/* text: what stands behind "xn--", lower case. True if it decodes to text with a letter outside of
 * ASCII. */
bool hc_punycode_decodes(const char *text, size_t len);

#endif
