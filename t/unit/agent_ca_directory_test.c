/* What a CA calls itself: read from its directory, with an HTTP client of the test's own. */
#include "agent/ca_directory.h"
#include "agent_world.h"
#include "tap.h"

static int sent;
static hc_http_done *sent_done;
static void *sent_arg;

static int http_send(void *self HC_UNUSED, const struct hc_http_request *request HC_UNUSED,
                     hc_http_done *done, void *arg, uint64_t *id, struct hc_error *err HC_UNUSED)
{
    sent_done = done;
    sent_arg = arg;
    *id = (uint64_t)++sent;
    return 0;
}

static void http_cancel(void *self HC_UNUSED, uint64_t id HC_UNUSED)
{
}

static const struct hc_http_port fake_http = {NULL, http_send, http_cancel};

static void reply_with(long status, const char *body)
{
    struct hc_http_reply reply = {.status = status,
                                  .content_type = "",
                                  .location = "",
                                  .body = {(const unsigned char *)body, strlen(body)}};

    sent_done(sent_arg, &reply, NULL);
}

static void a_directory_that_cannot_be_read_is_read_again_soon(void)
{
    static const char directory[] =
        "{\"newNonce\":\"https://ca.example/n\",\"newAccount\":\"https://ca.example/a\","
        "\"newOrder\":\"https://ca.example/o\",\"meta\":{\"caaIdentities\":[\"ca.example\"]}}";
    static const struct {
        long status;
        const char *body;
        const char *name;
    } rows[] = {{503, "", "an error"}, {200, "<html>", "something else"}};
    struct hc_issuer issuer = {.directory_url = (char[]){"https://ca.example/dir"}};
    struct hc_events events = {.count = 0};
    struct hc_env env = {.clock = &fake_clock, .events = &events};
    struct hc_ca_directory ca = {.env = &env, .http = &fake_http, .issuer = &issuer};

    clock_now = 1800000000;
    for (size_t i = 0; i < HC_COUNT(rows); i++) {
        ok(!hc_ca_directory_ensure(&ca), "it is being read");
        reply_with(rows[i].status, rows[i].body);
        ok(hc_ca_directory_ensure(&ca), rows[i].name);
        clock_now += 290;
        ok(hc_ca_directory_ensure(&ca), "counts as known for some minutes");
        clock_now += 20;
    }
    ok(!hc_ca_directory_ensure(&ca), "then it is read again");
    reply_with(200, directory);
    is_int(sent, 3, "three requests in all");
    ok(ca.caa.count == 1 && hc_ca_directory_ensure(&ca), "it says what it calls itself");
    clock_now += 20 * 3600;
    ok(hc_ca_directory_ensure(&ca), "which is kept for a day");
    hc_ca_directory_dispose(&ca);
}

/* It is read for other reasons as well. */
static void what_the_operator_calls_it_counts(void)
{
    static const char directory[] =
        "{\"newNonce\":\"https://ca.example/n\",\"newAccount\":\"https://ca.example/a\","
        "\"newOrder\":\"https://ca.example/o\",\"meta\":{\"caaIdentities\":[\"ca.example\"]}}";
    char *said[] = {(char[]){"said.example"}};
    struct hc_issuer issuer = {.directory_url = (char[]){"https://ca.example/dir"}};
    struct hc_events events = {.count = 0};
    struct hc_env env = {.clock = &fake_clock, .events = &events};
    struct hc_ca_directory ca = {.env = &env, .http = &fake_http, .issuer = &issuer};

    ok(!hc_ca_directory_ensure_read(&ca), "a directory is read");
    reply_with(200, directory);
    is_str(hc_ca_directory_names(&ca)->items[0], "ca.example", "it says what the CA calls itself");
    issuer.caa_domains = (struct hc_list){said, 1, 1};
    is_str(hc_ca_directory_names(&ca)->items[0], "said.example", "the operator's word counts more");
    hc_ca_directory_dispose(&ca);
}

int main(void)
{
    a_directory_that_cannot_be_read_is_read_again_soon();
    what_the_operator_calls_it_counts();
    return done();
}
