/*
 * Which identities have a name: every name of every host under `on`, sorted. Made once from the
 * configuration.
 */
#ifndef HC_AGENT_HOSTS_H
#define HC_AGENT_HOSTS_H

#include "conf/conf.h"

/* A name and an identity that has it. */
struct hc_named {
    const char *name;
    size_t index; /* of the identity */
};

/* Zeroed memory is an empty list. Names are borrowed from the configuration. */
struct hc_hosts {
    struct hc_named *items;
    size_t count;
};

int hc_hosts_init(struct hc_hosts *hosts, const struct hc_conf *conf,
                  struct hc_error *err) HC_MUST_USE;
void hc_hosts_dispose(struct hc_hosts *hosts);

/* The first with this name; those that follow it have it, too. hosts->count: there is none. */
size_t hc_hosts_find(const struct hc_hosts *hosts, const char *name);

#endif
