/* The servers of resolv.conf(5); the rest of their noun is in resolver.h. */
#ifndef HC_DNS_SERVER_H
#define HC_DNS_SERVER_H

#include "dns/resolver.h"

/*
 * The nameservers of this file, at most max; 127.0.0.1 if it names none or cannot be read, as libc
 * does. Returns how many.
 */
size_t hc_dns_servers_of_system(const char *path, struct hc_dns_server *out, size_t max);

/* What such a file was like when it was read. Zero: it was not. */
struct hc_dns_file_stamp {
    uint64_t device;
    uint64_t inode;
    int64_t size;
    int64_t mtime_ns;
};

/*
 * True if the file is there and not what the stamp says; the stamp is then the new one. To be asked
 * before the file is read: what is written meanwhile makes it true again.
 */
bool hc_dns_file_changed(const char *path, struct hc_dns_file_stamp *stamp);

#endif
