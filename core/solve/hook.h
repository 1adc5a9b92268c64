/*
 * The forms in which other ACME clients call their hooks: arguments and variables for adding and
 * removing one TXT value, exactly as each tool does it. Pure; texts only.
 */
#ifndef HC_SOLVE_HOOK_H
#define HC_SOLVE_HOOK_H

#include "conf/field.h"
#include "live/answer.h"
#include "solve/writer.h"

struct hc_hook {
    struct hc_list argv; /* argv[0]: the program */
    struct hc_list envp; /* "NAME=value", of the style; those of the block come besides */
};

/*
 * Fills in both, which are the caller's to dispose. shim: the script
 * that runs dnsapi files, for style acme.sh; else NULL.
 */
int hc_hook_make(const struct hc_dns_block *block, enum hc_writer_change what,
                 const struct hc_txt_value *value, const char *shim, struct hc_hook *hook,
                 struct hc_error *err) HC_MUST_USE;
void hc_hook_dispose(struct hc_hook *hook); /* wiped; safe on zeroed memory and twice */

#endif
