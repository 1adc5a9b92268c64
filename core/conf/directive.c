/* The dispatch of directives; see directive.h. Their rows are in rows.c and rows_issuer.c. */
#include "conf/directive.h"

#include <stdio.h>
#include <string.h>

#include "conf/block.h"

const struct hc_directive *hc_directive_at(size_t i)
{
    if (i < hc_directives_main_count) {
        return &hc_directives_main[i];
    }
    i -= hc_directives_main_count;
    for (size_t k = 0; hc_block_kinds[k] != NULL; k++) {
        if (i < hc_block_kinds[k]->row_count) {
            return &hc_block_kinds[k]->rows[i];
        }
        i -= hc_block_kinds[k]->row_count;
    }
    return NULL;
}

const struct hc_directive *hc_directive_find(const char *name, unsigned contexts)
{
    const struct hc_directive *row = NULL;

    for (size_t i = 0; (row = hc_directive_at(i)) != NULL; i++) {
        if ((row->contexts & contexts) != 0 && strcmp(row->name, name) == 0) {
            return row;
        }
    }
    return NULL;
}

void *hc_directive_base(const struct hc_directive_call *call)
{
    if (call->block != NULL) {
        return call->block;
    }
    if (!hc_directive_is_hosts(call->directive)) {
        return call->conf;
    }
    return call->scope != NULL ? call->scope : &call->conf->main;
}

static void name_the_directive(const struct hc_directive_call *call, struct hc_error *err)
{
    const char *name =
        call->conf->server == HC_SERVER_HTTPD ? call->directive->httpd : call->directive->name;
    char subject[HC_ERROR_SUBJECT];

    bool value = err->problem == HC_P_BAD_VALUE || err->problem == HC_P_NAME_INVALID;

    if (value && err->subject[0] != '\0') {
        snprintf(subject, sizeof(subject), "%s \"%.200s\"", name, err->subject);
    } else {
        snprintf(subject, sizeof(subject), "%s%s%.200s", name, err->subject[0] != '\0' ? " " : "",
                 err->subject);
    }
    hc_error_of(err, subject);
}

int hc_directive_apply(const struct hc_directive_call *call, struct hc_error *err)
{
    const struct hc_directive *d = call->directive;
    int rc = -1;

    if ((d->contexts & call->context) == 0) {
        hc_error_set(err, HC_P_BAD_CONTEXT, NULL, NULL);
    } else if (call->count < d->min || call->count > d->max) {
        hc_error_set(err, HC_P_BAD_ARGUMENTS, NULL, "it takes %s", d->args);
    } else {
        rc = d->opens != NULL ? 0 : hc_field_set(call, &d->field, hc_directive_base(call), err);
    }
    if (rc != 0) {
        name_the_directive(call, err);
    }
    return rc;
}
