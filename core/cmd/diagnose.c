/*
 * hotcert diagnose NAME..: the preflight for somebody who has not configured anything yet. Looks
 * at each name as a CA would, and prints what it saw, what is wrong, and what to change.
 */
#include <getopt.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "cmd/cmd.h"
#include "cmd/diagnose_report.h"
#include "cmd/targets.h"
#include "cmd/which_ca.h"
#include "conf/method.h"
#include "conf/name.h"
#include "hotcert.h"
#include "net/http.h"
#include "preflight/preflight.h"

#define EXIT_WOULD_FAIL 1
#define EXIT_UNCHECKED  3

struct arguments {
    struct hc_list names; /* as given */
    struct hc_which_ca ca;
    struct hc_list methods;
    struct hc_list resolvers;
    struct hc_list dns_ns; /* as hotcert_dns_ns has them */
    const char *dns_zone;
    const char *dnssec_anchor;     /* as hotcert_dnssec_anchor has it */
    char dns_target[HC_NAME_SIZE]; /* "": none */
    const char *dns_endpoint;
    struct hc_list targets; /* as the preflight takes them */
    struct hc_ranges ranges;
    struct hc_dns_domain responder;
    bool has_responder;
    enum hc_network network;
    bool no_request;
    bool json;
};

static int check_method(const char *method, struct hc_error *err)
{
    return hc_method_find(method) != NULL
               ? 0
               : hc_error_set(err, HC_P_BAD_VALUE, "--method",
                              "\"%s\" is not one of " HC_METHODS_JUDGED, method);
}

static int take_network(const char *text, enum hc_network *out, struct hc_error *err)
{
    bool private_network = strcmp(text, "private") == 0;

    if (!private_network && strcmp(text, "public") != 0) {
        return hc_error_set(err, HC_P_BAD_VALUE, "--network",
                            "\"%s\" is neither public nor private", text);
    }
    *out = private_network ? HC_NETWORK_PRIVATE : HC_NETWORK_PUBLIC;
    return 0;
}

enum choice {
    OPTION_METHOD = HC_WHICH_CA_END,
    OPTION_RESOLVER,
    OPTION_NETWORK,
    OPTION_DNSSEC_ANCHOR,
    OPTION_DNS_ZONE,
    OPTION_DNS_NS,
    OPTION_DNS_TARGET,
    OPTION_DNS_ENDPOINT,
    OPTION_CDN_RANGES,
    OPTION_NO_REQUEST,
    OPTION_JSON,
};

static const struct option options[] = {
    HC_WHICH_CA_OPTIONS,
    {"method", required_argument, NULL, OPTION_METHOD},
    {"resolver", required_argument, NULL, OPTION_RESOLVER},
    {"network", required_argument, NULL, OPTION_NETWORK},
    {"dnssec-anchor", required_argument, NULL, OPTION_DNSSEC_ANCHOR},
    {"dns-zone", required_argument, NULL, OPTION_DNS_ZONE},
    {"dns-ns", required_argument, NULL, OPTION_DNS_NS},
    {"dns-target", required_argument, NULL, OPTION_DNS_TARGET},
    {"dns-endpoint", required_argument, NULL, OPTION_DNS_ENDPOINT},
    {"cdn-ranges", required_argument, NULL, OPTION_CDN_RANGES},
    {"no-request", no_argument, NULL, OPTION_NO_REQUEST},
    {"json", no_argument, NULL, OPTION_JSON},
    {NULL, 0, NULL, 0},
};

static int take_option(void *self, int option, const char *arg, struct hc_error *err)
{
    struct arguments *a = self;

    if (option >= HC_WHICH_CA_BEGIN && option < HC_WHICH_CA_END) {
        return hc_which_ca_take(&a->ca, option, optarg, err);
    }
    switch (option) {
    case OPTION_METHOD:
        return check_method(optarg, err) != 0 ? -1 : hc_list_add(&a->methods, optarg, err);
    case OPTION_RESOLVER:
        return hc_list_add(&a->resolvers, optarg, err);
    case OPTION_NETWORK:
        return take_network(optarg, &a->network, err);
    case OPTION_DNSSEC_ANCHOR:
        a->dnssec_anchor = optarg;
        return hc_anchors_check(optarg, err);
    case OPTION_DNS_ZONE:
        a->dns_zone = optarg;
        return 0;
    case OPTION_CDN_RANGES:
        return hc_ranges_add_file(&a->ranges, optarg, err);
    case OPTION_DNS_ENDPOINT:
        a->dns_endpoint = optarg;
        return 0;
    case OPTION_DNS_TARGET:
        return hc_name_normalise(optarg, a->dns_target, err);
    case OPTION_DNS_NS:
        return hc_list_add(&a->dns_ns, optarg, err);
    case OPTION_NO_REQUEST:
        a->no_request = true;
        return 0;
    case OPTION_JSON:
        a->json = true;
        return 0;
    default:
        return hc_cmd_bad_option(option, arg, err);
    }
}

