/* What nobody wants: when it goes, and what stays. */
#include "agent/garbage.h"
#include "agent_part.h"
#include "tap.h"

static const char *const on[] = {"hotcert on", "hotcert_use one", NULL};
static const char *const one_host[] = {"a.example", NULL};

static bool is_in_table(struct bench *b, const unsigned char id[HC_ID_SIZE])
{
    struct hc_buf bytes = HC_BUF_INIT_SECRET(HC_BUNDLE_MAX);
    int64_t slot = hc_table_find(b->server.table, id);
    struct hc_error err = {0};
    uint64_t value = 0;
    bool is = slot >= 0 && hc_table_read(b->server.table, slot, id, &value, &bytes, &err) == 1;

    hc_buf_dispose(&bytes);
    return is;
}

static void bundles_rest_before_they_go(void)
{
    unsigned char other[HC_ID_SIZE] = {9};
    struct hc_clock_options options = {0};
    struct hc_clock_watch *clock = NULL;
    struct hc_garbage *garbage = NULL;
    struct hc_error err = {0};
    struct bench b;

    new_bench(&b, on, one_host);
    options = (struct hc_clock_options){&b.env, b.storage, NULL, 0};
    if (hc_clock_watch_new(&options, &clock, &err) != 0 ||
        hc_garbage_new(&b.env, b.storage, clock, b.server.table, &garbage, &err) != 0 ||
        hc_table_publish(b.server.table, other, (struct hc_bytes){other, 8}, HC_PUBLISH_ADD,
                         &err) != 0 ||
        hc_table_publish(b.server.table, b.conf->identities[0].id, (struct hc_bytes){other, 8},
                         HC_PUBLISH_ADD, &err) != 0) {
        stop_here(__LINE__);
    }
    (void)hc_storage_run(b.storage);
    hc_garbage_run(garbage);
    ok(is_in_table(&b, other), "a bundle of nobody's rests, since old workers may use it");
    pass_time(601);
    hc_garbage_run(garbage);
    ok(!is_in_table(&b, other), "ten minutes later it is gone");
    ok(is_in_table(&b, b.conf->identities[0].id), "what is configured stays");
    hc_garbage_free(garbage);
    hc_clock_watch_free(clock);
    end_bench(&b);
}

static void lines_go_a_month_after_their_end(void)
{
    struct hc_clock_options options = {0};
    struct hc_clock_watch *clock = NULL;
    struct hc_garbage *garbage = NULL;
    static const char *const kinds[] = {"job", "verdict", "renewal"};
    struct hc_line_info info = {.mode = HC_MODE_ON, .line = {7}};
    char name[2 * HC_ID_SIZE + 1];
    struct hc_pair *pair = NULL;
    struct hc_error err = {0};
    struct bench b;

    new_bench(&b, on, one_host);
    options = (struct hc_clock_options){&b.env, b.storage, NULL, 0};
    if (hc_clock_watch_new(&options, &clock, &err) != 0 ||
        hc_garbage_new(&b.env, b.storage, clock, b.server.table, &garbage, &err) != 0) {
        stop_here(__LINE__);
    }
    (void)hc_storage_run(b.storage);
    pair = new_pair("DNS:a.example", 10);
    info.key_type = hc_pair_key_type(pair);
    ok(hc_strdup("", &info.issuer, &err) == 0 && hc_strdup("", &info.issuer_name, &err) == 0 &&
           hc_list_add(&info.names, "gone.example", &err) == 0 &&
           hc_storage_commit(b.storage, &info, pair, &err) == 0 && commit_pair(&b, 0, pair) == 0,
       "a line that is not configured, and one that is");
    hc_hex(name, info.line, HC_ID_SIZE);
    for (size_t i = 0; i < HC_COUNT(kinds); i++) {
        ok(hc_store_put(hc_storage_store(b.storage), kinds[i], name,
                        (struct hc_bytes){(const unsigned char *)"{}", 2}, &err) == 0,
           kinds[i]);
    }
    pass_time(30 * DAY);
    hc_garbage_run(garbage);
    is_int((int)hc_storage_inventory(b.storage)->count, 2, "both stay when they have expired");
    pass_time(12 * DAY);
    hc_garbage_run(garbage);
    is_int((int)hc_storage_inventory(b.storage)->count, 1, "a month later one is wiped");
    is_int(count_in_log("gone.example: wiped the stored certificate"), 1, "as the log says");
    for (size_t i = 0; i < HC_COUNT(kinds); i++) {
        struct hc_buf text = HC_BUF_INIT(100);

        hc_error_init(&err);
        ok(hc_store_get(hc_storage_store(b.storage), kinds[i], name, &text, &err) != 0 &&
               err.problem == HC_P_STORE_EMPTY,
           "with what was kept of it");
        hc_buf_dispose(&text);
    }
    hc_line_info_dispose(&info);
    hc_pair_free(pair);
    hc_garbage_free(garbage);
    hc_clock_watch_free(clock);
    end_bench(&b);
}

int main(void)
{
    bundles_rest_before_they_go();
    lines_go_a_month_after_their_end();
    return done();
}
