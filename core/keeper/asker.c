/* Questions to the keeper out of a loop; see asker.h. */
#include "keeper/asker.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/io.h"
#include "keeper/packet.h"
#include "loop/timer.h"

#define AT_ONCE 0 /* a deadline that is over: sending and receiving do not wait */

struct hc_asker {
    struct hc_loop *loop;
    bool has_keeper;
    int broken;                   /* errno: the keeper is gone; 0: it is there */
    struct hc_loop_fd socket;     /* in the loop while the keeper is there */
    struct hc_timer limit;        /* of the question under way */
    TAILQ_HEAD(, hc_asked) queue; /* the first is under way, if asking is set */
    bool asking;
    bool sent;
    bool failing;                /* those in the queue are being told so */
    struct hc_question question; /* of the one under way */
    uint64_t next_id;
    uint64_t orders;
};

static void take_out(struct hc_asker *asker, struct hc_asked *asked)
{
    TAILQ_REMOVE(&asker->queue, asked, link);
    asked->asker = NULL;
}

static void tell(struct hc_asked *asked, struct hc_asker *asker,
                 const struct hc_asker_answer *answer)
{
    take_out(asker, asked);
    hc_loop_does(asker->loop, asked->name);
    asked->done(asked->self, answer);
}

/* The question under way is answered, or nobody wants to know. */
static void end_question(struct hc_asker *asker)
{
    if (asker->asking && !asker->sent && asker->broken == 0) {
        /* nothing waits to be sent any more: room for it would wake us for ever */
        (void)!hc_loop_fd_change(&asker->socket, HC_LOOP_READ, NULL);
    }
    asker->asking = asker->sent = false;
    hc_timer_stop(&asker->limit);
}

static void tell_failed(struct hc_asked *asked, struct hc_asker *asker, int number)
{
    struct hc_asker_answer answer = {.err = NULL};
    struct hc_error err;

    hc_error_init(&err);
    hc_error_set_errno(&err, HC_P_KEEPER_GONE, NULL, number, NULL);
    hc_error_during(&err, "%s", hc_question_activity(asked->op));
    answer.err = &err;
    tell(asked, asker, &answer);
}

/* All that are in the queue have failed; those that are asked meanwhile have not. */
static void fail_all(struct hc_asker *asker, int number)
{
    uint64_t last = asker->orders;
    struct hc_asked *asked = NULL;

    end_question(asker);
    asker->failing = true;
    while ((asked = TAILQ_FIRST(&asker->queue)) != NULL && asked->order <= last) {
        tell_failed(asked, asker, number);
    }
    asker->failing = false;
}

static void part_with_keeper(struct hc_asker *asker, int number)
{
    asker->broken = number;
    hc_loop_fd_remove(&asker->socket);
    hc_timer_in(&asker->limit, 0); /* which tells them */
}

static void send_question(struct hc_asker *asker)
{
    if (hc_packet_send(asker->socket.fd, &asker->question, sizeof(asker->question), -1, AT_ONCE) ==
        0) {
        asker->sent = true;
        (void)!hc_loop_fd_change(&asker->socket, HC_LOOP_READ, NULL);
    } else if (errno != ETIMEDOUT) {
        part_with_keeper(asker, errno);
    } else if (hc_loop_fd_change(&asker->socket, HC_LOOP_READ | HC_LOOP_WRITE, NULL) != 0) {
        part_with_keeper(asker, ENOMEM);
    }
}

/* Begins with the first in the queue, unless one is under way. */
static void ask_first(struct hc_asker *asker)
{
    const struct hc_asked *asked = TAILQ_FIRST(&asker->queue);

    if (asker->asking || asker->failing || asked == NULL) {
        return;
    }
    if (asker->broken != 0) {
        hc_timer_in(&asker->limit, 0);
        return;
    }
    hc_question_init(&asker->question, asked->op, asker->next_id++);
    asker->question.file = asked->file;
    asker->question.create = asked->create ? 1 : 0;
    asker->asking = true;
    hc_timer_in(&asker->limit, HC_ASKER_LIMIT_MS);
    send_question(asker);
}

static void on_limit(void *self)
{
    struct hc_asker *asker = self;

    fail_all(asker, asker->broken != 0 ? asker->broken : ETIMEDOUT);
    ask_first(asker);
}

