/* core/keeper/spawn.c: this program is its own `hotcert`: exec'd as agent or loader it reports. */
#include "conf/build.h"
#include "keeper/spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tap.h"

extern char **environ;

static const struct hc_rights www_data = {true, 33, 33, "www-data"};
static const struct hc_loader_fds nothing = {-1, -1, -1};
static char folder[64];
static char program[128];

/* The lines that a program said, one after the other. */
struct heard {
    char text[8192];
    int errors;
    int warnings;
};

static void hear(void *self, enum hc_level level, const char *text)
{
    struct heard *h = self;

    h->errors += level == HC_LOG_ERROR;
    h->warnings += level == HC_LOG_WARN;
    (void)snprintf(h->text + strlen(h->text), sizeof(h->text) - strlen(h->text), "%s\n", text);
}

/* ---- the program's side ---- */

static void say(char kind, const char *text)
{
    char packet[1024];
    int n = snprintf(packet, sizeof(packet), "%c%s", kind, text);

    if (send(HC_FD_SUPERVISE, packet, (size_t)n, MSG_NOSIGNAL) < 0) {
        _exit(90);
    }
}

static void say_descriptors(void)
{
    char text[256] = "fds";

    for (int fd = 0; fd < 64; fd++) {
        if (fcntl(fd, F_GETFD) >= 0) {
            (void)snprintf(text + strlen(text), sizeof(text) - strlen(text), " %d", fd);
        }
    }
    say('2', text);
}

static void say_rights(void)
{
    char text[256];
    gid_t groups[64];
    struct rlimit core;
    struct sigaction hup;
    sigset_t mask;
    int blocked = 0;

    getrlimit(RLIMIT_CORE, &core);
    sigaction(SIGHUP, NULL, &hup);
    sigprocmask(SIG_SETMASK, NULL, &mask);
    for (int signo = 1; signo < NSIG; signo++) {
        blocked += sigismember(&mask, signo) == 1;
    }
    (void)snprintf(text, sizeof(text),
                   "uid %d gid %d groups %d setuid %d no_new_privs %d core %d hup %s blocked %d",
                   (int)getuid(), (int)getgid(), getgroups(64, groups), setuid(0),
                   prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0), (int)core.rlim_max,
                   hup.sa_handler == SIG_DFL ? "default" : "other", blocked);
    say('2', text);
}

static void say_environment(void)
{
    for (char **e = environ; *e != NULL; e++) {
        if (strncmp(*e, "PATH=", 5) != 0 && strstr(*e, "SAN_OPTIONS=") == NULL) {
            say('3', *e);
        }
    }
}

static char *read_store_word(void)
{
    static char text[65536];
    ssize_t n = pread(HC_FD_CONF, text, sizeof(text) - 1, 0);
    struct hc_error err = {0};
    struct hc_conf *conf = hc_conf_decode(text, n > 0 ? (size_t)n : 0, &err);
    char *word = conf != NULL ? strdup(strrchr(conf->store, '/') + 1) : strdup("undecodable");

    hc_conf_free(conf);
    return word;
}

static int be_agent(void)
{
    char byte = 0;
    ssize_t n = 0;

    say_descriptors();
    say_rights();
    say_environment();
    say('0', "an \x1b[31merror");
    if (send(HC_FD_SUPERVISE, "", 0, MSG_NOSIGNAL) < 0) { /* no end-of-file */
        return 91;
    }
    say('2', "last");
    n = recv(HC_FD_SUPERVISE, &byte, 1, 0); /* until the supervisor is gone */
    return n == 0 ? 7 : 92;
}

static int be_loader(void)
{
    char *word = read_store_word();
    struct hc_error err = {0};
    int code = 0;

    if (strcmp(word, "mute") == 0) {
        free(word);
        return 0;
    }
    hc_loader_began(HC_FD_SUPERVISE);
    say('1', word);
    if (strcmp(word, "refuse") == 0) {
        hc_error_set(&err, HC_P_KEY_MISMATCH, "/etc/a\nb.pem", "line %d\\", 7);
        hc_loader_refuse(HC_FD_SUPERVISE, &err);
        code = HC_LOADER_REFUSE;
    } else if (strcmp(word, "grumble") == 0) {
        say('0', "first");
        say('0', "the store is upside down");
        code = HC_LOADER_REFUSE;
    } else if (strcmp(word, "crash") == 0) {
        (void)raise(SIGKILL);
    } else if (strcmp(word, "stumble") == 0) {
        code = 5;
    }
    free(word);
    return code;
}

/* ---- the server's side ---- */

static struct hc_conf *new_conf(const char *word)
{
    struct hc_error err = {0};
    struct hc_conf *conf = hc_conf_new(HC_SERVER_NGINX, &err);

