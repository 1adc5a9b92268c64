/* The table of methods, and what lists of their words mean. */
#include "conf/method.h"

#include "tap.h"

static struct hc_error err;

static struct hc_list words(const char *first, const char *second)
{
    struct hc_list list = {NULL, 0, 0};

    ok((first == NULL || hc_list_add(&list, first, &err) == 0) &&
           (second == NULL || hc_list_add(&list, second, &err) == 0),
       "a list");
    return list;
}

static void each_method_proves_its_kind_of_names(void)
{
    static const struct {
        const char *method, *name;
        bool takes;
    } cases[] = {
        {"http-01", "a.example", true},       {"http-01", "*.a.example", false},
        {"http-01", "192.0.2.1", true},       {"http-01", "2001:db8::1", true},
        {"tls-alpn-01", "a.example", true},   {"tls-alpn-01", "*.a.example", false},
        {"tls-alpn-01", "2001:db8::1", true}, {"dns-01", "a.example", true},
        {"dns-01", "*.a.example", true},      {"dns-01", "192.0.2.1", false},
    };

    for (size_t i = 0; i < HC_COUNT(cases); i++) {
        const struct hc_method *method = hc_method_find(cases[i].method);
        char what[64];

        snprintf(what, sizeof(what), "%s and %s", cases[i].method, cases[i].name);
        ok(method != NULL && hc_method_takes(method, cases[i].name) == cases[i].takes, what);
    }
    ok(hc_method_find("http") == NULL && hc_method_find("") == NULL, "other words are none");
}

static void a_list_proves_what_one_of_it_does(void)
{
    struct hc_list none = {NULL, 0, 0};
    struct hc_list dns = words("dns-01", NULL);
    struct hc_list both = words("dns-01", "http-01");
    struct hc_list odd = words("http-02", NULL);

    ok(!hc_methods_take(&dns, "192.0.2.1") && hc_methods_take(&both, "192.0.2.1"),
       "the second takes what the first does not");
    ok(!hc_methods_go_over(&dns, HC_OVER_HTTP) && hc_methods_go_over(&both, HC_OVER_HTTP) &&
           hc_methods_go_over(&both, HC_OVER_DNS) && !hc_methods_go_over(&both, HC_OVER_TLS),
       "they are looked for in different places");
    ok(!hc_methods_take(&odd, "a.example") && !hc_methods_go_over(&odd, HC_OVER_HTTP),
       "a word without a row proves nothing");
    ok(hc_methods_take(&none, "a.example") && !hc_methods_take(&none, "*.a.example") &&
           hc_methods_go_over(&none, HC_OVER_HTTP),
       "nothing said is the standard ones");
    hc_list_dispose(&dns);
    hc_list_dispose(&both);
    hc_list_dispose(&odd);
}

static void lists_are_copied_and_shown_as_they_are_used(void)
{
    struct hc_list none = {NULL, 0, 0};
    struct hc_list both = words("dns-01", "http-01");
    struct hc_list out = {NULL, 0, 0};
    char text[64];

    ok(hc_methods_copy(&out, &both, &err) == 0 && hc_list_equal(&out, &both), "in their order");
    is_str(hc_methods_format(&both, text, sizeof(text)), "dns-01, http-01", "and shown so");
    hc_list_dispose(&out);
    out = (struct hc_list){NULL, 0, 0};
    ok(hc_methods_copy(&out, &none, &err) == 0 && out.count > 0, "the standard ones by name");
    is_str(hc_methods_format(&none, text, sizeof(text)), "http-01, tls-alpn-01", "in this order");
    hc_list_dispose(&out);
    hc_list_dispose(&both);
}

/* The texts of the reference are macros: they say what the rows say. */
static void the_reference_says_what_the_rows_say(void)
{
    char solved[128] = "";
    char judged[128] = "";
    char standard[128] = "";

    for (size_t i = 0; i < hc_method_count; i++) {
        if (hc_methods[i].solved) {
            snprintf(solved + strlen(solved), sizeof(solved) - strlen(solved), "%s%s",
                     solved[0] != '\0' ? " " : "", hc_methods[i].word);
        }
        if (hc_methods[i].standard) {
            snprintf(standard + strlen(standard), sizeof(standard) - strlen(standard), "%s%s",
                     standard[0] != '\0' ? " " : "", hc_methods[i].word);
        }
        snprintf(judged + strlen(judged), sizeof(judged) - strlen(judged), "%s%s",
                 i > 0 ? ", " : "", hc_methods[i].word);
        ok(hc_methods[i].solved || !hc_methods[i].standard, "what is standard is solved");
    }
    is_str(solved, HC_METHODS_SOLVED, "those that hotcert_challenge takes");
    is_str(standard, HC_METHODS_STANDARD, "those where nothing is said");
    is_str(judged, HC_METHODS_JUDGED, "those that diagnose takes");
}

int main(void)
{
    hc_error_init(&err);
    each_method_proves_its_kind_of_names();
    a_list_proves_what_one_of_it_does();
    lists_are_copied_and_shown_as_they_are_used();
    the_reference_says_what_the_rows_say();
    return done();
}
