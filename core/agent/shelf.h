/*
 * An identity's bundle in the live table: read, and put there unless it is there already, so that
 * workers parse nothing twice.
 */
#ifndef HC_AGENT_SHELF_H
#define HC_AGENT_SHELF_H

#include "conf/conf.h"
#include "live/table.h"
#include "pki/pair.h"

/* 1: the bundle was put, 0: the same bytes were there. */
int hc_shelf_put(struct hc_table *table, const struct hc_identity *identity,
                 const struct hc_bundle *bundle, struct hc_error *err) HC_MUST_USE;

/* *bundle is the caller's to free; NULL: there is nothing. */
int hc_shelf_get(struct hc_table *table, const struct hc_identity *identity,
                 struct hc_bundle **bundle, struct hc_error *err) HC_MUST_USE;

#endif
