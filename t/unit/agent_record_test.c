/* What the agent remembers over restarts. */
#include "agent/record.h"

#include <stdlib.h>

#include "agent/account.h"
#include "pki/key.h"
#include "tap.h"

#define NOW INT64_C(1800000000)

static void a_job_comes_back_as_it_was(void)
{
    char url[] = "https://ca.example/order/1";
    char directory[] = "https://ca.example/dir";
    struct hc_job_order order = {.url = url, .directory = directory, .base = 3};
    struct hc_job_record record = {.replace = 7};
    struct hc_job_record back;
    struct hc_buf text = HC_BUF_INIT_SECRET(HC_RECORD_MAX);
    struct hc_error why = {0};
    struct hc_error read;
    struct hc_error err = {0};

    memset(&back, 0, sizeof(back));
    record.resets[2] = NOW - 60;
    hc_error_set(&why, HC_P_VALIDATION, "b\xc3\xa4.example", "said \"so\"\n");
    hc_last_error_set(&record.last, &why, NOW - 10);
    ok(hc_list_add(&order.names, "a.example", &err) == 0, "a name");
    ok(hc_key_new(HC_KEY_ECDSA_256, &order.key, &err) == 0, "a key");
    ok(hc_job_order_new(&order, &record.order, &err) == 0, "an order");
    ok(hc_job_record_encode(&record, &text, &err) == 0, "written");
    ok(hc_job_record_decode(hc_bytes_of(&text), &back, &err) == 0, "read");
    is_int(back.resets[2], NOW - 60, "resets");
    is_int(back.replace, 7, "what is to be replaced");
    is_int(back.last.error.problem, HC_P_VALIDATION, "problem");
    is_int(back.last.at, NOW - 10, "when");
    hc_kept_error_get(&back.last.error, &read);
    is_str(read.subject, "b\xc3\xa4.example", "subject");
    is_str(read.detail, "said \"so\"\n", "detail, byte by byte");
    is_str(back.order->url, url, "order");
    is_str(back.order->directory, directory, "where");
    is_int(back.order->base, 3, "after which version");
    is_str(back.order->names.items[0], "a.example", "its names");
    ok(EVP_PKEY_eq(back.order->key, order.key) == 1, "its key");
    for (size_t len = 0; len < text.len; len++) {
        struct hc_job_record cut;

        memset(&cut, 0, sizeof(cut));
        hc_error_init(&err);
        if (hc_job_record_decode((struct hc_bytes){text.data, len}, &cut, &err) == 0) {
            ok(false, "a text that was cut is refused");
        }
        hc_job_record_dispose(&cut);
    }
    hc_list_dispose(&order.names);
    EVP_PKEY_free(order.key);
    hc_job_record_dispose(&record);
    hc_job_record_dispose(&back);
    hc_buf_dispose(&text);
}

static void an_issuer_comes_back_as_it_was(void)
{
    struct hc_issuer_record record = {.breaker = {4, NOW - 100, NOW + 40, true, NOW - 5}};
    struct hc_issuer_record back;
    struct hc_buf text = HC_BUF_INIT(HC_RECORD_MAX);
    struct hc_error err = {0};

    memset(&back, 0, sizeof(back));
    *hc_issuer_record_name(&record, "c.example") = (struct hc_ladder){1, NOW, NOW + 60};
    *hc_issuer_record_name(&record, "a.example") = (struct hc_ladder){2, NOW, NOW + 600};
    *hc_issuer_record_name(&record, "old.example") =
        (struct hc_ladder){9, NOW - INT64_C(86400) * 31, NOW - INT64_C(86400) * 30};
    ok(hc_issuer_record_encode(&record, &text, &err) == 0, "written");
    ok(hc_issuer_record_decode(hc_bytes_of(&text), NOW, &back, &err) == 0, "read");
    is_int(back.breaker.failures, 4, "breaker");
    is_int(back.breaker.until, NOW + 40, "until");
    is_int(back.breaker.at, NOW - 5, "the latest news");
    ok(!back.breaker.probing, "nobody asks after a restart");
    is_int(back.name_count, 2, "names that failed lately");
    is_int(hc_issuer_record_find(&back, "a.example")->failures, 2, "a");
    is_int(hc_issuer_record_find(&back, "c.example")->next, NOW + 60, "c");
    ok(hc_issuer_record_find(&back, "b.example") == NULL, "nothing is held against b");
    ok(hc_issuer_record_clear(&back, "a.example", NOW), "it was held against a");
    ok(!hc_issuer_record_clear(&back, "a.example", NOW), "and is no more");
    ok(hc_issuer_record_find(&back, "a.example") == NULL, "cleared");
    hc_issuer_record_dispose(&record);
    hc_issuer_record_dispose(&back);
    hc_buf_dispose(&text);
}

