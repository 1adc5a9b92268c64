/* core/base/redaction.c: what no log may show. */
#include "base/redaction.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tap.h"

static char last[HC_LOG_LINE];

static void keep(void *self HC_UNUSED, enum hc_level level HC_UNUSED, const char *text)
{
    (void)snprintf(last, sizeof(last), "%s", text);
}

static const struct hc_log kept = {NULL, HC_LOG_INFO, keep};

static struct hc_redaction *fresh(void)
{
    struct hc_redaction *r = NULL;

    if (hc_redaction_new(&r, NULL) != 0) {
        abort();
    }
    return r;
}

static bool add(struct hc_redaction *r, const char *text)
{
    return hc_redaction_add(r, text, NULL) == 0;
}

static void lines_lose_what_is_listed(void)
{
    struct hc_redaction *r = fresh();
    const struct hc_log *log = hc_redaction_log(r, &kept);

    hc_logf(log, HC_LOG_INFO, "of %s", "lowersecret");
    is_str(last, "of lowersecret", "nothing is listed yet");
    ok(add(r, "lowersecret") && add(r, "lowersecret.and-more") && add(r, "short"),
       "three are added");
    hc_logf(log, HC_LOG_INFO, "xlowersecretx, lowersecret.and-more, short, lowersecre");
    is_str(last, "x[..]x, [..], short, lowersecre", "the longest counts; short ones are words");
    hc_logf(log, HC_LOG_DEBUG, "lines above the level are not made");
    is_str(last, "x[..]x, [..], short, lowersecre", "the level is the log's");
    ok(hc_redaction_log(r, NULL) == NULL, "no log stays none");
    hc_redaction_free(r);
}

static void what_is_added_twice_is_removed_twice(void)
{
    struct hc_redaction *r = fresh();

    ok(add(r, "lowersecret") && add(r, "lowersecret"), "two add it");
    hc_redaction_remove(r, "lowersecret");
    is_int(hc_redaction_match(r, "lowersecret!"), 11, "one is left");
    hc_redaction_remove(r, "lowersecret");
    is_int(hc_redaction_match(r, "lowersecret!"), 0, "none is");
    hc_redaction_remove(r, "lowersecret");
    hc_redaction_remove(r, "");
    is_int(hc_redaction_match(NULL, "lowersecret!"), 0, "no list lists nothing");
    ok(add(NULL, "lowersecret"), "and takes all");
    hc_redaction_free(r);
}

/* Half of them with one beginning. */
static void thousands_are_found(void)
{
    struct hc_redaction *r = fresh();
    char text[32];
    int missed = 0;

    for (int i = 0; i < 5000; i++) {
        (void)snprintf(text, sizeof(text), "%s%06d-token", i < 2500 ? "beginning" : "", i);
        missed += !add(r, text);
    }
    for (int i = 0; i < 5000; i += 2) {
        (void)snprintf(text, sizeof(text), "%s%06d-token", i < 2500 ? "beginning" : "", i);
        hc_redaction_remove(r, text);
    }
    for (int i = 0; i < 5000; i++) {
        (void)snprintf(text, sizeof(text), "%s%06d-token", i < 2500 ? "beginning" : "", i);
        missed += (hc_redaction_match(r, text) > 0) != (i % 2 == 1);
    }
    is_int(missed, 0, "each of those that were not removed");
    hc_redaction_free(r);
}

static void a_secret_is_never_cut_in_two(void)
{
    struct hc_redaction *r = fresh();
    const struct hc_log *log = hc_redaction_log(r, &kept);
    char text[HC_LOG_LINE];

    memset(text, 'a', sizeof(text));
    memcpy(text + sizeof(text) - 20, "lowersecret", 11);
    text[sizeof(text) - 9] = '\0';
    ok(add(r, "lowersecret"), "it is added");
    log->line(log->self, HC_LOG_INFO, text);
    ok(strstr(last, "lowers") == NULL && strstr(last, HC_REDACTED) != NULL, "at the end of a line");
    hc_redaction_free(r);
}

int main(void)
{
    lines_lose_what_is_listed();
    what_is_added_twice_is_removed_twice();
    thousands_are_found();
    a_secret_is_never_cut_in_two();
    return done();
}
