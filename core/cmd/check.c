/*
 * hotcert check: is this pair, or what that server sends, fit to be served? Arguments, verdict and
 * exit code; the checks are in check_files.c, check_store.c and check_connect.c.
 */
#include "cmd/check.h"

#include <getopt.h>
#include <openssl/err.h>
#include <stdlib.h>
#include <string.h>

#include "base/time.h"
#include "cmd/cmd.h"
#include "cmd/input.h"
#include "conf/name.h"

enum choice {
    OPTION_KEY = 256,
    OPTION_NAME,
    OPTION_ROOTS,
    OPTION_AT,
    OPTION_ACCEPT,
    OPTION_PASSPHRASE,
    OPTION_SECRET,
    OPTION_STORE,
    OPTION_CONNECT,
    OPTION_SNI,
    OPTION_STARTTLS,
    OPTION_JSON,
};

static const struct option long_options[] = {
    {"key", required_argument, NULL, OPTION_KEY},
    {"name", required_argument, NULL, OPTION_NAME},
    {"roots", required_argument, NULL, OPTION_ROOTS},
    {"at", required_argument, NULL, OPTION_AT},
    {"accept", required_argument, NULL, OPTION_ACCEPT},
    {"passphrase", required_argument, NULL, OPTION_PASSPHRASE},
    {"secret", required_argument, NULL, OPTION_SECRET},
    {"store", required_argument, NULL, OPTION_STORE},
    {"connect", required_argument, NULL, OPTION_CONNECT},
    {"sni", required_argument, NULL, OPTION_SNI},
    {"starttls", required_argument, NULL, OPTION_STARTTLS},
    {"json", no_argument, NULL, OPTION_JSON},
    {NULL, 0, NULL, 0},
};

/* What the options name beyond themselves. */
struct parsed {
    struct hc_check_options options;
    const char *roots;
    const char *passphrase_file;
    int64_t at;
};

static int take_name(const char *text, struct hc_list *names, struct hc_error *err)
{
    char name[HC_NAME_SIZE];

    return hc_name_normalise(text, name, err) == 0 ? hc_list_add(names, name, err) : -1;
}

static int take_slug(const char *text, struct hc_list *accept, struct hc_error *err)
{
    enum hc_problem p = hc_problem_by_slug(text);

    if (p == HC_P_NONE || hc_problem_row(p)->cls != HC_CLASS_FLAWED) {
        return hc_error_set(err, HC_P_BAD_VALUE, text,
                            p == HC_P_NONE ? "no finding has this slug"
                                           : "only flaws can be accepted");
    }
    return hc_list_add(accept, text, err);
}

static int take_option(int choice, const char *value, struct parsed *p, struct hc_error *err)
{
    switch (choice) {
    case OPTION_KEY:
        p->options.key = value;
        return 0;
    case OPTION_NAME:
        return take_name(value, &p->options.names, err);
    case OPTION_ROOTS:
        p->roots = value;
        return 0;
    case OPTION_AT:
        return hc_time_parse(value, &p->at, err);
    case OPTION_ACCEPT:
        return take_slug(value, &p->options.accept, err);
    case OPTION_PASSPHRASE:
        p->passphrase_file = value;
        return 0;
    case OPTION_SECRET:
        p->options.secret = value;
        return 0;
    case OPTION_STORE:
        p->options.store = value;
        return 0;
    case OPTION_CONNECT:
        p->options.connect = value;
        return 0;
    case OPTION_SNI:
        p->options.sni = value;
        return 0;
    case OPTION_STARTTLS:
        p->options.smtp = true;
        return strcmp(value, "smtp") == 0
                   ? 0
                   : hc_error_set(err, HC_P_BAD_VALUE, value, "it takes smtp");
    case OPTION_JSON:
        p->options.json = true;
        return 0;
    }
    return hc_error_set(err, HC_P_BAD_ARGUMENTS, NULL, "unknown option");
}

/* The value that was refused, with the option that it was given to. */
static int name_the_option(int choice, const char *value, struct hc_error *err)
{
    char subject[HC_ERROR_SUBJECT];

    for (const struct option *o = long_options; o->name != NULL; o++) {
        if (o->val == choice) {
            snprintf(subject, sizeof(subject), "--%s \"%.200s\"", o->name, value);
            hc_error_of(err, subject);
        }
    }
    return -1;
}

static int take_named_option(void *self, int choice, const char *arg, struct hc_error *err)
{
    if (choice == '?' || choice == ':') {
        return hc_cmd_bad_option(choice, arg, err);
    }
    return take_option(choice, optarg, self, err) != 0 ? name_the_option(choice, optarg, err) : 0;
}

