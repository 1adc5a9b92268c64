/*
 * core/agent/confine.c, confine_calls.c: a process that has confined itself tries what a hole in
 * the agent would try, and what the agent does. Decoys lie in a folder of the test's own.
 */
#include "agent/confine.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "agent/confine_compat.h"
#include "agent/loader.h"
#include "dns/tcp.h"
#include "dns/udp.h"
#include "tap.h"

static char base[] = "/tmp/hotcert-confine.XXXXXX";
static struct hc_conf conf;
static long edition;

static const char *below(const char *name)
{
    static char paths[4][256];
    static unsigned at;
    char *path = paths[at++ % 4];

    (void)snprintf(path, sizeof(paths[0]), "%s/%s", base, name);
    return path;
}

static void put(const char *name)
{
    int fd = open(below(name), O_WRONLY | O_CREAT | O_TRUNC, 0644);

    if (fd < 0 || write(fd, "decoy\n", 6) != 6) {
        printf("Bail out! %s\n", name);
        exit(1);
    }
    close(fd);
}

static int opened(const char *path, int flags)
{
    int fd = open(path, flags | O_CLOEXEC, 0600);
    int errnum = fd < 0 ? errno : 0;

    if (fd >= 0) {
        close(fd);
    }
    return errnum;
}

/* errno of a call that says -1, 0: it worked. */
static int tried(long rc)
{
    return rc < 0 ? errno : 0;
}

static void *thread_main(void *arg)
{
    *(bool *)arg = true;
    return arg;
}

static bool a_thread_runs(void)
{
    pthread_t thread;
    bool ran = false;

    return pthread_create(&thread, NULL, thread_main, &ran) == 0 &&
           pthread_join(thread, NULL) == 0 && ran;
}

static bool a_fork_runs(void)
{
    int status = -1;
    pid_t pid = fork();

    if (pid == 0) {
        _exit(7);
    }
    return waitpid(pid, &status, 0) == pid && WIFEXITED(status) && WEXITSTATUS(status) == 7;
}

static bool names_are_found(void)
{
    struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM};
    struct addrinfo *found = NULL;
    int rc = getaddrinfo("localhost", "443", &hints, &found);

    if (rc == 0) {
        freeaddrinfo(found);
    }
    return rc == 0;
}

static int bound_tcp(void)
{
    struct sockaddr_in any = {.sin_family = AF_INET};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    int errnum = 0;

    any.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    errnum = tried(bind(fd, (const struct sockaddr *)&any, sizeof(any)));
    close(fd);
    return errnum;
}

/* ---- Landlock ---- */

static void the_store_can_be_driven(void)
{
    is_int(opened(below("lib/store/lines/a"), O_RDONLY), 0, "a file of the store is read");
    is_int(opened(below("lib/store/tmp/b"), O_RDWR | O_CREAT | O_TRUNC), 0, "one is written");
    is_int(tried(mkdir(below("lib/store/lines/new"), 0700)), 0, "a folder is made");
    is_int(tried(rename(below("lib/store/tmp/b"), below("lib/store/lines/new/b"))), 0,
           "a file is renamed into another folder");
    is_int(tried(symlink("x", below("lib/store/tmp/link"))), 0, "a link may be there");
    is_int(tried(rename(below("lib/store/tmp/link"), below("lib/store/lines/link"))), 0,
           "and is moved aside");
    is_int(tried(unlink(below("lib/store/lines/new/b"))), 0, "a file is removed");
    is_int(tried(rmdir(below("lib/store/lines/new"))), 0, "and a folder");
    is_int(tried(rename(below("lib/store"), below("lib/store.old"))), 0, "the store is moved away");
    is_int(tried(mkdir(below("lib/store"), 0700)), 0, "and another one made");
    is_int(opened(below("lib/store/x"), O_RDWR | O_CREAT), 0, "which can be written");
}

static void what_it_needs_can_be_read(void)
{
    is_int(opened(below("roots/ca.pem"), O_RDONLY), 0, "the roots that are configured are read");
    ok(tried(rename(below("roots.new"), below("roots/ca.pem"))) != 0, "but nobody brings others");
    is_int(opened("/etc/passwd", O_RDONLY), 0, "the system's configuration is read");
    is_int(opened("/etc/hosts", O_RDONLY), 0, "also that of names");
    is_int(opened("/dev/urandom", O_RDONLY), 0, "and randomness");
    is_int(opened("/dev/null", O_RDWR), 0, "nothing can be written to nothing");
    ok(names_are_found(), "localhost is found");
}

