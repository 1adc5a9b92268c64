/* The table of directives and its dispatch; see directive.h. */
#include "conf/directive.h"

#include <stdio.h>
#include <string.h>

#include "conf/method.h"
#include "conf/setter.h"

#define ANY 0xffffu

/* The rows, in the order of the reference. */
const struct hc_directive hc_directives[] = {
    {.name = "hotcert",
     .contexts = HC_CTX_MAIN | HC_CTX_HOST,
     .min = 1,
     .max = 1,
     .args = "on | watch | off",
     .dflt = "off",
     .doc = "`on` obtains a certificate by ACME for the names of each TLS host and keeps it "
            "renewed; `watch` follows the certificate files that the host names.",
     .set = hc_set_mode},
    {.name = "hotcert_names",
     .contexts = HC_CTX_HOST,
     .min = 1,
     .max = HC_NAMES_MAX,
     .args = "NAME..",
     .dflt = "the host's own names",
     .doc = "The names to order, instead of the host's own. Names that are not listed are served, "
            "but not covered.",
     .set = hc_set_names},
    {.name = "hotcert_issuer",
     .contexts = HC_CTX_MAIN,
     .min = 1,
     .max = 1,
     .block = true,
     .args = "NAME { .. }",
     .dflt = "letsencrypt and letsencrypt-staging are built in",
     .doc = "Defines an ACME certificate authority, or adds to a built-in one. If its root is none "
            "of the system's (a CA of your own), name that root with hotcert_trusted_certificate "
            "too; otherwise its certificates are reported as untrusted-root."},
    {.name = "directory_url",
     .contexts = HC_CTX_ISSUER,
     .min = 1,
     .max = 1,
     .args = "an https URL (http only to this machine's loopback)",
     .dflt = "none",
     .doc = "The issuer's ACME directory (RFC 8555 section 7.1.1).",
     .set = hc_set_directory_url},
    {.name = "contact",
     .contexts = HC_CTX_ISSUER,
     .min = 1,
     .max = 8,
     .args = "a mail address ..",
     .dflt = "that of hotcert_contact",
     .doc = "Where this issuer writes to.",
     .set = hc_set_contact},
    {.name = "terms_agreed",
     .contexts = HC_CTX_ISSUER,
     .min = 1,
     .max = 1,
     .args = "on | off",
     .dflt = "that of hotcert_terms_agreed",
     .doc = "You have read and agree to this issuer's terms of service.",
     .set = hc_set_terms_agreed},
    {.name = "ca_bundle",
     .contexts = HC_CTX_ISSUER,
     .min = 1,
     .max = 1,
     .args = "a PEM file",
     .dflt = "the system's roots",
     .doc = "Roots that the issuer's own TLS certificate is verified against.",
     .set = hc_set_ca_bundle},
    {.name = "network",
     .contexts = HC_CTX_ISSUER,
     .min = 1,
     .max = 1,
     .args = "public | private",
     .dflt = "private when the directory itself is at a reserved address, else public",
     .doc = "Where this issuer validates from: a private one may ask reserved addresses and other "
            "ports, and IP addresses among a host's names are ordered from it.",
     .set = hc_set_network},
    {.name = "http_port",
     .contexts = HC_CTX_ISSUER,
     .min = 1,
     .max = 1,
     .args = "a number from 1 to 65535",
     .dflt = "80",
     .doc = "The port on which a private issuer validates over HTTP; the check before an order "
            "asks it too.",
     .set = hc_set_http_port},
    {.name = "tls_port",
     .contexts = HC_CTX_ISSUER,
     .min = 1,
     .max = 1,
     .args = "a number from 1 to 65535",
     .dflt = "443",
     .doc = "A further port to which a private issuer follows redirects, beside 80, 443 and "
            "http_port.",
     .set = hc_set_tls_port},
    {.name = "caa_domain",
     .contexts = HC_CTX_ISSUER,
     .min = 1,
     .max = 8,
     .args = "a domain ..",
     .dflt = "the directory's caaIdentities",
     .doc = "The domains that name this issuer in CAA records, where its directory does not say.",
     .set = hc_set_caa_domain},
    {.name = "hotcert_use",
     .contexts = HC_CTX_MAIN | HC_CTX_HOST,
     .min = 1,
     .max = 8,
     .args = "ISSUER..",
     .dflt = "letsencrypt",
     .doc = "The issuers to order from, in order of preference.",
     .set = hc_set_use},
    {.name = "hotcert_terms_agreed",
     .contexts = HC_CTX_MAIN,
     .min = 1,
     .max = 1,
     .args = "on | off",
     .dflt = "off",
     .doc = "You have read and agree to the terms of service of every issuer in use.",
     .set = hc_set_terms_agreed},
    {.name = "hotcert_contact",
     .contexts = HC_CTX_MAIN,
     .min = 1,
     .max = 8,
     .args = "a mail address ..",
     .dflt = "none",
     .doc = "Where issuers write to.",
     .set = hc_set_contact},
    {.name = "hotcert_challenge",
     .contexts = HC_CTX_MAIN | HC_CTX_HOST,
     .min = 1,
     .max = 8,
     .args = HC_METHODS_SOLVED,
     .dflt = HC_METHODS_STANDARD,
     .doc = "How control of the names is proved, in order of preference (RFC 8555 section 8).",
     .set = hc_set_challenge},
    {.name = "hotcert_preflight",
     .contexts = HC_CTX_MAIN | HC_CTX_HOST,
     .min = 1,
     .max = 1,
     .args = "on | advise | off",
     .dflt = "on",
     .doc = "Looks at DNS, CAA and reachability of every name before an order. `on` acts on what "
            "is found, `advise` only says it.",
     .set = hc_set_preflight},
    {.name = "hotcert_bad_names",
     .contexts = HC_CTX_MAIN | HC_CTX_HOST,
     .min = 1,
     .max = 1,
     .args = "leave-out | hold",
     .dflt = "leave-out",
     .doc = "What becomes of an order with a name that does not exist or whose CAA forbids the "
            "issuer: ordered without it, or held back.",
     .set = hc_set_bad_names},
    {.name = "hotcert_resolver",
     .contexts = HC_CTX_MAIN,
     .min = 1,
     .max = 8,
     .args = "ADDR[:PORT] ..; an IPv6 address with a port as [ADDR]:PORT",
     .dflt = "the system's",
     .doc = "DNS servers that names are looked up at before an order.",
     .set = hc_set_resolver},
    {.name = "hotcert_key_type",
     .contexts = HC_CTX_MAIN | HC_CTX_HOST,
     .min = 1,
     .max = HC_KEY_TYPES_MAX,
     .args = "ecdsa:256 | ecdsa:384 | rsa:2048 | rsa:3072 | rsa:4096, one or one of each kind",
     .dflt = "ecdsa:256",
     .doc = "The kind of key. With two of different kind both certificates are obtained, and each "
            "client is served the one that it takes.",
     .set = hc_set_key_type},
    {.name = "hotcert_files",
     .contexts = HC_CTX_HOST,
     .min = 2,
     .max = 2,
     .args = "CERTIFICATE KEY",
     .dflt = "the files of the server's own directives",
     .doc = "Files to watch, where the server's own directives cannot name them. Given once for "
            "each kind of key.",
     .set = hc_set_files},
    {.name = "hotcert_trusted_certificate",
     .contexts = HC_CTX_MAIN | HC_CTX_HOST,
     .min = 1,
     .max = 1,
     .args = "a PEM file",
     .dflt = "the system's roots",
     .doc = "Roots that the served chain is checked against.",
     .set = hc_set_trusted_certificate},
    {.name = "hotcert_accept",
     .contexts = HC_CTX_MAIN | HC_CTX_HOST,
     .min = 1,
     .max = ANY,
     .args = "SLUG.. | none",
     .dflt = "none",
     .doc = "Flaws that do not hold a new certificate back.",
     .set = hc_set_accept},
    {.name = "hotcert_repair",
     .contexts = HC_CTX_MAIN | HC_CTX_HOST,
     .min = 1,
     .max = 1,
     .args = "off | aia",
     .dflt = "off",
     .doc = "`aia` fetches a missing intermediate from the address that the certificate names, "
            "verifies it, and serves it.",
     .set = hc_set_repair},
    {.name = "hotcert_bootstrap",
     .contexts = HC_CTX_MAIN | HC_CTX_HOST,
     .min = 1,
     .max = 1,
     .args = "self-signed | reject",
     .dflt = "self-signed",
     .doc = "What a client gets before there is any certificate: a self-signed one without names, "
            "or a refused handshake.",
     .set = hc_set_bootstrap},
    {.name = "hotcert_check_interval",
     .contexts = HC_CTX_MAIN,
     .min = 1,
     .max = 1,
     .args = "a time from 1s to 1d",
     .dflt = "60s",
     .doc = "How often watched files, renewals and the store are looked at.",
     .set = hc_set_check_interval},
    {.name = "hotcert_parallel",
     .contexts = HC_CTX_MAIN,
     .min = 1,
     .max = 1,
     .args = "a number from 1 to 64",
     .dflt = "8",
     .doc = "Orders that may be under way side by side.",
     .set = hc_set_parallel},
    {.name = "hotcert_store",
     .contexts = HC_CTX_MAIN,
     .min = 1,
     .max = 1,
     .args = "a folder",
     .dflt = "/var/lib/hotcert/store",
     .doc = "The store; it belongs to the worker user. Servers with the same worker user may share "
            "it.",
     .set = hc_set_store},
    {.name = "hotcert_secret",
     .contexts = HC_CTX_MAIN,
     .min = 1,
     .max = 1,
     .args = "a file",
     .dflt = "/var/lib/hotcert/secret",
     .doc = "The secret that keys in the store are sealed under; root's, mode 0600. Made at the "
            "first start.",
     .set = hc_set_secret},
    {.name = "hotcert_agent",
     .contexts = HC_CTX_MAIN,
     .min = 1,
     .max = 1,
     .args = "a file",
     .dflt = "/usr/sbin/hotcert",
     .doc = "The program.",
     .set = hc_set_agent},
    {.name = "hotcert_control",
     .contexts = HC_CTX_MAIN,
     .min = 1,
     .max = 1,
     .args = "a path",
     .dflt = "/run/hotcert/nginx.sock, /run/hotcert/httpd.sock",
     .doc = "The socket on which the agent answers `hotcert list`, `renew` and `wait`. A second "
            "server of one kind needs one of its own.",
     .set = hc_set_control},
    {.name = "hotcert_table_size",
     .contexts = HC_CTX_MAIN,
     .min = 1,
     .max = 1,
     .args = "a number of MiB from 8 to 1024",
     .dflt = "64",
     .doc = "Address space of the live table; memory is used as certificates fill it. Changed by a "
            "restart only.",
     .set = hc_set_table_size},
};
const size_t hc_directive_count = HC_COUNT(hc_directives);

