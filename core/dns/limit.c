/* Who asks too often; see limit.h. A bucket for each source that fills up again with time. */
#include "dns/limit.h"

#include <netinet/in.h>
#include <string.h>

#include "base/hash.h"

#define WAYS 4 /* places at which a source may be found */

static void place_of(const struct sockaddr_storage *source, unsigned char place[8])
{
    struct sockaddr_in in4;
    struct sockaddr_in6 in6;

    memset(place, 0, 8);
    if (source->ss_family == AF_INET) {
        memcpy(&in4, source, sizeof(in4));
        place[0] = 4; /* no IPv6 address of the Internet begins so */
        memcpy(place + 4, &in4.sin_addr, 4);
    } else if (source->ss_family == AF_INET6) {
        memcpy(&in6, source, sizeof(in6));
        memcpy(place, &in6.sin6_addr, 8);
    }
}

/* Its own, else the one that was used the longest ago. */
static struct hc_dns_limit_source *find(struct hc_dns_limit *limit, const unsigned char place[8],
                                        int64_t now_ms)
{
    uint64_t hash = hc_hash_bytes(place, 8, limit->seed) % (HC_DNS_LIMIT_SOURCES / WAYS);
    struct hc_dns_limit_source *way = &limit->sources[hash * WAYS];
    struct hc_dns_limit_source *oldest = way;

    for (int i = 0; i < WAYS; i++) {
        if (way[i].used && memcmp(way[i].place, place, 8) == 0) {
            return &way[i];
        }
        if (!way[i].used || (oldest->used && way[i].at_ms < oldest->at_ms)) {
            oldest = &way[i];
        }
    }
    *oldest = (struct hc_dns_limit_source){
        .used = true, .at_ms = now_ms, .left = (int64_t)HC_DNS_LIMIT_BURST * 1000};
    memcpy(oldest->place, place, 8);
    return oldest;
}

bool hc_dns_limit_allows(struct hc_dns_limit *limit, const struct sockaddr_storage *source,
                         int64_t now_ms)
{
    const int64_t most = (int64_t)HC_DNS_LIMIT_BURST * 1000;
    unsigned char place[8];
    struct hc_dns_limit_source *s = NULL;
    int64_t since = 0;

    place_of(source, place);
    s = find(limit, place, now_ms);
    since = now_ms > s->at_ms ? now_ms - s->at_ms : 0;
    s->at_ms = now_ms;
    s->left = since >= most / HC_DNS_LIMIT_RATE ? most : s->left + since * HC_DNS_LIMIT_RATE;
    s->left = s->left < most ? s->left : most;
    if (s->left < 1000) {
        return false;
    }
    s->left -= 1000;
    return true;
}
