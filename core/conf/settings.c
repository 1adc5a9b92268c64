/* What holds for a host, and where it is kept once; see settings.h. */
#include "conf/settings.h"

#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/vec.h"
#include "conf/directive.h"

/* Rows whose values are handed down to an identity. */
static bool is_kept(const struct hc_directive *row)
{
    return hc_directive_is_hosts(row) && row->field.wire != NULL;
}

struct sought {
    const struct hc_conf *conf;
    const struct hc_scope *set;
};

static bool equal(const void *self, size_t number)
{
    const struct sought *sought = self;

    for (size_t i = 0; i < hc_directives_main_count; i++) {
        if (is_kept(&hc_directives_main[i]) &&
            !hc_field_equal(&hc_directives_main[i].field, sought->set,
                            sought->conf->sets[number])) {
            return false;
        }
    }
    return true;
}

static int copy(struct hc_scope *to, const struct hc_scope *from, struct hc_error *err)
{
    for (size_t i = 0; i < hc_directives_main_count; i++) {
        if (is_kept(&hc_directives_main[i]) &&
            hc_field_copy(&hc_directives_main[i].field, to, from, err) != 0) {
            return -1;
        }
    }
    return 0;
}

struct hc_scope *hc_settings_add(struct hc_conf *conf, struct hc_error *err)
{
    struct hc_scope **sets = hc_vec_room(conf->sets, conf->set_count, NULL, sizeof(void *), err);
    struct hc_scope *set = NULL;

    if (sets == NULL) {
        return NULL;
    }
    conf->sets = sets;
    set = hc_scope_new(err);
    if (set != NULL) {
        set->number = conf->set_count;
        sets[conf->set_count++] = set;
    }
    return set;
}

int hc_settings_share(struct hc_conf *conf, const struct hc_scope *set, const struct hc_scope **out,
                      struct hc_error *err)
{
    const struct sought sought = {conf, set};
    uint64_t hash = HC_HASH_SEED;
    size_t number = 0;

    for (size_t i = 0; i < hc_directives_main_count; i++) {
        if (is_kept(&hc_directives_main[i])) {
            hash = hc_field_hash(&hc_directives_main[i].field, set, hash);
        }
    }
    number = hc_index_find(&conf->set_index, hash, equal, &sought);
    if (number == SIZE_MAX) {
        struct hc_scope *own = hc_settings_add(conf, err);

        if (own == NULL || copy(own, set, err) != 0 ||
            hc_index_add(&conf->set_index, hash, own->number, err) != 0) {
            return -1;
        }
        number = own->number;
    }
    *out = conf->sets[number];
    return 0;
}

const struct hc_list *hc_settings_methods(const struct hc_conf *conf, const struct hc_scope *scope)
{
    if (scope != NULL && scope->challenges.count > 0) {
        return &scope->challenges;
    }
    /* NOLINTNEXTLINE(clang-analyzer-core.NullDereference): there is always a configuration */
    if (conf->main.challenges.count > 0) {
        return &conf->main.challenges;
    }
    return (scope != NULL && scope->dns_use != NULL) || conf->main.dns_use != NULL
               ? &conf->dns_methods
               : &conf->presets.challenges;
}

int hc_settings_resolve(struct hc_conf *conf, const struct hc_scope *scope, enum hc_mode mode,
                        const struct hc_scope **out, struct hc_error *err)
{
    const struct hc_scope *levels[] = {scope, &conf->main, &conf->presets};
    struct hc_scope set; /* borrows: nothing in it is freed */

    memset(&set, 0, sizeof(set));
    for (size_t i = 0; i < hc_directives_main_count; i++) {
        const struct hc_directive *row = &hc_directives_main[i];
        bool wanted = is_kept(row) && !(row->field.orders && mode == HC_MODE_WATCH);

        for (size_t k = 0; wanted && k < HC_COUNT(levels); k++) {
            if (levels[k] != NULL && hc_field_is_set(&row->field, levels[k])) {
                hc_field_borrow(&row->field, &set, levels[k]);
                break;
            }
        }
    }
    if (mode == HC_MODE_ON) {
        set.challenges = *hc_settings_methods(conf, scope);
    }
    return hc_settings_share(conf, &set, out, err);
}

static bool is_meant(const struct hc_directive *row, enum hc_preset which)
{
    switch (which) {
    case HC_PRESET_MAIN:
        return !hc_directive_is_hosts(row);
    case HC_PRESET_HOSTS:
        return hc_directive_is_hosts(row);
    case HC_PRESET_KEPT:
        return is_kept(row);
    case HC_PRESET_WATCH:
        return is_kept(row) && !row->field.orders;
    }
    return false;
}

int hc_settings_preset(struct hc_conf *conf, enum hc_preset which, void *base, struct hc_error *err)
{
    for (size_t i = 0; i < hc_directives_main_count; i++) {
        const struct hc_directive *row = &hc_directives_main[i];

        const struct hc_directive_call call = {
            .directive = row,
            .conf = conf,
            .scope = hc_directive_is_hosts(row) ? base : NULL,
            .context = HC_CTX_MAIN,
        };

        if (is_meant(row, which) && hc_field_preset(&call, &row->field, base, err) != 0) {
            return -1;
        }
    }
    return 0;
}

void hc_scope_dispose(struct hc_scope *scope)
{
    for (size_t i = 0; i < hc_directives_main_count; i++) {
        if (hc_directive_is_hosts(&hc_directives_main[i])) {
            hc_field_dispose(&hc_directives_main[i].field, scope);
        }
    }
}

struct hc_scope *hc_scope_new(struct hc_error *err)
{
    struct hc_scope *scope = calloc(1, sizeof(*scope));

    if (scope == NULL) {
        hc_error_nomem(err);
    }
    return scope;
}

void hc_scope_free(struct hc_scope *scope)
{
    if (scope != NULL) {
        hc_scope_dispose(scope);
        free(scope);
    }
}
