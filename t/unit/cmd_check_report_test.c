/* The chain as a picture: which certificate a mark stands at. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cmd/check.h"
#include "forge.h"
#include "tap.h"

static char *text;

/* The report of a family's chain with these findings, in text. */
static void report(struct hc_checked *checked)
{
    static const struct hc_check_options options;
    struct hc_check_run_state run = {.options = &options, .now = 1700000000};
    struct hc_error err = {0};
    size_t len = 0;
    FILE *out = NULL;

    free(text);
    text = NULL;
    out = open_memstream(&text, &len);
    if (out == NULL) {
        forge_die("open_memstream");
    }
    hc_report_init(&run.report, out);
    ok(hc_check_report(&run, "www.example.test", checked, &err) == 0, "a report");
    fclose(out);
}

/* True if the line of the picture that names the certificate ends with this mark. */
static bool marked(const char *certificate, const char *mark)
{
    const char *line = strstr(text, certificate);
    size_t len = line != NULL ? strcspn(line, "\n") : 0;

    return len >= strlen(mark) && strncmp(line + len - strlen(mark), mark, strlen(mark)) == 0;
}

static void add(struct hc_checked *checked, enum hc_problem p, const struct hc_subject *subject)
{
    if (hc_findings_add_of(&checked->findings, p, subject, NULL, "a sentence") != 0) {
        forge_die("memory");
    }
}

static void a_mark_stands_at_the_certificate_that_it_is_about(void)
{
    struct forged_family f = forge_family("P-256", "DNS:www.example.test");
    struct hc_checked checked = {.leaf = f.leaf.cert, .chain = sk_X509_new_null()};
    struct hc_subject mid;
    struct hc_subject alike;

    if (checked.chain == NULL || sk_X509_push(checked.chain, f.mid.cert) < 1 ||
        sk_X509_push(checked.chain, f.root.cert) < 1) {
        forge_die("chain");
    }
    hc_check_subject(f.mid.cert, 2, &mid);
    report(&checked);
    ok(strstr(text, "<-") == NULL, "without findings there is no mark");
    add(&checked, HC_P_EXPIRES_SOON, &mid);
    report(&checked);
    ok(marked("2  Test Intermediate", "<- expires-soon"), "the intermediate has one");
    ok(!marked("1  leaf", "<- expires-soon") && !marked("3  Test Root", "<- expires-soon"),
       "the others have none");
    add(&checked, HC_P_KEY_WEAK, &mid);
    report(&checked);
    ok(marked("2  Test Intermediate", "<- expires-soon  <- key-weak"), "then two");
    /* a file may be called what a certificate is called */
    alike = hc_subject_of(HC_SUBJECT_ITSELF, mid.text);
    alike.number = mid.number;
    add(&checked, HC_P_PEM_NOISE, &alike);
    report(&checked);
    ok(!marked("2  Test Intermediate", "<- pem-noise"),
       "what is about something else of that name marks nothing");
    hc_findings_dispose(&checked.findings);
    sk_X509_free(checked.chain);
    forged_family_free(&f);
}

static void a_certificate_that_is_served_twice_is_marked_where_it_is_too_much(void)
{
    struct forged_family f = forge_family("P-256", "DNS:www.example.test");
    struct hc_checked checked = {.leaf = f.root.cert, .chain = sk_X509_new_null()};
    struct hc_subject root;

    if (checked.chain == NULL || sk_X509_push(checked.chain, f.root.cert) < 1) {
        forge_die("chain");
    }
    hc_check_subject(f.root.cert, 2, &root);
    add(&checked, HC_P_CHAIN_ROOT, &root);
    report(&checked);
    ok(!marked("1  Test Root", "<- chain-root") && marked("2  Test Root", "<- chain-root"),
       "at its second place");
    hc_findings_dispose(&checked.findings);
    sk_X509_free(checked.chain);
    forged_family_free(&f);
}

int main(void)
{
    a_mark_stands_at_the_certificate_that_it_is_about();
    a_certificate_that_is_served_twice_is_marked_where_it_is_too_much();
    free(text);
    return done();
}
