/* From requests to findings; see judge.h. */
#include <stdio.h>

#include "preflight/judge.h"

static void describe_end(const struct hc_request *r, char *dst, size_t cap)
{
    struct hc_error err;
    const char *after = r->redirects > 0 ? " after a redirect" : "";

    switch (r->end) {
    case HC_REQUEST_RIGHT:
        snprintf(dst, cap, "%s%s", r->how->answer != NULL ? "our own answer" : "an answer", after);
        if (r->how->answer == NULL) {
            snprintf(dst, cap, "an answer (status %ld)%s", r->status, after);
        }
        break;
    case HC_REQUEST_WRONG:
        if (r->status == 0) {
            snprintf(dst, cap, "a long page%s instead of hotcert's answer", after);
        } else {
            snprintf(dst, cap, "status %ld%s instead of hotcert's answer", r->status, after);
        }
        break;
    case HC_REQUEST_ASTRAY:
    case HC_REQUEST_UNREACHABLE:
        hc_kept_error_get(&r->error, &err);
        snprintf(dst, cap, "%.300s", err.detail);
        break;
    case HC_REQUEST_NONE:
        snprintf(dst, cap, "nothing yet");
        break;
    }
}

static void judge_request(struct hc_name_judge *judge, const struct hc_request *r)
{
    char address[HC_ADDRESS_TEXT];
    char what[HC_FOREIGN_MAX];

    hc_address_format(&r->first, address);
    describe_end(r, what, sizeof(what));
    hc_judge_seen(judge, "http://%s/.well-known/acme-challenge/ at %s: %s", r->host, address, what);
    if (r->end == HC_REQUEST_UNREACHABLE &&
        (r->error.problem == HC_P_TIMED_OUT || judge->advises)) {
        return; /* it was not asked, or needs not to be open */
    }
    if (r->end == HC_REQUEST_UNREACHABLE) {
        hc_judge_note(judge, HC_P_HTTP_UNREACHABLE, HC_JUDGE_NOTHING, "%s, port %u: %s", address,
                      r->how->port, what);
    } else if (r->end == HC_REQUEST_ASTRAY) {
        hc_judge_note(judge, HC_P_HTTP_REDIRECT, HC_JUDGE_FAIL, "%s: %s", address, what);
    } else if (r->end == HC_REQUEST_WRONG) {
        hc_judge_note(judge, HC_P_HTTP_WRONG_ANSWER, HC_JUDGE_FAIL, "%s answers with %s", address,
                      what);
    }
}

/* True if both answered, and not the same. */
static bool differs(const struct hc_request *a, const struct hc_request *b)
{
    if (a->end == HC_REQUEST_UNREACHABLE || b->end == HC_REQUEST_UNREACHABLE) {
        return false;
    }
    return a->end != b->end || (a->how->answer == NULL && a->status != b->status);
}

/* The first of each family; false: there are not both. */
static bool both_families(const struct hc_request *requests, size_t count,
                          const struct hc_request **v6, const struct hc_request **v4)
{
    *v6 = *v4 = NULL;
    for (size_t k = 0; k < count; k++) {
        const struct hc_request *r = &requests[k];

        *v6 = *v6 == NULL && r->first.ipv6 ? r : *v6;
        *v4 = *v4 == NULL && !r->first.ipv6 ? r : *v4;
    }
    return *v6 != NULL && *v4 != NULL;
}

bool hc_judge_differs(const struct hc_request *requests, size_t count)
{
    const struct hc_request *v6 = NULL;
    const struct hc_request *v4 = NULL;

    return both_families(requests, count, &v6, &v4) && differs(v6, v4);
}

static void judge_families(struct hc_name_judge *judge, const struct hc_request *requests,
                           size_t count)
{
    const struct hc_request *v6 = NULL;
    const struct hc_request *v4 = NULL;
    char address6[HC_ADDRESS_TEXT];
    char address4[HC_ADDRESS_TEXT];
    char what6[HC_FOREIGN_MAX];
    char what4[HC_FOREIGN_MAX];

    if (!both_families(requests, count, &v6, &v4) || !differs(v6, v4)) {
        return;
    }
    describe_end(v6, what6, sizeof(what6));
    describe_end(v4, what4, sizeof(what4));
    hc_judge_note(judge, HC_P_HTTP_IPV6_DIFFERS, HC_JUDGE_FAIL,
                  "over IPv6, %s gives %.150s; over IPv4, %s gives %.150s",
                  hc_address_format(&v6->first, address6), what6,
                  hc_address_format(&v4->first, address4), what4);
    hc_judge_hint(judge, "correct or remove: %s. IN AAAA %s; CAs try IPv6 first", judge->host,
                  address6);
}

void hc_judge_requests(struct hc_name_judge *judge, const struct hc_request *requests, size_t count)
{
    for (size_t k = 0; k < count; k++) {
        judge_request(judge, &requests[k]);
    }
    judge_families(judge, requests, count);
}
