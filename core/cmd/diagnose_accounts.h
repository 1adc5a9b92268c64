/*
 * The accounts that stores of this machine have at one CA, for CAA records that name an account:
 * those of the agents that run, of the folders that are named, and of the default one. Each store
 * is read by a process of its own, with its owner's rights and no more.
 */
#ifndef HC_CMD_DIAGNOSE_ACCOUNTS_H
#define HC_CMD_DIAGNOSE_ACCOUNTS_H

#include "base/str.h"

/*
 * Adds URL, store, URL, store .. for the CA with this directory. named: folders that are read
 * instead of what is at hand by itself, if there are any; a store that was named and cannot be read
 * is an error, the others are passed over. secret: a file, or NULL: the one beside each store.
 */
int hc_diagnose_accounts(const char *directory_url, const struct hc_list *named, const char *secret,
                         struct hc_list *accounts, struct hc_error *err) HC_MUST_USE;

#endif
