/* Reply headers and URLs as a server or a CA writes them. */
#include <string.h>

#include "net/fetch.h"
#include "net/header.h"

#define NOW 1700000000

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_plain(const char *text)
{
    for (; *text != '\0'; text++) {
        if (*text < 0x20 || *text > 0x7e) {
            __builtin_trap();
        }
    }
}

static void check_headers(const char *text, size_t len)
{
    struct hc_http_headers h = {0};

    hc_http_headers_reset(&h);
    while (len > 0) {
        const char *end = memchr(text, '\n', len);
        size_t line = end != NULL ? (size_t)(end - text) + 1 : len;

        if (hc_http_headers_line(&h, text, line, NOW, NULL) != 0) {
            break;
        }
        text += line;
        len -= line;
    }
    check_plain(h.content_type);
    check_plain(h.location);
    check_plain(h.replay_nonce);
    if (h.retry_after < -1 || h.retry_after > HC_RETRY_AFTER_MAX ||
        h.links.count > HC_HEADER_LINKS_MAX) {
        __builtin_trap();
    }
    hc_http_headers_dispose(&h);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char text[4096];
    size_t len = size < sizeof(text) - 1 ? size : sizeof(text) - 1;
    struct hc_fetch_target target;

    check_headers((const char *)data, size);
    if (len > 0) {
        memcpy(text, data, len);
    }
    text[len] = '\0';
    if (hc_http_retry_after(text, NOW) < -1) {
        __builtin_trap();
    }
    if (hc_http_check_url(text, NULL) == 0 && strncasecmp(text, "http", 4) != 0) {
        __builtin_trap();
    }
    if (hc_fetch_target(text, NULL, &target, NULL) == 0 &&
        (target.host[0] == '\0' || target.port != (target.tls ? 443 : 80))) {
        __builtin_trap();
    }
    return 0;
}
