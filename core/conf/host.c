/*
 * From a virtual host to an identity: which names are ordered, which files are watched, and which
 * hosts share a certificate. See conf.h.
 */
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "conf/build.h"
#include "conf/conf.h"
#include "conf/digest.h"
#include "conf/directive.h"
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
    char dotted[HC_NAME_SIZE + 1];
    char name[HC_NAME_SIZE];
    struct hc_error why;

    hc_error_init(&why);
    if (raw[0] == '.' && strlen(raw) < HC_NAME_SIZE) {
        /* ".example.com" of nginx is the name and its wildcard */
        (void)snprintf(dotted, sizeof(dotted), "*%s", raw);
        if (add_watched_name(identity, dotted, err) != 0) {
            return -1;
        }
        raw++;
    }
    return hc_name_normalise(raw, name, &why) == 0 ? hc_list_add(&identity->names, name, err) : 0;
}

/* Who orders the names of one host, and whether it lists them itself. */
struct orderer {
    const struct hc_conf *conf;
    const struct hc_list *use;
    const struct hc_list *methods; /* hotcert_challenge; empty: the standard ones */
    const char *where;
    bool asked_for; /* by hotcert_names */
};

/* An order goes to the first issuer, and to the next where that fails: each must take it. */
static const char *address_refused_because(const struct orderer *o)
{
    const char *why = NULL;

    for (size_t i = 0; why == NULL && (i < o->use->count || i == 0); i++) {
        const char *name = o->use->count > 0 ? o->use->items[i] : DEFAULT_ISSUER;
        const struct hc_issuer *issuer = hc_conf_issuer(o->conf, name);

        why = issuer != NULL ? hc_issuer_refuses_address(issuer, o->asked_for) : NULL;
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
    return hc_error_set(why, HC_P_NAME_INVALID, raw, "it is %s, and %s cannot prove one",
                        is_ip ? "an IP address" : "a wildcard",
                        hc_methods_format(o->methods, methods, sizeof(methods)));
}

/* Normalises a name, and refuses what no CA, or none of these, certifies. */
static int take_orderable(const struct orderer *o, const char *raw, char name[HC_NAME_SIZE],
                          struct hc_error *why)
{
    const char *reason = left_out_because(raw);

    if (reason != NULL) {
        return hc_error_set(why, HC_P_NAME_INVALID, raw, "%s", reason);
    }
    if (hc_name_normalise(raw, name, why) != 0) {
        return -1;
    }
    reason = hc_name_reserved(name);
    if (reason != NULL) {
        return hc_error_set(why, HC_P_NAME_INVALID, raw, "it has %s", reason);
    }
    if (refuse_unprovable(o, raw, name, why) != 0) {
        return -1;
    }
    reason = hc_name_is_ip(name) ? address_refused_because(o) : NULL;
    return reason == NULL
               ? 0
               : hc_error_set(why, HC_P_NAME_INVALID, raw, "it is an IP address, and %s", reason);
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
        if (raw[0] == '.' && hc_findings_add(notes, HC_P_NAME_LEFT_OUT, raw, err,
                                             "hotcert orders %s, but not *%s", bare, raw) != 0) {
            return -1;
        }
        return hc_list_add(&identity->names, name, err);
    }
    if (o->asked_for) {
        return hc_error_set(err, HC_P_NAME_INVALID, raw, "%s (in hotcert_names of the host at %s)",
                            why.detail, o->where);
    }
    return hc_findings_add(notes, HC_P_NAME_LEFT_OUT, raw[0] != '\0' ? raw : "\"\"", err,
                           "%s (in the host at %s)", why.detail, o->where);
}

static int collect_names(const struct hc_conf *conf, const struct hc_host *host,
                         struct hc_identity *identity, struct hc_findings *notes,
                         struct hc_error *err)
{
    const struct hc_scope *scope = host->scope != NULL ? host->scope : &conf->main;
    const struct hc_list *names = scope->has_names ? &scope->names : host->names;
    const struct orderer orderer = {conf, effective(&scope->use, &conf->main.use),
                                    effective(&scope->challenges, &conf->main.challenges),
                                    host->where, scope->has_names};

