/* Files that are read without waiting for them, by an agent whose keeper takes its time. */
#include "agent_ask.h"

#include "agent/reading.h"
#include "fake_keeper.h"
#include "tap.h"

static const char *const on[] = {"hotcert on", "hotcert_use one", NULL};
static const char *const ordered_host[] = {"a.example", NULL};

/* What came of a reading. */
struct ended {
    struct hc_reading *reading;
    int times, rc;
    enum hc_problem problem;
    char content[2][40];
};

static void on_read(void *self, int rc, struct hc_files *files, const struct hc_error *err)
{
    struct ended *e = self;

    e->times++;
    e->rc = rc;
    e->problem = err != NULL ? err->problem : HC_P_NONE;
    for (size_t i = 0; i < 2; i++) {
        hc_copy(e->content[i], sizeof(e->content[i]), hc_buf_text(&files->parts[i]));
    }
    hc_reading_free(e->reading);
    e->reading = NULL;
}

/* Two files, a loop and a keeper at the other end of ends. */
struct bench {
    struct hc_conf conf;
    struct hc_watched watched;
    struct hc_loop *loop;
    struct hc_asker *asker;
    int ends[2];
};

static void begin(struct bench *b, bool has_keeper)
{
    struct hc_error err = {0};

    memset(b, 0, sizeof(*b));
    b->watched =
        (struct hc_watched){.key = 1, .passphrase = -1, .chain = -1, .store = -1, .folder = -1};
    if (socketpair(AF_UNIX, SOCK_SEQPACKET, 0, b->ends) != 0 ||
        hc_list_add(&b->conf.files, "/none/cert.pem", &err) != 0 ||
        hc_list_add(&b->conf.files, "/none/key.pem", &err) != 0 ||
        hc_list_add(&b->conf.files, "/none/roots.pem", &err) != 0 ||
        hc_loop_new(&fake_clock, &b->loop, &err) != 0 ||
        hc_asker_new(b->loop, has_keeper ? b->ends[0] : -1, &b->asker, &err) != 0) {
        stop_here(__LINE__);
    }
}

static void end(struct bench *b)
{
    hc_asker_free(b->asker);
    hc_loop_free(b->loop);
    hc_list_dispose(&b->conf.files);
    close(b->ends[0]);
    close(b->ends[1]);
}

static void passes(struct bench *b)
{
    struct hc_error err = {0};

    for (int i = 0; i < 4; i++) {
        if (hc_loop_pass(b->loop, 0, &err) != 0) {
            stop_here(__LINE__);
        }
    }
}

static void start(struct bench *b, bool content, struct ended *e)
{
    struct hc_reading_options options = {.loop = b->loop,
                                         .asker = b->asker,
                                         .conf = &b->conf,
                                         .watched = &b->watched,
                                         .name = "test",
                                         .content = content,
                                         .self = e,
                                         .done = on_read};
    struct hc_error err = {0};

    memset(e, 0, sizeof(*e));
    if (hc_reading_start(&options, &e->reading, &err) != 0) {
        stop_here(__LINE__);
    }
    passes(b);
}

/* The keeper has this text for what it is asked next, which is this file; NULL: it may not read. */
static void answer(struct bench *b, enum hc_keeper_op op, int file, const char *text)
{
    struct hc_question q = {.file = -1};

    is_int(heard(b->ends[1], &q) && q.op == (uint32_t)op ? q.file : -1, file, "it is asked for");
    reply(b->ends[1], &q, text);
    passes(b);
}

static void files_are_read_and_stamped_again(void)
{
    struct bench b;
    struct ended e;

    begin(&b, true);
    start(&b, true, &e);
    answer(&b, HC_KEEPER_READ, 0, "certificate");
    answer(&b, HC_KEEPER_READ, 1, "key");
    answer(&b, HC_KEEPER_STAMP, 0, "certificate");
    is_int(e.times, 0, "not yet");
    answer(&b, HC_KEEPER_STAMP, 1, "key");
    is_int(e.rc, 1, "read");
    is_str(e.content[0], "certificate", "one");
    is_str(e.content[1], "key", "and the other");
    start(&b, true, &e);
    answer(&b, HC_KEEPER_READ, 0, "certificate");
    answer(&b, HC_KEEPER_READ, 1, "key");
    answer(&b, HC_KEEPER_STAMP, 0, "certificate 2");
    answer(&b, HC_KEEPER_STAMP, 1, "key");
    ok(e.times == 1 && e.rc == 0, "one of them changed meanwhile");
    start(&b, false, &e);
    answer(&b, HC_KEEPER_STAMP, 0, "certificate");
    answer(&b, HC_KEEPER_STAMP, 1, "key");
    ok(e.times == 1 && e.rc == 1, "or the stamps alone");
    start(&b, true, &e);
    answer(&b, HC_KEEPER_READ, 0, NULL);
    ok(e.times == 1 && e.rc == -1 && e.problem == HC_P_FILE_UNSAFE, "a fault ends it at once");
    end(&b);
}

static void what_need_not_be_there_is_left_out(void)
{
    struct bench b;
    struct ended e;

    begin(&b, true);
    b.watched.store = 2;
    start(&b, true, &e);
    answer(&b, HC_KEEPER_READ, 0, "certificate");
    answer(&b, HC_KEEPER_READ, 1, "key");
    answer(&b, HC_KEEPER_READ, 2, NULL);
    answer(&b, HC_KEEPER_STAMP, 0, "certificate");
    answer(&b, HC_KEEPER_STAMP, 1, "key");
    answer(&b, HC_KEEPER_STAMP, 2, NULL);
    ok(e.times == 1 && e.rc == 1, "roots that cannot be had are none");
    end(&b);
}

