/*
 * What `hotcert agent` and `hotcert load` have in common: the descriptors of keeper/spawn.h, the
 * configuration that comes through one of them, and the log that goes through another.
 */
#ifndef HC_CMD_CHILD_H
#define HC_CMD_CHILD_H

#include "base/log.h"
#include "conf/conf.h"

/*
 * Takes the rights and habits of a process of hotcert's: not dumpable, no core, UTC. False, with
 * a line on standard error, if it was not started by a server.
 */
bool hc_child_begin(const char *name);

/* Reads the configuration from HC_FD_CONF; NULL with err. */
struct hc_conf *hc_child_conf(struct hc_error *err);

/* Tells of a server whose module is of another version, and what of its configuration is not used.
 */
void hc_child_tell_versions(const struct hc_conf *conf);

/* True if this descriptor is open. */
bool hc_child_has(int fd);

/* The log: a packet to the supervisor for each line. */
extern const struct hc_log hc_child_log;

#endif
