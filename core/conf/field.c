/* Types of fields, and what is done with any field; see field.h. */
#include "conf/field.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/str.h"
#include "conf/directive.h"
#include "conf/index.h"

#define HC_FIELD_PRESET 96

/* ---- types ---- */

static size_t text_count(const void *value)
{
    return *(char *const *)value != NULL;
}

static const char *text_text(const struct hc_field *field HC_UNUSED, const void *value,
                             size_t i HC_UNUSED, char scratch[HC_FIELD_SCRATCH] HC_UNUSED)
{
    return *(char *const *)value;
}

static int text_add(const struct hc_field *field HC_UNUSED, void *value, const char *text,
                    struct hc_error *err)
{
    return text_count(value) > 0 ? 1 : hc_strdup(text, value, err);
}

static void text_dispose(void *value)
{
    char **text = value;

    free(*text);
    *text = NULL;
}

const struct hc_field_type hc_field_text = {sizeof(char *), text_count, text_text, text_add,
                                            text_dispose};

static size_t number_count(const void *value)
{
    return *(const int64_t *)value != 0;
}

static const char *number_text(const struct hc_field *field HC_UNUSED, const void *value,
                               size_t i HC_UNUSED, char scratch[HC_FIELD_SCRATCH])
{
    (void)snprintf(scratch, HC_FIELD_SCRATCH, "%" PRId64, *(const int64_t *)value);
    return scratch;
}

/* Its limits are an argument's: what another version sends may lie outside of ours. */
static int number_add(const struct hc_field *field HC_UNUSED, void *value, const char *text,
                      struct hc_error *err HC_UNUSED)
{
    char *end = NULL;
    long long number = 0;

    errno = 0;
    number = strtoll(text, &end, 10);
    if (end == text || *end != '\0' || errno != 0 || number <= 0 || number > INT64_MAX / 2 ||
        number_count(value) > 0) {
        return 1;
    }
    *(int64_t *)value = number;
    return 0;
}

static void number_dispose(void *value)
{
    *(int64_t *)value = 0;
}

const struct hc_field_type hc_field_number = {sizeof(int64_t), number_count, number_text,
                                              number_add, number_dispose};

static size_t word_count(const void *value)
{
    return *(const unsigned *)value != 0;
}

static const char *word_text(const struct hc_field *field, const void *value, size_t i HC_UNUSED,
                             char scratch[HC_FIELD_SCRATCH] HC_UNUSED)
{
    return field->words[*(const unsigned *)value - 1];
}

static int word_add(const struct hc_field *field, void *value, const char *text,
                    struct hc_error *err HC_UNUSED)
{
    for (unsigned i = 0; word_count(value) == 0 && field->words[i] != NULL; i++) {
        if (strcasecmp(text, field->words[i]) == 0) {
            *(unsigned *)value = i + 1;
            return 0;
        }
    }
    return 1;
}

static void word_dispose(void *value)
{
    *(unsigned *)value = 0;
}

const struct hc_field_type hc_field_word = {sizeof(unsigned), word_count, word_text, word_add,
                                            word_dispose};

static size_t list_count(const void *value)
{
    return ((const struct hc_list *)value)->count;
}

static const char *list_text(const struct hc_field *field HC_UNUSED, const void *value, size_t i,
                             char scratch[HC_FIELD_SCRATCH] HC_UNUSED)
{
    return ((const struct hc_list *)value)->items[i];
}

static int list_add(const struct hc_field *field HC_UNUSED, void *value, const char *text,
                    struct hc_error *err)
{
    return hc_list_add(value, text, err);
}

static void list_dispose(void *value)
{
    hc_list_dispose(value);
}

const struct hc_field_type hc_field_list = {sizeof(struct hc_list), list_count, list_text, list_add,
                                            list_dispose};

static size_t key_types_count(const void *value)
{
    return ((const struct hc_key_types *)value)->count;
}

static const char *key_types_text(const struct hc_field *field HC_UNUSED, const void *value,
                                  size_t i, char scratch[HC_FIELD_SCRATCH] HC_UNUSED)
{
    return hc_key_type_name(((const struct hc_key_types *)value)->items[i]);
}

/* ECDSA comes first, whichever is named first: their order says nothing. */
static int key_types_add(const struct hc_field *field HC_UNUSED, void *value, const char *text,
                         struct hc_error *err HC_UNUSED)
{
    struct hc_key_types *types = value;
    enum hc_key_type type = hc_key_type_parse(text);

    if (type == HC_KEY_NONE || types->count == HC_KEY_TYPES_MAX) {
        return 1;
    }
    if (types->count == 1 && hc_key_type_is_rsa(types->items[0])) {
        types->items[1] = types->items[0];
        types->items[0] = type;
    } else {
        types->items[types->count] = type;
    }
    types->count++;
    return 0;
}

static void key_types_dispose(void *value)
{
    ((struct hc_key_types *)value)->count = 0;
}

