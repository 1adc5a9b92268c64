/* The best pair there is; see select.h. */
#include "agent/select.h"

#include <openssl/evp.h>
#include <string.h>

#include "agent/schedule.h"
#include "conf/name.h"

bool hc_identity_uses(const struct hc_conf *conf, const struct hc_identity *identity,
                      const char *directory_url)
{
    for (size_t i = 0; i < identity->use.count; i++) {
        const struct hc_issuer *issuer = hc_conf_issuer(conf, identity->use.items[i]);

        if (issuer != NULL && issuer->directory_url != NULL &&
            strcmp(issuer->directory_url, directory_url) == 0) {
            return true;
        }
    }
    return false;
}

static bool covers_name(const struct hc_line_info *info, const char *name)
{
    for (size_t i = 0; i < info->names.count; i++) {
        if (hc_name_matches(info->names.items[i], name)) {
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
        count += covers_name(info, identity->names.items[i]);
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

/* any_kind: also a pair whose key is of another kind than type. */
static const struct hc_line_info *best_for(const struct hc_conf *conf,
                                           const struct hc_identity *identity,
                                           enum hc_key_type type, bool any_kind,
                                           const struct hc_inventory *inventory, int64_t now,
                                           hc_select_skip *skip, void *arg)
{
    const struct hc_line_info *best = NULL;
    const struct hc_line_info *exact = NULL;
    unsigned char own[HC_ID_SIZE];
    struct merit best_merit = {{0}};

    hc_line_of(identity->id, type, own);
    exact = hc_inventory_find(inventory, own);
    if (exact != NULL && valid_at(exact, now) && hc_list_equal(&exact->names, &identity->names) &&
        (skip == NULL || !skip(arg, own))) {
        return exact; /* nothing can be better; the usual case costs one look-up */
    }
    for (size_t i = 0; i < inventory->count; i++) {
        const struct hc_line_info *info = &inventory->items[i];
        struct merit merit;

        if ((!any_kind && kind_of(info->key_type) != kind_of(type)) ||
            (skip != NULL && skip(arg, info->line))) {
            continue;
        }
        merit = merit_of(conf, identity, info, own, type, now);
        if (merit.weights[1] > 0 && (best == NULL || better(&merit, &best_merit))) {
            best = info;
            best_merit = merit;
        }
    }
    return best;
}

static void select_add(struct hc_selection *out, const struct hc_identity *identity,
                       const struct hc_line_info *info)
{
    struct hc_selected *item = &out->items[out->count];

    memcpy(item->line, info->line, HC_ID_SIZE);
    item->version = info->version;
    item->committed = info->committed;
    item->own = false;
    for (size_t i = 0; i < identity->key_type_count; i++) {
        unsigned char own[HC_ID_SIZE];

        hc_line_of(identity->id, identity->key_types[i], own);
        item->own = item->own || memcmp(own, info->line, HC_ID_SIZE) == 0;
    }
    out->count++;
}

void hc_select(const struct hc_conf *conf, const struct hc_identity *identity,
               const struct hc_inventory *inventory, int64_t now, hc_select_skip *skip, void *arg,
               struct hc_selection *out)
{
    memset(out, 0, sizeof(*out));
    for (size_t i = 0; i < identity->key_type_count; i++) {
        const struct hc_line_info *info =
            best_for(conf, identity, identity->key_types[i], false, inventory, now, skip, arg);

        if (info != NULL) {
            select_add(out, identity, info);
        }
    }
    if (out->count == 0 && identity->key_type_count > 0) {
        const struct hc_line_info *info =
            best_for(conf, identity, identity->key_types[0], true, inventory, now, skip, arg);

        if (info != NULL) {
            select_add(out, identity, info);
        }
    }
}

bool hc_selection_equal(const struct hc_selection *a, const struct hc_selection *b)
{
    if (a->count != b->count) {
        return false;
    }
    for (size_t i = 0; i < a->count; i++) {
        if (a->items[i].version != b->items[i].version ||
            a->items[i].committed != b->items[i].committed ||
            memcmp(a->items[i].line, b->items[i].line, HC_ID_SIZE) != 0) {
            return false;
        }
    }
    return true;
}

const struct hc_line_info *hc_select_adoptable(const struct hc_conf *conf,
                                               const struct hc_identity *identity,
                                               enum hc_key_type type,
                                               const struct hc_inventory *inventory, int64_t now)
{
    const struct hc_line_info *best = NULL;
    unsigned char own[HC_ID_SIZE];

    hc_line_of(identity->id, type, own);
    for (size_t i = 0; i < inventory->count; i++) {
        const struct hc_line_info *info = &inventory->items[i];

        if (info->mode == HC_MODE_ON && info->key_type == type &&
            memcmp(info->line, own, HC_ID_SIZE) != 0 && valid_at(info, now) &&
            hc_list_equal(&info->names, &identity->names) &&
            hc_identity_uses(conf, identity, info->issuer) &&
            (best == NULL || info->not_after > best->not_after)) {
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
    EVP_MD_CTX *digest = EVP_MD_CTX_new();

    /* with their NULs, so that no two pairs of paths read alike */
    if (digest == NULL || EVP_DigestInit_ex(digest, EVP_sha256(), NULL) != 1 ||
        EVP_DigestUpdate(digest, label, sizeof(label)) != 1 ||
        EVP_DigestUpdate(digest, certificate, strlen(certificate) + 1) != 1 ||
        EVP_DigestUpdate(digest, key, strlen(key) + 1) != 1 ||
        EVP_DigestFinal_ex(digest, line, NULL) != 1) {
        memset(line, 0, HC_ID_SIZE);
    }
    EVP_MD_CTX_free(digest);
}
