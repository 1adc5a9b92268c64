/*
 * hotcert persist NAME..: prints the records by which a zone allows an account of a CA to have
 * certificates for the names once and for all (dns/persist.h), as lines of a zone file. Whoever
 * runs the DNS adds them; hotcert never does.
 */
#include <getopt.h>
#include <string.h>

#include "base/time.h"
#include "cmd/cmd.h"
#include "cmd/report.h"
#include "cmd/which_ca.h"
#include "conf/name.h"
#include "dns/persist.h"

enum choice {
    OPTION_WILDCARD = HC_WHICH_CA_END,
    OPTION_UNTIL,
};

static const struct option options[] = {
    HC_WHICH_CA_OPTIONS,
    {"wildcard", no_argument, NULL, OPTION_WILDCARD},
    {"until", required_argument, NULL, OPTION_UNTIL},
    {NULL, 0, NULL, 0},
};

struct arguments {
    struct hc_which_ca ca;
    struct hc_list names; /* normalised */
    bool wildcard;
    int64_t until;
};

#define LEAST_S 86400 /* it is for renewals: a shorter one was meant otherwise */

/* A time, or how long from now. */
static int take_until(const char *text, int64_t *out, struct hc_error *err)
{
    struct hc_error unsaid = {0};
    int64_t now = hc_now(&hc_clock_system);
    int64_t seconds = 0;

    if (hc_time_parse(text, out, &unsaid) != 0) {
        if (hc_duration_parse(text, &seconds, &unsaid) != 0 || seconds > INT64_MAX - now) {
            return hc_error_set(err, HC_P_BAD_VALUE, "--until",
                                "\"%s\" is neither a time such as 2027-06-30 nor a duration such "
                                "as 90d",
                                text);
        }
        if (text[strspn(text, "0123456789")] == '\0') {
            return hc_error_set(err, HC_P_BAD_VALUE, "--until", "%s: name the unit: %sd, %sh", text,
                                text, text);
        }
        *out = now + seconds;
    }
    if (*out <= now) {
        return hc_error_set(err, HC_P_BAD_VALUE, "--until", "\"%s\" is in the past", text);
    }
    return *out - now >= LEAST_S
               ? 0
               : hc_error_set(err, HC_P_BAD_VALUE, "--until", "\"%s\" is less than a day", text);
}

static int take_option(void *self, int option, const char *arg, struct hc_error *err)
{
    struct arguments *a = self;

    if (option >= HC_WHICH_CA_BEGIN && option < HC_WHICH_CA_END) {
        return hc_which_ca_take(&a->ca, option, optarg, err);
    }
    switch (option) {
    case OPTION_WILDCARD:
        a->wildcard = true;
        return 0;
    case OPTION_UNTIL:
        return take_until(optarg, &a->until, err);
    default:
        return hc_cmd_bad_option(option, arg, err);
    }
}

static int take_name(struct arguments *a, const char *text, struct hc_error *err)
{
    char name[HC_NAME_SIZE];

    if (hc_name_normalise(text, name, err) != 0) {
        return -1;
    }
    if (hc_name_is_ip(name)) {
        return hc_error_set(err, HC_P_BAD_ARGUMENTS, text,
                            "no record can prove control of an IP address");
    }
    return hc_list_has(&a->names, name) ? 0 : hc_list_add(&a->names, name, err);
}

static int take_arguments(struct arguments *a, int argc, char **argv, struct hc_error *err)
{
    if (hc_cmd_take_options(argc, argv, options, take_option, a, err) != 0) {
        return -1;
    }
    for (int i = optind; i < argc; i++) {
        if (take_name(a, argv[i], err) != 0) {
            return -1;
        }
    }
    if (a->names.count == 0) {
        return hc_error_set(err, HC_P_BAD_ARGUMENTS, NULL, "give the names");
    }
    return hc_which_ca_find(&a->ca, err);
}

static int print_record(const struct arguments *a, const char *name, const char *account,
                        struct hc_error *err)
{
    bool wildcard = hc_name_is_wildcard(name);
    struct hc_persist_record record = {.issuer = a->ca.caa_domains.items[0],
                                       .account_uri = account,
                                       .wildcard = wildcard || a->wildcard,
                                       .until = a->until};
    struct hc_buf line = HC_BUF_INIT(HC_PERSIST_TEXT_MAX);
    struct hc_dname owner;
    int rc = -1;

    if (wildcard) {
        name += 2;
    }
    if (hc_persist_name(name, &owner, err) == 0 &&
        hc_persist_line(name, &record, &line, err) == 0) {
        rc = 0;
        printf("%s\n", hc_buf_text(&line));
    }
    hc_buf_dispose(&line);
    return rc;
}

static int print_records(const struct arguments *a, const char *account, struct hc_error *err)
{
    for (size_t i = 0; i < a->names.count; i++) {
        if (print_record(a, a->names.items[i], account, err) != 0) {
            return -1;
        }
    }
    return 0;
}

/* True if the account at this index is one of those before it: of another store. */
static bool is_repeated(const struct hc_list *accounts, size_t at)
{
    for (size_t i = 0; i < at; i += 2) {
        if (strcmp(accounts->items[i], accounts->items[at]) == 0) {
            return true;
        }
    }
    return false;
}

static int persist(struct arguments *a, struct hc_error *err)
{
    const struct hc_list *accounts = &a->ca.accounts;

    if (a->ca.account != NULL) {
        return print_records(a, a->ca.account, err);
    }
    if (a->ca.directory_url == NULL) {
        return hc_error_set(err, HC_P_BAD_ARGUMENTS, NULL,
                            "--caa-domain also needs --issuer or --account");
    }
    if (hc_which_ca_accounts(&a->ca, err) != 0) {
        return -1;
    }
    if (accounts->count == 0) {
        return hc_error_set(err, HC_P_ACCOUNT_UNKNOWN, a->ca.directory_url, NULL);
    }
    for (size_t i = 0; i < accounts->count; i += 2) {
        if (is_repeated(accounts, i)) {
            continue;
        }
        if (accounts->count > 2) {
            printf("; the account of %s:\n", accounts->items[i + 1]);
        }
        if (print_records(a, accounts->items[i], err) != 0) {
            return -1;
        }
    }
    return 0;
}

int hc_cmd_persist(int argc, char **argv)
{
    struct arguments a = {0};
    struct hc_error err = {0};
    int code = HC_EXIT_OK;

    if (take_arguments(&a, argc, argv, &err) != 0) {
        code = hc_cmd_usage_error("persist", &err);
    } else if (persist(&a, &err) != 0) {
        if (hc_error_class(&err) == HC_CLASS_USAGE) {
            code = hc_cmd_usage_error("persist", &err);
        } else {
            hc_report_error(&err);
            code = HC_EXIT_FAILED;
        }
    }
    hc_which_ca_dispose(&a.ca);
    hc_list_dispose(&a.names);
    return code;
}
