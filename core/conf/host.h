/*
 * From inside: a virtual host on its way to an identity. hc_conf_add_host() (conf.h) decides
 * whether it has one; these fill it in. One thread.
 */
#ifndef HC_CONF_HOST_H
#define HC_CONF_HOST_H

#include "conf/conf.h"

/* host_names.c: fills in names and lead; what is left out and why goes to notes. */
int hc_host_names(const struct hc_conf *conf, const struct hc_host *host,
                  struct hc_identity *identity, struct hc_findings *notes,
                  struct hc_error *err) HC_MUST_USE;

/* host_files.c: what the host watches, by hotcert_files or else by the server's own directives. */
int hc_host_files(struct hc_conf *conf, const struct hc_host *host, struct hc_identity *identity,
                  struct hc_error *err) HC_MUST_USE;
/* The files of the server's own directives alone. */
int hc_host_add_lines(struct hc_conf *conf, const struct hc_host *host,
                      struct hc_identity *identity, struct hc_error *err) HC_MUST_USE;

/* identity.c: its digest, over names, files and set. */
int hc_identity_compute_id(const struct hc_conf *conf, struct hc_identity *identity,
                           struct hc_error *err) HC_MUST_USE;
/* Puts it into the configuration, or joins it with the one that it equals; takes it over then. */
int hc_identity_place(struct hc_conf *conf, struct hc_identity *identity, int *index,
                      struct hc_error *err) HC_MUST_USE;

#endif
