/*
 * core/agent/verdict.c: what a remembered verdict hangs on. Whatever is not as it was is judged
 * anew.
 */
#include "agent/verdict.h"

#include "store_lib.h"

static struct hc_pair *pair, *other;
static struct hc_store *store;
static unsigned char line[HC_ID_SIZE];

static bool holds(const unsigned char key[HC_DIGEST_SIZE], int64_t now)
{
    struct hc_pair *got = hc_verdict_pair(store, line, key, now, NULL);
    bool same = got != NULL && hc_pair_equal(got, pair);

    hc_pair_free(got);
    return same;
}

/* A case, with one thing in it that is another. */
enum change {
    SAME,
    CERTIFICATE,
    KEY,
    PASSPHRASES,
    CHAIN,
    STORE,
    SHIFTED,
    NAMES,
    IDENTITY,
    MODE,
    LEVEL,
    REPAIR,
    SERVER,
    ROOTS,
    CHANGES
};
static const char *const changes[CHANGES] = {
    "the same again",  "the certificate's file", "the key's file",    "a passphrase", "the chain",
    "CA certificates", "where a file ends",      "the names",         "the identity", "the mode",
    "security level",  "hotcert_repair",         "the server's kind", "roots"};

static void put(struct hc_files *files, size_t part, const char *text)
{
    files->parts[part] = (struct hc_buf)HC_BUF_INIT(1000);
    if (hc_buf_puts(&files->parts[part], text, NULL) != 0) {
        fatal("no memory");
    }
}

static struct hc_roots *some_roots(void)
{
    struct hc_pair *root = new_pair();
    struct hc_buf pem = HC_BUF_INIT_SECRET(100000);
    struct hc_roots *roots = NULL;
    struct hc_error err = {0};

    if (hc_pair_to_pem(root, &pem, &err) != 0 ||
        hc_roots_parse(hc_bytes_of(&pem), "roots", false, &roots, &err) != 0) {
        fatal("no roots");
    }
    hc_buf_dispose(&pem);
    hc_pair_free(root);
    return roots;
}

static void key_of(enum change change, unsigned char key[HC_DIGEST_SIZE])
{
    struct hc_scope set = {.repair = change == REPAIR ? HC_REPAIR_AIA : HC_REPAIR_OFF};
    struct hc_conf conf = {.server = change == SERVER ? HC_SERVER_HTTPD : HC_SERVER_NGINX};
    struct hc_identity identity = {.mode = change == MODE ? HC_MODE_ON : HC_MODE_WATCH,
                                   .set = &set,
                                   .security_level = change == LEVEL ? 2 : 1};
    struct hc_watched watched = {.folder = -1};
    struct hc_files files;
    struct hc_roots *roots = change == ROOTS ? some_roots() : NULL;
    struct hc_verdict_case c = {&conf, &identity, &watched, &files, roots};
    struct hc_error err = {0};

    memset(&files, 0, sizeof(files));
    put(&files, HC_FILES_CERTIFICATE, change == CERTIFICATE ? "another" : "certificate");
    put(&files, HC_FILES_KEY, change == KEY ? "Key" : change == SHIFTED ? "ke" : "key");
    put(&files, HC_FILES_PASSPHRASES, change == PASSPHRASES ? "x" : change == SHIFTED ? "y" : "");
    put(&files, HC_FILES_CHAIN, change == CHAIN ? "chain" : "");
    put(&files, HC_FILES_STORE, change == STORE ? "chain" : "");
    identity.id[3] = change == IDENTITY;
    if (hc_list_add(&identity.names, change == NAMES ? "b.test" : "a.test", &err) != 0 ||
        !hc_verdict_key(&c, key)) {
        fatal("no key");
    }
    watched.folder = 0;
    if (hc_verdict_key(&c, (unsigned char[HC_DIGEST_SIZE]){0})) {
        fatal("a folder's content cannot be known");
    }
    for (size_t i = 0; i < HC_FILES_PARTS; i++) {
        hc_buf_dispose(&files.parts[i]);
    }
    hc_list_dispose(&identity.names);
    hc_roots_free(roots);
}

static void every_input_counts(void)
{
    unsigned char key[HC_DIGEST_SIZE];
    struct hc_error err = {0};

    key_of(SAME, key);
    ok(!holds(key, NOW), "nothing is remembered at first");
    ok(hc_verdict_keep(store, line, key, pair, NOW, &err) == 0, "a verdict is remembered");
    for (int change = SAME; change < CHANGES; change++) {
        char name[100];

        key_of((enum change)change, key);
        (void)snprintf(name, sizeof(name), "%s %s", changes[change],
                       change == SAME ? "is remembered" : "is another: judged anew");
        ok(holds(key, NOW) == (change == SAME), name);
    }
}

static void it_ends(void)
{
    unsigned char key[HC_DIGEST_SIZE];

    key_of(SAME, key);
    ok(holds(key, NOW + HC_VERDICT_S - 1), "it holds for its time");
    ok(!holds(key, NOW + HC_VERDICT_S), "and no longer");
    ok(!holds(key, NOW - 1), "nor where the clock went back");
}

/* The line got another pair since, with the files as they were. */
static void it_is_of_one_pair(void)
{
    unsigned char key[HC_DIGEST_SIZE];
    struct hc_pair *got = NULL;
    struct hc_error err = {0};

    key_of(SAME, key);
    ok(commit(store, 1, other, &err) == 0, "another pair comes into the line");
    got = hc_verdict_pair(store, line, key, NOW, NULL);
    ok(got == NULL, "it was not judged");
    hc_pair_free(got);
    ok(commit(store, 1, pair, &err) == 0 && holds(key, NOW), "the one that was still is");
}

/* Whoever can write files, but has no secret, cannot make one: copied from another line. */
static void it_is_of_one_line(const char *folder)
{
    unsigned char key[HC_DIGEST_SIZE];
    unsigned char second[HC_ID_SIZE];
    struct hc_pair *got = NULL;
    struct hc_error err = {0};
    char to[65];
    char from[65];
    char hex[2 * HC_ID_SIZE + 1];

    key_of(SAME, key);
    line_number(2, second);
    hc_hex(hex, line, HC_ID_SIZE);
    ok(commit(store, 2, pair, &err) == 0 && hc_name_digest(hex, from, &err) == 0, "a second line");
    hc_hex(hex, second, HC_ID_SIZE);
    ok(hc_name_digest(hex, to, &err) == 0, "has a place of its own");
    {
        char command[600];

        (void)snprintf(command, sizeof(command),
                       "cp '%s/records/verdict/%s' '%s/records/verdict/%s'", folder, from, folder,
                       to);
        if (system(command) != 0) {
            fatal(command);
        }
    }
    got = hc_verdict_pair(store, second, key, NOW, NULL);
    ok(got == NULL, "a verdict that was copied there is none");
    hc_pair_free(got);
}

int main(void)
{
    struct hc_error err = {0};
    char *top = scratch();
    char *folder = join(top, "store");

    pair = new_pair();
    other = new_pair();
    line_number(1, line);
    store = drive(folder);
    if (commit(store, 1, pair, &err) != 0) {
        fatal("commit");
    }
    every_input_counts();
    it_ends();
    it_is_of_one_pair();
    it_is_of_one_line(folder);
    hc_store_close(store);
    hc_pair_free(pair);
    hc_pair_free(other);
    remove_tree(top);
    free(folder);
    free(top);
    return done();
}
