/* Which stored pair serves a host best. */
#include "agent/select.h"

#include "conf/build.h"
#include "conf/settings.h"
#include "conf_lib.h"
#include "tap.h"

#define NOW INT64_C(1800000000)
#define DAY INT64_C(86400)

static struct hc_conf *conf;

/* One stored version, told in a line. own: the identity's line of this key type. */
struct row {
    const char *names;
    enum hc_key_type type;
    const char *issuer;   /* "one", "two" are in use; "old" is not; "": copied from files */
    int64_t begins, ends; /* days from now */
    bool own;
};

struct fact {
    const char *name;
    struct row rows[4];
    int want; /* the row that serves the first key type; -1: nothing does */
};

static const struct fact facts[] = {
    {"nothing is stored", {{0}}, -1},
    {"its own", {{"a.test b.test", HC_KEY_ECDSA_256, "one", -1, 80, true}}, 0},
    {"its own before one that lasts longer",
     {{"a.test b.test", HC_KEY_ECDSA_256, "one", -1, 10, true},
      {"a.test b.test", HC_KEY_ECDSA_256, "one", -1, 80, false}},
     0},
    {"expired, it gives way to one that is not",
     {{"a.test b.test", HC_KEY_ECDSA_256, "one", -90, -1, true},
      {"a.test", HC_KEY_ECDSA_256, "old", -1, 80, false}},
     1},
    {"expired is better than nothing",
     {{"a.test b.test", HC_KEY_ECDSA_256, "one", -90, -1, true}},
     0},
    {"the more names the better",
     {{"a.test", HC_KEY_ECDSA_256, "one", -1, 80, false},
      {"a.test b.test c.test", HC_KEY_ECDSA_256, "old", -1, 10, false}},
     1},
    {"own with a name left out gives way to one with all",
     {{"a.test", HC_KEY_ECDSA_256, "one", -1, 80, true},
      {"a.test b.test", HC_KEY_ECDSA_256, "old", -1, 10, false}},
     1},
    {"what covers none of its names never serves",
     {{"c.test d.test", HC_KEY_ECDSA_256, "one", -1, 80, false}},
     -1},
    {"a wildcard covers", {{"*.test", HC_KEY_ECDSA_256, "old", -1, 80, false}}, 0},
    {"an issuer in use before one that is not",
     {{"a.test b.test", HC_KEY_ECDSA_384, "old", -1, 80, false},
      {"a.test b.test", HC_KEY_ECDSA_384, "two", -1, 10, false}},
     1},
    {"staging is better than nothing",
     {{"a.test b.test", HC_KEY_ECDSA_256, "old", -1, 80, false}},
     0},
    {"a copy of a file serves too", {{"a.test", HC_KEY_ECDSA_256, "", -1, 80, false}}, 0},
    {"a key of another kind only if there is no other",
     {{"a.test b.test", HC_KEY_RSA_2048, "one", -1, 80, false},
      {"a.test", HC_KEY_ECDSA_384, "old", -1, 10, false}},
     1},
    {"but then it does", {{"a.test b.test", HC_KEY_RSA_2048, "one", -1, 80, false}}, 0},
    {"the longest, if all else is the same",
     {{"a.test", HC_KEY_ECDSA_256, "old", -1, 10, false},
      {"a.test", HC_KEY_ECDSA_256, "old", -1, 80, false},
      {"a.test", HC_KEY_ECDSA_256, "old", -1, 20, false}},
     1},
    {"one that has not begun waits",
     {{"a.test b.test", HC_KEY_ECDSA_256, "one", 2, 80, true},
      {"a.test", HC_KEY_ECDSA_256, "one", -1, 10, false}},
     1},
};

static void split(const char *words, struct hc_list *list)
{
    char copy[200];
    char *rest = copy;
    char *word = NULL;
    struct hc_error err = {0};

    hc_copy(copy, sizeof(copy), words);
    while ((word = strsep(&rest, " ")) != NULL) {
        if (hc_list_add(list, word, &err) != 0) {
            return;
        }
    }
}

