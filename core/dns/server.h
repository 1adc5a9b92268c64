/* The servers of resolv.conf(5); the rest of their noun is in resolver.h. */
#ifndef HC_DNS_SERVER_H
#define HC_DNS_SERVER_H

#include "dns/resolver.h"

/*
 * The nameservers of this file, at most max; 127.0.0.1 if it names none or cannot be read, as libc
 * does. Returns how many.
 */
size_t hc_dns_servers_of_system(const char *path, struct hc_dns_server *out, size_t max);

#endif
