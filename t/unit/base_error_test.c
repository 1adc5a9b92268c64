#include "base/error.h"

#include <errno.h>

#include "base/finding.h"
#include "tap.h"

static void the_first_specific_error_wins(void)
{
    struct hc_error err;
    char line[2048];

    hc_error_init(&err);
    is_int(hc_error_set(&err, HC_P_FILE_UNREADABLE, "/a\nb", "reason %d", 7), -1, "returns -1");
    hc_error_set(&err, HC_P_INTERNAL, "later", "less specific");
    hc_error_during(&err, "reading");
    hc_error_during(&err, "starting");
    is_int(err.problem, HC_P_FILE_UNREADABLE, "the first stays");
    is_str(err.subject, "/a\\x0ab", "the subject is escaped");
    is_str(err.activity, "reading", "the nearest activity stays");
    hc_error_format(&err, line, sizeof(line));
    ok(strstr(line,
              "/a\\x0ab: the file cannot be read: reason 7 (file-unreadable; while reading; ") ==
           line,
       "one line says subject, sentence, detail and activity");
    ok(hc_error_set(NULL, HC_P_INTERNAL, NULL, NULL) == -1, "no error to fill is fine");
}

static void system_reasons_are_kept(void)
{
    struct hc_error err;

    hc_error_init(&err);
    hc_error_set_errno(&err, HC_P_NONE, "file", ENOSPC, "writing");
    is_int(err.problem, HC_P_SYSTEM, "a bare errno is a system problem");
    ok(strstr(err.detail, "No space left") != NULL, "with its words");
}

static void every_problem_has_slug_sentence_and_hint(void)
{
    for (size_t i = 1; i < HC_P_COUNT; i++) {
        const struct hc_problem_row *row = hc_problem_row((enum hc_problem)i);

        if (row->slug[0] == '\0' || row->sentence[0] == '\0' || row->hint[0] == '\0' ||
            hc_problem_by_slug(row->slug) != (enum hc_problem)i) {
            ok(false, row->slug);
        }
    }
    is_int(hc_problem_by_slug("no-such-slug"), HC_P_NONE, "an unknown slug is none");
    is_str(hc_problem_row((enum hc_problem)100000)->slug, "none", "a number beyond is none");
}

static void findings_keep_the_worst_and_each_once(void)
{
    struct hc_findings list = {0};
    struct hc_error err;

    hc_error_init(&err);
    is_int(hc_findings_worst(&list), HC_CLASS_REMARK, "an empty verdict is fit");
    is_str(hc_verdict_name(hc_findings_worst(&list)), "fit", "by name too");
    is_int(hc_findings_to_error(&list, HC_CLASS_FLAWED, &err), 0, "and no error");
    ok(hc_findings_add(&list, HC_P_EXPIRED, "leaf", &err, "since %d", 1) == 0, "a flaw");
    ok(hc_findings_add(&list, HC_P_EXPIRED, "leaf", &err, "again") == 0, "the same again");
    is_int(list.count, 1, "is kept once");
    ok(hc_findings_add(&list, HC_P_EXPIRED, "chain 2", &err, "\x1b") == 0, "another subject");
    is_int(list.count, 2, "is kept");
    is_str(list.items[1].message, "\\x1b", "its words are escaped");
    ok(hc_findings_hint(&list, &err, "do %s", "this") == 0, "a hint of its own");
    is_str(hc_findings_find(&list, HC_P_EXPIRED, "chain 2")->hint, "do this", "is found with it");
    is_int(hc_findings_to_error(&list, HC_CLASS_UNUSABLE, &err), 0, "not unusable");
    is_int(hc_findings_to_error(&list, HC_CLASS_FLAWED, &err), -1, "but flawed");
    is_int(err.problem, HC_P_EXPIRED, "names the flaw");
    ok(hc_findings_add(&list, HC_P_KEY_MISMATCH, "k", &err, "no") == 0, "worse");
    is_str(hc_verdict_name(hc_findings_worst(&list)), "unusable", "the worst decides");
    hc_findings_dispose(&list);
    hc_findings_dispose(&list);
}

int main(void)
{
    the_first_specific_error_wins();
    system_reasons_are_kept();
    every_problem_has_slug_sentence_and_hint();
    findings_keep_the_worst_and_each_once();
    return done();
}
