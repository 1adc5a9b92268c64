/*
 * The agent gives up what it has no use for, after it has started and for good: of the file system
 * (Landlock) all but the store and what it reads of the system, of the kernel's calls (seccomp) all
 * but those of its work. It runs no program after that; the runner does (runner.h).
 *
 * Files: the store's folder, and the folder around it since a store may be moved and another put
 * in its place; the folders of the roots that the configuration names; /etc (resolv.conf, hosts,
 * nsswitch.conf, openssl.cnf are exchanged by renaming, so a rule for the file alone would end);
 * libraries and data below /usr. Rights of users and modes hold beside it, as ever.
 *
 * There is no directive for it. What this kernel or this build cannot do is said once.
 */
#ifndef HC_AGENT_CONFINE_H
#define HC_AGENT_CONFINE_H

#include "base/log.h"
#include "conf/conf.h"

/*
 * Both of the below, with a line in the log (unless that is NULL) for what cannot be. The caller
 * has one thread, and has read what lies elsewhere.
 */
void hc_confine(const struct hc_conf *conf, const struct hc_log *log);

/* HC_P_NOT_CONFINED: nothing has changed. */
int hc_confine_files(const struct hc_conf *conf, struct hc_error *err) HC_MUST_USE;
int hc_confine_calls(struct hc_error *err) HC_MUST_USE;

#endif
