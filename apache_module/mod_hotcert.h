/*
 * mod_hotcert: hotcert in Apache httpd. What the files of this folder share.
 *
 *   mod_hotcert.c          the module: hooks, the phases of a start
 *   mod_hotcert_conf.c     directives
 *   mod_hotcert_hosts.c    virtual hosts to hosts and identities
 *   mod_hotcert_examine.c  asks before a start whether it would be refused
 *   mod_hotcert_observe.c  what other modules' directives say
 *   mod_hotcert_ssl.c      bootstrap certificates, the handshake, also that of a CA that validates
 *   mod_hotcert_session.c  which host a TLS session may be resumed at
 *   mod_hotcert_view.c     what a child has read of the live table
 *   mod_hotcert_http01.c   the answer to a CA's request
 *   mod_hotcert_dialog.c   passphrases of watched keys, by SSLPassPhraseDialog
 *   mod_hotcert_process.c  table, keeper, loader: what the parent starts and keeps
 *   mod_hotcert_agent.c    the process that runs the agent and brings its lines into the log
 *   mod_hotcert_rights.c   whose rights the parent's processes have, the responder's sockets
 *   mod_hotcert_log.c      the core's log port on httpd's error log
 *
 * httpd reads its configuration twice at a start and once at a graceful restart. Each reading has
 * its own mod_hotcert_state, which lives in that reading's pool. The table alone outlives them.
 */
#ifndef MOD_HOTCERT_H
#define MOD_HOTCERT_H

#include "glue.h"
#include "mod_hotcert_compat.h"

APLOG_USE_MODULE(hotcert);

enum mod_hotcert_switch { MOD_HOTCERT_UNSET, MOD_HOTCERT_OFF, MOD_HOTCERT_ON };

/* Of a server_rec: what directives said there. */
struct mod_hotcert_server {
    const server_rec *owner; /* whose directives these are; a host without any shares another's */
    struct hc_scope *scope;  /* NULL: none of ours */
    enum mod_hotcert_switch engine, stapling; /* SSLEngine, SSLUseStapling */
    bool named;                               /* it has a ServerName of its own */
    apr_array_header_t *certificates, *keys;  /* SSLCertificateFile, SSLCertificateKeyFile: paths */
    const apr_array_header_t *own;            /* certificates that the host itself names */
    const char *chain;                        /* SSLCertificateChainFile */
    const char *ca_file, *ca_folder;          /* SSLCACertificateFile, SSLCACertificatePath */
    const char *chain_ca_file, *chain_ca_folder; /* SSLOpenSSLConfCmd ChainCAFile, ChainCAPath */
    const char *command; /* SSLOpenSSLConfCmd Certificate or PrivateKey: which; NULL: neither */
    bool own_command;    /* the host itself says so */
    bool proxy_protocol; /* RemoteIPProxyProtocol */
    const char *dialog;  /* SSLPassPhraseDialog; NULL: builtin */
    bool server_info;    /* SSLOpenSSLConfCmd ServerInfoFile */
};

/* A virtual host that hotcert serves. */
struct mod_hotcert_host {
    server_rec *server;
    const char *where; /* "file:line" */
    const struct mod_hotcert_server *config;
    size_t identity; /* index in conf->identities */
    enum hc_bootstrap bootstrap;
    bool served; /* mod_ssl has made an SSL_CTX for it */
};

struct mod_hotcert_processes;
struct mod_hotcert_view;

/* One reading of the configuration. */
struct mod_hotcert_state {
    apr_pool_t *pool;
    struct hc_conf *conf;
    void *block; /* while its section is read */
    const struct hc_block_kind *block_kind;
    apr_hash_t *managed; /* names that mod_md orders for; mod_hotcert_managed.c's */
    enum mod_hotcert_switch managed_alone; /* only those listed, unless a set says otherwise */
    apr_hash_t *hosts;                     /* server_rec * -> struct mod_hotcert_host * */
    apr_hash_t *firsts; /* address and port -> the virtual host that httpd serves there first */
    struct hc_findings notes; /* what is odd in it, until it was told */
    int bootstrap;            /* memfd with the bootstrap pair while mod_ssl reads it; else -1 */
    struct hc_bootstraps *bootstraps; /* what makes it meanwhile; else NULL */
    struct hc_log log;
    server_rec *server;     /* the main server, once the configuration is read */
    struct hc_table *table; /* NULL before the processes are started */
    struct mod_hotcert_processes *processes;
    struct mod_hotcert_view *view; /* in children */
    struct hc_proofs *proofs;      /* answers CAs that validate over TLS; NULL: no host is ours */
};

