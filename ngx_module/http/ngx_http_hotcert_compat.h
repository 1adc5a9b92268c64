/*
 * What differs between versions of nginx (1.22 and later), in one place.
 */
#ifndef NGX_HTTP_HOTCERT_COMPAT_H
#define NGX_HTTP_HOTCERT_COMPAT_H

#include <nginx.h>
#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

/* `config` says so where nginx's configure links it as a module of its own. */
#if (NGX_HTTP_HOTCERT_DYNAMIC)
#define ngx_http_hotcert_is_dynamic 1
#else
#define ngx_http_hotcert_is_dynamic 0
#endif

/* A listener that does a TLS handshake: QUIC came with 1.25.0. */
#if (nginx_version >= 1025000)
#define ngx_http_hotcert_listens_tls(opt) ((opt)->ssl || (opt)->quic)
#else
#define ngx_http_hotcert_listens_tls(opt) ((opt)->ssl)
#endif

/* Before 1.25.1 a plain `listen .. http2` read nothing but HTTP/2. */
#if (nginx_version < 1025001)
#define ngx_http_hotcert_listens_h2_only(opt) ((opt)->http2 && !(opt)->ssl)
#else
#define ngx_http_hotcert_listens_h2_only(opt) 0
#endif

/* ssl_certificate_compression came with 1.29.1. */
#if (nginx_version >= 1029001)
#define ngx_http_hotcert_compresses(sscf) ((sscf)->certificate_compression == 1)
#define ngx_http_hotcert_compression(own, http)                                                    \
    ((own)->certificate_compression != NGX_CONF_UNSET ? (own)->certificate_compression             \
                                                      : (http)->certificate_compression)
#else
#define ngx_http_hotcert_compresses(sscf)       0
#define ngx_http_hotcert_compression(own, http) 0
#endif

/* From 1.29.2 the server is chosen by SNI before OpenSSL looks the session up. */
#define ngx_http_hotcert_late_sni (nginx_version < 1029002)

/* An answer that the gzip filter leaves as it is. */
#if (NGX_HTTP_GZIP)
#define ngx_http_hotcert_uncompressed(r) ((r)->gzip_tested = 1, (r)->gzip_ok = 0)
#else
#define ngx_http_hotcert_uncompressed(r) ((void)(r))
#endif

/* Server names by regular expression need PCRE; without it there are none. */
#if (NGX_PCRE)
#define ngx_http_hotcert_is_regex(name) ((name)->regex != NULL)

static inline const ngx_http_core_srv_conf_t *
ngx_http_hotcert_find_regex(const ngx_http_virtual_names_t *names, ngx_str_t *host)
{
    for (ngx_uint_t i = 0; i < names->nregex; i++) {
        if (ngx_regex_exec(names->regex[i].regex->regex, host, NULL, 0) >= 0) {
            return names->regex[i].server;
        }
    }
    return NULL;
}
#else
#define ngx_http_hotcert_is_regex(name)          0
#define ngx_http_hotcert_find_regex(names, host) NULL
#endif

#endif
