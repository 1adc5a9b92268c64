/* The table of directives and its setters; see directive.h. */
#include "conf/directive.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/time.h"
#include "base/url.h"
#include "conf/name.h"
#include "live/table.h"

#define ANY 0xffffu

static struct hc_scope *scope_of(const struct hc_directive_call *call)
{
    return call->scope != NULL ? call->scope : &call->conf->main;
}

static int bad(const struct hc_directive_call *call, const char *value, struct hc_error *err)
{
    return hc_error_set(err, HC_P_BAD_VALUE, value, "it takes %s", call->directive->args);
}

static int duplicate(struct hc_error *err)
{
    return hc_error_set(err, HC_P_DUPLICATE, NULL, "it is set at this level already");
}

static int set_text_once(char **field, const char *value, struct hc_error *err)
{
    return *field != NULL ? duplicate(err) : hc_strdup(value, field, err);
}

/* A path: absolute, or below the server's own folder. */
static int set_path(const struct hc_directive_call *call, char **field, const char *value,
                    struct hc_error *err)
{
    char path[PATH_MAX];

    if (*field != NULL) {
        return duplicate(err);
    }
    if (value[0] == '\0') {
        return bad(call, value, err);
    }
    if (value[0] != '/' && call->path_base == NULL) {
        return hc_error_set(err, HC_P_BAD_VALUE, value, "a path must begin with '/'");
    }
    if ((size_t)snprintf(path, sizeof(path), "%s%s%s", value[0] == '/' ? "" : call->path_base,
                         value[0] == '/' ? "" : "/", value) >= sizeof(path)) {
        return hc_error_set(err, HC_P_BAD_VALUE, value, "the path is too long");
    }
    return hc_strdup(path, field, err);
}

/* One of the words of an enum whose zero is "unset"; words[0] stands for 1. */
static int choose_word(const struct hc_directive_call *call, const char *const *words, size_t count,
                       int already, int *choice, struct hc_error *err)
{
    if (already != 0) {
        return duplicate(err);
    }
    for (size_t i = 0; i < count; i++) {
        if (strcasecmp(call->args[0], words[i]) == 0) {
            *choice = (int)i + 1;
            return 0;
        }
    }
    return bad(call, call->args[0], err);
}

static int set_flag(const struct hc_directive_call *call, int *field, struct hc_error *err)
{
    bool on = strcasecmp(call->args[0], "on") == 0;

    if (*field >= 0) {
        return duplicate(err);
    }
    if (!on && strcasecmp(call->args[0], "off") != 0) {
        return bad(call, call->args[0], err);
    }
    *field = on;
    return 0;
}

static int set_number(const struct hc_directive_call *call, int64_t *field, int64_t least,
                      int64_t most, struct hc_error *err)
{
    const char *text = call->args[0];
    char *end = NULL;
    long long value = 0;

    if (*field > 0) {
        return duplicate(err);
    }
    value = isdigit((unsigned char)text[0]) ? strtoll(text, &end, 10) : -1;
    if (end == NULL || *end != '\0' || value < least || value > most) {
        return hc_error_set(err, HC_P_BAD_VALUE, text, "it takes a number from %lld to %lld",
                            (long long)least, (long long)most);
    }
    *field = value;
    return 0;
}

static int set_mode(const struct hc_directive_call *call, struct hc_error *err)
{
    static const char *const words[] = {"off", "on", "watch"}; /* as enum hc_mode */
    struct hc_scope *scope = scope_of(call);
    int choice = 0;

    if (choose_word(call, words, HC_COUNT(words), scope->mode, &choice, err) != 0) {
        return -1;
    }
    scope->mode = (enum hc_mode)choice;
    return 0;
}

static int set_names(const struct hc_directive_call *call, struct hc_error *err)
{
    struct hc_scope *scope = scope_of(call);

    scope->has_names = true;
    for (unsigned i = 0; i < call->count; i++) {
        char name[HC_NAME_SIZE];

        if (hc_name_normalise(call->args[i], name, err) != 0 ||
            hc_list_add(&scope->names, name, err) != 0) {
            return -1;
        }
        if (hc_name_is_wildcard(name)) {
            return hc_error_set(
                err, HC_P_BAD_VALUE, call->args[i],
                "a wildcard cannot be proved by http-01: list the names themselves");
        }
    }
    return 0;
}