static void put_row(struct hc_inventory *inventory, const struct hc_identity *identity,
                    const struct row *row, size_t number)
{
    char url[100] = "";
    char word[] = "1";
    struct hc_error err = {0};
    struct hc_line_info info = {.version = number + 1,
                                .mode = row->issuer[0] != '\0' ? HC_MODE_ON : HC_MODE_WATCH,
                                .issuer = url,
                                .issuer_name = word,
                                .serial = word,
                                .key_type = row->type,
                                .not_before = NOW + row->begins * DAY,
                                .not_after = NOW + row->ends * DAY};

    if (row->issuer[0] != '\0') {
        snprintf(url, sizeof(url), "https://%s.example/dir", row->issuer);
    }
    split(row->names, &info.names);
    memset(info.line, (int)(number % 250) + 1, sizeof(info.line));
    info.line[HC_ID_SIZE - 1] = (unsigned char)(number / 250);
    if (row->own) {
        hc_line_of(identity->id, row->type, info.line);
    }
    ok(hc_inventory_put(inventory, &info, &err) == 0, "stored");
    hc_list_dispose(&info.names);
}

static void check_fact(const struct fact *fact)
{
    struct hc_inventory inventory = {0};
    const struct hc_identity *identity = &conf->identities[0];
    struct hc_selection selection;

    for (size_t i = 0; i < HC_COUNT(fact->rows) && fact->rows[i].names != NULL; i++) {
        put_row(&inventory, identity, &fact->rows[i], i);
    }
    hc_select(&(struct hc_select_case){conf, identity, &inventory, NOW, NULL, NULL}, &selection);
    is_int(selection.count > 0 ? (int)selection.items[0].version - 1 : -1, fact->want, fact->name);
    if (fact->want >= 0) {
        ok(selection.items[0].own == fact->rows[fact->want].own, "and it knows whose it is");
    }
    hc_inventory_dispose(&inventory);
}

static bool skip_first(void *arg HC_UNUSED, const unsigned char line[HC_ID_SIZE])
{
    return line[0] == 1 && line[1] == 1;
}

static void what_cannot_be_read_is_passed_over(void)
{
    struct hc_inventory inventory = {0};
    struct hc_selection selection;

    put_row(&inventory, &conf->identities[0],
            &(struct row){"a.test b.test", HC_KEY_ECDSA_256, "one", -1, 80, false}, 0);
    put_row(&inventory, &conf->identities[0],
            &(struct row){"a.test", HC_KEY_ECDSA_256, "one", -1, 80, false}, 1);
    hc_select(
        &(struct hc_select_case){conf, &conf->identities[0], &inventory, NOW, skip_first, NULL},
        &selection);
    is_int(selection.items[0].version, 2, "the next best serves");
    hc_inventory_dispose(&inventory);
}

static bool same_versions(const struct hc_selection *a, const struct hc_selection *b)
{
    return a->count == 1 && b->count == 1 && a->items[0].version == b->items[0].version &&
           a->items[0].committed == b->items[0].committed &&
           memcmp(a->items[0].line, b->items[0].line, HC_ID_SIZE) == 0;
}

/* A version that was set aside as damaged leaves its number to the next. */
static void a_number_given_out_again_is_another_version(void)
{
    struct hc_inventory inventory = {0};
    const struct hc_identity *identity = &conf->identities[0];
    struct hc_selection before;
    struct hc_selection after;

    put_row(&inventory, identity,
            &(struct row){"a.test b.test", HC_KEY_ECDSA_256, "one", -1, 80, true}, 0);
    hc_select(&(struct hc_select_case){conf, identity, &inventory, NOW, NULL, NULL}, &before);
    hc_select(&(struct hc_select_case){conf, identity, &inventory, NOW, NULL, NULL}, &after);
    ok(same_versions(&before, &after), "the same stored pair is the same");
    inventory.items[0].committed = NOW;
    hc_select(&(struct hc_select_case){conf, identity, &inventory, NOW, NULL, NULL}, &after);
    ok(after.items[0].version == before.items[0].version && !same_versions(&before, &after),
       "one of the same number that was committed at another time is not");
    hc_inventory_dispose(&inventory);
}

