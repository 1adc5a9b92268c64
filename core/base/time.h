/*
 * Times are seconds since 1970-01-01 UTC (int64_t), durations are seconds unless the name says
 * _ms. Texts are ISO 8601 in UTC ("2026-03-04T05:06:07Z"); the machine's zone and locale never
 * count.
 */
#ifndef HC_BASE_TIME_H
#define HC_BASE_TIME_H

#include "base/compiler.h"
#include "base/error.h"

#define HC_TIME_TEXT 24

/* "2026-03-04T05:06:07Z" into dst (HC_TIME_TEXT bytes); returns dst. */
char *hc_time_format(int64_t t, char dst[HC_TIME_TEXT]);

/* ISO 8601, UTC: "2026-03-04T05:06:07Z", "2026-03-04T05:06:07", "2026-03-04". */
int hc_time_parse(const char *text, int64_t *out, struct hc_error *err) HC_MUST_USE;

/* RFC 3339, with any offset and fraction (which is dropped): "2026-03-04T07:06:07.5+02:00". -1: it
 * is no such text. */
int hc_time_parse_rfc3339(const char *text, int64_t *out) HC_MUST_USE;

/* "90", "90s", "5m", "1h30m", "2d", "1w": seconds, as in nginx. */
int hc_duration_parse(const char *text, int64_t *out, struct hc_error *err) HC_MUST_USE;

/* "3 days", "5 hours", "20 s": the two words a person wants; returns dst. */
char *hc_duration_format(int64_t seconds, char *dst, size_t cap);

/* Port: the clock. Called from the agent's one thread; never blocks. */
struct hc_clock {
    void *self;
    int64_t (*now)(void *self);          /* UTC, seconds */
    int64_t (*monotonic_ms)(void *self); /* never goes back */
};

/* Port: random bytes. 0, or -1. Same thread; never blocks. */
struct hc_random {
    void *self;
    int (*bytes)(void *self, unsigned char *dst, size_t len);
};

extern const struct hc_clock hc_clock_system;
extern const struct hc_random hc_random_system; /* the kernel's */

static inline int64_t hc_now(const struct hc_clock *clock)
{
    return clock->now(clock->self);
}

static inline int64_t hc_now_ms(const struct hc_clock *clock)
{
    return clock->monotonic_ms(clock->self);
}

/* The shorter of two waits in milliseconds, of which -1 is none at all. */
static inline int64_t hc_wait_least(int64_t a, int64_t b)
{
    return a < 0 ? b : b < 0 ? a : a < b ? a : b;
}

/* A number drawn uniformly from 0 .. limit - 1; limit > 0. 0 when no randomness can be had. */
uint64_t hc_random_below(const struct hc_random *random, uint64_t limit);

#endif
