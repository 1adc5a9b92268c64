/* What the tests of the configuration share: directives as one would write them, hosts. */
#ifndef HC_T_CONF_LIB_H
#define HC_T_CONF_LIB_H

#include <stdlib.h>
#include <string.h>

#include "conf/block.h"

static inline int begin_issuer(struct hc_conf *conf, const char *name, const char *where,
                               struct hc_issuer **issuer, struct hc_error *err)
{
    void *block = NULL;
    int rc = hc_block_begin(conf, &hc_block_issuer, name, where, &block, err);

    *issuer = block;
    return rc;
}

/* Applies "name arg arg" in a context; the error is the caller's to look at. */
static inline int say(struct hc_conf *conf, struct hc_scope *scope, struct hc_issuer *issuer,
                      const char *line, struct hc_error *err)
{
    char copy[1024];
    const char *args[64];
    unsigned count = 0;
    char *rest = copy;
    char *word = NULL;
    struct hc_directive_call call = {.conf = conf,
                                     .scope = scope,
                                     .block = issuer,
                                     .where = "test.conf:1",
                                     .path_base = "/etc/server",
                                     .args = args};

    call.context = issuer != NULL ? HC_CTX_ISSUER : scope != NULL ? HC_CTX_HOST : HC_CTX_MAIN;
    hc_copy(copy, sizeof(copy), line);
    while ((word = strsep(&rest, " ")) != NULL && count < 64) {
        args[count++] = word;
    }
    call.directive = hc_directive_find(args[0], HC_CTX_MAIN | HC_CTX_HOST | HC_CTX_ISSUER);
    if (call.directive == NULL) {
        return hc_error_set(err, HC_P_INTERNAL, args[0], "no such directive");
    }
    call.args = args + 1;
    call.count = count - 1;
    return hc_directive_apply(&call, err);
}

static inline int add_host(struct hc_conf *conf, struct hc_scope *scope, const char *names,
                           const char *files, struct hc_findings *notes, int *index,
                           struct hc_error *err)
{
    struct hc_list name_list = {0};
    struct hc_list file_list = {0};
    char copy[1024];
    char *rest = copy;
    char *word = NULL;
    struct hc_host host = {.scope = scope,
                           .where = "test.conf:7",
                           .names = &name_list,
                           .tls = true,
                           .files = &file_list};
    int rc = 0;

    hc_copy(copy, sizeof(copy), names);
    while ((word = strsep(&rest, " ")) != NULL) {
        rc |= hc_list_add(&name_list, word, err);
    }
    rest = copy;
    hc_copy(copy, sizeof(copy), files);
    while (files[0] != '\0' && (word = strsep(&rest, " ")) != NULL) {
        rc |= hc_list_add(&file_list, word, err);
    }
    rc |= hc_conf_add_host(conf, &host, index, notes, err);
    hc_list_dispose(&name_list);
    hc_list_dispose(&file_list);
    return rc;
}

#endif
