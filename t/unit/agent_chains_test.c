/* Chains that lack an issuer: completed from the store, fetched if it is not there, told. */
#include "agent_part.h"

#include "agent/chains.h"
#include "tap.h"

#define URL "http://ca.example/mid.der"

static const char *const aia[] = {"hotcert on", "hotcert_use one", "hotcert_repair aia", NULL};
static const char *const off[] = {"hotcert on", "hotcert_use one", "hotcert_repair off", NULL};
static const char *const hosts[] = {"a.example", NULL};

static int asked; /* questions to the DNS, that nobody answers */

static int dns_ask(void *self HC_UNUSED, const struct hc_dns_ask *ask HC_UNUSED,
                   hc_dns_done *done HC_UNUSED, void *arg HC_UNUSED, uint64_t *id,
                   struct hc_error *err HC_UNUSED)
{
    *id = (uint64_t)++asked;
    return 0;
}

static int web_ask(void *self HC_UNUSED, const struct hc_web_ask *ask HC_UNUSED,
                   hc_web_done *done HC_UNUSED, void *arg HC_UNUSED, uint64_t *id HC_UNUSED,
                   struct hc_error *err)
{
    return hc_error_set(err, HC_P_FETCH_FAILED, "", "nothing is fetched here");
}

static void cancel(void *self HC_UNUSED, uint64_t id HC_UNUSED)
{
}

static const struct hc_dns_port dns = {NULL, dns_ask, cancel};
static const struct hc_web_port web = {NULL, web_ask, cancel};

static struct hc_chains *chains_of(struct bench *b)
{
    struct hc_chains_options options = {&b->env, b->storage, &b->judge, &dns, &web};
    struct hc_chains *chains = NULL;
    struct hc_error err = {0};

    asked = 0;
    if (hc_chains_new(&options, &chains, &err) != 0) {
        stop_here(__LINE__);
    }
    return chains;
}

/* A pair whose certificate says where its issuer is, without that. */
static struct hc_pair *torso(void)
{
    struct forged leaf = forge(&(struct forge){.name = "leaf",
                                               .sans = "DNS:a.example",
                                               .by = &mid,
                                               .extra_oid = "authorityInfoAccess",
                                               .extra_value = "caIssuers;URI:" URL});
    struct hc_buf pem = HC_BUF_INIT(100000);
    struct hc_findings findings = {NULL, 0, 0};
    struct hc_pair *pair = NULL;
    struct hc_error err = {0};

    forge_chain_pem(&pem, leaf.cert, NULL, NULL);
    if (hc_pair_from_key(leaf.key, hc_bytes_of(&pem), "a.example", &pair, &findings, &err) != 0) {
        stop_here(__LINE__);
    }
    hc_findings_dispose(&findings);
    hc_buf_dispose(&pem);
    forged_free(&leaf);
    return pair;
}

static void store_issuer(struct bench *b)
{
    unsigned char *der = NULL;
    int len = i2d_X509(mid.cert, &der);
    struct hc_error err = {0};

    if (len <= 0 || hc_store_put(hc_storage_store(b->storage), "issuer-certificate", URL,
                                 (struct hc_bytes){der, (size_t)len}, &err) != 0) {
        stop_here(__LINE__);
    }
    OPENSSL_free(der);
}

static void turn(struct bench *b)
{
    struct hc_error err = {0};

    for (int i = 0; i < 10; i++) {
        if (hc_loop_pass(b->loop, 0, &err) != 0) {
            stop_here(__LINE__);
        }
        clock_ms += 20;
    }
}

static int chain_length(const struct hc_pair *pair)
{
    return sk_X509_num(hc_pair_chain(pair));
}

static void an_issuer_in_the_store_is_at_hand(void)
{
    struct bench b;
    struct hc_chains *chains = NULL;
    struct hc_pair *pair = NULL;

    new_bench(&b, aia, hosts);
    chains = chains_of(&b);
    pair = torso();
    (void)hc_storage_run(b.storage);
    is_int(chain_length(pair), 0, "the pair lacks its issuer");
    store_issuer(&b);
    hc_chains_complete(chains, &b.conf->identities[0], &pair);
    is_int(chain_length(pair), 1, "which is in the store");
    turn(&b);
    is_int(asked, 0, "so nobody is asked");
    hc_chains_free(chains);
    hc_pair_free(pair);
    end_bench(&b);
}

static void one_that_is_not_is_fetched(void)
{
    struct bench b;
    struct hc_chains *chains = NULL;
    struct hc_pair *pair = NULL;

    new_bench(&b, aia, hosts);
    chains = chains_of(&b);
    pair = torso();
    (void)hc_storage_run(b.storage);
    turn(&b);
    is_int(asked, 0, "nothing lacks anything");
    hc_chains_complete(chains, &b.conf->identities[0], &pair);
    is_int(chain_length(pair), 0, "the pair stays as it is");
    is_int(asked, 0, "nobody is asked from within the question");
    turn(&b);
    is_int(asked, 2, "but soon, for both kinds of addresses");
    hc_chains_free(chains);
    hc_pair_free(pair);
    end_bench(&b);
}

static void what_is_stored_is_completed(void)
{
    struct bench b;
    struct hc_chains *chains = NULL;
    struct hc_pair *pair = NULL;
    struct hc_pair *stored = NULL;
    struct hc_line_info info;
    unsigned char line[HC_ID_SIZE];
    struct hc_error err = {0};

    new_bench(&b, aia, hosts);
    pair = torso();
    (void)hc_storage_run(b.storage);
    store_issuer(&b);
    ok(commit_pair(&b, 0, pair) == 0, "a pair without its issuer is stored");
    hc_storage_close(b.storage);
    chains = chains_of(&b);
    (void)hc_storage_run(b.storage);
    turn(&b);
    hc_line_of(b.conf->identities[0].id, hc_pair_key_type(pair), line);
    memset(&info, 0, sizeof(info));
    ok(hc_store_current(hc_storage_store(b.storage), line, &stored, &info, &err) == 0 &&
           info.version == 2 && chain_length(stored) == 1,
       "when the store opens, its next version has it");
    is_int(b.raised[HC_EVENT_ISSUER_ARRIVED], 1, "those who hold files are told to look");
    hc_line_info_dispose(&info);
    hc_chains_free(chains);
    hc_pair_free(stored);
    hc_pair_free(pair);
    end_bench(&b);
}

static void who_does_not_want_it_keeps_the_chain(void)
{
    struct bench b;
    struct hc_chains *chains = NULL;
    struct hc_pair *pair = NULL;

    new_bench(&b, off, hosts);
    chains = chains_of(&b);
    pair = torso();
    (void)hc_storage_run(b.storage);
    store_issuer(&b);
    hc_chains_complete(chains, &b.conf->identities[0], &pair);
    is_int(chain_length(pair), 0, "as the file or the CA had it");
    turn(&b);
    is_int(asked, 0, "and asks nobody");
    hc_chains_free(chains);
    hc_pair_free(pair);
    end_bench(&b);
}

int main(void)
{
    an_issuer_in_the_store_is_at_hand();
    one_that_is_not_is_fetched();
    what_is_stored_is_completed();
    who_does_not_want_it_keeps_the_chain();
    return done();
}
