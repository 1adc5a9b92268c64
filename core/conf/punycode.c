/* Punycode, RFC 3492 section 6.2; see punycode.h. */
#include "conf/punycode.h"

#include <stdint.h>

#define BASE         36u
#define TMIN         1u
#define TMAX         26u
#define SKEW         38u
#define DAMP         700u
#define INITIAL_BIAS 72u
#define INITIAL_N    128u
#define LAST_POINT   0x10ffffu /* of Unicode */

static uint32_t adapt(uint32_t delta, uint32_t points, bool first)
{
    uint32_t k = 0;

    delta = first ? delta / DAMP : delta / 2;
    for (delta += delta / points; delta > (BASE - TMIN) * TMAX / 2; k += BASE) {
        delta /= BASE - TMIN;
    }
    return k + (BASE - TMIN + 1) * delta / (delta + SKEW);
}

static uint32_t digit_of(char c)
{
    return c >= 'a' && c <= 'z' ? (uint32_t)(c - 'a')
                                : (c >= '0' && c <= '9' ? (uint32_t)(c - '0') + 26 : BASE);
}

/* One generalised variable-length integer, added to *i; false if it is none or too large. */
static bool take_delta(const char *text, size_t len, size_t *at, uint32_t bias, uint32_t *i)
{
    uint64_t sum = *i;
    uint64_t weight = 1;

    for (uint32_t k = BASE;; k += BASE) {
        uint32_t t = k <= bias ? TMIN : k >= bias + TMAX ? TMAX : k - bias;
        uint32_t digit = *at < len ? digit_of(text[*at]) : BASE;

        if (digit >= BASE) {
            return false;
        }
        (*at)++;
        sum += digit * weight;
        if (sum > UINT32_MAX) {
            return false;
        }
        if (digit < t) {
            *i = (uint32_t)sum;
            return true;
        }
        weight *= BASE - t;
        if (weight > UINT32_MAX) {
            return false;
        }
    }
}

bool hc_punycode_decodes(const char *text, size_t len)
{
    uint32_t points = 0; /* decoded until now */
    uint32_t n = INITIAL_N;
    uint32_t i = 0;
    uint32_t bias = INITIAL_BIAS;
    size_t at = 0;

    for (size_t k = len; k > 1; k--) {
        if (text[k - 1] == '-') {
            points = (uint32_t)(k - 1);
            at = k;
            break;
        }
    }
    if (at == len) {
        return false; /* ASCII alone needs no xn-- */
    }
    while (at < len) {
        uint32_t before = i;

        if (!take_delta(text, len, &at, bias, &i)) {
            return false;
        }
        points++;
        bias = adapt(i - before, points, before == 0);
        if (i / points > LAST_POINT - n) {
            return false;
        }
        n += i / points;
        if (n >= 0xd800 && n <= 0xdfff) {
            return false; /* half of a surrogate pair is no character */
        }
        i = i % points + 1;
    }
    return true;
}
