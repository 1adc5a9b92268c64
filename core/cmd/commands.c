/* The commands of the program, their help and what is said of wrong arguments; see cmd.h. */
#include <stdarg.h>
#include <string.h>

#include "base/spelling.h"
#include "cmd/cmd.h"
#include "conf/method.h"
#include "conf/name.h"

const struct hc_command hc_commands[] = {
    {"list", "[NAME..] [--failed] [--expiring T] [--exit-code] [--json] [options]",
     "show certificates, their state, the last error and the next try",
     "Asks every agent that listens in /run/hotcert (or the one at SOCKET). If none answers, it\n"
     "shows the content of the store (/var/lib/hotcert/store, or FOLDER), which it reads without\n"
     "the secret.\n"
     "\n"
     "  NAME..            show only the certificates that cover these names\n"
     "  --failed          show only those that failed, are flawed, held back or expired\n"
     "  --expiring T      show only those that expire within T, for example 14d or 36h (with\n"
     "                    --failed: those too)\n"
     "  --exit-code       exit with 1 if it shows a certificate that --failed or --expiring\n"
     "                    selects, or if a server did not answer\n"
     "  --json            print one JSON object: {\"certificates\":[..]}\n"
     "  --control SOCKET  the agent to ask, or a folder of sockets: all agents that listen there\n"
     "  --store FOLDER    the store to read if no agent answers\n",
     hc_cmd_list},
    {"renew", "NAME..|--failed|--all [--force] [--new-account] [--control SOCKET]",
     "try to renew now; root only",
     "Cancels the waiting time after failures and orders the certificates of each NAME that are\n"
     "due; with --force also those that are not. You can retry a failed certificate up to four\n"
     "times an hour; attempts that did not reach the CA do not count. For watched files, the\n"
     "command checks the files again, and exits with 1 if hotcert cannot serve them or holds them\n"
     "back. The command returns at once; `hotcert wait` waits for the result.\n"
     "\n"
     "  --failed          all that failed, at every agent\n"
     "  --all             all hosts\n"
     "  --force           order a new certificate even if the current one is not due. CAs issue\n"
     "                    only a few certificates for one set of names: do not use it in timers\n"
     "  --new-account     give up the account at the CA and register a new one, if the CA has\n"
     "                    refused or deactivated it\n"
     "  --control SOCKET  the agent to ask, or a folder of sockets\n",
     hc_cmd_renew},
    {"wait", "NAME..|--all --timeout T [--control SOCKET]",
     "wait until certificates are obtained and served",
     "Returns once the server serves each NAME (or all configured names) with its own certificate\n"
     "and no requested renewal is pending. T is a time such as 30, 30s, 5m or 1h.\n"
     "\n"
     "  --all             all names of all agents\n"
     "  --timeout T       the longest time to wait\n"
     "  --control SOCKET  the agent to ask\n",
     hc_cmd_wait},
    {"check", "FILE.. [--key FILE] [options] | --connect HOST[:PORT] [options]",
     "check whether a certificate, in files or from a server, is fit to serve",
     "Strict: it trusts only the roots, judges only the served chain, and downloads nothing. FILE\n"
     "holds the certificate, its chain and the key; the key may also be in the file that --key\n"
     "names, in another FILE, or in NAME.key beside NAME.pem. FILE may be a folder of certbot,\n"
     "dehydrated, lego or others, or hotcert's store.\n"
     "\n"
     "  --key FILE           the private key\n"
     "  --name NAME          a name that the certificate must cover; may be repeated\n"
     "  --roots FILE         the roots; default: the system's\n"
     "  --at TIME            check as of this time: 2026-03-04T05:06:07Z\n"
     "  --accept SLUG        a flaw to ignore; may be repeated\n"
     "  --passphrase FILE    passphrases for encrypted keys, one per line\n"
     "  --store FOLDER       a store whose issuers show which one a chain lacks; default: those\n"
     "                       of the running agents, and /var/lib/hotcert/store\n"
     "  --secret FILE        the secret of the store; default: the file beside it\n"
     "  --connect HOST[:PORT]  check what this server sends; without PORT: 443\n"
     "  --sni NAME           the name to ask the server for; default: HOST\n"
     "  --starttls smtp      start TLS as a mail client does\n"
     "  --json               print one JSON object for each pair\n"
     "\n"
     "Exits with 0 if fit, 1 if flawed (some or all clients fail), 2 if unusable (no server can\n"
     "serve it), 3 if it could not read a file or reach a host, 64 on wrong usage.\n",
     hc_cmd_check},
    {"diagnose", "NAME.. [options]", "check names as a CA would, before you order",
     "Checks whether each name exists, where it leads, whether CAA allows the CA, and whether a\n"
     "request on port 80 arrives. It needs no configuration and does not contact the CA.\n"
     "\n"
     "  --issuer NAME|URL    the CA: letsencrypt (the default), letsencrypt-staging, or the\n"
     "                       directory URL of another CA\n"
     "  --caa-domain D       the name of another CA in CAA records; may be repeated\n"
     "  --method M           how the CA would validate; may be repeated; default: " HC_METHODS_FIRST
     ";\n"
     "                       " HC_METHODS_JUDGED "\n"
     "  --account URL        the ACME account, for records that name one or depend on it\n"
     "  --store FOLDER       take the account from this store; may be repeated; default: those\n"
     "                       of the running agents, and /var/lib/hotcert/store\n"
     "  --secret FILE        the secret of the store; default: the file beside it\n"
     "  --resolver A[:PORT]  the DNS server to query; may be repeated; default: the system's\n"
     "  --dnssec-anchor FILE  the trust anchor for DNSSEC, or off; default: that of the root,\n"
     "                       from dns-root-data\n"
     "  --network N          public (the default), or private for a CA inside your network\n"
     "  --dns-zone ZONE      check that DNS leads to hotcert's server for this zone\n"
     "  --dns-ns NAME|ADDR   a name in hotcert_dns_ns, or an address of the preceding name; may\n"
     "                       be repeated\n"
     "  --dns-target NAME    check that _acme-challenge of each name is a CNAME to this name, as\n"
     "                       an acme-dns server requires\n"
     "  --dns-endpoint URL   the same, with the name that the acme-dns server at URL assigned,\n"
     "                       from the store (root)\n"
     "  --cdn-ranges FILE    address ranges of CDNs, as in hotcert_cdn_ranges; may be repeated\n"
     "  --no-request         make no HTTP request\n"
     "  --json               print an array of {\"name\", \"verdict\", \"dnssec\", \"findings\"}\n"
     "\n"
     "Exits with 0 if all are ready, 1 if the CA would refuse a name, 3 if it could not check a\n"
     "name.\n",
     hc_cmd_diagnose},
    {"persist", "NAME.. [--wildcard] [--until TIME] [options]",
     "print the DNS records that permanently let an account obtain certificates",
     "Prints a TXT record for each name, as a line of a zone file. As long as the record exists,\n"
     "hotcert's account at the CA can obtain certificates for the name without further changes to\n"
     "the DNS. Add the record yourself: hotcert never writes it. Not every CA supports it yet.\n"
     "\n"
     "  --wildcard           also allow wildcards; for *.NAME this is implied\n"
     "  --until TIME         when the record expires: a date (2027-06-30) or a time from now "
     "(90d)\n"
     "  --issuer NAME|URL    the CA: letsencrypt (the default), letsencrypt-staging, or the\n"
     "                       directory URL of another CA\n"
     "  --caa-domain D       the name of another CA in CAA records\n"
     "  --account URL        the ACME account\n"
     "  --store FOLDER       take the account from this store; may be repeated; default: those\n"
     "                       of the running agents, and /var/lib/hotcert/store\n"
     "  --secret FILE        the secret of the store; default: the file beside it\n",
     hc_cmd_persist},
    {"version", "", "show the version", "", hc_cmd_version},
    {"agent", "", "obtain and watch certificates; started by the web server",
     "Only the web server starts this command, with descriptors that you cannot supply by hand.\n",
     hc_cmd_agent},
    {"load", "", "fill the table of live certificates; started by the web server",
     "Only the web server starts this command, with descriptors that you cannot supply by hand.\n",
     hc_cmd_load},
    {NULL, NULL, NULL, NULL, NULL},
};

