/* What an identity is, and which hosts share one; see host.h. */
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "conf/digest.h"
#include "conf/directive.h"
#include "conf/host.h"
#include "conf/issuer.h"
#include "conf/settings.h"

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

/* What the blocks of its issuers add: a certificate of another profile is another certificate. */
static void digest_profiles(struct hc_digest *digest, const struct hc_conf *conf,
                            const struct hc_scope *set)
{
    for (size_t i = 0; set->profile.count == 0 && i < set->use.count; i++) {
        const struct hc_issuer *issuer = hc_conf_issuer(conf, set->use.items[i]);

        for (size_t k = 0; issuer != NULL && k < issuer->profile.count; k++) {
            digest_text(digest, issuer->name, issuer->profile.items[k]);
        }
    }
}

int hc_identity_compute_id(const struct hc_conf *conf, struct hc_identity *identity,
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
    if (identity->mode == HC_MODE_ON) {
        digest_profiles(&digest, conf, &whole);
    }
    return hc_digest_end(&digest, identity->id, err);
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
    to->is_default = to->is_default || from->is_default;
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

int hc_identity_place(struct hc_conf *conf, struct hc_identity *identity, int *index,
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
