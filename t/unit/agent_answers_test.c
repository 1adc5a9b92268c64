/*
 * core/agent/answers.c, answer_book.c: the one owner of what is answered here. The store and the
 * table are real; the other agent is its store.
 */
#include "agent/answers.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "answer_lib.h"
#include "store/answer.h"
#include "store/follower.h"
#include "store/internal.h"
#include "store/sealed.h"
#include "tap.h"

#define TOKEN "evaGxfADs6pSRb2LAv9IZf17Dt3juxGJ"
#define FULL  100000 /* more than a small table has room for */

static const unsigned char secret[HC_SECRET_SIZE] = {7};
static int64_t now;
static char base[] = "/tmp/hotcert-answers.XXXXXX";
static char path[64];
static char text[16384];

static struct hc_conf conf;
static struct hc_events events;
static struct hc_env env;
static struct hc_loop *loop;
static struct hc_storage *storage;
static struct hc_redaction *redaction;
static struct hc_table *table;
static struct hc_table *view;
static struct hc_answers *answers;
static const struct hc_answer_port *port;

/* The other agent. */
static struct hc_store *other;
static struct hc_store_follower *follower;

static int64_t clock_now(void *self HC_UNUSED)
{
    return now;
}

static int64_t clock_ms(void *self HC_UNUSED)
{
    return now * 1000;
}

static const struct hc_clock test_clock = {NULL, clock_now, clock_ms};

static void keep_line(void *self HC_UNUSED, enum hc_level level HC_UNUSED, const char *line)
{
    size_t used = strlen(text);

    (void)snprintf(text + used, sizeof(text) - used, "%s\n", line);
}

static const struct hc_log test_log = {NULL, HC_LOG_DEBUG, keep_line};

__attribute__((noreturn)) static void stop_here(int line, const struct hc_error *err)
{
    printf("Bail out! line %d: %s %s\n", line, err->subject, err->detail);
    exit(1);
}

/* Where the answers of an agent come and go; the store and the table stay. */
static void agent_starts(void)
{
    struct hc_answers_options options = {&env, storage, table};
    struct hc_error err;

    hc_error_init(&err);
    if (hc_answers_new(&options, &answers, &err) != 0) {
        stop_here(__LINE__, &err);
    }
    port = hc_answers_port(answers);
}

/* Nobody takes anything back. */
static void agent_is_killed(void)
{
    hc_answers_free(answers);
    answers = NULL;
}

static void world_open(void)
{
    struct hc_error err;
    int fd = -1;

    hc_error_init(&err);
    text[0] = '\0';
    (void)snprintf(path, sizeof(path), "%s/store", base);
    conf.store = path;
    conf.check_interval = 60;
    if (hc_loop_new(&test_clock, &loop, &err) != 0) {
        stop_here(__LINE__, &err);
    }
    env = (struct hc_env){.conf = &conf, .clock = &test_clock, .loop = loop, .events = &events};
    if (hc_redaction_new(&redaction, &err) != 0 ||
        hc_table_create(HC_TABLE_SIZE_LEAST, &fd, &view, &err) != 0 ||
        hc_table_attach(fd, true, &table, &err) != 0) {
        stop_here(__LINE__, &err);
    }
    close(fd);
    env.redaction = redaction;
    env.log = hc_redaction_log(redaction, &test_log);
    if (mkdir(path, 0700) != 0 || hc_storage_new(&env, NULL, secret, &storage, &err) != 0) {
        stop_here(__LINE__, &err);
    }
    (void)hc_storage_run(storage);
    if (!hc_storage_ready(storage) ||
        hc_store_open(path, HC_STORE_DRIVE, secret, &test_log, &other, &err) != 0 ||
        hc_store_follow(other, &follower, &err) != 0) {
        printf("# %s\n", text);
        stop_here(__LINE__, &err);
    }
    agent_starts();
}

