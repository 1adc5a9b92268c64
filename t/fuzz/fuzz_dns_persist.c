/* TXT records of dns-persist-01 as zones have them, judged one beside the other. */
#include <string.h>

#include "dns/persist.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static char *issuers[] = {(char[]){"ca.test"}, (char[]){"letsencrypt.org"}};
static const struct hc_list issuer_list = {issuers, 2, 2};

/* One record that is right stays right, whatever stands beside it. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct hc_persist_asker who = {.issuers = &issuer_list, .now = 1800000000};
    struct hc_persist_verdict verdict = {0};
    enum hc_persist_reason before = HC_PERSIST_MISSING;

    if (size < 1) {
        return 0;
    }
    who.wildcard = (data[0] & 1) != 0;
    who.account_uri = (data[0] & 2) != 0 ? "https://ca.test/acct/1" : NULL;
    data++;
    size--;
    while (size > 0) {
        size_t len = data[0] < size - 1 ? data[0] : size - 1;

        hc_persist_judge(&verdict, (struct hc_bytes){data + 1, len}, &who);
        if (verdict.reason < before ||
            memchr(verdict.account, '\0', sizeof(verdict.account)) == NULL) {
            __builtin_trap();
        }
        before = verdict.reason;
        data += 1 + len;
        size -= 1 + len;
    }
    (void)hc_persist_problem(verdict.reason);
    return 0;
}
