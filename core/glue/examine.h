/*
 * The examination: would a start with this configuration be refused? Asked before anything is
 * changed: a keeper for the moment, and the loader that only looks.
 */
#ifndef HC_GLUE_EXAMINE_H
#define HC_GLUE_EXAMINE_H

#include "keeper/spawn.h"

/* What is looked at beside the certificates. */
enum hc_examination {
    HC_EXAMINE_FOLDERS = 1, /* where a running server goes on without, they are left out */
    HC_EXAMINE_CONTROL = 2, /* what is wrong with the socket is told, and refuses nothing */
};

/*
 * -1: it would be refused, err says why. Lines for the operator go to log. The keeper has ended and
 * is reaped; a caller whose server reaps children blocks SIGCHLD meanwhile. Makes and changes
 * nothing. Takes up to HC_LOADER_SECONDS. prior: hc_loader_prior()'s, for the start that comes
 * after; -1: a test, which judges everything.
 */
int hc_examine(const struct hc_conf *conf, const struct hc_rights *rights, unsigned what, int prior,
               const struct hc_log *log, struct hc_error *err) HC_MUST_USE;

#endif
