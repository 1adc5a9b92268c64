/* Which method is tried next, after what went before. */
#include "agent/tried.h"

#include <string.h>

#include "tap.h"

#define NOW INT64_C(1800000000)

static struct hc_error err;

static struct hc_list list_of(const char *a, const char *b, const char *c)
{
    const char *words[] = {a, b, c};
    struct hc_list list = {NULL, 0, 0};

    for (size_t i = 0; i < 3; i++) {
        if (words[i] != NULL && hc_list_add(&list, words[i], &err) != 0) {
            ok(false, "memory");
        }
    }
    return list;
}

static void next_is(const struct hc_tried *tried, const char *name, const struct hc_list *list,
                    const char *want, const char *what)
{
    struct hc_list out = {NULL, 0, 0};
    char text[256];

    ok(hc_tried_order(tried, name, list, &out, &err) == 0 && out.count == list->count,
       "all of them");
    is_str(hc_list_format(&out, text, sizeof(text)), want, what);
    hc_list_dispose(&out);
}

static void what_failed_gives_way_to_the_next(void)
{
    struct hc_list list = list_of("one", "two", "three");
    struct hc_list other = list_of("two", "one", NULL);
    struct hc_tried tried = {0};

    next_is(&tried, "a", &list, "one, two, three", "at first in order of preference");
    ok(!hc_tried_note(&tried, "a", &list, "one", true, NOW) && tried.count == 0,
       "nothing is kept where the first works");
    ok(hc_tried_note(&tried, "a", &list, "one", false, NOW), "it fails");
    next_is(&tried, "a", &list, "two, three, one", "the next comes");
    ok(hc_tried_note(&tried, "a", &list, "two", true, NOW + 1), "it works");
    next_is(&tried, "a", &list, "two, three, one", "and is the first from now on");
    next_is(&tried, "b", &list, "one, two, three", "for this name alone");
    next_is(&tried, "a", &other, "two, one", "another list starts anew");
    ok(hc_tried_note(&tried, "a", &list, "two", false, NOW + 2) &&
           hc_tried_note(&tried, "a", &list, "three", false, NOW + 3),
       "they fail one by one");
    next_is(&tried, "a", &list, "one, two, three", "until it is the first one's turn");
    ok(!hc_tried_note(&tried, "a", &list, "four", false, NOW), "a method of no list is none");
    hc_tried_dispose(&tried);
    hc_tried_dispose(&tried);
    hc_list_dispose(&list);
    hc_list_dispose(&other);
}

static void a_single_method_needs_no_memory(void)
{
    struct hc_list list = list_of("one", NULL, NULL);
    struct hc_tried tried = {0};

    ok(!hc_tried_note(&tried, "a", &list, "one", false, NOW) && tried.count == 0, "nothing kept");
    next_is(&tried, "a", &list, "one", "it is tried again");
    hc_list_dispose(&list);
}

static void it_survives_and_the_later_counts(void)
{
    struct hc_list list = list_of("one", "two", NULL);
    struct hc_tried tried = {0};
    struct hc_tried back = {0};
    struct hc_tried later = {0};
    json_t *json = NULL;

    ok(hc_tried_note(&tried, "a", &list, "one", false, NOW) &&
           hc_tried_note(&tried, "b", &list, "two", true, NOW - 401 * INT64_C(86400)),
       "two names");
    json = hc_tried_to_json(&tried);
    ok(json != NULL && hc_tried_from_json(json, NOW, &back, &err) == 0, "written and read");
    next_is(&back, "a", &list, "two, one", "as it was");
    is_int(back.count, 1, "without what is too old to mean anything");
    json_decref(json);

    ok(hc_tried_note(&later, "a", &list, "two", false, NOW + 9) &&
           hc_tried_merge(&back, &later, NOW, &err) == 0,
       "another agent's");
    next_is(&back, "a", &list, "one, two", "the later word");
    ok(hc_tried_merge(&back, &tried, NOW, &err) == 0, "an older one");
    next_is(&back, "a", &list, "one, two", "changes nothing");
    hc_tried_pull_back(&back, NOW);
    ok(back.items[0].at == NOW, "no time lies in the future");
    hc_tried_dispose(&tried);
    hc_tried_dispose(&back);
    hc_tried_dispose(&later);
    hc_list_dispose(&list);
}

static void what_is_malformed_is_passed_over(void)
{
    json_t *json =
        json_pack("{s:i, s:{s:i}, s:{s:s}}", "a", 1, "b", "method", 1, "c", "worked", "yes");
    struct hc_tried tried = {0};

    ok(hc_tried_from_json(json, NOW, &tried, &err) == 0 && tried.count == 0, "nothing of it");
    ok(hc_tried_from_json(NULL, NOW, &tried, &err) == 0, "nor of nothing");
    json_decref(json);
    hc_tried_dispose(&tried);
}

int main(void)
{
    hc_error_init(&err);
    what_failed_gives_way_to_the_next();
    a_single_method_needs_no_memory();
    it_survives_and_the_later_counts();
    what_is_malformed_is_passed_over();
    return done();
}
