/* From requests to findings; see judge.h. */
#include <stdio.h>
#include <string.h>

#include "preflight/judge.h"

/* What an address gives, for a finding. */
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
    case HC_REQUEST_UNREACHABLE:
        hc_kept_error_get(&r->error, &err);
        if (r->redirects > 0) {
            snprintf(dst, cap, "a redirect to %.200s, where hotcert gets no answer: %.200s", r->url,
                     err.detail);
        } else {
            snprintf(dst, cap, "%.300s", err.detail);
        }
        break;
    case HC_REQUEST_ASTRAY:
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
    char address[HC_JUDGE_ADDRESS];
    char what[HC_FOREIGN_MAX];

    hc_judge_address(judge, &r->first, address);
    describe_end(r, what, sizeof(what));
    hc_judge_seen(judge, "http://%s/.well-known/acme-challenge/ at %s: %s", r->host, address, what);
    if (r->end == HC_REQUEST_UNREACHABLE &&
        (r->error.problem == HC_P_TIMED_OUT || judge->advises)) {
        return; /* it was not asked, or needs not to be open */
    }
    if (r->end == HC_REQUEST_UNREACHABLE) {
        hc_judge_note(judge, HC_P_HTTP_UNREACHABLE, HC_JUDGE_NOTHING, "%s, port %u: %s", address,
                      r->redirects > 0 ? r->redirect_port : r->how->port, what);
    } else if (r->end == HC_REQUEST_ASTRAY) {
        hc_judge_note(judge, HC_P_HTTP_REDIRECT, HC_JUDGE_FAIL, "%s: %s", address, what);
    } else if (r->end == HC_REQUEST_WRONG) {
        hc_judge_note(judge, HC_P_HTTP_WRONG_ANSWER, HC_JUDGE_FAIL, "%s answers with %s", address,
                      what);
    }
    if (r->device != NULL) {
        hc_judge_note(judge, HC_P_HTTP_DEVICE, HC_JUDGE_NOTHING, "%s: %s", address, r->device);
    }
}

/* True for an address that stands for this host: this machine's, or one of the name's own. */
static bool leads_here(const struct hc_name_judge *judge, const struct hc_request *requests,
                       size_t count, const struct hc_address *address)
{
    for (size_t k = 0; k < count; k++) {
        if (hc_address_equal(&requests[k].first, address)) {
            return true;
        }
    }
    return hc_judge_is_own(judge, address);
}

/* Redirected to a host that is not one of those that are looked at, at an address of none of them.
 */
static bool is_elsewhere(const struct hc_name_judge *judge, const struct hc_request *requests,
                         size_t count, const struct hc_request *r)
{
    return r->redirects > 0 && (r->end == HC_REQUEST_RIGHT || r->end == HC_REQUEST_WRONG) &&
           strcmp(r->redirect_host, r->host) != 0 &&
           (judge->names == NULL || !hc_list_has(judge->names, r->redirect_host)) &&
           !leads_here(judge, requests, count, &r->last);
}

/* Where that is; a CA's token that came back from there is fine. */
static void judge_elsewhere(struct hc_name_judge *judge, const struct hc_request *requests,
                            size_t count, const struct hc_request *r)
{
    char first[HC_ADDRESS_TEXT];
    char last[HC_ADDRESS_TEXT];

    if (is_elsewhere(judge, requests, count, r) &&
        !(r->how->answer != NULL && r->end == HC_REQUEST_RIGHT)) {
        hc_judge_note(
            judge, HC_P_HTTP_ELSEWHERE, HC_JUDGE_NOTHING,
            "%s redirects to %.200s, where %s answers on port %u (status %ld); a CA follows "
            "it there, whatever the certificate",
            hc_address_format(&r->first, first), r->url, hc_address_format(&r->last, last),
            r->redirect_port, r->status);
    }
}

/* ---- all addresses together ---- */

static bool has_answered(const struct hc_request *r)
{
    return r->end != HC_REQUEST_UNREACHABLE && r->end != HC_REQUEST_NONE;
}

/* True if both answered, and not the same. */
static bool differs(const struct hc_request *a, const struct hc_request *b)
{
    if (!has_answered(a) || !has_answered(b)) {
        return false;
    }
    return a->end != b->end || (a->how->answer == NULL && a->status != b->status);
}

/* The first of a family that answered, or NULL. */
static const struct hc_request *first_of(const struct hc_request *requests, size_t count, bool ipv6)
{
    for (size_t k = 0; k < count; k++) {
        if (requests[k].first.ipv6 == ipv6 && has_answered(&requests[k])) {
            return &requests[k];
        }
    }
    return NULL;
}

/* One that answers otherwise than the first of its family, or NULL. */
static const struct hc_request *odd_one(const struct hc_request *requests, size_t count, bool ipv6)
{
    const struct hc_request *first = first_of(requests, count, ipv6);

    for (size_t k = 0; first != NULL && k < count; k++) {
        if (requests[k].first.ipv6 == ipv6 && differs(first, &requests[k])) {
            return &requests[k];
        }
    }
    return NULL;
}

bool hc_judge_differs(const struct hc_request *requests, size_t count)
{
    const struct hc_request *v6 = first_of(requests, count, true);
    const struct hc_request *v4 = first_of(requests, count, false);

    return (v6 != NULL && v4 != NULL && differs(v6, v4)) ||
           odd_one(requests, count, true) != NULL || odd_one(requests, count, false) != NULL;
}

static void judge_families(struct hc_name_judge *judge, const struct hc_request *requests,
                           size_t count)
{
    const struct hc_request *v6 = first_of(requests, count, true);
    const struct hc_request *v4 = first_of(requests, count, false);
    char address6[HC_ADDRESS_TEXT];
    char address4[HC_ADDRESS_TEXT];
    char what6[HC_FOREIGN_MAX];
    char what4[HC_FOREIGN_MAX];

    if (v6 == NULL || v4 == NULL || !differs(v6, v4)) {
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

/* Several addresses of one family: a CA picks any of them. */
static void judge_each(struct hc_name_judge *judge, const struct hc_request *requests, size_t count)
{
    struct hc_judge_answers answers = {.count = 0};
    char text[HC_FOREIGN_MAX];

    if (odd_one(requests, count, true) == NULL && odd_one(requests, count, false) == NULL) {
        return;
    }
    for (size_t k = 0; k < count; k++) {
        char what[HC_FOREIGN_MAX];

        describe_end(&requests[k], what, sizeof(what));
        hc_judge_answers_add(&answers, &requests[k].first, what);
    }
    hc_judge_note(judge, HC_P_HTTP_ADDRESSES_DIFFER, HC_JUDGE_FAIL, "%s",
                  hc_judge_answers_format(&answers, text));
}

void hc_judge_requests(struct hc_name_judge *judge, const struct hc_request *requests, size_t count)
{
    for (size_t k = 0; k < count; k++) {
        judge_request(judge, &requests[k]);
        judge_elsewhere(judge, requests, count, &requests[k]);
    }
    judge_families(judge, requests, count);
    judge_each(judge, requests, count);
}