static void nothing_else_can_be_opened(void)
{
    is_int(opened(below("outside"), O_RDONLY), EACCES, "a file outside is not read");
    is_int(opened(below("outside"), O_WRONLY), EACCES, "nor written");
    is_int(opened(below("made"), O_WRONLY | O_CREAT), EACCES, "nor is one made");
    is_int(opened(below("roots/ca.pem"), O_WRONLY), EACCES, "roots are not written");
    is_int(opened(base, O_RDONLY | O_DIRECTORY), EACCES, "a folder outside is not listed");
    is_int(opened("/proc/self/environ", O_RDONLY), EACCES, "nothing of /proc is read");
    is_int(opened(below("lib/store/x"), O_RDONLY), 0, "a file of the store is");
    is_int(tried(link(below("outside"), below("lib/store/theft"))), EXDEV,
           "no file from outside is linked into the store");
    is_int(tried(truncate(below("outside"), 0)), edition >= 3 ? EACCES : 0,
           "a file outside is cut (kernels since 6.2: it is not)");
    is_int(bound_tcp(), edition >= 4 ? EACCES : 0, "no port is taken (since 6.7)");
    is_int(tried(kill(getppid(), 0)), edition >= 6 ? EPERM : 0,
           "no signal is sent to another process (since 6.12)");
}

/* ---- seccomp ---- */

/* In a process of its own: where it may be run, /bin/true takes that one's place and ends with 0.
 */
static int no_program(void)
{
    static char name[] = "true";
    char *argv[] = {name, NULL};
    int status = 0;
    pid_t pid = fork();

    if (pid == 0) {
        _exit(tried(execve("/bin/true", argv, argv + 1)));
    }
    if (pid < 0 || waitpid(pid, &status, 0) != pid || !WIFEXITED(status)) {
        return -1;
    }
    return WEXITSTATUS(status);
}

static void what_it_needs_can_be_called(void)
{
    void *memory = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    ok(memory != MAP_FAILED, "memory is had");
    ok(a_thread_runs(), "a thread runs");
    ok(a_fork_runs(), "a fork runs");
    ok(names_are_found(), "localhost is found");
    is_int(tried(socket(AF_UNIX, SOCK_STREAM, 0)), 0, "a socket of this machine");
    is_int(tried(socket(AF_INET6, SOCK_DGRAM, 0)), 0, "one of the network");
    is_int(opened("/etc/hosts", O_RDONLY), 0, "a file is opened");
}

static void nothing_else_can_be_called(void)
{
    is_int(no_program(), EPERM, "no program is run");
    is_int(tried(ptrace(PTRACE_TRACEME, 0, NULL, NULL)), EPERM, "no process is traced");
    is_int(tried(mount("none", base, "tmpfs", 0, NULL)), EPERM, "nothing is mounted");
    is_int(tried(unshare(CLONE_NEWUSER)), EPERM, "no namespace is made");
    is_int(tried(syscall(SYS_clone, CLONE_NEWUSER | SIGCHLD, 0, 0, 0, 0)), EPERM,
           "nor with a fork");
    is_int(tried(syscall(SYS_clone3, NULL, 0)), ENOSYS, "clone3 is as if it was not there");
    is_int(tried(socket(AF_PACKET, SOCK_RAW, 0)), EAFNOSUPPORT, "no socket for packets");
    is_int(tried(socket(AF_ALG, SOCK_SEQPACKET, 0)), EAFNOSUPPORT, "none of the kernel's crypto");
    is_int(tried(socket(AF_NETLINK, SOCK_RAW, 9)), EPERM, "none of netlink's others");
    is_int(tried(syscall(SYS_bpf, 0, NULL, 0)), EPERM, "no bpf");
    is_int(tried(syscall(SYS_keyctl, 0, 0, 0, 0, 0)), EPERM, "no keyrings");
    is_int(tried(syscall(SYS_io_uring_setup, 1, NULL)), EPERM, "no io_uring");
    is_int(tried(syscall(SYS_process_vm_readv, getppid(), NULL, 0, NULL, 0, 0)), EPERM,
           "no memory of others");
    is_int(tried(syscall(SYS_perf_event_open, NULL, 0, 0, 0, 0)), EPERM, "no counters");
    is_int(tried(syscall(SYS_setuid, 0)), EPERM, "no other user");
    is_int(tried(syscall(1023)), ENOSYS, "what is newer than the list is as if it was not there");
}

