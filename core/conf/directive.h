/*
 * The one table of directives. nginx's command table and httpd's directive table are both made
 * from it, and so is docs/directives.md.
 *
 * Adding a directive: one row in directive.c with its setter, a field in hc_conf or hc_scope (and
 * its place in wire.c if the agent needs it), a unit test, a test on both servers.
 */
#ifndef HC_CONF_DIRECTIVE_H
#define HC_CONF_DIRECTIVE_H

#include "base/spelling.h"
#include "conf/conf.h"

/* Where a directive may stand. */
#define HC_CTX_MAIN   0x1u /* http{}; in httpd outside of any section */
#define HC_CTX_HOST   0x2u /* server{}; <VirtualHost> */
#define HC_CTX_ISSUER 0x4u /* hotcert_issuer NAME { }; <HotCertIssuer NAME> */

struct hc_directive_call;

struct hc_directive {
    const char *name;  /* nginx's form: "hotcert_check_interval" */
    unsigned contexts; /* HC_CTX_* */
    unsigned min, max; /* arguments; max 0xffff: any number */
    bool block;        /* opens an issuer block; its one argument is the name */
    const char *args;  /* for the reference: "on|watch|off" */
    const char *dflt;  /* for the reference */
    const char *doc;   /* one line for the reference */
    int (*set)(const struct hc_directive_call *call, struct hc_error *err);
};

extern const struct hc_directive hc_directives[];
extern const size_t hc_directive_count;

/* One use of a directive. scope: the host's, or NULL in HC_CTX_MAIN; issuer: in HC_CTX_ISSUER. */
struct hc_directive_call {
    const struct hc_directive *directive;
    struct hc_conf *conf;
    struct hc_scope *scope;
    struct hc_issuer *issuer;
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

/* The row with this nginx name in this context, or NULL. */
const struct hc_directive *hc_directive_find(const char *name, unsigned context);

#endif
