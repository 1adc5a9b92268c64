/* core/keeper/keeper.c and client.c: the process, its answers, and what it refuses. */
#include "keeper/keeper.h"

#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "keeper/packet.h"
#include "keeper/question.h"
#include "keeper_lib.h"

static char *base;

/* A keeper of these files. */
struct kept {
    struct hc_conf conf;
    struct hc_keeper_client client;
    pid_t pid;
};

static void kept_begin(struct kept *k, const struct hc_rights *rights, const char *const *names,
                       size_t count)
{
    struct hc_error err = {0};

    memset(k, 0, sizeof(*k));
    for (size_t i = 0; i < count; i++) {
        char *path = join(base, names[i]);

        if (hc_list_add(&k->conf.files, path, &err) != 0) {
            fatal("no memory");
        }
        free(path);
    }
    k->conf.secret = join(base, "private/secret");
    if (hc_keeper_start(&k->conf, rights, NULL, &k->client.fd, &k->pid, &err) != 0) {
        fatal("the keeper");
    }
}

/* Its exit code, or 1000 + the signal it died of. */
static int kept_end(struct kept *k)
{
    int status = 0;

    if (k->client.fd >= 0) {
        close(k->client.fd);
    }
    if (waitpid(k->pid, &status, 0) != k->pid) {
        status = -1;
    }
    hc_list_dispose(&k->conf.files);
    free(k->conf.secret);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 1000 + WTERMSIG(status);
}

/* The problem of reading file n; its bytes are compared with want unless that is NULL. */
static enum hc_problem read_kept(struct kept *k, int n, const char *want)
{
    struct hc_buf out = HC_BUF_INIT_SECRET(HC_PAIR_PEM_MAX);
    struct hc_file_stamp stamp = {0};
    struct hc_error err = {0};
    enum hc_problem p = HC_P_NONE;

    if (hc_keeper_read(&k->client, n, &out, &stamp, &err) != 0) {
        p = err.problem;
    } else if (want != NULL && strcmp(hc_buf_text(&out), want) != 0) {
        p = HC_P_COUNT;
    } else if (stamp.size != out.len) {
        p = HC_P_COUNT;
    }
    hc_buf_dispose(&out);
    return p;
}

static const char *const names[] = {"private/key.pem", "private/link", "fifo",  "none",
                                    "theirs/key.pem",  "giant",        "large", "empty"};

static void it_answers_from_the_configuration_only(void)
{
    struct kept k;
    struct hc_file_stamp one = {0};
    struct hc_file_stamp two = {0};
    struct hc_error err = {0};

    kept_begin(&k, &worker_rights, names, HC_COUNT(names));
    alarm(30);
    is_int(read_kept(&k, 0, "the key"), HC_P_NONE, "a file that only root can read");
    is_int(read_kept(&k, 1, "the key"), HC_P_NONE, "by a symlink of root's");
    is_int(read_kept(&k, 2, NULL), HC_P_FILE_UNREADABLE, "a FIFO is not waited for");
    is_int(read_kept(&k, 3, NULL), HC_P_FILE_UNREADABLE, "no file");
    is_int(read_kept(&k, 4, NULL), HC_P_FILE_UNSAFE, "a file that the worker could exchange");
    is_int(read_kept(&k, 5, NULL), HC_P_TOO_LARGE, "more than a mebibyte");
    is_int(read_kept(&k, 6, NULL), HC_P_NONE, "exactly a mebibyte");
    is_int(read_kept(&k, 7, ""), HC_P_NONE, "an empty file");
    is_int(read_kept(&k, 8, NULL), HC_P_PROTOCOL, "a file that the configuration does not name");
    is_int(read_kept(&k, 0, "the key"), HC_P_NONE, "and it goes on");
    ok(hc_keeper_stamp(&k.client, 0, &one, &err) == 0 &&
           hc_keeper_stamp(&k.client, 1, &two, &err) == 0 && memcmp(&one, &two, sizeof(one)) == 0 &&
           one.uid == 0 && (one.mode & 07777) == 0600 && one.size == 7,
       "a stamp says what a file is, by whatever name");
    make_file(base, "private/key.pem", "new key", 7, 0600);
    ok(hc_keeper_stamp(&k.client, 0, &two, &err) == 0 && memcmp(&one, &two, sizeof(one)) != 0,
       "and changes with its content");
    make_file(base, "private/key.pem", "the key", 7, 0600);
    is_int(hc_keeper_stamp(&k.client, 2, &two, &err), -1, "a FIFO has none");
    hc_error_init(&err);
    ok(hc_keeper_stamp(&k.client, 4, &two, &err) == -1 && err.problem == HC_P_FILE_UNSAFE,
       "nor what the worker could exchange");
    alarm(0);
    is_int(kept_end(&k), 0, "it ends when nobody is left to ask");
}

