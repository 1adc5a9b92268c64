/* One judged pair as text, with the chain as a picture, or as JSON. */
#include <openssl/err.h>
#include <string.h>

#include "base/time.h"
#include "cmd/check.h"
#include "pki/cert.h"
#include "pki/pair.h"

#define BAR 20

/* One certificate in the words of the report; all text escaped. */
struct card {
    struct hc_subject place; /* of findings about it */
    char label[HC_CERT_LABEL * 4];
    char issuer[HC_CERT_LABEL * 4];
    char key[HC_KEY_LABEL];
    char serial[HC_CERT_SERIAL];
    int64_t from, until;
};

static void make_card(X509 *cert, int position, struct card *c)
{
    char text[HC_CERT_LABEL];

    memset(c, 0, sizeof(*c));
    hc_cert_label(cert, text);
    hc_escape(c->label, sizeof(c->label), text, strlen(text));
    hc_check_subject(cert, position, &c->place);
    hc_cert_issuer_label(cert, text);
    hc_escape(c->issuer, sizeof(c->issuer), text, strlen(text));
    hc_cert_serial(cert, c->serial);
    hc_key_label(X509_get0_pubkey(cert), c->key);
    if (hc_cert_dates(cert, &c->from, &c->until, NULL) != 0) {
        c->from = c->until = 0;
    }
}

/* "[#####...............]": how much of its life is over. */
static void put_bar(struct hc_report *r, const struct card *c, int64_t now)
{
    char bar[BAR + 1];
    int64_t life = c->until - c->from;
    int64_t used = life > 0 ? (now - c->from) * BAR / life : BAR;
    int64_t filled = used < 0 ? 0 : used > BAR ? BAR : used;
    bool past = now > c->until;

    for (int i = 0; i < BAR; i++) {
        bar[i] = i < filled ? '#' : '.';
    }
    bar[BAR] = '\0';
    hc_report_put(r, HC_TINT_NONE, "  [");
    hc_report_put(r, past || now < c->from ? HC_TINT_BAD : HC_TINT_GOOD, "%s", bar);
    hc_report_put(r, HC_TINT_NONE, "]");
}

static void put_dates(struct hc_report *r, const struct card *c)
{
    char from[HC_TIME_TEXT];
    char until[HC_TIME_TEXT];

    hc_time_format(c->from, from);
    hc_time_format(c->until, until);
    hc_report_put(r, HC_TINT_NONE, "  %.10s .. %.10s", from, until);
}

/* The faults at this certificate, behind its line. */
static void put_faults(struct hc_report *r, const struct card *c,
                       const struct hc_findings *findings)
{
    for (size_t i = 0; i < findings->count; i++) {
        const struct hc_finding *f = &findings->items[i];

        if (f->kind == HC_SUBJECT_CERTIFICATE && f->number == c->place.number) {
            hc_report_put(r, hc_report_tint(f->rank), "  <- %s", hc_problem_row(f->problem)->slug);
        }
    }
}

static void put_card(struct hc_check_run_state *run, unsigned depth, const char *what,
                     const struct card *c, const struct hc_findings *findings)
{
    struct hc_report *r = &run->report;

    hc_report_branch(r, depth, 0, true);
    hc_report_put(r, HC_TINT_NONE, "%s  ", what);
    hc_report_put(r, HC_TINT_BOLD, "%s", c->label);
    hc_report_put(r, HC_TINT_NONE, "  %s", c->key);
    put_dates(r, c);
    put_bar(r, c, run->now);
    put_faults(r, c, findings);
    hc_report_end(r);
}

static X509 *nth(const struct hc_checked *checked, int i)
{
    return i == 0 ? checked->leaf : sk_X509_value(checked->chain, i - 1);
}

static int count_of(const struct hc_checked *checked)
{
    return checked->leaf == NULL ? 0 : checked->chain == NULL ? 1 : 1 + sk_X509_num(checked->chain);
}

/* The root that the last certificate names, if it is trusted; a reference. */
static X509 *root_of(const struct hc_check_run_state *run, X509 *last)
{
    X509_STORE_CTX *ctx = X509_STORE_CTX_new();
    X509 *root = NULL;

    if (ctx == NULL || hc_roots_want(run->roots, X509_get_issuer_name(last), NULL) != 0 ||
        X509_STORE_CTX_init(ctx, hc_roots_store(run->roots), NULL, NULL) != 1 ||
        X509_STORE_CTX_get1_issuer(&root, ctx, last) != 1) {
        root = NULL;
    }
    X509_STORE_CTX_free(ctx);
    ERR_clear_error();
    return root;
}