const struct hc_directive *hc_directive_find(const char *name, unsigned context)
{
    for (size_t i = 0; i < hc_directive_count; i++) {
        if ((hc_directives[i].contexts & context) != 0 &&
            strcmp(hc_directives[i].name, name) == 0) {
            return &hc_directives[i];
        }
    }
    return NULL;
}

static void name_the_directive(const struct hc_directive_call *call, struct hc_error *err)
{
    char own[HC_DIRECTIVE_NAME];
    const char *name = call->conf->server == HC_SERVER_HTTPD
                           ? hc_spelling_httpd(call->directive->name, own)
                           : call->directive->name;
    char subject[HC_ERROR_SUBJECT];

    bool value = err->problem == HC_P_BAD_VALUE || err->problem == HC_P_NAME_INVALID;

    if (value && err->subject[0] != '\0') {
        snprintf(subject, sizeof(subject), "%s \"%.200s\"", name, err->subject);
    } else {
        snprintf(subject, sizeof(subject), "%s%s%.200s", name, err->subject[0] != '\0' ? " " : "",
                 err->subject);
    }
    hc_copy(err->subject, sizeof(err->subject), subject);
}

int hc_directive_apply(const struct hc_directive_call *call, struct hc_error *err)
{
    const struct hc_directive *d = call->directive;
    int rc = -1;

    if ((d->contexts & call->context) == 0) {
        hc_error_set(err, HC_P_BAD_CONTEXT, NULL, NULL);
    } else if (call->count < d->min || call->count > d->max) {
        hc_error_set(err, HC_P_BAD_ARGUMENTS, NULL, "it takes %s", d->args);
    } else if (d->set != NULL) {
        rc = d->set(call, err);
    } else {
        rc = 0;
    }
    if (rc != 0) {
        name_the_directive(call, err);
    }
    return rc;
}
