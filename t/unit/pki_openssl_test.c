#include "pki/openssl.h"

#include <openssl/err.h>
#include <openssl/pem.h>

#include "tap.h"

static void the_reason_is_kept_and_the_queue_emptied(void)
{
    struct hc_error err;

    hc_error_init(&err);
    ERR_clear_error();
    ERR_raise(ERR_LIB_PEM, PEM_R_NO_START_LINE);
    is_int(hc_error_set_openssl(&err, HC_P_NONE, "leaf", "reading"), -1, "returns -1");
    is_int(err.problem, HC_P_TLS_LIBRARY, "a bare reason is a problem of the library");
    is_str(err.subject, "leaf", "of its subject");
    is_str(err.detail, "reading: no start line", "with OpenSSL's reason in the detail");
    is_int(ERR_peek_error(), 0, "and the queue is empty");
}

static void no_reason_is_fine(void)
{
    struct hc_error err;

    hc_error_init(&err);
    ERR_clear_error();
    hc_error_set_openssl(&err, HC_P_KEY_MISMATCH, NULL, NULL);
    is_int(err.problem, HC_P_KEY_MISMATCH, "the caller's problem is kept");
    is_str(err.detail, "", "and there is nothing to say");
    ok(hc_error_set_openssl(NULL, HC_P_NONE, NULL, NULL) == -1, "no error to fill is fine");
}

int main(void)
{
    the_reason_is_kept_and_the_queue_emptied();
    no_reason_is_fine();
    return done();
}
