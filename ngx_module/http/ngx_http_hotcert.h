/*
 * hotcert in nginx's http{}: what the files of this folder share.
 *
 *   ngx_http_hotcert_module.c  the command table, the module's hooks
 *   ngx_http_hotcert_conf.c    the directives of http{} and server{}
 *   ngx_http_hotcert_hosts.c   server blocks to hosts and identities
 *   ngx_http_hotcert_takeover.c what becomes of ssl_certificate
 *   ngx_http_hotcert_ssl.c     hooks a server's SSL_CTX, refuses what would be served beside
 *   ngx_http_hotcert_session.c whose TLS sessions resume where
 *   ngx_http_hotcert_http01.c  answers pending http-01 tokens
 *   ngx_http_hotcert_tls_alpn01.c answers CAs that validate over TLS
 *
 * What does not know http{} is in common/ (ngx_hotcert.h).
 */
#ifndef NGX_HTTP_HOTCERT_H
#define NGX_HTTP_HOTCERT_H

#include "ngx_hotcert.h"
#include "ngx_http_hotcert_compat.h"

typedef struct ngx_http_hotcert_main_conf_s ngx_http_hotcert_main_conf_t;

/* One server{}, and the http{} level (whose scope is hc_conf's main scope instead). */
typedef struct {
    ngx_http_hotcert_main_conf_t *main; /* set by the merge */
    struct hc_scope *scope;
    ngx_str_t password_file;  /* ssl_password_file of this level, a full path */
    ngx_uint_t password_line; /* 0: not given at this level */
    ngx_hotcert_host_t host;
    const char *not_inherited; /* ssl_certificate of http{} that is passed over, or NULL */
    struct hc_list files;      /* watch: certificate, key, passphrase file or "" .. */
    unsigned char session_id[HC_SESSION_TAG];
    ngx_array_t *addresses;  /* while the configuration is read: ngx_http_conf_addr_t *, or NULL */
    unsigned session : 1;    /* session_id was made: an address of the server's has one of ours */
    unsigned tls : 1;        /* has a listener that does TLS */
    unsigned is_default : 1; /* .. and is its default server */
    unsigned taken : 1;      /* ssl_certificate was taken over, the SSL_CTX starts empty */
    unsigned has_certificate : 1; /* lines of its own, or of http{} */
    unsigned rejects : 1;         /* a catch-all that was left out refuses handshakes */
    unsigned own_certificate : 1; /* of the server block itself */
} ngx_http_hotcert_srv_conf_t;

struct ngx_http_hotcert_main_conf_s {
    ngx_hotcert_conf_t own;
    void **http_srv_conf; /* of the http{} level, as in ngx_http_conf_ctx_t */
    unsigned listeners_seen : 1;
};

extern ngx_module_t ngx_http_hotcert_module;

/* module.c: the last configuration has gone. */
void ngx_http_hotcert_forget_numbers(void);

/* conf.c */
char *ngx_http_hotcert_directive(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);
char *ngx_http_hotcert_block(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);
char *ngx_http_hotcert_password_file(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);
void *ngx_http_hotcert_create_main_conf(ngx_conf_t *cf);
void *ngx_http_hotcert_create_srv_conf(ngx_conf_t *cf);
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

/* tls_alpn01.c: lets every TLS listener answer; and NGX_HTTP_POST_READ_PHASE. */
ngx_int_t ngx_http_hotcert_tls_alpn01_init(ngx_conf_t *cf, ngx_http_hotcert_main_conf_t *main);
ngx_int_t ngx_http_hotcert_tls_alpn01_handler(ngx_http_request_t *r);

#endif
