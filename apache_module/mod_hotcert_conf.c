/*
 * Directives. httpd's table of commands is made from the core's table of directives
 * (core/conf/rows.c) when the module is loaded, and from those that mod_hotcert_observe.c takes
 * notes of.
 */
#include <stdlib.h>
#include <string.h>

#include "mod_hotcert.h"

#define COMMANDS_MAX 256

command_rec mod_hotcert_commands[COMMANDS_MAX];
static char command_names[COMMANDS_MAX][HC_DIRECTIVE_NAME + 1];

static const char *complain(cmd_parms *cmd, const struct hc_error *err)
{
    char text[HC_LOG_LINE];

    return apr_pstrdup(cmd->pool, hc_error_show(err, text, sizeof(text)));
}

static const char *where_of(cmd_parms *cmd)
{
    return apr_psprintf(cmd->pool, "%s:%d", cmd->directive->filename, cmd->directive->line_num);
}

static unsigned context_of(const cmd_parms *cmd)
{
    if (mod_hotcert->block != NULL) {
        return mod_hotcert->block_kind->context;
    }
    return cmd->server->is_virtual ? HC_CTX_HOST : HC_CTX_MAIN;
}

/* The row of an httpd name in this context; else any row of that name, to complain with. */
static const struct hc_directive *find_row(const char *name, unsigned context)
{
    const struct hc_directive *other = NULL;
    const struct hc_directive *row = NULL;

    for (size_t i = 0; (row = hc_directive_at(i)) != NULL; i++) {
        if (strcasecmp(row->httpd, name) == 0) {
            if ((row->contexts & context) != 0) {
                return row;
            }
            other = row;
        }
    }
    return other;
}

static struct mod_hotcert_server *config_of(const server_rec *server)
{
    return ap_get_module_config(server->module_config, &hotcert_module);
}

static apr_status_t free_scope(void *scope)
{
    hc_scope_free(scope);
    return APR_SUCCESS;
}

/* The host's own scope, made at its first directive; NULL with *err in the main server. */
static struct hc_scope *scope_for(cmd_parms *cmd, struct hc_error *err)
{
    struct mod_hotcert_server *config = config_of(cmd->server);

    if (config->scope == NULL) {
        config->scope = hc_scope_new(err);
        if (config->scope != NULL) {
            apr_pool_cleanup_register(cmd->pool, config->scope, free_scope, apr_pool_cleanup_null);
        }
    }
    return config->scope;
}

static const char *apply(cmd_parms *cmd, const struct hc_directive *row, const char *args)
{
    apr_array_header_t *words = apr_array_make(cmd->temp_pool, 4, sizeof(const char *));
    struct hc_directive_call call = {
        .directive = row,
        .conf = mod_hotcert->conf,
        .block = mod_hotcert->block,
        .context = context_of(cmd),
        .where = where_of(cmd),
        .path_base = ap_server_root,
    };
    struct hc_error err;

    hc_error_init(&err);
    while (*args != '\0') {
        *(const char **)apr_array_push(words) = ap_getword_conf(cmd->temp_pool, &args);
    }
    call.count = (unsigned)words->nelts;
    call.args = (const char *const *)(void *)words->elts;
    if (call.context == HC_CTX_HOST) {
        call.scope = scope_for(cmd, &err);
    }
    if (hc_error_is_set(&err) || hc_directive_apply(&call, &err) != 0) {
        return complain(cmd, &err);
    }
    return NULL;
}

static const char *take_directive(cmd_parms *cmd, void *unused HC_UNUSED, const char *args)
{
    return apply(cmd, find_row(cmd->cmd->name, context_of(cmd)), args);
}

/* Nothing but the block's own options may stand in its section. */
static const char *check_section(cmd_parms *cmd, const struct hc_block_kind *kind)
{
    for (const ap_directive_t *d = cmd->directive->first_child; d != NULL; d = d->next) {
        const struct hc_directive *row = find_row(d->directive, kind->context);

        if (row == NULL || (row->contexts & kind->context) == 0) {
            cmd->err_directive = d;
            return apr_psprintf(cmd->pool, "%s is no option of %s (docs/directives.md lists them)",
                                d->directive, kind->noun);
        }
    }
    return NULL;
}

static const char *take_section(cmd_parms *cmd, void *unused HC_UNUSED, const char *args)
{
    const char *end = ap_strrchr_c(args, '>');
    const struct hc_directive *row = NULL;
    const char *rest = NULL;
    const char *name = NULL;
    const char *problem = NULL;
    struct hc_error err;

    if (end == NULL) {
        return apr_pstrcat(cmd->pool, cmd->cmd->name, "> lacks its closing '>'", NULL);
    }
    rest = apr_pstrmemdup(cmd->temp_pool, args, (apr_size_t)(end - args));
    row = find_row(cmd->cmd->name + 1, context_of(cmd));
    problem = apply(cmd, row, rest);
    if (problem != NULL || (problem = check_section(cmd, row->opens)) != NULL) {
        return problem;
    }
    hc_error_init(&err);
    name = ap_getword_conf(cmd->temp_pool, &rest);
    if (hc_block_begin(mod_hotcert->conf, row->opens, name, where_of(cmd), &mod_hotcert->block,
                       &err) != 0) {
        return complain(cmd, &err);
    }
    mod_hotcert->block_kind = row->opens;
    problem = ap_walk_config(cmd->directive->first_child, cmd, cmd->context);
    mod_hotcert->block = NULL;
    return problem;
}

/* ---- the table of commands ---- */

static bool listed(size_t count, const char *name)
{
    for (size_t i = 0; i < count; i++) {
        if (strcmp(mod_hotcert_commands[i].name, name) == 0) {
            return true;
        }
    }
    return false;
}

static void list_command(size_t at, const char *name, mod_hotcert_directive *take, const char *help)
{
    command_rec *command = &mod_hotcert_commands[at];

    command->name = name;
    command->func.raw_args = take;
    command->req_override = RSRC_CONF;
    command->args_how = RAW_ARGS;
    command->errmsg = help;
}

/*
 * When the module is loaded, before httpd looks at its commands. RAW_ARGS for all: httpd's own
 * splitting silently drops what comes after the 64th argument.
 */
static void __attribute__((constructor)) make_commands(void)
{
    size_t count = 0;

    const struct hc_directive *row = NULL;

    for (size_t i = 0; (row = hc_directive_at(i)) != NULL && count + 1 < COMMANDS_MAX; i++) {
        const char *name = row->httpd;

        if (row->opens != NULL) {
            (void)apr_snprintf(command_names[count], sizeof(command_names[count]), "<%s", name);
            name = command_names[count];
        }
        if (!listed(count, name)) {
            list_command(count++, name, row->opens != NULL ? take_section : take_directive,
                         row->doc);
        }
    }
    for (size_t i = 0; mod_hotcert_observed(i) != NULL && count + 1 < COMMANDS_MAX; i++) {
        list_command(count++, mod_hotcert_observed(i), mod_hotcert_observe,
                     "see the module that it belongs to");
    }
}

/* ---- per server ---- */

void *mod_hotcert_server_create(apr_pool_t *pool, server_rec *server)
{
    struct mod_hotcert_server *config = apr_pcalloc(pool, sizeof(*config));

    config->owner = server;
    config->certificates = apr_array_make(pool, 2, sizeof(const char *));
    config->keys = apr_array_make(pool, 2, sizeof(const char *));
    config->own = config->certificates;
    return config;
}
