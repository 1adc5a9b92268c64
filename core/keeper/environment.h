/* The environment of `hotcert load` and `hotcert agent`: see spawn.h for what it has. */
#ifndef HC_KEEPER_ENVIRONMENT_H
#define HC_KEEPER_ENVIRONMENT_H

#include "base/error.h"

#define HC_ENVIRONMENT_MAX 40

/* Made before the fork; ends with NULL. aws: with what AWS's tools look at. Free it also when this
 * fails. */
int hc_environment_make(bool aws, char *env[HC_ENVIRONMENT_MAX], struct hc_error *err) HC_MUST_USE;
void hc_environment_free(char *env[HC_ENVIRONMENT_MAX]);

#endif
