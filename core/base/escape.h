/* Foreign text made harmless, copies that end, hex: what errors need as well, so it reports none.
 */
#ifndef HC_BASE_ESCAPE_H
#define HC_BASE_ESCAPE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/compiler.h"

/* The longest piece of foreign text that reaches a log line or a terminal, in bytes. */
#define HC_FOREIGN_MAX 512

/*
 * Writes src to dst with control characters, DEL and bytes above 0x7e as \xHH and backslash
 * doubled; ends in ".." when cut. cap includes the NUL and is at least 4. Returns dst.
 */
char *hc_escape(char *dst, size_t cap, const char *src, size_t len);

/* As hc_escape(), of a text that is escaped already, here or elsewhere: backslashes stay single. */
char *hc_escape_rest(char *dst, size_t cap, const char *src, size_t len);

/*
 * Undoes hc_escape(), NULs included; *out_len: without the one that ends dst. False for anything
 * that hc_escape() would not have written, and without room; dst is then "".
 */
bool hc_unescape(char *dst, size_t cap, const char *src, size_t len, size_t *out_len);

/* Copies at most cap - 1 bytes and terminates; true if all of src fitted. */
bool hc_copy(char *dst, size_t cap, const char *src);

/* dst has room for 2 * len + 1 bytes. */
void hc_hex(char *dst, const unsigned char *src, size_t len);
/* Exactly len bytes from 2 * len hex digits; -1 if src is anything else. */
int hc_unhex(unsigned char *dst, size_t len, const char *src) HC_MUST_USE;

#endif
