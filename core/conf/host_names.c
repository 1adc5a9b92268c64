/* The names of a host that are ordered, or that its files should cover; see host.h. */
#include <stdio.h>
#include <string.h>

#include "base/idn.h"
#include "conf/host.h"
#include "conf/issuer.h"
#include "conf/method.h"
#include "conf/name.h"
#include "conf/settings.h"

#define DEFAULT_ISSUER "letsencrypt"

static const struct hc_list *effective(const struct hc_list *own, const struct hc_list *inherited)
{
    return own->count > 0 ? own : inherited;
}

/* nginx's own forms of names that are no host names: why one is left out, or NULL. */
static const char *left_out_because(const char *name)
{
    size_t len = strlen(name);

    if (len == 0 || strcmp(name, "_") == 0) {
        return "it matches any name";
    }
    if (name[0] == '~') {
        return "it is a regular expression";
    }
    if (!hc_name_is_wildcard(name) && strpbrk(name, "*?") != NULL) {
        return "it is a pattern";
    }
    return NULL;
}

/* Under watch nothing is ordered: names say what the files should cover, the others say nothing. */
static int add_watched_name(struct hc_identity *identity, const char *raw, struct hc_error *err)
{
    char dotted[HC_FOREIGN_MAX];
    char name[HC_NAME_SIZE];
    struct hc_error why;

    hc_error_init(&why);
    if (raw[0] == '.' && strlen(raw) + 1 < sizeof(dotted)) {
        /* ".example.com" of nginx is the name and its wildcard */
        (void)snprintf(dotted, sizeof(dotted), "*%s", raw);
        if (add_watched_name(identity, dotted, err) != 0) {
            return -1;
        }
        raw++;
    }
    return hc_name_normalise(raw, name, &why) == 0 ? hc_list_add(&identity->names, name, err) : 0;
}

/* A name as messages have it: with A-labels, which are shown in both forms. */
static const char *mention(const char *raw, char room[HC_NAME_SIZE])
{
    return !hc_idn_is_ascii(raw) && hc_name_normalise(raw, room, NULL) == 0 ? room : raw;
}

/* True if the host's own names have this one, in the form in which clients ask for it. */
static bool has_in_ascii(const struct hc_list *names, const char *name)
{
    char own[HC_NAME_SIZE];
    struct hc_error ignored;

    hc_error_init(&ignored);
    for (size_t i = 0; i < names->count; i++) {
        if (hc_idn_is_ascii(names->items[i]) &&
            hc_name_normalise(names->items[i], own, &ignored) == 0 && hc_name_matches(own, name)) {
            return true;
        }
    }
    return false;
}

/* Both servers compare bytes: by U-labels alone nobody reaches the host. */
static int remark_unicode(const struct hc_host *host, struct hc_findings *notes,
                          struct hc_error *err)
{
    char name[HC_NAME_SIZE];
    struct hc_error ignored;

    hc_error_init(&ignored);
    for (size_t i = 0; host->names != NULL && i < host->names->count; i++) {
        const char *raw = host->names->items[i];

        raw += raw[0] == '.' ? 1 : 0;
        if (!hc_idn_is_ascii(raw) && hc_name_normalise(raw, name, &ignored) == 0 &&
            !has_in_ascii(host->names, name) &&
            hc_findings_add(notes, HC_P_NAME_NOT_ASCII, name, err,
                            "the host at %s has it only with letters outside ASCII",
                            host->where) != 0) {
            return -1;
        }
    }
    return 0;
}

/* Who orders the names of one host, and whether it lists them itself. */
struct orderer {
    const struct hc_conf *conf;
    const struct hc_list *use;
    const struct hc_list *methods; /* hc_settings_methods() */
    const char *where;
    bool asked_for; /* by hotcert_names */
};

/* An order goes to the first issuer, and to the next where that fails: each must take it. */
static const char *address_refused_because(const struct orderer *o, const char *address)
{
    const char *why = NULL;

    for (size_t i = 0; why == NULL && (i < o->use->count || i == 0); i++) {
        const char *name = o->use->count > 0 ? o->use->items[i] : DEFAULT_ISSUER;
        const struct hc_issuer *issuer = hc_conf_issuer(o->conf, name);

        why = issuer != NULL ? hc_issuer_refuses_address(issuer, address, o->asked_for) : NULL;
    }
    return why;
}

/* What every method that this host may use leaves open. */
static int refuse_unprovable(const struct orderer *o, const char *raw, const char *name,
                             struct hc_error *why)
{
    bool is_ip = hc_name_is_ip(name);
    char methods[128];

    if (hc_methods_take(o->methods, name)) {
        return 0;
    }
    return hc_error_set(why, HC_P_NAME_INVALID, raw, "it is %s, which %s cannot prove",
                        is_ip ? "an IP address" : "a wildcard",
                        hc_methods_format(o->methods, methods, sizeof(methods)));
}

/* Normalises a name, and refuses what no CA, or none of these, certifies. */
static int take_orderable(const struct orderer *o, const char *raw, char name[HC_NAME_SIZE],
                          struct hc_error *why)
{
    const char *reason = left_out_because(raw);
    char spelled[HC_NAME_SIZE];