static void nobody_is_told_who_lost_interest(void)
{
    struct bench b;
    struct ended e;
    struct hc_question q;

    begin(&b, true);
    start(&b, true, &e);
    ok(heard(b.ends[1], &q), "asked");
    hc_reading_free(e.reading);
    reply(b.ends[1], &q, "certificate");
    passes(&b);
    is_int(e.times, 0, "not told");
    end(&b);
    begin(&b, false);
    start(&b, true, &e);
    ok(e.times == 1 && e.rc == -1 && e.problem == HC_P_FILE_UNREADABLE,
       "without a keeper our own rights count");
    end(&b);
}

/* ---- the agent ---- */

/* Two hosts under `on`: one beside certificate lines, which are watched; and no answer yet. */
static void start_slow(struct server *s, char path[108], int *control, int ends[2])
{
    char files[200];
    struct hc_conf *conf = NULL;
    struct hc_findings notes = {NULL, 0, 0};
    struct hc_error err = {0};
    int index = 0;

    new_world();
    *control = listen_here(path);
    if (socketpair(AF_UNIX, SOCK_SEQPACKET, 0, ends) != 0) {
        stop_here(__LINE__);
    }
    world_keeper = ends[0];
    conf = new_conf(on);
    snprintf(files, sizeof(files), "%s/cert.pem %s/key.pem ", folder, folder);
    if (add_host(conf, NULL, "w.example", files, &notes, &index, &err) != 0) {
        stop_here(__LINE__);
    }
    hc_findings_dispose(&notes);
    add_hosts(conf, ordered_host, "");
    new_table(s);
    start_agent(s, conf, *control);
}

static void hear_question(int keeper, struct hc_question *q, enum hc_keeper_op op, const char *name)
{
    ok(heard(keeper, q) && q->op == (uint32_t)op, name);
}

/* `renew` answers when the look is over that began after the request, and not before. */
static void renew_waits_for_its_check(struct server *s, const char *path, int keeper)
{
    struct hc_question q;
    json_t *reply_seen = NULL;
    int fd = connect_here(path);

    pass_time(2);
    work(s, NULL);
    hear_question(keeper, &q, HC_KEEPER_READ, "a look is under way");
    say_on(fd, "{\"command\":\"renew\",\"name\":\"w.example\"}\n");
    work(s, NULL);
    reply(keeper, &q, NULL);
    work(s, NULL);
    reply_seen = hear(fd);
    ok(reply_seen == NULL, "it ends, but it began before the request");
    hear_question(keeper, &q, HC_KEEPER_READ, "the next one is its own");
    reply(keeper, &q, NULL);
    work(s, NULL);
    ok(is_ok(hear(fd)), "which is waited for");
    json_decref(reply_seen);
    close(fd);
}

/* What the look at the watched files ended with. */
static enum hc_problem watch_problem(struct server *s)
{
    return hc_watches_at(hc_agent_parts(s->agent)->watches, 0)->last.error.problem;
}

static void the_agent_does_not_wait_for_its_keeper(void)
{
    static const char list[] = "{\"command\":\"list\"}\n";
    struct server s;
    struct hc_question q;
    char path[108];
    int control = -1;
    int client = -1;
    json_t *answer = NULL;
    int ends[2];

    start_slow(&s, path, &control, ends);
    cas[0].bad_name = "w.example"; /* so that its files go on being looked at */
    work(&s, NULL);
    hear_question(ends[1], &q, HC_KEEPER_SECRET, "the keeper is asked for the secret");
    ok(is_ok(ask(&s, path, list)), "meanwhile `list` is answered");
    client = connect_here(path);
    say_on(client, "{\"command\":\"renew\",\"name\":\"a.example\",\"force\":true}\n");
    work(&s, NULL);
    answer = hear(client);
    ok(answer == NULL, "a renewal, which would be forgotten, waits");
    json_decref(answer);
    is_int(cas[0].asked, 0, "nothing is ordered without a store");
    reply(ends[1], &q, "a secret has just as many octets");
    work(&s, NULL);
    answer = hear(client);
    ok(json_is_true(json_object_get(answer, "ok")) &&
           strcmp(json_string_value(json_object_get(answer, "waits")), "") == 0,
       "until the store is open");
    json_decref(answer);
    close(client);
    hear_question(ends[1], &q, HC_KEEPER_READ, "then for the files");
    work(&s, NULL);
    ok(serial(&s, 1)[0] != '\0', "an order comes to its end while it does not answer");
    ok(is_ok(ask(&s, path, list)), "and `list` is answered");
    is_int(watch_problem(&s), HC_P_NONE, "nothing is thought of the files yet");
    reply(ends[1], &q, NULL);
    work(&s, NULL);
    is_int(watch_problem(&s), HC_P_FILE_UNSAFE, "what the keeper says at last is heard");
    pass_time(2);
    work(&s, NULL);
    hear_question(ends[1], &q, HC_KEEPER_READ, "a quick look asks again");
    pass_time(5);
    work(&s, NULL);
    is_int(watch_problem(&s), HC_P_KEEPER_GONE, "and gives up after its time");
    while (heard(ends[1], &q)) {
        reply(ends[1], &q, NULL); /* late, or of the look after */
    }
    work(&s, NULL);
    renew_waits_for_its_check(&s, path, ends[1]);
    end_server(&s);
    close(control);
    close(ends[0]);
    close(ends[1]);
    world_keeper = -1;
    end_world();
}

int main(void)
{
    files_are_read_and_stamped_again();
    what_need_not_be_there_is_left_out();
    nobody_is_told_who_lost_interest();
    the_agent_does_not_wait_for_its_keeper();
    return done();
}
