/*
 * The setters that the table of directives (directive.c) names. Each checks the arguments of one
 * use and stores them in the conf, the host's scope or the issuer; the number of arguments and the
 * context are checked before. 0, or -1 with the error naming the value and what would be right.
 */
#ifndef HC_CONF_SETTER_H
#define HC_CONF_SETTER_H

#include "conf/directive.h"

int hc_set_mode(const struct hc_directive_call *call, struct hc_error *err);
int hc_set_names(const struct hc_directive_call *call, struct hc_error *err);
int hc_set_use(const struct hc_directive_call *call, struct hc_error *err);
int hc_set_challenge(const struct hc_directive_call *call, struct hc_error *err);
int hc_set_key_type(const struct hc_directive_call *call, struct hc_error *err);
int hc_set_files(const struct hc_directive_call *call, struct hc_error *err);
int hc_set_trusted_certificate(const struct hc_directive_call *call, struct hc_error *err);
int hc_set_bootstrap(const struct hc_directive_call *call, struct hc_error *err);
int hc_set_preflight(const struct hc_directive_call *call, struct hc_error *err);
int hc_set_bad_names(const struct hc_directive_call *call, struct hc_error *err);
int hc_set_repair(const struct hc_directive_call *call, struct hc_error *err);
int hc_set_network(const struct hc_directive_call *call, struct hc_error *err);
int hc_set_http_port(const struct hc_directive_call *call, struct hc_error *err);
int hc_set_tls_port(const struct hc_directive_call *call, struct hc_error *err);
int hc_set_caa_domain(const struct hc_directive_call *call, struct hc_error *err);
int hc_set_resolver(const struct hc_directive_call *call, struct hc_error *err);
int hc_set_accept(const struct hc_directive_call *call, struct hc_error *err);
int hc_set_store(const struct hc_directive_call *call, struct hc_error *err);
int hc_set_secret(const struct hc_directive_call *call, struct hc_error *err);
int hc_set_agent(const struct hc_directive_call *call, struct hc_error *err);
int hc_set_control(const struct hc_directive_call *call, struct hc_error *err);
int hc_set_check_interval(const struct hc_directive_call *call, struct hc_error *err);
int hc_set_parallel(const struct hc_directive_call *call, struct hc_error *err);
int hc_set_table_size(const struct hc_directive_call *call, struct hc_error *err);
int hc_set_contact(const struct hc_directive_call *call, struct hc_error *err);
int hc_set_terms_agreed(const struct hc_directive_call *call, struct hc_error *err);
int hc_set_directory_url(const struct hc_directive_call *call, struct hc_error *err);
int hc_set_ca_bundle(const struct hc_directive_call *call, struct hc_error *err);

#endif
