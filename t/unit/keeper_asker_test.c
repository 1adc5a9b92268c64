/* core/keeper/asker.c: questions out of a loop, with a keeper that answers when the test says. */
#include "keeper/asker.h"

#include <sys/socket.h>

#include "fake_keeper.h"
#include "keeper_lib.h"

static int64_t clock_ms = 1000;

static int64_t now_ms(void *self HC_UNUSED)
{
    return clock_ms;
}

static const struct hc_clock test_clock = {NULL, now_ms, now_ms};

/* A loop, an asker, and the keeper's end. */
struct bench {
    struct hc_loop *loop;
    struct hc_asker *asker;
    int ends[2];
};

/* A question of the test's, and what came of it. */
struct asking {
    struct hc_asked asked;
    int told;
    enum hc_problem problem;
    char activity[128];
    char content[80];
    uint64_t size;
    struct hc_asker *asker;
    struct asking *next;  /* is asked then */
    struct asking *other; /* is not to be told any more then */
};

static void on_told(void *self, const struct hc_asker_answer *answer)
{
    struct asking *a = self;

    a->told++;
    a->problem = answer->err != NULL ? answer->err->problem : HC_P_NONE;
    snprintf(a->activity, sizeof(a->activity), "%s",
             answer->err != NULL ? answer->err->activity : "");
    snprintf(a->content, sizeof(a->content), "%.*s", (int)answer->content.len,
             answer->content.len > 0 ? (const char *)answer->content.data : "");
    a->size = answer->stamp.size;
    if (a->next != NULL) {
        hc_ask(a->asker, &a->next->asked);
    }
    if (a->other != NULL) {
        hc_ask_stop(&a->other->asked);
    }
}

static void init(struct asking *a, enum hc_keeper_op op, int file)
{
    memset(a, 0, sizeof(*a));
    a->asked =
        (struct hc_asked){.op = op, .file = file, .name = "test", .done = on_told, .self = a};
}

static void begin(struct bench *b)
{
    struct hc_error err = {0};

    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, b->ends) != 0 ||
        hc_loop_new(&test_clock, &b->loop, &err) != 0 ||
        hc_asker_new(b->loop, b->ends[0], &b->asker, &err) != 0) {
        fatal("the asker");
    }
}

static void end(struct bench *b)
{
    hc_asker_free(b->asker);
    hc_loop_free(b->loop);
    close(b->ends[0]);
    if (b->ends[1] >= 0) {
        close(b->ends[1]);
    }
}

static void passes(struct bench *b)
{
    struct hc_error err = {0};

    for (int i = 0; i < 4; i++) {
        if (hc_loop_pass(b->loop, 0, &err) != 0) {
            fatal("the loop");
        }
    }
}

static void questions_stand_in_one_queue(void)
{
    struct bench b;
    struct asking a[3];
    struct hc_question q;

    begin(&b);
    for (int i = 0; i < 3; i++) {
        init(&a[i], HC_KEEPER_READ, i);
        hc_ask(b.asker, &a[i].asked);
    }
    hc_ask(b.asker, &a[0].asked);
    ok(heard(b.ends[1], &q) && q.file == 0 && q.op == HC_KEEPER_READ, "the first is asked");
    ok(!heard(b.ends[1], &q), "the others wait for its answer");
    passes(&b);
    is_int(a[0].told, 0, "nobody is told anything yet, and nobody waits");
    q.file = 0;
    reply(b.ends[1], &q, "one");
    passes(&b);
    is_str(a[0].content, "one", "its answer comes with the bytes");
    is_int((long)a[0].size, 3, "and the stamp");
    is_int(a[0].told, 1, "once, however often it was asked");
    ok(heard(b.ends[1], &q) && q.file == 1, "then the next is asked");
    reply(b.ends[1], &q, NULL);
    passes(&b);
    is_int(a[1].problem, HC_P_FILE_UNSAFE, "what the keeper found comes through");
    is_str(a[1].activity, "reading a watched file", "with what was being done");
    hc_ask_stop(&a[2].asked);
    ok(heard(b.ends[1], &q), "the third is under way");
    reply(b.ends[1], &q, "three");
    passes(&b);
    is_int(a[2].told, 0, "and not told, since nobody wants to know");
    end(&b);
}

