/*
 * hc_nameservers: the resolvers of this machine, or those that the caller named, and which of them
 * is asked first. A change of resolv.conf is seen within seconds. One thread.
 */
#ifndef HC_DNS_NAMESERVERS_H
#define HC_DNS_NAMESERVERS_H

#include "base/str.h"
#include "dns/server.h"

struct hc_nameservers {
    struct hc_dns_server servers[HC_RESOLVER_SERVERS];
    size_t count;
    unsigned serial;   /* of these servers; never 0 */
    size_t preferred;  /* the server that answered last */
    char *resolv_conf; /* where they are from, or NULL: the caller named them */
    struct hc_dns_file_stamp stamp;
    int64_t look_ms; /* at that file, not before */
};

/* servers (NULL or empty: none), else those of this file, NULL: /etc/resolv.conf. */
int hc_nameservers_init(struct hc_nameservers *ns, const struct hc_list *servers,
                        const char *resolv_conf, int64_t now_ms, struct hc_error *err) HC_MUST_USE;
void hc_nameservers_dispose(struct hc_nameservers *ns);

/* Reads the file again if its time has come and it has changed: true then, with a new serial. */
bool hc_nameservers_follow(struct hc_nameservers *ns, int64_t now_ms);

/* The server of this place, of those of this serial, answered, or did not in time. */
void hc_nameservers_answered(struct hc_nameservers *ns, unsigned serial, size_t place);
void hc_nameservers_silent(struct hc_nameservers *ns, unsigned serial, size_t place);

#endif
