/*
 * hotcert in nginx: what the files of common/ and http/ share.
 *
 *   ngx_http_hotcert_module.c  the command table, the module's hooks
 *   ngx_http_hotcert_conf.c    directives and server blocks to hc_conf
 *   ngx_http_hotcert_takeover.c what becomes of ssl_certificate
 *   ngx_http_hotcert_ssl.c     the handshake: which pair a connection is served
 *   ngx_http_hotcert_session.c whose TLS sessions resume where
 *   ngx_http_hotcert_http01.c  answers pending http-01 tokens
 *   ngx_hotcert_examine.c      asks before a start whether it would be refused
 *   ngx_hotcert_process.c      the table, the keeper, the loader; workers' timer
 *   ngx_hotcert_agent.c        supervises the agent
 *   ngx_hotcert_log.c          the core's lines and errors in nginx's log
 *
 * Life of the data: a configuration (ngx_http_hotcert_main_conf_t and below) belongs to a cycle and
 * dies with its pool. The table belongs to the master process and is kept across reloads, so that
 * the workers of an older generation follow swaps too. Views are a process' own: each worker fills
 * its copy after the fork.
 */
#ifndef NGX_HTTP_HOTCERT_H
#define NGX_HTTP_HOTCERT_H

#include "ngx_http_hotcert_compat.h"

#include "glue.h"

typedef struct ngx_http_hotcert_main_conf_s ngx_http_hotcert_main_conf_t;

/* One server{}, and the http{} level (whose scope is hc_conf's main scope instead). */
typedef struct {
    ngx_http_hotcert_main_conf_t *main; /* set by the merge */
    struct hc_scope *scope;
    ngx_str_t password_file;  /* ssl_password_file of this level, a full path */
    ngx_uint_t password_line; /* 0: not given at this level */
    enum hc_bootstrap bootstrap;
    const char *not_inherited;  /* ssl_certificate of http{} that is passed over, or NULL */
    struct hc_list files;       /* watch: certificate, key, passphrase file or "" .. */
    struct hc_view_entry *view; /* NULL: hotcert is off here */
    uint64_t loaded;            /* value of the bundle that was last put into the SSL_CTX */
    X509 *leaf;                 /* the last certificate put into it; what SSL_new() copies */
    unsigned char session_id[HC_SESSION_TAG];
    ngx_array_t *addresses; /* while the configuration is read: ngx_http_conf_addr_t *, or NULL */
    unsigned session : 1;   /* session_id was made: an address of the server's has one of ours */
    unsigned tls : 1;       /* has a listener that does TLS */
    unsigned taken : 1;     /* ssl_certificate was taken over, the SSL_CTX starts empty */
    unsigned has_certificate : 1; /* lines of its own, or of http{} */
    unsigned rejects : 1;         /* a catch-all that was left out refuses handshakes */
    unsigned own_certificate : 1; /* of the server block itself */
    unsigned surplus : 1;         /* the SSL_CTX holds a key type that the bundle does not have */
} ngx_http_hotcert_srv_conf_t;

struct ngx_http_hotcert_main_conf_s {
    struct hc_conf *conf;
    void **http_srv_conf;        /* of the http{} level, as in ngx_http_conf_ctx_t */
    struct hc_view_entry *views; /* one an identity, in the order of conf->identities */
    struct hc_pair *bootstrap;
    unsigned listeners_seen : 1;
};

/* What the master has for this generation. Table, keeper and control are closed in whatever it
 * forks but the keeper and the loader (core/keeper/private.h). */
typedef struct {
    struct hc_table *table;
    int table_fd;
    int keeper_fd;
    int control_fd;
    int lines_fd; /* the agent's lines, to be read; the helper has it too */
    struct hc_rights rights;
    const ngx_http_hotcert_main_conf_t *owner; /* whose keeper and control socket these are */
} ngx_http_hotcert_state_t;

extern ngx_module_t ngx_http_hotcert_module;
extern ngx_http_hotcert_state_t ngx_http_hotcert_state;

/* module.c: the last configuration has gone. */
void ngx_http_hotcert_forget_numbers(void);

