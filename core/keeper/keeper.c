/* The keeper's own side: forked by the master, it answers questions and nothing else. See keeper.h.
 */
#include "keeper/keeper.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/crypto.h>
#include <poll.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "keeper/packet.h"
#include "keeper/path.h"
#include "keeper/process.h"
#include "keeper/question.h"
#include "keeper/secret.h"
#include "pki/pair.h"

#define KEEPER_FD 3 /* where its socket is, above standard input, output and error */
#define TRIES     5 /* of reading a file that changes while it is read */
#define TRY_MS    25
#define TICK_NS   20000000 /* what the kernel's time stamps of files do not tell apart, and more */

struct keeper {
    int socket;
    const struct hc_conf *conf; /* the master's, by fork */
    struct hc_guard guard;
};

static void stamp_of(const struct stat *st, struct hc_file_stamp *stamp)
{
    memset(stamp, 0, sizeof(*stamp));
    stamp->device = st->st_dev;
    stamp->inode = st->st_ino;
    stamp->size = (uint64_t)st->st_size;
    stamp->mtime_ns = (int64_t)st->st_mtim.tv_sec * 1000000000 + st->st_mtim.tv_nsec;
    stamp->ctime_ns = (int64_t)st->st_ctim.tv_sec * 1000000000 + st->st_ctim.tv_nsec;
    stamp->mode = st->st_mode;
    stamp->uid = st->st_uid;
    stamp->gid = st->st_gid;
}

static const char *path_of(const struct keeper *k, const struct hc_question *q,
                           struct hc_error *err)
{
    if ((size_t)q->file >= k->conf->files.count) {
        hc_error_set(err, HC_P_PROTOCOL, NULL, "file %d of %zu was asked for", (int)q->file,
                     k->conf->files.count);
        return NULL;
    }
    return k->conf->files.items[q->file];
}

/* Appends all of fd to out. */
static int read_all(int fd, const char *path, struct hc_buf *out, struct hc_error *err)
{
    unsigned char *at = NULL;

    for (;;) {
        size_t room = out->max - out->len < 16384 ? out->max - out->len : 16384;
        ssize_t n = 0;

        if (hc_buf_reserve(out, room, &at, err) != 0) {
            return -1;
        }
        n = read(fd, at, room);
        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n < 0) {
            return hc_error_set_errno(err, HC_P_FILE_UNREADABLE, path, errno, "reading it");
        }
        if (n == 0) {
            return 0;
        }
        out->len += (size_t)n;
        if (out->len > HC_PAIR_PEM_MAX) {
            return hc_error_set(err, HC_P_TOO_LARGE, path, "more than %zu bytes", HC_PAIR_PEM_MAX);
        }
    }
}

/* Changed so lately that one more change would leave the same time stamp. */
static bool is_warm(const struct hc_file_stamp *stamp)
{
    struct timespec t;
    int64_t age = 0;

    clock_gettime(CLOCK_REALTIME, &t);
    age = (int64_t)t.tv_sec * 1000000000 + t.tv_nsec - stamp->mtime_ns;
    return age >= 0 && age < TICK_NS;
}

/*
 * One reading: the state before and after must be the same, else bytes of two states may be mixed.
 * 1: it changed meanwhile.
 */
static int read_once(const struct keeper *k, const char *path, struct hc_buf *out,
                     struct hc_file_stamp *stamp, struct hc_error *err)
{
    struct hc_path_end end = HC_PATH_END_INIT;
    struct hc_file_stamp after;
    struct stat st;
    int fd = -1;
    int rc = -1;

    hc_buf_reset(out);
    if (hc_path_walk(path, &k->guard, 0, &end, err) != 0 ||
        hc_path_open_file(&end, path, &fd, &st, err) != 0) {
        goto out;
    }
    stamp_of(&st, stamp);
    if (read_all(fd, path, out, err) != 0) {
        goto out;
    }
    if (fstat(fd, &st) != 0) {
        hc_error_set_errno(err, HC_P_FILE_UNREADABLE, path, errno, NULL);
        goto out;
    }
    stamp_of(&st, &after);
    rc = hc_file_stamp_equal(stamp, &after) && out->len == stamp->size && !is_warm(stamp) ? 0 : 1;
out:
    if (fd >= 0) {
        close(fd);
    }
    hc_path_end_dispose(&end);
    return rc;
}

static int answer_read(const struct keeper *k, const struct hc_question *q, struct hc_buf *out,
                       struct hc_file_stamp *stamp, struct hc_error *err)
{
    const char *path = path_of(k, q, err);
    int rc = path != NULL ? 1 : -1;

    for (int i = 0; i < TRIES && rc == 1; i++) {
        rc = read_once(k, path, out, stamp, err);
        if (rc == 1) {
            (void)poll(NULL, 0, TRY_MS); /* whoever is writing it gets a moment to finish */
        }
    }
    if (rc == 1) {
        return hc_error_set(err, HC_P_FILE_UNREADABLE, path, "it changes while it is read");
    }
    return rc;
}

static int answer_stamp(const struct keeper *k, const struct hc_question *q,
                        struct hc_file_stamp *stamp, struct hc_error *err)
{
    struct hc_path_end end = HC_PATH_END_INIT;
    const char *path = path_of(k, q, err);
    int rc = -1;

