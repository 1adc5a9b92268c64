/* Strings; see str.h. */
#include "base/str.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/vec.h"

int hc_strdup(const char *s, char **out, struct hc_error *err)
{
    *out = strdup(s);
    return *out != NULL ? 0 : hc_error_nomem(err);
}

int hc_base64url(const unsigned char *src, size_t len, struct hc_buf *out, struct hc_error *err)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    unsigned char *at = NULL;
    size_t need = len / 3 * 4 + (len % 3 > 0 ? len % 3 + 1 : 0);

    if (hc_buf_reserve(out, need, &at, err) != 0) {
        return -1;
    }
    for (size_t i = 0; i < len; i += 3) {
        size_t left = len - i;
        uint32_t v = (uint32_t)src[i] << 16;

        v |= left > 1 ? (uint32_t)src[i + 1] << 8 : 0;
        v |= left > 2 ? (uint32_t)src[i + 2] : 0;
        *at++ = (unsigned char)digits[v >> 18];
        *at++ = (unsigned char)digits[v >> 12 & 63];
        if (left > 1) {
            *at++ = (unsigned char)digits[v >> 6 & 63];
        }
        if (left > 2) {
            *at++ = (unsigned char)digits[v & 63];
        }
    }
    *at = '\0';
    out->len += need;
    return 0;
}

static int base64url_value(char c)
{
    if (c >= 'A' && c <= 'Z') {
        return c - 'A';
    }
    if (c >= 'a' && c <= 'z') {
        return c - 'a' + 26;
    }
    if (c >= '0' && c <= '9') {
        return c - '0' + 52;
    }
    if (c == '-') {
        return 62;
    }
    return c == '_' ? 63 : -1;
}

int hc_base64url_decode(const char *src, size_t len, struct hc_buf *out, struct hc_error *err)
{
    size_t start = out->len;
    uint32_t v = 0;
    unsigned bits = 0;

    for (size_t i = 0; i < len; i++) {
        int digit = base64url_value(src[i]);

        if (digit < 0) {
            goto bad;
        }
        v = v << 6 | (uint32_t)digit;
        bits += 6;
        if (bits >= 8) {
            unsigned char byte = (unsigned char)(v >> (bits - 8));

            bits -= 8;
            v &= (1u << bits) - 1;
            if (hc_buf_append(out, &byte, 1, err) != 0) {
                out->len = start;
                return -1;
            }
        }
    }
    if (len % 4 != 1 && v == 0) {
        return 0;
    }
bad:
    out->len = start;
    return hc_error_set(err, HC_P_PROTOCOL, NULL, "not base64url");
}

int hc_list_add_len(struct hc_list *list, const char *s, size_t len, struct hc_error *err)
{
    char **items = hc_vec_room(list->items, list->count, &list->cap, sizeof(*items), err);
    char *item = NULL;

    if (items == NULL) {
        return -1;
    }
    list->items = items;
    item = malloc(len + 1);
    if (item == NULL) {
        return hc_error_nomem(err);
    }
    if (len > 0) { /* a server's empty string may be NULL */
        memcpy(item, s, len);
    }
    item[len] = '\0';
    list->items[list->count++] = item;
    return 0;
}

int hc_list_add(struct hc_list *list, const char *s, struct hc_error *err)
{
    return hc_list_add_len(list, s, strlen(s), err);
}

int hc_list_copy(struct hc_list *dst, const struct hc_list *src, struct hc_error *err)
{
    for (size_t i = 0; i < src->count; i++) {
        if (hc_list_add(dst, src->items[i], err) != 0) {
            return -1;
        }
    }
    return 0;
}

bool hc_list_has(const struct hc_list *list, const char *s)
{
    for (size_t i = 0; i < list->count; i++) {
        if (strcmp(list->items[i], s) == 0) {
            return true;
        }
    }
    return false;
}

bool hc_list_has_all(const struct hc_list *list, const struct hc_list *others)
{
    for (size_t i = 0; i < others->count; i++) {
        if (!hc_list_has(list, others->items[i])) {
            return false;
        }
    }
    return true;
}

bool hc_list_equal(const struct hc_list *a, const struct hc_list *b)
{
    if (a->count != b->count) {
        return false;
    }
    for (size_t i = 0; i < a->count; i++) {
        if (strcmp(a->items[i], b->items[i]) != 0) {
            return false;
        }
    }
    return true;
}

static int compare(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

void hc_list_sort_unique(struct hc_list *list)
{
    size_t kept = 0;

    if (list->count < 2) {
        return;
    }
    qsort(list->items, list->count, sizeof(*list->items), compare);
    for (size_t i = 0; i < list->count; i++) {
        if (kept > 0 && strcmp(list->items[kept - 1], list->items[i]) == 0) {
            free(list->items[i]);
        } else {
            list->items[kept++] = list->items[i];
        }
    }
    list->count = kept;
}

bool hc_list_has_sorted(const struct hc_list *list, const char *s)
{
    return list->count > 0 &&
           bsearch(&s, list->items, list->count, sizeof(*list->items), compare) != NULL;
}

void hc_list_dispose(struct hc_list *list)
{
    for (size_t i = 0; i < list->count; i++) {
        free(list->items[i]);
    }
    free(list->items);
    list->items = NULL;
    list->count = list->cap = 0;
}

/* Appends one item; false: there is no room for it and for the words that count the rest. */
static bool format_item(const char *item, char *dst, size_t cap)
{
    size_t used = strlen(dst);
    const char *glue = used == 0 ? "" : ", ";

    if (used + strlen(glue) + strlen(item) + 24 > cap && used > 0) {
        return false;
    }
    snprintf(dst + used, cap - used, "%s%s", glue, item);
    return true;
}

char *hc_list_format_led(const struct hc_list *list, const char *lead, char *dst, size_t cap)
{
    size_t shown = lead != NULL;

    dst[0] = '\0';
    if (lead != NULL) {
        (void)format_item(lead, dst, cap);
    }
    for (size_t i = 0; i < list->count; i++) {
        if (lead != NULL && strcmp(list->items[i], lead) == 0) {
            continue;
        }
        if (!format_item(list->items[i], dst, cap)) {
            size_t used = strlen(dst);

            snprintf(dst + used, cap - used, " and %zu more", list->count - shown);
            break;
        }
        shown++;
    }
    return dst;
}

char *hc_list_format(const struct hc_list *list, char *dst, size_t cap)
{
    return hc_list_format_led(list, NULL, dst, cap);
}
