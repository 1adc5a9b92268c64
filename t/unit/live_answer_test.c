/* hc_answer: what may be given out under which kind, places, copies. */
#include "live/answer.h"

#include "tap.h"

static struct hc_error err;

static void each_kind_has_its_rules(void)
{
    static const struct {
        enum hc_answer_kind kind;
        const char *key, *value;
        bool good;
        const char *what;
    } cases[] = {
        {HC_ANSWER_HTTP, "tok-1_A", "tok-1_A.print", true, "a key authorization"},
        {HC_ANSWER_HTTP, "tok", "toc.print", false, "another token's"},
        {HC_ANSWER_HTTP, "a/b", "a/b.print", false, "a token that is a path"},
        {HC_ANSWER_HTTP, "tok", "tok.<b>", false, "markup"},
        {HC_ANSWER_TLS, "a.example", "-----BEGIN PRIVATE KEY-----\n", true, "a pair"},
        {HC_ANSWER_TLS, "1.2.0.192.in-addr.arpa", "-----BEGIN CERTIFICATE-----\n", true,
         "an address in its reverse form"},
        {HC_ANSWER_TLS, "A.example", "-----BEGIN PRIVATE KEY-----\n", false, "an upper case name"},
        {HC_ANSWER_TLS, "a.example", "hello", false, "something else than a pair"},
        {HC_ANSWER_TXT, "_acme-challenge.a.example", "abc-_DEF", true, "a record's text"},
        {HC_ANSWER_TXT, "_acme-challenge.a.example", "", false, "an empty one"},
        {HC_ANSWER_TXT, "_acme-challenge.a.example", "a\nb", false, "one of two lines"},
        {HC_ANSWER_TXT, "", "abc", false, "a record without an owner"},
        {HC_ANSWER_TXT, "a b", "abc", false, "an owner with white space"},
    };

    for (size_t i = 0; i < HC_COUNT(cases); i++) {
        struct hc_answer answer = {cases[i].kind,  "a.example", cases[i].key,
                                   cases[i].value, 0,           NULL};

        hc_error_init(&err);
        ok((hc_answer_check(&answer, &err) == 0) == cases[i].good, cases[i].what);
        ok(cases[i].good || strcmp(err.subject, "a.example") == 0, "whose name is told if refused");
    }
}

static void words_stand_for_kinds(void)
{
    for (int k = 0; k < HC_ANSWER_KINDS; k++) {
        enum hc_answer_kind found = HC_ANSWER_HTTP;

        ok(hc_answer_kind_find(hc_answer_kind_word((enum hc_answer_kind)k), &found) &&
               (int)found == k,
           hc_answer_kind_word((enum hc_answer_kind)k));
    }
    ok(!hc_answer_kind_find("smtp", &(enum hc_answer_kind){HC_ANSWER_HTTP}), "others for none");
}

static void a_place_is_kind_and_key(void)
{
    struct hc_answer a = {HC_ANSWER_TXT, "a.example", "_acme-challenge.a.example", "one", 0, NULL};
    struct hc_answer b = a;
    unsigned char at[HC_ID_SIZE];
    unsigned char other[HC_ID_SIZE];

    b.name = "*.a.example";
    b.value = "two";
    ok(hc_answer_same_place(&a, &b) && !hc_answer_equal(&a, &b), "two values at one place");
    b.value = "one";
    ok(hc_answer_equal(&a, &b), "the same for another name");
    b.kind = HC_ANSWER_TLS;
    ok(!hc_answer_same_place(&a, &b), "another kind is another place");
    hc_answer_place(HC_ANSWER_HTTP, "abcd", 3, at);
    hc_answer_place(HC_ANSWER_HTTP, "abc", 3, other);
    ok(memcmp(at, other, sizeof(at)) == 0, "the key's length counts");
    hc_answer_place(HC_ANSWER_TLS, "abc", 3, other);
    ok(memcmp(at, other, sizeof(at)) != 0, "and the kind");
}

static void copies_are_their_own(void)
{
    char key[] = "token";
    struct hc_answer from = {HC_ANSWER_HTTP, "", key, "token.print", 7, NULL};
    struct hc_answer copy = {0};

    ok(hc_answer_copy(&copy, &from, &err) == 0, "a copy");
    key[0] = 'x';
    is_str(copy.key, "token", "does not change with its model");
    ok(copy.expires == 7 && strcmp(copy.value, "token.print") == 0 && copy.name[0] == '\0',
       "and has all of it");
    hc_answer_dispose(&copy);
    hc_answer_dispose(&copy);
    ok(copy.memory == NULL && copy.key == NULL, "disposed twice, it is empty");
}

static bool first(const char *a, int64_t a_made, const char *b, int64_t b_made, int64_t now)
{
    const struct hc_answer one = {.value = a, .expires = a_made + HC_ANSWER_LIFE_S};
    const struct hc_answer two = {.value = b, .expires = b_made + HC_ANSWER_LIFE_S};
    bool goes = hc_answer_goes_first(&one, &two, now);

    ok(hc_answer_goes_first(&two, &one, now) == !goes, "one of the two, whoever asks");
    return goes;
}

static void of_two_at_one_place_one_is_shown(void)
{
    const struct hc_answer proof = {.value = "a", .expires = 1000 + HC_ANSWER_LIFE_S};
    const struct hc_answer brief = {.value = "b", .expires = 1000 + 60};

    ok(first("b", 1000, "a", 1001, 1002), "who was first");
    ok(first("a", 1000, "b", 1000, 1000), "at the same second any of them, the same everywhere");
    ok(first("b", 1000, "a", 1001, 1059), "as long as its turn lasts");
    ok(!first("b", 1000, "a", 1001, 1060), "then the other");
    ok(!first("b", 1000, "a", 1001, 2000), "and the newest when all turns are over");
    ok(hc_answer_goes_first(&proof, &brief, 1000) && !hc_answer_goes_first(&brief, &proof, 1000),
       "what is there for a moment gives way");
}

int main(void)
{
    hc_error_init(&err);
    each_kind_has_its_rules();
    words_stand_for_kinds();
    a_place_is_kind_and_key();
    copies_are_their_own();
    of_two_at_one_place_one_is_shown();
    return done();
}
