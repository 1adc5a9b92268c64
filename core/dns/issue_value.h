/*
 * The text that CAA records have in issue and issuewild (RFC 8659 section 4.2), and records of
 * dns-persist-01 as a whole: the domain name of a CA, then parameters.
 *
 *     ca.example; accounturi=https://ca.example/acct/1; policy=wildcard
 *
 * Pure functions on borrowed text that may hold any octet. Any thread.
 */
#ifndef HC_DNS_ISSUE_VALUE_H
#define HC_DNS_ISSUE_VALUE_H

#include "base/compiler.h"

/* A piece of a text, without an end of its own. */
struct hc_slice {
    const char *at;
    size_t len;
};

bool hc_slice_is(struct hc_slice slice, const char *text); /* exactly */
/* The same without case: tags and domain names are ASCII. */
bool hc_slice_is_tag(struct hc_slice slice, const char *text);
/* Takes one character off the front, if it is that one. */
bool hc_slice_take_char(struct hc_slice *in, char c);
/* label = (ALPHA / DIGIT) *( *("-") (ALPHA / DIGIT)) off the front; empty if there is none. */
struct hc_slice hc_slice_take_label(struct hc_slice *in);

/* Told of each parameter; twice: its tag, without case, came before. False: malformed. */
typedef bool hc_issue_parameter(void *arg, struct hc_slice tag, struct hc_slice value, bool twice);

/* False: the text is malformed. *domain is empty where none is named. */
bool hc_issue_value_read(struct hc_slice text, struct hc_slice *domain, hc_issue_parameter *note,
                         void *arg) HC_MUST_USE;

#endif
