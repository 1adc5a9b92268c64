/* Reply headers; see header.h. */
#include "net/header.h"

#include <ctype.h>
#include <curl/curl.h>
#include <string.h>
#include <strings.h>

void hc_http_headers_reset(struct hc_http_headers *headers)
{
    headers->content_type[0] = '\0';
    headers->server[0] = '\0';
    headers->www_authenticate[0] = '\0';
    headers->location[0] = '\0';
    headers->replay_nonce[0] = '\0';
    headers->retry_after = -1;
    headers->date = 0;
    hc_list_dispose(&headers->links);
}

void hc_http_headers_dispose(struct hc_http_headers *headers)
{
    hc_list_dispose(&headers->links);
}

static int64_t digits(const char *text)
{
    int64_t value = 0;

    for (; isdigit((unsigned char)*text); text++) {
        value = value * 10 + (*text - '0');
        if (value > HC_RETRY_AFTER_MAX) {
            value = HC_RETRY_AFTER_MAX;
        }
    }
    return *text == '\0' ? value : -1;
}

int64_t hc_http_date(const char *text)
{
    time_t at = 0;

    /* all three forms begin with a day's name; curl would take much else too */
    if (!isalpha((unsigned char)text[0]) || strlen(text) > 64) {
        return 0;
    }
    at = curl_getdate(text, NULL);
    return at > 0 ? (int64_t)at : 0;
}

int64_t hc_http_retry_after(const char *text, int64_t now)
{
    int64_t at = 0;

    if (isdigit((unsigned char)text[0])) {
        return digits(text);
    }
    at = hc_http_date(text);
    if (at == 0) {
        return -1;
    }
    if (at <= now) {
        return 0;
    }
    return at - now < HC_RETRY_AFTER_MAX ? at - now : HC_RETRY_AFTER_MAX;
}

/* Copies a value that fits and is plain text; anything else counts as absent. */
static void take(char *dst, size_t cap, const char *value, size_t len)
{
    if (dst[0] != '\0' || len >= cap) {
        return;
    }
    for (size_t i = 0; i < len; i++) {
        if ((unsigned char)value[i] < 0x20 || (unsigned char)value[i] > 0x7e) {
            return;
        }
    }
    memcpy(dst, value, len);
    dst[len] = '\0';
}

static bool named(const char *line, size_t name_len, const char *name)
{
    return strlen(name) == name_len && strncasecmp(line, name, name_len) == 0;
}

static int take_link(struct hc_list *links, const char *value, size_t len, struct hc_error *err)
{
    char text[HC_HEADER_VALUE_MAX] = "";

    take(text, sizeof(text), value, len);
    if (text[0] == '\0' || links->count >= HC_HEADER_LINKS_MAX) {
        return 0;
    }
    return hc_list_add(links, text, err);
}

/* True if it is one of those that are kept as they are. */
static bool take_text(struct hc_http_headers *headers, const char *line, size_t name_len,
                      const char *value, size_t len)
{
    struct {
        const char *name;
        char *dst;
        size_t cap;
    } const texts[] = {
        {"content-type", headers->content_type, sizeof(headers->content_type)},
        {"location", headers->location, sizeof(headers->location)},
        {"replay-nonce", headers->replay_nonce, sizeof(headers->replay_nonce)},
        {"server", headers->server, sizeof(headers->server)},
        {"www-authenticate", headers->www_authenticate, sizeof(headers->www_authenticate)},
    };

    for (size_t i = 0; i < HC_COUNT(texts); i++) {
        if (named(line, name_len, texts[i].name)) {
            take(texts[i].dst, texts[i].cap, value, len);
            return true;
        }
    }
    return false;
}

int hc_http_headers_line(struct hc_http_headers *headers, const char *line, size_t len, int64_t now,
                         struct hc_error *err)
{
    const char *colon = NULL;
    const char *value = NULL;
    size_t name_len = 0;
    size_t value_len = 0;

    while (len > 0 && strchr("\r\n \t", line[len - 1]) != NULL) {
        len--;
    }
    if (len >= 5 && memcmp(line, "HTTP/", 5) == 0) {
        hc_http_headers_reset(headers);
        return 0;
    }
    colon = len > 0 ? memchr(line, ':', len) : NULL;
    if (colon == NULL) {
        return 0;
    }
    name_len = (size_t)(colon - line);
    for (value = colon + 1; value < line + len && (*value == ' ' || *value == '\t');) {
        value++;
    }
    value_len = (size_t)(line + len - value);
    if (take_text(headers, line, name_len, value, value_len)) {
        return 0;
    }
    if (named(line, name_len, "retry-after") && headers->retry_after < 0) {
        char text[80] = "";

        take(text, sizeof(text), value, value_len);
        headers->retry_after = hc_http_retry_after(text, now);
    } else if (named(line, name_len, "date") && headers->date == 0) {
        char text[80] = "";

        take(text, sizeof(text), value, value_len);
        headers->date = hc_http_date(text);
    } else if (named(line, name_len, "link")) {
        return take_link(&headers->links, value, value_len, err);
    }
    return 0;
}
