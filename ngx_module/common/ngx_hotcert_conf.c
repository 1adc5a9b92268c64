/* Directives, as nginx parses them, to the core's; the same in every kind of server block. */
#include "ngx_hotcert.h"

struct open_block {
    struct hc_conf *conf;
    const struct hc_directive *opener;
    void *block;
};

const char *ngx_hotcert_place(ngx_conf_t *cf, const u_char *file, ngx_uint_t line)
{
    size_t size = ngx_strlen(file) + 1 + NGX_INT_T_LEN + 1;
    u_char *text = ngx_pnalloc(cf->pool, size);

    if (text == NULL) {
        return "?";
    }
    ngx_snprintf(text, size, "%s:%ui%Z", file, line);
    return (const char *)text;
}

static const char *place_now(ngx_conf_t *cf)
{
    return ngx_hotcert_place(cf, cf->conf_file->file.name.data, cf->conf_file->line);
}

/* nginx's folder of the configuration, without its slash. */
static const char *path_base(ngx_conf_t *cf)
{
    size_t len = cf->cycle->conf_prefix.len;
    u_char *text = ngx_pnalloc(cf->pool, len + 1);

    if (text == NULL) {
        return NULL;
    }
    ngx_cpystrn(text, cf->cycle->conf_prefix.data, len + 1);
    if (len > 1 && text[len - 1] == '/') {
        text[len - 1] = '\0';
    }
    return (const char *)text;
}

/* The words of the directive that is being parsed, behind its name. nginx terminates each. */
static const char *const *words_of(ngx_conf_t *cf)
{
    ngx_str_t *value = cf->args->elts;
    const char **words = ngx_palloc(cf->pool, cf->args->nelts * sizeof(*words));

    if (words == NULL) {
        return NULL;
    }
    for (ngx_uint_t i = 1; i < cf->args->nelts; i++) {
        words[i - 1] = (const char *)value[i].data;
    }
    return words;
}

char *ngx_hotcert_apply(ngx_conf_t *cf, struct hc_directive_call *call)
{
    struct hc_error err;

    hc_error_init(&err);
    call->where = place_now(cf);
    call->path_base = path_base(cf);
    call->count = (unsigned)(cf->args->nelts - 1);
    call->args = words_of(cf);
    if (call->args == NULL) {
        return NGX_CONF_ERROR;
    }
    return hc_directive_apply(call, &err) == 0 ? NGX_CONF_OK : ngx_hotcert_conf_error(cf, &err);
}

static char *block_directive(ngx_conf_t *cf, ngx_command_t *dummy, void *conf)
{
    struct open_block *open = conf;
    ngx_str_t *value = cf->args->elts;
    const char *name = (const char *)value[0].data;
    struct hc_directive_call call = {
        .directive = hc_directive_find(name, open->opener->opens->context),
        .conf = open->conf,
        .block = open->block,
        .context = open->opener->opens->context,
    };

    if (ngx_strcmp(name, "include") == 0) {
        return ngx_conf_include(cf, dummy, conf);
    }
    if (call.directive == NULL) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0, "unknown directive \"%s\" in %s", name,
                           open->opener->name);
        return NGX_CONF_ERROR;
    }
    return ngx_hotcert_apply(cf, &call);
}

char *ngx_hotcert_block(ngx_conf_t *cf, struct hc_conf *conf, const struct hc_directive *opener)
{
    ngx_str_t *value = cf->args->elts;
    struct open_block open = {conf, opener, NULL};
    ngx_conf_t saved = *cf;
    struct hc_error err;
    char *rc = NULL;

    hc_error_init(&err);
    if (hc_block_begin(conf, opener->opens, (const char *)value[1].data, place_now(cf), &open.block,
                       &err) != 0) {
        return ngx_hotcert_conf_error(cf, &err);
    }
    cf->handler = block_directive;
    cf->handler_conf = (void *)&open;
    rc = ngx_conf_parse(cf, NULL);
    *cf = saved;
    return rc;
}
