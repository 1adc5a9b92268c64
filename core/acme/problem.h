/*
 * Problem documents of ACME (RFC 7807, RFC 8555 section 6.7): the CA's words, mapped to our
 * problems. Its words are kept, but for what must not be logged: tokens and key authorizations.
 */
#ifndef HC_ACME_PROBLEM_H
#define HC_ACME_PROBLEM_H

#include <jansson.h>

#include "base/error.h"
#include "base/redaction.h"
#include "base/str.h"
#include "conf/name.h"
#include "net/http.h"

#define HC_SUBPROBLEMS_MAX 100

/* What the problem is about: the same type means different things. */
enum hc_problem_about { HC_ABOUT_REQUEST, HC_ABOUT_CHALLENGE };

/*
 * Fills err from a problem object. secrets: texts to leave out, or NULL; whatever looks like a
 * token is left out besides. -1, as hc_error_set().
 */
int hc_acme_problem_set(const json_t *problem, enum hc_problem_about about, const char *subject,
                        struct hc_redaction *secrets, struct hc_error *err);

/*
 * Fills err from a reply of status 400 or more, whatever its body is; with its Retry-After. Where
 * the CA wants a person to act, the address that it names is kept whole.
 */
int hc_acme_problem_reply(const struct hc_http_reply *reply, const char *subject,
                          struct hc_redaction *secrets, struct hc_error *err);

/*
 * Of a plain refusal (HC_P_CA_REFUSED) where nothing but the account can be meant: says so. A reply
 * that is no problem document is not the CA's word, but of something in front of it.
 */
void hc_acme_problem_of_account(const struct hc_http_reply *reply, struct hc_error *err);

/*
 * Subproblem i of a problem object (RFC 8555 section 6.7.1): whose it is, and what. False when
 * there is no such subproblem; name is "" for one without an identifier.
 */
bool hc_acme_subproblem(const json_t *problem, size_t i, struct hc_redaction *secrets,
                        char name[HC_NAME_SIZE], struct hc_error *err);

/* Copies text with "[..]" for each of the secrets and for whatever looks like a token. */
void hc_acme_redact(const char *text, struct hc_redaction *secrets, char *out, size_t cap);

/* The name of an identifier object ({"type":..,"value":..}) as we write names, or "". */
void hc_acme_identifier_name(const json_t *identifier, bool wildcard, char name[HC_NAME_SIZE]);

#endif
