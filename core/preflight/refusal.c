/* The CA's refusals in our own words; see refusal.h. */
#include "preflight/refusal.h"

#include <stdio.h>
#include <string.h>

enum hc_problem hc_refusal_problem(const struct hc_error *said)
{
    static const struct {
        enum hc_problem said;
        enum hc_problem ours;
    } rows[] = {
        {HC_P_CA_SAYS_CAA, HC_P_CAA_OTHER_ISSUER},
        {HC_P_CA_SAYS_DNS, HC_P_DNS_NO_ADDRESS},
        {HC_P_CA_SAYS_CONNECTION, HC_P_HTTP_UNREACHABLE},
        {HC_P_CA_SAYS_ANSWER, HC_P_HTTP_WRONG_ANSWER},
        {HC_P_CA_SAYS_NAME, HC_P_NAME_INVALID},
    };

    if (said->foreign.means != HC_P_NONE) {
        return said->foreign.means;
    }
    for (size_t i = 0; i < HC_COUNT(rows); i++) {
        if (rows[i].said == said->problem) {
            return rows[i].ours;
        }
    }
    return HC_P_NONE;
}

/* The finding that decided, else the first that is not a remark, else the first. */
static const struct hc_finding *worst_of(const struct hc_preflight_name *seen)
{
    const struct hc_finding *f = hc_findings_find(&seen->findings, seen->cause, NULL);

    return f != NULL ? f : seen->findings.count > 0 ? &seen->findings.items[0] : NULL;
}

/* The nearest slug of our own, but not for a name that a CA does not issue for: it is a good one.
 */
static const char *slug_of(const struct hc_error *said)
{
    enum hc_problem ours = hc_refusal_problem(said);

    return hc_problem_row(ours != HC_P_NONE && said->problem != HC_P_CA_SAYS_NAME ? ours
                                                                                  : said->problem)
        ->slug;
}

/* True if a preflight could have found what the CA holds against the name. */
static bool can_be_seen(enum hc_problem said)
{
    return said == HC_P_CA_SAYS_DNS || said == HC_P_CA_SAYS_CONNECTION ||
           said == HC_P_CA_SAYS_ANSWER || said == HC_P_CA_SAYS_CAA;
}

char *hc_refusal_describe(const struct hc_error *said, const struct hc_preflight_name *seen,
                          char *dst, size_t cap)
{
    bool record = said->foreign.means == HC_P_DNS_WRONG_TXT;
    /* the row of a wrong answer speaks of servers, which no record in the DNS has to do with */
    const struct hc_problem_row *row = hc_problem_row(record ? said->foreign.means : said->problem);
    const struct hc_finding *f = seen != NULL ? worst_of(seen) : NULL;
    struct hc_error_text text;
    struct hc_finding_text seen_text;
    bool worded = said->detail[0] != '\0';
    /* a problem document's words are introduced already */
    bool intro = worded && said->foreign.type[0] == '\0';
    size_t used = 0;
    int w = 0;

    hc_error_render(said, &text);
    w = snprintf(dst, cap, "%s%.500s (%s)", intro ? "the CA says: " : "",
                 worded ? text.detail : row->sentence, slug_of(said));
    used = w > 0 && (size_t)w < cap ? (size_t)w : cap - 1;

    if (f != NULL) {
        hc_finding_render(f, &seen_text);
        snprintf(dst + used, cap - used, "; from here: %s: %.500s; %.300s",
                 hc_problem_row(f->problem)->slug, seen_text.message, seen_text.hint);
    } else {
        snprintf(dst + used, cap - used, "%s; %.300s",
                 seen != NULL && !record && can_be_seen(said->problem)
                     ? "; a second check from here found nothing wrong"
                     : "",
                 row->hint);
    }
    return dst;
}