/* What the worker user could exchange is opened as that user would, and as nobody else. */
static void it_reads_as_the_worker_user_where_that_could_exchange(void)
{
    static const char *const some[] = {"theirs/own.pem", "theirs/leads", "theirs/key.pem",
                                       "private/key.pem"};
    struct hc_file_stamp stamp;
    struct hc_error err = {0};
    struct kept k;
    char *own = join(base, "theirs/own.pem");

    make_file(base, "theirs/own.pem", "their own", 9, 0600);
    if (chown(own, WORKER, WORKER) != 0) {
        fatal(own);
    }
    make_link(base, "theirs/leads", "../private/key.pem");
    kept_begin(&k, &worker_rights, some, HC_COUNT(some));
    is_int(read_kept(&k, 0, "their own"), HC_P_NONE, "a file of the worker user's in its folder");
    ok(hc_keeper_stamp(&k.client, 0, &stamp, &err) == 0 && stamp.uid == WORKER, "has a stamp");
    is_int(read_kept(&k, 1, NULL), HC_P_FILE_UNSAFE, "a link to what it may not read");
    is_int(read_kept(&k, 2, NULL), HC_P_FILE_UNSAFE, "a file of root's there");
    is_int(read_kept(&k, 3, "the key"), HC_P_NONE, "after that it is root again");
    is_int(kept_end(&k), 0, "and ends as always");
    free(own);
}

static void without_root_it_reads_with_its_own_rights(void)
{
    static const struct hc_rights none = {false, 0, 0, NULL};
    struct kept k;

    kept_begin(&k, &none, names, HC_COUNT(names));
    is_int(read_kept(&k, 4, "theirs"), HC_P_NONE, "nobody is guarded against");
    is_int(kept_end(&k), 0, "it ends");
}

static void the_secret_is_handed_out(void)
{
    struct kept k;
    struct hc_error err = {0};
    unsigned char first[HC_SECRET_SIZE];
    unsigned char second[HC_SECRET_SIZE];

    kept_begin(&k, &worker_rights, names, 1);
    ok(hc_keeper_secret(&k.client, false, first, &err) == -1 && err.problem == HC_P_SECRET_MISSING,
       "there is none yet");
    hc_error_init(&err);
    is_int(hc_keeper_secret(&k.client, true, first, &err), 0, "one is made");
    ok(hc_keeper_secret(&k.client, false, second, &err) == 0 && memcmp(first, second, 32) == 0,
       "and is the same for ever");
    is_int(kept_end(&k), 0, "it ends");
}

/* Lines of /proc/PID/FILE. */
static void proc_text(pid_t pid, const char *file, char *text, size_t cap)
{
    char path[64];
    int fd = -1;
    ssize_t n = 0;

    (void)snprintf(path, sizeof(path), "/proc/%ld/%s", (long)pid, file);
    fd = open(path, O_RDONLY);
    n = fd >= 0 ? read(fd, text, cap - 1) : 0;
    text[n > 0 ? n : 0] = '\0';
    if (fd >= 0) {
        close(fd);
    }
}

/* What follows a key of /proc/PID/status; "ff" if it is not there. */
static const char *status_of(const char *text, const char *key)
{
    const char *at = strstr(text, key);

    return at != NULL ? at + strlen(key) : "ff";
}

