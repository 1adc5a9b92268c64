/*
 * The examination: would a start with this configuration be refused? Asked before anything is
 * changed: a keeper for the moment, and the loader that only examines.
 */
#ifndef HC_GLUE_EXAMINE_H
#define HC_GLUE_EXAMINE_H

#include "keeper/spawn.h"

/* What is examined beside the certificates. */
enum hc_examination {
    HC_EXAMINE_FOLDERS = 1, /* where a running server goes on without, they are left out */
    HC_EXAMINE_CONTROL = 2, /* what is wrong with the socket is told, and refuses nothing */
};

/* What the server has already, and who else may have it. */
struct hc_examined {
    unsigned what;
    const struct hc_dns_sockets *dns; /* held */
    pid_t
        running; /* the process of this server that a test is for, or a start takes over from; 0 */
};

/*
 * -1: it would be refused, err says why. Lines for the operator go to log. The keeper has ended and
 * is reaped; a caller whose server reaps children blocks SIGCHLD meanwhile. Makes and changes
 * nothing. Takes up to HC_LOADER_SECONDS. prior: hc_loader_prior()'s, for the start that comes
 * after; -1: a test, which judges everything.
 */
int hc_examine(const struct hc_conf *conf, const struct hc_rights *rights,
               const struct hc_examined *examined, int prior, const struct hc_log *log,
               struct hc_error *err) HC_MUST_USE;

#endif
