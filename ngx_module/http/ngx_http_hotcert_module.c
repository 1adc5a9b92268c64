/*
 * The module as nginx sees it. Its commands are made from core's table of directives
 * (core/conf/rows.c), before main() or when the module is loaded, so that both servers have the
 * same directives by construction.
 *
 * The module must come before ngx_http_ssl_module: its merge takes ssl_certificate over before that
 * one loads the files. `config` sees to it; a build that does not is refused.
 */
#include "ngx_http_hotcert.h"

#define COMMANDS_MAX 127

/* The rows, ssl_password_file, and the null command that ends the table. */
static ngx_command_t commands[COMMANDS_MAX + 2];

static ngx_int_t preconfiguration(ngx_conf_t *cf);
static ngx_int_t postconfiguration(ngx_conf_t *cf);
static ngx_int_t init_module(ngx_cycle_t *cycle);
static ngx_int_t init_process(ngx_cycle_t *cycle);

static ngx_http_module_t ngx_http_hotcert_module_ctx = {
    .preconfiguration = preconfiguration,
    .postconfiguration = postconfiguration,
    .create_main_conf = ngx_http_hotcert_create_main_conf,
    .create_srv_conf = ngx_http_hotcert_create_srv_conf,
    .merge_srv_conf = ngx_http_hotcert_merge_srv_conf,
};

ngx_module_t ngx_http_hotcert_module = {
    NGX_MODULE_V1,
    &ngx_http_hotcert_module_ctx,
    commands,
    NGX_HTTP_MODULE,
    NULL,         /* init master */
    init_module,  /* init module */
    init_process, /* init process */
    NULL,         /* init thread */
    NULL,         /* exit thread */
    NULL,         /* exit process */
    NULL,         /* exit master */
    NGX_MODULE_V1_PADDING,
};

static void make_command(ngx_command_t *command, const struct hc_directive *row)
{
    command->name.data = (u_char *)(uintptr_t)row->name;
    command->name.len = ngx_strlen(row->name);
    command->type = row->opens != NULL ? NGX_CONF_BLOCK | NGX_CONF_TAKE1 : NGX_CONF_ANY;
    command->type |= (row->contexts & HC_CTX_MAIN) != 0 ? NGX_HTTP_MAIN_CONF : 0;
    command->type |= (row->contexts & HC_CTX_HOST) != 0 ? NGX_HTTP_SRV_CONF : 0;
    command->set = row->opens != NULL ? ngx_http_hotcert_block : ngx_http_hotcert_directive;
    command->conf = NGX_HTTP_SRV_CONF_OFFSET;
    command->post = (void *)(uintptr_t)row;
}

/* hc_directives_main is initialised data of the same object: nothing else has to have run before.
 */
__attribute__((constructor)) static void make_commands(void)
{
    ngx_command_t password_file = {
        ngx_string("ssl_password_file"),
        NGX_HTTP_MAIN_CONF | NGX_HTTP_SRV_CONF | NGX_CONF_TAKE1,
        ngx_http_hotcert_password_file,
        NGX_HTTP_SRV_CONF_OFFSET,
        0,
        NULL,
    };
    size_t used = 0;

    for (size_t i = 0; i < hc_directives_main_count && used < COMMANDS_MAX; i++) {
        make_command(&commands[used++], &hc_directives_main[i]);
    }
    commands[used] = password_file;
}

/* nginx looks commands up, and merges, in the order of this list. */
static bool comes_before_ssl(const ngx_cycle_t *cycle)
{
    for (ngx_uint_t i = 0; cycle->modules[i] != NULL; i++) {
        if (cycle->modules[i] == &ngx_http_hotcert_module) {
            return true;
        }
        if (cycle->modules[i] == &ngx_http_ssl_module) {
            return false;
        }
    }
    return false;
}

/*
 * This object stays mapped when a reload takes the module away, and its numbers with it, while
 * nginx gives them to the next module that is loaded. When the last configuration that knows them
 * has gone, they are given back, so that nginx finds free ones if the module returns.
 */
void ngx_http_hotcert_forget_numbers(void)
{
    if (!ngx_http_hotcert_is_dynamic) {
        return; /* nginx numbered it before it read anything, and never does again */
    }
    ngx_http_hotcert_module.index = NGX_MODULE_UNSET_INDEX;
    ngx_http_hotcert_module.ctx_index = NGX_MODULE_UNSET_INDEX;
}

