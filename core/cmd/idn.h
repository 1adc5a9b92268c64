/*
 * International names as people write them (IDNA2008, RFC 5891): only for what is typed at a
 * terminal. A configuration has A-labels, and the web servers never load libidn2.
 */
#ifndef HC_CMD_IDN_H
#define HC_CMD_IDN_H

#include "base/error.h"
#include "conf/name.h"

/* Normalises a name (conf/name.h) whose labels may be U-labels, in UTF-8. HC_P_NAME_INVALID. */
int hc_idn_normalise(const char *in, char out[HC_NAME_SIZE], struct hc_error *err) HC_MUST_USE;

#endif