static void it_leaves_the_masters_things_behind(void)
{
    struct kept k;
    char text[4096];
    char command[256];
    struct stat st;
    int pair[2];
    sigset_t hup;

    sigemptyset(&hup);
    sigaddset(&hup, SIGHUP);
    sigprocmask(SIG_BLOCK, &hup, NULL);
    signal(SIGTERM, SIG_IGN);
    if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair) != 0) {
        fatal("socketpair");
    }
    kept_begin(&k, &worker_rights, names, 1);
    is_int(read_kept(&k, 0, "the key"), HC_P_NONE, "it is up");
    /* It answers before it closes what it read: looked at until it has. */
    (void)snprintf(command, sizeof(command),
                   "for i in 1 2 3 4 5 6 7 8 9; do"
                   " test \"$(ls /proc/%ld/fd | tr '\\n' ' ')\" = '0 1 2 3 ' && exit 0;"
                   " sleep 0.1; done; exit 1",
                   (long)k.pid);
    is_int(system(command), 0, "it has its socket and no other descriptor");
    proc_text(k.pid, "status", text, sizeof(text));
    ok(strstr(text, "SigBlk:\t0000000000000000") != NULL, "no signal is blocked");
    /* 32 and 33 are the C library's own; below make they come ignored, and nobody can change that.
     */
    ok((strtoull(status_of(text, "SigIgn:"), NULL, 16) & ~(3ull << 31)) == 0, "or ignored");
    ok(getsid(k.pid) == k.pid, "it is no part of the master's session");
    proc_text(k.pid, "comm", text, sizeof(text));
    is_str(text, "hotcert-keeper\n", "it has a name of its own");
    proc_text(k.pid, "cmdline", text, sizeof(text));
    is_str(text, "hotcert: keeper", "also for ps");
    (void)snprintf(text, sizeof(text), "/proc/%ld/environ", (long)k.pid);
    ok(stat(text, &st) == 0 && st.st_uid == 0, "its memory is root's");
    (void)snprintf(command, sizeof(command),
                   "su -s /bin/sh www-data -c 'cat /proc/%ld/environ' >/dev/null 2>&1",
                   (long)k.pid);
    ok(system(command) != 0, "and the worker user cannot look into it");
    signal(SIGTERM, SIG_DFL);
    sigprocmask(SIG_UNBLOCK, &hup, NULL);
    close(pair[0]);
    close(pair[1]);
    is_int(kept_end(&k), 0, "it ends");
}

static void nonsense_is_ignored(void)
{
    struct kept k;
    struct hc_question q;
    unsigned char junk[4096] = "junk";
    int dead = open("/dev/null", O_RDONLY);

    kept_begin(&k, &worker_rights, names, 1);
    ok(hc_packet_send(k.client.fd, junk, sizeof(junk), -1, -1) == 0 &&
           hc_packet_send(k.client.fd, junk, 1, dead, -1) == 0 &&
           hc_packet_send(k.client.fd, junk, 0, -1, -1) == 0,
       "junk, a descriptor, an empty packet");
    hc_question_init(&q, HC_KEEPER_READ, 1);
    q.file = -1;
    ok(hc_packet_send(k.client.fd, &q, sizeof(q), -1, -1) == 0, "a negative file");
    q.file = 0;
    q.op = 99;
    ok(hc_packet_send(k.client.fd, &q, sizeof(q), -1, -1) == 0, "an unknown question");
    is_int(read_kept(&k, 0, "the key"), HC_P_NONE, "and it answers what is asked properly");
    close(dead);
    is_int(kept_end(&k), 0, "it ends");
}

static void replies_to_the_one_before_are_dropped(void)
{
    struct kept k;
    struct hc_question q;

    kept_begin(&k, &worker_rights, names, 1);
    hc_question_init(&q, HC_KEEPER_READ, 77);
    for (int i = 0; i < 5; i++) {
        if (hc_packet_send(k.client.fd, &q, sizeof(q), -1, -1) != 0) {
            fatal("send");
        }
    }
    is_int(read_kept(&k, 0, "the key"), HC_P_NONE,
           "an asker that follows one that died gets its own answer");
    is_int(kept_end(&k), 0, "it ends");
}