static int set_use(const struct hc_directive_call *call, struct hc_error *err)
{
    struct hc_list *use = &scope_of(call)->use;

    if (use->count > 0) {
        return duplicate(err);
    }
    for (unsigned i = 0; i < call->count; i++) {
        if (hc_list_has(use, call->args[i])) {
            return hc_error_set(err, HC_P_DUPLICATE, call->args[i], "the issuer is named twice");
        }
        if (hc_list_add(use, call->args[i], err) != 0) {
            return -1;
        }
    }
    return 0;
}

static int set_challenge(const struct hc_directive_call *call, struct hc_error *err)
{
    struct hc_list *challenges = &scope_of(call)->challenges;

    if (challenges->count > 0) {
        return duplicate(err);
    }
    if (strcmp(call->args[0], "http-01") != 0) {
        return bad(call, call->args[0], err);
    }
    return hc_list_add(challenges, call->args[0], err);
}

static int set_key_type(const struct hc_directive_call *call, struct hc_error *err)
{
    struct hc_scope *scope = scope_of(call);

    if (scope->key_type_count > 0) {
        return duplicate(err);
    }
    for (unsigned i = 0; i < call->count; i++) {
        enum hc_key_type type = hc_key_type_parse(call->args[i]);

        if (type == HC_KEY_NONE) {
            return bad(call, call->args[i], err);
        }
        if (i == 1 && hc_key_type_is_rsa(type) == hc_key_type_is_rsa(scope->key_types[0])) {
            return hc_error_set(err, HC_P_BAD_VALUE, call->args[i],
                                "two key types must be one ecdsa and one rsa: a server holds one "
                                "certificate of a kind");
        }
        scope->key_types[i] = type;
    }
    scope->key_type_count = call->count;
    return 0;
}

static int set_files(const struct hc_directive_call *call, struct hc_error *err)
{
    struct hc_list *files = &scope_of(call)->files;

    for (unsigned i = 0; i < 2; i++) {
        char *path = NULL;
        int rc = set_path(call, &path, call->args[i], err);

        rc = rc == 0 ? hc_list_add(files, path, err) : rc;
        free(path);
        if (rc != 0) {
            return -1;
        }
    }
    return 0;
}

static int set_trusted_certificate(const struct hc_directive_call *call, struct hc_error *err)
{
    return set_path(call, &scope_of(call)->trusted_certificate, call->args[0], err);
}

static int set_bootstrap(const struct hc_directive_call *call, struct hc_error *err)
{
    static const char *const words[] = {"self-signed", "reject"}; /* as enum hc_bootstrap */
    struct hc_scope *scope = scope_of(call);
    int choice = 0;

    if (choose_word(call, words, HC_COUNT(words), scope->bootstrap, &choice, err) != 0) {
        return -1;
    }
    scope->bootstrap = (enum hc_bootstrap)choice;
    return 0;
}

static int set_preflight(const struct hc_directive_call *call, struct hc_error *err)
{
    static const char *const words[] = {"on", "advise", "off"}; /* as enum hc_preflight_mode */
    struct hc_scope *scope = scope_of(call);
    int choice = 0;

    if (choose_word(call, words, HC_COUNT(words), scope->preflight, &choice, err) != 0) {
        return -1;
    }
    scope->preflight = (enum hc_preflight_mode)choice;
    return 0;
}

static int set_bad_names(const struct hc_directive_call *call, struct hc_error *err)
{
    static const char *const words[] = {"leave-out", "hold"}; /* as enum hc_bad_names */
    struct hc_scope *scope = scope_of(call);
    int choice = 0;

    if (choose_word(call, words, HC_COUNT(words), scope->bad_names, &choice, err) != 0) {
        return -1;
    }
    scope->bad_names = (enum hc_bad_names)choice;
    return 0;
}

static int set_repair(const struct hc_directive_call *call, struct hc_error *err)
{
    static const char *const words[] = {"off", "aia"}; /* as enum hc_repair */
    struct hc_scope *scope = scope_of(call);
    int choice = 0;

    if (choose_word(call, words, HC_COUNT(words), scope->repair, &choice, err) != 0) {
        return -1;
    }
    scope->repair = (enum hc_repair)choice;
    return 0;
}

static int set_network(const struct hc_directive_call *call, struct hc_error *err)
{
    static const char *const words[] = {"public", "private"}; /* as enum hc_network */
    int choice = 0;

    if (choose_word(call, words, HC_COUNT(words), call->issuer->network, &choice, err) != 0) {
        return -1;
    }
    call->issuer->network = (enum hc_network)choice;
    return 0;
}

