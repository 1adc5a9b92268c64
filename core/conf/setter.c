/* The setters of directives: each checks its arguments and stores them. See setter.h. */
#include "conf/setter.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/time.h"
#include "conf/method.h"
#include "conf/name.h"
#include "conf/url.h"

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
                       bool already, int *choice, struct hc_error *err)
{
    if (already) {
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
                      int64_t most, const char *of, struct hc_error *err)
{
    const char *text = call->args[0];
    char *end = NULL;
    long long value = 0;

    if (*field > 0) {
        return duplicate(err);
    }
    value = isdigit((unsigned char)text[0]) ? strtoll(text, &end, 10) : -1;
    if (end == NULL || *end != '\0' || value < least || value > most) {
        return hc_error_set(err, HC_P_BAD_VALUE, text, "it takes a number%s from %lld to %lld", of,
                            (long long)least, (long long)most);
    }
    *field = value;
    return 0;
}

int hc_set_mode(const struct hc_directive_call *call, struct hc_error *err)
{
    static const char *const words[] = {"off", "on", "watch"}; /* as enum hc_mode */
    struct hc_scope *scope = scope_of(call);
    int choice = 0;

    if (choose_word(call, words, HC_COUNT(words), scope->mode != 0, &choice, err) != 0) {
        return -1;
    }
    scope->mode = (enum hc_mode)choice;
    return 0;
}

int hc_set_names(const struct hc_directive_call *call, struct hc_error *err)
{
    struct hc_scope *scope = scope_of(call);

    scope->has_names = true;
    for (unsigned i = 0; i < call->count; i++) {
        char name[HC_NAME_SIZE];

        if (hc_name_normalise(call->args[i], name, err) != 0 ||
            hc_list_add(&scope->names, name, err) != 0) {
            return -1;
        }
    }
    return 0;
}

int hc_set_use(const struct hc_directive_call *call, struct hc_error *err)
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

int hc_set_challenge(const struct hc_directive_call *call, struct hc_error *err)
{
    struct hc_list *challenges = &scope_of(call)->challenges;

    if (challenges->count > 0) {
        return duplicate(err);
    }
    for (unsigned i = 0; i < call->count; i++) {
        const struct hc_method *method = hc_method_find(call->args[i]);

        if (method == NULL || !method->solved) {
            return bad(call, call->args[i], err);
        }
        if (hc_list_has(challenges, method->word)) {
            return hc_error_set(err, HC_P_DUPLICATE, method->word, "the method is named twice");
        }
        if (hc_list_add(challenges, method->word, err) != 0) {
            return -1;
        }
    }
    return 0;
}

int hc_set_key_type(const struct hc_directive_call *call, struct hc_error *err)
{
    struct hc_scope *scope = scope_of(call);

    if (scope->key_types.count > 0) {
        return duplicate(err);
    }
    for (unsigned i = 0; i < call->count; i++) {
        enum hc_key_type type = hc_key_type_parse(call->args[i]);

        if (type == HC_KEY_NONE) {
            return bad(call, call->args[i], err);
        }
        if (i == 1 && hc_key_type_is_rsa(type) == hc_key_type_is_rsa(scope->key_types.items[0])) {
            return hc_error_set(err, HC_P_BAD_VALUE, call->args[i],
                                "two key types must be one ecdsa and one rsa: a server holds one "
                                "certificate of a kind");
        }
        scope->key_types.items[i] = type;
    }
    scope->key_types.count = call->count;
    return 0;
}

int hc_set_files(const struct hc_directive_call *call, struct hc_error *err)
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

int hc_set_trusted_certificate(const struct hc_directive_call *call, struct hc_error *err)
{
    return set_path(call, &scope_of(call)->trusted_certificate, call->args[0], err);
}

int hc_set_bootstrap(const struct hc_directive_call *call, struct hc_error *err)
{
    static const char *const words[] = {"self-signed", "reject"}; /* as enum hc_bootstrap */
    struct hc_scope *scope = scope_of(call);
    int choice = 0;

    if (choose_word(call, words, HC_COUNT(words), scope->bootstrap != 0, &choice, err) != 0) {
        return -1;
    }
    scope->bootstrap = (enum hc_bootstrap)choice;
    return 0;
}

int hc_set_preflight(const struct hc_directive_call *call, struct hc_error *err)
{
    static const char *const words[] = {"on", "advise", "off"}; /* as enum hc_preflight_mode */
    struct hc_scope *scope = scope_of(call);
    int choice = 0;

    if (choose_word(call, words, HC_COUNT(words), scope->preflight != 0, &choice, err) != 0) {
        return -1;
    }
    scope->preflight = (enum hc_preflight_mode)choice;
    return 0;
}

int hc_set_bad_names(const struct hc_directive_call *call, struct hc_error *err)
{
    static const char *const words[] = {"leave-out", "hold"}; /* as enum hc_bad_names */
    struct hc_scope *scope = scope_of(call);
    int choice = 0;

    if (choose_word(call, words, HC_COUNT(words), scope->bad_names != 0, &choice, err) != 0) {
        return -1;
    }
    scope->bad_names = (enum hc_bad_names)choice;
    return 0;
}

int hc_set_repair(const struct hc_directive_call *call, struct hc_error *err)
{
    static const char *const words[] = {"off", "aia"}; /* as enum hc_repair */
    struct hc_scope *scope = scope_of(call);
    int choice = 0;

    if (choose_word(call, words, HC_COUNT(words), scope->repair != 0, &choice, err) != 0) {
        return -1;
    }
    scope->repair = (enum hc_repair)choice;
    return 0;
}

int hc_set_network(const struct hc_directive_call *call, struct hc_error *err)
{
    static const char *const words[] = {"public", "private"}; /* as enum hc_network */
    int choice = 0;

    if (choose_word(call, words, HC_COUNT(words), call->issuer->network != 0, &choice, err) != 0) {
        return -1;
    }
    call->issuer->network = (enum hc_network)choice;
    return 0;
}

int hc_set_http_port(const struct hc_directive_call *call, struct hc_error *err)
{
    return set_number(call, &call->issuer->http_port, 1, 65535, "", err);
}

int hc_set_tls_port(const struct hc_directive_call *call, struct hc_error *err)
{
    return set_number(call, &call->issuer->tls_port, 1, 65535, "", err);
}

int hc_set_caa_domain(const struct hc_directive_call *call, struct hc_error *err)
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

int hc_set_resolver(const struct hc_directive_call *call, struct hc_error *err)
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

int hc_set_accept(const struct hc_directive_call *call, struct hc_error *err)
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

int hc_set_store(const struct hc_directive_call *call, struct hc_error *err)
{
    return set_path(call, &call->conf->store, call->args[0], err);
}

int hc_set_secret(const struct hc_directive_call *call, struct hc_error *err)
{
    return set_path(call, &call->conf->secret, call->args[0], err);
}

int hc_set_agent(const struct hc_directive_call *call, struct hc_error *err)
{
    return set_path(call, &call->conf->agent, call->args[0], err);
}

int hc_set_control(const struct hc_directive_call *call, struct hc_error *err)
{
    /* sun_path has 108 bytes; the temporary name beside it takes a few */
    if (strlen(call->args[0]) > 90) {
        return hc_error_set(err, HC_P_BAD_VALUE, call->args[0],
                            "a socket's path has at most 90 characters");
    }
    return set_path(call, &call->conf->control, call->args[0], err);
}

int hc_set_check_interval(const struct hc_directive_call *call, struct hc_error *err)
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

int hc_set_parallel(const struct hc_directive_call *call, struct hc_error *err)
{
    return set_number(call, &call->conf->parallel, 1, 64, "", err);
}

int hc_set_table_size(const struct hc_directive_call *call, struct hc_error *err)
{
    int64_t mebibytes = call->conf->table_size > 0 ? 1 : 0;

    if (set_number(call, &mebibytes, 8, 1024, " of MiB", err) != 0) {
        return -1;
    }
    call->conf->table_size = mebibytes << 20;
    return 0;
}

int hc_set_contact(const struct hc_directive_call *call, struct hc_error *err)
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

int hc_set_terms_agreed(const struct hc_directive_call *call, struct hc_error *err)
{
    return set_flag(
        call, call->issuer != NULL ? &call->issuer->terms_agreed : &call->conf->terms_agreed, err);
}

int hc_set_directory_url(const struct hc_directive_call *call, struct hc_error *err)
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

int hc_set_ca_bundle(const struct hc_directive_call *call, struct hc_error *err)
{
    return set_path(call, &call->issuer->ca_bundle, call->args[0], err);
}
