/*
 * What clients make of a flaw: "it works in my browser" answered. docs/clients.md says how this
 * was found. Any thread.
 */
#ifndef HC_PKI_CLIENTS_H
#define HC_PKI_CLIENTS_H

#include "base/compiler.h"
#include "base/problem.h"

enum hc_client {
    HC_CLIENT_OPENSSL,
    HC_CLIENT_CURL,
    HC_CLIENT_PYTHON,
    HC_CLIENT_JAVA,
    HC_CLIENT_BROWSERS,
    HC_CLIENT_COUNT
};

/* "OpenSSL", "curl", "Python", "Java", "browsers". */
const char *hc_client_name(enum hc_client client);

/* What it says of a server with this problem, in its own words; NULL if there is nothing to say
 * (remarks, and what can never be served). */
const char *hc_client_says(enum hc_problem p, enum hc_client client);

#endif