static bool count_candidate(void *arg, const unsigned char line[HC_ID_SIZE] HC_UNUSED)
{
    ++*(int *)arg;
    return false;
}

static void what_shares_no_name_is_not_even_judged(void)
{
    struct hc_inventory inventory = {0};
    const struct hc_identity *identity = &conf->identities[0];
    struct hc_selection selection;
    char names[60];
    int looked = 0;

    for (size_t i = 0; i < 500; i++) {
        snprintf(names, sizeof(names), "other%zu.test www.other%zu.test", i, i);
        put_row(&inventory, identity, &(struct row){names, HC_KEY_ECDSA_256, "one", -1, 80, false},
                i);
    }
    hc_select(&(struct hc_select_case){conf, identity, &inventory, NOW, count_candidate, &looked},
              &selection);
    is_int(looked, 0, "500 lines of other names are no candidates");
    is_int(selection.count, 0, "and none serves");
    put_row(&inventory, identity,
            &(struct row){"a.test *.test", HC_KEY_ECDSA_256, "one", -1, 80, false}, 3);
    hc_select(&(struct hc_select_case){conf, identity, &inventory, NOW, count_candidate, &looked},
              &selection);
    is_int(selection.count, 1, "one of them has other names now: it serves");
    is_int(selection.items[0].version, 4, "that one");
    ok(looked <= 2, "and is looked at, nothing else");
    hc_inventory_dispose(&inventory);
}

/* It is weighed as the host's first certificate, and never stands beside what was obtained. */
static void the_copy_of_the_hosts_own_lines_is_no_candidate(void)
{
    struct hc_inventory inventory = {0};
    struct hc_identity identity = conf->identities[0];
    struct hc_watched lines = {.certificate = 0, .key = 1, .passphrase = -1};
    char certificate[] = "/lines/cert.pem";
    char key[] = "/lines/key.pem";
    char *paths[] = {certificate, key};
    struct hc_conf with = *conf;
    struct hc_selection selection;
    struct hc_line_info copy = {.version = 1,
                                .mode = HC_MODE_WATCH,
                                .key_type = HC_KEY_ECDSA_256,
                                .issuer = key + sizeof(key) - 1,
                                .issuer_name = key + sizeof(key) - 1,
                                .serial = key,
                                .not_before = NOW - DAY,
                                .not_after = NOW + DAY};
    struct hc_error err = {0};

    with.files = (struct hc_list){paths, 2, 2};
    split("a.test b.test", &copy.names);
    hc_watched_line(&with, &lines, copy.line);
    ok(hc_inventory_put(&inventory, &copy, &err) == 0, "stored");
    hc_list_dispose(&copy.names);
    hc_select(&(struct hc_select_case){&with, &identity, &inventory, NOW, NULL, NULL}, &selection);
    is_int(selection.count, 1, "without the lines their copy serves like any other");
    identity.watched = &lines;
    identity.watched_count = 1;
    hc_select(&(struct hc_select_case){&with, &identity, &inventory, NOW, NULL, NULL}, &selection);
    is_int(selection.count, 0, "beside the lines it is no candidate");
    hc_inventory_dispose(&inventory);
}

static void a_line_that_was_dropped_serves_nobody(void)
{
    struct hc_inventory inventory = {0};
    const struct hc_identity *identity = &conf->identities[0];
    unsigned char line[HC_ID_SIZE];
    struct hc_selection selection;

    put_row(&inventory, identity, &(struct row){"a.test", HC_KEY_ECDSA_256, "one", -1, 80, false},
            0);
    put_row(&inventory, identity,
            &(struct row){"a.test b.test", HC_KEY_ECDSA_256, "old", -1, 80, false}, 1);
    hc_select(&(struct hc_select_case){conf, identity, &inventory, NOW, NULL, NULL}, &selection);
    is_int(selection.items[0].version, 2, "the one with more names serves");
    memcpy(line, selection.items[0].line, sizeof(line));
    hc_inventory_drop(&inventory, line);
    hc_select(&(struct hc_select_case){conf, identity, &inventory, NOW, NULL, NULL}, &selection);
    is_int(selection.items[0].version, 1, "dropped, it gives way to the other");
    put_row(&inventory, identity,
            &(struct row){"a.test b.test", HC_KEY_ECDSA_256, "old", -1, 80, false}, 1);
    hc_select(&(struct hc_select_case){conf, identity, &inventory, NOW, NULL, NULL}, &selection);
    is_int(selection.items[0].version, 2, "and serves again when it is back");
    hc_inventory_dispose(&inventory);
}

