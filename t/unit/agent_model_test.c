/* The snapshot, and what `list --json` makes of it: every field, with what the agent went through.
 */
#include "agent_world.h"

#include "tap.h"

static const char *const on[] = {"hotcert on", "hotcert_use one two", NULL};
static const char *const hosts[] = {"a.example www.a.example", "b.example", NULL};

static struct hc_model *model;
static json_t *whole;

static void take(struct server *s)
{
    struct hc_error err = {0};

    if (hc_model_new(hc_agent_parts(s->agent), &model, &err) != 0) {
        stop_here(__LINE__);
    }
    whole = hc_status_of(model);
}

static void drop(void)
{
    json_decref(whole);
    hc_model_free(model);
}

static json_t *first_of(const char *array)
{
    return json_array_get(json_object_get(whole, array), 0);
}

/* The object of the array for this issuer. */
static json_t *of_issuer(const json_t *array, const char *key, const char *name)
{
    for (size_t i = 0; i < json_array_size(array); i++) {
        json_t *one = json_array_get(array, i);

        if (strcmp(json_string_value(json_object_get(one, key)), name) == 0) {
            return one;
        }
    }
    return NULL;
}

static json_t *issuer_one(void)
{
    return of_issuer(json_object_get(whole, "issuers"), "name", "one");
}

static json_t *orders_of_one(void)
{
    return of_issuer(json_object_get(json_object_get(whole, "counters"), "orders"), "issuer",
                     "one");
}

static const char *text_of(const json_t *object, const char *key)
{
    return json_string_value(json_object_get(object, key));
}

static long long number_of(const json_t *object, const char *key)
{
    return json_integer_value(json_object_get(object, key));
}

static bool has_all(const json_t *object, const char *const *keys, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (json_object_get(object, keys[i]) == NULL) {
            printf("# %s is missing\n", keys[i]);
            return false;
        }
    }
    if (json_object_size(object) != count) {
        printf("# %zu fields\n", json_object_size(object));
        return false;
    }
    return true;
}

/* docs/operations.md promises these; a new one belongs there, too. */
static void every_field_is_there(void)
{
    static const char *const agent[] = {"schema",  "at",          "server",      "pid",
                                        "store",   "store_ready", "clock_wrong", "certificates",
                                        "issuers", "counters"};
    static const char *const certificate[] = {
        "names",    "mode",     "key_type",      "serial",        "not_before",  "not_after",
        "issuer",   "state",    "served",        "activity",      "lines_until", "stand_in",
        "left_out", "renew_at", "flawed",        "flaws",         "next_try",    "failures",
        "error",    "where",    "unicode_names", "renewal_window"};
    static const char *const issuer[] = {"name",          "directory", "up",      "failures",
                                         "failing_since", "next_try",  "account", "error"};
    static const char *const counters[] = {"since", "swaps", "orders", "failures", "responder"};
    static const char *const orders[] = {"issuer", "obtained", "renewed", "failed"};
    struct server s;

    new_world();
    new_server(&s, on, hosts);
    work(&s, NULL);
    take(&s);
    ok(has_all(whole, agent, HC_COUNT(agent)), "of the agent");
    ok(has_all(first_of("certificates"), certificate, HC_COUNT(certificate)), "of a certificate");
    ok(has_all(issuer_one(), issuer, HC_COUNT(issuer)), "of an issuer");
    ok(has_all(json_object_get(whole, "counters"), counters, HC_COUNT(counters)),
       "of the counters");
    ok(has_all(json_array_get(json_object_get(json_object_get(whole, "counters"), "orders"), 0),
               orders, HC_COUNT(orders)),
       "of an issuer's orders");
    is_int(number_of(whole, "schema"), HC_MODEL_SCHEMA, "with the version of it all");
    drop();
    end_server(&s);
    end_world();
}

static void a_certificate_is_told_as_it_is(void)
{
    struct server s;
    const json_t *c = NULL;
    char until[HC_TIME_TEXT];

    new_world();
    new_server(&s, on, hosts);
    work(&s, NULL);
    take(&s);
    c = first_of("certificates");
    is_str(text_of(c, "mode"), "on", "its mode");
    is_str(text_of(c, "serial"), serial(&s, 0), "its serial");
    is_str(text_of(c, "not_after"), hc_time_format(model->certificates[0].not_after, until),
           "its end, in UTC");
    is_str(text_of(c, "issuer"), "one", "whose it is");
    is_str(text_of(c, "state"), "ok", "its state");
    ok(model->certificates[0].renew_at > clock_now + 50 * DAY &&
           model->certificates[0].renew_at < model->certificates[0].not_after,
       "when it is renewed");
    is_int(json_array_size(json_object_get(c, "names")), 2, "its names");
    ok(json_is_null(json_object_get(c, "error")), "no error");
    is_str(text_of(issuer_one(), "account"), "https://ca.example/account/1",
           "the account of its issuer");
    drop();
    end_server(&s);
    end_world();
}

static void trouble_is_told_and_counted(void)
{
    struct server s;
    const json_t *c = NULL;
    const json_t *counters = NULL;
    const json_t *orders = NULL;
    const json_t *failure = NULL;

    new_world();
    cas[0].bad_name = "www.a.example";
    new_server(&s, on, hosts);
    work(&s, NULL);
    take(&s);
    c = first_of("certificates");
    is_str(text_of(json_object_get(c, "error"), "problem"), hc_problem_row(HC_P_VALIDATION)->slug,
           "what a certificate failed of");
    is_str(text_of(json_object_get(c, "error"), "subject"), "www.a.example", "and where");
    is_int(number_of(c, "failures"), 1, "how often");
    counters = json_object_get(whole, "counters");
    orders = orders_of_one();
    failure = json_array_get(json_object_get(counters, "failures"), 0);
    is_int(number_of(orders, "failed"), 1, "it is counted at its issuer");
    is_str(text_of(failure, "problem"), hc_problem_row(HC_P_VALIDATION)->slug, "by its problem");
    is_str(text_of(failure, "issuer"), "one", "and issuer");
    is_int(number_of(failure, "count"), 1, "once");
    drop();
    cas[0].bad_name = NULL;
    pass_time(70 * DAY);
    work(&s, NULL);
    work(&s, NULL);
    take(&s);
    counters = json_object_get(whole, "counters");
    orders = orders_of_one();
    ok(number_of(orders, "obtained") >= 1 && number_of(orders, "renewed") >= 1,
       "renewals are told from first certificates");
    ok(number_of(counters, "swaps") >= number_of(orders, "obtained"), "swaps are counted");
    drop();
    end_server(&s);
    end_world();
}

static void a_ca_that_is_down_is_told(void)
{
    struct server s;

    new_world();
    cas[0].down = cas[1].down = true;
    new_server(&s, on, hosts);
    work(&s, NULL);
    take(&s);
    ok(json_is_false(json_object_get(issuer_one(), "up")), "it is not up");
    ok(number_of(issuer_one(), "failures") > 0, "how often it failed");
    ok(text_of(issuer_one(), "failing_since") != NULL, "since when");
    ok(text_of(issuer_one(), "next_try") != NULL, "when it is asked again");
    is_str(text_of(first_of("certificates"), "state"), "waiting-for-ca", "certificates wait");
    drop();
    end_server(&s);
    end_world();
}

int main(void)
{
    every_field_is_there();
    a_certificate_is_told_as_it_is();
    trouble_is_told_and_counted();
    a_ca_that_is_down_is_told();
    return done();
}
