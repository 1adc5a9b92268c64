/* What the responder answers, counted; see service.h. */
#include "dns/service.h"

#include "dns/message.h"
#include "dns/query.h"

/* What became of it says the answer's own header. */
static void count(struct hc_dns_counts *counts, const uint8_t *answer, enum hc_dns_way way)
{
    bool truncated = (answer[2] & 2) != 0;
    unsigned rcode = answer[3] & 15u;

    counts->questions++;
    counts->refused += rcode == HC_DNS_REFUSED;
    counts->malformed += rcode == HC_DNS_FORMERR;
    counts->truncated += truncated && way == HC_DNS_OVER_UDP;
    counts->limited += truncated && way == HC_DNS_TOO_OFTEN;
}

size_t hc_dns_service_answer(struct hc_dns_service *service, struct hc_bytes query,
                             enum hc_dns_way way, uint8_t *dst)
{
    size_t len = hc_dns_respond(service->domain, service->texts, query, way, dst);

    if (len >= HC_DNS_HEADER) {
        count(&service->counts, dst, way);
    } else {
        service->counts.dropped++;
    }
    return len;
}