static void world_close(void)
{
    char command[96];

    hc_answers_free(answers);
    hc_store_unfollow(follower);
    hc_store_close(other);
    hc_storage_close(storage);
    hc_storage_free(storage);
    hc_loop_free(loop);
    hc_table_detach(table);
    hc_table_detach(view);
    hc_redaction_free(redaction);
    (void)snprintf(command, sizeof(command), "rm -rf '%s'", path);
    if (system(command) != 0) {
        exit(1);
    }
}

/* ---- what is asked ---- */

static struct hc_answer answer_of(const char *token, const char *value)
{
    return (struct hc_answer){HC_ANSWER_HTTP, "a.example", token, value, now + 3600, NULL};
}

static bool give(const struct hc_answer *answer)
{
    struct hc_error err;

    hc_error_init(&err);
    return port->give(port->self, answer, &err) == 0;
}

static void take_back(const struct hc_answer *answer)
{
    port->take_back(port->self, answer);
}

static bool follow(void)
{
    struct hc_error err;

    hc_error_init(&err);
    return hc_answers_follow(answers, &err) == 0;
}

/* What the servers say to who asks for the token; "": nothing. */
static const char *served(const char *token)
{
    static char value[HC_KEYAUTH_MAX];

    return answer_get(view, token, strlen(token), now, value) ? value : "";
}

static bool is_stored(const struct hc_answer *answer)
{
    struct hc_answer read = {0};
    char file[HC_ANSWER_FILE];
    bool there =
        hc_store_answer_file(answer, file, NULL) == 0 && hc_store_answer_read(other, file, &read);

    hc_answer_dispose(&read);
    return there;
}

/* The other agent's view: everybody gives it. */
static bool is_acknowledged(const struct hc_answer *answer)
{
    char file[HC_ANSWER_FILE];

    return hc_store_answer_file(answer, file, NULL) == 0 &&
           hc_store_all_follow(other, follower, file);
}

static bool others_put(const struct hc_answer *answer)
{
    return hc_store_answer_put(other, answer, NULL) == 0;
}

static bool others_remove(const struct hc_answer *answer)
{
    return hc_store_answer_remove(other, answer, NULL) == 0;
}

/* ---- facts ---- */

static void the_last_holder_withdraws(void)
{
    struct hc_answer a = answer_of(TOKEN "a", TOKEN "a.print");

    world_open();
    ok(give(&a) && give(&a), "two orders give one answer");
    is_str(served(TOKEN "a"), TOKEN "a.print", "it is served");
    ok(is_stored(&a), "and stored");
    take_back(&a);
    is_str(served(TOKEN "a"), TOKEN "a.print", "one has taken it back: it stays");
    take_back(&a);
    is_str(served(TOKEN "a"), "", "both have: it goes");
    ok(!is_stored(&a), "from the store, too");
    take_back(&a);
    is_str(served(TOKEN "a"), "", "once more does nothing");
    world_close();
}

static void two_values_stand_at_one_place(void)
{
    struct hc_answer a = answer_of(TOKEN "a", TOKEN "a.first");
    struct hc_answer b = answer_of(TOKEN "a", TOKEN "a.second");

    world_open();
    ok(give(&a) && give(&b), "two accounts, one token");
    is_str(served(TOKEN "a"), TOKEN "a.second", "the newest is served");
    take_back(&b);
    is_str(served(TOKEN "a"), TOKEN "a.first", "then the one that is left");
    ok(give(&b), "the second comes again");
    take_back(&a);
    is_str(served(TOKEN "a"), TOKEN "a.second", "and outlives the first");
    take_back(&b);
    is_str(served(TOKEN "a"), "", "nothing is left");
    world_close();
}

static void what_others_present_is_mirrored(void)
{
    struct hc_answer a = answer_of(TOKEN "a", TOKEN "a.print");
    struct hc_answer own = answer_of(TOKEN "b", TOKEN "b.print");

    world_open();
    ok(others_put(&a) && !is_acknowledged(&a), "another agent has an answer that we do not give");
    ok(follow(), "we follow");
    is_str(served(TOKEN "a"), TOKEN "a.print", "it is served here");
    ok(is_acknowledged(&a), "and the other knows that");
    take_back(&a);
    is_str(served(TOKEN "a"), TOKEN "a.print", "it is not ours to take back");
    ok(give(&own) && !port->given(port->self, &own), "one of ours is not yet given by the other");
    ok(others_remove(&a) && follow(), "the other has taken its own away");
    is_str(served(TOKEN "a"), "", "it is served no more");
    is_str(served(TOKEN "b"), TOKEN "b.print", "ours is");
    hc_store_unfollow(follower);
    follower = NULL;
    ok(port->given(port->self, &own), "the other is gone: nobody is waited for");
    world_close();
}

