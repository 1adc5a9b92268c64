/* The agent's records of jobs, issuers and accounts: whatever the bytes, read whole or refused. */
#include "agent/account.h"
#include "agent/record.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct hc_bytes text = {data, size};
    struct hc_acme_account account = {NULL, NULL};
    struct hc_issuer_record issuer = {.name_count = 0};
    struct hc_job_record job = {.replace = 0};
    struct hc_buf again = HC_BUF_INIT_SECRET(HC_RECORD_MAX);
    struct hc_error err;

    hc_error_init(&err);
    if (hc_job_record_decode(text, &job, &err) == 0 &&
        hc_job_record_encode(&job, &again, &err) != 0 && err.problem != HC_P_TOO_LARGE) {
        __builtin_trap(); /* what was read can be written */
    }
    hc_job_record_dispose(&job);
    hc_buf_reset(&again);
    hc_error_init(&err);
    if (hc_issuer_record_decode(text, 1800000000, &issuer, &err) == 0 &&
        hc_issuer_record_encode(&issuer, &again, &err) != 0 && err.problem != HC_P_TOO_LARGE) {
        __builtin_trap();
    }
    hc_issuer_record_dispose(&issuer);
    hc_buf_dispose(&again);
    hc_error_init(&err);
    if (hc_account_decode(text, &account, &err) == 0) {
        hc_account_dispose(&account);
    }
    return 0;
}
