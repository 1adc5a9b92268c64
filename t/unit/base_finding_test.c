/* Lists of findings: once each, moved whole, judged by the worst. */
#include "base/finding.h"
#include "tap.h"

static void add(struct hc_findings *list, enum hc_problem p, const char *subject)
{
    if (hc_findings_add(list, p, subject, NULL, "text") != 0) {
        ok(false, "memory");
    }
}

static void the_same_is_added_once(void)
{
    struct hc_findings list = {0};

    add(&list, HC_P_EXPIRED, "a");
    add(&list, HC_P_EXPIRED, "a");
    add(&list, HC_P_EXPIRED, "b");
    add(&list, HC_P_KEY_WEAK, "a\n");
    add(&list, HC_P_KEY_WEAK, "a\n");
    is_int((long long)list.count, 3, "by problem and subject");
    is_str(list.items[2].subject, "a\\x0a", "escaped when it enters");
    is_str(list.items[0].hint, hc_problem_row(HC_P_EXPIRED)->hint, "the row's hint");
    hc_findings_dispose(&list);
}

static void lists_are_joined(void)
{
    struct hc_findings dst = {0};
    struct hc_findings src = {0};

    add(&dst, HC_P_EXPIRED, "a");
    add(&src, HC_P_EXPIRED, "a");
    add(&src, HC_P_EXPIRED, "b\\c");
    add(&src, HC_P_CHAIN_ORDER, "a");
    src.items[1].rank = HC_CLASS_REMARK;
    is_int(hc_findings_take(&dst, &src, NULL), 0, "moved");
    is_int((long long)dst.count, 3, "without what was there");
    is_int((long long)src.count, 0, "the source is empty");
    is_str(dst.items[1].subject, "b\\\\c", "escaped once, not twice");
    is_int(dst.items[1].rank, HC_CLASS_REMARK, "with the rank it had");
    is_int(hc_findings_take(&dst, &src, NULL), 0, "an empty list moves");
    for (int i = 0; i < HC_FINDINGS_MAX + 10; i++) {
        char subject[16];

        snprintf(subject, sizeof(subject), "%d", i);
        add(&src, HC_P_PEM_NOISE, subject);
    }
    is_int((long long)src.count, HC_FINDINGS_MAX, "a list has an end");
    is_int(hc_findings_take(&dst, &src, NULL), 0, "moved");
    is_int((long long)dst.count, HC_FINDINGS_MAX, "also when it is joined");
    hc_findings_dispose(&dst);
    hc_findings_dispose(&src);
}

static void the_worst_rank_is_the_verdict(void)
{
    struct hc_findings list = {0};
    struct hc_error err = {0};

    is_str(hc_verdict_name(hc_findings_worst(&list)), "fit", "nothing is fit");
    add(&list, HC_P_CHAIN_ORDER, "a");
    is_str(hc_verdict_name(hc_findings_worst(&list)), "fit", "so is a remark");
    is_int(hc_findings_to_error(&list, HC_CLASS_FLAWED, &err), 0, "and no error");
    add(&list, HC_P_EXPIRED, "b");
    is_str(hc_verdict_name(hc_findings_worst(&list)), "flawed", "a flaw is flawed");
    is_int(hc_findings_to_error(&list, HC_CLASS_UNUSABLE, &err), 0,
           "no error where only the unusable counts");
    is_int(hc_findings_to_error(&list, HC_CLASS_FLAWED, &err), -1, "an error where flaws count");
    is_str(err.subject, "b", "of the worst finding");
    add(&list, HC_P_KEY_MISMATCH, "c");
    is_str(hc_verdict_name(hc_findings_worst(&list)), "unusable", "and so on");
    ok(hc_findings_find(&list, HC_P_EXPIRED, "b") != NULL, "found by subject");
    ok(hc_findings_find(&list, HC_P_EXPIRED, "c") == NULL, "not by another's");
    hc_findings_dispose(&list);
}

int main(void)
{
    the_same_is_added_once();
    lists_are_joined();
    the_worst_rank_is_the_verdict();
    return done();
}