const struct hc_command *hc_cmd_find(const char *name)
{
    for (const struct hc_command *c = hc_commands; c->name != NULL; c++) {
        if (strcmp(c->name, name) == 0) {
            return c;
        }
    }
    return NULL;
}

void hc_cmd_help(const struct hc_command *command, FILE *out)
{
    fprintf(out, "usage: hotcert %s%s%s\n\n%s.\n", command->name,
            command->args[0] != '\0' ? " " : "", command->args, command->summary);
    if (command->help[0] != '\0') {
        fprintf(out, "\n%s", command->help);
    }
    if (strstr(command->help, "Exits with") == NULL) {
        fprintf(
            out,
            "\nExit codes: 0 done; 1 failed; 64 wrong usage; 69 no agent answers; 75 timed out;\n"
            "77 this user may not do that.\n");
    }
}

int hc_cmd_usage(const char *name, const char *fmt, ...)
{
    const struct hc_command *command = hc_cmd_find(name);
    char raw[HC_ERROR_LINE];
    char spelled[HC_ERROR_LINE];
    char text[HC_ERROR_LINE];
    va_list args;

    va_start(args, fmt);
    (void)vsnprintf(raw, sizeof(raw), fmt, args);
    va_end(args);
    hc_spell(raw, spelled, sizeof(spelled));
    fprintf(stderr, "hotcert %s: %s\n", name,
            hc_escape_rest(text, sizeof(text), spelled, strlen(spelled)));
    if (command != NULL) {
        fprintf(stderr, "usage: hotcert %s%s%s\n", name, command->args[0] != '\0' ? " " : "",
                command->args);
        fprintf(stderr, "Try `hotcert %s --help`.\n", name);
    }
    return HC_EXIT_USAGE;
}

