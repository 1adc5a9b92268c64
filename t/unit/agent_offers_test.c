/* The pairs of watched files, as the publisher has them: agent/offers.c, and shelf.c, the table. */
#include "agent_part.h"

#include "agent/offers.h"
#include "agent/shelf.h"
#include "tap.h"

static const char *const watch[] = {"hotcert watch", NULL};

static struct hc_conf *two_hosts(void)
{
    struct hc_conf *conf = new_conf(watch);
    struct hc_findings notes = {NULL, 0, 0};
    struct hc_error err = {0};
    int index = 0;

    if (add_host(conf, NULL, "a.example", "/1/c /1/k  /2/c /2/k ", &notes, &index, &err) != 0 ||
        add_host(conf, NULL, "b.example", "/3/c /3/k ", &notes, &index, &err) != 0 ||
        hc_conf_finish(conf, &err) != 0) {
        fprintf(stderr, "%s %s\n", err.subject, err.detail);
        stop_here(__LINE__);
    }
    hc_findings_dispose(&notes);
    return conf;
}

static size_t count_of(const struct hc_offers *offers, size_t index, struct hc_pair **first)
{
    struct hc_bundle *bundle = NULL;
    struct hc_error err = {0};
    size_t count = 0;

    if (hc_offers_bundle(offers, index, &bundle, &err) != 0) {
        stop_here(__LINE__);
    }
    count = bundle != NULL ? hc_bundle_count(bundle) : 0;
    *first = count > 0 ? hc_pair_ref(hc_bundle_pair(bundle, 0)) : NULL;
    hc_bundle_free(bundle);
    return count;
}

static void pairs_are_combined(void)
{
    struct hc_offers offers = {NULL, NULL, 0, NULL};
    struct hc_conf *conf = NULL;
    struct hc_pair *one = NULL;
    struct hc_pair *two = NULL;
    struct hc_pair *first = NULL;
    struct hc_error err = {0};

    new_world();
    conf = two_hosts();
    one = new_pair("DNS:a.example", 90);
    two = new_pair("DNS:a.example", 80);
    ok(hc_offers_init(&offers, conf, &err) == 0 && offers.count == 3, "three pairs of files");
    ok(!hc_offers_are_known(&offers, 0), "not looked at yet");
    is_int(count_of(&offers, 0, &first), 0, "nothing is there");
    hc_offers_hold(&offers, 0, 0, one);
    ok(!hc_offers_are_known(&offers, 0), "what is held was not looked at");
    is_int(count_of(&offers, 0, &first), 1, "but it is there");
    hc_pair_free(first);
    hc_offers_put(&offers, 0, 0, one);
    ok(!hc_offers_are_known(&offers, 0), "one of two was looked at");
    hc_offers_put(&offers, 0, 1, NULL);
    ok(hc_offers_are_known(&offers, 0) && !hc_offers_are_known(&offers, 1), "both, of this host");
    is_int(count_of(&offers, 0, &first), 1, "the second has nothing good");
    hc_pair_free(first);
    hc_offers_put(&offers, 0, 1, two);
    is_int(count_of(&offers, 0, &first), 1, "two keys of one kind make one pair");
    ok(hc_pair_equal(first, two), "the later");
    hc_pair_free(first);
    hc_offers_dispose(&offers);
    hc_pair_free(one);
    hc_pair_free(two);
    hc_conf_free(conf);
    end_world();
}

static void the_table_is_written_once(void)
{
    static const char *const on[] = {"hotcert on", "hotcert_use one", NULL};
    static const char *const hosts[] = {"a.example", NULL};
    struct bench b;
    struct hc_pair *pair = NULL;
    struct hc_bundle *bundle = NULL;
    struct hc_bundle *read = NULL;
    struct hc_error err = {0};

    new_bench(&b, on, hosts);
    ok(hc_shelf_get(b.server.table, &b.conf->identities[0], &read, &err) == 0 && read == NULL,
       "an empty shelf");
    pair = new_pair("DNS:a.example", 90);
    if (hc_bundle_new(&pair, 1, &bundle, &err) != 0) {
        stop_here(__LINE__);
    }
    is_int(hc_shelf_put(b.server.table, &b.conf->identities[0], bundle, &err), 1, "put there");
    is_int(hc_shelf_put(b.server.table, &b.conf->identities[0], bundle, &err), 0,
           "the same again is left alone: workers parse nothing twice");
    ok(hc_shelf_get(b.server.table, &b.conf->identities[0], &read, &err) == 0 && read != NULL &&
           hc_pair_equal(hc_bundle_pair(read, 0), pair),
       "and read");
    hc_bundle_free(read);
    hc_bundle_free(bundle);
    end_bench(&b);
}

int main(void)
{
    pairs_are_combined();
    the_table_is_written_once();
    return done();
}
