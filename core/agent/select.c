/* The best pair there is; see select.h. */
#include "agent/select.h"

#include <openssl/evp.h>
#include <string.h>

#include "agent/schedule.h"
#include "conf/digest.h"
#include "conf/issuer.h"
#include "conf/name.h"

bool hc_identity_uses(const struct hc_conf *conf, const struct hc_identity *identity,
                      const char *directory_url)
{
    for (size_t i = 0; i < identity->set->use.count; i++) {
        const struct hc_issuer *issuer = hc_conf_issuer(conf, identity->set->use.items[i]);

        if (issuer != NULL && issuer->directory_url != NULL &&
            strcmp(issuer->directory_url, directory_url) == 0) {
            return true;
        }
    }
    return false;
}

static size_t covered(const struct hc_line_info *info, const struct hc_identity *identity)
{
    size_t count = 0;

    if (hc_list_equal(&info->names, &identity->names)) {
        return identity->names.count;
    }
    for (size_t i = 0; i < identity->names.count; i++) {
        count += hc_name_among(&info->names, identity->names.items[i]);
    }
    return count;
}

static bool valid_at(const struct hc_line_info *info, int64_t now)
{
    return now < info->not_after && now >= info->not_before - HC_CLOCK_SLACK;
}

/* What speaks for a candidate, the weightiest first. */
struct merit {
    int64_t weights[6];
};

static struct merit merit_of(const struct hc_conf *conf, const struct hc_identity *identity,
                             const struct hc_line_info *info, const unsigned char own[HC_ID_SIZE],
                             enum hc_key_type type, int64_t now)
{
    bool used = hc_identity_uses(conf, identity, info->issuer);
    bool same = used && info->key_type == type && hc_list_equal(&info->names, &identity->names);
    struct merit merit = {{
        valid_at(info, now),
        (int64_t)covered(info, identity),
        memcmp(info->line, own, HC_ID_SIZE) == 0,
        same,
        used,
        info->not_after,
    }};

    return merit;
}

static bool better(const struct merit *a, const struct merit *b)
{
    for (size_t i = 0; i < HC_COUNT(a->weights); i++) {
        if (a->weights[i] != b->weights[i]) {
            return a->weights[i] > b->weights[i];
        }
    }
    return false;
}

enum kind { KIND_RSA, KIND_ECDSA, KIND_OTHER };

static enum kind kind_of(enum hc_key_type type)
{
    if (hc_key_type_is_rsa(type)) {
        return KIND_RSA;
    }
    return type == HC_KEY_OTHER || type == HC_KEY_NONE ? KIND_OTHER : KIND_ECDSA;
}

/* What is looked for, and the best so far. */
struct search {
    struct hc_select_case c;
    enum hc_key_type type;
    bool any_kind; /* also a pair whose key is of another kind than type */
    unsigned char own[HC_ID_SIZE];
    unsigned char (*lines)[HC_ID_SIZE]; /* copies of the host's own lines: see agent/first.h */
    const struct hc_line_info *best;
    struct merit merit;
};

static bool is_of_lines(const struct search *s, const struct hc_line_info *info)
{
    for (size_t i = 0; i < s->c.identity->watched_count; i++) {
        if (memcmp(s->lines[i], info->line, HC_ID_SIZE) == 0) {
            return true;
        }
    }
    return false;
}

static void consider(struct search *s, const struct hc_line_info *info)
{
    struct merit merit;

    if (is_of_lines(s, info) || (!s->any_kind && kind_of(info->key_type) != kind_of(s->type)) ||
        (s->c.skip != NULL && s->c.skip(s->c.arg, info->line))) {
        return;
    }
    merit = merit_of(s->c.conf, s->c.identity, info, s->own, s->type, s->c.now);
    if (s->best == NULL || better(&merit, &s->merit) ||
        (!better(&s->merit, &merit) && memcmp(info->line, s->best->line, HC_ID_SIZE) < 0)) {
        s->best = info;
        s->merit = merit;
    }
}

/* Those that a pattern leads to, but for what an earlier name of the identity led to. */
static void consider_named(struct search *s, const char *pattern, size_t number)
{
    const struct hc_list *names = &s->c.identity->names;
    const struct hc_line_info *info = NULL;
    size_t at = 0;

    while ((info = hc_inventory_named(s->c.inventory, pattern, &at)) != NULL) {
        size_t first = 0;

        while (first < number && !hc_name_among(&info->names, names->items[first])) {
            first++;
        }
        if (first == number) {
            consider(s, info);
        }
    }
}

/* All that covers any of the names: by the name itself, or by the wildcard above it. */
static void consider_all(struct search *s)
{
    const struct hc_list *names = &s->c.identity->names;
    char wildcard[HC_NAME_SIZE + 1];

    for (size_t i = 0; i < names->count; i++) {
        const char *rest = strchr(names->items[i], '.');

        consider_named(s, names->items[i], i);
        if (rest != NULL && !hc_name_is_wildcard(names->items[i]) &&
            snprintf(wildcard, sizeof(wildcard), "*%s", rest) < (int)sizeof(wildcard) &&
            hc_name_matches(wildcard, names->items[i])) {
            consider_named(s, wildcard, i);
        }
    }
}

static const struct hc_line_info *best_for(struct search *s)
{
    const struct hc_line_info *exact = NULL;

    hc_line_of(s->c.identity->id, s->type, s->own);
    exact = hc_inventory_find(s->c.inventory, s->own);
    if (exact != NULL && valid_at(exact, s->c.now) &&
        hc_list_equal(&exact->names, &s->c.identity->names) &&
        (s->c.skip == NULL || !s->c.skip(s->c.arg, s->own))) {
        return exact; /* nothing can be better; the usual case costs one look-up */
    }
    consider_all(s);
    return s->best;
}

