/* Times and durations; see time.h. */
#include "base/time.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

char *hc_time_format(int64_t t, char dst[HC_TIME_TEXT])
{
    time_t seconds = (time_t)t;
    struct tm tm;

    if (gmtime_r(&seconds, &tm) == NULL ||
        strftime(dst, HC_TIME_TEXT, "%Y-%m-%dT%H:%M:%SZ", &tm) == 0) {
        memcpy(dst, "?", 2);
    }
    return dst;
}

int hc_time_parse(const char *text, int64_t *out, struct hc_error *err)
{
    static const char *const forms[] = {"%Y-%m-%dT%H:%M:%SZ", "%Y-%m-%dT%H:%M:%S",
                                        "%Y-%m-%dT%H:%MZ", "%Y-%m-%d"};

    for (size_t i = 0; i < HC_COUNT(forms); i++) {
        struct tm tm;
        const char *end = NULL;

        memset(&tm, 0, sizeof(tm));
        end = strptime(text, forms[i], &tm);
        if (end != NULL && *end == '\0') {
            *out = (int64_t)timegm(&tm);
            return 0;
        }
    }
    return hc_error_set(err, HC_P_BAD_VALUE, text, "a time reads 2026-03-04T05:06:07Z");
}

/* "Z", "+02:00": seconds ahead of UTC. -1: neither. */
static int parse_offset(const char *text, int64_t *out)
{
    int hours = 0;
    int minutes = 0;
    int used = 0;

    *out = 0;
    if (strcmp(text, "Z") == 0 || strcmp(text, "z") == 0) {
        return 0;
    }
    if ((text[0] != '+' && text[0] != '-') || strlen(text) != strlen("+00:00") ||
        sscanf(text + 1, "%2d:%2d%n", &hours, &minutes, &used) != 2 ||
        used != (int)strlen("00:00") || hours < 0 || hours > 23 || minutes < 0 || minutes > 59) {
        return -1;
    }
    *out = ((int64_t)hours * 60 + minutes) * 60 * (text[0] == '-' ? -1 : 1);
    return 0;
}

int hc_time_parse_rfc3339(const char *text, int64_t *out)
{
    static const char form[] = "dddd-dd-ddTdd:dd:dd";
    char plain[sizeof(form)];
    int64_t offset = 0;
    const char *rest = text + strnlen(text, strlen(form));

    for (size_t i = 0; form[i] != '\0'; i++) {
        bool good = form[i] == 'd'   ? isdigit((unsigned char)text[i]) != 0
                    : form[i] == 'T' ? text[i] == 'T' || text[i] == 't'
                                     : text[i] == form[i];

        if (!good) {
            return -1;
        }
        plain[i] = form[i] == 'T' ? 'T' : text[i];
    }
    plain[strlen(form)] = '\0';
    if (*rest == '.') {
        size_t digits = strspn(rest + 1, "0123456789");

        rest = digits > 0 ? rest + 1 + digits : "";
    }
    if (parse_offset(rest, &offset) != 0 || hc_time_parse(plain, out, NULL) != 0) {
        return -1;
    }
    *out -= offset;
    return 0;
}

static int64_t unit_seconds(char unit)
{
    switch (unit) {
    case 's':
        return 1;
    case 'm':
        return 60;
    case 'h':
        return 3600;
    case 'd':
        return 86400;
    case 'w':
        return 7 * 86400;
    }
    return 0;
}

int hc_duration_parse(const char *text, int64_t *out, struct hc_error *err)
{
    const int64_t most = (int64_t)10 * 366 * 86400;
    const char *p = text;
    int64_t total = 0;

    while (*p != '\0') {
        int64_t value = 0;
        int64_t unit = 1;

        if (!isdigit((unsigned char)*p)) {
            goto bad;
        }
        for (; isdigit((unsigned char)*p); p++) {
            value = value * 10 + (*p - '0');
            if (value > most) {
                goto bad;
            }
        }
        if (*p != '\0') {
            unit = unit_seconds(*p++);
        }
        if (unit == 0 || value > most / unit || (total += value * unit) > most) {
            goto bad;
        }
    }
    if (p == text) {
        goto bad;
    }
    *out = total;
    return 0;
bad:
    return hc_error_set(err, HC_P_BAD_VALUE, text, "a time reads 30s, 5m, 1h, 2d or 1h30m");
}

char *hc_duration_format(int64_t seconds, char *dst, size_t cap)
{
    int64_t s = seconds < 0 ? -seconds : seconds;

    if (s >= 2 * 86400) {
        snprintf(dst, cap, "%lld days", (long long)(s / 86400));
    } else if (s >= 2 * 3600) {
        snprintf(dst, cap, "%lld hours", (long long)(s / 3600));
    } else if (s >= 2 * 60) {
        snprintf(dst, cap, "%lld minutes", (long long)(s / 60));
    } else {
        snprintf(dst, cap, "%lld s", (long long)s);
    }
    return dst;
}

static int64_t system_now(void *self HC_UNUSED)
{
    return (int64_t)time(NULL);
}

static int64_t system_monotonic_ms(void *self HC_UNUSED)
{
    struct timespec ts = {0, 0};

    (void)clock_gettime(CLOCK_MONOTONIC, &ts);
    return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

const struct hc_clock hc_clock_system = {NULL, system_now, system_monotonic_ms};

static int system_bytes(void *self HC_UNUSED, unsigned char *dst, size_t len)
{
    while (len > 0) {
        ssize_t n = getrandom(dst, len, 0);

        if (n <= 0 && errno != EINTR) {
            return -1;
        }
        dst += n > 0 ? n : 0;
        len -= n > 0 ? (size_t)n : 0;
    }
    return 0;
}

const struct hc_random hc_random_system = {NULL, system_bytes};

uint64_t hc_random_below(const struct hc_random *random, uint64_t limit)
{
    uint64_t draw = 0;

    /* the bias of a 64-bit draw over the limits used here is below 2^-30 */
    if (random->bytes(random->self, (unsigned char *)&draw, sizeof(draw)) != 0) {
        return 0;
    }
    return draw % limit;
}
