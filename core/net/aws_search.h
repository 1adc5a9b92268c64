/* From inside: one search for AWS credentials, from source to source; see aws.h. */
#ifndef HC_NET_AWS_SEARCH_H
#define HC_NET_AWS_SEARCH_H

#include "net/aws_text.h"

struct hc_aws_search;

/* What to do with what arrives next. */
typedef void hc_aws_step(struct hc_aws_search *search, struct hc_bytes bytes);

/* Embedded in its owner, who sets the first three. */
struct hc_aws_search {
    const struct hc_aws_options *o;
    hc_aws_done *done; /* once for each that began, maybe from within */
    void *arg;
    hc_aws_step *next;
    uint64_t request;           /* in flight; 0: none */
    char whose[512];            /* what is being asked: for errors */
    char session[HC_AWS_TOKEN]; /* of the metadata service */
};

void hc_aws_search_begin(struct hc_aws_search *search);
/* Without done(). Fine for one that did not begin. */
void hc_aws_search_stop(struct hc_aws_search *search);

#endif
