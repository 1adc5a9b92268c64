/* What anybody sends to the responder: the question's reader and what it answers. */
#include <string.h>

#include "dns/respond.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool ready(void *self HC_UNUSED)
{
    return true;
}

/* Some texts at every other name. */
static void each(void *self HC_UNUSED, const char *owner, hc_dns_text_found *found, void *arg)
{
    for (size_t i = 0; i < strlen(owner) % 2 * 12; i++) {
        found(arg, "LoqXcYV8q5ONbJQxbmR7SCTNo3tiAXDfowyjxAjEuX0");
    }
}

static bool below(void *self HC_UNUSED, const char *owner)
{
    return owner[0] == 'b';
}

/* The first octet chooses the domain and the way. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct hc_dns_texts texts = {NULL, ready, each, below};
    static struct hc_dns_domain domains[2];
    static const char *names[] = {"example.org"};
    static uint8_t dst[HC_DNS_TCP_ANSWER];
    enum hc_dns_way way = HC_DNS_OVER_UDP;
    struct hc_list nobody = {NULL, 0, 0};
    size_t len = 0;

    if (size < 1) {
        return 0;
    }
    if (domains[1].ns_count == 0) {
        hc_dns_domain_of_names(names, 1, &domains[0]);
        if (hc_dns_domain_of_zone("acme.example.net", &domains[1], NULL) != 0 ||
            hc_dns_domain_serve(&domains[0], &nobody, "example.org", NULL) != 0 ||
            hc_dns_domain_serve(&domains[1], &nobody, "example.org", NULL) != 0) {
            return 0;
        }
    }
    way = (enum hc_dns_way)((data[0] >> 1) % 3);
    len = hc_dns_respond(&domains[data[0] & 1], &texts, (struct hc_bytes){data + 1, size - 1}, way,
                         dst);
    if (len != 0 && (len < 12 || (dst[2] & 0x80) == 0 || memcmp(dst, data + 1, 2) != 0 ||
                     len > (way == HC_DNS_OVER_TCP ? HC_DNS_TCP_ANSWER : HC_DNS_UDP_ANSWER))) {
        __builtin_trap();
    }
    return 0;
}
