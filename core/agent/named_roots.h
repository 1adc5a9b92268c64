/* Files of roots, of trust anchors and of address ranges that directives name. */
#ifndef HC_AGENT_NAMED_ROOTS_H
#define HC_AGENT_NAMED_ROOTS_H

#include "base/error.h"
#include "conf/conf.h"

/*
 * That all of them can be loaded. Without them chains and DNSSEC would not be judged, and the CA
 * not be reached: better to say so at once. err names the file and the directive.
 */
int hc_named_roots_check(const struct hc_conf *conf, struct hc_error *err) HC_MUST_USE;

#endif
