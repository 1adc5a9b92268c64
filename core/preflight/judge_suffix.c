/* Whether public CAs issue for such names at all; see judge.h. */
#include <string.h>

#include "preflight/judge.h"

static void judge_itself(struct hc_name_judge *judge, bool wildcard)
{
    if (wildcard) {
        hc_judge_note(judge, HC_P_NAME_PUBLIC_SUFFIX, HC_JUDGE_FAIL,
                      "*.%s would cover every name that anybody registers below %s", judge->host,
                      judge->host);
    } else {
        hc_judge_note(judge, HC_P_NAME_PUBLIC_SUFFIX, HC_JUDGE_FAIL,
                      "%s is in the Public Suffix List", judge->host);
    }
}

/* The list may be older than the domain: where the DNS has it, that is a remark. */
static void judge_unknown(struct hc_name_judge *judge, const struct hc_lookup *top)
{
    const char *dot = strrchr(judge->host, '.');
    const char *domain = dot != NULL ? dot + 1 : judge->host;

    if (top != NULL && (top->kind == HC_LOOKUP_NO_NAME || top->kind == HC_LOOKUP_DANGLING)) {
        hc_judge_note(judge, HC_P_NAME_INTERNAL, HC_JUDGE_FAIL,
                      "there is no top-level domain %s in the DNS", domain);
        return;
    }
    hc_judge_note(
        judge, HC_P_NAME_INTERNAL, HC_JUDGE_NOTHING,
        "the Public Suffix List has no top-level domain %s, although this machine's DNS knows it",
        domain);
}

void hc_judge_suffix(struct hc_name_judge *judge, enum hc_suffix suffix, bool wildcard,
                     const struct hc_lookup *top)
{
    switch (suffix) {
    case HC_SUFFIX_BELOW:
        break;
    case HC_SUFFIX_ITSELF:
        judge_itself(judge, wildcard);
        break;
    case HC_SUFFIX_REVERSE:
        hc_judge_note(judge, HC_P_NAME_INTERNAL, HC_JUDGE_FAIL,
                      "%s is a reverse name: CAs issue none since 2026-03-15", judge->host);
        break;
    case HC_SUFFIX_UNKNOWN:
        judge_unknown(judge, top);
        break;
    }
}