    if (reason != NULL) {
        return hc_error_set(why, HC_P_NAME_INVALID, raw, "%s", reason);
    }
    if (hc_name_normalise(raw, name, why) != 0) {
        return -1;
    }
    raw = mention(raw, spelled);
    reason = hc_name_reserved(name);
    if (reason != NULL) {
        return hc_error_set(why, HC_P_NAME_INVALID, raw, "it has %s", reason);
    }
    if (refuse_unprovable(o, raw, name, why) != 0) {
        return -1;
    }
    reason = hc_name_is_ip(name) ? address_refused_because(o, name) : NULL;
    return reason == NULL
               ? 0
               : hc_error_set(why, HC_P_NAME_INVALID, raw, "it is an IP address, and %s", reason);
}

/* nginx's ".example.com" is the name and its wildcard, which may not be orderable. */
static int add_dotted(const struct orderer *o, struct hc_identity *identity, const char *raw,
                      struct hc_findings *notes, struct hc_error *err)
{
    char dotted[HC_FOREIGN_MAX];
    char name[HC_NAME_SIZE];
    const char *bare = NULL;
    struct hc_error why;

    hc_error_init(&why);
    (void)snprintf(dotted, sizeof(dotted), "*%s", raw);
    if (take_orderable(o, dotted, name, &why) == 0) {
        return hc_list_add(&identity->names, name, err);
    }
    bare = mention(raw + 1, name);
    return hc_findings_add(notes, HC_P_NAME_LEFT_OUT, bare == name ? bare : raw, err,
                           "hotcert orders %s, but not *.%s", bare, bare);
}

/*
 * What the server's own names hold that no CA certifies (an alias of one label, say) costs the host
 * nothing but that name; what hotcert_names asks for must be possible.
 */
static int add_ordered_name(const struct orderer *o, struct hc_identity *identity, const char *raw,
                            struct hc_findings *notes, struct hc_error *err)
{
    char name[HC_NAME_SIZE];
    struct hc_error why;
    const char *bare = raw[0] == '.' ? raw + 1 : raw;

    hc_error_init(&why);
    if (take_orderable(o, bare, name, &why) == 0) {
        if (raw[0] == '.' && add_dotted(o, identity, raw, notes, err) != 0) {
            return -1;
        }
        return hc_list_add(&identity->names, name, err);
    }
    if (o->asked_for) {
        return hc_error_set(err, HC_P_NAME_INVALID, mention(raw, name),
                            "%s (in hotcert_names of the host at %s)", why.detail, o->where);
    }
    return hc_findings_add(notes, HC_P_NAME_LEFT_OUT, raw[0] != '\0' ? mention(raw, name) : "\"\"",
                           err, "%s (in the host at %s)", why.detail, o->where);
}

int hc_host_names(const struct hc_conf *conf, const struct hc_host *host,
                  struct hc_identity *identity, struct hc_findings *notes, struct hc_error *err)
{
    const struct hc_scope *scope = host->scope != NULL ? host->scope : &conf->main;
    const struct hc_list *names = scope->has_names ? &scope->names : host->names;
    const struct orderer orderer = {conf, effective(&scope->use, &conf->main.use),
                                    hc_settings_methods(conf, scope), host->where,
                                    scope->has_names};

    for (size_t i = 0; names != NULL && i < names->count; i++) {
        const char *name = names->items[i];
        int rc = identity->mode == HC_MODE_WATCH
                     ? add_watched_name(identity, name, err)
                     : add_ordered_name(&orderer, identity, name, notes, err);

        if (rc != 0) {
            return -1;
        }
    }
    if (remark_unicode(host, notes, err) != 0) {
        return -1;
    }
    if (identity->names.count > 0 &&
        hc_strdup(identity->names.items[0], &identity->lead, err) != 0) {
        return -1;
    }
    hc_list_sort_unique(&identity->names);
    if (identity->mode == HC_MODE_ON && identity->names.count == 0) {
        return hc_error_set(
            err, HC_P_NO_NAMES, host->where, "%s",
            conf->server == HC_SERVER_NGINX
                ? "to reject unknown names, set `ssl_reject_handshake on` instead of `hotcert on`"
                : "");
    }
    if (identity->names.count > HC_NAMES_MAX && identity->mode == HC_MODE_ON) {
        return hc_error_set(err, HC_P_BAD_VALUE, host->where,
                            "%zu names; a certificate has at most %d: split the host",
                            identity->names.count, HC_NAMES_MAX);
    }
    return 0;
}

bool hc_conf_orders_nothing(const struct hc_conf *conf, const struct hc_scope *scope,
                            const struct hc_list *names)
{
    const struct hc_scope *from = scope != NULL ? scope : &conf->main;
    const struct orderer orderer = {conf, effective(&from->use, &conf->main.use),
                                    hc_settings_methods(conf, from), "", false};
    char name[HC_NAME_SIZE];
    struct hc_error ignored;

    hc_error_init(&ignored);
    if (conf->main.mode != HC_MODE_ON ||
        (scope != NULL && (scope->mode != HC_MODE_UNSET || scope->has_names))) {
        return false;
    }
    for (size_t i = 0; names != NULL && i < names->count; i++) {
        const char *bare = names->items[i][0] == '.' ? names->items[i] + 1 : names->items[i];

        if (take_orderable(&orderer, bare, name, &ignored) == 0) {
            return false;
        }
    }
    return true;
}
