/* Files of address ranges; see ranges.h. */
#include "preflight/ranges.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/io.h"
#include "base/vec.h"

#define LINE_MAX_LEN 256
#define NAMES_MAX    1000 /* each line looks its name up among them */

/* Where a file's line is. */
struct place {
    const char *path;
    unsigned line;
};

static int wrong(const struct place *place, const char *what, struct hc_error *err)
{
    char where[HC_ERROR_SUBJECT];

    (void)snprintf(where, sizeof(where), "%s:%u", place->path, place->line);
    return hc_error_set(err, HC_P_BAD_VALUE, where,
                        "%s: a line has a range and a name (192.0.2.0/24 NAME, or NAME: "
                        "192.0.2.0/24)",
                        what);
}

static bool bit_of(const struct hc_address *address, unsigned bit)
{
    return (address->octets[bit / 8] >> (7 - bit % 8) & 1) != 0;
}

static bool take_bits(const char *text, unsigned most, unsigned *out)
{
    char *end = NULL;
    unsigned long bits = 0;

    if (!isdigit((unsigned char)text[0])) {
        return false;
    }
    bits = strtoul(text, &end, 10);
    *out = (unsigned)bits;
    return *end == '\0' && bits <= most;
}

/* "ADDR/BITS", or one address. */
static bool take_range(const char *text, struct hc_range *out)
{
    char address[HC_ADDRESS_TEXT];
    const char *slash = strchr(text, '/');
    size_t len = slash != NULL ? (size_t)(slash - text) : strlen(text);
    unsigned most = 0;

    memset(out, 0, sizeof(*out));
    if (len >= sizeof(address)) {
        return false;
    }
    memcpy(address, text, len);
    address[len] = '\0';
    if (hc_address_parse(address, &out->first) != 0) {
        return false;
    }
    most = out->first.ipv6 ? 128 : 32;
    out->bits = most;
    if (slash != NULL && !take_bits(slash + 1, most, &out->bits)) {
        return false;
    }
    for (unsigned bit = out->bits; bit < most; bit++) {
        if (bit_of(&out->first, bit)) {
            return false; /* 10.1.2.3/8 is somebody's mistake */
        }
    }
    return true;
}

/* A name reaches terminals and logs. */
static bool is_printable(const char *name)
{
    while (*name != '\0' && iscntrl((unsigned char)*name) == 0) {
        name++;
    }
    return *name == '\0';
}

static int name_number(struct hc_ranges *ranges, const char *name, const struct place *place,
                       size_t *out, struct hc_error *err)
{
    /* a file has few, and mostly the last one again */
    for (size_t i = ranges->names.count; i > 0; i--) {
        if (strcmp(ranges->names.items[i - 1], name) == 0) {
            *out = i - 1;
            return 0;
        }
    }
    if (ranges->names.count == NAMES_MAX) {
        return hc_error_set(err, HC_P_TOO_LARGE, place->path, "more than %d names", NAMES_MAX);
    }
    *out = ranges->names.count;
    return hc_list_add(&ranges->names, name, err);
}

static int add(struct hc_ranges *ranges, struct hc_range *range, const char *name,
               const struct place *place, struct hc_error *err)
{
    struct hc_range *items = NULL;

    if (name[0] == '\0' || strlen(name) >= HC_RANGE_NAME) {
        return wrong(place, "the name is missing or too long", err);
    }
    if (!is_printable(name)) {
        return wrong(place, "the name has a control character", err);
    }
    if (ranges->count == HC_RANGES_MAX) {
        return hc_error_set(err, HC_P_TOO_LARGE, place->path, "more than %d ranges", HC_RANGES_MAX);
    }
    if (name_number(ranges, name, place, &range->name, err) != 0) {
        return -1;
    }
    items = hc_vec_room(ranges->items, ranges->count, &ranges->cap, sizeof(*items), err);
    if (items == NULL) {
        return -1;
    }
    ranges->items = items;
    items[ranges->count++] = *range;
    return 0;
}

/* Without blanks at both ends; text changes. */
static char *trim(char *text)
{
    size_t len = 0;

    while (isspace((unsigned char)*text)) {
        text++;
    }
    len = strlen(text);
    while (len > 0 && isspace((unsigned char)text[len - 1])) {
        text[--len] = '\0';
    }
    return text;
}

