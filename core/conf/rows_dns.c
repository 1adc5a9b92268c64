/*
 * What may stand in a block hotcert_dns: the options of all its types, each documented once, and
 * the block itself; see block.h. Which type has which: writer.c.
 */
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "conf/block.h"
#include "conf/url.h"
#include "conf/value.h"
#include "conf/writer.h"

#define DNS(member, kind) .type = &hc_field_##kind, .offset = offsetof(struct hc_dns_block, member)

const char *const hc_style_words[] = {"dehydrated", "certbot", "lego", "acme.sh", "mod_md", NULL};

static const char *const form_words[] = {"default", "raw", NULL};

static int value_type(const struct hc_directive_call *call, const char *arg,
                      char out[HC_FIELD_VALUE], struct hc_error *err)
{
    if (hc_writer_kind_find(arg) == NULL) {
        return hc_error_set(err, HC_P_BAD_VALUE, arg, "it takes %s", call->directive->args);
    }
    (void)hc_copy(out, HC_FIELD_VALUE, arg);
    return 0;
}

/* A name whose value looks like one that nobody else may know. */
static bool is_secret_name(const char *name)
{
    static const char *const words[] = {"SECRET",  "TOKEN",  "PASSWORD", "PASSWD",
                                        "API_KEY", "APIKEY", "APP_KEY"};

    for (size_t i = 0; i < HC_COUNT(words); i++) {
        if (strcasestr(name, words[i]) != NULL) {
            return true;
        }
    }
    return false;
}

