/* Escaping and hex; see escape.h. */
#include "base/escape.h"

#include <string.h>

static const char hex_digits[] = "0123456789abcdef";

static char *escape(char *dst, size_t cap, const char *src, size_t len, bool backslash)
{
    size_t out = 0;

    for (size_t i = 0; i < len; i++) {
        unsigned char c = (unsigned char)src[i];
        size_t need = c == '\\' && backslash ? 2 : (c < 0x20 || c > 0x7e) ? 4 : 1;

        /* two bytes are kept for the mark of a cut, one for the NUL */
        if (out + need + (i + 1 < len ? 2 : 0) + 1 > cap) {
            dst[out++] = '.';
            dst[out++] = '.';
            break;
        }
        if (need == 1) {
            dst[out++] = (char)c;
        } else if (need == 2) {
            dst[out++] = '\\';
            dst[out++] = '\\';
        } else {
            dst[out++] = '\\';
            dst[out++] = 'x';
            dst[out++] = hex_digits[c >> 4];
            dst[out++] = hex_digits[c & 15];
        }
    }
    dst[out] = '\0';
    return dst;
}

char *hc_escape(char *dst, size_t cap, const char *src, size_t len)
{
    return escape(dst, cap, src, len, true);
}

char *hc_escape_rest(char *dst, size_t cap, const char *src, size_t len)
{
    return escape(dst, cap, src, len, false);
}

static int hex_value(char c)
{
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    if (c >= 'a' && c <= 'f') {
        return c - 'a' + 10;
    }
    if (c >= 'A' && c <= 'F') {
        return c - 'A' + 10;
    }
    return -1;
}

/* Lower case only: as hc_escape() writes it. */
static int escaped_byte(const char *hex)
{
    int high = hex_value(hex[0]);
    int low = hex_value(hex[1]);
    int byte = high < 0 || low < 0 ? -1 : high << 4 | low;
    bool upper = (hex[0] >= 'A' && hex[0] <= 'F') || (hex[1] >= 'A' && hex[1] <= 'F');

    return upper || (byte >= 0x20 && byte <= 0x7e) ? -1 : byte;
}

bool hc_unescape(char *dst, size_t cap, const char *src, size_t len, size_t *out_len)
{
    size_t out = 0;
    size_t i = 0;

    while (i < len && out + 1 < cap) {
        unsigned char c = (unsigned char)src[i];
        int byte = c;
        size_t step = 1;

        if (c == '\\' && i + 1 < len && src[i + 1] == '\\') {
            step = 2;
        } else if (c == '\\') {
            byte = i + 3 < len && src[i + 1] == 'x' ? escaped_byte(src + i + 2) : -1;
            step = 4;
        } else if (c < 0x20 || c > 0x7e) {
            byte = -1;
        }
        if (byte < 0) {
            break;
        }
        dst[out++] = (char)byte;
        i += step;
    }
    out = i == len ? out : 0;
    dst[out] = '\0';
    *out_len = out;
    return i == len;
}

bool hc_copy(char *dst, size_t cap, const char *src)
{
    size_t len = strlen(src);
    size_t n = len < cap ? len : cap - 1;

    memcpy(dst, src, n);
    dst[n] = '\0';
    return n == len;
}

void hc_hex(char *dst, const unsigned char *src, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        dst[2 * i] = hex_digits[src[i] >> 4];
        dst[2 * i + 1] = hex_digits[src[i] & 15];
    }
    dst[2 * len] = '\0';
}

int hc_unhex(unsigned char *dst, size_t len, const char *src)
{
    if (strlen(src) != 2 * len) {
        return -1;
    }
    for (size_t i = 0; i < len; i++) {
        int high = hex_value(src[2 * i]);
        int low = hex_value(src[2 * i + 1]);

        if (high < 0 || low < 0) {
            return -1;
        }
        dst[i] = (unsigned char)(high << 4 | low);
    }
    return 0;
}
