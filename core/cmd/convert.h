/*
 * Files that are not PEM, to be checked all the same: PKCS#12, DER certificates and keys,
 * PKCS#7. The server takes none of these, so that what they hold is judged beside pem-not-pem.
 */
#ifndef HC_CMD_CONVERT_H
#define HC_CMD_CONVERT_H

#include "base/buf.h"
#include "base/finding.h"
#include "base/str.h"

/*
 * If text has no PEM block but is one of these, replaces it by its PEM form and adds pem-not-pem
 * about subject with the command that converts it. Anything else stays as it is. -1: memory.
 */
int hc_convert_to_pem(struct hc_buf *text, const char *subject, const struct hc_list *passphrases,
                      struct hc_findings *findings, struct hc_error *err) HC_MUST_USE;

#endif