static void of_two_agents_the_later_is_right(void)
{
    struct hc_issuer_record ours = {.breaker = {.failures = 0, .at = NOW - 50}};
    struct hc_issuer_record theirs = {.breaker = {.failures = 2, .until = NOW + 9, .at = NOW - 9}};
    struct hc_error err = {0};

    hc_error_set(&err, HC_P_CA_ERROR, NULL, "theirs");
    hc_last_error_set(&theirs.last, &err, NOW);
    hc_error_init(&err);
    *hc_issuer_record_name(&ours, "a.example") = (struct hc_ladder){3, NOW - 10, NOW + 6000};
    *hc_issuer_record_name(&theirs, "a.example") = (struct hc_ladder){2, NOW - 700, NOW - 100};
    *hc_issuer_record_name(&ours, "b.example") = (struct hc_ladder){1, NOW - 700, NOW - 640};
    *hc_issuer_record_name(&theirs, "b.example") = (struct hc_ladder){2, NOW - 10, NOW + 590};
    *hc_issuer_record_name(&theirs, "c.example") = (struct hc_ladder){1, NOW - 10, NOW + 50};
    *hc_issuer_record_name(&ours, "d.example") = (struct hc_ladder){1, NOW - 700, NOW - 640};
    ok(hc_issuer_record_clear(&ours, "d.example", NOW - 10), "d went well here");
    *hc_issuer_record_name(&theirs, "d.example") = (struct hc_ladder){1, NOW - 700, NOW - 640};
    *hc_issuer_record_name(&ours, "e.example") = (struct hc_ladder){0, NOW - 90000, 0};
    ok(hc_issuer_record_merge(&ours, &theirs, NOW, &err) == 0, "put together");
    is_int(ours.breaker.failures, 2, "the breaker is theirs");
    hc_kept_error_get(&ours.last.error, &err);
    is_str(err.detail, "theirs", "and so is the last error");
    is_int(hc_issuer_record_find(&ours, "a.example")->failures, 3, "a is ours");
    is_int(hc_issuer_record_find(&ours, "b.example")->failures, 2, "b is theirs");
    is_int(hc_issuer_record_find(&ours, "c.example")->next, NOW + 50, "c we did not know");
    ok(hc_issuer_record_find(&ours, "d.example") == NULL, "d does not come back");
    is_int(ours.name_count, 4, "what was cleared long ago is gone");
    hc_issuer_record_clear_all(&ours, NOW);
    ok(hc_issuer_record_find(&ours, "a.example") == NULL, "all is cleared");
    hc_issuer_record_dispose(&ours);
    hc_issuer_record_dispose(&theirs);
}

static void times_of_a_wrong_clock_are_mended(void)
{
    static const char text[] =
        "{\"format\":1,\"breaker\":{\"failures\":2,\"since\":9999999999,\"until\":9999999999},"
        "\"names\":{\"a.example\":{\"failures\":1,\"last\":9999999999,\"next\":99999999999},"
        "\"b.example\":{\"failures\":-5,\"last\":1,\"next\":9999999999}},"
        "\"resets\":[1],\"mark\":\"\",\"error\":{\"at\":1,\"problem\":\"of-another-version\"}}";
    struct hc_issuer_record back;
    struct hc_error err = {0};

    memset(&back, 0, sizeof(back));
    ok(hc_issuer_record_decode((struct hc_bytes){(const unsigned char *)text, strlen(text)}, NOW,
                               &back, &err) == 0,
       "read");
    is_int(back.breaker.until, NOW + HC_BREAKER_MOST, "a quarter of an hour at most");
    is_int(back.breaker.since, NOW, "not since the future");
    is_int(hc_issuer_record_find(&back, "a.example")->next, NOW + 86400, "a day at most");
    ok(hc_issuer_record_find(&back, "b.example") == NULL, "no negative count");
    is_int(back.last.error.problem, HC_P_INTERNAL, "a slug of another version");
    hc_issuer_record_dispose(&back);
}

static void what_is_not_ours_is_refused(void)
{
    static const char *const texts[] = {
        "",
        "x",
        "[]",
        "{}",
        "{\"format\":2}",
        "{\"format\":1",
        "{\"format\":1,\"format\":1}",
        "{\"format\":1,\"order\":{\"url\":\"u\",\"directory\":\"d\",\"key\":\"!\"}}",
        "{\"format\":1,\"order\":{\"url\":\"u\",\"directory\":\"d\",\"key\":\"AAAA\"}}"};

    for (size_t i = 0; i < HC_COUNT(texts); i++) {
        struct hc_job_record back;
        struct hc_error err = {0};

        memset(&back, 0, sizeof(back));
        ok(hc_job_record_decode(
               (struct hc_bytes){(const unsigned char *)texts[i], strlen(texts[i])}, &back, &err) !=
                   0 &&
               hc_error_is_set(&err),
           "refused");
    }
}

static void an_account_comes_back_as_it_was(void)
{
    struct hc_acme_account account = {NULL, NULL};
    struct hc_acme_account back = {NULL, NULL};
    struct hc_buf text = HC_BUF_INIT_SECRET(65536);
    struct hc_error err = {0};

    ok(hc_key_new(HC_KEY_ECDSA_256, &account.key, &err) == 0, "a key");
    ok(hc_account_encode(&account, &text, &err) == 0, "without a URL");
    ok(hc_account_decode(hc_bytes_of(&text), &back, &err) == 0 && back.url == NULL, "read");
    hc_account_dispose(&back);
    hc_buf_reset(&text);
    account.url = strdup("https://ca.example/acct/1");
    ok(hc_account_encode(&account, &text, &err) == 0, "with one");
    ok(hc_account_decode(hc_bytes_of(&text), &back, &err) == 0, "read");
    is_str(back.url, account.url, "URL");
    ok(EVP_PKEY_eq(back.key, account.key) == 1, "key");
    hc_account_dispose(&back);
    ok(hc_account_decode((struct hc_bytes){text.data, text.len - 1}, &back, &err) != 0,
       "a text that was cut is refused");
    hc_account_dispose(&back);
    hc_account_dispose(&account);
    hc_buf_dispose(&text);
}

int main(void)
{
    a_job_comes_back_as_it_was();
    an_issuer_comes_back_as_it_was();
    of_two_agents_the_later_is_right();
    times_of_a_wrong_clock_are_mended();
    what_is_not_ours_is_refused();
    an_account_comes_back_as_it_was();
    return done();
}
