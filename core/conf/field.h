/*
 * A field of the configuration, described: its place, its type, what it may hold, where it comes
 * from when nobody sets it, its key on the wire, whether it is a part of what an identity is. All
 * that is done with a field (setting, merging, freeing, digest, wire form, reference) derives from
 * this description; a row of the table of directives (directive.h) is one with a name.
 *
 * A base is the struct that the field lies in: hc_conf, hc_scope or a block's own. One thread.
 */
#ifndef HC_CONF_FIELD_H
#define HC_CONF_FIELD_H

#include <limits.h>

#include "base/compiler.h"
#include "base/error.h"

#define HC_FIELD_SCRATCH 32
#define HC_FIELD_VALUE   PATH_MAX /* of one argument in its final form, with NUL */

struct hc_conf;
struct hc_directive_call;
struct hc_field;

/* A value is a number of texts: none while it is unset. */
struct hc_field_type {
    size_t size; /* of what lies at the field's offset */
    size_t (*count)(const void *value);
    const char *(*text)(const struct hc_field *field, const void *value, size_t i,
                        char scratch[HC_FIELD_SCRATCH]);
    /* 0; 1: the text is no value of this field, or there is no room for one more; -1: no memory */
    int (*add)(const struct hc_field *field, void *value, const char *text, struct hc_error *err);
    void (*dispose)(void *value);
};

extern const struct hc_field_type hc_field_text;      /* char *, owned */
extern const struct hc_field_type hc_field_number;    /* int64_t; 0: unset */
extern const struct hc_field_type hc_field_word;      /* an enum whose zero is "unset" */
extern const struct hc_field_type hc_field_list;      /* struct hc_list */
extern const struct hc_field_type hc_field_key_types; /* struct hc_key_types */

struct hc_field {
    const struct hc_field_type *type;
    size_t offset; /* in its base */
    size_t given;  /* a list that may be given empty: the offset of the bool that tells; or 0 */
    const char *nothing;  /* the argument that gives such a list without anything in it, or NULL */
    const char *wire;     /* its key in the wire form; NULL: it stays in the server */
    const char *digest;   /* a part of what an identity under `on` is: its label there; NULL: not */
    const char *preset;   /* as arguments: what holds where nobody sets it; NULL: nothing does */
    const char *inherits; /* in a block: the directive of the main level that holds instead */
    bool orders;          /* of ordering: left out of an identity under `watch` */
    bool repeats;         /* given again it adds */
    bool kept;            /* hc_field_text: a file that root alone reads; the keeper hands it on */
    const char *const *words;  /* hc_field_word: the first stands for 1; ends with NULL */
    int64_t least, most, unit; /* hc_field_number: an argument's limits, and what one of it is */
    const char *of;            /* hc_field_number: " of MiB", for a message; may be NULL */
    /*
     * Checks an argument and brings it into the form that is kept. NULL: taken as it is. -1 with
     * the error set.
     */
    int (*value)(const struct hc_directive_call *call, const char *arg, char out[HC_FIELD_VALUE],
                 struct hc_error *err);
    /* What counts in the digest instead of a text; NULL: the text itself. */
    const char *(*stands_for)(const struct hc_conf *conf, const char *text);
};

bool hc_field_is_set(const struct hc_field *field, const void *base);
bool hc_field_equal(const struct hc_field *field, const void *a, const void *b);
/* FNV-1a over its texts, going on from hash. */
uint64_t hc_field_hash(const struct hc_field *field, const void *base, uint64_t hash);
/* Copies what is set; to is unset before. */
int hc_field_copy(const struct hc_field *field, void *to, const void *from,
                  struct hc_error *err) HC_MUST_USE;
/* Copies another field's value, of the same type, that is in another base. */
int hc_field_inherit(const struct hc_field *field, void *to, const struct hc_field *other,
                     const void *from, struct hc_error *err) HC_MUST_USE;
/* The same without a copy of what the value points to: from keeps it. */
void hc_field_borrow(const struct hc_field *field, void *to, const void *from);
void hc_field_dispose(const struct hc_field *field, void *base);
/* As the type's add. */
int hc_field_add(const struct hc_field *field, void *base, const char *text, struct hc_error *err);

/* The words of one use of a directive. HC_P_BAD_VALUE, HC_P_DUPLICATE, or what value() says. */
int hc_field_set(const struct hc_directive_call *call, const struct hc_field *field, void *base,
                 struct hc_error *err) HC_MUST_USE;

/* The same with the words of the field's preset, if it has one and base has no value yet. */
int hc_field_preset(const struct hc_directive_call *call, const struct hc_field *field, void *base,
                    struct hc_error *err) HC_MUST_USE;

#endif
