/*
 * hotcert in nginx, what every kind of server block needs: http{} has it now, stream{} and mail{}
 * can. Nothing here knows any of them; a lint says so.
 *
 *   ngx_hotcert_conf.c     directives to hc_conf
 *   ngx_hotcert_serve.c    the handshake: which pair a connection is served
 *   ngx_hotcert_examine.c  asks before a start whether it would be refused
 *   ngx_hotcert_process.c  the table, the keeper, the loader; workers' timer
 *   ngx_hotcert_agent.c    brings the agent's lines into the log
 *   ngx_hotcert_log.c      the core's lines and errors in nginx's log
 *
 * Life of the data: a configuration (ngx_hotcert_conf_t and below) belongs to a cycle and
 * dies with its pool. The table belongs to the master process and is kept across reloads, so that
 * the workers of an older generation follow swaps too. Views are a process' own: each worker fills
 * its copy after the fork.
 */
#ifndef NGX_HOTCERT_H
#define NGX_HOTCERT_H

#include <nginx.h>
#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>
#include <ngx_event_openssl.h>

#include "glue.h"

/* One configuration of nginx: what all its server blocks come to. */
typedef struct {
    struct hc_conf *conf;
    struct hc_view_entry *views; /* one an identity, in the order of conf->identities */
    struct hc_pair *bootstrap;
    struct hc_proofs *proofs; /* answers CAs that validate over TLS */
    struct hc_log log;        /* of the cycle */
} ngx_hotcert_conf_t;

/* The cycle's, or NULL when hotcert is on nowhere in it. */
typedef ngx_hotcert_conf_t *(*ngx_hotcert_of_cycle_pt)(ngx_cycle_t *cycle);

/* What one server block serves. */
typedef struct {
    ngx_hotcert_conf_t *main;
    enum hc_bootstrap bootstrap;
    struct hc_view_entry *view; /* NULL: hotcert is off here */
    uint64_t loaded;            /* value of the bundle that was last put into the SSL_CTX */
    X509 *leaf;                 /* the last certificate put into it; what SSL_new() copies */
    unsigned surplus : 1;       /* the SSL_CTX holds a key type that the bundle does not have */
} ngx_hotcert_host_t;

/* What the master has for this generation. Table, keeper, control and prior are closed in whatever
 * it forks but the keeper and the loader (core/keeper/private.h). */
typedef struct {
    struct hc_table *table;
    int table_fd;
    int keeper_fd;
    int control_fd;
    int prior_fd;              /* between the examination of a start and its loader */
    int lines_fd;              /* the agent's lines, to be read; the helper has it too */
    struct hc_dns_sockets dns; /* kept over reloads; closed in what is forked, too */
    struct hc_rights rights;
    const ngx_hotcert_conf_t *owner; /* whose keeper and control socket these are */
} ngx_hotcert_state_t;

extern ngx_hotcert_state_t ngx_hotcert_state;

/* conf.c */
/* "file:line", in the pool. */
const char *ngx_hotcert_place(ngx_conf_t *cf, const u_char *file, ngx_uint_t line);
/* The directive that is being parsed; its row, configuration, scope and context are filled in. */
char *ngx_hotcert_apply(ngx_conf_t *cf, struct hc_directive_call *call);
/* A block of options; opener is its row. */
char *ngx_hotcert_block(ngx_conf_t *cf, struct hc_conf *conf, const struct hc_directive *opener);

/* serve.c: from now on the context's connections are served what the host is. */
void ngx_hotcert_serve(SSL_CTX *ctx, ngx_hotcert_host_t *host);

/* examine.c: asks whether a start with this configuration would be refused. Changes nothing. */
ngx_int_t ngx_hotcert_examine(ngx_conf_t *cf, struct hc_conf *conf);

/* process.c */
/* The rights that workers get; conf->user is set to their user's name. */
int ngx_hotcert_rights(ngx_cycle_t *cycle, struct hc_conf *conf, struct hc_rights *rights,
                       struct hc_error *err);
/* main: the new cycle's, or NULL when hotcert is on nowhere in it. */
ngx_int_t ngx_hotcert_init_module(ngx_cycle_t *cycle, ngx_hotcert_conf_t *main);
ngx_int_t ngx_hotcert_init_process(ngx_cycle_t *cycle, ngx_hotcert_of_cycle_pt find);
/* A configuration ends: closes what was started for it, unless a newer one has taken over. */
void ngx_hotcert_end(const ngx_hotcert_conf_t *main);
/* The last one has ended: nobody is left who would close the table in the next workers. */
void ngx_hotcert_end_table(void);
void ngx_hotcert_end_prior(void);
/* Calls the handler in a moment; it sets the timer again itself. dummy is the event's. */
void ngx_hotcert_start_timer(ngx_cycle_t *cycle, ngx_event_t *event, ngx_connection_t *dummy,
                             ngx_event_handler_pt handler);
/* Reads and parses a newer bundle, if there is one; what cannot be used is logged once. */
void ngx_hotcert_refresh(ngx_hotcert_conf_t *main, struct hc_view_entry *view, ngx_log_t *log);

/* agent.c */
/* Lets nginx's own helper process fetch the agent's lines. */
ngx_int_t ngx_hotcert_add_helper(ngx_conf_t *cf);
/* From now on this process brings the agent's lines into the log, on a timer of its own. */
void ngx_hotcert_listen(ngx_cycle_t *cycle);

/* log.c */
struct hc_log ngx_hotcert_log(ngx_log_t *log);
void ngx_hotcert_log_error(ngx_uint_t level, ngx_log_t *log, const struct hc_error *err);
/* On the terminal of a start: nginx's default level hides what goes well. */
void ngx_hotcert_tell_of_level(const ngx_cycle_t *cycle);
/* Logs with nginx's " in file:line" and returns NGX_CONF_ERROR. */
char *ngx_hotcert_conf_error(ngx_conf_t *cf, const struct hc_error *err);

#endif
