/* Methods that a look rules out come last. */
#include "agent/ruled_out.h"

#include "tap.h"

int main(void)
{
    struct hc_preflight_name names[2] = {{.name = "a.test"}, {.name = "b.test"}};
    struct hc_preflight_result result = {names, 2};
    struct hc_ruled_out out = {NULL};
    struct hc_list methods = {NULL, 0, 0};
    char text[128];

    ok(hc_list_add(&names[0].ruled_out, "one", NULL) == 0 &&
           hc_list_add(&names[0].ruled_out, "three", NULL) == 0 &&
           hc_list_add(&methods, "one", NULL) == 0 && hc_list_add(&methods, "two", NULL) == 0 &&
           hc_list_add(&methods, "three", NULL) == 0,
       "lists");
    hc_ruled_out_note(&out, &result);
    ok(hc_ruled_out_has(&out, "a.test", "one") && !hc_ruled_out_has(&out, "a.test", "two") &&
           !hc_ruled_out_has(&out, "b.test", "one") && !hc_ruled_out_has(NULL, "a.test", "one"),
       "for a name each");
    hc_ruled_out_last(&out, "b.test", &methods);
    is_str(hc_list_format(&methods, text, sizeof(text)), "one, two, three", "another's stay");
    hc_ruled_out_last(NULL, "a.test", &methods);
    is_str(hc_list_format(&methods, text, sizeof(text)), "one, two, three", "so without a look");
    hc_ruled_out_last(&out, "a.test", &methods);
    is_str(hc_list_format(&methods, text, sizeof(text)), "two, one, three", "they come last");
    result.count = 0;
    hc_ruled_out_note(&out, &result);
    ok(!hc_ruled_out_has(&out, "a.test", "one"), "the latest look counts");
    hc_list_dispose(&methods);
    hc_list_dispose(&names[0].ruled_out);
    hc_ruled_out_dispose(&out);
    return done();
}
