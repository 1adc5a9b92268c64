/*
 * Named records: small, durable, sealed values that are no lines.
 */
#ifndef HC_STORE_RECORD_H
#define HC_STORE_RECORD_H

#include "base/buf.h"
#include "base/str.h"
#include "store/store.h"

/*
 * Named records: small, durable, sealed if secret (accounts, job states, breakers). kind is a word
 * ("account", "job", "issuer"), name any text (hashed into the file name). Bound to kind and name.
 * put is atomic, keeps the value before it, and is durable but for the kinds "job", "issuer",
 * "verdict", "written" and "renewal": a machine that loses power may have an earlier value of those
 * (a killed process loses none). get: a damaged value is named and set aside (DRIVE) and the one
 * before it is returned; HC_P_STORE_DAMAGED if there is none to fall back to, HC_P_STORE_EMPTY if
 * it is absent. out (should be secret) is appended to. Values up to 2 MiB.
 */
int hc_store_put(struct hc_store *store, const char *kind, const char *name, struct hc_bytes value,
                 struct hc_error *err) HC_MUST_USE;
int hc_store_get(struct hc_store *store, const char *kind, const char *name, struct hc_buf *out,
                 struct hc_error *err) HC_MUST_USE;
int hc_store_delete(struct hc_store *store, const char *kind, const char *name,
                    struct hc_error *err) HC_MUST_USE;

/*
 * All records of a kind, by the names of their files, which say nothing of theirs: for kinds whose
 * values tell what they are. Appended to files.
 */
#define HC_RECORD_FILE 65
int hc_store_record_files(struct hc_store *store, const char *kind, struct hc_list *files,
                          struct hc_error *err) HC_MUST_USE;
/* As hc_store_get(), by that name. */
int hc_store_get_file(struct hc_store *store, const char *kind, const char *file,
                      struct hc_buf *out, struct hc_error *err) HC_MUST_USE;

#endif
