/* Blocks of any kind; see block.h. */
#include "conf/block.h"

#include <stdlib.h>
#include <string.h>

#include "base/vec.h"

const struct hc_block_kind *const hc_block_kinds[] = {&hc_block_issuer, &hc_block_dns, NULL};

static char **items_of(const struct hc_conf *conf, const struct hc_block_kind *kind)
{
    return (char **)(uintptr_t)((const char *)conf + kind->items);
}

static size_t *count_of(const struct hc_conf *conf, const struct hc_block_kind *kind)
{
    return (size_t *)(uintptr_t)((const char *)conf + kind->count);
}

static char **text_of(const void *block, size_t offset)
{
    return (char **)(uintptr_t)((const char *)block + offset);
}

size_t hc_block_count(const struct hc_conf *conf, const struct hc_block_kind *kind)
{
    return *count_of(conf, kind);
}

void *hc_block_at(const struct hc_conf *conf, const struct hc_block_kind *kind, size_t i)
{
    return *items_of(conf, kind) + i * kind->size;
}

const char *hc_block_name(const struct hc_block_kind *kind, const void *block)
{
    return *text_of(block, kind->name);
}

void *hc_block_find(const struct hc_conf *conf, const struct hc_block_kind *kind, const char *name)
{
    for (size_t i = 0; i < hc_block_count(conf, kind); i++) {
        void *block = hc_block_at(conf, kind, i);

        if (strcmp(hc_block_name(kind, block), name) == 0) {
            return block;
        }
    }
    return NULL;
}

static void dispose(const struct hc_block_kind *kind, void *block)
{
    for (size_t i = 0; i < kind->row_count; i++) {
        hc_field_dispose(&kind->rows[i].field, block);
    }
    free(*text_of(block, kind->name));
    free(*text_of(block, kind->where));
}

int hc_block_add(struct hc_conf *conf, const struct hc_block_kind *kind, const char *name,
                 const char *where, void **block, struct hc_error *err)
{
    size_t *count = count_of(conf, kind);
    char *items = hc_vec_room(*items_of(conf, kind), *count, NULL, kind->size, err);

    if (items == NULL) {
        return -1;
    }
    *items_of(conf, kind) = items;
    *block = items + *count * kind->size;
    memset(*block, 0, kind->size);
    if (hc_strdup(name, text_of(*block, kind->name), err) != 0 ||
        hc_strdup(where, text_of(*block, kind->where), err) != 0) {
        dispose(kind, *block);
        return -1;
    }
    (*count)++;
    return 0;
}

int hc_block_begin(struct hc_conf *conf, const struct hc_block_kind *kind, const char *name,
                   const char *where, void **block, struct hc_error *err)
{
    void *known = hc_block_find(conf, kind, name);
    char **place = known != NULL ? text_of(known, kind->where) : NULL;

    if (name[0] == '\0' || strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                        "0123456789-_.") != strlen(name)) {
        return hc_error_set(err, HC_P_BAD_VALUE, name,
                            "the name of %s may have only letters, digits, '-', '_' and '.'",
                            kind->noun);
    }
    if (known == NULL) {
        return hc_block_add(conf, kind, name, where, block, err);
    }
    if (strcmp(*place, "built in") != 0) {
        return hc_error_set(err, HC_P_DUPLICATE, name, "%s of this name is already defined at %s",
                            kind->noun, *place);
    }
    /* a block for a built-in one adds to it: contact, terms, another ca_bundle */
    free(*place);
    *place = NULL;
    *block = known;
    return hc_strdup(where, place, err);
}

int hc_block_fill(struct hc_conf *conf, const struct hc_block_kind *kind, void *block,
                  struct hc_error *err)
{
    struct hc_directive_call call = {.conf = conf, .block = block, .context = kind->context};

    for (size_t i = 0; i < kind->row_count; i++) {
        const struct hc_field *field = &kind->rows[i].field;

        if (hc_field_is_set(field, block)) {
            continue;
        }
        if (field->inherits != NULL &&
            hc_field_inherit(field, block, &hc_directive_find(field->inherits, HC_CTX_MAIN)->field,
                             conf, err) != 0) {
            return -1;
        }
        call.directive = &kind->rows[i];
        if (hc_field_preset(&call, field, block, err) != 0) {
            return -1;
        }
    }
    return 0;
}

void hc_blocks_dispose(struct hc_conf *conf)
{
    for (size_t k = 0; hc_block_kinds[k] != NULL; k++) {
        for (size_t i = 0; i < hc_block_count(conf, hc_block_kinds[k]); i++) {
            dispose(hc_block_kinds[k], hc_block_at(conf, hc_block_kinds[k], i));
        }
        free(*items_of(conf, hc_block_kinds[k]));
    }
}
