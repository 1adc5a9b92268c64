/* The best bundle out of a store, also where something in it cannot be read. */
#include "agent/best.h"
#include "agent_part.h"
#include "tap.h"

static const char *const on[] = {"hotcert on", "hotcert_use one", NULL};
static const char *const two_hosts[] = {"a.example", "a.example b.example", NULL};

/* What is chosen for the first host; the caller's. */
static struct hc_bundle *best_of(struct bench *b, struct hc_selection *selection, int *rc)
{
    const struct hc_identity *identity = &b->conf->identities[0];
    struct hc_best_source source = {.conf = b->conf,
                                    .store = hc_storage_store(b->storage),
                                    .inventory = hc_storage_inventory(b->storage),
                                    .log = &fake_log,
                                    .now = clock_now};
    struct hc_bundle *bundle = NULL;
    struct hc_error err = {0};

    hc_best_select(&source, identity, selection);
    *rc = hc_best_bundle(&source, identity, selection, &bundle, &err);
    return bundle;
}

static void what_cannot_be_read_is_passed_over(void)
{
    struct bench b;
    struct hc_pair *own = NULL;
    struct hc_pair *other = NULL;
    struct hc_bundle *bundle = NULL;
    struct hc_selection selection;
    unsigned char line[HC_ID_SIZE];
    char command[400];
    char hex[2 * HC_ID_SIZE + 1];
    int rc = 0;

    new_bench(&b, on, two_hosts);
    (void)hc_storage_run(b.storage);
    bundle = best_of(&b, &selection, &rc);
    ok(rc == 0 && bundle == NULL, "an empty store has nothing");
    own = new_pair("DNS:a.example", 90);
    other = new_pair("DNS:a.example,DNS:b.example", 90);
    ok(commit_pair(&b, 0, own) == 0 && commit_pair(&b, 1, other) == 0, "two lines have the name");
    bundle = best_of(&b, &selection, &rc);
    ok(rc == 1 && hc_pair_equal(hc_bundle_pair(bundle, 0), own), "its own is the best");
    hc_bundle_free(bundle);
    hc_line_of(b.conf->identities[0].id, hc_pair_key_type(own), line);
    hc_hex(hex, line, HC_ID_SIZE);
    snprintf(command, sizeof(command), "truncate -s 20 '%s'/store/lines/%s/*.pair", folder, hex);
    ok(system(command) == 0, "that is damaged");
    bundle = best_of(&b, &selection, &rc);
    ok(rc == 1 && hc_pair_equal(hc_bundle_pair(bundle, 0), other), "then the other one serves");
    ok(count_in_log("store-damaged") > 0, "and the log names what is damaged");
    hc_bundle_free(bundle);
    hc_pair_free(own);
    hc_pair_free(other);
    end_bench(&b);
}

int main(void)
{
    what_cannot_be_read_is_passed_over();
    return done();
}