    if (conf == NULL) {
        exit(99);
    }
    free(conf->agent);
    free(conf->store);
    conf->agent = strdup(program);
    if (asprintf(&conf->store, "%s/%s", folder, word) < 0) {
        exit(99);
    }
    if (hc_conf_finish(conf, &err) != 0) {
        exit(98);
    }
    return conf;
}

static void drain_until(int supervise, const struct hc_log *log, const struct heard *h,
                        const char *word)
{
    for (int i = 0; i < 400 && strstr(h->text, word) == NULL; i++) {
        struct pollfd p = {.fd = supervise, .events = POLLIN};

        (void)poll(&p, 1, 50);
        if (hc_agent_drain(supervise, log) == 0) {
            return;
        }
    }
}

static void the_agent_has_its_descriptors_and_no_rights(void)
{
    struct heard h = {.text = ""};
    struct hc_log log = {&h, HC_LOG_DEBUG, hear};
    struct hc_conf *conf = new_conf("agent");
    struct hc_error err = {0};
    int pair[2];
    const int dns[] = {STDERR_FILENO, STDERR_FILENO, STDERR_FILENO};
    int supervise = -1;
    pid_t pid = -1;
    int status = 0;

    setenv("SSL_CERT_FILE", "/x/roots.pem", 1);
    setenv("LD_PRELOAD_NOT", "1", 1);
    setenv("SECRET_OF_THE_SHELL", "1", 1);
    signal(SIGHUP, SIG_IGN);
    ok(socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0,
       "two descriptors that the agent must not have");
    is_int(hc_agent_start(conf, &www_data, &(struct hc_agent_fds){pair[0], pair[1], -1, -1, dns, 3},
                          &supervise, &pid, &err),
           0, "the agent starts");
    drain_until(supervise, &log, &h, "last");
    ok(strstr(h.text, "fds 0 1 2 3 4 5 6 8 9 10\n") != NULL,
       "it has 0 to 6, three of the responder's and no other descriptor");
    ok(strstr(h.text,
              "uid 33 gid 33 groups 1 setuid -1 no_new_privs 1 core 0 hup default blocked 0") !=
           NULL,
       "its rights are the worker user's, for good");
    ok(strstr(h.text, "SSL_CERT_FILE=/x/roots.pem") != NULL, "it is told of other root files");
    ok(strstr(h.text, "TZ=UTC") != NULL && strstr(h.text, "LANG=C") != NULL,
       "zone and locale are fixed");
    ok(strstr(h.text, "SHELL") == NULL && strstr(h.text, "LD_PRELOAD") == NULL,
       "nothing else of the environment comes through");
    ok(strstr(h.text, "an ?[31merror") != NULL && h.errors == 1,
       "control characters are taken out");
    printf("# %s\n", h.text);
    is_int(hc_agent_drain(supervise, &log), 1, "an empty packet is not the end");
    close(supervise);
    ok(waitpid(pid, &status, 0) == pid && WIFEXITED(status) && WEXITSTATUS(status) == 7,
       "it sees the end of its supervisor");
    signal(SIGHUP, SIG_DFL);
    close(pair[0]);
    close(pair[1]);
    hc_conf_free(conf);
}

static void a_dead_agent_is_an_end_of_file(void)
{
    struct heard h = {.text = ""};
    struct hc_log log = {&h, HC_LOG_DEBUG, hear};
    struct hc_conf *conf = new_conf("agent");
    struct hc_error err = {0};
    int supervise = -1;
    pid_t pid = -1;
    int rc = 1;

    is_int(hc_agent_start(conf, &www_data, &(struct hc_agent_fds){-1, -1, -1, -1, NULL, 0},
                          &supervise, &pid, &err),
           0, "the agent starts without keeper, table and control");
    drain_until(supervise, &log, &h, "last");
    ok(strstr(h.text, "fds 0 1 2 3 6\n") != NULL, "what is not given stays closed");
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
    for (int i = 0; i < 20 && rc == 1; i++) {
        rc = hc_agent_drain(supervise, &log);
    }
    is_int(rc, 0, "the end is seen");
    close(supervise);
    hc_conf_free(conf);
}

static void an_unexecutable_program_is_named(void)
{
    struct hc_conf *conf = new_conf("x");
    struct hc_error err = {0};
    char line[2048];
    int supervise = -1;
    pid_t pid = -1;

    free(conf->agent);
    conf->agent = strdup("/nonexistent/hotcert");
    is_int(hc_agent_start(conf, &www_data, &(struct hc_agent_fds){-1, -1, -1, -1, NULL, 0},
                          &supervise, &pid, &err),
           -1, "a missing program is an error");
    ok(err.problem == HC_P_PROGRAM && pid == -1 && supervise == -1, "of the right kind");
    ok(strstr(hc_error_format(&err, line, sizeof(line)), "/nonexistent/hotcert") != NULL &&
           strstr(line, "No such file") != NULL,
       "that names path and reason");
    ok(waitpid(-1, NULL, WNOHANG) < 0 && errno == ECHILD, "no process is left to reap");
    hc_error_init(&err);
    is_int(hc_loader_run(conf, &www_data, &nothing, NULL, &err), -1, "also for the loader");
    ok(err.problem == HC_P_PROGRAM, "of the same kind");
    hc_conf_free(conf);
}