static void what_is_left_is_the_next_ones(void)
{
    struct hc_answer a = answer_of(TOKEN "a", TOKEN "a.print");

    world_open();
    ok(give(&a) && follow(), "an answer of ours, which we have mirrored too");
    port->leave(port->self, &a);
    is_str(served(TOKEN "a"), TOKEN "a.print", "left, it stays");
    ok(is_stored(&a), "also in the store");
    ok(others_remove(&a) && follow(), "who went on takes it away");
    is_str(served(TOKEN "a"), "", "then it goes");
    world_close();

    world_open();
    ok(give(&a), "one that was not mirrored yet");
    port->leave(port->self, &a);
    ok(follow(), "is found in the store");
    is_str(served(TOKEN "a"), TOKEN "a.print", "and is served as another agent's");
    ok(is_acknowledged(&a), "to whom we say so");
    world_close();
}

static void what_a_killed_agent_leaves_ends_by_itself(void)
{
    struct hc_answer a = answer_of(TOKEN "a", TOKEN "a.print");

    world_open();
    ok(give(&a), "an agent gives an answer");
    agent_is_killed();
    agent_starts();
    is_str(served(TOKEN "a"), TOKEN "a.print", "it dies, and the table still has it");
    ok(follow() && is_stored(&a), "the next one mirrors it");
    now += 3600;
    is_str(served(TOKEN "a"), "", "nothing is served when its time is over");
    ok(follow() && !is_stored(&a), "and the next look removes it from the store");
    is_int((int)hc_redaction_match(redaction, TOKEN "a.print"), 0, "nobody has it any more");
    world_close();
}

static void a_store_that_fails_leaves_nothing(void)
{
    struct hc_answer a = answer_of(TOKEN "a", TOKEN "a.print");
    struct hc_answer b = answer_of(TOKEN "b", TOKEN "b.print");
    char folder[96];
    char aside[96];
    int fd = -1;

    world_open();
    ok(others_put(&b) && follow(), "another agent's answer is mirrored");
    (void)snprintf(folder, sizeof(folder), "%s/challenges", path);
    (void)snprintf(aside, sizeof(aside), "%s/aside", base);
    fd = rename(folder, aside) == 0 ? open(folder, O_WRONLY | O_CREAT | O_CLOEXEC, 0600) : -1;
    ok(fd >= 0 && !give(&a), "the store takes no answer, and that is said");
    is_str(served(TOKEN "a"), "", "so the servers do not give it either");
    ok(!give(&b), "nor does it take one that is another's as well");
    is_str(served(TOKEN "b"), TOKEN "b.print", "which is served all the same");
    ok(!follow(), "it cannot be followed");
    is_str(served(TOKEN "b"), TOKEN "b.print", "what cannot be looked at stays");
    close(fd);
    ok(unlink(folder) == 0 && rename(aside, folder) == 0 && give(&a), "well again, it takes it");
    is_str(served(TOKEN "a"), TOKEN "a.print", "and it is served");
    world_close();
}

static void a_store_that_goes_takes_nothing_along(void)
{
    struct hc_answer a = answer_of(TOKEN "a", TOKEN "a.print");
    struct hc_answer b = answer_of(TOKEN "b", TOKEN "b.print");

    world_open();
    ok(give(&a) && others_put(&b) && follow(), "one answer is ours, one another's");
    hc_answers_unfollow(answers);
    is_str(served(TOKEN "b"), TOKEN "b.print", "the store is going: both stay");
    ok(follow() && is_acknowledged(&b), "it comes back, and is looked at anew");
    take_back(&a);
    is_str(served(TOKEN "a"), "", "ours is still ours to take away");
    world_close();
}

