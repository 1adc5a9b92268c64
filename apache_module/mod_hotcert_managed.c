/*
 * The names that mod_md orders for: those of its directives, and by `MDMembers auto`, its preset,
 * all names of each server with TLS that has one of them.
 */
#include "mod_hotcert.h"

/* The names that share a certificate of mod_md's. */
struct set {
    const ap_directive_t *at;
    const char *where;             /* "file:line" */
    enum mod_hotcert_switch alone; /* MDMembers manual; unset: as is the preset of all */
};

static struct set *set_of(const struct mod_hotcert_state *state, const char *name)
{
    return apr_hash_get(state->managed, name, APR_HASH_KEY_STRING);
}

/* The next word, in lower case, without the end of a section's head. */
static char *next_word(apr_pool_t *pool, const char **args)
{
    char *word = ap_getword_conf(pool, args);

    word[strcspn(word, ">")] = '\0';
    ap_str_tolower(word);
    return word;
}

/*
 * Outside of a section MDMember and MDMembers say what is the preset of all, also of those that
 * were read before. In a virtual host mod_md takes the word and does not go by it.
 */
static void take_mode(const cmd_parms *cmd, struct set *set, bool alone)
{
    enum mod_hotcert_switch *mode = set != NULL ? &set->alone : &mod_hotcert->managed_alone;

    if (set != NULL || !cmd->server->is_virtual) {
        *mode = alone ? MOD_HOTCERT_ON : MOD_HOTCERT_OFF;
    }
}

static void take_words(const cmd_parms *cmd, struct set *set, const char *args)
{
    while (*args != '\0') {
        const char *word = next_word(cmd->pool, &args);

        if (strcmp(word, "auto") == 0 || strcmp(word, "manual") == 0) {
            take_mode(cmd, set, word[0] == 'm');
        } else if (word[0] != '\0' && set != NULL) {
            apr_hash_set(mod_hotcert->managed, word, APR_HASH_KEY_STRING, set);
        }
    }
}

/* The set that begins here. Its members may be told of first: mod_md walks through its sections. */
static struct set *set_at(const cmd_parms *cmd, const ap_directive_t *at)
{
    const char *args = at->args;
    struct set *set = set_of(mod_hotcert, next_word(cmd->temp_pool, &args));

    if (set == NULL || set->at != at) {
        set = apr_pcalloc(cmd->pool, sizeof(*set));
        set->at = at;
        set->where = apr_psprintf(cmd->pool, "%s:%d", at->filename, at->line_num);
        take_words(cmd, set, at->args);
    }
    return set;
}

static bool is_section(const ap_directive_t *at)
{
    return at != NULL && (strcasecmp(at->directive, "<MDomainSet") == 0 ||
                          strcasecmp(at->directive, "<MDomain") == 0);
}

/* MDomain NAME.. [auto|manual], <MDomainSet NAME.. [auto|manual]> */
const char *mod_hotcert_managed_observe(cmd_parms *cmd, void *unused HC_UNUSED,
                                        const char *args HC_UNUSED)
{
    const ap_directive_t *at = cmd->directive;

    /* where mod_md was first, this is the section's last directive */
    (void)set_at(cmd, cmd->cmd->name[0] == '<' && !is_section(at) ? at->parent : at);
    return NULL;
}

/* MDMembers NAME..|auto|manual */
const char *mod_hotcert_members_observe(cmd_parms *cmd, void *unused HC_UNUSED, const char *args)
{
    const ap_directive_t *section = cmd->directive->parent;

    take_words(cmd, is_section(section) ? set_at(cmd, section) : NULL, args);
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

static void add_name(const struct mod_hotcert_state *state, const char *raw, struct set *set,
                     apr_hash_t *added)
{
    char *name = raw != NULL ? apr_pstrdup(state->pool, raw) : NULL;

    if (name != NULL) {
        ap_str_tolower(name);
        apr_hash_set(added, name, APR_HASH_KEY_STRING, set);
    }
}

static bool is_alone(const struct mod_hotcert_state *state, const struct set *set)
{
    return (set->alone != MOD_HOTCERT_UNSET ? set->alone : state->managed_alone) == MOD_HOTCERT_ON;
}

/* The set that manages a server, and all names of it; NULL: none does. */
static struct set *set_of_server(const struct mod_hotcert_state *state, server_rec *server)
{
    const struct mod_hotcert_server *config =
        ap_get_module_config(server->module_config, &hotcert_module);

    if (!server->is_virtual || !mod_hotcert_has_tls(server, config)) {
        return NULL;
    }
    for (apr_hash_index_t *at = apr_hash_first(state->pool, state->managed); at != NULL;
         at = apr_hash_next(at)) {
        struct set *set = apr_hash_this_val(at);

        if (!is_alone(state, set) && answers_to(server, apr_hash_this_key(at))) {
            return set;
        }
    }
    return NULL;
}

/*
 * Patterns are not added: nobody can prove one. What is added brings in no further server, and does
 * not take the place of what is listed.
 */
void mod_hotcert_managed_extend(struct mod_hotcert_state *state, server_rec *servers)
{
    apr_hash_t *added = apr_hash_make(state->pool);

    for (server_rec *server = servers; server != NULL; server = server->next) {
        struct set *set = set_of_server(state, server);

        if (set == NULL) {
            continue;
        }
        add_name(state, server->server_hostname, set, added);
        for (int i = 0; server->names != NULL && i < server->names->nelts; i++) {
            add_name(state, APR_ARRAY_IDX(server->names, i, const char *), set, added);
        }
    }
    state->managed = apr_hash_overlay(state->pool, state->managed, added);
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
