/* The head of a version's file; see head.h. */
#include "store/head.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/reader.h"
#include "base/str.h"
#include "base/time.h"
#include "store/seal.h"

#define FIRST_LINE "hotcert pair 1\n"
#define CHECK_LINE "check: "
#define VALUE_MAX  4096

static int put_text(struct hc_buf *out, const char *key, const char *value, struct hc_error *err)
{
    size_t len = value != NULL ? strlen(value) : 0;
    char escaped[VALUE_MAX];

    if (len * 4 + 1 > sizeof(escaped)) {
        return hc_error_set(err, HC_P_TOO_LARGE, key, "%zu bytes", len);
    }
    hc_escape(escaped, sizeof(escaped), value != NULL ? value : "", len);
    return hc_buf_printf(out, err, "%s: %s\n", key, escaped);
}

static int put_time(struct hc_buf *out, const char *key, int64_t t, struct hc_error *err)
{
    char text[HC_TIME_TEXT];

    return hc_buf_printf(out, err, "%s: %s\n", key, hc_time_format(t, text));
}

int hc_head_write(const struct hc_line_info *info, struct hc_buf *out, struct hc_error *err)
{
    char line[2 * HC_ID_SIZE + 1];
    char check[65];

    hc_hex(line, info->line, HC_ID_SIZE);
    if (hc_buf_printf(out, err, FIRST_LINE "line: %s\nversion: %" PRIu64 "\nmode: %s\n", line,
                      info->version, info->mode == HC_MODE_WATCH ? "watch" : "on") != 0 ||
        put_text(out, "issuer", info->issuer, err) != 0 ||
        put_text(out, "issuer-name", info->issuer_name, err) != 0 ||
        (info->profile != NULL && put_text(out, "profile", info->profile, err) != 0) ||
        put_text(out, "key-type", hc_key_type_name(info->key_type), err) != 0) {
        return -1;
    }
    if (info->names.count > HC_HEAD_NAMES) {
        return hc_error_set(err, HC_P_TOO_LARGE, NULL, "%zu names", info->names.count);
    }
    for (size_t i = 0; i < info->names.count; i++) {
        if (put_text(out, "name", info->names.items[i], err) != 0) {
            return -1;
        }
    }
    if (put_time(out, "not-before", info->not_before, err) != 0 ||
        put_time(out, "not-after", info->not_after, err) != 0 ||
        put_time(out, "committed", info->committed, err) != 0 ||
        put_text(out, "serial", info->serial, err) != 0 ||
        hc_seal_checksum(hc_bytes_of(out), check, err) != 0) {
        return -1;
    }
    return hc_buf_printf(out, err, CHECK_LINE "%s\n\n", check);
}

/* A reader of lines; every step fails once the first has. */
struct reader {
    struct hc_reader in;
    bool bad;
    char value[VALUE_MAX]; /* of the line taken last, unescaped */
};

/* True if the next line is "key: value"; then it is taken. */
static bool take(struct reader *r, const char *key)
{
    struct hc_reader in = r->in;
    struct hc_bytes value;
    size_t len = 0;

    if (!hc_skip_text(&in, key) || !hc_skip_text(&in, ": ") || !hc_get_line(&in, &value)) {
        return false;
    }
    if (value.len >= sizeof(r->value) ||
        !hc_unescape(r->value, sizeof(r->value), (const char *)value.data, value.len, &len) ||
        len != strlen(r->value)) {
        return false;
    }
    r->in = in;
    return true;
}

static bool want(struct reader *r, const char *key)
{
    if (!r->bad && !take(r, key)) {
        r->bad = true;
    }
    return !r->bad;
}

static int want_text(struct reader *r, const char *key, char **out, struct hc_error *err)
{
    return want(r, key) ? hc_strdup(r->value, out, err) : 0;
}

static void want_time(struct reader *r, const char *key, int64_t *out)
{
    struct hc_error ignored = {0};
    char again[HC_TIME_TEXT];

    if (want(r, key) && (hc_time_parse(r->value, out, &ignored) != 0 ||
                         strcmp(hc_time_format(*out, again), r->value) != 0)) {
        r->bad = true;
    }
}

static void want_version(struct reader *r, uint64_t *out)
{
    char again[24];

    if (!want(r, "version")) {
        return;
    }
    *out = strtoull(r->value, NULL, 10);
    (void)snprintf(again, sizeof(again), "%" PRIu64, *out);
    r->bad = *out == 0 || strcmp(again, r->value) != 0;
}

static enum hc_key_type key_type_of(const char *name)
{
    enum hc_key_type type = hc_key_type_parse(name);

    if (type == HC_KEY_NONE && strcmp(name, hc_key_type_name(HC_KEY_OTHER)) == 0) {
        type = HC_KEY_OTHER;
    }
    return type;
}

/* What describes the line. */
static int read_line_part(struct reader *r, struct hc_line_info *info, struct hc_error *err)
{
    if (want(r, "line") && hc_unhex(info->line, HC_ID_SIZE, r->value) != 0) {
        r->bad = true;
    }
    want_version(r, &info->version);
    if (want(r, "mode")) {
        info->mode = strcmp(r->value, "watch") == 0 ? HC_MODE_WATCH : HC_MODE_ON;
        r->bad = info->mode == HC_MODE_ON && strcmp(r->value, "on") != 0;
    }
    if (want_text(r, "issuer", &info->issuer, err) != 0 ||
        want_text(r, "issuer-name", &info->issuer_name, err) != 0 ||
        (!r->bad && take(r, "profile") && hc_strdup(r->value, &info->profile, err) != 0)) {
        return -1;
    }
    if (want(r, "key-type")) {
        info->key_type = key_type_of(r->value);
        r->bad = info->key_type == HC_KEY_NONE;
    }
    while (!r->bad && info->names.count < HC_HEAD_NAMES && take(r, "name")) {
        if (hc_list_add(&info->names, r->value, err) != 0) {
            return -1;
        }
    }
    return 0;
}

int hc_head_read(struct hc_bytes file, struct hc_line_info *info, size_t *used,
                 struct hc_error *err)
{
    struct reader r = {.in = hc_reader_of(file)};
    struct hc_bytes head = {file.data, 0};
    char check[65];

    *used = 0;
    if (!hc_skip_text(&r.in, FIRST_LINE)) {
        return hc_error_set(err, HC_P_STORE_DAMAGED, NULL, "it does not begin as a pair does");
    }
    if (read_line_part(&r, info, err) != 0) {
        return -1;
    }
    want_time(&r, "not-before", &info->not_before);
    want_time(&r, "not-after", &info->not_after);
    want_time(&r, "committed", &info->committed);
    if (want_text(&r, "serial", &info->serial, err) != 0) {
        return -1;
    }
    head.len = file.len - r.in.left;
    if (want(&r, "check") &&
        (hc_seal_checksum(head, check, err) != 0 || strcmp(check, r.value) != 0)) {
        return hc_error_set(err, HC_P_STORE_DAMAGED, NULL, "the head does not match its checksum");
    }
    if (r.bad || !hc_skip_text(&r.in, "\n")) {
        return hc_error_set(err, HC_P_STORE_DAMAGED, NULL, "the head is malformed");
    }
    *used = file.len - r.in.left;
    return 0;
}
