/* The answers to challenges that stand in the live table. */
#include "live/table.h"

#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "answer_lib.h"
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
    return answer_get(reader, token, strlen(token), now, auth);
}

static int put(const char *token, const char *keyauth, int64_t expires)
{
    hc_error_init(&err);
    return answer_put(writer, token, keyauth, expires, &err);
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
    is_int(answer_remove(writer, "abc", &err), 0, "it is removed");
    ok(!get("abc", 1), "and not answered any more");
    is_int(answer_remove(writer, "abc", &err), 0, "removing it twice is no error");
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
    ok(!answer_get(reader, token, 100000, 1, auth), "a huge length is not looked at");
    is_int(answer_remove(writer, token, &err), 0, "removed");
}

/* Puts answers until there is no room; the number of them. */
static unsigned fill(struct hc_table *table, const char *prefix, int64_t expires, int64_t now)
{
    struct hc_answer put = {HC_ANSWER_HTTP, "", NULL, NULL, expires, NULL};
    unsigned count = 0;
    char token[16];
    char answer[32];

    do {
        snprintf(token, sizeof(token), "%s%u", prefix, count++);
        snprintf(answer, sizeof(answer), "%s.x", token);
        put.key = token;
        put.value = answer;
        hc_error_init(&err);
    } while (count < 1000000 && hc_table_answer_put(table, &put, now, &err) == 0);
    return count - 1;
}

static void as_many_as_the_table_has_room_for(void)
{
    static const size_t sizes[] = {HC_TABLE_SIZE_LEAST, 4 * HC_TABLE_SIZE_LEAST,
                                   16 * HC_TABLE_SIZE_LEAST};
    unsigned before = 0;

    for (size_t i = 0; i < HC_COUNT(sizes); i++) {
        struct hc_table_stats stats;
        struct hc_table *r = NULL;
        struct hc_table *w = NULL;
        unsigned count = 0;
        int own = -1;

        hc_error_init(&err);
        if (!ok(hc_table_create(sizes[i], &own, &r, &err) == 0 &&
                    hc_table_attach(own, true, &w, &err) == 0,
                "a table")) {
            return;
        }
        count = fill(w, "n", INT64_MAX, 1);
        is_int(err.problem, HC_P_TABLE_FULL, "answers until it is full");
        printf("# %zu MiB: %u answers\n", sizes[i] >> 20, count);
        ok(count >= 1500 && count > before + before / 2, "more in a larger one");
        hc_table_stats(r, &stats);
        is_int(stats.answers, count, "all of them stand there");
        before = count;
        hc_table_detach(r);
        hc_table_detach(w);
        close(own);
    }
}

/* Whoever cannot publish anything new can still renew what there is. */
static void a_table_full_of_pairs_takes_answers(void)
{
    static unsigned char pair[20000];
    struct hc_table *r = NULL;
    struct hc_table *w = NULL;
    unsigned char id[HC_ID_SIZE] = {1};
    int own = -1;
    int rc = 0;

    hc_error_init(&err);
    if (!ok(hc_table_create(HC_TABLE_SIZE_LEAST, &own, &r, &err) == 0 &&
                hc_table_attach(own, true, &w, &err) == 0,
            "a table")) {
        return;
    }
    for (unsigned i = 0; i < 1000 && rc == 0; i++) {
        memcpy(id + 8, &i, sizeof(i));
        rc = hc_table_publish(w, id, (struct hc_bytes){pair, sizeof(pair) - i}, HC_PUBLISH_ADD,
                              &err);
    }
    is_int(err.problem, HC_P_TABLE_FULL, "pairs until it is full");
    ok(fill(w, "f", INT64_MAX, 1) >= 100, "there is room for a hundred answers");
    hc_table_detach(r);
    hc_table_detach(w);
    close(own);
}

static void expired_ones_are_reused(void)
{
    /* of the caller's clock, whatever the machine's says */
    int64_t now = 1000;
    unsigned over = fill(writer, "t", now - 1, now);

    /* all are over: whenever there is no room, they make it */
    is_int(over, 999999, "answers that are over make room");
    ok(fill(writer, "u", now + 1000, now) > 1000, "for those that are not");
    is_int(err.problem, HC_P_TABLE_FULL, "which make none");
    ok(get("u0", now) && get("u999", now), "what is pending stays");
    for (unsigned i = 0; i < 100000; i++) {
        char token[16];

        snprintf(token, sizeof(token), "u%u", i);
        if (answer_remove(writer, token, &err) != 0) {
            ok(false, "removing");
            return;
        }
    }
}