static void put_end(struct hc_check_run_state *run, const struct hc_checked *checked,
                    unsigned depth)
{
    X509 *last = nth(checked, count_of(checked) - 1);
    X509 *root = NULL;
    struct card card;

    if (hc_cert_self_signed(last)) {
        return;
    }
    root = root_of(run, last);
    if (root != NULL) {
        make_card(root, 0, &card);
        put_card(run, depth, "root", &card, &checked->findings);
    } else {
        make_card(last, 1, &card);
        hc_report_branch(&run->report, depth, 0, true);
        hc_report_put(&run->report, HC_TINT_BAD, "?  %s", card.issuer);
        hc_report_put(&run->report, HC_TINT_NONE, "  neither served nor trusted");
        hc_report_end(&run->report);
    }
    X509_free(root);
}

static void put_picture(struct hc_check_run_state *run, const struct hc_checked *checked)
{
    int count = count_of(checked);
    struct card card;
    char what[24];

    if (count == 0) {
        return;
    }
    hc_report_section(&run->report, "chain as served");
    for (int i = 0; i < count; i++) {
        make_card(nth(checked, i), i + 1, &card);
        snprintf(what, sizeof(what), "%d", i + 1);
        put_card(run, (unsigned)i, what, &card, &checked->findings);
    }
    put_end(run, checked, (unsigned)count);
}

static const char *file_name(const char *path)
{
    const char *slash = strrchr(path, '/');

    return slash != NULL ? slash + 1 : path;
}

/* What was taken for what in a tool's folder. */
static void put_paths(struct hc_check_run_state *run, const struct hc_check_tool_files *paths)
{
    char name[HC_FOREIGN_MAX];
    const char *parts[][2] = {
        {"certificate", paths->certificate}, {"chain", paths->chain}, {"key", paths->key}};

    hc_report_put(&run->report, HC_TINT_NONE, "  found in the layout of %s", paths->tool);
    for (size_t i = 0; i < HC_COUNT(parts); i++) {
        const char *file = parts[i][1] != NULL ? file_name(parts[i][1]) : NULL;

        if (file != NULL) {
            hc_report_put(&run->report, HC_TINT_NONE, "%s %s %s", i == 0 ? ":" : ",", parts[i][0],
                          hc_escape(name, sizeof(name), file, strlen(file)));
        }
    }
    hc_report_end(&run->report);
}

static int add_paths(json_t *object, const struct hc_check_tool_files *paths)
{
    char text[3][HC_FOREIGN_MAX];
    const char *path[] = {paths->certificate, paths->chain, paths->key};

    for (size_t i = 0; i < HC_COUNT(path); i++) {
        if (path[i] != NULL) {
            path[i] = hc_escape(text[i], sizeof(text[i]), path[i], strlen(path[i]));
        }
    }
    return json_object_set_new(object, "files",
                               json_pack("{s:s, s:s, s:s?, s:s?}", "tool", paths->tool,
                                         "certificate", path[0], "chain", path[1], "key", path[2]));
}

static json_t *card_json(X509 *cert, int position)
{
    struct card c;
    char from[HC_TIME_TEXT];
    char until[HC_TIME_TEXT];

    make_card(cert, position, &c);
    return json_pack("{s:s, s:s, s:s, s:s, s:s, s:s}", "subject", c.label, "issuer", c.issuer,
                     "serial", c.serial, "key", c.key, "not_before", hc_time_format(c.from, from),
                     "not_after", hc_time_format(c.until, until));
}

static int report_json(struct hc_check_run_state *run, const char *subject, const char *verdict,
                       const struct hc_checked *checked, struct hc_error *err)
{
    json_t *served = json_array();
    json_t *findings = hc_report_findings_json(&checked->findings);
    json_t *object = NULL;
    bool good = served != NULL && findings != NULL;

    for (int i = 0; good && i < count_of(checked); i++) {
        good = json_array_append_new(served, card_json(nth(checked, i), i + 1)) == 0;
    }
    if (!good) {
        json_decref(served);
        json_decref(findings);
        return hc_error_nomem(err);
    }
    object = json_pack("{s:s, s:s, s:o, s:o}", "subject", subject, "verdict", verdict, "findings",
                       findings, "served", served);
    if (checked->paths != NULL && add_paths(object, checked->paths) != 0) {
        json_decref(object);
        return hc_error_nomem(err);
    }
    return hc_report_json(run->report.out, object, err);
}

int hc_check_report(struct hc_check_run_state *run, const char *subject,
                    const struct hc_checked *checked, struct hc_error *err)
{
    enum hc_class worst = hc_findings_worst(&checked->findings);
    const char *verdict = hc_verdict_name(worst);
    char text[HC_FOREIGN_MAX];

    hc_escape(text, sizeof(text), subject, strlen(subject));
    if (run->options->json) {
        return report_json(run, text, verdict, checked, err);
    }
    if (run->judged > 1) {
        hc_report_end(&run->report);
    }
    hc_report_heading(&run->report, text);
    if (checked->paths != NULL) {
        put_paths(run, checked->paths);
    }
    put_picture(run, checked);
    hc_report_findings(&run->report, &checked->findings, true);
    hc_report_closing(&run->report, verdict,
                      worst == HC_CLASS_REMARK ? HC_TINT_GOOD : hc_report_tint(worst),
                      &checked->findings);
    return 0;
}
