/*
 * Secrets that the operator keeps in files which root alone can read: the keeper reads them for the
 * agent, anew for each use. Which files there are, the configuration says (conf/field.h, .kept).
 */
#ifndef HC_AGENT_SECRETS_H
#define HC_AGENT_SECRETS_H

#include "agent/env.h"
#include "keeper/asker.h"
#include "solve/writer.h"

struct hc_secrets;

/* keeper: outlives it; without one files are read with own rights. */
int hc_secrets_new(const struct hc_env *env, struct hc_asker *keeper, struct hc_secrets **out,
                   struct hc_error *err) HC_MUST_USE;
void hc_secrets_free(struct hc_secrets *secrets); /* NULL is fine */

/* Valid as long as this. */
const struct hc_secret_port *hc_secrets_port(struct hc_secrets *secrets);

/* Its place among the files that the keeper opens; -1: it is not there. */
int hc_secret_file(const struct hc_conf *conf, const char *path);
/* HC_P_SECRET_FILE unless root alone (or this process's user) can read a file with this mode and
 * owner. */
int hc_secret_check(const char *path, uint32_t mode, uint32_t uid,
                    struct hc_error *err) HC_MUST_USE;

#endif
