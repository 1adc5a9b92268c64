/* `on` beside certificate lines: which of the two certificates serves. */
#include "agent/first.h"

#include "tap.h"

#define DAY INT64_C(86400)

/* "": nothing is there; "fit": nothing is wrong; else slugs. */
struct fact {
    const char *name;
    const char *lines;
    int lines_days;
    const char *obtained;
    int obtained_days;
    bool own;
    enum hc_first want;
};

static const struct fact facts[] = {
    {"neither", "", 0, "", 0, false, HC_FIRST_OBTAINED},
    {"the lines alone", "fit", 60, "", 0, false, HC_FIRST_ALONE},
    {"lines alone, whatever is wrong with them", "self-signed", -1, "", 0, false, HC_FIRST_ALONE},
    {"what was obtained alone", "", 0, "untrusted-root", 60, true, HC_FIRST_OBTAINED},
    {"both are sound", "fit", 60, "fit", 60, true, HC_FIRST_OBTAINED},
    {"the obtained one in part only", "fit", 60, "fit", 60, false, HC_FIRST_ALONE},
    {"a staging certificate beside a trusted one", "fit", 60, "untrusted-root", 60, true,
     HC_FIRST_TRUSTED},
    {"a staging certificate in part", "fit", 60, "untrusted-root", 60, false, HC_FIRST_TRUSTED},
    {"a staging certificate, and the other ends soon", "fit", 1, "untrusted-root", 60, true,
     HC_FIRST_TRUSTED},
    {"a staging certificate, and the other has ended", "expired", -1, "untrusted-root", 60, true,
     HC_FIRST_OBTAINED},
    {"self-signed lines", "self-signed", 3000, "fit", 60, true, HC_FIRST_OBTAINED},
    {"self-signed lines, and a staging certificate", "self-signed", 3000, "untrusted-root", 60,
     true, HC_FIRST_OBTAINED},
    {"self-signed lines, and a part of what will be", "self-signed", 3000, "fit", 60, false,
     HC_FIRST_OBTAINED},
    {"untrusted lines", "untrusted-root", 60, "untrusted-root", 60, true, HC_FIRST_OBTAINED},
    {"unusable lines", "key-mismatch", 60, "untrusted-root", 60, true, HC_FIRST_OBTAINED},
    {"the obtained one brings a flaw", "fit", 60, "chain-incomplete", 60, true, HC_FIRST_BETTER},
    {"a flaw, and the other ends soon", "fit", 5, "chain-incomplete", 60, true, HC_FIRST_OBTAINED},
    {"a flaw that both have", "chain-incomplete", 60, "chain-incomplete", 60, true,
     HC_FIRST_OBTAINED},
    {"the obtained one has expired", "fit", 60, "expired", -1, true, HC_FIRST_OUTLASTED},
    {"both have expired", "expired", -5, "expired", -1, true, HC_FIRST_OBTAINED},
};

static enum hc_problem problem_of(const char *slug)
{
    for (int p = 1; p < HC_P_COUNT; p++) {
        if (strcmp(hc_problem_row((enum hc_problem)p)->slug, slug) == 0) {
            return (enum hc_problem)p;
        }
    }
    return HC_P_NONE;
}

static void fill(struct hc_first_side *side, const char *what, int days)
{
    struct hc_error err = {0};

    memset(side, 0, sizeof(*side));
    if (what[0] == '\0') {
        return;
    }
    side->there = true;
    side->left = days * DAY;
    side->life = 90 * DAY;
    if (strcmp(what, "fit") != 0) {
        ok(problem_of(what) != HC_P_NONE &&
               hc_findings_add(&side->findings, problem_of(what), "x", &err, "y") == 0,
           what);
    }
}

int main(void)
{
    for (size_t i = 0; i < HC_COUNT(facts); i++) {
        struct hc_first_side lines, obtained;

        fill(&lines, facts[i].lines, facts[i].lines_days);
        fill(&obtained, facts[i].obtained, facts[i].obtained_days);
        is_int(hc_first_decide(&lines, &obtained, facts[i].own, NULL), facts[i].want,
               facts[i].name);
        hc_findings_dispose(&lines.findings);
        hc_findings_dispose(&obtained.findings);
    }
    return done();
}
