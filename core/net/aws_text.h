/* From inside: AWS credentials as files and services write them; hostile, bounded. See aws.h. */
#ifndef HC_NET_AWS_TEXT_H
#define HC_NET_AWS_TEXT_H

#include "net/aws.h"

/*
 * The section [default] of a file in the form of ~/.aws/credentials, or the lines that stand in no
 * section. HC_P_FETCH_CREDENTIALS; nothing of the file is in the error.
 */
int hc_aws_take_file(struct hc_bytes content, const char *path, struct hc_aws_credentials *out,
                     struct hc_error *err) HC_MUST_USE;
/* The JSON of containers and machines. */
int hc_aws_take_json(struct hc_bytes body, const char *whose, struct hc_aws_credentials *out,
                     struct hc_error *err) HC_MUST_USE;
/* STS's reply to AssumeRole and AssumeRoleWithWebIdentity. */
int hc_aws_take_xml(struct hc_bytes body, const char *whose, struct hc_aws_credentials *out,
                    struct hc_error *err) HC_MUST_USE;

/* What a service of AWS's says that went wrong: its code and its words; each may stay "". */
#define HC_AWS_CODE    64
#define HC_AWS_MESSAGE 512
struct hc_aws_fault {
    char code[HC_AWS_CODE];
    char message[HC_AWS_MESSAGE];
};
void hc_aws_take_fault(struct hc_bytes body, struct hc_aws_fault *out);

/* One value of a query or a form: all but what RFC 3986 calls unreserved as %XX. */
int hc_aws_put_escaped(struct hc_buf *out, const char *text, struct hc_error *err) HC_MUST_USE;

#endif
