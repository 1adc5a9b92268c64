/*
 * The module: its hooks, and the phases of a start.
 *
 *   pre_config    a new reading of the configuration begins
 *   check_config  hosts and identities are made; `apachectl configtest`, the start and
 *                 `apachectl graceful` refuse here what a start would refuse; nothing is made
 *   post_config   before mod_ssl: the bootstrap pair; after it: table, keeper, loader, agent. A
 *                 start does all this twice; processes are started the second time only
 *   child_init    what is the parent's is closed, the view of the table is made
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mod_hotcert.h"

struct mod_hotcert_state *mod_hotcert;

static apr_status_t free_state(void *data)
{
    struct mod_hotcert_state *state = data;

    mod_hotcert_bootstrap_close(state);
    hc_findings_dispose(&state->notes);
    hc_conf_free(state->conf);
    state->conf = NULL;
    hc_proofs_free(state->proofs);
    state->proofs = NULL;
    if (mod_hotcert == state) {
        mod_hotcert = NULL;
    }
    return APR_SUCCESS;
}

static int pre_config(apr_pool_t *pool, apr_pool_t *log_pool HC_UNUSED,
                      apr_pool_t *temp_pool HC_UNUSED)
{
    struct mod_hotcert_state *state = apr_pcalloc(pool, sizeof(*state));
    struct hc_error err;

    hc_error_init(&err);
    state->pool = pool;
    state->bootstrap = -1;
    state->hosts = apr_hash_make(pool);
    state->managed = apr_hash_make(pool);
    hc_server_speak(HC_SERVER_HTTPD);
    hc_idn_show_use(false); /* httpd's log writes what is not ASCII as \\xHH */
    state->conf = hc_conf_new(HC_SERVER_HTTPD, &err);
    if (state->conf == NULL) {
        return HTTP_INTERNAL_SERVER_ERROR;
    }
    apr_pool_cleanup_register(pool, state, free_state, apr_pool_cleanup_null);
    mod_hotcert = state;
    return OK;
}

static int refuse_start(struct mod_hotcert_state *state, const struct hc_error *err)
{
    mod_hotcert_log_refusal(state, err);
    return HTTP_INTERNAL_SERVER_ERROR;
}

/* What is odd, once. */
static void tell(struct mod_hotcert_state *state)
{
    struct hc_log log = mod_hotcert_log_reading(state);

    hc_remarks_log(&state->notes, &log);
    hc_findings_dispose(&state->notes);
}

/*
 * Where this reading's remarks belong: a test's on the terminal, at once. A start reads twice and
 * has lost its terminal at the second reading, a restart reads before its log is open: theirs are
 * told by post_config.
 */
static bool told_at_once(void)
{
    return mod_hotcert_log_is_early() && ap_state_query(AP_SQ_RUN_MODE) != AP_SQ_RM_NORMAL;
}

/* `httpd -k stop` reads the configuration too; it must not fail for what a start would refuse. */
static bool asked_to(const char *what, const char *or_what)
{
    char line[4096];
    FILE *file = fopen("/proc/self/cmdline", "re");
    size_t len = 0;
    bool asked = false;

    if (file == NULL) {
        return false;
    }
    len = fread(line, 1, sizeof(line) - 1, file);
    line[len] = '\0';
    (void)fclose(file);
    for (size_t at = 0; at < len; at += strlen(line + at) + 1) {
        asked = asked || strcmp(line + at, what) == 0 || strcmp(line + at, or_what) == 0;
    }
    return asked;
}

/*
 * A test, a start, and the caller of `apachectl graceful` look at stored and watched certificates.
 * A running server's restart does not: it would have to end if they were found wrong, and goes on
 * with what it has instead.
 */
static bool must_examine(void)
{
    int mode = ap_state_query(AP_SQ_RUN_MODE);

    return ap_state_query(AP_SQ_MAIN_STATE) == AP_SQ_MS_CREATE_PRE_CONFIG &&
           (mode == AP_SQ_RM_CONFIG_TEST ||
            (mode == AP_SQ_RM_NORMAL && !asked_to("stop", "graceful-stop")));
}

/* Who only signals a running server, and a test, ask nobody for passphrases. */
static bool starts(void)
{
    return ap_state_query(AP_SQ_RUN_MODE) == AP_SQ_RM_NORMAL && !asked_to("graceful", "restart");
}

/* Hosts, identities, whose rights: all that follows from the configuration's text. */
static int complete(struct mod_hotcert_state *state, server_rec *server, struct hc_error *err)
{
    struct hc_rights rights;
    int rc = 0;

    mod_hotcert_rights(&rights);
    if (rights.drop && rights.user != NULL &&
        hc_strdup(rights.user, &state->conf->user, err) != 0) {
        return -1;
    }
    rc = mod_hotcert_hosts_build(state, server, &state->notes, err);
    if (rc != 0 || told_at_once()) {
        tell(state); /* a name that was left out may be why it is refused */
    }
    return rc;
}