static void a_silent_keeper_is_given_up(void)
{
    struct kept k;
    int64_t begin = hc_packet_now();
    int64_t took = 0;

    kept_begin(&k, &worker_rights, names, 1);
    kill(k.pid, SIGSTOP);
    is_int(read_kept(&k, 0, NULL), HC_P_KEEPER_GONE, "a keeper that does not answer");
    took = hc_packet_now() - begin;
    ok(took >= 4900 && took < 9000, "is waited for five seconds");
    kill(k.pid, SIGCONT);
    is_int(read_kept(&k, 0, "the key"), HC_P_NONE, "when it goes on, so do we");
    kill(k.pid, SIGKILL);
    begin = hc_packet_now();
    is_int(read_kept(&k, 0, NULL), HC_P_KEEPER_GONE, "a dead keeper");
    ok(hc_packet_now() - begin < 2000, "is known at once");
    is_int(kept_end(&k), 1009, "it was killed");
}

/* Content is one letter, thousands of times; a mixture was read while it was written. */
static void bytes_of_two_states_never_mix(void)
{
    static const char *const changing[] = {"private/changing"};
    static char block[60000];
    struct kept k;
    int mixed = 0;
    int whole = 0;
    pid_t writer = 0;

    memset(block, 'a', sizeof(block));
    make_file(base, changing[0], block, sizeof(block), 0600);
    writer = fork();
    if (writer == 0) {
        char *path = join(base, changing[0]);
        int fd = open(path, O_WRONLY);

        for (unsigned i = 0;; i++) {
            memset(block, 'a' + (int)(i % 26), sizeof(block));
            for (size_t at = 0; at < sizeof(block); at += 1000) {
                if (pwrite(fd, block + at, 1000, (off_t)at) != 1000) {
                    _exit(1);
                }
            }
            (void)poll(NULL, 0, 60);
        }
    }
    kept_begin(&k, &worker_rights, changing, 1);
    for (int i = 0; i < 60; i++) {
        struct hc_buf out = HC_BUF_INIT_SECRET(HC_PAIR_PEM_MAX);
        struct hc_error err = {0};

        if (hc_keeper_read(&k.client, 0, &out, NULL, &err) == 0) {
            whole++;
            mixed += out.len != sizeof(block) || memcmp(out.data, out.data + 1, out.len - 1) != 0;
        }
        hc_buf_dispose(&out);
        (void)poll(NULL, 0, 3);
    }
    printf("# %d of 60 readings were whole, %d mixed\n", whole, mixed);
    ok(whole > 0 && mixed == 0, "a file that is written again and again is read whole");
    kill(writer, SIGKILL);
    waitpid(writer, NULL, 0);
    is_int(kept_end(&k), 0, "it ends");
}

int main(void)
{
    static char large[HC_PAIR_PEM_MAX + 1];
    char *fifo = NULL;

    if (skip_unless_root()) {
        return 0;
    }
    base = scratch();
    memset(large, 'x', sizeof(large));
    make_folder(base, "private", 0700, 0, 0);
    make_folder(base, "theirs", 0755, WORKER, WORKER);
    make_file(base, "private/key.pem", "the key", 7, 0600);
    make_file(base, "theirs/key.pem", "theirs", 6, 0600);
    make_file(base, "giant", large, sizeof(large), 0600);
    make_file(base, "large", large, sizeof(large) - 1, 0600);
    make_file(base, "empty", "", 0, 0600);
    make_link(base, "private/link", "key.pem");
    fifo = join(base, "fifo");
    if (mkfifo(fifo, 0600) != 0) {
        fatal(fifo);
    }
    free(fifo);
    it_answers_from_the_configuration_only();
    it_reads_as_the_worker_user_where_that_could_exchange();
    without_root_it_reads_with_its_own_rights();
    the_secret_is_handed_out();
    it_leaves_the_masters_things_behind();
    nonsense_is_ignored();
    replies_to_the_one_before_are_dropped();
    a_silent_keeper_is_given_up();
    bytes_of_two_states_never_mix();
    remove_tree(base);
    free(base);
    return done();
}
