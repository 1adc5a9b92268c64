/* The asker's side of the keeper: agent and loader. See keeper.h. */
#include <errno.h>
#include <openssl/crypto.h>
#include <string.h>
#include <unistd.h>

#include "base/io.h"
#include "keeper/keeper.h"
#include "keeper/packet.h"
#include "keeper/question.h"

#define ASK_MS 5000

static int64_t deadline_of(const struct hc_keeper_client *client)
{
    return hc_packet_now() + (client->wait_ms > 0 ? client->wait_ms : ASK_MS);
}

/* Waits for the reply to q; those to an earlier asker's questions are dropped. */
static int wait_reply(const struct hc_keeper_client *client, const struct hc_question *q,
                      struct hc_reply *r, int *fd, struct hc_error *err)
{
    unsigned char packet[sizeof(*r) + 1];
    int64_t deadline = deadline_of(client);

    for (;;) {
        ssize_t n = hc_packet_receive(client->fd, packet, sizeof(packet), fd, deadline);

        if (n < 0) {
            return hc_error_set_errno(err, HC_P_KEEPER_GONE, NULL, errno, NULL);
        }
        if (hc_reply_parse(packet, (size_t)n, r) == 0 && r->id == q->id && r->op == q->op) {
            return 0;
        }
        if (*fd >= 0) {
            close(*fd);
            *fd = -1;
        }
    }
}

/* Asks; what the keeper reads is appended to out, if there is an out. */
static int ask(struct hc_keeper_client *client, struct hc_question *q, struct hc_buf *out,
               struct hc_reply *r, struct hc_error *err)
{
    int fd = -1;
    int rc = -1;

    memset(r, 0, sizeof(*r));
    if (client->fd < 0) {
        return hc_error_set(err, HC_P_KEEPER_GONE, NULL, "there is no keeper");
    }
    if (hc_question_number(&client->next_id, err) != 0) {
        return -1;
    }
    q->id = client->next_id++;
    if (hc_packet_send(client->fd, q, sizeof(*q), -1, deadline_of(client)) != 0) {
        return hc_error_set_errno(err, HC_P_KEEPER_GONE, NULL, errno, NULL);
    }
    if (wait_reply(client, q, r, &fd, err) != 0 || hc_reply_result(r, err) != 0) {
        goto out;
    }
    rc = 0;
    if (out != NULL && r->size > 0) {
        rc = hc_packet_memfd_read(fd, (size_t)r->size, out, err);
    }
out:
    hc_io_close(fd);
    return rc;
}

int hc_keeper_stamp(struct hc_keeper_client *client, int file, struct hc_file_stamp *stamp,
                    struct hc_error *err)
{
    struct hc_question q;
    struct hc_reply r;

    hc_question_init(&q, HC_KEEPER_STAMP, 0);
    q.file = file;
    if (ask(client, &q, NULL, &r, err) != 0) {
        return hc_error_during(err, "%s", hc_question_activity(q.op));
    }
    *stamp = r.stamp;
    return 0;
}

int hc_keeper_read(struct hc_keeper_client *client, int file, struct hc_buf *out,
                   struct hc_file_stamp *stamp, struct hc_error *err)
{
    struct hc_question q;
    struct hc_reply r;

    hc_question_init(&q, HC_KEEPER_READ, 0);
    q.file = file;
    if (ask(client, &q, out, &r, err) != 0) {
        return hc_error_during(err, "%s", hc_question_activity(q.op));
    }
    if (stamp != NULL) {
        *stamp = r.stamp;
    }
    return 0;
}

int hc_keeper_secret(struct hc_keeper_client *client, bool create,
                     unsigned char secret[HC_SECRET_SIZE], struct hc_error *err)
{
    struct hc_buf out = HC_BUF_INIT_SECRET(HC_SECRET_SIZE);
    struct hc_question q;
    struct hc_reply r;
    int rc = -1;

    hc_question_init(&q, HC_KEEPER_SECRET, 0);
    q.create = create ? 1 : 0;
    if (ask(client, &q, &out, &r, err) != 0) {
        goto out;
    }
    if (out.len != HC_SECRET_SIZE) {
        hc_error_set(err, HC_P_PROTOCOL, NULL, "a secret of %zu bytes", out.len);
        goto out;
    }
    memcpy(secret, out.data, HC_SECRET_SIZE);
    rc = 0;
out:
    hc_buf_dispose(&out);
    return rc == 0 ? 0 : hc_error_during(err, "%s", hc_question_activity(q.op));
}

int hc_keeper_go(int client, struct hc_error *err)
{
    struct hc_keeper_client asker = {.fd = client, .wait_ms = HC_KEEPER_START_MS};
    struct hc_question q;
    struct hc_reply r;

    hc_question_init(&q, HC_KEEPER_GO, 0);
    return ask(&asker, &q, NULL, &r, err) == 0
               ? 0
               : hc_error_during(err, "%s", hc_question_activity(q.op));
}
