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

#include "base/io.h"
#include "keeper/agent.h"
#include "keeper/guise.h"
#include "keeper/packet.h"
#include "keeper/path.h"
#include "keeper/process.h"
#include "keeper/question.h"
#include "keeper/rights.h"
#include "keeper/secret.h"
#include "pki/pair.h"

#define KEEPER_FD  3 /* where its socket is, above standard input, output and error */
#define TABLE_FD   4
#define CONTROL_FD 5
#define LINES_FD   6
#define DNS_FD     7    /* and on */
#define FD_ASIDE   32   /* descriptors are moved above this before they take their places */
#define REPLY_MS   5000 /* an asker that takes no reply for so long gets none */
#define TRIES      5    /* of reading a file that changes while it is read */
#define TRY_MS     25
#define TICK_NS    20000000 /* what the kernel's time stamps of files do not tell apart, and more */

struct keeper {
    int socket;
    const struct hc_conf *conf; /* the master's, by fork */
    struct hc_guard guard;      /* against the worker user and the agent's */
    struct hc_guard worker;     /* that user alone */
    struct hc_rights agents;
    struct hc_agent_run agent;
    bool has_agent;
};

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

/* Changed so lately that one more change would leave the same time stamp. */
static bool is_warm(const struct hc_file_stamp *stamp)
{
    struct timespec t;
    int64_t age = 0;

    clock_gettime(CLOCK_REALTIME, &t);
    age = hc_file_stamp_ns(t) - stamp->mtime_ns;
    return age >= 0 && age < TICK_NS;
}

/* As the worker user would open it. *forbidden: that user may not read it. */
static int open_as_worker(const struct keeper *k, const char *path, int *fd, struct stat *st,
                          bool *forbidden, struct hc_error *err)
{
    static const struct hc_guard nobody;
    struct hc_path_end end = HC_PATH_END_INIT;
    struct hc_guise guise;
    int rc = -1;

    *forbidden = true;
    if (hc_guise_take(&guise, &k->worker) != 0) {
        return hc_error_set_errno(err, HC_P_SYSTEM, path, errno, "the worker user's rights");
    }
    if (hc_path_walk(path, &nobody, 0, &end, err) == 0) {
        rc = hc_path_open_file(&end, path, fd, st, err);
    }
    *forbidden = rc != 0 && faccessat(AT_FDCWD, path, R_OK, AT_EACCESS) != 0 && errno == EACCES;
    hc_guise_end(&guise);
    hc_path_end_dispose(&end);
    return rc;
}

/*
 * Opens a watched file: as root where nobody could exchange it, else as the worker user would. If
 * that does not suffice, the first reason is the one that the operator can remove.
 */
static int open_watched(const struct keeper *k, const char *path, int *fd, struct stat *st,
                        struct hc_error *err)
{
    struct hc_path_end end = HC_PATH_END_INIT;
    struct hc_error kept = {0};
    struct hc_error own = {0};
    bool forbidden = false;
    int rc = hc_path_walk(path, &k->guard, 0, &end, &kept);

    if (rc == 0) {
        rc = hc_path_open_file(&end, path, fd, st, &kept);
    } else if (kept.problem == HC_P_FILE_UNSAFE) {
        rc = open_as_worker(k, path, fd, st, &forbidden, &own);
        kept = forbidden ? kept : own;
    }
    hc_path_end_dispose(&end);
    if (rc != 0) {
        hc_error_chain(err, &kept);
    }
    return rc;
}

/*
 * One reading: the state before and after must be the same, else bytes of two states may be mixed.
 * 1: it changed meanwhile.
 */
static int read_once(const struct keeper *k, const char *path, struct hc_buf *out,
                     struct hc_file_stamp *stamp, struct hc_error *err)
{
    struct hc_file_stamp after;
    struct stat st = {0};
    int fd = -1;
    int rc = -1;

    hc_buf_reset(out);
    if (open_watched(k, path, &fd, &st, err) != 0) {
        goto out;
    }
    *stamp = hc_file_stamp_of(&st);
    if (hc_io_read_all(fd, path, out, err) != 0) {
        goto out;
    }
    if (fstat(fd, &st) != 0) {
        hc_error_set_errno(err, HC_P_FILE_UNREADABLE, path, errno, NULL);
        goto out;
    }
    after = hc_file_stamp_of(&st);
    rc = hc_file_stamp_equal(stamp, &after) && out->len == stamp->size && !is_warm(stamp) ? 0 : 1;
out:
    hc_io_close(fd);
    return rc;
}

