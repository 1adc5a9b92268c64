/*
 * hc_aws: who this machine is to AWS. Credentials are found as AWS's own libraries find them:
 *
 *   a file that the configuration names; then nothing else is tried
 *   the environment    AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN
 *   a web identity     AWS_WEB_IDENTITY_TOKEN_FILE, AWS_ROLE_ARN (EKS)
 *   the container      AWS_CONTAINER_CREDENTIALS_RELATIVE_URI or .._FULL_URI (ECS, EKS Pod
 * Identity) the machine        the instance metadata service, version 2 (EC2)
 *
 * and with them a role is taken on where one is named. Those that expire are kept, and fetched anew
 * five minutes before they do; those that do not are read for each use. Endpoints may be elsewhere:
 * AWS_ENDPOINT_URL_STS, AWS_ENDPOINT_URL, AWS_EC2_METADATA_SERVICE_ENDPOINT.
 *
 * One thread; never blocks.
 */
#ifndef HC_NET_AWS_H
#define HC_NET_AWS_H

#include "base/redaction.h"
#include "base/secret_port.h"
#include "base/time.h"
#include "net/http.h"

#define HC_AWS_KEY   256  /* with its NUL */
#define HC_AWS_TOKEN 8192 /* the same */

struct hc_aws_credentials {
    char id[HC_AWS_KEY];
    char secret[HC_AWS_KEY];
    char token[HC_AWS_TOKEN]; /* of a session; "": there is none */
    int64_t expires;          /* 0: never */
};

struct hc_aws_options {
    const struct hc_clock *clock;
    const struct hc_http_port *http;
    const struct hc_secret_port *files;
    struct hc_redaction *redaction;            /* may be NULL */
    const char *(*variable)(const char *name); /* NULL: the environment */
    const char *credentials;                   /* a file, or NULL */
    const char *role_arn;                      /* or NULL */
    const char *region;                        /* of STS; NULL: AWS_REGION, or us-east-1 */
};

struct hc_aws;
/* What options point to outlives it; the options themselves are copied. */
int hc_aws_new(const struct hc_aws_options *options, struct hc_aws **out,
               struct hc_error *err) HC_MUST_USE;
/* Who waits is not called. NULL is fine. */
void hc_aws_free(struct hc_aws *aws);

/* Either is set, for the time of the call. HC_P_FETCH_CREDENTIALS, and what hc_http_done may have.
 */
typedef void hc_aws_done(void *arg, const struct hc_aws_credentials *credentials,
                         const struct hc_error *err);

/* done() comes once, maybe from within; after a bounded time. */
void hc_aws_get(struct hc_aws *aws, hc_aws_done *done, void *arg);
/* No done() comes with this arg any more. */
void hc_aws_forget(struct hc_aws *aws, const void *arg);
/* A service refused them: what is kept is forgotten, and the next one gets other ones. */
void hc_aws_reject(struct hc_aws *aws);

/* A service's URL by its variables: AWS_ENDPOINT_URL_<word>, AWS_ENDPOINT_URL; NULL: none is set.
 */
const char *hc_aws_endpoint(const struct hc_aws_options *options, const char *word);

#endif
