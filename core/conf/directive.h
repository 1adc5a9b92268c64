/*
 * The one table of directives. nginx's command table and httpd's directive table are made from it,
 * and so are the merge of levels, the wire form and docs/directives.md.
 *
 * Adding a plain directive: a field in hc_conf, hc_scope (where hosts may say it) or a block's
 * struct, one row that describes it (rows.c, rows_issuer.c, rows_dns.c), and a test. A rule for its
 * values that field.h has no words for is a function in value.c. A new kind of block: block.h.
 */
#ifndef HC_CONF_DIRECTIVE_H
#define HC_CONF_DIRECTIVE_H

#include "base/spelling.h"
#include "conf/conf.h"
#include "conf/field.h"

/* Where a directive may stand. Each kind of block has a bit of its own. */
#define HC_CTX_MAIN   0x1u /* http{}; in httpd outside of any section */
#define HC_CTX_HOST   0x2u /* server{}; <VirtualHost> */
#define HC_CTX_ISSUER 0x4u /* hotcert_issuer NAME { }; <HotCertIssuer NAME> */
#define HC_CTX_DNS    0x8u /* hotcert_dns NAME { }; <HotCertDns NAME> */

struct hc_block_kind;

/*
 * A row. Its field lies in hc_scope where hosts may say it, else in hc_conf; in a block's table in
 * the block's struct.
 */
struct hc_directive {
    const char *name;                  /* nginx's form: "hotcert_check_interval" */
    const char *httpd;                 /* "HotCertCheckInterval" */
    unsigned contexts;                 /* HC_CTX_* */
    unsigned min, max;                 /* arguments; max 0xffff: any number */
    const struct hc_block_kind *opens; /* it opens such a block, whose name is its one argument */
    const char *args;                  /* for the reference: "on|watch|off" */
    const char *dflt;                  /* for the reference; NULL: the field's preset */
    const char *doc;                   /* one line for the reference */
    struct hc_field field;             /* without a type in a row that opens a block */
};

/* The rows of the main level and of hosts. */
extern const struct hc_directive hc_directives_main[];
extern const size_t hc_directives_main_count;

/* Words of fields, each the first for 1; NULL at the end. */
extern const char *const hc_mode_words[];
extern const char *const hc_switch_words[];

/* Row i of all: the main level's and those of each kind of block; NULL behind the last. It runs
 * before main(), too. */
const struct hc_directive *hc_directive_at(size_t i);

/* The row with this nginx name in one of these contexts, or NULL. */
const struct hc_directive *hc_directive_find(const char *name, unsigned contexts);

/* True for what hosts can say (and most of it the main level as well). */
static inline bool hc_directive_is_hosts(const struct hc_directive *row)
{
    return (row->contexts & HC_CTX_HOST) != 0;
}

/* One use of a directive. scope: the host's, or NULL in HC_CTX_MAIN; block: the open block. */
struct hc_directive_call {
    const struct hc_directive *directive;
    struct hc_conf *conf;
    struct hc_scope *scope;
    void *block;
    unsigned context;      /* exactly one HC_CTX_* */
    const char *where;     /* "file:line" */
    const char *path_base; /* relative file arguments are taken below it; NULL: must be absolute */
    unsigned count;
    const char *const *args;
};

/*
 * Checks context, number of arguments and values, and stores them. The error names the directive in
 * the server's own spelling and the value.
 */
int hc_directive_apply(const struct hc_directive_call *call, struct hc_error *err) HC_MUST_USE;

/* The struct that the directive's field lies in. */
void *hc_directive_base(const struct hc_directive_call *call);

#endif
