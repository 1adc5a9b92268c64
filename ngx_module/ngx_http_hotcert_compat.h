/*
 * What differs between versions of nginx (1.22 and later), in one place.
 */
#ifndef NGX_HTTP_HOTCERT_COMPAT_H
#define NGX_HTTP_HOTCERT_COMPAT_H

#include <nginx.h>
#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

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
#else
#define ngx_http_hotcert_compresses(sscf) 0
#endif

#endif