/* The reply to the question under way. */
static void take_reply(struct hc_asker *asker, const struct hc_reply *reply, int fd)
{
    struct hc_buf content = HC_BUF_INIT_SECRET(HC_PAIR_PEM_MAX);
    struct hc_asked *asked = TAILQ_FIRST(&asker->queue);
    struct hc_asker_answer answer = {.stamp = reply->stamp};
    struct hc_error err;

    hc_error_init(&err);
    if (hc_reply_result(reply, &err) != 0 ||
        (reply->size > 0 && hc_packet_memfd_read(fd, (size_t)reply->size, &content, &err) != 0)) {
        hc_error_during(&err, "%s", hc_question_activity(asked->op));
        answer.err = &err;
    } else {
        answer.content = hc_bytes_of(&content);
    }
    end_question(asker);
    tell(asked, asker, &answer);
    hc_buf_dispose(&content);
    ask_first(asker);
}

static void on_socket(void *self, unsigned events)
{
    struct hc_asker *asker = self;
    unsigned char packet[sizeof(struct hc_reply) + 1];
    struct hc_reply reply;
    int fd = -1;
    ssize_t n = 0;

    if ((events & HC_LOOP_WRITE) != 0 && asker->asking && !asker->sent) {
        send_question(asker);
    }
    if ((events & HC_LOOP_READ) == 0 || asker->broken != 0) {
        return;
    }
    n = hc_packet_receive(asker->socket.fd, packet, sizeof(packet), &fd, AT_ONCE);
    if (n < 0 && errno != ETIMEDOUT) {
        part_with_keeper(asker, errno);
    } else if (n >= 0 && asker->sent && hc_reply_parse(packet, (size_t)n, &reply) == 0 &&
               reply.id == asker->question.id && reply.op == asker->question.op) {
        take_reply(asker, &reply, fd);
    } /* else it is the reply to a question that nobody asks any more */
    hc_io_close(fd);
}

/* ---- what is offered ---- */

void hc_ask(struct hc_asker *asker, struct hc_asked *asked)
{
    if (asked->asker != NULL) {
        return;
    }
    asked->asker = asker;
    asked->order = ++asker->orders;
    TAILQ_INSERT_TAIL(&asker->queue, asked, link);
    ask_first(asker);
}

void hc_ask_stop(struct hc_asked *asked)
{
    struct hc_asker *asker = asked->asker;
    bool under_way = asker != NULL && asker->asking && TAILQ_FIRST(&asker->queue) == asked;

    if (asker == NULL) {
        return;
    }
    take_out(asker, asked);
    if (under_way) {
        end_question(asker);
        ask_first(asker);
    }
}

int hc_asker_secret(const struct hc_asker_answer *answer, unsigned char secret[HC_SECRET_SIZE],
                    struct hc_error *err)
{
    if (answer->content.len != HC_SECRET_SIZE) {
        return hc_error_set(err, HC_P_PROTOCOL, NULL, "a secret of %zu bytes", answer->content.len);
    }
    memcpy(secret, answer->content.data, HC_SECRET_SIZE);
    return 0;
}

bool hc_asker_has_keeper(const struct hc_asker *asker)
{
    return asker->has_keeper;
}

/* ---- life ---- */

int hc_asker_new(struct hc_loop *loop, int fd, struct hc_asker **out, struct hc_error *err)
{
    struct hc_asker *asker = calloc(1, sizeof(*asker));

    if (asker == NULL) {
        return hc_error_nomem(err);
    }
    asker->loop = loop;
    asker->has_keeper = fd >= 0;
    asker->broken = fd >= 0 ? 0 : ENOTCONN;
    TAILQ_INIT(&asker->queue);
    hc_timer_init(&asker->limit, loop, "keeper", on_limit, asker);
    asker->socket = (struct hc_loop_fd){fd, HC_LOOP_READ, "keeper", on_socket, asker, NULL};
    if (fd >= 0 && (hc_question_number(&asker->next_id, err) != 0 ||
                    hc_loop_fd_add(loop, &asker->socket, err) != 0)) {
        free(asker);
        return -1;
    }
    *out = asker;
    return 0;
}

void hc_asker_free(struct hc_asker *asker)
{
    if (asker == NULL) {
        return;
    }
    for (struct hc_asked *asked = NULL; (asked = TAILQ_FIRST(&asker->queue)) != NULL;) {
        take_out(asker, asked);
    }
    hc_timer_stop(&asker->limit);
    hc_loop_fd_remove(&asker->socket);
    free(asker);
}
