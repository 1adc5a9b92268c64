/* The writers that there are, a line each in writers.c; see writer.h for what one is. */
#ifndef HC_SOLVE_WRITERS_H
#define HC_SOLVE_WRITERS_H

#include "conf/name.h"
#include "solve/writer.h"

/* Opens the one of the block's type. *out is the caller's to close. */
int hc_writers_open(const struct hc_dns_block *block, const struct hc_writer_env *env,
                    struct hc_dns_writer *out, struct hc_error *err) HC_MUST_USE;

/*
 * The name that an acme-dns server gave to alias ("_acme-challenge.example.org") when that was
 * registered there, by what is kept. 1: in out; 0: it is not registered; -1.
 */
int hc_dns_acme_dns_target(const struct hc_keep_port *keep, const char *endpoint, const char *alias,
                           char out[HC_NAME_SIZE], struct hc_error *err) HC_MUST_USE;

/* Each in its own file, dns_TYPE.c. */
hc_writer_open hc_dns_command_open;
hc_writer_open hc_dns_rfc2136_open;
hc_writer_open hc_dns_responder_open;
hc_writer_open hc_dns_httpreq_open;
hc_writer_open hc_dns_mydns_open;
hc_writer_open hc_dns_acme_dns_open;
hc_writer_open hc_dns_route53_open;

#endif
