/*
 * Whose rights agent and loader have: those of a user of their own (hotcert_user), so that code
 * which a hole in a web application runs as the worker user can neither end the agent, nor read or
 * change the store, nor answer in the agent's place.
 *
 * Called by the master, single-threaded: it reads the user database.
 */
#ifndef HC_KEEPER_RIGHTS_H
#define HC_KEEPER_RIGHTS_H

#include "conf/conf.h"
#include "keeper/process.h"

#define HC_RIGHTS_USER                                                                             \
    "hotcert" /* taken where hotcert_user says nothing and such a user exists                      \
               */

/*
 * The rights that the configuration asks for: those of hotcert_user, else of the user hotcert if
 * there is one, else the worker's. Where nothing is dropped, the worker's. HC_P_BAD_VALUE: there is
 * no such user, or it is root. out borrows from conf and worker.
 */
int hc_rights_wanted(const struct hc_conf *conf, const struct hc_rights *worker,
                     struct hc_rights *out, struct hc_error *err) HC_MUST_USE;

/*
 * Those that agent and loader get now: as wanted, but the worker's as long as the store is the
 * worker user's (a start gives it away, keeper/handover.h; a configuration test changes nothing).
 */
int hc_rights_of_agent(const struct hc_conf *conf, const struct hc_rights *worker,
                       struct hc_rights *out, struct hc_error *err) HC_MUST_USE;

/* True if these are rights of different users. */
bool hc_rights_differ(const struct hc_rights *a, const struct hc_rights *b);

#endif