/* As at an order's end, thousands of times: what comes and goes leaves no trace that slows down. */
static void what_comes_and_goes_leaves_no_trace(void)
{
    size_t used = 0;
    static const unsigned char none[HC_ID_SIZE];

    for (unsigned i = 0; i < 20000; i++) {
        char token[16];
        char answer[32];

        snprintf(token, sizeof(token), "v%u", i);
        snprintf(answer, sizeof(answer), "v%u.x", i);
        if (put(token, answer, INT64_MAX) != 0 || answer_remove(writer, token, &err) != 0) {
            ok(false, "put and removed");
            return;
        }
    }
    for (size_t i = 0; i < reader->answers.count; i++) {
        unsigned char id[HC_ID_SIZE];

        hc_words_load(id, reader->answers.at[i].id, sizeof(id));
        used += memcmp(id, none, sizeof(id)) != 0;
    }
    ok(used * 4 < reader->answers.count, "nearly all of its places look as if never used");
    printf("# %zu of %zu\n", used, reader->answers.count);
}

/* A value of one kind is not found under another, nor what its rules forbid. */
static void kinds_are_told_apart(void)
{
    const struct hc_answer http = {HC_ANSWER_HTTP, "a.example", "same", "same.print", 100, NULL};
    const struct hc_answer tls = {
        HC_ANSWER_TLS, "a.example", "same", "-----BEGIN CERTIFICATE-----\n", 100, NULL};
    struct hc_buf value = HC_BUF_INIT(HC_TABLE_ANSWER_MAX);

    ok(hc_table_answer_put(writer, &http, 0, &err) == 0, "over HTTP");
    ok(!hc_table_answer_get(reader, HC_ANSWER_TLS, "same", 4, 1, &value), "is not over TLS");
    ok(hc_table_answer_put(writer, &tls, 0, &err) == 0, "the same key over TLS");
    ok(hc_table_answer_get(reader, HC_ANSWER_HTTP, "same", 4, 1, &value), "is another place");
    is_str(hc_buf_text(&value), http.value, "each has its own value");
    ok(hc_table_answer_get(reader, HC_ANSWER_TLS, "same", 4, 1, &value), "and is found");
    is_str(hc_buf_text(&value), tls.value, "with it");
    ok(hc_table_answer_remove(writer, &http, &err) == 0 &&
           !hc_table_answer_get(reader, HC_ANSWER_HTTP, "same", 4, 1, &value) &&
           hc_table_answer_get(reader, HC_ANSWER_TLS, "same", 4, 1, &value),
       "one goes without the other");
    is_int(hc_table_answer_remove(writer, &tls, &err), 0, "and that one");
    hc_buf_dispose(&value);
}

/* Who writes the memory cannot make a worker say what it wants. */
static void what_another_process_writes_is_held_to_the_rules(void)
{
    unsigned char place[HC_ID_SIZE];
    static const char bad[] = "\0\0\0\0\0\0\0\x7f<script>";
    struct hc_bytes payload = {(const unsigned char *)bad, sizeof(bad) - 1};
    bool fresh = false;
    int64_t at = -1;

    hc_answer_place(HC_ANSWER_HTTP, "evil", 4, place);
    if (!ok(hc_table_lock(writer, &err) == 0, "a writer without rules")) {
        return;
    }
    at = hc_slot_claim(&writer->answers, place, &fresh);
    ok(at >= 0 && hc_slot_fill(writer, &(struct hc_slot_place){&writer->answers, at, place}, fresh,
                               payload, &err) == 0,
       "puts markup");
    hc_table_unlock(writer);
    ok(!get("evil", 1), "no reader gives it out");
    is_int(answer_remove(writer, "evil", &err), 0, "removed");
}

/* What a server's mirror of the store does at the very time at which the CA asks. */
static void a_token_put_again_is_answered_all_the_time(void)
{
    long missed = 0, asked = 0;
    pid_t pid;

    is_int(put("again", "again.x", 100), 0, "a token");
    pid = fork();
    if (pid == 0) {
        for (int i = 0; i < 50000; i++) {
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
    is_int(answer_remove(writer, "again", &err), 0, "it is removed");
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
    kinds_are_told_apart();
    what_another_process_writes_is_held_to_the_rules();
    a_token_put_again_is_answered_all_the_time();
    what_comes_and_goes_leaves_no_trace();
    expired_ones_are_reused();
    as_many_as_the_table_has_room_for();
    a_table_full_of_pairs_takes_answers();
    hc_table_detach(writer);
    hc_table_detach(reader);
    close(fd);
    return done();
}
