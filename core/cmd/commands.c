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
     "Asks every agent that listens in /run/hotcert (or the one at SOCKET). When none answers, "
     "what\n"
     "the store holds is shown (/var/lib/hotcert/store, or FOLDER); the secret is not needed for "
     "it.\n"
     "\n"
     "  NAME..            only the certificates that cover these names\n"
     "  --failed          only those that failed, are flawed, held back or expired\n"
     "  --expiring T      only those that expire within T: 14d, 36h (with --failed: those too)\n"
     "  --exit-code       exit with 1 if a certificate shown is one that --failed or --expiring\n"
     "                    picks, or if a server did not answer\n"
     "  --json            one JSON object: {\"certificates\":[..]}\n"
     "  --control SOCKET  the agent to ask, or a folder of sockets: all that listen there\n"
     "  --store FOLDER    the store to look at if no agent answers\n",
     hc_cmd_list},
    {"renew", "NAME..|--failed|--all [--force] [--new-account] [--control SOCKET]",
     "try to renew now; root only",
     "Forgets the waiting time after failures and orders what is due for each NAME; with --force "
     "also\n"
     "what is not due. What failed can be tried out of turn four times an hour; tries that did "
     "not\n"
     "reach the CA do not count. Watched files are looked at anew: it exits with 1 if they\n"
     "cannot be served, or are held back. The command returns at once;\n"
     "`hotcert wait` waits for the result.\n"
     "\n"
     "  --failed          all that failed, at every agent\n"
     "  --all             all hosts\n"
     "  --force           order a new certificate even if the one in use is good for long. CAs "
     "allow\n"
     "                    few certificates for one set of names: not for timers\n"
     "  --new-account     give up the account at the CA and register another one, if the CA "
     "refused\n"
     "                    or deactivated it\n"
     "  --control SOCKET  the agent to ask, or a folder of sockets\n",
     hc_cmd_renew},
    {"wait", "NAME..|--all --timeout T [--control SOCKET]",
     "wait until certificates are obtained and served",
     "Returns when a certificate of its own is served for each NAME (or for all that is "
     "configured),\n"
     "and no renewal that was asked for is still to come. T reads 30, 30s, 5m, 1h.\n"
     "\n"
     "  --all             all names of all agents\n"
     "  --timeout T       how long to wait at most\n"
     "  --control SOCKET  the agent to ask\n",
     hc_cmd_wait},
    {"check", "FILE.. [--key FILE] [options] | --connect HOST[:PORT] [options]",
     "say whether a pair, or what a server sends, is fit to be served",
     "Strict: only the roots, only what is served, nothing fetched. FILE holds certificate, chain\n"
     "and key, or the key is in the FILE beside it or named by --key; or it is a folder as "
     "certbot,\n"
     "dehydrated or lego keep them, or hotcert's store.\n"
     "\n"
     "  --key FILE           the private key\n"
     "  --name NAME          a name that must be covered; may be repeated\n"
     "  --roots FILE         the roots; default: the system's\n"
     "  --at TIME            judge as if it were then: 2026-03-04T05:06:07Z\n"
     "  --accept SLUG        a flaw that shall not count; may be repeated\n"
     "  --passphrase FILE    a passphrase a line, for encrypted keys\n"
     "  --store FOLDER       issuers in this store tell what is missing above a gap in a chain;\n"
     "                       default: those of the agents that run, and /var/lib/hotcert/store\n"
     "  --secret FILE        what the store is sealed under; default: the file beside it\n"
     "  --connect HOST[:PORT]  judge what this server sends; without PORT: 443\n"
     "  --sni NAME           the name to ask it for; default: HOST\n"
     "  --starttls smtp      begin as a mail client\n"
     "  --json               one JSON object for each judged pair\n"
     "\n"
     "Exits with 0 if fit, 1 if flawed (some or all clients fail), 2 if unusable (can never be\n"
     "served), 3 if a file or host could not be looked at, 64 on wrong usage.\n",
     hc_cmd_check},
    {"diagnose", "NAME.. [options]", "look at names as a CA would, before one is asked",
     "Does each name exist, where does it lead, does CAA allow the CA, does a request on port 80\n"
     "arrive. Nothing has to be configured for it, and no CA is asked.\n"
     "\n"
     "  --issuer NAME|URL    the CA: letsencrypt (the default), letsencrypt-staging, or another\n"
     "                       one's directory\n"
     "  --caa-domain D       another CA, by its name in CAA records; may be repeated\n"
     "  --method M           one of " HC_METHODS_JUDGED "; may be repeated;\n"
     "                       default: " HC_METHODS_STANDARD "\n"
     "  --account URL        the ACME account, for CAA records with accounturi\n"
     "  --store FOLDER       take the account from this store; may be repeated; default: those\n"
     "                       of the agents that run, and /var/lib/hotcert/store\n"
     "  --secret FILE        what the store is sealed under; default: the file beside it\n"
     "  --resolver A[:PORT]  the DNS server to ask; may be repeated; default: the system's\n"
     "  --network N          public (the default); private: for a CA inside of your network\n"
     "  --no-request         make no HTTP request\n"
     "  --json               an array of {\"name\", \"verdict\", \"findings\"}\n"
     "\n"
     "Exits with 0 if all are ready, 1 if the CA would refuse a name, 3 if a name could not be\n"
     "looked at.\n",
     hc_cmd_diagnose},
    {"version", "", "show the version", "", hc_cmd_version},
    {"agent", "", "obtain and watch certificates; started by the web server",
     "Is started by the web server with descriptors of its own and cannot be run by hand.\n",
     hc_cmd_agent},
    {"load", "", "fill the table of live certificates; started by the web server",
     "Is started by the web server with descriptors of its own and cannot be run by hand.\n",
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
        fprintf(out,
                "\nExit codes: 0 done; 1 could not be done; 64 wrong usage; 69 no agent answers;\n"
                "75 it took too long; 77 this user may not do that.\n");
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
        fprintf(stderr, "`hotcert %s --help` says more.\n", name);
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
