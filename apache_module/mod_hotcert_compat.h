/*
 * What differs between versions of httpd, in one place. Supported: 2.4.58 and later with mod_ssl on
 * OpenSSL 3; tried on 2.4.71.
 */
#ifndef MOD_HOTCERT_COMPAT_H
#define MOD_HOTCERT_COMPAT_H

#include <httpd.h>
/* httpd.h first: the others need it */
#include <ap_listen.h>
#include <ap_mpm.h>
#include <apr_hash.h>
#include <apr_strings.h>
#include <http_config.h>
#include <http_connection.h>
#include <http_core.h>
#include <http_log.h>
#include <http_main.h>
#include <http_protocol.h>
#include <http_ssl.h>
#include <mod_ssl_openssl.h>
#include <mpm_common.h>
#include <unixd.h>

#if !AP_MODULE_MAGIC_AT_LEAST(20120211, 129)
#error "mod_hotcert needs httpd 2.4.58 or later"
#endif
#if OPENSSL_VERSION_NUMBER < 0x30000000L
#error "mod_hotcert needs OpenSSL 3.0 or later"
#endif
#ifndef SSL_CERT_HOOKS
#error "this httpd's mod_ssl lets no other module bring certificates"
#endif

#endif