static int check_combination(const struct parsed *p, struct hc_error *err)
{
    bool files = p->options.files.count > 0;
    char host[HC_NAME_SIZE];
    char port[HC_CHECK_PORT];

    if (!files && p->options.connect == NULL) {
        return hc_error_set(err, HC_P_BAD_ARGUMENTS, NULL,
                            "give a file, a folder, or --connect HOST[:PORT]");
    }
    if (p->options.connect != NULL && hc_check_split(p->options.connect, host, port, err) != 0) {
        return name_the_option(OPTION_CONNECT, p->options.connect, err);
    }
    if (files && p->options.connect != NULL) {
        return hc_error_set(err, HC_P_BAD_ARGUMENTS, NULL, "use either files or --connect");
    }
    if (p->options.connect == NULL && (p->options.sni != NULL || p->options.smtp)) {
        return hc_error_set(err, HC_P_BAD_ARGUMENTS, NULL,
                            "--sni and --starttls go with --connect");
    }
    if (p->options.connect != NULL && (p->options.key != NULL || p->passphrase_file != NULL)) {
        return hc_error_set(err, HC_P_BAD_ARGUMENTS, NULL, "--key and --passphrase go with files");
    }
    return 0;
}

static int parse(int argc, char **argv, struct parsed *p, struct hc_error *err)
{
    if (hc_cmd_take_options(argc, argv, long_options, take_named_option, p, err) != 0) {
        return -1;
    }
    for (int i = optind; i < argc; i++) {
        if (hc_list_add(&p->options.files, argv[i], err) != 0) {
            return -1;
        }
    }
    return check_combination(p, err);
}

void hc_checked_dispose(struct hc_checked *checked)
{
    hc_findings_dispose(&checked->findings);
    X509_free(checked->leaf);
    sk_X509_pop_free(checked->chain, X509_free);
    memset(checked, 0, sizeof(*checked));
}

/* What the operator accepts works for him: it is a remark. */
static void apply_accept(const struct hc_list *accept, struct hc_findings *findings)
{
    for (size_t i = 0; i < findings->count; i++) {
        struct hc_finding *f = &findings->items[i];

        if (f->rank == HC_CLASS_FLAWED && hc_list_has(accept, hc_problem_row(f->problem)->slug)) {
            f->rank = HC_CLASS_REMARK;
        }
    }
}

static void count(struct hc_check_run_state *run, enum hc_check_exit result)
{
    run->worst = result > run->worst ? result : run->worst;
}

void hc_check_unreached(struct hc_check_run_state *run, const struct hc_error *err)
{
    hc_report_error(err);
    count(run, HC_CHECK_UNREACHED);
}

int hc_check_conclude(struct hc_check_run_state *run, const char *subject,
                      const struct hc_pair *pair, struct hc_checked *checked, struct hc_error *err)
{
    struct hc_check how = {.names = checked->names != NULL ? checked->names : &run->options->names,
                           .roots = run->roots,
                           .now = run->now,
                           .margin = -1,
                           .knows_issuer = hc_check_known_issued,
                           .self = &run->known,
                           .stapled = checked->stapled,
                           .key_file = checked->key_file};
    enum hc_class worst = HC_CLASS_REMARK;
    int rc = 0;

    if (pair != NULL) {
        rc = hc_check_pair(pair, &how, &checked->findings, err);
    } else if (checked->leaf != NULL) {
        rc = hc_check_chain(checked->leaf, checked->chain, &how, &checked->findings, err);
    }
    if (rc != 0) {
        return -1;
    }
    apply_accept(&run->options->accept, &checked->findings);
    worst = hc_findings_worst(&checked->findings);
    count(run, worst == HC_CLASS_UNUSABLE ? HC_CHECK_UNUSABLE
               : worst == HC_CLASS_FLAWED ? HC_CHECK_FLAWED
                                          : HC_CHECK_FIT);
    run->judged++;
    return hc_check_report(run, subject, checked, err);
}

static int run_all(struct parsed *p, struct hc_check_run_state *run, struct hc_error *err)
{
    if (p->passphrase_file != NULL &&
        hc_input_lines(p->passphrase_file, &p->options.passphrases, err) != 0) {
        return -1;
    }
    if (hc_roots_load(p->roots, &run->roots, err) != 0 ||
        (p->options.store != NULL &&
         hc_check_known_load(&run->known, p->options.store, err) != 0)) {
        return -1;
    }
    return p->options.connect != NULL ? hc_check_connect(run, err) : hc_check_files(run, err);
}

static void wipe_passphrases(struct hc_list *passphrases)
{
    for (size_t i = 0; i < passphrases->count; i++) {
        OPENSSL_cleanse(passphrases->items[i], strlen(passphrases->items[i]));
    }
    hc_list_dispose(passphrases);
}

int hc_cmd_check(int argc, char **argv)
{
    struct parsed p = {.at = hc_now(&hc_clock_system)};
    struct hc_check_run_state run = {.options = &p.options};
    struct hc_error err = {0};
    int code = HC_EXIT_USAGE;

    if (parse(argc, argv, &p, &err) != 0) {
        code = hc_cmd_usage_error("check", &err);
        goto out;
    }
    run.now = p.at;
    run.known.secret = p.options.secret;
    hc_report_init(&run.report, stdout);
    if (run_all(&p, &run, &err) != 0) {
        hc_check_unreached(&run, &err);
    }
    code = (int)run.worst;
out:
    hc_roots_free(run.roots);
    hc_check_known_dispose(&run.known);
    hc_list_dispose(&p.options.files);
    hc_list_dispose(&p.options.names);
    hc_list_dispose(&p.options.accept);
    wipe_passphrases(&p.options.passphrases);
    return code;
}
