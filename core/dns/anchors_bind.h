/* BIND's way to write trust anchors: trust-anchors { . static-key 257 3 8 "..."; };, also
 * managed-keys and trusted-keys, with its comments. */
#ifndef HC_DNS_ANCHORS_BIND_H
#define HC_DNS_ANCHORS_BIND_H

#include "base/error.h"

/* One anchor, as a line of a zone file. 0, or -1 with err. */
typedef int hc_anchors_line(void *arg, const char *line, const char *path, struct hc_error *err);

/* True if the text has such a block. */
bool hc_anchors_is_bind(const char *text);

/* Calls for each anchor. HC_P_BAD_VALUE about path. */
int hc_anchors_read_bind(const char *text, const char *path, hc_anchors_line *line, void *arg,
                         struct hc_error *err) HC_MUST_USE;

#endif