static bool is_kept(const char *path)
{
    return strcmp(path, HC_KEPT_FILE) == 0;
}

/* It is the same for as long as this keeper lives. */
static void stamp_kept(const struct keeper *k, struct hc_file_stamp *stamp)
{
    memset(stamp, 0, sizeof(*stamp));
    stamp->size = k->conf->kept.len;
    stamp->mode = S_IFREG | 0400;
    stamp->links = 1;
}

static int answer_read(const struct keeper *k, const struct hc_question *q, struct hc_buf *out,
                       struct hc_file_stamp *stamp, struct hc_error *err)
{
    const char *path = path_of(k, q, err);
    int rc = path != NULL ? 1 : -1;

    if (path != NULL && is_kept(path)) {
        stamp_kept(k, stamp);
        return hc_buf_append(out, k->conf->kept.data, k->conf->kept.len, err);
    }
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
    const char *path = path_of(k, q, err);
    struct stat st = {0};
    int fd = -1;

    if (path != NULL && is_kept(path)) {
        stamp_kept(k, stamp);
        return 0;
    }
    if (path == NULL || open_watched(k, path, &fd, &st, err) != 0) {
        return -1;
    }
    close(fd);
    *stamp = hc_file_stamp_of(&st);
    return 0;
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
    case HC_KEEPER_GO: /* serve_go() */
        break;
    }
    return hc_error_set(err, HC_P_PROTOCOL, NULL, "an unknown question");
}

/* Answers one question over socket; nothing of it stays in memory. -1: nobody is there to hear it.
 */
static int serve_one(const struct keeper *k, int socket, const struct hc_question *q)
{
    struct hc_buf out = HC_BUF_INIT_SECRET(HC_PAIR_PEM_MAX);
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
    rc = hc_packet_send(socket, &reply, sizeof(reply), fd, hc_packet_now() + REPLY_MS);
    hc_io_close(fd);
    hc_buf_dispose(&out);
    return rc;
}

/* The master's word, over its own socket alone. */
static int serve_go(struct keeper *k, const struct hc_question *q)
{
    struct hc_error none = {0};
    struct hc_reply reply;

    k->agent.wanted = k->has_agent;
    hc_reply_init(&reply, q, &none);
    return hc_packet_send(k->socket, &reply, sizeof(reply), -1, hc_packet_now() + REPLY_MS);
}

/* Takes what waits at socket and answers it. -1: nobody asks there any more. */
static int serve_socket(struct keeper *k, int socket)
{
    unsigned char packet[sizeof(struct hc_question) + 1];
    struct hc_question q;
    int fd = -1;
    ssize_t n = hc_packet_receive(socket, packet, sizeof(packet), &fd, hc_packet_now());

    if (n < 0) {
        return errno == ETIMEDOUT ? 0 : -1;
    }
    if (fd >= 0) {
        close(fd); /* nobody has anything to give */
    }
    if (hc_question_parse(packet, (size_t)n, &q) != 0) {
        return 0;
    }
    if (q.op == HC_KEEPER_GO && socket == k->socket) {
        return serve_go(k, &q);
    }
    return serve_one(k, socket, &q);
}

/* Until the master's end is closed. */
static void serve(struct keeper *k)
{
    for (;;) {
        struct pollfd fds[1 + HC_AGENT_RUN_FDS];
        int wait = hc_agent_run_poll(&k->agent, fds + 1);

        fds[0] = (struct pollfd){.fd = k->socket, .events = POLLIN};
        if (poll(fds, 1 + HC_AGENT_RUN_FDS, wait) < 0) {
            if (errno == EINTR) {
                continue;
            }
            return;
        }
        if (fds[0].revents != 0 && serve_socket(k, k->socket) != 0) {
            return;
        }
        if (fds[1 + HC_AGENT_RUN_QUESTIONS].revents != 0 &&
            serve_socket(k, k->agent.questions) != 0) {
            hc_agent_run_deaf(&k->agent);
        }
        hc_agent_run_turn(&k->agent, fds + 1);
    }
}

/* Moves a descriptor out of the way; -1 stays -1. */
static int aside(int fd)
{
    return fd >= 0 ? fcntl(fd, F_DUPFD_CLOEXEC, FD_ASIDE) : -1;
}

/* Puts it where it belongs, or leaves that place closed. */
static void place(int *fd, int where)
{
    if (*fd < 0) {
        (void)close(where);
    } else if (dup3(*fd, where, O_CLOEXEC) < 0) {
        _exit(1);
    } else {
        *fd = where;
    }
}

