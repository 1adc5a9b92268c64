/* core/keeper/question.c and packet.c: what is read from another process is hostile. */
#include "keeper/question.h"

#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "keeper/packet.h"
#include "keeper_lib.h"

static void questions_are_parsed_strictly(void)
{
    struct hc_question q;
    struct hc_question got;
    unsigned char packet[sizeof(q) + 1] = {0};

    hc_question_init(&q, HC_KEEPER_SECRET, 42);
    q.create = 1;
    memcpy(packet, &q, sizeof(q));
    ok(hc_question_parse(packet, sizeof(q), &got) == 0 && got.id == 42 && got.create == 1,
       "a question");
    is_int(hc_question_parse(packet, sizeof(q) - 1, &got), -1, "one byte less");
    is_int(hc_question_parse(packet, sizeof(q) + 1, &got), -1, "one byte more");
    is_int(hc_question_parse(packet, 0, &got), -1, "nothing");
    for (size_t i = 0; i < 8; i++) {
        packet[i] ^= 1;
        if (hc_question_parse(packet, sizeof(q), &got) == 0) {
            ok(false, "another magic");
        }
        packet[i] ^= 1;
    }
    q.create = 2;
    is_int(hc_question_parse(&q, sizeof(q), &got), -1, "neither yes nor no");
    q.create = 0;
    q.zero = 1;
    is_int(hc_question_parse(&q, sizeof(q), &got), -1, "something where nothing belongs");
}

static void replies_carry_the_first_error(void)
{
    struct hc_question q;
    struct hc_reply r;
    struct hc_reply got;
    struct hc_error err = {0};
    struct hc_error back = {0};

    hc_question_init(&q, HC_KEEPER_READ, 7);
    hc_reply_init(&r, &q, &err);
    ok(hc_reply_parse(&r, sizeof(r), &got) == 0 && got.id == 7 && hc_reply_result(&got, &back) == 0,
       "it went well");
    hc_error_set(&err, HC_P_FILE_UNSAFE, "/a\nb", "because of \\");
    (void)hc_error_hint(&err, "chmod 0600 it");
    hc_reply_init(&r, &q, &err);
    ok(hc_reply_parse(&r, sizeof(r), &got) == 0 && hc_reply_result(&got, &back) == -1,
       "it did not");
    ok(back.problem == HC_P_FILE_UNSAFE && strcmp(back.subject, err.subject) == 0 &&
           strcmp(back.detail, err.detail) == 0 && strcmp(back.hint, "chmod 0600 it") == 0,
       "the error arrives as it was, escaped once");
    hc_error_init(&back);
    (void)snprintf(got.slug, sizeof(got.slug), "no-such-slug");
    ok(hc_reply_result(&got, &back) == -1 && back.problem == HC_P_PROTOCOL, "an unknown problem");
    memcpy(&got, &r, sizeof(got));
    memset(got.detail, 'x', sizeof(got.detail));
    is_int(hc_reply_parse(&got, sizeof(got), &r), -1, "text without an end");
    hc_reply_init(&got, &q, &err);
    got.subject[0] = '\x1b';
    is_int(hc_reply_parse(&got, sizeof(got), &r), -1, "text that a terminal would obey");
    hc_reply_init(&got, &q, &err);
    got.size = HC_PAIR_PEM_MAX + 1;
    is_int(hc_reply_parse(&got, sizeof(got), &r), -1, "more bytes than may be");
}

static void bytes_travel_sealed(void)
{
    struct hc_buf out = HC_BUF_INIT(1024);
    struct hc_error err = {0};
    struct hc_bytes bytes = {(const unsigned char *)"some bytes", 10};
    struct stat st;
    int fd = -1;
    int plain = memfd_create("plain", MFD_CLOEXEC | MFD_ALLOW_SEALING);

    ok(hc_packet_memfd("t", bytes, &fd, &err) == 0 &&
           hc_packet_memfd_read(fd, 10, &out, &err) == 0 &&
           strcmp(hc_buf_text(&out), "some bytes") == 0,
       "there and back");
    ok(pwrite(fd, "x", 1, 0) < 0 && ftruncate(fd, 5) != 0 && ftruncate(fd, 50) != 0,
       "nobody can change them");
    ok(fstat(fd, &st) == 0 && (st.st_mode & 07777) == 0600, "nor open them in /proc");
    ok(hc_packet_memfd_read(fd, 9, &out, &err) == -1 && err.problem == HC_P_PROTOCOL,
       "another length is refused");
    hc_error_init(&err);
    ok(write(plain, "some bytes", 10) == 10 && hc_packet_memfd_read(plain, 10, &out, &err) == -1 &&
           err.problem == HC_P_PROTOCOL,
       "bytes that could change while they are read are refused");
    hc_error_init(&err);
    is_int(hc_packet_memfd_read(-1, 10, &out, &err), -1, "no descriptor");
    hc_error_init(&err);
    out.max = 12;
    ok(hc_packet_memfd_read(fd, 10, &out, &err) == -1 && err.problem == HC_P_TOO_LARGE,
       "more than there is room for");
    close(fd);
    close(plain);
    hc_buf_dispose(&out);
}

static void packets_keep_their_bounds(void)
{
    int pair[2];
    int fd = -1;
    char data[16];
    static char large[8193];
    int64_t begin = 0;

    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) != 0) {
        fatal("socketpair");
    }
    ok(hc_packet_send(pair[0], "abc", 3, pair[0], -1) == 0 &&
           hc_packet_receive(pair[1], data, sizeof(data), &fd, -1) == 3 && fd >= 0 &&
           (fcntl(fd, F_GETFD) & FD_CLOEXEC) != 0,
       "a packet with a descriptor, which no program inherits");
    close(fd);
    ok(hc_packet_send(pair[0], "", 0, -1, -1) == 0 &&
           hc_packet_receive(pair[1], data, sizeof(data), &fd, -1) == 0,
       "an empty packet is a packet");
    ok(hc_packet_send(pair[0], "0123456789abcdefghij", 20, -1, -1) == 0 &&
           hc_packet_receive(pair[1], data, sizeof(data), &fd, -1) == 16,
       "of one too long the rest is lost");
    ok(hc_packet_send(pair[0], large, sizeof(large), -1, -1) == -1 && errno == EMSGSIZE,
       "and none too long is sent");
    begin = hc_packet_now();
    ok(hc_packet_receive(pair[1], data, sizeof(data), &fd, begin + 100) == -1 &&
           errno == ETIMEDOUT && hc_packet_now() - begin < 3000,
       "waiting ends when it is told to");
    while (hc_packet_send(pair[0], large, 8192, -1, hc_packet_now() + 20) == 0) {
    }
    is_int(errno, ETIMEDOUT, "also for room");
    close(pair[0]);
    while (hc_packet_receive(pair[1], data, sizeof(data), &fd, -1) > 0) {
    }
    ok(errno == EPIPE && hc_packet_at_end(pair[1]), "the end is an end");
    ok(hc_packet_send(pair[1], "x", 1, -1, -1) == -1 && errno == EPIPE, "for both directions");
    close(pair[1]);
}

int main(void)
{
    questions_are_parsed_strictly();
    replies_carry_the_first_error();
    bytes_travel_sealed();
    packets_keep_their_bounds();
    return done();
}
