/* DNS servers: where they listen, as text, and those of resolv.conf(5). */
#ifndef HC_DNS_SERVER_H
#define HC_DNS_SERVER_H

#include <sys/socket.h>

#include "base/error.h"

#define HC_RESOLVER_SERVERS 8 /* that one question is put to at most */

/* Where a DNS server listens. */
struct hc_dns_server {
    struct sockaddr_storage addr;
    socklen_t len;
};

/* "192.0.2.1", "192.0.2.1:5353", "2001:db8::1", "[2001:db8::1]:5353". HC_P_BAD_VALUE. */
int hc_dns_server_parse(const char *text, struct hc_dns_server *out,
                        struct hc_error *err) HC_MUST_USE;

#define HC_DNS_SERVER_TEXT 64
/* The same form back; ":53" is left out. Returns dst. */
char *hc_dns_server_format(const struct hc_dns_server *server, char dst[HC_DNS_SERVER_TEXT]);

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