    if (path == NULL || hc_path_walk(path, &k->guard, 0, &end, err) != 0) {
        goto out;
    }
    if (!end.exists) {
        hc_error_set_errno(err, HC_P_FILE_UNREADABLE, path, ENOENT, NULL);
        goto out;
    }
    if (!S_ISREG(end.st.st_mode)) {
        hc_error_set(err, HC_P_FILE_UNREADABLE, path, "not a regular file");
        goto out;
    }
    stamp_of(&end.st, stamp);
    rc = 0;
out:
    hc_path_end_dispose(&end);
    return rc;
}

static int answer_secret(const struct keeper *k, const struct hc_question *q, struct hc_buf *out,
                         struct hc_error *err)
{
    unsigned char secret[HC_SECRET_SIZE];
    int rc = -1;

    if (k->conf->secret == NULL) {
        return hc_error_set(err, HC_P_SECRET_MISSING, NULL, "no secret file is configured");
    }
    rc = hc_secret_load(k->conf->secret, &k->guard, q->create == 1, secret, err);
    if (rc == 0) {
        rc = hc_buf_append(out, secret, sizeof(secret), err);
    }
    OPENSSL_cleanse(secret, sizeof(secret));
    return rc;
}

static int answer(const struct keeper *k, const struct hc_question *q, struct hc_buf *out,
                  struct hc_file_stamp *stamp, struct hc_error *err)
{
    switch ((enum hc_keeper_op)q->op) {
    case HC_KEEPER_STAMP:
        return answer_stamp(k, q, stamp, err);
    case HC_KEEPER_READ:
        return answer_read(k, q, out, stamp, err);
    case HC_KEEPER_SECRET:
        return answer_secret(k, q, out, err);
    }
    return hc_error_set(err, HC_P_PROTOCOL, NULL, "an unknown question");
}

/* Answers one question; nothing of it stays in memory. -1: nobody is there to hear it. */
static int serve_one(const struct keeper *k, const struct hc_question *q)
{
    struct hc_buf out = HC_BUF_INIT_SECRET(HC_PAIR_PEM_MAX + 4096);
    struct hc_file_stamp stamp = {0};
    struct hc_error err = {0};
    struct hc_reply reply;
    int fd = -1;
    int rc = answer(k, q, &out, &stamp, &err);

    if (rc == 0 && out.len > 0) {
        rc = hc_packet_memfd("hotcert-reply", hc_bytes_of(&out), &fd, &err);
    }
    hc_reply_init(&reply, q, &err);
    if (rc == 0) {
        reply.size = out.len;
        reply.stamp = stamp;
    }
    rc = hc_packet_send(k->socket, &reply, sizeof(reply), fd, -1);
    if (fd >= 0) {
        close(fd);
    }
    hc_buf_dispose(&out);
    return rc;
}

static void serve(const struct keeper *k)
{
    unsigned char packet[sizeof(struct hc_question) + 1];
    struct hc_question q;
    int fd = -1;

    for (;;) {
        ssize_t n = hc_packet_receive(k->socket, packet, sizeof(packet), &fd, -1);

        if (n < 0) {
            return;
        }
        if (fd >= 0) {
            close(fd); /* nobody has anything to give */
            fd = -1;
        }
        if (hc_question_parse(packet, (size_t)n, &q) == 0 && serve_one(k, &q) != 0) {
            return;
        }
    }
}

/* The child: leaves everything of the master's behind but the configuration. */
static void become_keeper(struct keeper *k)
{
    hc_process_reset_signals();
    (void)setsid();
    hc_process_title("hotcert-keeper", "hotcert: keeper");
    if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0 || dup2(k->socket, KEEPER_FD) < 0) {
        _exit(1);
    }
    k->socket = KEEPER_FD;
    for (int fd = 0; fd < KEEPER_FD; fd++) {
        if (hc_process_null(fd) != 0) {
            _exit(1);
        }
    }
    hc_process_close_from(KEEPER_FD + 1);
    if (chdir("/") != 0) {
        _exit(1);
    }
    umask(077);
    serve(k);
    _exit(0);
}

int hc_keeper_start(const struct hc_conf *conf, const struct hc_rights *rights, int *client,
                    pid_t *pid, struct hc_error *err)
{
    struct keeper k = {.socket = -1, .conf = conf};
    struct hc_fork f;
    int ends[2] = {-1, -1};
    pid_t child = -1;

    *client = -1;
    *pid = -1;
    if (hc_guard_init(&k.guard, rights, err) != 0) {
        return hc_error_during(err, "starting the keeper");
    }
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0) {
        hc_error_set_errno(err, HC_P_SYSTEM, NULL, errno, "a pair of sockets");
        return hc_error_during(err, "starting the keeper");
    }
    k.socket = ends[1];
    child = hc_fork_start(&f);
    if (child == 0) {
        close(ends[0]);
        become_keeper(&k);
    }
    hc_fork_done(&f);
    close(ends[1]);
    if (child < 0) {
        hc_error_set_errno(err, HC_P_SYSTEM, NULL, errno, "fork");
        close(ends[0]);
        return hc_error_during(err, "starting the keeper");
    }
    *client = ends[0];
    *pid = child;
    return 0;
}