    for (size_t i = 0; names != NULL && i < names->count; i++) {
        const char *name = names->items[i];
        int rc = identity->mode == HC_MODE_WATCH
                     ? add_watched_name(identity, name, err)
                     : add_ordered_name(&orderer, identity, name, notes, err);

        if (rc != 0) {
            return -1;
        }
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

struct path {
    const struct hc_list *files;
    const char *text;
};

static bool is_path(const void *self, size_t number)
{
    const struct path *path = self;

    return strcmp(path->files->items[number], path->text) == 0;
}

static int file_index(struct hc_conf *conf, const char *text, int *index, struct hc_error *err)
{
    const struct path path = {&conf->files, text};
    uint64_t hash = hc_hash_bytes(text, strlen(text), HC_HASH_SEED);
    size_t number = hc_index_find(&conf->file_index, hash, is_path, &path);

    if (number == SIZE_MAX) {
        number = conf->files.count;
        if (hc_list_add(&conf->files, text, err) != 0 ||
            hc_index_add(&conf->file_index, hash, number, err) != 0) {
            return -1;
        }
    }
    *index = (int)number;
    return 0;
}

/* A file that a host may have or not. */
static int optional_index(struct hc_conf *conf, const char *path, int *index, struct hc_error *err)
{
    *index = -1;
    return path != NULL && path[0] != '\0' ? file_index(conf, path, index, err) : 0;
}

static int add_watched(struct hc_conf *conf, const struct hc_host *host,
                       struct hc_identity *identity, const char *const files[3],
                       struct hc_error *err)
{
    struct hc_watched *w = NULL;

    if (identity->watched == NULL) {
        identity->watched = calloc(HC_WATCHED_MAX, sizeof(*identity->watched));
    }
    if (identity->watched == NULL) {
        return hc_error_nomem(err);
    }
    if (identity->watched_count >= HC_WATCHED_MAX) {
        return hc_error_set(err, HC_P_BAD_VALUE, files[0],
                            "a host serves at most four pairs, one for each kind of key");
    }
    w = &identity->watched[identity->watched_count];
    if (file_index(conf, files[0], &w->certificate, err) != 0 ||
        file_index(conf, files[1], &w->key, err) != 0 ||
        optional_index(conf, files[2], &w->passphrase, err) != 0 ||
        optional_index(conf, host->chain_file, &w->chain, err) != 0 ||
        optional_index(conf, host->store_file, &w->store, err) != 0 ||
        optional_index(conf, host->store_folder, &w->folder, err) != 0) {
        return -1;
    }
    identity->watched_count++;
    return 0;
}

/* The files of the server's own directives, in triples. */
static int add_host_files(struct hc_conf *conf, const struct hc_host *host,
                          struct hc_identity *identity, struct hc_error *err)
{
    const struct hc_list *files = host->files;

    for (size_t i = 0; files != NULL && i + 2 < files->count; i += 3) {
        const char *const triple[3] = {files->items[i], files->items[i + 1], files->items[i + 2]};

        if (add_watched(conf, host, identity, triple, err) != 0) {
            return -1;
        }
    }
    return 0;
}

static int collect_files(struct hc_conf *conf, const struct hc_host *host,
                         struct hc_identity *identity, struct hc_error *err)
{
    const struct hc_list *named = host->scope != NULL ? &host->scope->files : &conf->main.files;

    for (size_t i = 0; i + 1 < named->count; i += 2) {
        const char *const files[3] = {named->items[i], named->items[i + 1], NULL};

        if (add_watched(conf, host, identity, files, err) != 0) {
            return -1;
        }
    }
    if (named->count == 0 && add_host_files(conf, host, identity, err) != 0) {
        return -1;
    }
    if (identity->watched_count == 0) {
        return hc_error_set(err, HC_P_NO_FILES, host->where, NULL);
    }
    return 0;
}

/* The NULs keep "ab" + "c" and "a" + "bc" apart. */
static void digest_text(struct hc_digest *digest, const char *what, const char *text)
{
    hc_digest_text(digest, what);
    hc_digest_text(digest, text);
}

static void digest_file(struct hc_digest *digest, const struct hc_conf *conf, const char *what,
                        int file)
{
    if (file >= 0) {
        digest_text(digest, what, conf->files.items[file]);
    }
}

/* A field that is a part of what an identity is. */
static void digest_field(struct hc_digest *digest, const struct hc_conf *conf,
                         const struct hc_field *field, const struct hc_scope *scope)
{
    const void *value = (const char *)scope + field->offset;
    size_t count = field->type->count(value);

    for (size_t i = 0; i < count; i++) {
        char scratch[HC_FIELD_SCRATCH];
        const char *text = field->type->text(field, value, i, scratch);

        digest_text(digest, field->digest,
                    field->stands_for != NULL ? field->stands_for(conf, text) : text);
    }
}

static int compute_id(const struct hc_conf *conf, struct hc_identity *identity,
                      struct hc_error *err)
{
    struct hc_scope whole = *identity->set; /* borrows */
    struct hc_digest digest;

    whole.names = identity->names;
    hc_digest_begin(&digest);
    digest_text(&digest, "mode", hc_mode_words[identity->mode - 1]);
    for (size_t i = 0; i < identity->watched_count; i++) {
        const struct hc_watched *w = &identity->watched[i];

        digest_file(&digest, conf, "certificate", w->certificate);
        digest_file(&digest, conf, "key", w->key);
        digest_file(&digest, conf, "chain", w->chain);
        digest_file(&digest, conf, "store", w->store);
        digest_file(&digest, conf, "folder", w->folder);
    }
    for (size_t i = 0; identity->mode == HC_MODE_ON && i < hc_directives_main_count; i++) {
        if (hc_directives_main[i].field.digest != NULL) {
            digest_field(&digest, conf, &hc_directives_main[i].field, &whole);
        }
    }
    return hc_digest_end(&digest, identity->id, err);
}

static int build_identity(struct hc_conf *conf, const struct hc_host *host,
                          struct hc_identity *identity, struct hc_findings *notes,
                          struct hc_error *err)
{
    if (collect_names(conf, host, identity, notes, err) != 0 ||
        hc_list_add(&identity->where, host->where, err) != 0 ||
        hc_settings_resolve(conf, host->scope, identity->mode, &identity->set, err) != 0) {
        return -1;
    }
    if (identity->mode == HC_MODE_WATCH) {
        return collect_files(conf, host, identity, err) == 0 ? compute_id(conf, identity, err) : -1;
    }
    /* the lines are no part of what it is: it stays the same when they are taken away */
    return compute_id(conf, identity, err) == 0 ? add_host_files(conf, host, identity, err) : -1;
}

void hc_identity_note_level(struct hc_identity *identity, int security_level)
{
    if (security_level > identity->security_level) {
        identity->security_level = security_level;
    }
}

/* Under `on` the first host's lines count that has any. */
static void join_lines(struct hc_identity *to, struct hc_identity *from)
{
    if (to->watched_count == 0) {
        free(to->watched);
        to->watched = from->watched;
        to->watched_count = from->watched_count;
        from->watched = NULL;
        from->watched_count = 0;
    }
}

/* What hosts accept adds up. */
static int join_accept(struct hc_conf *conf, struct hc_identity *to, const struct hc_identity *from,
                       struct hc_error *err)
{
    struct hc_scope both = *to->set; /* borrows all but accept */
    int rc = -1;

    if (to->set == from->set) {
        return 0;
    }
    memset(&both.accept, 0, sizeof(both.accept));
    if (hc_list_copy(&both.accept, &to->set->accept, err) == 0 &&
        hc_list_copy(&both.accept, &from->set->accept, err) == 0) {
        hc_list_sort_unique(&both.accept);
        rc = hc_settings_share(conf, &both, &to->set, err);
    }
    hc_list_dispose(&both.accept);
    return rc;
}

/*
 * A host that shares an identity brings its place, its accepted slugs and (watch) its names, which
 * hc_conf_finish() sorts again: thousands of hosts may share one file.
 */
static int join(struct hc_conf *conf, struct hc_identity *to, struct hc_identity *from,
                struct hc_error *err)
{
    const char *a = to->set->trusted_certificate != NULL ? to->set->trusted_certificate : "";
    const char *b = from->set->trusted_certificate != NULL ? from->set->trusted_certificate : "";

    if (strcmp(a, b) != 0) {
        return hc_error_set(err, HC_P_CONFLICT, from->where.items[0],
                            "hotcert_trusted_certificate differs from %s, although both hosts "
                            "share a certificate",
                            to->where.items[0]);
    }
    if (hc_list_copy(&to->where, &from->where, err) != 0 || join_accept(conf, to, from, err) != 0 ||
        (to->mode == HC_MODE_WATCH && hc_list_copy(&to->names, &from->names, err) != 0)) {
        return -1;
    }
    if (to->lead == NULL && from->lead != NULL && hc_strdup(from->lead, &to->lead, err) != 0) {
        return -1;
    }
    hc_identity_note_level(to, from->security_level);
    join_lines(to, from);
    return 0;
}

struct sought {
    const struct hc_conf *conf;
    const unsigned char *id;
};

static bool has_id(const void *self, size_t number)
{
    const struct sought *sought = self;

    return memcmp(sought->conf->identities[number].id, sought->id, HC_ID_SIZE) == 0;
}

static int store_identity(struct hc_conf *conf, struct hc_identity *identity, int *index,
                          struct hc_error *err)
{
    const struct sought sought = {conf, identity->id};
    uint64_t hash = hc_hash_bytes(identity->id, HC_ID_SIZE, HC_HASH_SEED);
    size_t count = conf->identity_count;
    size_t number = hc_index_find(&conf->identity_index, hash, has_id, &sought);

    if (number != SIZE_MAX) {
        *index = (int)number;
        if (join(conf, &conf->identities[number], identity, err) != 0) {
            return -1;
        }
        hc_identity_dispose(identity);
        return 0;
    }
    if (hc_conf_make_room(conf, err) != 0 ||
        hc_index_add(&conf->identity_index, hash, count, err) != 0) {
        return -1;
    }
    *index = (int)count;
    conf->identities[conf->identity_count++] = *identity;
    return 0;
}

bool hc_conf_orders_nothing(const struct hc_conf *conf, const struct hc_scope *scope,
                            const struct hc_list *names)
{
    const struct hc_scope *from = scope != NULL ? scope : &conf->main;
    const struct orderer orderer = {conf, effective(&from->use, &conf->main.use),
                                    effective(&from->challenges, &conf->main.challenges), "",
                                    false};
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

bool hc_conf_leaves_host(const struct hc_conf *conf, const struct hc_scope *scope,
                         bool own_certificate, bool has_files)
{
    bool inherited = scope == NULL || scope->mode == HC_MODE_UNSET;

    if (!inherited || (scope != NULL && scope->files.count > 0)) {
        return false;
    }
    return conf->main.mode == HC_MODE_WATCH ? !has_files
                                            : conf->main.mode == HC_MODE_ON && own_certificate;
}

enum hc_level hc_note_level(const struct hc_finding *note)
{
    bool as_configured =
        note->problem == HC_P_NOT_INHERITED || note->problem == HC_P_HOST_LEFT_ALONE;

    return as_configured ? HC_LOG_NOTICE : HC_LOG_WARN;
}

int hc_conf_add_host(struct hc_conf *conf, const struct hc_host *host, int *index,
                     struct hc_findings *notes, struct hc_error *err)
{
    struct hc_identity identity;

    memset(&identity, 0, sizeof(identity));
    *index = -1;
    identity.mode = hc_scope_mode(conf, host->scope);
    identity.security_level = host->security_level;
    if (identity.mode == HC_MODE_OFF) {
        return 0;
    }
    if (!host->tls) {
        /* inherited from http{}, it means the TLS hosts only: nothing to say */
        bool own = host->scope != NULL && host->scope->mode == identity.mode;

        return own ? hc_findings_add(notes, HC_P_NO_TLS, host->where, err,
                                     "hotcert does nothing here")
                   : 0;
    }
    if (hc_conf_leaves_host(conf, host->scope, host->own_certificate,
                            host->files != NULL && host->files->count > 0)) {
        return identity.mode == HC_MODE_ON
                   ? hc_findings_add(
                         notes, HC_P_HOST_LEFT_ALONE, host->where, err,
                         "it inherits `hotcert on`, and it names a certificate of its own")
                   : 0;
    }
    if ((host->rejects || host->has_certificate) &&
        hc_conf_orders_nothing(conf, host->scope, host->names)) {
        return hc_findings_add(notes, HC_P_CATCH_ALL, host->where, err, "%s",
                               host->has_certificate
                                   ? "the server uses the certificate of its lines"
                                   : "it refuses handshakes for unknown names, "
                                     "as with `ssl_reject_handshake on`");
    }
    if (identity.mode == HC_MODE_ON && host->scope != NULL && host->scope->files.count > 0) {
        return hc_error_set(err, HC_P_CONFLICT, host->where,
                            "hotcert_files needs `hotcert watch`, and this host has `hotcert on`; "
                            "remove one of them");
    }
    if (host->not_inherited != NULL && hc_findings_add(notes, HC_P_NOT_INHERITED, host->where, err,
                                                       "%s", host->not_inherited) != 0) {
        return -1;
    }
    if (build_identity(conf, host, &identity, notes, err) != 0 ||
        store_identity(conf, &identity, index, err) != 0) {
        hc_identity_dispose(&identity);
        return -1;
    }
    return 0;
}