/* The child: leaves everything of the master's behind but the configuration. */
static void become_keeper(struct keeper *k)
{
    hc_process_reset_signals();
    (void)setsid();
    hc_process_title("hotcert-keeper", "hotcert: keeper");
    if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0) {
        _exit(1);
    }
    place(&k->socket, KEEPER_FD);
    place(&k->agent.table, TABLE_FD);
    place(&k->agent.control, CONTROL_FD);
    place(&k->agent.lines, LINES_FD);
    for (int fd = 0; fd < KEEPER_FD; fd++) {
        if (hc_process_null(fd) != 0) {
            _exit(1);
        }
    }
    for (size_t i = 0; i < k->agent.dns_count; i++) {
        place(&k->agent.dns[i], DNS_FD + (int)i);
    }
    hc_process_close_from(DNS_FD + (int)k->agent.dns_count);
    if (chdir("/") != 0) {
        _exit(1);
    }
    umask(077);
    serve(k);
    hc_agent_run_end(&k->agent);
    _exit(0);
}

/* Copies that the fork does not close (private.h), above all places. */
static int put_aside(struct keeper *k, const struct hc_keeper_agent *agent, int ends[2],
                     struct hc_error *err)
{
    k->socket = aside(ends[1]);
    if (agent != NULL) {
        k->agent.table = aside(agent->table);
        k->agent.control = aside(agent->control);
        k->agent.lines = aside(agent->lines);
    }
    for (size_t i = 0; agent != NULL && i < agent->dns_count && i < HC_DNS_SOCKETS; i++) {
        k->agent.dns[k->agent.dns_count] = aside(agent->dns[i]);
        if (k->agent.dns[k->agent.dns_count] < 0) {
            return hc_error_set_errno(err, HC_P_SYSTEM, NULL, errno, "descriptors");
        }
        k->agent.dns_count++;
    }
    if (k->socket < 0 || (agent != NULL && (k->agent.table < 0 || k->agent.lines < 0 ||
                                            (agent->control >= 0 && k->agent.control < 0)))) {
        return hc_error_set_errno(err, HC_P_SYSTEM, NULL, errno, "descriptors");
    }
    return 0;
}

static void close_copies(const struct keeper *k)
{
    const int copies[] = {k->socket, k->agent.table, k->agent.control, k->agent.lines};

    hc_io_close_all(copies, HC_COUNT(copies));
    for (size_t i = 0; i < k->agent.dns_count; i++) {
        close(k->agent.dns[i]);
    }
}

/* Whose the agent is, and against whom paths are guarded. */
static int find_users(struct keeper *k, const struct hc_rights *worker, struct hc_error *err)
{
    struct hc_rights wanted;

    /* also while the store keeps the agent with the worker user */
    return hc_rights_wanted(k->conf, worker, &wanted, err) != 0 ||
                   hc_rights_of_agent(k->conf, worker, &k->agents, err) != 0 ||
                   hc_guard_init(&k->worker, worker, err) != 0 ||
                   hc_guard_init(&k->guard, worker, err) != 0 ||
                   hc_guard_add(&k->guard, &wanted, err) != 0
               ? -1
               : 0;
}

int hc_keeper_start(const struct hc_conf *conf, const struct hc_rights *rights,
                    const struct hc_keeper_agent *agent, int *client, pid_t *pid,
                    struct hc_error *err)
{
    struct keeper k = {.socket = -1, .conf = conf, .has_agent = agent != NULL};
    struct hc_fork f;
    int ends[2] = {-1, -1};
    pid_t child = -1;
    int rc = -1;

    *client = -1;
    *pid = -1;
    hc_agent_run_init(&k.agent, conf, &k.agents);
    if (find_users(&k, rights, err) != 0) {
        goto out;
    }
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0) {
        hc_error_set_errno(err, HC_P_SYSTEM, NULL, errno, "creating a pair of sockets");
        goto out;
    }
    if (put_aside(&k, agent, ends, err) != 0) {
        goto out;
    }
    child = hc_fork_start(&f);
    if (child == 0) {
        if (agent != NULL && agent->environment != NULL) {
            environ = agent->environment;
        }
        become_keeper(&k);
    }
    hc_fork_done(&f);
    if (child < 0) {
        hc_error_set_errno(err, HC_P_SYSTEM, NULL, errno, "fork");
        goto out;
    }
    *client = ends[0];
    ends[0] = -1;
    *pid = child;
    rc = 0;
out:
    hc_io_close_all(ends, 2);
    close_copies(&k);
    return rc == 0 ? 0 : hc_error_during(err, "starting the keeper");
}
