/*
 * hc_ranges: whose an address is, by public ranges of CDNs that an operator has in files. A line:
 *
 *     104.16.0.0/13 Cloudflare
 *     Fastly: 2a04:4e40::/32
 *     151.101.0.0/16                  (as CDNs publish them: the file's name stands for the CDN's)
 *
 * "#" begins a comment. Nobody is asked, and nothing is guessed.
 */
#ifndef HC_PREFLIGHT_RANGES_H
#define HC_PREFLIGHT_RANGES_H

#include "base/address.h"

#define HC_RANGES_FILE_MAX ((size_t)4 << 20)
#define HC_RANGES_MAX      50000
#define HC_RANGE_NAME      64 /* with NUL */
#define HC_RANGE_TEXT      (HC_ADDRESS_TEXT + 4)

struct hc_range {
    struct hc_address first; /* the bits behind the prefix are zero */
    unsigned bits;
    size_t name; /* in the list of names */
};

/* Zeroed memory has none. */
struct hc_ranges {
    struct hc_range *items;
    size_t count, cap;
    struct hc_list names;
};

/* Adds those of a file. HC_P_FILE_UNREADABLE; HC_P_BAD_VALUE, with the line; and what was added
 * before stays. */
int hc_ranges_add_file(struct hc_ranges *ranges, const char *path,
                       struct hc_error *err) HC_MUST_USE;
/* The same of all of these. */
int hc_ranges_add_files(struct hc_ranges *ranges, const struct hc_list *paths,
                        struct hc_error *err) HC_MUST_USE;
void hc_ranges_dispose(struct hc_ranges *ranges);

/* The narrowest that has the address, or NULL. ranges may be NULL. Any thread. */
const struct hc_range *hc_ranges_find(const struct hc_ranges *ranges,
                                      const struct hc_address *address);
const char *hc_range_name(const struct hc_ranges *ranges, const struct hc_range *range);
/* "104.16.0.0/13". Returns dst. */
char *hc_range_format(const struct hc_range *range, char dst[HC_RANGE_TEXT]);

#endif
