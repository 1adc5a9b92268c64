/* What a mail server says before TLS: bounded, ends, and never gets past STARTTLS without its yes.
 */
#include "cmd/smtp.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct hc_smtp smtp;
    struct hc_error err = {0};
    unsigned answers = 0;

    memset(&smtp, 0, sizeof(smtp));
    for (size_t i = 0; i < size; i++) {
        const char *answer = NULL;
        int rc = hc_smtp_take(&smtp, data[i], &answer, &err);

        if (rc < 0) {
            if (!hc_error_is_set(&err)) {
                __builtin_trap();
            }
            break;
        }
        answers += answer != NULL;
        if (smtp.step == HC_SMTP_READY) {
            if (answers != 2 || !smtp.offered) {
                __builtin_trap();
            }
            break;
        }
    }
    return 0;
}