static int set_http_port(const struct hc_directive_call *call, struct hc_error *err)
{
    return set_number(call, &call->issuer->http_port, 1, 65535, err);
}

static int set_tls_port(const struct hc_directive_call *call, struct hc_error *err)
{
    return set_number(call, &call->issuer->tls_port, 1, 65535, err);
}

static int set_caa_domain(const struct hc_directive_call *call, struct hc_error *err)
{
    for (unsigned i = 0; i < call->count; i++) {
        char name[HC_NAME_SIZE];

        if (hc_name_normalise(call->args[i], name, err) != 0 ||
            hc_list_add(&call->issuer->caa_domains, name, err) != 0) {
            return -1;
        }
    }
    return 0;
}

/* ADDR, ADDR:PORT or [ADDR]:PORT. */
static bool is_resolver(const char *text)
{
    unsigned char address[16];
    char host[64];
    const char *port = NULL;
    char *end = NULL;
    size_t len = strlen(text);

    if (inet_pton(AF_INET, text, address) == 1 || inet_pton(AF_INET6, text, address) == 1) {
        return true;
    }
    port = strrchr(text, ':');
    if (port == NULL || !isdigit((unsigned char)port[1]) || len >= sizeof(host) ||
        strtol(port + 1, &end, 10) < 1 || strtol(port + 1, NULL, 10) > 65535 || *end != '\0') {
        return false;
    }
    hc_copy(host, (size_t)(port - text) + 1, text);
    len = strlen(host);
    if (host[0] == '[' && host[len - 1] == ']') {
        host[len - 1] = '\0';
        return inet_pton(AF_INET6, host + 1, address) == 1;
    }
    return inet_pton(AF_INET, host, address) == 1;
}

static int set_resolver(const struct hc_directive_call *call, struct hc_error *err)
{
    if (call->conf->resolvers.count > 0) {
        return duplicate(err);
    }
    for (unsigned i = 0; i < call->count; i++) {
        if (!is_resolver(call->args[i])) {
            return bad(call, call->args[i], err);
        }
        if (hc_list_add(&call->conf->resolvers, call->args[i], err) != 0) {
            return -1;
        }
    }
    return 0;
}

static int set_accept(const struct hc_directive_call *call, struct hc_error *err)
{
    struct hc_scope *scope = scope_of(call);

    scope->has_accept = true;
    for (unsigned i = 0; i < call->count; i++) {
        enum hc_problem p = hc_problem_by_slug(call->args[i]);

        if (strcmp(call->args[i], "none") == 0 && call->count == 1) {
            return 0;
        }
        if (p == HC_P_NONE || hc_problem_row(p)->cls != HC_CLASS_FLAWED) {
            return hc_error_set(err, HC_P_BAD_VALUE, call->args[i],
                                "it takes the slugs of flaws, as `hotcert check` prints them");
        }
        if (hc_list_add(&scope->accept, call->args[i], err) != 0) {
            return -1;
        }
    }
    return 0;
}

static int set_store(const struct hc_directive_call *call, struct hc_error *err)
{
    return set_path(call, &call->conf->store, call->args[0], err);
}

static int set_secret(const struct hc_directive_call *call, struct hc_error *err)
{
    return set_path(call, &call->conf->secret, call->args[0], err);
}

static int set_agent(const struct hc_directive_call *call, struct hc_error *err)
{
    return set_path(call, &call->conf->agent, call->args[0], err);
}

static int set_control(const struct hc_directive_call *call, struct hc_error *err)
{
    /* sun_path has 108 bytes; the temporary name beside it takes a few */
    if (strlen(call->args[0]) > 90) {
        return hc_error_set(err, HC_P_BAD_VALUE, call->args[0],
                            "a socket's path has at most 90 characters");
    }
    return set_path(call, &call->conf->control, call->args[0], err);
}

static int set_check_interval(const struct hc_directive_call *call, struct hc_error *err)
{
    int64_t seconds = 0;

    if (call->conf->check_interval > 0) {
        return duplicate(err);
    }
    if (hc_duration_parse(call->args[0], &seconds, err) != 0) {
        return -1;
    }
    if (seconds < 1 || seconds > 86400) {
        return hc_error_set(err, HC_P_BAD_VALUE, call->args[0], "it takes a time from 1s to 1d");
    }
    call->conf->check_interval = seconds;
    return 0;
}