static int count_until_full(char made[64])
{
    struct hc_answer a = answer_of(made, "");
    char value[128];
    struct hc_error err;
    int count = 0;

    hc_error_init(&err);
    for (; count < FULL; count++) {
        (void)snprintf(made, 64, "%s%d", TOKEN, count);
        (void)snprintf(value, sizeof(value), "%s.print", made);
        a.value = value;
        if (hc_answers_give_briefly(answers, &a, &err) != 0) {
            break;
        }
    }
    is_int(err.problem, HC_P_TABLE_FULL, "a full table is told of");
    return count;
}

static void a_full_table_serves_what_it_has(void)
{
    char made[64];
    char value[128];
    int count = 0;
    int missing = 0;

    world_open();
    hc_store_unfollow(follower);
    follower = NULL;
    count = count_until_full(made);
    printf("# room for %d\n", count);
    ok(count > 1000, "after thousands");
    is_str(served(made), "", "the one too many is not served");
    for (int i = 0; i < count; i++) {
        (void)snprintf(made, sizeof(made), "%s%d", TOKEN, i);
        missing += served(made)[0] == '\0';
    }
    is_int(missing, 0, "all others are");
    for (int i = 0; i < count; i++) {
        struct hc_answer a = {HC_ANSWER_HTTP, "a.example", made, value, now, NULL};

        (void)snprintf(made, sizeof(made), "%s%d", TOKEN, i);
        (void)snprintf(value, sizeof(value), "%s.print", made);
        hc_answers_take_back(answers, &a);
        missing += served(made)[0] == '\0';
    }
    is_int(missing, count, "and go when they are taken back");
    world_close();
}

static void a_preflights_answer_is_stored_for_others_only(void)
{
    struct hc_answer a = answer_of(TOKEN "a", TOKEN "a.print");
    struct hc_error err;

    hc_error_init(&err);
    world_open();
    ok(hc_answers_give_briefly(answers, &a, &err) == 0 && is_stored(&a),
       "there is another agent, which has to give it");
    hc_answers_take_back(answers, &a);
    ok(!is_stored(&a), "taken back, it is gone");
    hc_store_unfollow(follower);
    follower = NULL;
    ok(hc_answers_give_briefly(answers, &a, &err) == 0 && !is_stored(&a), "there is none");
    is_str(served(TOKEN "a"), TOKEN "a.print", "the servers give it");
    hc_answers_take_back(answers, &a);
    world_close();
}

/* Letters alone, short of what looks random by itself. */
static void no_log_shows_an_answer(void)
{
    struct hc_answer a = answer_of("lettersalone", "lettersalone.print");
    struct hc_answer txt = {HC_ANSWER_TXT,        "a.example", "_acme-challenge.a.example",
                            "a-text-of-a-record", now + 60,    NULL};

    world_open();
    ok(give(&a) && give(&txt), "answers of two kinds");
    hc_logf(env.log, HC_LOG_INFO, "GET lettersalone says lettersalone.print");
    hc_logf(env.log, HC_LOG_INFO, "wrote _acme-challenge.a.example");
    ok(strstr(text, "lettersalone") == NULL && strstr(text, "GET [..] says [..]") != NULL,
       "token and key authorization are left out of lines");
    ok(strstr(text, "wrote _acme-challenge.a.example") != NULL, "a record's name is no secret");
    is_str(served("_acme-challenge.a.example"), "", "and no server gives it over HTTP");
    take_back(&a);
    take_back(&txt);
    is_int((int)hc_redaction_match(redaction, "lettersalone"), 0, "until they are taken back");
    ok(others_put(&a) && follow() && hc_redaction_match(redaction, "lettersalone") > 0,
       "those of others are left out as well");
    world_close();
}

static struct hc_answer proof_of(const char *value, int64_t made)
{
    return (struct hc_answer){HC_ANSWER_TLS,           "a.example", "a.example", value,
                              made + HC_ANSWER_LIFE_S, NULL};
}

