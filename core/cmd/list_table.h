/*
 * What `hotcert list` prints for people: a row for each certificate, as wide as its content and, if
 * that can be, no wider than a terminal of 80 columns; below it what is wrong, wrapped.
 */
#ifndef HC_CMD_LIST_TABLE_H
#define HC_CMD_LIST_TABLE_H

#include <jansson.h>
#include <stdio.h>

#include "base/error.h"

/* certificates: as hc_status_certificates() makes them, from an agent that is not trusted: all text
 * is escaped. now: UTC. -1 only without memory. */
int hc_list_table(const json_t *certificates, int64_t now, FILE *out,
                  struct hc_error *err) HC_MUST_USE;

#endif
