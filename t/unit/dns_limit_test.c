/* Who may ask over UDP, and how often. */
#include "dns/limit.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include "tap.h"

static struct sockaddr_storage from4(const char *text)
{
    struct sockaddr_storage out = {.ss_family = AF_INET};

    (void)inet_pton(AF_INET, text, &((struct sockaddr_in *)&out)->sin_addr);
    return out;
}

static struct sockaddr_storage from6(const char *text)
{
    struct sockaddr_storage out = {.ss_family = AF_INET6};

    (void)inet_pton(AF_INET6, text, &((struct sockaddr_in6 *)&out)->sin6_addr);
    return out;
}

/* How many of so many at this time are let through. */
static int let(struct hc_dns_limit *limit, struct sockaddr_storage source, int count, int64_t ms)
{
    int through = 0;

    for (int i = 0; i < count; i++) {
        through += hc_dns_limit_allows(limit, &source, ms);
    }
    return through;
}

static void test_rate(void)
{
    static struct hc_dns_limit limit = {.seed = 7};
    int through = 0;

    is_int(let(&limit, from4("192.0.2.1"), 1000, 5000), HC_DNS_LIMIT_BURST, "a burst, and no more");
    is_int(let(&limit, from4("192.0.2.2"), 10, 5000), 10, "another source has its own");
    is_int(let(&limit, from4("192.0.2.1"), 1000, 5000), 0, "and then nothing");
    is_int(let(&limit, from4("192.0.2.1"), 1000, 6000), HC_DNS_LIMIT_RATE, "a second fills it up");
    is_int(let(&limit, from4("192.0.2.1"), 1000, 4000), 0, "a clock that goes back gives nothing");
    for (int i = 0; i < 3000; i++) {
        through += let(&limit, from4("192.0.2.9"), 1, 10000 + i * 20);
    }
    is_int(through, 3000, "fifty a second go through for a minute");
}

static void test_sources(void)
{
    static struct hc_dns_limit limit = {.seed = 8};
    char text[32];
    int through = 0;

    is_int(let(&limit, from6("2001:db8::1"), 1000, 1), HC_DNS_LIMIT_BURST, "an IPv6 source");
    is_int(let(&limit, from6("2001:db8::2"), 1000, 1), 0, "its network is the same");
    is_int(let(&limit, from6("2001:db8:0:1::1"), 10, 1), 10, "another network is not");
    for (int i = 0; i < 20000; i++) {
        snprintf(text, sizeof(text), "10.%d.%d.%d", i >> 16, i >> 8 & 255, i & 255);
        through += let(&limit, from4(text), 1, 2);
    }
    is_int(through, 20000, "twenty thousand sources find room");
}

int main(void)
{
    test_rate();
    test_sources();
    return done();
}