/* What the listeners show to who proves the name. */
static const char *proved(void)
{
    static char copy[256];
    struct hc_buf value = HC_BUF_INIT(HC_TABLE_ANSWER_MAX);

    (void)hc_table_answer_get(view, HC_ANSWER_TLS, "a.example", strlen("a.example"), now, &value);
    (void)hc_copy(copy, sizeof(copy), hc_buf_text(&value));
    hc_buf_dispose(&value);
    return copy;
}

/* Two agents give a proof of one name before they know of each other. */
static void every_agent_shows_the_same_proof(void)
{
    struct hc_answer early = proof_of("-----BEGIN CERTIFICATE----- early\n", now - 1);
    struct hc_answer late = proof_of("-----BEGIN CERTIFICATE----- late\n", now);
    struct hc_answer brief = {HC_ANSWER_TLS, "a.example",
                              "a.example",   "-----BEGIN CERTIFICATE----- brief\n",
                              now + 60,      NULL};
    const int64_t began = now;

    world_open();
    ok(give(&late) && others_put(&early), "ours is the later one");
    is_str(proved(), late.value, "of the other nothing is known yet");
    hc_store_unfollow(follower);
    follower = NULL;
    ok(!port->given(port->self, &late), "but something was stored, so ours is not ready");
    ok(follow(), "we read it");
    is_str(proved(), early.value, "theirs is shown");
    ok(port->other(port->self, &late) != NULL, "in place of ours");
    take_back(&late);
    ok(others_remove(&early) && follow(), "they have done");
    is_str(proved(), "", "nothing is left");

    ok(give(&early) && others_put(&late) && follow(), "ours is the earlier one");
    is_str(proved(), early.value, "it is shown, whatever was read last");
    ok(port->other(port->self, &early) == NULL && port->given(port->self, &early), "and ready");
    now += HC_ANSWER_TURN_S;
    ok(port->other(port->self, &early) != NULL, "for a minute");
    now = began;
    take_back(&early);
    is_str(proved(), late.value, "then theirs is shown");
    ok(others_put(&brief) && follow(), "a check of theirs");
    is_str(proved(), late.value, "does not take the place of an order's");
    ok(others_remove(&late) && follow(), "that goes");
    is_str(proved(), brief.value, "and then it does");
    ok(others_remove(&brief) && follow(), "and goes");
    is_str(proved(), "", "nothing is left");
    world_close();
}

/* As a later version would store a kind of its own. */
static bool others_put_unknown_kind(void)
{
    static const char unknown[] = "answer\nheliograph\n9999999999\na.example\na.example\nflash";
    char subject[96];
    char file[HC_ANSWER_FILE];
    int folder = -1;
    bool good = hc_name_digest(unknown, file, NULL) == 0 &&
                hc_folder_open(other, other->root, "challenges", true, &folder, NULL) == 0;

    (void)snprintf(subject, sizeof(subject), "challenges/%s", file);
    good = good &&
           hc_sealed_write(other, &(struct hc_file_place){folder, file, subject},
                           (struct hc_bytes){(const unsigned char *)unknown, sizeof(unknown) - 1},
                           false, NULL) == 0;
    if (folder >= 0) {
        close(folder);
    }
    return good;
}

static void what_cannot_be_mirrored_holds_up_nobody(void)
{
    struct hc_answer own = proof_of("-----BEGIN CERTIFICATE----- own\n", now);
    struct hc_answer theirs = {
        HC_ANSWER_TLS,          "b.example", "b.example", "-----BEGIN CERTIFICATE----- theirs\n",
        now + HC_ANSWER_LIFE_S, NULL};
    char made[64];
    int count = 0;

    world_open();
    hc_store_unfollow(follower);
    follower = NULL;
    ok(give(&own) && port->given(port->self, &own), "a proof of ours is ready");
    ok(others_put_unknown_kind() && !port->given(port->self, &own), "until something is stored");
    ok(follow() && port->given(port->self, &own), "which turns out to say nothing to us");
    count = count_until_full(made);
    ok(others_put(&theirs) && !port->given(port->self, &own), "so does what is stored then");
    ok(follow() && port->given(port->self, &own), "but the table is full");
    hc_answers_unfollow(answers);
    ok(!port->given(port->self, &own), "when the store went nothing is known of it");
    ok(follow() && follow() && port->given(port->self, &own), "and is not news for ever");
    for (int i = 0; i < count; i++) {
        char value[128];
        struct hc_answer a = answer_of(made, value);

        (void)snprintf(made, sizeof(made), "%s%d", TOKEN, i);
        (void)snprintf(value, sizeof(value), "%s.print", made);
        hc_answers_take_back(answers, &a);
    }
    ok(follow() && port->other(port->self, &(struct hc_answer){.kind = HC_ANSWER_TLS,
                                                               .name = "b.example",
                                                               .key = "b.example",
                                                               .value = "another"}) != NULL,
       "with room again theirs is mirrored");
    world_close();
}

