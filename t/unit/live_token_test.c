/* Pending http-01 tokens in the live table. */
#include "live/table.h"

#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/time.h"
#include "live/layout.h"
#include "tap.h"

static struct hc_error err;
static struct hc_table *reader;
static struct hc_table *writer;
static int fd = -1;
static char auth[HC_KEYAUTH_MAX];

static bool get(const char *token, int64_t now)
{
    memset(auth, 0, sizeof(auth));
    return hc_table_token_get(reader, token, strlen(token), now, auth);
}

static int put(const char *token, const char *keyauth, int64_t expires)
{
    hc_error_init(&err);
    return hc_table_token_put(writer, token, keyauth, expires, &err);
}

static void pending_tokens_are_answered(void)
{
    is_int(put("abc", "abc.print", 100), 0, "a token is put");
    ok(get("abc", 99), "and found before it expires");
    is_str(auth, "abc.print", "with its key authorization");
    ok(!get("abc", 100), "and not when it has expired");
    ok(!get("ab", 1) && !get("abcd", 1) && !get("ABC", 1), "nor by another name");
    is_int(put("abc", "abc.other", 200), 0, "it is put again");
    ok(get("abc", 150), "with a later end");
    is_str(auth, "abc.other", "and another answer");
    is_int(hc_table_token_remove(writer, "abc", &err), 0, "it is removed");
    ok(!get("abc", 1), "and not answered any more");
    is_int(hc_table_token_remove(writer, "abc", &err), 0, "removing it twice is no error");
}

static void only_key_authorizations_go_in(void)
{
    static const struct {
        const char *token, *auth, *name;
    } bad[] = {
        {"", ".x", "an empty token"},
        {"a/b", "a/b.x", "a slash in the token"},
        {"a b", "a b.x", "white space in the token"},
        {"abc", "abd.x", "another token's answer"},
        {"abc", "abc", "an answer without a thumbprint"},
        {"abc", "abc.", "an empty thumbprint"},
        {"abc", "abc.<b>", "markup in the answer"},
        {"abc", "abc.x\r\n", "line ends in the answer"},
    };
    char token[HC_TOKEN_MAX + 1];
    char answer[HC_KEYAUTH_MAX + 1];

    for (size_t i = 0; i < HC_COUNT(bad); i++) {
        is_int(put(bad[i].token, bad[i].auth, 100), -1, bad[i].name);
    }
    memset(token, 'a', HC_TOKEN_MAX);
    token[HC_TOKEN_MAX] = '\0';
    snprintf(answer, sizeof(answer), "%s.x", token);
    is_int(put(token, answer, 100), -1, "a token that is too long");
    token[HC_TOKEN_MAX - 1] = '\0';
    snprintf(answer, sizeof(answer), "%s.x", token);
    is_int(put(token, answer, 100), 0, "one character less is good");
    ok(get(token, 1) && strcmp(auth, answer) == 0, "and comes back");
    ok(!hc_table_token_get(reader, token, 100000, 1, auth), "a huge length is not looked at");
    is_int(hc_table_token_remove(writer, token, &err), 0, "removed");
}

/* Fills every entry: the first half with tokens that have expired. */
static void expired_ones_are_reused(void)
{
    int64_t now = hc_now(&hc_clock_system);
    unsigned good = 0;

    for (unsigned i = 0; i < HC_TOKENS; i++) {
        char token[16];
        char answer[32];

        snprintf(token, sizeof(token), "t%u", i);
        snprintf(answer, sizeof(answer), "t%u.x", i);
        good += put(token, answer, i % 2 == 0 ? now - 1 : now + 1000) == 0;
    }
    is_int(good, HC_TOKENS, "as many tokens as there is room for");
    good = 0;
    for (unsigned i = 0; i < HC_TOKENS / 2; i++) {
        char token[16];
        char answer[32];

        snprintf(token, sizeof(token), "u%u", i);
        snprintf(answer, sizeof(answer), "u%u.x", i);
        good += put(token, answer, now + 1000) == 0 && get(token, now);
    }
    is_int(good, HC_TOKENS / 2, "expired ones make room");
    is_int(put("more", "more.x", now + 1000), -1, "pending ones do not");
    is_int(err.problem, HC_P_TABLE_FULL, "and the error says so");
    ok(get("t1", now) && get("u0", now), "what is pending stays");
}

/* A writer's death in an entry, as the next writer finds it. */
static void a_half_written_entry_is_not_answered(void)
{
    hc_word *seq = NULL;
    uint64_t before = 0;

    is_int(put("half", "half.x", 100), 0, "a token");
    for (size_t i = 0; i < HC_TOKENS; i++) {
        char text[8] = "";

        hc_words_load(text, writer->tokens[i].token, sizeof(text));
        if (strcmp(text, "half") == 0) {
            seq = &writer->tokens[i].seq;
        }
    }
    if (!ok(seq != NULL, "its entry is found")) {
        return;
    }
    before = atomic_load(seq);
    atomic_store(seq, before + 1);
    ok(!get("half", 1), "an entry in the making is not answered");
    hc_token_recover(writer);
    ok(!get("half", 1) && (atomic_load(seq) & 1) == 0, "recovery empties it");
    is_int(put("half", "half.y", 100), 0, "it can be put again");
    ok(get("half", 1) && strcmp(auth, "half.y") == 0, "and is answered");
}

/* What a server's mirror of the store does at the very time at which the CA asks. */
static void a_token_put_again_is_answered_all_the_time(void)
{
    long missed = 0, asked = 0;
    pid_t pid;

    is_int(put("again", "again.x", 100), 0, "a token");
    pid = fork();
    if (pid == 0) {
        for (int i = 0; i < 100000; i++) {
            if (put("again", "again.x", 100 + i) != 0) {
                _exit(1);
            }
        }
        _exit(0);
    }
    while (waitpid(pid, NULL, WNOHANG) == 0) {
        asked++;
        missed += !get("again", 1);
    }
    ok(asked > 0, "it is asked for while another process puts it again and again");
    is_int(missed, 0, "and never missed");
    is_int(hc_table_token_remove(writer, "again", &err), 0, "it is removed");
}

int main(void)
{
    hc_error_init(&err);
    if (hc_table_create(HC_TABLE_SIZE_LEAST, &fd, &reader, &err) != 0 ||
        hc_table_attach(fd, true, &writer, &err) != 0) {
        ok(false, "a table can be made");
        return done();
    }
    pending_tokens_are_answered();
    only_key_authorizations_go_in();
    a_half_written_entry_is_not_answered();
    a_token_put_again_is_answered_all_the_time();
    expired_ones_are_reused();
    hc_table_detach(writer);
    hc_table_detach(reader);
    close(fd);
    return done();
}
