/*
 * Pairs, bundles and checks while memory runs out, at one allocation after the other, ours and
 * OpenSSL's: never a crash, never a pair of a wrong key, always an error that says why.
 */
#include "failing_alloc.h"

#include "forge.h"
#include "pki/check.h"
#include "pki/intern.h"
#include "pki/key.h"
#include "tap.h"

/* Points of failure that are tried for each of the three. */
#define TRIES 400

static bool armed;

static void *their_malloc(size_t size, const char *file HC_UNUSED, int line HC_UNUSED)
{
    return armed && alloc_fails() ? NULL : malloc(size);
}

static void *their_realloc(void *old, size_t size, const char *file HC_UNUSED, int line HC_UNUSED)
{
    return armed && alloc_fails() ? NULL : realloc(old, size);
}

static void their_free(void *p, const char *file HC_UNUSED, int line HC_UNUSED)
{
    free(p);
}

static struct forged_family family;
static struct hc_roots *roots;
static struct hc_buf whole = HC_BUF_INIT_SECRET(HC_PAIR_PEM_MAX);
static struct hc_buf encoded = HC_BUF_INIT_SECRET(HC_BUNDLE_MAX);
static struct hc_pair *good;

static bool is_the_pair(const struct hc_pair *pair)
{
    return X509_cmp(hc_pair_leaf(pair), family.leaf.cert) == 0 &&
           EVP_PKEY_eq(hc_pair_key(pair), family.leaf.key) == 1;
}

/* One attempt; true if what came of it is sound. */
static bool read_pem(void)
{
    struct hc_pair_source source = {
        .cert_pem = hc_bytes_of(&whole), .cert_subject = "pair.pem", .key_subject = "pair.pem"};
    struct hc_findings findings = {0};
    struct hc_error err = {0};
    struct hc_pair *pair = NULL;
    int rc = hc_pair_from_pem(&source, &pair, &findings, &err);
    bool sound = false;

    armed = false;
    sound = rc == 0 ? is_the_pair(pair) : pair == NULL && hc_error_is_set(&err);
    hc_pair_free(pair);
    hc_findings_dispose(&findings);
    return sound;
}

static bool decode(void)
{
    struct hc_bundle *bundle = NULL;
    struct hc_error err = {0};
    int rc = 0;
    bool sound = false;

    hc_intern_clear(); /* so that parsing is tried, too */
    rc = hc_bundle_decode(encoded.data, encoded.len, &bundle, &err);
    armed = false;
    sound = rc == 0 ? is_the_pair(hc_bundle_pair(bundle, 0)) : hc_error_is_set(&err);
    hc_bundle_free(bundle);
    return sound;
}

static bool check(void)
{
    struct hc_check how = {.roots = roots, .now = (int64_t)time(NULL), .margin = 0};
    struct hc_findings findings = {0};
    struct hc_error err = {0};
    int rc = hc_check_pair(good, &how, &findings, &err);
    bool sound = false;

    armed = false;
    sound = rc == 0 || hc_error_is_set(&err);
    hc_findings_dispose(&findings);
    return sound;
}

/* OpenSSL says that it signed where it could not: never more bytes than there is room for. */
static bool sign(void)
{
    unsigned char signature[256];
    size_t len = sizeof(signature);
    bool done_so = hc_key_sign(family.leaf.key, hc_bytes_of(&whole), signature, &len);

    armed = false;
    ERR_clear_error();
    return !done_so || len <= sizeof(signature);
}

static void try_all(const char *name, bool (*attempt)(void))
{
    long total = 0;
    unsigned unsound = 0;
    unsigned leftovers = 0;

    ok(attempt(), name);
    alloc_countdown = 1000000000; /* count them first */
    armed = true;
    (void)attempt();
    total = 1000000000 - alloc_countdown;
    alloc_countdown = 0;
    for (long k = 1; k <= total; k += total / TRIES + 1) {
        alloc_countdown = k;
        armed = true;
        unsound += !attempt();
        alloc_countdown = 0;
        leftovers += ERR_peek_error() != 0;
        ERR_clear_error();
    }
    printf("# %s: %ld allocations\n", name, total);
    ok(total > 50, "there is something to fail");
    is_int(unsound, 0, "each failure ends in an error or does no harm");
    is_int(leftovers, 0, "OpenSSL's queue is empty each time");
}

static void make_all(void)
{
    struct hc_findings findings = {0};
    struct hc_bundle *bundle = NULL;
    struct hc_buf root = HC_BUF_INIT(HC_PAIR_PEM_MAX);
    struct hc_error err = {0};

    family = forge_family(NULL, "DNS:a.example");
    forge_key_pem(family.leaf.key, &whole);
    forge_chain_pem(&whole, family.leaf.cert, family.mid.cert, NULL);
    forge_chain_pem(&root, family.root.cert, NULL, NULL);
    if (hc_roots_parse(hc_bytes_of(&root), "root", false, &roots, &err) != 0 ||
        hc_pair_from_key(family.leaf.key, hc_bytes_of(&whole), "x", &good, &findings, &err) != 0) {
        forge_die(err.detail);
    }
    hc_pair_ref(good);
    if (hc_bundle_new(&good, 1, &bundle, &err) != 0 ||
        hc_bundle_encode(bundle, &encoded, &err) != 0) {
        forge_die(err.detail);
    }
    hc_bundle_free(bundle);
    hc_findings_dispose(&findings);
    hc_buf_dispose(&root);
}

int main(void)
{
    if (CRYPTO_set_mem_functions(their_malloc, their_realloc, their_free) != 1) {
        forge_die("memory functions");
    }
    make_all();
    try_all("a pair out of PEM", read_pem);
    try_all("a bundle out of its encoding", decode);
    try_all("a check", check);
    try_all("a signature", sign);
    hc_pair_free(good);
    hc_roots_free(roots);
    hc_intern_clear();
    hc_buf_dispose(&whole);
    hc_buf_dispose(&encoded);
    forged_family_free(&family);
    return done();
}