static int set_parallel(const struct hc_directive_call *call, struct hc_error *err)
{
    return set_number(call, &call->conf->parallel, 1, 64, err);
}

static int set_table_size(const struct hc_directive_call *call, struct hc_error *err)
{
    int64_t mebibytes = call->conf->table_size > 0 ? 1 : 0;

    if (set_number(call, &mebibytes, 8, 1024, err) != 0) {
        return -1;
    }
    call->conf->table_size = mebibytes << 20;
    return 0;
}

static int set_contact(const struct hc_directive_call *call, struct hc_error *err)
{
    struct hc_list *contacts =
        call->issuer != NULL ? &call->issuer->contacts : &call->conf->contacts;

    for (unsigned i = 0; i < call->count; i++) {
        const char *text = call->args[i];
        const char *mail = strncmp(text, "mailto:", 7) == 0 ? text + 7 : text;
        const char *at = strchr(mail, '@');
        char uri[HC_ERROR_SUBJECT];

        if (at == NULL || at == mail || at[1] == '\0' || strpbrk(mail, " ,?<>\"\t") != NULL ||
            strlen(mail) > 254) {
            return hc_error_set(err, HC_P_BAD_VALUE, text, "a contact is a mail address");
        }
        snprintf(uri, sizeof(uri), "mailto:%s", mail);
        if (hc_list_add(contacts, uri, err) != 0) {
            return -1;
        }
    }
    return 0;
}

static int set_terms_agreed(const struct hc_directive_call *call, struct hc_error *err)
{
    return set_flag(
        call, call->issuer != NULL ? &call->issuer->terms_agreed : &call->conf->terms_agreed, err);
}

static int set_directory_url(const struct hc_directive_call *call, struct hc_error *err)
{
    if (hc_url_check(call->args[0], err) != 0) {
        return -1;
    }
    if (strcmp(call->issuer->name, "letsencrypt") == 0 ||
        strcmp(call->issuer->name, "letsencrypt-staging") == 0) {
        return hc_error_set(err, HC_P_CONFLICT, call->args[0],
                            "the directory of %s is built in; give another CA a name of its own",
                            call->issuer->name);
    }
    return set_text_once(&call->issuer->directory_url, call->args[0], err);
}