int hc_cmd_usage_error(const char *name, const struct hc_error *err)
{
    /* which value, and what may stand there, says it all */
    struct hc_error_text text;

    hc_error_render(err, &text);
    return hc_cmd_usage(name, "%s%s%s", text.subject, text.subject[0] != '\0' ? ": " : "",
                        text.detail[0] != '\0' ? text.detail
                                               : hc_problem_row(err->problem)->sentence);
}

int hc_cmd_usage_argument(const char *name, const char *arg, const char *const *valued)
{
    for (; *valued != NULL; valued++) {
        if (strcmp(*valued, arg) == 0) {
            return hc_cmd_usage(name, "%s needs a value", arg);
        }
    }
    return hc_cmd_usage(name, arg[0] == '-' ? "unknown option: %s" : "unexpected argument: %s",
                        arg);
}

int hc_cmd_bad_option(int refused, const char *arg, struct hc_error *err)
{
    return hc_error_set(err, HC_P_BAD_ARGUMENTS, NULL,
                        refused == ':' ? "%s needs a value" : "unknown option: %s", arg);
}

int hc_cmd_take_options(int argc, char **argv, const struct option *options,
                        hc_cmd_take_option *take, void *self, struct hc_error *err)
{
    int option = 0;

    optind = 0; /* glibc: start anew */
    opterr = 0;
    while ((option = getopt_long(argc, argv, ":", options, NULL)) != -1) {
        if (take(self, option, argv[optind - 1], err) != 0) {
            return -1;
        }
    }
    return 0;
}

int hc_cmd_take_name(const char *command, const char *text, struct hc_list *names)
{
    char name[HC_NAME_SIZE];
    struct hc_error err;

    hc_error_init(&err);
    if (hc_name_normalise(text, name, &err) != 0) {
        return hc_cmd_usage(command, "%s is not a host name: %s", text, err.detail);
    }
    if (hc_list_has(names, name) || hc_list_add(names, name, &err) == 0) {
        return 0;
    }
    fprintf(stderr, "hotcert %s: %s\n", command, hc_problem_row(err.problem)->sentence);
    return HC_EXIT_FAILED;
}
