/*
 * Strings: base64url (RFC 4648 section 5, unpadded, as JOSE uses it), and hc_list, an owned list of
 * strings; with escape.h, what is done to texts.
 */
#ifndef HC_BASE_STR_H
#define HC_BASE_STR_H

#include "base/buf.h"
#include "base/compiler.h"
#include "base/error.h"
#include "base/escape.h"

/* strdup() that reports; *out is the caller's to free(). */
int hc_strdup(const char *s, char **out, struct hc_error *err) HC_MUST_USE;

int hc_base64url(const unsigned char *src, size_t len, struct hc_buf *out,
                 struct hc_error *err) HC_MUST_USE;
/* Refuses padding, white space and stray bits. */
int hc_base64url_decode(const char *src, size_t len, struct hc_buf *out,
                        struct hc_error *err) HC_MUST_USE;

/* A list of strings that it owns. Zeroed memory is an empty list. */
struct hc_list {
    char **items;
    size_t count;
    size_t cap;
};

int hc_list_add(struct hc_list *list, const char *s, struct hc_error *err) HC_MUST_USE;
int hc_list_add_len(struct hc_list *list, const char *s, size_t len,
                    struct hc_error *err) HC_MUST_USE;
int hc_list_copy(struct hc_list *dst, const struct hc_list *src, struct hc_error *err) HC_MUST_USE;
bool hc_list_has(const struct hc_list *list, const char *s); /* exact */
/* True if it has each of these. */
bool hc_list_has_all(const struct hc_list *list, const struct hc_list *others);
bool hc_list_equal(const struct hc_list *a, const struct hc_list *b);
void hc_list_sort_unique(struct hc_list *list); /* bytewise order */
/* As hc_list_has(), of a list in this order, which may be long. */
bool hc_list_has_sorted(const struct hc_list *list, const char *s);
void hc_list_dispose(struct hc_list *list);

/* "a, b, c and 4 more": for log lines; at most cap bytes. Returns dst. */
char *hc_list_format(const struct hc_list *list, char *dst, size_t cap);
/* The same of a list of distinct strings with one of them, lead, ahead of the others. lead may be
 * NULL. */
char *hc_list_format_led(const struct hc_list *list, const char *lead, char *dst, size_t cap);

#endif
