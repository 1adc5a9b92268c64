/* What the CA said of single names, until it is told. */
#include "agent/refusals.h"

#include "tap.h"

static char text[20000];

static void keep_line(void *self HC_UNUSED, enum hc_level level, const char *line)
{
    size_t used = strlen(text);

    snprintf(text + used, sizeof(text) - used, "%s: %s\n", hc_level_name(level), line);
}

static const struct hc_log log_here = {NULL, HC_LOG_INFO, keep_line};

int main(void)
{
    struct hc_refusals refusals = {NULL, 0};
    struct hc_error said = {0};
    struct hc_error err = {0};
    const struct hc_refused *found = NULL;

    hc_refusals_tell(&refusals, &log_here);
    is_str(text, "", "nothing was said of nobody");
    hc_error_set(&said, HC_P_VALIDATION, "a.example", "the first words");
    ok(hc_refusals_add(&refusals, "a.example", &said, &err) == 0, "one name");
    hc_error_init(&said);
    hc_error_set(&said, HC_P_VALIDATION, "a.example", "other words");
    ok(hc_refusals_add(&refusals, "a.example", &said, &err) == 0 && refusals.count == 1,
       "the same again is one still");
    for (int i = 0; i < 20; i++) {
        char name[20];

        snprintf(name, sizeof(name), "n%d.example", i);
        ok(hc_refusals_add(&refusals, name, &said, &err) == 0, "and others");
    }
    found = hc_refusals_find(&refusals, "a.example");
    ok(found != NULL && found->said.problem == HC_P_VALIDATION, "it is found by its name");
    ok(hc_refusals_find(&refusals, "b.example") == NULL, "another is not");
    hc_refusals_tell(&refusals, &log_here);
    ok(strstr(text, "error: a.example: ") == text && strstr(text, "the first words") != NULL,
       "a line for each, with the name before it");
    ok(strstr(text, "a.example: ") != NULL && strstr(text, "n19.example: ") != NULL, "of all");
    hc_refusals_dispose(&refusals);
    ok(refusals.count == 0 && hc_refusals_find(&refusals, "a.example") == NULL, "and gone");
    return done();
}
