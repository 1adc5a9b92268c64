/* CAA sets as zones have them: up to four records, cut out of the input by their lengths. */
#include <string.h>

#include "dns/caa.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static char *domains[] = {(char[]){"ca.test"}, (char[]){"letsencrypt.org"}};
static char *methods[] = {(char[]){"http-01"}};
static const struct hc_list domain_list = {domains, 2, 2};
static const struct hc_list method_list = {methods, 1, 1};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct hc_caa_record records[4];
    struct hc_caa_decision decision;
    struct hc_caa_asker who = {.domains = &domain_list, .methods = &method_list};
    size_t count = 0;
    char line[512];

    if (size < 1) {
        return 0;
    }
    who.wildcard = (data[0] & 1) != 0;
    who.account_uri = (data[0] & 2) != 0 ? "https://ca.test/acct/1" : NULL;
    data++;
    size--;
    while (size > 0 && count < 4) {
        size_t len = data[0] < size - 1 ? data[0] : size - 1;

        records[count++] = (struct hc_caa_record){data + 1, len};
        data += 1 + len;
        size -= 1 + len;
    }
    if (count == 0) {
        return 0;
    }
    hc_caa_decide(records, count, &who, &decision);
    if (decision.record >= count || decision.flag_record >= count) {
        __builtin_trap();
    }
    hc_caa_suggest(records, &decision, &who, "example.net.", line, sizeof(line));
    if (strlen(line) == 0 || strlen(line) >= sizeof(line)) {
        __builtin_trap();
    }
    return 0;
}
