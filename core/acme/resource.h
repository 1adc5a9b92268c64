/*
 * Orders and authorizations as the CA describes them, RFC 8555 sections 7.1.3 and 7.1.4: read,
 * checked, bounded. Their order within a reply means nothing.
 */
#ifndef HC_ACME_RESOURCE_H
#define HC_ACME_RESOURCE_H

#include <jansson.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/str.h"
#include "conf/conf.h"
#include "conf/name.h"
#include "net/http.h"

#define HC_TOKEN_SIZE 129 /* with its NUL */

enum hc_status {
    HC_STATUS_PENDING,
    HC_STATUS_READY,
    HC_STATUS_PROCESSING,
    HC_STATUS_VALID,
    HC_STATUS_INVALID, /* also deactivated, expired, revoked */
};

/* "pending" and so on, as the CA writes them. */
const char *hc_status_name(enum hc_status status);

/* Zeroed memory is an empty one. */
struct hc_order_resource {
    enum hc_status status;
    struct hc_list names;          /* of the identifiers, normalised, sorted */
    struct hc_list authorizations; /* URLs */
    char *finalize;
    char *certificate; /* or NULL */
    json_t *error;     /* a problem object, or NULL */
};

/*
 * Reads an order. directory: the directory's URL, for the check of what is handed out; subject: the
 * URL asked. HC_P_CA_REPLY, HC_P_CA_URL; *out is then empty.
 */
int hc_order_resource_parse(struct hc_bytes text, const char *directory, const char *subject,
                            struct hc_order_resource *out, struct hc_error *err) HC_MUST_USE;
void hc_order_resource_dispose(struct hc_order_resource *order);

/* One challenge as it is offered: whoever answers it checks what it needs. */
struct hc_challenge {
    enum hc_status status;
    const char *type;
    const char *url;   /* or NULL */
    const char *token; /* or NULL: not every type has one */
    json_t *object;    /* all of it */
};

struct hc_authorization {
    enum hc_status status;
    char name[HC_NAME_SIZE]; /* with "*." for a wildcard */
    struct hc_challenge *challenges;
    size_t challenge_count;
    json_t *error;         /* the problem of whichever challenge has one, or NULL */
    struct hc_list tokens; /* of all challenges: what no log may show */
};

/* Reads an authorization, with all that it offers. Which is chosen: challenge.h. */
int hc_authorization_parse(struct hc_bytes text, const char *subject, struct hc_authorization *out,
                           struct hc_error *err) HC_MUST_USE;
void hc_authorization_dispose(struct hc_authorization *authorization);

/*
 * 0: the reply is a certificate chain in PEM, and nothing else, section 7.4.2. The content decides,
 * not its label: CAs send text/plain, application/octet-stream or nothing where
 * application/pem-certificate-chain is asked for. HC_P_CA_REPLY, with the label.
 */
int hc_chain_check(const struct hc_http_reply *reply, const char *subject,
                   struct hc_error *err) HC_MUST_USE;

#endif