/* conf.c */
char *ngx_http_hotcert_directive(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);
char *ngx_http_hotcert_block(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);
char *ngx_http_hotcert_password_file(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);
void *ngx_http_hotcert_create_main_conf(ngx_conf_t *cf);
void *ngx_http_hotcert_create_srv_conf(ngx_conf_t *cf);
/* "file:line", in the pool. */
const char *ngx_http_hotcert_place(ngx_conf_t *cf, const u_char *file, ngx_uint_t line);
/* The server's names; regular expressions as nginx writes them. */
int ngx_http_hotcert_names(const ngx_http_core_srv_conf_t *cscf, struct hc_list *names,
                           struct hc_error *err);
/* Says what keeps a CA's question from a listener of this configuration; hc_conf is finished. */
int ngx_http_hotcert_listeners_check(ngx_conf_t *cf, const ngx_http_hotcert_main_conf_t *main,
                                     const ngx_http_core_main_conf_t *cmcf, struct hc_error *err);
/* Adds every server block to hc_conf and finishes it. */
ngx_int_t ngx_http_hotcert_collect(ngx_conf_t *cf, ngx_http_hotcert_main_conf_t *main);

/* takeover.c: runs before the ssl module's own merge, which would load the files. */
char *ngx_http_hotcert_merge_srv_conf(ngx_conf_t *cf, void *parent, void *child);

/* ssl.c: hooks the server's SSL_CTX. */
ngx_int_t ngx_http_hotcert_ssl_init(ngx_conf_t *cf, ngx_http_core_srv_conf_t *cscf,
                                    ngx_http_hotcert_srv_conf_t *srv);
/* The ssl_conf_command line among these (NULL: none) that brings a certificate or a key, or NULL.
 */
const char *ngx_http_hotcert_certificate_command(const ngx_array_t *given);

/* session.c: gives every server of an address that has one of ours a session id context. */
ngx_int_t ngx_http_hotcert_session_init(ngx_conf_t *cf);

/* http01.c: NGX_HTTP_POST_READ_PHASE. */
ngx_int_t ngx_http_hotcert_http01_handler(ngx_http_request_t *r);

/* examine.c: asks whether a start with this configuration would be refused. Changes nothing. */
ngx_int_t ngx_http_hotcert_examine(ngx_conf_t *cf, ngx_http_hotcert_main_conf_t *main);

/* process.c */
/* The rights that workers get; conf->user is set to their user's name. */
int ngx_http_hotcert_rights(ngx_cycle_t *cycle, struct hc_conf *conf, struct hc_rights *rights,
                            struct hc_error *err);
ngx_int_t ngx_http_hotcert_init_module(ngx_cycle_t *cycle);
ngx_int_t ngx_http_hotcert_init_process(ngx_cycle_t *cycle);
/* A configuration ends: closes what was started for it, unless a newer one has taken over. */
void ngx_http_hotcert_end(const ngx_http_hotcert_main_conf_t *main);
/* The last one has ended: nobody is left who would close the table in the next workers. */
void ngx_http_hotcert_end_table(void);
/* Calls the handler in a moment; it sets the timer again itself. dummy is the event's. */
void ngx_http_hotcert_start_timer(ngx_cycle_t *cycle, ngx_event_t *event, ngx_connection_t *dummy,
                                  ngx_event_handler_pt handler);
/* The cycle's main conf, or NULL when hotcert is on nowhere in it. */
ngx_http_hotcert_main_conf_t *ngx_http_hotcert_of_cycle(ngx_cycle_t *cycle);
/* Reads and parses a newer bundle, if there is one; what cannot be used is logged once. */
void ngx_http_hotcert_refresh(ngx_http_hotcert_main_conf_t *main, struct hc_view_entry *view,
                              ngx_log_t *log);

/* agent.c */
/* Lets nginx's own helper process fetch the agent's lines. */
ngx_int_t ngx_http_hotcert_add_helper(ngx_conf_t *cf);
/* From now on this process brings the agent's lines into the log, on a timer of its own. */
void ngx_http_hotcert_listen(ngx_cycle_t *cycle);

/* log.c */
struct hc_log ngx_http_hotcert_log(ngx_log_t *log);
void ngx_http_hotcert_log_error(ngx_uint_t level, ngx_log_t *log, const struct hc_error *err);
/* On the terminal of a start: nginx's default level hides what goes well. */
void ngx_http_hotcert_tell_of_level(const ngx_cycle_t *cycle);
/* Logs with nginx's " in file:line" and returns NGX_CONF_ERROR. */
char *ngx_http_hotcert_conf_error(ngx_conf_t *cf, const struct hc_error *err);

#endif