static int check_config(apr_pool_t *pool HC_UNUSED, apr_pool_t *log_pool HC_UNUSED,
                        apr_pool_t *temp_pool HC_UNUSED, server_rec *server)
{
    struct mod_hotcert_state *state = mod_hotcert;
    struct hc_error err;

    hc_error_init(&err);
    state->server = server;
    mod_hotcert_log_init(state);
    if ((!mod_hotcert_log_is_early() && mod_hotcert_hide_prior(&err) != 0) ||
        complete(state, server, &err) != 0 ||
        (must_examine() && mod_hotcert_examine(state, starts(), &err) != 0)) {
        return refuse_start(state, &err);
    }
    return OK;
}

static int before_mod_ssl(apr_pool_t *pool HC_UNUSED, apr_pool_t *log_pool HC_UNUSED,
                          apr_pool_t *temp_pool HC_UNUSED, server_rec *server HC_UNUSED)
{
    struct hc_error err;

    hc_error_init(&err);
    mod_hotcert_log_init(mod_hotcert); /* the log is open now */
    if (!mod_hotcert_log_is_early()) {
        tell(mod_hotcert);
    }
    return mod_hotcert_bootstrap_open(mod_hotcert, &err) == 0 &&
                   mod_hotcert_proofs_init(mod_hotcert, &err) == 0
               ? OK
               : refuse_start(mod_hotcert, &err);
}

/* Our notes on mod_ssl's directives against what it did. */
static void warn_of_unserved(const struct mod_hotcert_state *state)
{
    for (apr_hash_index_t *at = apr_hash_first(NULL, state->hosts); at != NULL;
         at = apr_hash_next(at)) {
        const struct mod_hotcert_host *host = apr_hash_this_val(at);

        if (!host->served) {
            ap_log_error(APLOG_MARK, APLOG_WARNING, 0, host->server,
                         "HotCert: %s: mod_ssl has not turned TLS on for this host", host->where);
        }
    }
}

static int after_mod_ssl(apr_pool_t *pool HC_UNUSED, apr_pool_t *log_pool HC_UNUSED,
                         apr_pool_t *temp_pool HC_UNUSED, server_rec *server HC_UNUSED)
{
    struct mod_hotcert_state *state = mod_hotcert;
    struct hc_error err;

    hc_error_init(&err);
    mod_hotcert_bootstrap_close(state);
    if (ap_state_query(AP_SQ_MAIN_STATE) == AP_SQ_MS_CREATE_PRE_CONFIG) {
        return OK;
    }
    warn_of_unserved(state);
    return mod_hotcert_processes_start(state, &err) == 0 ? OK : refuse_start(state, &err);
}

static void child_init(apr_pool_t *pool, server_rec *server HC_UNUSED)
{
    struct mod_hotcert_state *state = mod_hotcert;
    struct hc_error err;

    hc_error_init(&err);
    mod_hotcert_processes_leave(state);
    if (state->table != NULL && mod_hotcert_view_new(state, pool, &err) != 0) {
        hc_log_error(&state->log, HC_LOG_ERROR, "this child serves bootstrap certificates", &err);
    }
}

static void register_hooks(apr_pool_t *pool)
{
    ap_hook_pre_config(pre_config, NULL, NULL, APR_HOOK_MIDDLE);
    ap_hook_check_config(check_config, NULL, NULL, APR_HOOK_MIDDLE);
    ap_hook_post_config(before_mod_ssl, NULL, NULL, APR_HOOK_REALLY_FIRST);
    ap_hook_post_config(after_mod_ssl, NULL, NULL, APR_HOOK_REALLY_LAST);
    ap_hook_child_init(child_init, NULL, NULL, APR_HOOK_MIDDLE);
    ap_hook_monitor(mod_hotcert_processes_monitor, NULL, NULL, APR_HOOK_MIDDLE);
    ap_hook_quick_handler(mod_hotcert_http01_answer, NULL, NULL, APR_HOOK_REALLY_FIRST);
    mod_hotcert_ssl_hooks(pool);
}

HC_PUBLIC module AP_MODULE_DECLARE_DATA hotcert_module = {
    STANDARD20_MODULE_STUFF,
    NULL, /* nothing per directory */
    NULL,
    mod_hotcert_server_create,
    mod_hotcert_server_merge,
    mod_hotcert_commands,
    register_hooks,
    AP_MODULE_FLAG_NONE,
};
