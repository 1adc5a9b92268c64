/* The store as the files of this folder hand it on. */
#ifndef HC_STORE_USE_H
#define HC_STORE_USE_H

#include "base/compiler.h"
#include "base/error.h"

struct hc_store;

/* How a store is opened. */
enum hc_store_use {
    HC_STORE_READ,  /* changes nothing: the loader, the configuration test, `list` */
    HC_STORE_DRIVE, /* the agent: makes missing folders, sets damaged files aside */
};

/*
 * Whether an open store is still this secret's: as long as nothing is sealed in it, another server
 * with another secret takes it over. HC_P_SECRET_OTHER: close it. Touches nothing; cheap.
 */
int hc_store_recheck(struct hc_store *store, struct hc_error *err) HC_MUST_USE;

#endif