/* ---- */

/* Facts of a process that ends with it. */
static void in_a_child(void (*facts)(void))
{
    int ends[2];
    pid_t pid = -1;
    int told[2] = {0, 0};

    (void)fflush(stdout);
    if (pipe(ends) != 0) {
        printf("Bail out! pipe\n");
        exit(1);
    }
    pid = fork();
    if (pid == 0) {
        facts();
        told[0] = tap_run;
        told[1] = tap_failed;
        (void)!write(ends[1], told, sizeof(told));
        _exit(0);
    }
    close(ends[1]);
    if (read(ends[0], told, sizeof(told)) == (ssize_t)sizeof(told)) {
        tap_run = told[0];
        tap_failed = told[1];
    } else {
        ok(false, "the confined process lives to the end");
    }
    close(ends[0]);
    (void)waitpid(pid, NULL, 0);
}

static void files(void)
{
    struct hc_error err;

    hc_error_init(&err);
    if (HC_CONFINE_SANITIZED || edition < 2) {
        is_int(hc_confine_files(&conf, &err), -1, "Landlock is not to be had here");
        is_int(err.problem, HC_P_NOT_CONFINED, "which is said");
        is_int(opened(below("outside"), O_RDONLY), 0, "and nothing has changed");
        return;
    }
    is_int(hc_confine_files(&conf, &err), 0, "it confines itself");
    the_store_can_be_driven();
    what_it_needs_can_be_read();
    nothing_else_can_be_opened();
}

static void calls(void)
{
    struct hc_error err;

    hc_error_init(&err);
    if (HC_CONFINE_SANITIZED || HC_CONFINE_MACHINE == 0) {
        is_int(hc_confine_calls(&err), -1, "there is no list for this machine or build");
        is_int(err.problem, HC_P_NOT_CONFINED, "which is said");
        is_int(no_program(), 0, "and nothing has changed");
        return;
    }
    is_int(hc_confine_calls(&err), 0, "it takes the list on");
    what_it_needs_can_be_called();
    nothing_else_can_be_called();
}

/* ---- the responder ---- */

static bool always(void *self HC_UNUSED)
{
    return true;
}

static void nothing(void *self HC_UNUSED, const char *owner HC_UNUSED,
                    hc_dns_text_found *found HC_UNUSED, void *arg HC_UNUSED)
{
}

static bool never(void *self HC_UNUSED, const char *owner HC_UNUSED)
{
    return false;
}

