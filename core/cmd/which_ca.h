/*
 * Which CA, and which account there, a command is about: the options --issuer, --caa-domain,
 * --account, --store and --secret, and the accounts that stores of this machine have at that CA:
 * those of the agents that run, of the folders that are named, and of the default one. Each store
 * is read by a process of its own, with its owner's rights and no more.
 */
#ifndef HC_CMD_WHICH_CA_H
#define HC_CMD_WHICH_CA_H

#include <getopt.h>

#include "base/str.h"

/* What getopt_long() gives for them. */
enum {
    HC_WHICH_CA_BEGIN = 256,
    HC_WHICH_CA_ISSUER = HC_WHICH_CA_BEGIN,
    HC_WHICH_CA_CAA_DOMAIN,
    HC_WHICH_CA_ACCOUNT,
    HC_WHICH_CA_STORE,
    HC_WHICH_CA_SECRET,
    HC_WHICH_CA_END,
};

/* Rows of a command's table of options. */
#define HC_WHICH_CA_OPTIONS                                                                        \
    {"issuer", required_argument, NULL, HC_WHICH_CA_ISSUER},                                       \
        {"caa-domain", required_argument, NULL, HC_WHICH_CA_CAA_DOMAIN},                           \
        {"account", required_argument, NULL, HC_WHICH_CA_ACCOUNT},                                 \
        {"store", required_argument, NULL, HC_WHICH_CA_STORE},                                     \
    {                                                                                              \
        "secret", required_argument, NULL, HC_WHICH_CA_SECRET                                      \
    }

/* Zeroed memory: nothing is given. Strings of options are borrowed. */
struct hc_which_ca {
    struct hc_list caa_domains; /* the CA's names of itself */
    struct hc_list stores;
    struct hc_list accounts; /* URL, store, URL, store .. */
    const char *issuer;
    const char *account;
    const char *secret;
    char *directory_url; /* NULL: not known */
};

/* Takes one of the options. */
int hc_which_ca_take(struct hc_which_ca *ca, int option, const char *value,
                     struct hc_error *err) HC_MUST_USE;
/* After the options: the CA's names of itself, unless they were given, and its directory. */
int hc_which_ca_find(struct hc_which_ca *ca, struct hc_error *err) HC_MUST_USE;
/* Adds the accounts at this directory. A store that was named and cannot be read is an error, the
 * others are passed over. */
int hc_which_ca_accounts(struct hc_which_ca *ca, struct hc_error *err) HC_MUST_USE;
void hc_which_ca_dispose(struct hc_which_ca *ca);

#endif
