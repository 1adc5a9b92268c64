/* The writer rfc2136 against BIND 9: the contract, keys, times, refusals, views. */
#include "named.h"
#include "writer_contract.h"

#define ZONE_TEXT                                                                                  \
    "$TTL 60\n@ SOA ns hostmaster 1 60 60 600 60\n@ NS ns\nns A 127.0.0.1\n"                       \
    "@ TXT \"v=spf1 -all\"\n_dmarc TXT \"v=DMARC1; p=reject\"\n"                                   \
    "sel._domainkey TXT \"v=DKIM1; p=MFww\"\n"                                                     \
    "_acme-challenge 7200 TXT \"of somebody else\"\n"

#define SECRET "c2l4dGVlbiBieXRlcyBvciBtb3JlIG9mIHNlY3JldCE="
#define OTHER  "YW5vdGhlciBzZWNyZXQgdGhhdCBub2JvZHkga25vd3M="

static struct named named;

static const struct writer_foreign foreign[] = {{"a.test", "v=spf1 -all"},
                                                {"_dmarc.a.test", "v=DMARC1; p=reject"},
                                                {"sel._domainkey.a.test", "v=DKIM1; p=MFww"},
                                                {"_acme-challenge.a.test", "of somebody else"},
                                                {NULL, NULL}};

static const char *key_file(const char *file, const char *name, const char *algorithm,
                            const char *secret)
{
    static char path[8][200];
    static size_t used;
    char text[512];

    (void)snprintf(
        text, sizeof(text),
        "// as tsig-keygen prints it\nkey \"%s\" {\n\talgorithm %s;\n\tsecret \"%s\";\n};\n", name,
        algorithm, secret);
    named_write(&named, file, text);
    used = (used + 1) % 8;
    (void)snprintf(path[used], sizeof(path[used]), "%s/%s", named.dir, file);
    return path[used];
}

static bool stands(struct writer_world *w, const char *name, const char *value)
{
    char options[400];
    char text[8192];
    char line[400];

    (void)snprintf(options, sizeof(options), "%s -t TXT %s", w->self != NULL ? (char *)w->self : "",
                   name);
    (void)snprintf(line, sizeof(line), "\"%s\"\n", value);
    return strstr(named_dig(&named, options, text, sizeof(text)), line) != NULL;
}

static void open_world(struct writer_world *w, const char *key)
{
    char server[64];
    char file[256];
    const char *lines[] = {"type rfc2136", server, key != NULL ? file : NULL, NULL};

    memset(w, 0, sizeof(*w));
    (void)snprintf(server, sizeof(server), "server %s", named.address);
    (void)snprintf(file, sizeof(file), "key_file %s", key != NULL ? key : "");
    writer_world_init(w, lines);
    w->zone = "a.test";
    w->name = "_acme-challenge.a.test";
    w->other = "_acme-challenge.www.a.test";
    w->foreign = foreign;
    w->secret = SECRET;
    w->stands = stands;
    writer_world_open(w);
}

static void values_are_added_and_removed(const char *key)
{
    struct writer_world w;

    open_world(&w, key);
    writer_contract(&w);
    writer_world_end(&w);
}

/* The TTL that all TXT records of a name have; 0: there are none. */
static long ttl_of(const char *options, const char *name)
{
    char command[512];
    char text[64];

    (void)snprintf(command, sizeof(command),
                   "dig +noall +answer +tcp @127.0.0.1 -p %d %s -t TXT %s | awk '{print $2}' | "
                   "sort -u | tr '\\n' ' '",
                   named.port, options, name);
    return strtol(named_run(command, text, sizeof(text)), NULL, 10);
}

