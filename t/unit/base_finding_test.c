/* Lists of findings: once each, moved whole, judged by the worst. */
#include "base/finding.h"
#include "base/log.h"
#include "base/spelling.h"
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
    is_str(list.items[2].subject, "a\n", "kept as it came");
    is_str(list.items[0].hint, hc_problem_row(HC_P_EXPIRED)->hint, "the row's hint");
    hc_findings_dispose(&list);
}

static void texts_are_escaped_once_where_they_are_shown(void)
{
    struct hc_findings list = {0};
    struct hc_finding_text text;
    struct hc_error err = {0};
    char line[1024];

    ok(hc_findings_add(&list, HC_P_KEY_MISMATCH, "a\n", NULL, "says \x1b\\ \xc3\xa4") == 0 &&
           hc_findings_hint(&list, NULL, "mend %s", "b\\c") == 0,
       "any bytes are taken");
    hc_finding_render(&list.items[0], &text);
    is_str(text.subject, "a\\x0a", "the subject");
    is_str(text.message, "says \\x1b\\\\ \\xc3\\xa4", "the sentence");
    is_str(text.hint, "mend b\\\\c", "the hint");
    hc_finding_format(&list.items[0], line, sizeof(line));
    ok(strncmp(line, "a\\x0a: ", 7) == 0 &&
           strstr(line, "says \\x1b\\\\ \\xc3\\xa4 (key-mismatch; ") &&
           strstr(line, "; mend b\\\\c)"),
       "and the line");
    hc_findings_to_error(&list, HC_CLASS_UNUSABLE, &err);
    hc_error_format(&err, line, sizeof(line));
    ok(strstr(line, "says \\x1b\\\\ \\xc3\\xa4 (") != NULL && strstr(line, "mend b\\\\c)") != NULL,
       "as an error it is escaped once as well");
    hc_findings_dispose(&list);
}

static void a_presented_text_keeps_its_backslashes(void)
{
    struct hc_findings list = {0};
    struct hc_finding_text text;

    ok(hc_findings_add_presented(&list, HC_P_DNS_FAILED, "a", NULL, "TXT \"\\000\" \x1b") == 0,
       "a record in presentation form");
    hc_finding_render(&list.items[0], &text);
    is_str(text.message, "TXT \"\\000\" \\x1b", "is shown as it stands, without control bytes");
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
    is_str(dst.items[1].subject, "b\\c", "as they are");
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

/* A verdict goes through a store that the other server's agent may read. */
static void directives_are_spelled_where_they_are_shown(void)
{
    struct hc_findings list = {0};
    struct hc_error err = {0};
    struct hc_finding_text text;
    char line[HC_LOG_LINE];

    hc_spelling_use(HC_SPELLING_HTTPD);
    ok(hc_findings_add(&list, HC_P_EXPIRED, "a", NULL, "see hotcert_files") == 0 &&
           hc_findings_hint(&list, NULL, "set hotcert_names") == 0,
       "added in a process of httpd's");
    (void)hc_findings_to_error(&list, HC_CLASS_FLAWED, &err);
    is_str(err.detail, "see hotcert_files", "the error of it names what every server understands");
    is_str(err.hint, "set hotcert_names", "so does its hint");
    hc_finding_render(&list.items[0], &text);
    is_str(text.message, "see HotCertFiles", "shown, it is httpd's");
    is_str(text.hint, "set HotCertNames", "as is the hint");
    hc_spelling_use(HC_SPELLING_NGINX);
    ok(strstr(hc_finding_format(&list.items[0], line, sizeof(line)), "see hotcert_files") != NULL,
       "shown by nginx, it is nginx's");
    hc_spelling_use(HC_SPELLING_BOTH);
    hc_findings_dispose(&list);
}

int main(void)
{
    the_same_is_added_once();
    texts_are_escaped_once_where_they_are_shown();
    a_presented_text_keeps_its_backslashes();
    lists_are_joined();
    the_worst_rank_is_the_verdict();
    directives_are_spelled_where_they_are_shown();
    return done();
}
