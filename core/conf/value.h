/*
 * What an argument of a directive must be beyond its type: each checks one and writes the form that
 * is kept (hc_field.value). 0, or -1 with the error naming the argument and what would be right.
 */
#ifndef HC_CONF_VALUE_H
#define HC_CONF_VALUE_H

#include "conf/directive.h"

typedef int hc_value(const struct hc_directive_call *call, const char *arg,
                     char out[HC_FIELD_VALUE], struct hc_error *err);

hc_value hc_value_number;     /* between the field's limits */
hc_value hc_value_time;       /* "5m" to seconds */
hc_value hc_value_path;       /* absolute, or below the server's own folder */
hc_value hc_value_anchor;     /* a path, or "off" */
hc_value hc_value_socket;     /* a path that a socket can have */
hc_value hc_value_user;       /* a user's name */
hc_value hc_value_domain;     /* a host name */
hc_value hc_value_issuer;     /* named once in its list */
hc_value hc_value_eab_kid;    /* printable ASCII */
hc_value hc_value_line;       /* some words, without control characters */
hc_value hc_value_word;       /* a word without anything special */
hc_value hc_value_profile;    /* such a word; behind it, "required" */
hc_value hc_value_method;     /* one that this build solves, named once */
hc_value hc_value_key_type;   /* at most one of a kind */
hc_value hc_value_resolver;   /* ADDR, ADDR:PORT or [ADDR]:PORT */
hc_value hc_value_dns_listen; /* ADDR:PORT or [ADDR]:PORT, named once */
hc_value hc_value_dns_ns;     /* a host name, or an address behind one */
hc_value hc_value_flaw;       /* the slug of one */
hc_value hc_value_contact;    /* a mail address to its URI */
hc_value hc_value_directory_url;

/* What counts of an issuer in an identity: its directory. */
const char *hc_issuer_stands_for(const struct hc_conf *conf, const char *name);

#endif