/* BIND gives the whole set the TTL of what was added last. */
static void others_keep_their_ttl(const char *key)
{
    struct writer_world w;

    is_int(ttl_of("", "_acme-challenge.a.test"), 7200,
           "what somebody else has there lives so long");
    open_world(&w, key);
    ok(WRITER_ADD(&w, w.name, "beside it") && stands(&w, w.name, "beside it"), "one is added");
    is_int(ttl_of("", w.name), 7200, "and changes nobody's TTL");
    ok(strstr(w.log, "have a TTL of 7200 s") != NULL, "one so long is told");
    ok(WRITER_REMOVE(&w, w.name, "beside it"), "it is removed");
    is_int(ttl_of("", w.name), 7200, "nor does that");
    ok(WRITER_ADD(&w, w.other, "alone"), "where nothing stands");
    is_int(ttl_of("", w.other), HC_WRITER_TTL_S, "it lives no longer than it is of use");
    ok(WRITER_REMOVE(&w, w.other, "alone"), "and is removed");
    writer_world_end(&w);
}

/* What the server refuses is told in its own word; nothing is changed. */
static void is_refused(const char *key, const char *name, enum hc_problem problem, const char *why)
{
    struct writer_world w;

    open_world(&w, key);
    ok(!WRITER_ADD(&w, name, "a value that is refused"), why);
    is_int(w.error.problem, problem, "as what it is");
    is_str(w.error.subject, name, "about the record");
    ok(strstr(w.error.detail, why) != NULL && strstr(w.error.detail, named.address) != NULL,
       "with the server and its word");
    ok(!stands(&w, name, "a value that is refused"), "nothing was written");
    ok(strstr(w.log, SECRET) == NULL && strstr(w.error.detail, SECRET) == NULL,
       "no secret is told");
    writer_world_end(&w);
}

static int64_t ahead(void *self HC_UNUSED)
{
    return hc_now(&hc_clock_system) + 4000;
}

static int64_t ms(void *self HC_UNUSED)
{
    return hc_now_ms(&hc_clock_system);
}

static void a_clock_that_differs_is_told(const char *key)
{
    static const struct hc_clock clock = {NULL, ahead, ms};
    struct writer_world w;

    open_world(&w, key);
    w.writer.close(w.writer.self);
    w.env.clock = &clock;
    writer_world_open(&w);
    ok(!WRITER_ADD(&w, w.name, "of another time"), "of another time");
    ok(strstr(w.error.detail, "BADTIME") != NULL &&
           strstr(w.error.detail, "differ by 4000") != NULL,
       "by how much the clocks differ");
    writer_world_end(&w);
}

/* One zone, two views, told apart by the key: only the one that it leads to is written. */
static void views_are_told_apart_by_their_keys(const char *inner, const char *outer)
{
    static char as_inner[300], as_outer[300];
    struct writer_world w;

    (void)snprintf(as_inner, sizeof(as_inner), "-k %s", inner);
    (void)snprintf(as_outer, sizeof(as_outer), "-k %s", outer);
    open_world(&w, outer);
    ok(WRITER_ADD(&w, w.name, "for the outer view"), "written with the outer view's key");
    w.self = as_outer;
    ok(stands(&w, w.name, "for the outer view"), "it stands there");
    is_int(ttl_of(as_outer, w.name), 7200, "with the TTL of what others have in that view");
    w.self = as_inner;
    ok(!stands(&w, w.name, "for the outer view"), "and not in the inner one");
    writer_world_end(&w);
}

static void a_server_that_is_not_there_is_told(void)
{
    struct writer_world w;
    struct named gone = named;

    gone.port = pebble_free_port();
    (void)snprintf(named.address, sizeof(named.address), "127.0.0.1:%d", gone.port);
    open_world(&w, NULL);
    (void)snprintf(named.address, sizeof(named.address), "127.0.0.1:%d", named.port);
    ok(!WRITER_ADD(&w, w.name, "nowhere"), "nobody is there");
    ok(w.error.problem == HC_P_DNS_WRITE && strstr(w.error.detail, "cannot be reached") != NULL,
       "and that is said");
    writer_world_end(&w);
}