/* The reading in force: NULL before the first. Set by the pre_config hook. */
extern struct mod_hotcert_state *mod_hotcert;

/* ---- mod_hotcert_conf.c ---- */

extern command_rec mod_hotcert_commands[];
void *mod_hotcert_server_create(apr_pool_t *pool, server_rec *server);

typedef const char *mod_hotcert_directive(cmd_parms *cmd, void *unused, const char *args);

/* ---- mod_hotcert_managed.c: the names that mod_md orders for ---- */

/* MDomain, <MDomainSet and <MDomain. */
mod_hotcert_directive mod_hotcert_managed_observe;
/* MDMember and MDMembers. */
mod_hotcert_directive mod_hotcert_members_observe;
/* Adds what mod_md adds by itself, once all servers are read. */
void mod_hotcert_managed_extend(struct mod_hotcert_state *state, server_rec *servers);
/* self: the state. True if mod_md orders for this name, in lower case, and answers for it. */
bool mod_hotcert_managed_has(void *self, const char *name);
/* Remarks on a host that mod_md orders for as well. */
int mod_hotcert_managed_check(const struct mod_hotcert_state *state, const struct hc_host *host,
                              struct hc_findings *notes, struct hc_error *err) HC_MUST_USE;

/* ---- mod_hotcert_hosts.c ---- */

/* True if the host does TLS, by mod_ssl's rule. */
bool mod_hotcert_has_tls(server_rec *server, const struct mod_hotcert_server *config);
/* mod_hotcert_listen.c: notes which host is served at each address where a client sends no name ..
 */
void mod_hotcert_firsts_note(struct mod_hotcert_state *state, server_rec *servers);
/* .. and says so of one. */
bool mod_hotcert_is_first(const struct mod_hotcert_state *state, const server_rec *server);
/* Remarks on what keeps a CA's question away, and on IP addresses that no client is served. */
int mod_hotcert_listeners_check(const struct mod_hotcert_state *state, server_rec *servers,
                                struct hc_findings *notes, struct hc_error *err);
/* Makes hosts and identities of all servers. What is odd goes to notes. */
int mod_hotcert_hosts_build(struct mod_hotcert_state *state, server_rec *servers,
                            struct hc_findings *notes, struct hc_error *err) HC_MUST_USE;
/* The host of a server, or NULL. */
struct mod_hotcert_host *mod_hotcert_host_of(const struct mod_hotcert_state *state,
                                             const server_rec *server);

/* ---- mod_hotcert_observe.c ---- */

/* The directives that are observed, by number; NULL behind the last. */
const char *mod_hotcert_observed(size_t i);
/* Takes note of one. */
mod_hotcert_directive mod_hotcert_observe;
/* True if it names an object of a token: mod_ssl takes a key, or a pair, by such a name. */
bool mod_hotcert_is_no_file(const char *name);
/* As mod_ssl merges them. */
void *mod_hotcert_server_merge(apr_pool_t *pool, void *base, void *add);

/* ---- mod_hotcert_ssl.c ---- */

void mod_hotcert_ssl_hooks(apr_pool_t *pool);
/* Before mod_ssl reads certificates, and after it. */
int mod_hotcert_bootstrap_open(struct mod_hotcert_state *state, struct hc_error *err) HC_MUST_USE;
void mod_hotcert_bootstrap_close(struct mod_hotcert_state *state);
int mod_hotcert_proofs_init(struct mod_hotcert_state *state, struct hc_error *err) HC_MUST_USE;

/* ---- mod_hotcert_session.c ---- */

/* Ties sessions of this context to its host; host is NULL where hotcert is off. -1: no memory. */
int mod_hotcert_session_tie(const struct mod_hotcert_state *state,
                            const struct mod_hotcert_host *host, SSL_CTX *ctx,
                            apr_pool_t *pool) HC_MUST_USE;
/* The host that a connection is at now, or NULL. */
const struct mod_hotcert_host *mod_hotcert_session_host(const SSL *ssl);