static ngx_int_t preconfiguration(ngx_conf_t *cf)
{
    ngx_http_hotcert_main_conf_t *main =
        ngx_http_conf_get_module_main_conf(cf, ngx_http_hotcert_module);

    if (!comes_before_ssl(cf->cycle)) {
        ngx_log_error(NGX_LOG_EMERG, cf->log, 0,
                      "ngx_http_hotcert_module must come before ngx_http_ssl_module: build it with "
                      "the \"config\" that comes with it");
        return NGX_ERROR;
    }
    if (hc_directives_main_count > COMMANDS_MAX) {
        ngx_log_error(NGX_LOG_EMERG, cf->log, 0,
                      "hotcert: there are more directives than commands");
        return NGX_ERROR;
    }
    main->http_srv_conf = ((ngx_http_conf_ctx_t *)cf->ctx)->srv_conf;
    return NGX_OK;
}

static ngx_int_t init_servers(ngx_conf_t *cf)
{
    ngx_http_core_main_conf_t *cmcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_core_module);
    ngx_http_core_srv_conf_t **cscf = cmcf->servers.elts;

    for (ngx_uint_t i = 0; i < cmcf->servers.nelts; i++) {
        ngx_http_hotcert_srv_conf_t *srv =
            cscf[i]->ctx->srv_conf[ngx_http_hotcert_module.ctx_index];

        if (srv->host.view != NULL && ngx_http_hotcert_ssl_init(cf, cscf[i], srv) != NGX_OK) {
            return NGX_ERROR;
        }
    }
    return ngx_http_hotcert_session_init(cf);
}

static ngx_int_t add_handler(ngx_conf_t *cf, ngx_http_handler_pt added)
{
    ngx_http_core_main_conf_t *cmcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_core_module);
    ngx_http_handler_pt *handler = ngx_array_push(&cmcf->phases[NGX_HTTP_POST_READ_PHASE].handlers);

    if (handler == NULL) {
        return NGX_ERROR;
    }
    *handler = added;
    return NGX_OK;
}

/* The methods of proof, and what a start would be refused for. */
static ngx_int_t init_serving(ngx_conf_t *cf, ngx_http_hotcert_main_conf_t *main)
{
    return add_handler(cf, ngx_http_hotcert_http01_handler) == NGX_OK &&
                   add_handler(cf, ngx_http_hotcert_tls_alpn01_handler) == NGX_OK &&
                   ngx_http_hotcert_tls_alpn01_init(cf, main) == NGX_OK
               ? ngx_hotcert_examine(cf, main->own.conf)
               : NGX_ERROR;
}

static ngx_int_t postconfiguration(ngx_conf_t *cf)
{
    ngx_http_hotcert_main_conf_t *main =
        ngx_http_conf_get_module_main_conf(cf, ngx_http_hotcert_module);

    if (ngx_http_hotcert_collect(cf, main) != NGX_OK || init_servers(cf) != NGX_OK) {
        return NGX_ERROR;
    }
    /* `nginx -s` reads the configuration only to find the pid file */
    if (main->own.conf->identity_count == 0 || ngx_process == NGX_PROCESS_SIGNALLER) {
        return NGX_OK;
    }
    if (init_serving(cf, main) != NGX_OK) {
        return NGX_ERROR;
    }
    return ngx_test_config ? NGX_OK : ngx_hotcert_add_helper(cf);
}

static ngx_hotcert_conf_t *of_cycle(ngx_cycle_t *cycle)
{
    ngx_http_hotcert_main_conf_t *main = NULL;

    /* without a master our timers outlive the module's place in the configuration */
    if (ngx_http_hotcert_module.ctx_index != NGX_MODULE_UNSET_INDEX &&
        ngx_get_conf(cycle->conf_ctx, ngx_http_module) != NULL) {
        main = ngx_http_cycle_get_module_main_conf(cycle, ngx_http_hotcert_module);
    }
    return main != NULL && main->own.views != NULL && main->own.conf->identity_count > 0
               ? &main->own
               : NULL;
}

static ngx_int_t init_module(ngx_cycle_t *cycle)
{
    return ngx_hotcert_init_module(cycle, of_cycle(cycle));
}

static ngx_int_t init_process(ngx_cycle_t *cycle)
{
    return ngx_hotcert_init_process(cycle, of_cycle);
}
