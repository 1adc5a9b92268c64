/* PEM files as pairs: certificate file and key file are the two halves around a zero byte. */
#include <string.h>

#include "pki/pair.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char word[] = "passphrase";
    char *words[] = {word};
    struct hc_list passphrases = {words, 1, 1};
    const uint8_t *zero = size > 0 ? memchr(data, 0, size) : NULL;
    size_t first = zero != NULL ? (size_t)(zero - data) : size;
    struct hc_pair_source source = {
        .cert_pem = {data, first},
        .key_pem = {zero != NULL ? zero + 1 : NULL, zero != NULL ? size - first - 1 : 0},
        .cert_subject = "cert.pem",
        .key_subject = "key.pem",
        .passphrases = &passphrases,
    };
    struct hc_findings findings = {0};
    struct hc_error err = {0};
    struct hc_pair *pair = NULL;

    if (hc_pair_from_pem(&source, &pair, &findings, &err) == 0) {
        hc_pair_free(pair);
    } else if (!hc_error_is_set(&err)) {
        __builtin_trap(); /* a refusal that says nothing */
    }
    hc_findings_dispose(&findings);
    return 0;
}
