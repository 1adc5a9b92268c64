/*
 * Remarks and refusals on the server's own directives beside hotcert's. where is the host's
 * "file:line". Notes that are found while a configuration is read are told by hc_remarks_log().
 */
#ifndef HC_GLUE_REMARK_H
#define HC_GLUE_REMARK_H

#include "base/log.h"
#include "conf/conf.h"

/* Tells each, in the level that hc_note_level() gives. */
void hc_remarks_log(const struct hc_findings *notes, const struct hc_log *log);

/* The host staples, which does nothing for certificates that are swapped in. */
int hc_remark_stapling(const char *where, struct hc_findings *notes,
                       struct hc_error *err) HC_MUST_USE;

/* A `watch` that stands outside of the host leaves it to the server: it cannot follow obstacle. */
int hc_remark_left_alone(const char *where, const char *obstacle, struct hc_findings *notes,
                         struct hc_error *err) HC_MUST_USE;

/* True if such a `watch` is all that the host has: what it cannot follow is left alone then, and is
 * refused where the host itself says `hotcert watch`. */
bool hc_remark_inherits_watch(const struct hc_conf *conf, const struct hc_scope *scope);

/* `watch` in the host itself, and a certificate or key that is in no file; has_variables: its name
 * is made at each handshake. Returns -1. */
int hc_refuse_unfollowed(const char *where, const char *name, bool has_variables,
                         struct hc_error *err);

/* The same beside `on`, where it only cannot be the first certificate. */
int hc_remark_unfollowed(const char *where, const char *name, struct hc_findings *notes,
                         struct hc_error *err) HC_MUST_USE;

/* command, OpenSSL's own, brings a certificate or a key past the server's directives. Returns -1.
 */
int hc_refuse_command(const char *where, const char *command, struct hc_error *err);

#endif
