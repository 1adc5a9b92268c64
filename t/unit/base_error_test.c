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
    is_str(err.subject, "/a\nb", "the subject is kept as it came");
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

static void what_is_handed_on_is_escaped_once(void)
{
    struct hc_error inner = {0};
    struct hc_error outer = {0};
    struct hc_error_text text;
    char line[HC_ERROR_LINE];

    hc_error_set(&inner, HC_P_CA_REFUSED, NULL, "it says \x1b[31m and \xc3\xa4 and C:\\x");
    hc_error_set(&outer, HC_P_ORDER_LOST, "b\\c", "%s", inner.detail);
    hc_error_during(&outer, "reading \x07");
    hc_error_hint(&outer, "see \x7f");
    ok(memchr(outer.detail, 0x1b, outer.detail_len) != NULL, "the bytes are kept as they came");
    hc_error_render(&outer, &text);
    is_str(text.subject, "b\\\\c", "the subject, shown");
    is_str(text.detail, "it says \\x1b[31m and \\xc3\\xa4 and C:\\\\x", "the detail, escaped once");
    is_str(text.activity, "reading \\x07", "the activity");
    is_str(text.hint, "see \\x7f", "the hint");
    hc_error_format(&outer, line, sizeof(line));
    ok(strstr(line, "\\x1b[31m and \\xc3\\xa4 and C:\\\\x (order-lost; while reading \\x07; see "
                    "\\x7f)") != NULL,
       "and so is the line");
    for (const char *p = line; *p != '\0'; p++) {
        if (*p < 0x20 || *p > 0x7e) {
            ok(false, "a byte that a terminal would obey");
        }
    }
}

static void bytes_may_hold_nul(void)
{
    static const char bytes[] = "www.bank.test\0.evil.test";
    struct hc_error err = {0};
    struct hc_error_text text;
    struct hc_error back;

    hc_error_set_bytes(&err, HC_P_NAME_INVALID, "leaf", bytes, sizeof(bytes) - 1);
    hc_error_set_bytes(&err, HC_P_INTERNAL, "later", "x", 1);
    is_int(err.problem, HC_P_NAME_INVALID, "the first stays");
    hc_error_add(&err, "; %s", "more");
    hc_error_render(&err, &text);
    is_str(text.detail, "www.bank.test\\x00.evil.test; more", "nothing hides behind a NUL");
    hc_error_restore(&back, HC_P_NAME_INVALID, text.subject, text.activity, text.detail, NULL);
    ok(back.detail_len == err.detail_len && memcmp(back.detail, err.detail, err.detail_len) == 0,
       "what another process shows comes back byte by byte");
    hc_error_restore(&back, HC_P_INTERNAL, NULL, NULL, "C:\\temp \xff", NULL);
    is_str(back.detail, "C:\\temp \xff", "a text that was not escaped stays as it is");
}

static void texts_are_capped_and_say_so(void)
{
    char much[2 * HC_ERROR_DETAIL];
    struct hc_error err = {0};
    struct hc_error_text text;
    char line[HC_ERROR_LINE];
    char little[16];

    memset(much, '\n', sizeof(much) - 1);
    much[sizeof(much) - 1] = '\0';
    hc_error_set(&err, HC_P_PROTOCOL, much, "%s", much);
    is_int(err.detail_len, HC_ERROR_DETAIL - 1, "as much as there is room for");
    is_str(err.detail + err.detail_len - 2, "..", "and a mark of the cut");
    is_str(err.subject + strlen(err.subject) - 2, "..", "also in the subject");
    hc_error_add(&err, "no room");
    is_int(err.detail_len, HC_ERROR_DETAIL - 1, "nothing is added to a full one");
    hc_error_render(&err, &text);
    is_str(text.detail + strlen(text.detail) - 4, "0a..", "shown, it is cut between two bytes");
    ok(strlen(hc_error_format(&err, line, sizeof(line))) < sizeof(line), "the line has its end");
    is_int(strlen(hc_error_format(&err, little, sizeof(little))), 15, "a short line too");
}

static void an_inner_error_is_handed_on_unless_one_is_there(void)
{
    struct hc_error inner = {0};
    struct hc_error err = {0};

    hc_error_set(&inner, HC_P_RATE_LIMITED, "a.test", "slower");
    inner.foreign.retry_after = 30;
    is_int(hc_error_chain(&err, &inner), -1, "returns -1");
    is_int(err.problem, HC_P_RATE_LIMITED, "the problem");
    is_str(err.detail, "slower", "its text");
    is_int(err.foreign.retry_after, 30, "and what the other side asked for");
    inner.problem = HC_P_INTERNAL;
    hc_error_chain(&err, &inner);
    is_int(err.problem, HC_P_RATE_LIMITED, "the first stays");
    is_int(hc_error_chain(NULL, &inner), -1, "no error to fill is fine");
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
    is_str(list.items[1].message, "\x1b", "its words are kept as they came");
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
    what_is_handed_on_is_escaped_once();
    bytes_may_hold_nul();
    texts_are_capped_and_say_so();
    an_inner_error_is_handed_on_unless_one_is_there();
    every_problem_has_slug_sentence_and_hint();
    findings_keep_the_worst_and_each_once();
    return done();
}
