/*
 * The commands' side of the control sockets: one request, one reply, bounded in size and time. What
 * an agent says is not trusted further than its rights go: it is escaped before it is printed.
 */
#ifndef HC_CMD_CLIENT_H
#define HC_CMD_CLIENT_H

#include <jansson.h>

#include "base/error.h"
#include "base/str.h"

#define HC_CONTROL_FOLDER "/run/hotcert"

/* control, or every socket in it, if it is a folder; NULL: HC_CONTROL_FOLDER. Sorted; an empty list
 * is no error. */
int hc_client_sockets(const char *control, struct hc_list *paths, struct hc_error *err) HC_MUST_USE;

/*
 * Asks one agent (request is borrowed). *reply is the caller's to json_decref(). HC_P_AGENT_GONE:
 * nobody listens there; HC_P_AGENT_ENDED: an agent did, and went away; HC_P_TIMED_OUT.
 */
int hc_client_ask(const char *path, const json_t *request, int64_t timeout_ms, json_t **reply,
                  struct hc_error *err) HC_MUST_USE;

/* 0 if the reply says ok; else -1 with its problem, subject and detail as err. */
int hc_client_check(const json_t *reply, struct hc_error *err) HC_MUST_USE;

/* True if no agent gave an answer. */
bool hc_client_is_gone(const struct hc_error *err);

/* The exit code for a problem. */
int hc_client_exit(const struct hc_error *err);

/* Prints the error as this command's. Returns hc_client_exit(). */
int hc_client_fail(const char *command, const struct hc_error *err);

#endif