const struct hc_field_type hc_field_key_types = {sizeof(struct hc_key_types), key_types_count,
                                                 key_types_text, key_types_add, key_types_dispose};

/* ---- any field ---- */

static const void *value_in(const struct hc_field *field, const void *base)
{
    return (const char *)base + field->offset;
}

static void *place_in(const struct hc_field *field, void *base)
{
    return (char *)base + field->offset;
}

static bool *given_in(const struct hc_field *field, void *base)
{
    return (bool *)(void *)((char *)base + field->given);
}

bool hc_field_is_set(const struct hc_field *field, const void *base)
{
    return field->type->count(value_in(field, base)) > 0 ||
           (field->given != 0 && *(const bool *)((const char *)base + field->given));
}

bool hc_field_equal(const struct hc_field *field, const void *a, const void *b)
{
    const void *left = value_in(field, a);
    const void *right = value_in(field, b);
    size_t count = field->type->count(left);
    char scratch[2][HC_FIELD_SCRATCH];

    if (count != field->type->count(right)) {
        return false;
    }
    for (size_t i = 0; i < count; i++) {
        if (strcmp(field->type->text(field, left, i, scratch[0]),
                   field->type->text(field, right, i, scratch[1])) != 0) {
            return false;
        }
    }
    return true;
}

uint64_t hc_field_hash(const struct hc_field *field, const void *base, uint64_t hash)
{
    const void *value = value_in(field, base);
    size_t count = field->type->count(value);
    char scratch[HC_FIELD_SCRATCH];

    for (size_t i = 0; i < count; i++) {
        const char *text = field->type->text(field, value, i, scratch);

        hash = hc_hash_bytes(text, strlen(text) + 1, hash);
    }
    return hc_hash_bytes(&count, sizeof(count), hash);
}

int hc_field_inherit(const struct hc_field *field, void *to, const struct hc_field *other,
                     const void *from, struct hc_error *err)
{
    const void *value = value_in(other, from);
    size_t count = other->type->count(value);
    char scratch[HC_FIELD_SCRATCH];

    for (size_t i = 0; i < count; i++) {
        if (hc_field_add(field, to, other->type->text(other, value, i, scratch), err) != 0) {
            return -1;
        }
    }
    return 0;
}

int hc_field_copy(const struct hc_field *field, void *to, const void *from, struct hc_error *err)
{
    if (hc_field_inherit(field, to, field, from, err) != 0) {
        return -1;
    }
    if (field->given != 0) {
        *given_in(field, to) = hc_field_is_set(field, from);
    }
    return 0;
}

void hc_field_borrow(const struct hc_field *field, void *to, const void *from)
{
    memcpy(place_in(field, to), value_in(field, from), field->type->size);
}

void hc_field_dispose(const struct hc_field *field, void *base)
{
    field->type->dispose(place_in(field, base));
}

int hc_field_add(const struct hc_field *field, void *base, const char *text, struct hc_error *err)
{
    return field->type->add(field, place_in(field, base), text, err);
}

static int bad(const struct hc_directive_call *call, const char *arg, struct hc_error *err)
{
    return hc_error_set(err, HC_P_BAD_VALUE, arg, "it takes %s", call->directive->args);
}

static int set_one(const struct hc_directive_call *call, const struct hc_field *field, void *base,
                   const char *arg, struct hc_error *err)
{
    char final[HC_FIELD_VALUE];
    int rc = 0;

    if (field->value != NULL && field->value(call, arg, final, err) != 0) {
        return -1;
    }
    rc = hc_field_add(field, base, field->value != NULL ? final : arg, err);
    return rc > 0 ? bad(call, arg, err) : rc;
}

int hc_field_set(const struct hc_directive_call *call, const struct hc_field *field, void *base,
                 struct hc_error *err)
{
    bool none =
        field->nothing != NULL && call->count == 1 && strcmp(call->args[0], field->nothing) == 0;

    if (!field->repeats && hc_field_is_set(field, base)) {
        return hc_error_set(err, HC_P_DUPLICATE, NULL, "it is already set at this level");
    }
    for (unsigned i = 0; i < call->count && !none; i++) {
        if (set_one(call, field, base, call->args[i], err) != 0) {
            return -1;
        }
    }
    if (field->given != 0) {
        *given_in(field, base) = true;
    }
    return 0;
}

int hc_field_preset(const struct hc_directive_call *call, const struct hc_field *field, void *base,
                    struct hc_error *err)
{
    struct hc_directive_call with = *call;
    char words[HC_FIELD_PRESET];
    const char *args[HC_FIELD_PRESET / 2];
    char *rest = words;

    if (field->preset == NULL || hc_field_is_set(field, base)) {
        return 0;
    }
    (void)hc_copy(words, sizeof(words), field->preset);
    with.args = args;
    with.count = 0;
    while (rest != NULL) {
        args[with.count++] = strsep(&rest, " ");
    }
    return hc_field_set(&with, field, base, err);
}