static void only_good_keys_are_used(void)
{
    static const struct {
        const char *text; /* NULL: there is no file */
        enum hc_problem problem;
        const char *why;
    } cases[] = {
        {NULL, HC_P_FILE_UNREADABLE, "not there"},
        {"", HC_P_BAD_VALUE, "no block"},
        {"key \"x\" { algorithm hmac-md5; secret \"" SECRET "\"; };", HC_P_BAD_VALUE,
         "hmac-sha256"},
        {"key \"x\" { algorithm hmac-sha256; };", HC_P_BAD_VALUE, "no secret"},
        {"key \"x\" { secret \"" SECRET "\"; };", HC_P_BAD_VALUE, "no algorithm"},
        {"key \"x\" { algorithm hmac-sha256; secret \"*\"; };", HC_P_BAD_VALUE, "base64"},
        {"key \"a..b\" { algorithm hmac-sha256; };", HC_P_BAD_VALUE, "not a domain name"},
        {"/* key \"x\" { */ # key", HC_P_BAD_VALUE, "no block"},
    };
    char path[160];

    (void)snprintf(path, sizeof(path), "%s/odd", named.dir);
    for (size_t i = 0; i < HC_COUNT(cases); i++) {
        struct writer_world w;

        if (cases[i].text != NULL) {
            named_write(&named, "odd", cases[i].text);
        }
        open_world(&w, path);
        ok(!WRITER_ADD(&w, w.name, "v") && w.error.problem == cases[i].problem &&
               strstr(w.error.detail, cases[i].why) != NULL,
           cases[i].why);
        is_str(w.error.subject, path, "the file is named");
        ok(strstr(w.error.detail, SECRET) == NULL, "its secret is not");
        writer_world_end(&w);
    }
}

int main(void)
{
    const char *key, *key384, *key512, *wrong, *unknown, *inner, *outer;

    named_init(&named);
    key = key_file("k256", "k256", "hmac-sha256", SECRET);
    key384 = key_file("k384", "k384", "hmac-sha384", SECRET);
    key512 = key_file("k512", "k512", "hmac-sha512", SECRET);
    named_write(&named, "zone", ZONE_TEXT);
    named_start(&named,
                "include \"k256\"; include \"k384\"; include \"k512\";\n"
                "zone \"a.test\" { type primary; file \"zone\"; update-policy {\n"
                "  grant k256 name _acme-challenge.a.test. TXT;\n"
                "  grant k256 name _acme-challenge.www.a.test. TXT;\n"
                "  grant k384 name _acme-challenge.a.test. TXT;\n"
                "  grant k384 name _acme-challenge.www.a.test. TXT;\n"
                "  grant k512 name _acme-challenge.a.test. TXT;\n"
                "  grant k512 name _acme-challenge.www.a.test. TXT; }; };\n",
                "a.test");
    others_keep_their_ttl(key);
    values_are_added_and_removed(key);
    values_are_added_and_removed(key384);
    values_are_added_and_removed(key512);
    wrong = key_file("wrong", "k256", "hmac-sha256", OTHER);
    unknown = key_file("unknown", "nobody", "hmac-sha256", SECRET);
    is_refused(wrong, "_acme-challenge.a.test", HC_P_DNS_WRITE, "BADSIG");
    is_refused(unknown, "_acme-challenge.a.test", HC_P_DNS_WRITE, "BADKEY");
    is_refused(key, "_acme-challenge.mail.a.test", HC_P_DNS_REFUSED, "REFUSED");
    is_refused(NULL, "_acme-challenge.a.test", HC_P_DNS_REFUSED, "REFUSED");
    a_clock_that_differs_is_told(key);
    a_server_that_is_not_there_is_told();
    only_good_keys_are_used();
    named_end(&named);

    named_init(&named);
    inner = key_file("inner", "inner", "hmac-sha256", SECRET);
    outer = key_file("outer", "outer", "hmac-sha256", OTHER);
    named_write(&named, "zone.inner", ZONE_TEXT);
    named_write(&named, "zone.outer", ZONE_TEXT);
    named_start(&named,
                "include \"inner\"; include \"outer\";\n"
                "view inner { match-clients { !key outer; key inner; any; }; zone \"a.test\" {\n"
                "  type primary; file \"zone.inner\"; allow-update { key inner; }; }; };\n"
                "view outer { match-clients { key outer; }; zone \"a.test\" {\n"
                "  type primary; file \"zone.outer\"; allow-update { key outer; }; }; };\n",
                "a.test");
    views_are_told_apart_by_their_keys(inner, outer);
    named_end(&named);
    return done();
}