static int set_ca_bundle(const struct hc_directive_call *call, struct hc_error *err)
{
    return set_path(call, &call->issuer->ca_bundle, call->args[0], err);
}

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
     .set = set_mode},
    {.name = "hotcert_names",
     .contexts = HC_CTX_HOST,
     .min = 1,
     .max = HC_NAMES_MAX,
     .args = "NAME..",
     .dflt = "the host's own names",
     .doc = "The names to order, instead of the host's own. Names that are not listed are served, "
            "but not covered.",
     .set = set_names},
    {.name = "hotcert_issuer",
     .contexts = HC_CTX_MAIN,
     .min = 1,
     .max = 1,
     .block = true,
     .args = "NAME { .. }",
     .dflt = "letsencrypt and letsencrypt-staging are built in",
     .doc = "Defines an ACME certificate authority, or adds to a built-in one."},
    {.name = "directory_url",
     .contexts = HC_CTX_ISSUER,
     .min = 1,
     .max = 1,
     .args = "an https URL (http only to this machine's loopback)",
     .dflt = "none",
     .doc = "The issuer's ACME directory (RFC 8555 section 7.1.1).",
     .set = set_directory_url},
    {.name = "contact",
     .contexts = HC_CTX_ISSUER,
     .min = 1,
     .max = 8,
     .args = "a mail address ..",
     .dflt = "that of hotcert_contact",
     .doc = "Where this issuer writes to.",
     .set = set_contact},
    {.name = "terms_agreed",
     .contexts = HC_CTX_ISSUER,
     .min = 1,
     .max = 1,
     .args = "on | off",
     .dflt = "that of hotcert_terms_agreed",
     .doc = "You have read and agree to this issuer's terms of service.",
     .set = set_terms_agreed},
    {.name = "ca_bundle",
     .contexts = HC_CTX_ISSUER,
     .min = 1,
     .max = 1,
     .args = "a PEM file",
     .dflt = "the system's roots",
     .doc = "Roots that the issuer's own TLS certificate is verified against.",
     .set = set_ca_bundle},
    {.name = "network",
     .contexts = HC_CTX_ISSUER,
     .min = 1,
     .max = 1,
     .args = "public | private",
     .dflt = "private when the directory itself is at a reserved address, else public",
     .doc = "Where this issuer validates from: a private one may ask reserved addresses and other "
            "ports.",
     .set = set_network},
    {.name = "http_port",
     .contexts = HC_CTX_ISSUER,
     .min = 1,
     .max = 1,
     .args = "a number from 1 to 65535",
     .dflt = "80",
     .doc = "The port that a private issuer asks for http-01; the look before an order asks it "
            "too.",
     .set = set_http_port},
    {.name = "tls_port",
     .contexts = HC_CTX_ISSUER,
     .min = 1,
     .max = 1,
     .args = "a number from 1 to 65535",
     .dflt = "443",
     .doc = "The port to which a private issuer may follow a redirect to https.",
     .set = set_tls_port},
    {.name = "caa_domain",
     .contexts = HC_CTX_ISSUER,
     .min = 1,
     .max = 8,
     .args = "a domain ..",
     .dflt = "the directory's caaIdentities",
     .doc = "The domains that name this issuer in CAA records, where its directory does not say.",
     .set = set_caa_domain},
    {.name = "hotcert_use",
     .contexts = HC_CTX_MAIN | HC_CTX_HOST,
     .min = 1,
     .max = 8,
     .args = "ISSUER..",
     .dflt = "letsencrypt",
     .doc = "The issuers to order from, in order of preference.",
     .set = set_use},
    {.name = "hotcert_terms_agreed",
     .contexts = HC_CTX_MAIN,
     .min = 1,
     .max = 1,
     .args = "on | off",
     .dflt = "off",
     .doc = "You have read and agree to the terms of service of every issuer in use.",
     .set = set_terms_agreed},
    {.name = "hotcert_contact",
     .contexts = HC_CTX_MAIN,
     .min = 1,
     .max = 8,
     .args = "a mail address ..",
     .dflt = "none",
     .doc = "Where issuers write to.",
     .set = set_contact},
    {.name = "hotcert_challenge",
     .contexts = HC_CTX_MAIN | HC_CTX_HOST,
     .min = 1,
     .max = 1,
     .args = "http-01",
     .dflt = "http-01",
     .doc = "How control of the names is proved (RFC 8555 section 8.3).",
     .set = set_challenge},
    {.name = "hotcert_preflight",
     .contexts = HC_CTX_MAIN | HC_CTX_HOST,
     .min = 1,
     .max = 1,
     .args = "on | advise | off",
     .dflt = "on",
     .doc = "Looks at DNS, CAA and reachability of every name before an order. `on` acts on what "
            "is found, `advise` only says it.",
     .set = set_preflight},
    {.name = "hotcert_bad_names",
     .contexts = HC_CTX_MAIN | HC_CTX_HOST,
     .min = 1,
     .max = 1,
     .args = "leave-out | hold",
     .dflt = "leave-out",
     .doc = "What becomes of an order with a name that does not exist or whose CAA forbids the "
            "issuer: ordered without it, or held back.",
     .set = set_bad_names},
    {.name = "hotcert_resolver",
     .contexts = HC_CTX_MAIN,
     .min = 1,
     .max = 8,
     .args = "ADDR[:PORT] ..; an IPv6 address with a port as [ADDR]:PORT",
     .dflt = "the system's",
     .doc = "DNS servers that names are looked up at before an order.",
     .set = set_resolver},
    {.name = "hotcert_key_type",
     .contexts = HC_CTX_MAIN | HC_CTX_HOST,
     .min = 1,
     .max = HC_KEY_TYPES_MAX,
     .args = "ecdsa:256 | ecdsa:384 | rsa:2048 | rsa:3072 | rsa:4096, one or one of each kind",
     .dflt = "ecdsa:256",
     .doc = "The kind of key. With two of different kind both certificates are obtained, and each "
            "client is served the one that it takes.",
     .set = set_key_type},
    {.name = "hotcert_files",
     .contexts = HC_CTX_HOST,
     .min = 2,
     .max = 2,
     .args = "CERTIFICATE KEY",
     .dflt = "the files of the server's own directives",
     .doc = "Files to watch, where the server's own directives cannot name them. Given once for "
            "each kind of key.",
     .set = set_files},
    {.name = "hotcert_trusted_certificate",
     .contexts = HC_CTX_MAIN | HC_CTX_HOST,
     .min = 1,
     .max = 1,
     .args = "a PEM file",
     .dflt = "the system's roots",
     .doc = "Roots that the served chain is checked against.",
     .set = set_trusted_certificate},
    {.name = "hotcert_accept",
     .contexts = HC_CTX_MAIN | HC_CTX_HOST,
     .min = 1,
     .max = ANY,
     .args = "SLUG.. | none",
     .dflt = "none",
     .doc = "Flaws that do not hold a new certificate back.",
     .set = set_accept},
    {.name = "hotcert_repair",
     .contexts = HC_CTX_MAIN | HC_CTX_HOST,
     .min = 1,
     .max = 1,
     .args = "off | aia",
     .dflt = "off",
     .doc = "`aia` fetches a missing intermediate from the address that the certificate names, "
            "verifies it, and serves it.",
     .set = set_repair},
    {.name = "hotcert_bootstrap",
     .contexts = HC_CTX_MAIN | HC_CTX_HOST,
     .min = 1,
     .max = 1,
     .args = "self-signed | reject",
     .dflt = "self-signed",
     .doc = "What a client gets before there is any certificate: a self-signed one without names, "
            "or a refused handshake.",
     .set = set_bootstrap},
    {.name = "hotcert_check_interval",
     .contexts = HC_CTX_MAIN,
     .min = 1,
     .max = 1,
     .args = "a time from 1s to 1d",
     .dflt = "60s",
     .doc = "How often watched files, renewals and the store are looked at.",
     .set = set_check_interval},
    {.name = "hotcert_parallel",
     .contexts = HC_CTX_MAIN,
     .min = 1,
     .max = 1,
     .args = "a number from 1 to 64",
     .dflt = "8",
     .doc = "Orders that may be under way side by side.",
     .set = set_parallel},
    {.name = "hotcert_store",
     .contexts = HC_CTX_MAIN,
     .min = 1,
     .max = 1,
     .args = "a folder",
     .dflt = "/var/lib/hotcert/store",
     .doc = "The store; it belongs to the worker user. Servers with the same worker user may share "
            "it.",
     .set = set_store},
    {.name = "hotcert_secret",
     .contexts = HC_CTX_MAIN,
     .min = 1,
     .max = 1,
     .args = "a file",
     .dflt = "/var/lib/hotcert/secret",
     .doc = "The secret that keys in the store are sealed under; root's, mode 0600. Made at the "
            "first start.",
     .set = set_secret},
    {.name = "hotcert_agent",
     .contexts = HC_CTX_MAIN,
     .min = 1,
     .max = 1,
     .args = "a file",
     .dflt = "/usr/sbin/hotcert",
     .doc = "The program.",
     .set = set_agent},
    {.name = "hotcert_control",
     .contexts = HC_CTX_MAIN,
     .min = 1,
     .max = 1,
     .args = "a path",
     .dflt = "/run/hotcert/nginx.sock, /run/hotcert/httpd.sock",
     .doc = "The socket on which the agent answers `hotcert list`, `renew` and `wait`. A second "
            "server of one kind needs one of its own.",
     .set = set_control},
    {.name = "hotcert_table_size",
     .contexts = HC_CTX_MAIN,
     .min = 1,
     .max = 1,
     .args = "a number of MiB from 8 to 1024",
     .dflt = "64",
     .doc = "Address space of the live table; memory is used as certificates fill it. Changed by a "
            "restart only.",
     .set = set_table_size},
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

char *hc_directive_httpd_name(const char *name, char dst[HC_DIRECTIVE_NAME])
{
    const char *prefix = strncmp(name, "hotcert", 7) == 0 ? "" : "HotCert";
    size_t used = strlen(prefix);
    bool upper = true;

    memcpy(dst, prefix, used);
    if (used == 0) {
        memcpy(dst, "HotCert", 7);
        used = 7;
        name += 7;
    }
    for (; *name != '\0' && used + 1 < HC_DIRECTIVE_NAME; name++) {
        if (*name == '_') {
            upper = true;
            continue;
        }
        dst[used++] = upper ? (char)toupper((unsigned char)*name) : *name;
        upper = false;
    }
    dst[used] = '\0';
    return dst;
}

static void name_the_directive(const struct hc_directive_call *call, struct hc_error *err)
{
    char own[HC_DIRECTIVE_NAME];
    const char *name = call->conf->server == HC_SERVER_HTTPD
                           ? hc_directive_httpd_name(call->directive->name, own)
                           : call->directive->name;
    char subject[HC_ERROR_SUBJECT];

    snprintf(subject, sizeof(subject), "%s%s%.200s", name, err->subject[0] != '\0' ? " " : "",
             err->subject);
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
