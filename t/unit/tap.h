/*
 * TAP from C: a few checks that print a line each, for prove. A test is a plain main(). What failed
 * goes to stderr, which prove shows.
 */
#ifndef HC_T_TAP_H
#define HC_T_TAP_H

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

static int tap_run;
static int tap_failed;

static inline bool tap_ok(bool good, const char *file, int line, const char *name)
{
    tap_run++;
    printf("%sok %d - %s\n", good ? "" : "not ", tap_run, name);
    if (!good) {
        tap_failed++;
        fprintf(stderr, "#   Failed test '%s'\n#   at %s:%d\n", name, file, line);
    }
    (void)fflush(stdout); /* or a child of the test might say it once more */
    return good;
}

static inline bool tap_is_int(long long got, long long want, const char *file, int line,
                              const char *name)
{
    if (!tap_ok(got == want, file, line, name)) {
        fprintf(stderr, "#   got %lld, want %lld\n", got, want);
    }
    return got == want;
}

static inline bool tap_is_str(const char *got, const char *want, const char *file, int line,
                              const char *name)
{
    bool good = got != NULL && want != NULL && strcmp(got, want) == 0;

    if (!tap_ok(good, file, line, name)) {
        fprintf(stderr, "#   got  '%s'\n#   want '%s'\n", got != NULL ? got : "(null)",
                want != NULL ? want : "(null)");
    }
    return good;
}

#define ok(cond, name) tap_ok((cond), __FILE__, __LINE__, (name))
#define is_int(got, want, name)                                                                    \
    tap_is_int((long long)(got), (long long)(want), __FILE__, __LINE__, (name))
#define is_str(got, want, name) tap_is_str((got), (want), __FILE__, __LINE__, (name))

/* return done(); ends main() */
static inline int tap_done(void)
{
    printf("1..%d\n", tap_run);
    return tap_failed > 0;
}
#define done() tap_done()

#endif
