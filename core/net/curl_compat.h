/*
 * What differs between versions of libcurl (7.81 to current), in one place. Each is a function with
 * the same meaning whatever the version.
 */
#ifndef HC_NET_CURL_COMPAT_H
#define HC_NET_CURL_COMPAT_H

#include <curl/curl.h>

/* Only these schemes, also for what a proxy or a reply may ask for. */
#if LIBCURL_VERSION_NUM >= 0x075500
static inline CURLcode hc_curl_schemes(CURL *easy, const char *names, long bits)
{
    (void)bits;
    return curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, names);
}
#else
static inline CURLcode hc_curl_schemes(CURL *easy, const char *names, long bits)
{
    (void)names;
    return curl_easy_setopt(easy, CURLOPT_PROTOCOLS, bits);
}
#endif

/* How long parsed roots are kept; before 7.87 they are parsed for each connection. */
#if LIBCURL_VERSION_NUM >= 0x075700
static inline CURLcode hc_curl_keep_roots(CURL *easy, long seconds)
{
    return curl_easy_setopt(easy, CURLOPT_CA_CACHE_TIMEOUT, seconds);
}
#else
static inline CURLcode hc_curl_keep_roots(CURL *easy, long seconds)
{
    (void)easy;
    (void)seconds;
    return CURLE_OK;
}
#endif

#endif