static void two_key_types_have_one_each(void)
{
    struct hc_inventory inventory = {0};
    const struct hc_identity *identity = &conf->identities[1];
    struct hc_selection selection;

    put_row(&inventory, identity, &(struct row){"a.test", HC_KEY_ECDSA_256, "one", -1, 80, true},
            0);
    hc_select(&(struct hc_select_case){conf, identity, &inventory, NOW, NULL, NULL}, &selection);
    is_int(selection.count, 1, "the one that is there");
    put_row(&inventory, identity, &(struct row){"a.test", HC_KEY_RSA_2048, "one", -1, 80, true}, 1);
    hc_select(&(struct hc_select_case){conf, identity, &inventory, NOW, NULL, NULL}, &selection);
    is_int(selection.count, 2, "then both");
    hc_inventory_dispose(&inventory);
}

static void only_the_same_from_an_issuer_in_use_is_adopted(void)
{
    static const struct {
        struct row row;
        bool want;
        const char *name;
    } rows[] = {
        {{"a.test b.test", HC_KEY_ECDSA_256, "two", -1, 80, false}, true, "the same"},
        {{"a.test b.test", HC_KEY_ECDSA_256, "old", -1, 80, false}, false, "an issuer not in use"},
        {{"a.test b.test", HC_KEY_ECDSA_384, "two", -1, 80, false}, false, "another key type"},
        {{"a.test", HC_KEY_ECDSA_256, "two", -1, 80, false}, false, "fewer names"},
        {{"a.test b.test", HC_KEY_ECDSA_256, "two", -90, -1, false}, false, "expired"},
        {{"a.test b.test", HC_KEY_ECDSA_256, "", -1, 80, false}, false, "a copied file"},
        {{"a.test b.test", HC_KEY_ECDSA_256, "two", -1, 80, true}, false, "its own already"},
    };

    for (size_t i = 0; i < HC_COUNT(rows); i++) {
        struct hc_inventory inventory = {0};

        put_row(&inventory, &conf->identities[0], &rows[i].row, 0);
        ok((hc_select_adoptable(conf, &conf->identities[0], HC_KEY_ECDSA_256, &inventory, NOW) !=
            NULL) == rows[i].want,
           rows[i].name);
        hc_inventory_dispose(&inventory);
    }
}

static void a_pair_of_another_profile_is_not_adopted(void)
{
    static const struct row row = {"a.test b.test", HC_KEY_ECDSA_256, "two", -1, 80, false};
    char word[] = "brief";
    char *words[] = {word};
    struct hc_scope set = *conf->identities[0].set;
    struct hc_identity asks = conf->identities[0];
    struct hc_inventory inventory = {0};
    struct hc_line_info info = {.version = 0};
    struct hc_error err = {0};

    put_row(&inventory, &conf->identities[0], &row, 0);
    set.profile = (struct hc_list){words, 1, 1};
    asks.set = &set;
    ok(hc_select_adoptable(conf, &asks, HC_KEY_ECDSA_256, &inventory, NOW) == NULL,
       "a pair without a profile is not what a host with one asks for");
    ok(hc_line_info_copy(&info, &inventory.items[0], &err) == 0 &&
           hc_strdup("brief", &info.profile, &err) == 0 &&
           hc_inventory_put(&inventory, &info, &err) == 0,
       "of that profile");
    ok(hc_select_adoptable(conf, &asks, HC_KEY_ECDSA_256, &inventory, NOW) != NULL,
       "one of the same profile is");
    ok(hc_select_adoptable(conf, &conf->identities[0], HC_KEY_ECDSA_256, &inventory, NOW) == NULL,
       "and none for a host without one");
    hc_line_info_dispose(&info);
    hc_inventory_dispose(&inventory);
}

