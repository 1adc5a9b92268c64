/* A configuration from its beginning to the check of the whole. */
#ifndef HC_CONF_BUILD_H
#define HC_CONF_BUILD_H

#include "conf/conf.h"

struct hc_conf *hc_conf_new(enum hc_server server, struct hc_error *err);
void hc_conf_free(struct hc_conf *conf);

/* Fills in defaults and checks the whole (issuers used are known, terms agreed to ..). */
int hc_conf_finish(struct hc_conf *conf, struct hc_error *err) HC_MUST_USE;

/* The place of a path in conf->files, where it is added if it is not there yet. */
int hc_conf_file_index(struct hc_conf *conf, const char *path, int *index,
                       struct hc_error *err) HC_MUST_USE;

#endif
