/*
 * External account binding, RFC 8555 section 7.3.4: proof that a new ACME account belongs to a
 * customer of the CA, by a key that the CA gave to the customer.
 */
#ifndef HC_ACME_BINDING_H
#define HC_ACME_BINDING_H

#include <openssl/evp.h>

#include "base/buf.h"
#include "base/error.h"
#include "conf/conf.h"

/*
 * Appends the member "externalAccountBinding" of newAccount at this URL, as JSON. key_file is what
 * the issuer's eab_key holds: base64url, or base64 as some CAs show it, with blanks around.
 * HC_P_EAB_KEY names the file and says nothing of its content.
 */
int hc_binding_write(const struct hc_issuer *issuer, struct hc_bytes key_file, EVP_PKEY *account,
                     const char *new_account, struct hc_buf *out, struct hc_error *err) HC_MUST_USE;

#endif