/* What the other agent says that it mirrors and holds. */
static bool others_say(const struct hc_answer *mirrored, bool holds)
{
    struct hc_list files = {NULL, 0, 0};
    struct hc_list none = {NULL, 0, 0};
    char file[HC_ANSWER_FILE];
    bool said = hc_store_answer_file(mirrored, file, NULL) == 0 &&
                hc_list_add(&files, file, NULL) == 0 &&
                hc_store_follower_ack(follower, &files, holds ? &files : &none, NULL) == 0;

    hc_list_dispose(&files);
    return said;
}

static bool time_goes_by(int seconds)
{
    bool good = true;

    for (int i = 0; i < seconds && good; i++) {
        now++;
        good = follow();
    }
    return good;
}

static void what_a_killed_agent_leaves_is_removed(void)
{
    struct hc_answer a = answer_of(TOKEN "a", TOKEN "a.print");
    struct hc_answer own = answer_of(TOKEN "b", TOKEN "b.print");

    world_open();
    ok(others_put(&a) && follow() && time_goes_by(3 * HC_ANSWER_LEFT_S) && is_stored(&a),
       "an earlier version does not say what it holds: all stays");
    ok(others_say(&a, true) && time_goes_by(3 * HC_ANSWER_LEFT_S) && is_stored(&a),
       "so does what a living agent holds");
    ok(others_say(&a, false) && time_goes_by(HC_ANSWER_LEFT_S / 2) && is_stored(&a),
       "nobody holds it: it stays for a while");
    is_str(served(TOKEN "a"), TOKEN "a.print", "served by all");
    ok(others_say(&a, true) && time_goes_by(HC_ANSWER_LEFT_S) && is_stored(&a),
       "and longer if somebody goes on with it");
    ok(others_say(&a, false) && time_goes_by(2 * HC_ANSWER_LEFT_S) && !is_stored(&a),
       "then it is removed");
    is_str(served(TOKEN "a"), "", "and not served any more");

    ok(give(&own) && time_goes_by(3 * HC_ANSWER_LEFT_S) && is_stored(&own), "ours stays");
    agent_is_killed();
    agent_starts();
    ok(follow() && give(&own), "killed, we go on with it");
    ok(time_goes_by(3 * HC_ANSWER_LEFT_S) && is_stored(&own), "and it stays");
    agent_is_killed();
    agent_starts();
    ok(time_goes_by(3 * HC_ANSWER_LEFT_S) && !is_stored(&own), "killed again, we do not");
    world_close();
}

int main(void)
{
    now = hc_now(&hc_clock_system); /* a full table drops what is over by it */
    if (mkdtemp(base) == NULL) {
        return 1;
    }
    the_last_holder_withdraws();
    two_values_stand_at_one_place();
    what_others_present_is_mirrored();
    what_is_left_is_the_next_ones();
    what_a_killed_agent_leaves_ends_by_itself();
    a_store_that_fails_leaves_nothing();
    a_store_that_goes_takes_nothing_along();
    a_full_table_serves_what_it_has();
    a_preflights_answer_is_stored_for_others_only();
    every_agent_shows_the_same_proof();
    what_cannot_be_mirrored_holds_up_nobody();
    what_a_killed_agent_leaves_is_removed();
    no_log_shows_an_answer();
    (void)rmdir(base);
    return done();
}