static void a_late_answer_holds_nobody_up(void)
{
    struct bench b;
    struct asking slow, behind, after;
    struct hc_question first, q;

    begin(&b);
    init(&slow, HC_KEEPER_READ, 0);
    init(&behind, HC_KEEPER_STAMP, 1);
    init(&after, HC_KEEPER_READ, 2);
    hc_ask(b.asker, &slow.asked);
    hc_ask(b.asker, &behind.asked);
    ok(heard(b.ends[1], &first), "asked");
    clock_ms += HC_ASKER_LIMIT_MS - 1;
    passes(&b);
    is_int(slow.told, 0, "there is time left");
    clock_ms += 1;
    passes(&b);
    is_int(slow.problem, HC_P_KEEPER_GONE, "then it has failed");
    is_int(behind.problem, HC_P_KEEPER_GONE, "and so has the one behind it");
    is_str(behind.activity, "checking a watched file", "each with its own words");
    hc_ask(b.asker, &after.asked);
    ok(heard(b.ends[1], &q) && q.file == 2, "the next question is asked all the same");
    reply(b.ends[1], &first, "late");
    passes(&b);
    is_int(slow.told, 1, "the late answer is dropped");
    is_int(after.told, 0, "and taken for no other");
    reply(b.ends[1], &q, "in time");
    passes(&b);
    is_str(after.content, "in time", "the right one arrives");
    end(&b);
}

/* One of those that fail asks again, and takes another out of the queue. */
static void failing_together_is_orderly(void)
{
    struct bench b;
    struct asking one, two, three, again;
    struct hc_question q;

    begin(&b);
    init(&one, HC_KEEPER_STAMP, 0);
    init(&two, HC_KEEPER_STAMP, 1);
    init(&three, HC_KEEPER_STAMP, 2);
    init(&again, HC_KEEPER_STAMP, 3);
    one.other = &two;
    one.next = &again;
    one.asker = b.asker;
    hc_ask(b.asker, &one.asked);
    hc_ask(b.asker, &two.asked);
    hc_ask(b.asker, &three.asked);
    ok(heard(b.ends[1], &q), "asked");
    clock_ms += HC_ASKER_LIMIT_MS;
    passes(&b);
    is_int(one.told, 1, "the first has failed");
    is_int(two.told, 0, "the second was taken out by it");
    is_int(three.told, 1, "the third has failed");
    is_int(again.told, 0, "what was asked meanwhile has not");
    ok(heard(b.ends[1], &q) && q.file == 3 && !heard(b.ends[1], &q), "and is the next question");
    end(&b);
}

static void without_a_keeper_questions_fail(void)
{
    struct bench b;
    struct asking a, more, none;
    struct hc_asker *alone = NULL;
    struct hc_error err = {0};

    begin(&b);
    init(&a, HC_KEEPER_SECRET, 0);
    init(&more, HC_KEEPER_STAMP, 0);
    init(&none, HC_KEEPER_STAMP, 0);
    hc_ask(b.asker, &a.asked);
    close(b.ends[1]);
    b.ends[1] = -1;
    passes(&b);
    is_int(a.problem, HC_P_KEEPER_GONE, "its end is everybody's failure");
    hc_ask(b.asker, &more.asked);
    is_int(more.told, 0, "nobody is told from within the question");
    passes(&b);
    is_int(more.problem, HC_P_KEEPER_GONE, "but soon");
    ok(hc_asker_has_keeper(b.asker), "there was one");
    ok(hc_asker_new(b.loop, -1, &alone, &err) == 0 && !hc_asker_has_keeper(alone), "or never was");
    hc_ask(alone, &none.asked);
    passes(&b);
    is_int(none.problem, HC_P_KEEPER_GONE, "which fails as well");
    hc_asker_free(alone);
    end(&b);
}

/* More questions than the socket takes, of a keeper that reads none of them. */
static void a_full_socket_is_waited_for(void)
{
    struct bench b;
    struct asking a;
    struct hc_question q;
    int asked = 0;

    begin(&b);
    for (bool full = false; !full && asked < 5000; asked++) {
        char filler[sizeof(q)] = "";

        full = send(b.ends[0], filler, sizeof(filler), MSG_DONTWAIT) < 0;
    }
    ok(asked < 5000, "the socket is full");
    init(&a, HC_KEEPER_READ, 4);
    hc_ask(b.asker, &a.asked);
    passes(&b);
    is_int(a.told, 0, "the question waits");
    for (int i = 0; i < asked; i++) {
        (void)heard(b.ends[1], &q);
    }
    passes(&b);
    ok(heard(b.ends[1], &q) && q.file == 4, "and is asked when there is room");
    reply(b.ends[1], &q, "there");
    passes(&b);
    is_str(a.content, "there", "it is answered");
    end(&b);
}

int main(void)
{
    questions_stand_in_one_queue();
    a_late_answer_holds_nobody_up();
    failing_together_is_orderly();
    without_a_keeper_questions_fail();
    a_full_socket_is_waited_for();
    return done();
}
