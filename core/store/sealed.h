/*
 * Named sealed files in a folder: records and challenges. bound says where a file belongs (kind and
 * digest of its name), so that one can never stand for another.
 */
#ifndef HC_STORE_SEALED_H
#define HC_STORE_SEALED_H

#include "store/file.h"

/* Seals and writes, replacing what is there. durable: it reaches the disk before this returns. */
int hc_sealed_write(struct hc_store *store, const struct hc_file_place *place,
                    struct hc_bytes value, bool durable, struct hc_error *err) HC_MUST_USE;
int hc_sealed_read(struct hc_store *store, struct hc_bytes file, const char *bound,
                   struct hc_buf *out, struct hc_error *err) HC_MUST_USE;

/* SHA-256 of a name as 64 hex digits: what files are called whose names are foreign text. */
int hc_name_digest(const char *name, char hex[65], struct hc_error *err) HC_MUST_USE;

#endif