/* ---- mod_hotcert_view.c: in children, any thread ---- */

int mod_hotcert_view_new(struct mod_hotcert_state *state, apr_pool_t *pool,
                         struct hc_error *err) HC_MUST_USE;
/*
 * The newest bundle of an identity, NULL while there is none. The reference is the caller's.
 * No system call, no wait, unless the table has something that this child has not read yet.
 */
struct hc_bundle *mod_hotcert_view_take(struct mod_hotcert_state *state, size_t identity);

/* ---- mod_hotcert_http01.c ---- */

/* The quick_handler hook: httpd ends the request as it ends any other, and keeps the connection. */
int mod_hotcert_http01_answer(request_rec *r, int lookup);

/* ---- mod_hotcert_prior.c: what the examination of a start leaves for its loader ---- */

/* A new one, or -1. */
int mod_hotcert_new_prior(void);
int mod_hotcert_prior(void); /* -1: there is none */
/*
 * From the configuration's second reading on nobody who is forked has it. What is forked between
 * the examination and that is the daemon that httpd itself becomes.
 */
int mod_hotcert_hide_prior(struct hc_error *err) HC_MUST_USE;
void mod_hotcert_end_prior(void);

/* ---- mod_hotcert_rights.c: in the parent ---- */

/* Whose rights agent and loader get, from User and Group. */
void mod_hotcert_rights(struct hc_rights *rights);
/* The responder's sockets, which are kept over restarts. */
struct hc_dns_sockets *mod_hotcert_dns(void);

/* ---- mod_hotcert_process.c: in the parent ---- */

/*
 * Table, keeper, loader, supervisor. -1 only where a first start must be refused; a graceful
 * restart goes on with what can be had, and says in the log what cannot.
 */
int mod_hotcert_processes_start(struct mod_hotcert_state *state, struct hc_error *err) HC_MUST_USE;
/* In a child: closes what is the parent's. */
void mod_hotcert_processes_leave(struct mod_hotcert_state *state);
/* The monitor hook: starts again what died too soon after its start. */
int mod_hotcert_processes_monitor(apr_pool_t *pool, server_rec *server);

/* ---- mod_hotcert_examine.c ---- */

/* Says what a start would say, and makes nothing. asks: it is one, and runs the dialog. */
int mod_hotcert_examine(struct mod_hotcert_state *state, bool asks,
                        struct hc_error *err) HC_MUST_USE;

/* ---- mod_hotcert_dialog.c: in the parent ---- */

/* Asks for the passphrases of watched keys that none known so far opens. */
void mod_hotcert_dialog_run(struct mod_hotcert_state *state);
/* From now on no child inherits them. Not before httpd has become a daemon: that is a fork, too. */
void mod_hotcert_dialog_hide(void);
/* Puts the known ones into the configuration, for the start of a keeper; and takes them out. */
int mod_hotcert_dialog_lend(struct mod_hotcert_state *state, struct hc_error *err) HC_MUST_USE;
void mod_hotcert_dialog_take_back(struct mod_hotcert_state *state);

/* ---- mod_hotcert_agent.c ---- */

/* What the supervisor is given; all descriptors stay the parent's in the parent. */
struct mod_hotcert_supervision {
    const struct hc_log *log;
    struct hc_rights rights;
    int lines;    /* the agent's, to be read */
    int lifeline; /* end-of-file: the supervisor ends */
    pid_t parent;
};

/* Becomes the supervisor, in a process forked for it. Never returns. */
void mod_hotcert_supervise(const struct mod_hotcert_supervision *s) __attribute__((noreturn));

/* ---- mod_hotcert_log.c ---- */

/* True before the error log is opened: lines go to the terminal, as httpd's own do. */
bool mod_hotcert_log_is_early(void);
/* Why a configuration is refused. */
void mod_hotcert_log_refusal(const struct mod_hotcert_state *state, const struct hc_error *err);
/* For lines while the configuration is read: state->log, or the terminal before the log is open. */
struct hc_log mod_hotcert_log_reading(struct mod_hotcert_state *state);
/* Points the state's log port at the main server's error log, with its level for this module. */
void mod_hotcert_log_init(struct mod_hotcert_state *state);

#endif
