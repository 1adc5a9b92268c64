/*
 * The head of a version's file: lines of text that say what it is, readable without the secret
 * (`hotcert list`), with a checksum against accidents. Against malice the whole head is bound to
 * the sealed body behind it.
 */
#ifndef HC_STORE_HEAD_H
#define HC_STORE_HEAD_H

#include "base/buf.h"
#include "store/info.h"

#define HC_HEAD_MAX   ((size_t)512 << 10)
#define HC_HEAD_NAMES 5000 /* that a watched certificate may have */

/* Writes the head of this version, its checksum and the empty line that ends it. */
int hc_head_write(const struct hc_line_info *info, struct hc_buf *out,
                  struct hc_error *err) HC_MUST_USE;

/*
 * Reads the head at the start of a file. *used is its length: the body begins there. info is zeroed
 * memory, the caller's to dispose also on -1. HC_P_STORE_DAMAGED for anything but what
 * hc_head_write() writes.
 */
int hc_head_read(struct hc_bytes file, struct hc_line_info *info, size_t *used,
                 struct hc_error *err) HC_MUST_USE;

#endif