/* No descriptor above 15 is to be had: nothing can be put aside. 8 is something of the server's. */
static void what_cannot_be_arranged_is_told_to_nobody_else(void)
{
    struct hc_conf *conf = new_conf("x");
    struct hc_error err = {0};
    struct rlimit before;
    struct rlimit low;
    char line[2048];
    char byte = 0;
    int servers[2];
    int supervise = -1;
    pid_t pid = -1;

    if (pipe(servers) != 0 || dup2(servers[1], 8) != 8 ||
        fcntl(servers[0], F_SETFL, O_NONBLOCK) != 0 || getrlimit(RLIMIT_NOFILE, &before) != 0) {
        exit(97);
    }
    low = before;
    low.rlim_cur = 16;
    (void)setrlimit(RLIMIT_NOFILE, &low);
    is_int(hc_agent_start(conf, &www_data, &(struct hc_agent_fds){-1, -1, -1, -1, NULL, 0},
                          &supervise, &pid, &err),
           -1, "without descriptors no agent is started");
    (void)setrlimit(RLIMIT_NOFILE, &before);
    ok(err.problem == HC_P_PROGRAM &&
           strstr(hc_error_format(&err, line, sizeof(line)), "arranging descriptors") != NULL,
       "that is told");
    ok(read(servers[0], &byte, 1) == -1 && errno == EAGAIN,
       "and not to what the server has open in that place");
    close(8);
    close(servers[0]);
    close(servers[1]);
    hc_conf_free(conf);
}

static int handled;

static void reap_all(int signo)
{
    (void)signo;
    while (waitpid(-1, NULL, WNOHANG) > 0) {
        handled++;
    }
}

static int load(const char *word, int table, struct heard *h, struct hc_error *err)
{
    struct hc_log log = {h, HC_LOG_DEBUG, hear};
    struct hc_conf *conf = new_conf(word);
    int rc = hc_loader_run(conf, &www_data, &(struct hc_loader_fds){-1, table, -1}, &log, err);

    hc_conf_free(conf);
    return rc;
}

static void the_loader_decides(void)
{
    struct heard h = {.text = ""};
    struct hc_error err = {0};

    signal(SIGCHLD, reap_all); /* as nginx has it */
    is_int(load("good", 0, &h, &err), 0, "code 0: the start goes on");
    is_str(h.text, "good\n", "its lines are in the log, and it read the configuration");
    is_int(load("refuse", 0, &h, &err), -1, "code 2: the start is refused");
    ok(err.problem == HC_P_KEY_MISMATCH, "for the reason that it gave");
    is_str(err.subject, "/etc/a\nb.pem", "with its subject");
    is_str(err.detail, "line 7\\", "and its detail, byte by byte");
    hc_error_init(&err);
    is_int(load("grumble", 0, &h, &err), -1, "a reason may also be the last error line");
    ok(err.problem == HC_P_LOADER_REFUSED, "then the problem is the loader's refusal");
    is_str(err.detail, "the store is upside down", "in its words");
    is_int(handled, 0, "the server's own handler reaps none of it");
    signal(SIGCHLD, SIG_IGN);
    hc_error_init(&err);
    is_int(load("refuse", 0, &h, &err), -1, "an ignored SIGCHLD hides no verdict");
    signal(SIGCHLD, SIG_DFL);
}

static void what_does_not_say_that_it_runs_is_no_program(void)
{
    struct heard h = {.text = ""};
    struct hc_error err = {0};
    struct hc_conf *conf = new_conf("x");
    char line[2048];

    is_int(load("mute", 0, &h, &err), -1, "code 0 without a word: the start is refused");
    ok(err.problem == HC_P_PROGRAM &&
           strstr(hc_error_format(&err, line, sizeof(line)), "(code 0)") != NULL,
       "the program is named, and how it ended");
    free(conf->agent);
    conf->agent = strdup("/bin/false");
    hc_error_init(&err);
    is_int(hc_loader_run(conf, &www_data, &nothing, NULL, &err), -1, "so is a configuration test");
    ok(err.problem == HC_P_PROGRAM && strstr(err.subject, "/bin/false") != NULL, "by its name");
    hc_conf_free(conf);
}