static void select_add(struct hc_selection *out, const struct hc_identity *identity,
                       const struct hc_line_info *info)
{
    struct hc_selected *item = &out->items[out->count];

    memcpy(item->line, info->line, HC_ID_SIZE);
    item->version = info->version;
    item->committed = info->committed;
    item->own = false;
    for (size_t i = 0; i < identity->set->key_types.count; i++) {
        unsigned char own[HC_ID_SIZE];

        hc_line_of(identity->id, identity->set->key_types.items[i], own);
        item->own = item->own || memcmp(own, info->line, HC_ID_SIZE) == 0;
    }
    out->count++;
}

/* By value: each search begins with nothing found. */
static void add_best(struct search search, struct hc_selection *out)
{
    const struct hc_line_info *info = best_for(&search);

    if (info != NULL) {
        select_add(out, search.c.identity, info);
    }
}

void hc_select(const struct hc_select_case *c, struct hc_selection *out)
{
    const struct hc_identity *identity = c->identity;
    unsigned char lines[HC_WATCHED_MAX][HC_ID_SIZE];
    struct search search = {.c = *c, .lines = lines};

    memset(out, 0, sizeof(*out));
    for (size_t i = 0; i < identity->watched_count; i++) {
        hc_watched_line(c->conf, &identity->watched[i], lines[i]);
    }
    for (size_t i = 0; i < identity->set->key_types.count; i++) {
        search.type = identity->set->key_types.items[i];
        add_best(search, out);
    }
    if (out->count == 0 && identity->set->key_types.count > 0) {
        search.type = identity->set->key_types.items[0];
        search.any_kind = true;
        add_best(search, out);
    }
}

bool hc_selection_is_own(const struct hc_selection *selection, const struct hc_identity *identity)
{
    bool own = selection->count == identity->set->key_types.count;

    for (size_t i = 0; i < selection->count; i++) {
        own = own && selection->items[i].own;
    }
    return own;
}

/*
 * A pair that was asked for with the profile serves who only wishes for it and who requires it, if
 * it was required then, too: else the CA may have issued it without the profile.
 */
static bool profile_serves(const char *kept, const char *wanted)
{
    size_t len = strlen(wanted);

    return strcmp(kept, wanted) == 0 || (len > 0 && strncmp(kept, wanted, len) == 0 &&
                                         strcmp(kept + len, " " HC_PROFILE_REQUIRED) == 0);
}

/* The same CA with the same profile: a pair of another one would not be what the host asks for. */
static bool is_of_profile(const struct hc_conf *conf, const struct hc_identity *identity,
                          const struct hc_line_info *info)
{
    for (size_t i = 0; i < identity->set->use.count; i++) {
        const struct hc_issuer *issuer = hc_conf_issuer(conf, identity->set->use.items[i]);
        char wanted[HC_PROFILE_TEXT];

        if (issuer == NULL || issuer->directory_url == NULL ||
            strcmp(issuer->directory_url, info->issuer) != 0) {
            continue;
        }
        return profile_serves(info->profile != NULL ? info->profile : "",
                              hc_issuer_profile_text(issuer, identity->set, wanted));
    }
    return false;
}

const struct hc_line_info *hc_select_adoptable(const struct hc_conf *conf,
                                               const struct hc_identity *identity,
                                               enum hc_key_type type,
                                               const struct hc_inventory *inventory, int64_t now)
{
    const struct hc_line_info *best = NULL;
    const struct hc_line_info *info = NULL;
    unsigned char own[HC_ID_SIZE];
    size_t at = 0;

    hc_line_of(identity->id, type, own);
    while ((info = hc_inventory_named(inventory, identity->names.items[0], &at)) != NULL) {
        if (info->mode == HC_MODE_ON && info->key_type == type &&
            memcmp(info->line, own, HC_ID_SIZE) != 0 && valid_at(info, now) &&
            hc_list_equal(&info->names, &identity->names) && is_of_profile(conf, identity, info) &&
            (best == NULL || info->not_after > best->not_after ||
             (info->not_after == best->not_after &&
              memcmp(info->line, best->line, HC_ID_SIZE) < 0))) {
            best = info;
        }
    }
    return best;
}

void hc_watched_line(const struct hc_conf *conf, const struct hc_watched *watched,
                     unsigned char line[HC_ID_SIZE])
{
    static const char label[] = "hotcert watched pair";
    const char *certificate = conf->files.items[watched->certificate];
    const char *key = conf->files.items[watched->key];
    const int more[] = {watched->chain, watched->store, watched->folder};
    struct hc_digest digest;

    /* with their NULs, so that no two pairs of paths read alike */
    hc_digest_begin(&digest);
    hc_digest_bytes(&digest, label, sizeof(label));
    hc_digest_text(&digest, certificate);
    hc_digest_text(&digest, key);
    for (size_t i = 0; i < HC_COUNT(more); i++) {
        /* the same pair with another chain; without any, lines are those of earlier versions */
        if (more[i] >= 0) {
            hc_digest_bytes(&digest, &"chstfo"[2 * i], 2);
            hc_digest_text(&digest, conf->files.items[more[i]]);
        }
    }
    if (hc_digest_end(&digest, line, NULL) != 0) {
        memset(line, 0, HC_ID_SIZE);
    }
}
