/* What a CA sent, alone: what is taken, and what is not. */
#include "agent/received.h"
#include "agent_part.h"
#include "tap.h"

static const char *const on[] = {"hotcert on", "hotcert_use one", NULL};
static const char *const one_host[] = {"a.example", NULL};

static struct bench b;
static struct hc_chains *chains;

/* What the CA makes of a key: a chain, as text. */
static void make_chain(const struct forge *how, struct hc_buf *pem, EVP_PKEY **key)
{
    struct forged leaf = forge(how);

    forge_chain_pem(pem, leaf.cert, mid.cert, NULL);
    EVP_PKEY_up_ref(leaf.key);
    *key = leaf.key;
    forged_free(&leaf);
}

static int take(const struct forge *how, struct hc_pair **pair, struct hc_error *err)
{
    const struct hc_identity *identity = &b.conf->identities[0];
    unsigned char line[HC_ID_SIZE];
    struct hc_received received = {.env = &b.env,
                                   .storage = b.storage,
                                   .judge = &b.judge,
                                   .chains = chains,
                                   .identity = identity,
                                   .key_type = identity->set->key_types.items[0],
                                   .line = line,
                                   .names = &identity->names};
    struct hc_order_result result = {.ca_wide = false};
    struct hc_findings findings = {NULL, 0, 0};
    struct hc_buf pem = HC_BUF_INIT(100000);
    int rc = -1;

    hc_line_of(identity->id, received.key_type, line);
    make_chain(how, &pem, &result.key);
    result.chain_pem = hc_bytes_of(&pem);
    rc = hc_received_take(&received, &result, pair, &findings, err);
    hc_findings_dispose(&findings);
    hc_buf_dispose(&pem);
    EVP_PKEY_free(result.key);
    return rc;
}

static void what_was_ordered_is_taken_and_nothing_else(void)
{
    static const struct {
        const char *name;
        struct forge how;
        enum hc_problem problem; /* HC_P_NONE: it is taken */
    } rows[] = {
        {"what was ordered", {.sans = "DNS:a.example", .from = -1, .days = 90}, HC_P_NONE},
        {"its twin is no stranger",
         {.sans = "DNS:a.example,DNS:www.a.example", .from = -1, .days = 90},
         HC_P_NONE},
        {"another name", {.sans = "DNS:b.example", .from = -1, .days = 90}, HC_P_CERTIFICATE_WRONG},
        {"one more name",
         {.sans = "DNS:a.example,DNS:b.example", .from = -1, .days = 90},
         HC_P_NAME_NOT_ASKED},
        {"one that has ended",
         {.sans = "DNS:a.example", .from = -90, .days = -10},
         HC_P_CERTIFICATE_WRONG},
        {"one that begins next week",
         {.sans = "DNS:a.example", .from = 7, .days = 90},
         HC_P_CERTIFICATE_WRONG},
        {"a CA's own",
         {.sans = "DNS:a.example", .from = -1, .days = 90, .ca = true},
         HC_P_CERTIFICATE_WRONG},
    };

    for (size_t i = 0; i < HC_COUNT(rows); i++) {
        struct forge how = rows[i].how;
        struct hc_pair *pair = NULL;
        struct hc_error err = {0};
        int rc = 0;

        how.name = "leaf";
        how.by = &mid;
        rc = take(&how, &pair, &err);
        ok((rc == 0) == (rows[i].problem == HC_P_NONE) && (pair != NULL) == (rc == 0),
           rows[i].name);
        is_int(err.problem, rows[i].problem, "for this reason");
        hc_pair_free(pair);
    }
}

int main(void)
{
    struct hc_chains_options options = {.env = &b.env, .judge = &b.judge};
    struct hc_error err = {0};

    new_bench(&b, on, one_host);
    (void)hc_storage_run(b.storage);
    options.storage = b.storage;
    if (hc_chains_new(&options, &chains, &err) != 0) {
        stop_here(__LINE__);
    }
    what_was_ordered_is_taken_and_nothing_else();
    hc_chains_free(chains);
    end_bench(&b);
    return done();
}
