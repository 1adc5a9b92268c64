/*
 * URLs of certificate authorities: which are followed at all. https always; http only to this
 * machine's loopback, for development CAs.
 */
#ifndef HC_CONF_URL_H
#define HC_CONF_URL_H

#include "base/error.h"

#define HC_URL_MAX 2048

/* Refuses (HC_P_BAD_VALUE) what is no such URL: other schemes, user parts, http beyond loopback. */
int hc_url_check(const char *url, struct hc_error *err) HC_MUST_USE;

/* The host of an http or https URL, without brackets, lower case; -1 if it has none or no room. */
int hc_url_host(const char *url, char *dst, size_t cap) HC_MUST_USE;

/* True for localhost, 127/8 and ::1 (with or without brackets): a host as it stands in a URL. */
bool hc_url_is_loopback(const char *host);

#endif