static void a_broken_loader_stops_no_start(void)
{
    struct heard h = {.text = ""};
    struct hc_error err = {0};

    is_int(load("crash", 0, &h, &err), 0, "killed: the start goes on");
    ok(h.errors == 1 && strstr(h.text, "signal 9") != NULL, "with an error in the log");
    memset(&h, 0, sizeof(h));
    is_int(load("stumble", 0, &h, &err), 0, "another code: the start goes on");
    ok(h.errors == 1 && strstr(h.text, "code 5") != NULL, "with an error in the log");
    memset(&h, 0, sizeof(h));
    is_int(load("stumble", -1, &h, &err), 0, "a configuration test passes");
    ok(h.errors == 0 && h.warnings == 2, "with a warning");
}

static void a_program_that_the_worker_can_read_is_told(void)
{
    struct heard h = {.text = ""};
    struct hc_error err = {0};

    is_int(load("good", 0, &h, &err), 0, "root's, 0711");
    ok(strstr(h.text, "program-readable") == NULL, "nothing to say");
    ok(chmod(program, 0755) == 0, "readable");
    is_int(load("good", 0, &h, &err), 0, "the start goes on");
    ok(strstr(h.text, "program-readable") != NULL, "with a warning");
    ok(chmod(program, 0711) == 0 && chown(program, 33, 0) == 0, "the worker's own");
    memset(&h, 0, sizeof(h));
    is_int(load("good", 0, &h, &err), 0, "no better");
    ok(strstr(h.text, "program-readable") != NULL, "is told too");
    ok(chown(program, 0, 0) == 0, "as it was");
}

static void the_wait_grows_and_starts_anew(void)
{
    static const int64_t want[] = {1, 2, 4, 8, 16, 32, 60, 60, 60};
    unsigned failures = 0;
    bool good = true;

    for (size_t i = 0; i < HC_COUNT(want); i++) {
        good = good && hc_agent_backoff(&failures, 3) == want[i];
    }
    ok(good, "1, 2, 4 .. 60 seconds");
    is_int(hc_agent_backoff(&failures, 600), 1, "ten minutes of life start anew");
    is_int(hc_agent_backoff(&failures, 0), 2, "and it grows again");
}

static void without_root_nothing_is_dropped(void)
{
    static const struct hc_rights none = {false, 0, 0, NULL};
    pid_t pid = fork();
    int status = 0;

    if (pid == 0) {
        struct heard h = {.text = ""};
        struct hc_error err = {0};
        struct hc_log log = {&h, HC_LOG_DEBUG, hear};
        struct hc_loader_fds fds = {.keeper = -1, .table = 0, .prior = -1};
        struct hc_conf *conf = new_conf("good");
        int bad = setgid(33) != 0 || setuid(33) != 0;

        bad = bad || hc_loader_run(conf, &none, &fds, &log, &err) != 0;
        /* nginx's helper is the worker user already and is told to drop all the same */
        bad = bad || hc_loader_run(conf, &www_data, &fds, &log, &err) != 0;
        bad = bad || strcmp(h.text, "good\ngood\n") != 0;
        hc_conf_free(conf);
        _exit(bad);
    }
    ok(waitpid(pid, &status, 0) == pid && status == 0,
       "an unprivileged caller starts it as itself");
}

static int copy_self(void)
{
    char command[512];

    (void)snprintf(folder, sizeof(folder), "/tmp/hotcert-spawn.%ld", (long)getpid());
    (void)snprintf(program, sizeof(program), "%s/hotcert", folder);
    if (mkdir(folder, 0755) != 0 || chmod(folder, 0755) != 0) {
        return -1;
    }
    (void)snprintf(command, sizeof(command), "cp /proc/%ld/exe %s && chmod 711 %s", (long)getpid(),
                   program, program);
    return system(command);
}

int main(int argc, char **argv)
{
    if (argc == 2 && strcmp(argv[1], "agent") == 0) {
        return be_agent();
    }
    if (argc == 2 && strcmp(argv[1], "load") == 0) {
        return be_loader();
    }
    if (getuid() != 0) {
        printf("1..0 # SKIP must be run as root\n");
        return 0;
    }
    if (copy_self() != 0) {
        return 1;
    }
    the_agent_has_its_descriptors_and_no_rights();
    a_dead_agent_is_an_end_of_file();
    an_unexecutable_program_is_named();
    what_cannot_be_arranged_is_told_to_nobody_else();
    the_loader_decides();
    what_does_not_say_that_it_runs_is_no_program();
    a_broken_loader_stops_no_start();
    a_program_that_the_worker_can_read_is_told();
    the_wait_grows_and_starts_anew();
    without_root_nothing_is_dropped();
    unlink(program);
    rmdir(folder);
    return done();
}
