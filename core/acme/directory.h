/* The ACME directory, RFC 8555 section 7.1.1: read and checked. */
#ifndef HC_ACME_DIRECTORY_H
#define HC_ACME_DIRECTORY_H

#include "base/buf.h"
#include "base/error.h"
#include "base/str.h"

/* Zeroed memory is an empty one. */
struct hc_directory {
    char *new_nonce;
    char *new_account;
    char *new_order;
    char *terms;           /* meta.termsOfService, escaped, or NULL */
    bool external_account; /* meta.externalAccountRequired */
    struct hc_list caa;    /* meta.caaIdentities */
};

/*
 * Reads a directory that came from url. Every URL in it is checked as handed out. HC_P_CA_REPLY,
 * HC_P_CA_URL; *out is then empty.
 */
int hc_directory_parse(struct hc_bytes text, const char *url, struct hc_directory *out,
                       struct hc_error *err) HC_MUST_USE;

void hc_directory_dispose(struct hc_directory *directory);

#endif