static int take_line(struct hc_ranges *ranges, char *line, const struct place *place,
                     struct hc_error *err)
{
    const char *base = strrchr(place->path, '/');
    struct hc_range range;
    char *rest = NULL;
    char *colon = NULL;

    line[strcspn(line, "#")] = '\0';
    line = trim(line);
    if (line[0] == '\0') {
        return 0;
    }
    colon = strstr(line, ": ");
    if (colon != NULL) {
        *colon = '\0';
        return take_range(trim(colon + 2), &range) ? add(ranges, &range, trim(line), place, err)
                                                   : wrong(place, "no range", err);
    }
    rest = line + strcspn(line, " \t");
    if (*rest != '\0') {
        *rest++ = '\0';
        rest = trim(rest);
    }
    if (!take_range(line, &range)) {
        return wrong(place, "no range", err);
    }
    return add(ranges, &range,
               *rest != '\0'  ? rest
               : base != NULL ? base + 1
                              : place->path,
               place, err);
}

static int take_text(struct hc_ranges *ranges, struct hc_bytes text, const char *path,
                     struct hc_error *err)
{
    struct place place = {path, 0};
    size_t at = 0;

    while (at < text.len) {
        const unsigned char *from = text.data + at;
        const unsigned char *end = memchr(from, '\n', text.len - at);
        size_t len = end != NULL ? (size_t)(end - from) : text.len - at;
        char line[LINE_MAX_LEN];

        place.line++;
        if (len >= sizeof(line) || memchr(from, '\0', len) != NULL) {
            return wrong(&place, "the line is too long, or no text", err);
        }
        memcpy(line, from, len);
        line[len] = '\0';
        if (take_line(ranges, line, &place, err) != 0) {
            return -1;
        }
        at += len + 1;
    }
    return 0;
}

int hc_ranges_add_file(struct hc_ranges *ranges, const char *path, struct hc_error *err)
{
    struct hc_buf text = HC_BUF_INIT(HC_RANGES_FILE_MAX);
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    int rc = -1;

    if (fd < 0) {
        return hc_error_set_errno(err, HC_P_FILE_UNREADABLE, path, errno, "cannot open it");
    }
    if (hc_io_read_all(fd, path, &text, err) == 0) {
        rc = take_text(ranges, hc_bytes_of(&text), path, err);
    }
    hc_io_close(fd);
    hc_buf_dispose(&text);
    return rc;
}

int hc_ranges_add_files(struct hc_ranges *ranges, const struct hc_list *paths, struct hc_error *err)
{
    for (size_t i = 0; i < paths->count; i++) {
        if (hc_ranges_add_file(ranges, paths->items[i], err) != 0) {
            return -1;
        }
    }
    return 0;
}

void hc_ranges_dispose(struct hc_ranges *ranges)
{
    free(ranges->items);
    hc_list_dispose(&ranges->names);
    memset(ranges, 0, sizeof(*ranges));
}

static bool has(const struct hc_range *range, const struct hc_address *address)
{
    unsigned bytes = range->bits / 8;

    if (range->first.ipv6 != address->ipv6 ||
        memcmp(range->first.octets, address->octets, bytes) != 0) {
        return false;
    }
    for (unsigned bit = bytes * 8; bit < range->bits; bit++) {
        if (bit_of(&range->first, bit) != bit_of(address, bit)) {
            return false;
        }
    }
    return true;
}

const struct hc_range *hc_ranges_find(const struct hc_ranges *ranges,
                                      const struct hc_address *address)
{
    const struct hc_range *found = NULL;

    for (size_t i = 0; ranges != NULL && i < ranges->count; i++) {
        if (has(&ranges->items[i], address) &&
            (found == NULL || ranges->items[i].bits > found->bits)) {
            found = &ranges->items[i];
        }
    }
    return found;
}

const char *hc_range_name(const struct hc_ranges *ranges, const struct hc_range *range)
{
    return ranges->names.items[range->name];
}

char *hc_range_format(const struct hc_range *range, char dst[HC_RANGE_TEXT])
{
    char address[HC_ADDRESS_TEXT];

    (void)snprintf(dst, HC_RANGE_TEXT, "%s/%u", hc_address_format(&range->first, address),
                   range->bits & 0xffu);
    return dst;
}