static int take_arguments(struct arguments *a, int argc, char **argv, struct hc_error *err)
{
    if (hc_cmd_take_options(argc, argv, options, take_option, a, err) != 0) {
        return -1;
    }
    for (int i = optind; i < argc; i++) {
        if (hc_list_add(&a->names, argv[i], err) != 0) {
            return -1;
        }
    }
    if (a->names.count == 0) {
        return hc_error_set(err, HC_P_BAD_ARGUMENTS, NULL, "give the names to check");
    }
    if (a->methods.count == 0 && hc_list_add(&a->methods, HC_METHODS_FIRST, err) != 0) {
        return -1;
    }
    if (a->dns_endpoint != NULL && hc_methods_written(&a->methods) == NULL) {
        return hc_error_set(err, HC_P_BAD_ARGUMENTS, "--dns-endpoint",
                            "it needs a --method whose record an acme-dns server can have");
    }
    return hc_which_ca_find(&a->ca, err);
}

static void arguments_dispose(struct arguments *a)
{
    hc_list_dispose(&a->names);
    hc_list_dispose(&a->methods);
    hc_list_dispose(&a->resolvers);
    hc_list_dispose(&a->dns_ns);
    hc_dns_domain_dispose(&a->responder);
    hc_ranges_dispose(&a->ranges);
    hc_list_dispose(&a->targets);
    hc_which_ca_dispose(&a->ca);
}

/* What the preflight runs on. */
struct machine {
    struct hc_loop *loop;
    struct hc_resolver *resolver;
    struct hc_anchors *anchors;
    struct hc_http *http;
    struct hc_web *web;
    struct hc_handshakes *handshakes;
};

static int machine_open(struct machine *m, const struct arguments *a, struct hc_error *err)
{
    struct hc_resolver_options resolver = {.servers = &a->resolvers, .random = &hc_random_system};

    (void)signal(SIGPIPE, SIG_IGN); /* libssl writes to whom has gone */
    if (hc_loop_new(&hc_clock_system, &m->loop, err) != 0) {
        return -1;
    }
    resolver.loop = m->loop;
    if (hc_resolver_new(&resolver, &m->resolver, err) != 0 ||
        hc_anchors_new(a->dnssec_anchor, &m->anchors, err) != 0 ||
        hc_http_new(m->loop, "hotcert/" HC_VERSION, &m->http, err) != 0) {
        return -1;
    }
    return a->no_request || (hc_web_new(m->http, &m->web, err) == 0 &&
                             hc_handshakes_new(m->loop, &m->handshakes, err) == 0)
               ? 0
               : -1;
}

static void machine_close(struct machine *m)
{
    hc_handshakes_free(m->handshakes);
    hc_web_free(m->web);
    hc_http_free(m->http);
    hc_resolver_free(m->resolver);
    hc_anchors_free(m->anchors);
    hc_loop_free(m->loop);
}

static void on_result(void *self, const struct hc_preflight_result *result)
{
    hc_diagnose_take(self, result);
}

/* Checks the valid names; the report has every name afterwards. */
static int run_preflight(const struct arguments *a, const struct hc_list *names,
                         struct hc_diagnose_report *report, struct hc_error *err)
{
    struct machine m = {.loop = NULL};
    struct hc_preflight *preflight = NULL;
    struct hc_preflight_options o = {
        .names = names,
        .caa_domains = &a->ca.caa_domains,
        .methods = &a->methods,
        .account_uri = a->ca.account,
        .targets = &a->targets,
        .ranges = &a->ranges,
        .accounts = &a->ca.accounts,
        .network = a->network,
        .responder = a->has_responder ? &a->responder : NULL,
        .self = report,
        .done = on_result,
    };
    int rc = -1;

    if (machine_open(&m, a, err) != 0) {
        goto out;
    }
    o.web = m.web != NULL ? hc_web_port(m.web) : NULL;
    o.tls = m.handshakes != NULL ? hc_handshakes_port(m.handshakes) : NULL;
    o.dns = hc_resolver_port(m.resolver);
    o.anchors = m.anchors;
    o.loop = m.loop;
    if (hc_preflight_start(&o, &preflight, err) != 0) {
        goto out;
    }
    rc = hc_loop_run(m.loop, &report->complete, err);

out:
    hc_preflight_free(preflight);
    machine_close(&m);
    return rc;
}

static int normalise(const char *name, char out[HC_NAME_SIZE], struct hc_error *err)
{
    const char *reserved = NULL;

    if (hc_name_normalise(name, out, err) != 0) {
        return -1;
    }
    reserved = hc_name_reserved(out);
    return reserved == NULL ? 0 : hc_error_set(err, HC_P_NAME_INVALID, name, "it has %s", reserved);
}