/* A socket that was bound before, and who asks at it. */
static int bind_dns(int type, int *caller)
{
    struct sockaddr_in place = {.sin_family = AF_INET};
    socklen_t len = sizeof(place);
    int fd = socket(AF_INET, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

    place.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    *caller = socket(AF_INET, type | SOCK_CLOEXEC, 0);
    if (bind(fd, (const struct sockaddr *)&place, len) != 0 ||
        getsockname(fd, (struct sockaddr *)&place, &len) != 0 ||
        (type == SOCK_STREAM && listen(fd, 5) != 0) ||
        connect(*caller, (const struct sockaddr *)&place, len) != 0) {
        printf("Bail out! no sockets\n");
        exit(1);
    }
    return fd;
}

/* With its length, as TCP has it; skip: what of that a datagram goes without. */
static bool is_answered(struct hc_loop *loop, int caller, size_t skip)
{
    static const char question[] = "\0\33\0\1\0\0\0\1\0\0\0\0\0\0\4acme\4test\0\0\20\0\1";
    char answer[600];
    ssize_t n = -1;

    (void)!send(caller, question + skip, sizeof(question) - 1 - skip, MSG_NOSIGNAL);
    for (int i = 0; i < 100 && n < 0; i++) {
        (void)!hc_loop_pass(loop, 10, NULL);
        n = recv(caller, answer, sizeof(answer), MSG_DONTWAIT);
    }
    return n > 40;
}

static void responder(void)
{
    static struct hc_dns_domain domain;
    static const struct hc_dns_texts texts = {NULL, always, nothing, never};
    struct hc_dns_service service = {.domain = &domain, .texts = &texts};
    const struct hc_list nobody = {NULL, 0, 0};
    static struct hc_dns_udp udp;
    static struct hc_dns_tcp tcp;
    struct hc_log log = {NULL, HC_LOG_ERROR, NULL};
    int callers[2];
    int fds[2] = {bind_dns(SOCK_DGRAM, &callers[0]), bind_dns(SOCK_STREAM, &callers[1])};

    ok(hc_loop_new(&hc_clock_system, &service.loop, NULL) == 0 &&
           hc_dns_domain_of_zone("acme.test", &domain, NULL) == 0 &&
           hc_dns_domain_serve(&domain, &nobody, "ns.test", NULL) == 0,
       "a responder");
    hc_confine(&conf, &log);
    ok(hc_dns_udp_open(&udp, &service, fds[0], NULL) == 0 &&
           hc_dns_tcp_open(&tcp, &service, fds[1], NULL) == 0,
       "that is confined waits at the sockets that it was given");
    ok(is_answered(service.loop, callers[0], 2), "and answers over UDP");
    ok(is_answered(service.loop, callers[1], 0), "and over TCP");
    hc_dns_tcp_close(&tcp);
    hc_dns_udp_close(&udp);
    hc_loop_free(service.loop);
}

/* What was loaded came from hostile files as well. */
static void loader(void)
{
    static const unsigned char secret[HC_SECRET_SIZE] = {1};
    bool landlock = !HC_CONFINE_SANITIZED && edition >= 2;
    bool list = !HC_CONFINE_SANITIZED && HC_CONFINE_MACHINE != 0;
    int keeper = open("/dev/null", O_RDWR | O_CLOEXEC);
    struct hc_loader_options options = {.conf = &conf,
                                        .keeper = keeper,
                                        .confine = true,
                                        .secret = secret,
                                        .clock = &hc_clock_system};
    struct hc_error err;

    hc_error_init(&err);
    is_int(hc_load(&options, &err), 0, "the loader loads");
    is_int(opened(below("outside"), O_RDONLY), landlock ? EACCES : 0,
           "and then reads no other file");
    is_int(opened(below("made"), O_WRONLY | O_CREAT), landlock ? EACCES : 0, "makes none");
    is_int(no_program(), list ? EPERM : 0, "and runs no program");
    close(keeper);
}

static unsigned lines;

static void count_line(void *self HC_UNUSED, enum hc_level level HC_UNUSED, const char *text)
{
    lines++;
    printf("# %s\n", text);
}

/* A process without rights cannot take the list on twice; a kernel without Landlock is told of. */
static void what_cannot_be_is_said_once(void)
{
    struct hc_log log = {NULL, HC_LOG_DEBUG, count_line};
    unsigned expected = 0;

    expected += HC_CONFINE_SANITIZED || edition < 2;
    expected += HC_CONFINE_SANITIZED || HC_CONFINE_MACHINE == 0;
    hc_confine(&conf, &log);
    is_int(lines, expected, "a line for each of the two that this system does not have");
}

static int make_tree(void)
{
    static const char *const folders[] = {"lib", "lib/store", "lib/store/lines", "lib/store/tmp",
                                          "roots"};
    static const char *const names[] = {"outside", "roots/ca.pem", "roots.new",
                                        "lib/store/lines/a"};

    if (mkdtemp(base) == NULL) {
        return -1;
    }
    for (size_t i = 0; i < HC_COUNT(folders); i++) {
        if (mkdir(below(folders[i]), 0755) != 0) {
            return -1;
        }
    }
    for (size_t i = 0; i < HC_COUNT(names); i++) {
        put(names[i]);
    }
    return 0;
}

int main(void)
{
    static struct hc_issuer issuer;
    char command[64];

    if (make_tree() != 0) {
        printf("Bail out! %s\n", base);
        return 1;
    }
    edition = syscall(SYS_landlock_create_ruleset, NULL, 0, HC_LANDLOCK_VERSION);
    printf("# Landlock: edition %ld\n", edition);
    conf.store = strdup(below("lib/store"));
    issuer.ca_bundle = strdup(below("roots/ca.pem"));
    conf.issuers = &issuer;
    conf.issuer_count = 1;
    in_a_child(files);
    in_a_child(calls);
    in_a_child(responder);
    in_a_child(loader);
    in_a_child(what_cannot_be_is_said_once);
    (void)snprintf(command, sizeof(command), "rm -rf '%s'", base);
    ok(system(command) == 0, "the test's folder is removed");
    free(conf.store);
    free(issuer.ca_bundle);
    return done();
}
