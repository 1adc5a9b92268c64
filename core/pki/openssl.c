/* OpenSSL's failures; see openssl.h. */
#include "pki/openssl.h"

#include <openssl/err.h>
#include <stdarg.h>

int hc_error_set_openssl(struct hc_error *err, enum hc_problem p, const char *subject,
                         const char *fmt, ...)
{
    const char *reason = ERR_reason_error_string(ERR_peek_error());
    va_list args;

    va_start(args, fmt);
    hc_error_vset(err, p == HC_P_NONE ? HC_P_TLS_LIBRARY : p, subject, reason, fmt, args);
    va_end(args);
    ERR_clear_error();
    return -1;
}