/* What is kept says "NAME required" of a host that took no other. */
static void a_required_profile_takes_no_other(void)
{
    static const struct row row = {"a.test b.test", HC_KEY_ECDSA_256, "two", -1, 80, false};
    static const struct {
        const char *kept;
        size_t words; /* of "brief required" */
        bool want;
    } rows[] = {
        {"brief", 2, false}, {"brief required", 2, true},    {"brief required", 1, true},
        {"brief", 1, true},  {"briefer required", 1, false}, {"brief required", 0, false},
    };
    char name[] = "brief";
    char required[] = "required";
    char *words[] = {name, required};

    for (size_t i = 0; i < HC_COUNT(rows); i++) {
        struct hc_scope set = *conf->identities[0].set;
        struct hc_identity asks = conf->identities[0];
        struct hc_inventory inventory = {0};
        struct hc_line_info info = {.version = 0};
        struct hc_error err = {0};

        put_row(&inventory, &conf->identities[0], &row, 0);
        set.profile = (struct hc_list){words, rows[i].words, rows[i].words};
        asks.set = &set;
        ok(hc_line_info_copy(&info, &inventory.items[0], &err) == 0 &&
               hc_strdup(rows[i].kept, &info.profile, &err) == 0 &&
               hc_inventory_put(&inventory, &info, &err) == 0,
           "a pair of that profile");
        ok((hc_select_adoptable(conf, &asks, HC_KEY_ECDSA_256, &inventory, NOW) != NULL) ==
               rows[i].want,
           rows[i].kept);
        hc_line_info_dispose(&info);
        hc_inventory_dispose(&inventory);
    }
}

static void make_conf(void)
{
    static const char *const issuers[] = {"one", "two", "old"};
    struct hc_findings notes = {NULL, 0, 0};
    struct hc_error err = {0};
    struct hc_scope *scope = hc_scope_new(&err);
    int index = 0;
    char line[100];

    conf = hc_conf_new(HC_SERVER_NGINX, &err);
    for (size_t i = 0; i < HC_COUNT(issuers); i++) {
        struct hc_issuer *issuer = NULL;

        snprintf(line, sizeof(line), "directory_url https://%s.example/dir", issuers[i]);
        ok(begin_issuer(conf, issuers[i], "test.conf:1", &issuer, &err) == 0 &&
               say(conf, NULL, issuer, line, &err) == 0,
           "an issuer");
    }
    ok(say(conf, NULL, NULL, "hotcert on", &err) == 0 &&
           say(conf, NULL, NULL, "hotcert_terms_agreed on", &err) == 0 &&
           say(conf, NULL, NULL, "hotcert_use one two", &err) == 0 &&
           say(conf, scope, NULL, "hotcert_key_type ecdsa:256 rsa:2048", &err) == 0,
       "directives");
    ok(add_host(conf, NULL, "a.test b.test", "", &notes, &index, &err) == 0 && index == 0 &&
           add_host(conf, scope, "a.test", "", &notes, &index, &err) == 0 && index == 1 &&
           hc_conf_finish(conf, &err) == 0,
       "hosts");
    hc_scope_free(scope);
    hc_findings_dispose(&notes);
}

int main(void)
{
    make_conf();
    for (size_t i = 0; i < HC_COUNT(facts); i++) {
        check_fact(&facts[i]);
    }
    what_cannot_be_read_is_passed_over();
    a_number_given_out_again_is_another_version();
    what_shares_no_name_is_not_even_judged();
    the_copy_of_the_hosts_own_lines_is_no_candidate();
    a_line_that_was_dropped_serves_nobody();
    two_key_types_have_one_each();
    only_the_same_from_an_issuer_in_use_is_adopted();
    a_pair_of_another_profile_is_not_adopted();
    a_required_profile_takes_no_other();
    hc_conf_free(conf);
    return done();
}