static int env_name(const char *arg, char out[HC_FIELD_VALUE], struct hc_error *err)
{
    size_t len = strspn(arg, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_");

    if (len == 0 || arg[len] != '\0' || (arg[0] >= '0' && arg[0] <= '9') || len > 200) {
        return hc_error_set(err, HC_P_BAD_VALUE, arg, "it must begin with the name of a variable");
    }
    (void)hc_copy(out, HC_FIELD_VALUE, arg);
    return 0;
}

/* Pairs: a name, and its value or the file that has it. */
static int value_env(const struct hc_directive_call *call, const char *arg,
                     char out[HC_FIELD_VALUE], struct hc_error *err)
{
    size_t prefix = strlen(HC_ENV_FILE);

    if (arg == call->args[0]) {
        return env_name(arg, out, err);
    }
    if (strncmp(arg, HC_ENV_FILE, prefix) == 0) {
        char path[HC_FIELD_VALUE];

        if (hc_value_path(call, arg + prefix, path, err) != 0) {
            return -1;
        }
        if (snprintf(out, HC_FIELD_VALUE, HC_ENV_FILE "%s", path) >= HC_FIELD_VALUE) {
            return hc_error_set(err, HC_P_BAD_VALUE, arg, "the path is too long");
        }
        return 0;
    }
    if (is_secret_name(call->args[0]) && arg[0] != '/' && arg[0] != '\0') {
        /* the value is not repeated: it may be the real one */
        return hc_error_set(err, HC_P_BAD_VALUE, call->args[0],
                            "the configuration must not contain secrets: put it into a file that "
                            "only root can read, and write %s file:PATH",
                            call->args[0]);
    }
    if (!hc_copy(out, HC_FIELD_VALUE, arg)) {
        return hc_error_set(err, HC_P_BAD_VALUE, call->args[0], "the value is too long");
    }
    return 0;
}

static int value_endpoint(const struct hc_directive_call *call HC_UNUSED, const char *arg,
                          char out[HC_FIELD_VALUE], struct hc_error *err)
{
    if (hc_url_check(arg, err) != 0) {
        return -1;
    }
    (void)hc_copy(out, HC_FIELD_VALUE, arg);
    return 0;
}

/* What one thing of AWS's is called: no white space, nothing that a URL would need escaped. */
static int value_aws(const struct hc_directive_call *call, const char *arg,
                     char out[HC_FIELD_VALUE], struct hc_error *err)
{
    bool arn = strcmp(call->directive->name, "role_arn") == 0;
    size_t len = strlen(arg);
    static const char word[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
    static const char more[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
                               ":/_+=,.@-";

    if (len == 0 || len > (arn ? 2048 : 32) || strspn(arg, arn ? more : word) != len ||
        (arn && strncmp(arg, "arn:", 4) != 0)) {
        return hc_error_set(err, HC_P_BAD_VALUE, arg, "it takes %s", call->directive->args);
    }
    return hc_copy(out, HC_FIELD_VALUE, arg)
               ? 0
               : hc_error_set(err, HC_P_BAD_VALUE, arg, "it is too long");
}

static const struct hc_directive rows[] = {
    {.name = "type",
     .httpd = "HotCertType",
     .contexts = HC_CTX_DNS,
     .min = 1,
     .max = 1,
     .args = HC_WRITERS,
     .dflt = "none",
     .doc =
         "How hotcert writes TXT records. `command` runs a hook written for another ACME client; "
         "`rfc2136` sends DNS updates to a name server; `responder` is hotcert's own DNS server; "
         "`route53` uses Amazon Route 53, `mydns` MyDNS.JP; `acme-dns` uses an acme-dns server, to "
         "which CNAME records point; `httpreq` an HTTP service with lego's httpreq interface.",
     .field = {DNS(type, text), .wire = "type", .value = value_type}},
    {.name = "propagation_timeout",
     .httpd = "HotCertPropagationTimeout",
     .contexts = HC_CTX_DNS,
     .min = 1,
     .max = 1,
     .args = "a time from 1s to 2h",
     .doc = "How long to wait until every name server of the zone has the new record. If one still "
            "lacks it then, the order fails before hotcert notifies the CA.",
     .field = {DNS(propagation_timeout, number), .wire = "propagation_timeout", .preset = "120s",
               .least = 1, .most = 7200, .value = hc_value_time}},
    {.name = "server",
     .httpd = "HotCertServer",
     .contexts = HC_CTX_DNS,
     .min = 1,
     .max = 1,
     .args = "ADDR[:PORT]; an IPv6 address with a port as [ADDR]:PORT",
     .dflt = "none",
     .doc = "rfc2136: the name server that accepts updates (the zone's primary). hotcert uses TCP.",
     .field = {DNS(server, text), .wire = "server", .value = hc_value_resolver}},
    {.name = "key_file",
     .httpd = "HotCertKeyFile",
     .contexts = HC_CTX_DNS,
     .min = 1,
     .max = 1,
     .args = "a file",
     .dflt = "none: hotcert does not sign updates",
     .doc = "rfc2136: the TSIG key, as `tsig-keygen` prints it (hmac-sha256, hmac-sha384 or "
            "hmac-sha512). The file must be readable by root only.",
     .field = {DNS(key_file, text), .wire = "key_file", .kept = true, .value = hc_value_path}},
    {.name = "ttl",
     .httpd = "HotCertTtl",
     .contexts = HC_CTX_DNS,
     .min = 1,
     .max = 1,
     .args = "a time from 1s to 1d",
     .dflt = "1s",
     .doc = "rfc2136, route53: the TTL of the records.",
     .field = {DNS(ttl, number), .wire = "ttl", .least = 1, .most = 86400, .value = hc_value_time}},
    {.name = "program",
     .httpd = "HotCertProgram",
     .contexts = HC_CTX_DNS,
     .min = 1,
     .max = 1,
     .args = "a file",
     .dflt = "none",
     .doc = "command: the hook, or the dnsapi file of acme.sh. It runs as the agent's user (see "
            "hotcert_user), without a shell.",
     .field = {DNS(program, text), .wire = "program", .value = hc_value_path}},
    {.name = "cleanup",
     .httpd = "HotCertCleanup",
     .contexts = HC_CTX_DNS,
     .min = 1,
     .max = 1,
     .args = "a file",
     .dflt = "none",
     .doc = "command with `style certbot`: certbot's cleanup hook; `program` is its auth hook.",
     .field = {DNS(cleanup, text), .wire = "cleanup", .value = hc_value_path}},
    {.name = "style",
     .httpd = "HotCertStyle",
     .contexts = HC_CTX_DNS,
     .min = 1,
     .max = 1,
     .args = "dehydrated | certbot | lego | acme.sh | mod_md",
     .dflt = "none",
     .doc = "command: the client that the hook was written for, which determines its arguments and "
            "variables.",
     .field = {DNS(style, word), .wire = "style", .words = hc_style_words}},
    {.name = "env",
     .httpd = "HotCertEnv",
     .contexts = HC_CTX_DNS,
     .min = 2,
     .max = 2,
     .args = "NAME VALUE | NAME file:PATH",
     .dflt = "none",
     .doc = "command: an environment variable for the program; besides these, its environment has "
            "PATH, HOME and the variables of its style. With file:, the value is the content of a "
            "file, which must be readable by root only. Repeat for each variable.",
     .field = {DNS(env, list), .wire = "env", .repeats = true, .value = value_env}},
    {.name = "time_limit",
     .httpd = "HotCertTimeLimit",
     .contexts = HC_CTX_DNS,
     .min = 1,
     .max = 1,
     .args = "a time from 1s to 1h",
     .dflt = "5m",
     .doc = "command: the longest time that the program may run. hotcert then kills it and "
            "everything it started.",
     .field = {DNS(time_limit, number), .wire = "time_limit", .least = 1, .most = 3600,
               .value = hc_value_time}},
    {.name = "endpoint",
     .httpd = "HotCertEndpoint",
     .contexts = HC_CTX_DNS,
     .min = 1,
     .max = 1,
     .args = "a URL: https://, or http:// for a loopback address",
     .dflt = "route53, mydns: the provider's own; acme-dns, httpreq: none",
     .doc = "acme-dns, httpreq: the URL of the service. route53, mydns: a URL instead of the "
            "provider's.",
     .field = {DNS(endpoint, text), .wire = "endpoint", .value = value_endpoint}},
    {.name = "credentials",
     .httpd = "HotCertCredentials",
     .contexts = HC_CTX_DNS,
     .min = 1,
     .max = 1,
     .args = "a file",
     .dflt = "route53: those of the environment, the container or the machine; httpreq: none",
     .doc = "mydns, httpreq: a file with a line `NAME:PASSWORD`. route53: a file with "
            "`aws_access_key_id = ..` and `aws_secret_access_key = ..`, in the format of AWS's own "
            "tools (section [default]). The file must be readable by root only.",
     .field = {DNS(credentials, text), .wire = "credentials", .kept = true,
               .value = hc_value_path}},
    {.name = "form",
     .httpd = "HotCertForm",
     .contexts = HC_CTX_DNS,
     .min = 1,
     .max = 1,
     .args = "default | raw",
     .dflt = "default",
     .doc = "httpreq: the content of the requests. `default`: the record's name and value; `raw`: "
            "the domain, the token and the key authorization (lego's HTTPREQ_MODE=RAW).",
     .field = {DNS(form, word), .wire = "form", .words = form_words}},
    {.name = "role_arn",
     .httpd = "HotCertRoleArn",
     .contexts = HC_CTX_DNS,
     .min = 1,
     .max = 1,
     .args = "the ARN of a role, arn:..",
     .dflt = "none",
     .doc = "route53: a role to assume (AssumeRole), such as one in the account of the zone.",
     .field = {DNS(role_arn, text), .wire = "role_arn", .value = value_aws}},
    {.name = "hosted_zone",
     .httpd = "HotCertHostedZone",
     .contexts = HC_CTX_DNS,
     .min = 1,
     .max = 1,
     .args = "the id of a hosted zone, such as Z0123456789ABC",
     .dflt = "the public zone that the record's name is in",
     .doc = "route53: the zone to write to. hotcert then needs no permission to list zones.",
     .field = {DNS(hosted_zone, text), .wire = "hosted_zone", .value = value_aws}},
};

const struct hc_block_kind hc_block_dns = {
    .wire = "dns",
    .noun = "a DNS writer",
    .context = HC_CTX_DNS,
    .size = sizeof(struct hc_dns_block),
    .name = offsetof(struct hc_dns_block, name),
    .where = offsetof(struct hc_dns_block, where),
    .items = offsetof(struct hc_conf, dns),
    .count = offsetof(struct hc_conf, dns_count),
    .rows = rows,
    .row_count = HC_COUNT(rows),
};
