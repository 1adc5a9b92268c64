/*
 * The names that mod_md orders for: those of its directives, and by `MDMembers auto`, its preset,
 * all names of each server that has one of them.
 */
#include "mod_hotcert.h"

/* The names that share a certificate of mod_md's. */
struct set {
    const char *where; /* "file:line" */
    bool alone;        /* MDMembers manual */
};

static struct set *set_of(const struct mod_hotcert_state *state, const char *name)
{
    return apr_hash_get(state->managed, name, APR_HASH_KEY_STRING);
}

/* The section's set around a directive, or NULL. */
static struct set *section_set(const cmd_parms *cmd)
{
    const ap_directive_t *section = cmd->directive->parent;
    const char *args = section != NULL ? section->args : "";
    char *name = NULL;

    if (section == NULL || strcasecmp(section->directive, "<MDomainSet") != 0) {
        return NULL;
    }
    name = ap_getword_conf(cmd->temp_pool, &args);
    name[strcspn(name, ">")] = '\0';
    ap_str_tolower(name);
    return set_of(mod_hotcert, name);
}

/* Outside of a section MDMember and MDMembers say what is the preset of all. */
static void take_mode(struct set *set, bool alone)
{
    if (set != NULL) {
        set->alone = alone;
    } else {
        mod_hotcert->managed_alone = alone;
    }
}

/* MDomain NAME.. [auto|manual], <MDomainSet NAME.. [auto|manual]>, MDMembers NAME..|auto|manual */
const char *mod_hotcert_managed_observe(cmd_parms *cmd, void *unused HC_UNUSED, const char *args)
{
    struct set *set = section_set(cmd);

    if (set == NULL && strncasecmp(cmd->cmd->name, "MDMember", strlen("MDMember")) != 0) {
        set = apr_pcalloc(cmd->pool, sizeof(*set));
        set->where =
            apr_psprintf(cmd->pool, "%s:%d", cmd->directive->filename, cmd->directive->line_num);
        set->alone = mod_hotcert->managed_alone;
    }
    while (*args != '\0') {
        char *name = ap_getword_conf(cmd->pool, &args);

        name[strcspn(name, ">")] = '\0';
        ap_str_tolower(name);
        if (strcmp(name, "auto") == 0 || strcmp(name, "manual") == 0) {
            take_mode(set, name[0] == 'm');
        } else if (name[0] != '\0' && set != NULL) {
            apr_hash_set(mod_hotcert->managed, name, APR_HASH_KEY_STRING, set);
        }
    }
    return NULL;
}

/* True if a server answers to this name, as httpd picks servers. */
static bool answers_to(const server_rec *server, const char *name)
{
    if (server->server_hostname != NULL && strcasecmp(server->server_hostname, name) == 0) {
        return true;
    }
    for (int i = 0; server->names != NULL && i < server->names->nelts; i++) {
        const char *alias = APR_ARRAY_IDX(server->names, i, const char *);

        if (alias != NULL && strcasecmp(alias, name) == 0) {
            return true;
        }
    }
    for (int i = 0; server->wild_names != NULL && i < server->wild_names->nelts; i++) {
        const char *pattern = APR_ARRAY_IDX(server->wild_names, i, const char *);

        if (pattern != NULL && ap_strcasecmp_match(name, pattern) == 0) {
            return true;
        }
    }
    return false;
}

static void add_name(const struct mod_hotcert_state *state, const char *raw, struct set *set)
{
    char *name = raw != NULL ? apr_pstrdup(state->pool, raw) : NULL;

    if (name != NULL) {
        ap_str_tolower(name);
        if (set_of(state, name) == NULL) {
            apr_hash_set(state->managed, name, APR_HASH_KEY_STRING, set);
        }
    }
}

/* The set that manages a server, and all names of it; NULL: none does. */
static struct set *set_of_server(const struct mod_hotcert_state *state, const server_rec *server)
{
    for (apr_hash_index_t *at = apr_hash_first(state->pool, state->managed); at != NULL;
         at = apr_hash_next(at)) {
        struct set *set = apr_hash_this_val(at);

        if (!set->alone && answers_to(server, apr_hash_this_key(at))) {
            return set;
        }
    }
    return NULL;
}

/* Patterns are not added: nobody can prove one. */
void mod_hotcert_managed_extend(struct mod_hotcert_state *state, const server_rec *servers)
{
    if (apr_hash_count(state->managed) == 0) {
        return;
    }
    for (const server_rec *server = servers; server != NULL; server = server->next) {
        struct set *set = server->is_virtual ? set_of_server(state, server) : NULL;

        if (set == NULL) {
            continue;
        }
        add_name(state, server->server_hostname, set);
        for (int i = 0; server->names != NULL && i < server->names->nelts; i++) {
            add_name(state, APR_ARRAY_IDX(server->names, i, const char *), set);
        }
    }
}

bool mod_hotcert_managed_has(void *self, const char *name)
{
    return set_of(self, name) != NULL;
}

/* True if mod_md's name is the host's, or a wildcard for it. */
static bool is_name(const char *managed, const char *name)
{
    const char *dot = strchr(name, '.');

    return strcasecmp(managed, name) == 0 ||
           (strncmp(managed, "*.", 2) == 0 && dot != NULL && strcasecmp(managed + 1, dot) == 0);
}

/* mod_md orders for a host as soon as one of its names is a managed one. */
int mod_hotcert_managed_check(const struct mod_hotcert_state *state, const struct hc_host *host,
                              struct hc_findings *notes, struct hc_error *err)
{
    for (apr_hash_index_t *at = apr_hash_first(NULL, state->managed); at != NULL;
         at = apr_hash_next(at)) {
        const struct set *set = apr_hash_this_val(at);

        for (size_t i = 0; i < host->names->count; i++) {
            if (is_name(apr_hash_this_key(at), host->names->items[i])) {
                return hc_findings_add(notes, HC_P_OTHER_CLIENT, host->where, err,
                                       "mod_md does, for %s (%s)", host->names->items[i],
                                       set->where);
            }
        }
    }
    return 0;
}