/* What hotcert's own DNS server would answer for, if the caller names it. */
static int take_responder(struct arguments *a, const struct hc_list *names, struct hc_error *err)
{
    const char **taken = NULL;

    if (a->dns_zone == NULL && a->dns_ns.count == 0) {
        return 0;
    }
    a->has_responder = true;
    if (a->dns_zone != NULL) {
        if (hc_dns_domain_of_zone(a->dns_zone, &a->responder, err) != 0) {
            return -1;
        }
    } else {
        taken = calloc(names->count, sizeof(*taken));
        if (taken == NULL) {
            return hc_error_nomem(err);
        }
        for (size_t i = 0; i < names->count; i++) {
            taken[i] = names->items[i];
        }
        hc_dns_domain_of_names(taken, names->count, &a->responder);
    }
    return hc_dns_domain_serve(&a->responder, &a->dns_ns,
                               names->items[0] + (strncmp(names->items[0], "*.", 2) == 0 ? 2 : 0),
                               err);
}

/* Where the challenge records must lead: as the caller says, or as a store keeps it. */
static int take_targets(struct arguments *a, const struct hc_list *names, struct hc_error *err)
{
    const char *word = hc_methods_written(&a->methods);
    const char *account =
        a->ca.account != NULL ? a->ca.account : hc_preflight_sole_account(&a->ca.accounts);
    char label[HC_METHOD_LABEL];

    for (size_t i = 0; a->dns_target[0] != '\0' && i < names->count; i++) {
        const char *host = names->items[i] + (hc_name_is_wildcard(names->items[i]) ? 2 : 0);

        if (hc_list_add(&a->targets, host, err) != 0 ||
            hc_list_add(&a->targets, a->dns_target, err) != 0) {
            return -1;
        }
    }
    if (a->dns_endpoint == NULL) {
        return 0;
    }
    if (word == NULL || hc_method_label(hc_method_find(word), account, label) != 0) {
        return hc_error_set(err, HC_P_BAD_VALUE, "--method",
                            "with %s, also name the account: --account URL", word);
    }
    return hc_targets_find(a->dns_endpoint, &a->ca, label, names, &a->targets, err);
}

/* Names that are none are reported as such; the others are checked. */
static int diagnose(struct arguments *a, struct hc_diagnose_report *report, struct hc_error *err)
{
    struct hc_list names = {0};
    int rc = -1;

    for (size_t i = 0; i < a->names.count; i++) {
        char normal[HC_NAME_SIZE];
        struct hc_error why = {0};

        if (normalise(a->names.items[i], normal, &why) != 0) {
            hc_diagnose_refuse(report, a->names.items[i], &why);
        } else if (!hc_list_has(&names, normal) && hc_list_add(&names, normal, err) != 0) {
            goto out;
        }
    }
    if (names.count > 0 && a->ca.account == NULL && a->ca.directory_url != NULL &&
        hc_which_ca_accounts(&a->ca, err) != 0) {
        goto out;
    }
    if (names.count > 0 &&
        (take_responder(a, &names, err) != 0 || take_targets(a, &names, err) != 0)) {
        goto out;
    }
    rc = names.count > 0 ? run_preflight(a, &names, report, err) : 0;

out:
    hc_list_dispose(&names);
    return rc;
}

static int print_report(struct hc_diagnose_report *report, bool json, struct hc_error *err)
{
    if (hc_error_is_set(&report->error)) {
        return hc_error_chain(err, &report->error);
    }
    if (json) {
        return hc_diagnose_print_json(report, stdout, err);
    }
    hc_diagnose_print(report, stdout);
    return 0;
}

int hc_cmd_diagnose(int argc, char **argv)
{
    struct arguments a = {.network = HC_NETWORK_PUBLIC};
    struct hc_diagnose_report report = {0};
    struct hc_error err = {0};
    int code = HC_EXIT_OK;

    if (take_arguments(&a, argc, argv, &err) != 0) {
        code = hc_cmd_usage_error("diagnose", &err);
    } else if (diagnose(&a, &report, &err) != 0 || print_report(&report, a.json, &err) != 0) {
        hc_report_error(&err);
        code = hc_error_class(&err) == HC_CLASS_USAGE ? HC_EXIT_USAGE : EXIT_UNCHECKED;
    } else if (hc_diagnose_any(&report, HC_PREFLIGHT_WOULD_FAIL)) {
        code = EXIT_WOULD_FAIL;
    } else if (hc_diagnose_any(&report, HC_PREFLIGHT_UNKNOWN)) {
        code = EXIT_UNCHECKED;
    }
    hc_diagnose_report_dispose(&report);
    arguments_dispose(&a);
    return code;
}
