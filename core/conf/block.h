/*
 * Blocks with a name: hotcert_issuer NAME { .. } in nginx, <HotCertIssuer NAME> in httpd.
 *
 * A new kind is a struct with a name and a place, an array of it in hc_conf, a table of rows with
 * an hc_block_kind below it (as rows_issuer.c), a bit in directive.h, an entry in hc_block_kinds,
 * and a row in rows.c that opens it. Both servers parse it then, and it is freed, checked for
 * duplicates, handed to the agent and documented.
 */
#ifndef HC_CONF_BLOCK_H
#define HC_CONF_BLOCK_H

#include "conf/directive.h"

struct hc_block_kind {
    const char *wire;    /* in the wire form: "issuer" */
    const char *noun;    /* "an issuer" */
    unsigned context;    /* its bit, HC_CTX_ISSUER */
    size_t size;         /* of its struct */
    size_t name, where;  /* offsets of its char *name and char *where */
    size_t items, count; /* offsets in hc_conf of the array and of its size_t */
    const struct hc_directive *rows;
    size_t row_count;
};

extern const struct hc_block_kind hc_block_issuer;
extern const struct hc_block_kind hc_block_dns;

/* All kinds; NULL behind the last. */
extern const struct hc_block_kind *const hc_block_kinds[];

/*
 * Starts a block of this kind; *block is valid until the next begin. A block that is "built in" is
 * added to, once; any other name is defined once.
 */
int hc_block_begin(struct hc_conf *conf, const struct hc_block_kind *kind, const char *name,
                   const char *where, void **block, struct hc_error *err) HC_MUST_USE;
/* Adds an empty one to the end of the array, whatever its name. */
int hc_block_add(struct hc_conf *conf, const struct hc_block_kind *kind, const char *name,
                 const char *where, void **block, struct hc_error *err) HC_MUST_USE;

size_t hc_block_count(const struct hc_conf *conf, const struct hc_block_kind *kind);
void *hc_block_at(const struct hc_conf *conf, const struct hc_block_kind *kind, size_t i);
const char *hc_block_name(const struct hc_block_kind *kind, const void *block);
/* NULL: there is none of that name. */
void *hc_block_find(const struct hc_conf *conf, const struct hc_block_kind *kind, const char *name);

/* Fills what is not set: from the main level's directive that it inherits, or its preset. */
int hc_block_fill(struct hc_conf *conf, const struct hc_block_kind *kind, void *block,
                  struct hc_error *err) HC_MUST_USE;

/* Frees all blocks of all kinds. */
void hc_blocks_dispose(struct hc_conf *conf);

#endif
