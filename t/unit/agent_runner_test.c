/* core/agent/runner.c, runner_serve.c: commands are run by a process that holds nothing. */
#include "agent/runner.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "agent/runner_wire.h"
#include "tap.h"

static struct hc_loop *loop;
static struct hc_runner *runner;
static struct hc_runner_process process;
static unsigned gone;

/* What came of a command. */
struct outcome {
    bool ended;
    enum hc_child_end end;
    int code;
    bool cut;
    char output[4096];
    size_t len;
    char errors[4096];
    bool errors_cut;
};

static void on_done(void *self, const struct hc_child_result *result)
{
    struct outcome *o = self;
    size_t len =
        result->output.len < sizeof(o->output) - 1 ? result->output.len : sizeof(o->output) - 1;

    o->ended = true;
    o->end = result->end;
    o->code = result->code;
    o->cut = result->cut;
    o->len = result->output.len;
    if (len > 0) {
        memcpy(o->output, result->output.data, len);
    }
    o->output[len] = '\0';
    (void)snprintf(o->errors, sizeof(o->errors), "%.*s", (int)result->errors.len,
                   (const char *)result->errors.data);
    o->errors_cut = result->errors_cut;
}

static void on_gone(void *self HC_UNUSED)
{
    gone++;
}

static void begin(void)
{
    struct hc_error err;

    hc_error_init(&err);
    gone = 0;
    if (hc_runner_start(&process, &err) != 0 || hc_loop_new(&hc_clock_system, &loop, &err) != 0 ||
        hc_runner_new(loop, process.socket, on_gone, NULL, &runner, &err) != 0) {
        printf("Bail out! the runner\n");
        exit(1);
    }
}

static void end(void)
{
    hc_runner_free(runner);
    hc_runner_end(&process);
    hc_loop_free(loop);
}

/* Passes until all have ended, for a minute at most. */
static bool wait_for(const struct outcome *outcomes, size_t count)
{
    int64_t deadline = hc_now_ms(&hc_clock_system) + 60000;

    for (;;) {
        size_t ended = 0;

        for (size_t i = 0; i < count; i++) {
            ended += outcomes[i].ended;
        }
        if (ended == count || hc_now_ms(&hc_clock_system) > deadline) {
            return ended == count;
        }
        if (hc_loop_pass(loop, 1000, NULL) != 0) {
            return false;
        }
    }
}

static int ask(const char *script, int64_t limit_ms, size_t output_max, struct outcome *o)
{
    const char *argv[] = {"/bin/sh", "-c", script, NULL};
    static const char *const envp[] = {"PATH=/usr/bin:/bin", "NAME=value of it", NULL};
    struct hc_program_run command = {argv, envp, output_max, limit_ms};
    struct hc_error err;

    hc_error_init(&err);
    memset(o, 0, sizeof(*o));
    return hc_runner_run(runner, &command, on_done, o, &err);
}

static void a_command_runs_with_what_it_is_given(void)
{
    struct outcome o;

    ok(ask("echo \"$NAME\"; echo more >&2; exit 3", 20000, 1000, &o) == 0 && wait_for(&o, 1),
       "a command runs");
    is_int(o.end, HC_CHILD_EXITED, "to its end");
    is_int(o.code, 3, "its exit code comes back");
    is_str(o.output, "value of it\n", "and what it wrote");
    is_str(o.errors, "more\n", "apart from what it complained of");
    ok(ask("env | sort", 20000, 1000, &o) == 0 && wait_for(&o, 1), "its environment");
    ok(strstr(o.output, "HOME=") == NULL && strstr(o.output, "NAME=value of it") != NULL,
       "is what it was given");
    ok(ask("kill -9 $$", 20000, 1000, &o) == 0 && wait_for(&o, 1) && o.end == HC_CHILD_KILLED &&
           o.code == 9,
       "a signal that ended it is told");
}

static void it_holds_nothing(void)
{
    struct outcome o;
    int secret = open("/dev/zero", O_RDONLY); /* without close-on-exec, as if forgotten */

    end();
    begin();
    ok(ask("ls /proc/self/fd | wc -l; ls /proc/$PPID/fd | wc -l; grep NoNewPrivs /proc/self/status;"
           "grep ^Seccomp: /proc/self/status",
           20000, 1000, &o) == 0 &&
           wait_for(&o, 1),
       "a command looks around");
    ok(strncmp(o.output, "4\n", 2) == 0, "it has its three descriptors (and the one of ls)");
    ok(strstr(o.output, "NoNewPrivs:\t1\n") != NULL, "it may gain no rights");
    ok(strstr(o.output, "Seccomp:\t0\n") != NULL, "no list of calls binds it");
    printf("# %s\n", o.output);
    close(secret);
}

static void limits_hold(void)
{
    struct outcome o;
    char path[] = "/tmp/hotcert-runner.XXXXXX";
    char script[128];
    int fd = mkstemp(path);

    (void)snprintf(script, sizeof(script), "(sleep 300; echo late) & echo $! >%s; sleep 300", path);
    ok(ask(script, 500, 1000, &o) == 0 && wait_for(&o, 1) && o.end == HC_CHILD_TIMED_OUT,
       "what takes too long is killed");
    {
        char text[32] = "";
        long grandchild = 0;
        int tries = 0;

        (void)!read(fd, text, sizeof(text) - 1);
        grandchild = strtol(text, NULL, 10);
        while (grandchild > 0 && kill((pid_t)grandchild, 0) == 0 && tries++ < 1000) {
            (void)usleep(10000);
        }
        ok(grandchild > 0 && tries < 1000, "with what it has started");
    }
    (void)unlink(path);
    close(fd);
    ok(ask("yes | head -c 100000", 20000, 500, &o) == 0 && wait_for(&o, 1), "one that says a lot");
    ok(o.len == 500 && o.cut && !o.errors_cut && o.end == HC_CHILD_EXITED,
       "is cut, and told to be");
    ok(ask("echo fine; yes | head -c 100000 >&2", 20000, 500, &o) == 0 && wait_for(&o, 1) &&
           strlen(o.errors) == 500 && o.errors_cut && !o.cut,
       "so is one that complains a lot");
    ok(ask("yes | head -c 100000 >&2; yes | head -c 100000", 20000, (size_t)1 << 20, &o) == 0 &&
           wait_for(&o, 1) && o.len == HC_RUNNER_OUTPUT_MAX && o.cut && o.errors_cut,
       "the most of both comes back in one packet");
}

static void several_run_side_by_side(void)
{
    static struct outcome o[HC_RUNNER_MOST + 1];
    unsigned asked = 0;

    for (size_t i = 0; i < HC_RUNNER_MOST; i++) {
        asked += ask("sleep 1", 30000, 10, &o[i]) == 0;
    }
    is_int(asked, HC_RUNNER_MOST, "as many as there are places");
    is_int(ask("true", 30000, 10, &o[HC_RUNNER_MOST]), -1, "one more is refused");
    {
        int64_t began = hc_now_ms(&hc_clock_system);

        ok(wait_for(o, HC_RUNNER_MOST), "all end");
        ok(hc_now_ms(&hc_clock_system) - began < 1000 * (HC_RUNNER_MOST - 2),
           "not one after the other");
    }
    ok(ask("true", 30000, 10, &o[0]) == 0 && wait_for(o, 1) && o[0].code == 0,
       "then one more runs");
}

static void what_cannot_be_started_is_told(void)
{
    const char *nowhere[] = {"/nonexistent/program", NULL};
    const char *relative[] = {"sh", NULL};
    static const char *const none[] = {NULL};
    struct hc_program_run command = {nowhere, none, 100, 1000};
    struct hc_error err;
    struct outcome o = {0};

    hc_error_init(&err);
    ok(hc_runner_run(runner, &command, on_done, &o, &err) == 0 && wait_for(&o, 1),
       "it is asked for");
    ok(o.end == HC_CHILD_NOT_STARTED && o.code == ENOENT, "and told that there is none");
    command.argv = relative;
    memset(&o, 0, sizeof(o));
    ok(hc_runner_run(runner, &command, on_done, &o, &err) == 0 && wait_for(&o, 1) &&
           o.end == HC_CHILD_NOT_STARTED && o.code == EINVAL,
       "a program without a path is none");
}

static void one_that_is_forgotten_tells_nobody(void)
{
    struct outcome o;
    struct outcome later;

    ok(ask("true", 20000, 10, &o) == 0, "it is asked for");
    hc_runner_forget(runner, &o);
    ok(ask("sleep .2", 20000, 10, &later) == 0 && wait_for(&later, 1) && !o.ended,
       "nobody hears of it");
}

static void a_dead_runner_fails_what_runs(void)
{
    struct outcome o;

    ok(ask("sleep 300", 20000, 10, &o) == 0, "a command runs");
    kill(process.pid, SIGKILL);
    ok(wait_for(&o, 1) && o.end == HC_CHILD_NOT_STARTED && o.code == EPIPE, "it fails");
    is_int(gone, 1, "the death is told once");
    is_int(ask("true", 20000, 10, &o), -1, "and nothing more is taken");
    end();
    begin();
}

static void what_runs_ends_with_the_agent(void)
{
    char path[] = "/tmp/hotcert-runner.XXXXXX";
    char script[128];
    char text[32] = "";
    struct outcome o;
    long pid = 0;
    int tries = 0;
    int fd = mkstemp(path);

    (void)snprintf(script, sizeof(script), "echo $$ >%s; sleep 300", path);
    ok(ask(script, 600000, 10, &o) == 0, "a command runs");
    while (pread(fd, text, sizeof(text) - 1, 0) < 2 && tries++ < 3000) {
        (void)usleep(10000);
    }
    pid = strtol(text, NULL, 10);
    end();
    tries = 0;
    while (pid > 0 && kill((pid_t)pid, 0) == 0 && tries++ < 1000) {
        (void)usleep(10000);
    }
    ok(pid > 0 && tries < 1000, "it is killed when nobody is left to hear of it");
    (void)unlink(path);
    close(fd);
    begin();
}

/* Whoever took the agent over gets no further than commands. */
static void nonsense_is_passed_over(void)
{
    unsigned char packet[256];
    struct outcome o;
    unsigned seed = 5;

    for (int i = 0; i < 2000; i++) {
        struct hc_runner_request q = {.magic = HC_RUNNER_MAGIC, .id = 4000000000u, .limit_ms = 1};
        size_t len = 0;

        for (size_t b = 0; b < sizeof(packet); b++) {
            seed = seed * 1103515245 + 12345;
            packet[b] = (unsigned char)(seed >> 16);
        }
        len = 1 + (seed >> 8) % (sizeof(packet) - 1); /* nothing at all is an end */
        q.argc = packet[0] % 4;
        q.envc = packet[1] % 4;
        q.size = len > sizeof(q) && packet[2] % 4 != 0 ? (uint32_t)(len - sizeof(q)) : packet[3];
        if (packet[4] % 2 == 0) {
            memcpy(packet, &q, sizeof(q));
        }
        (void)!send(process.socket, packet, len, MSG_NOSIGNAL);
        if (hc_loop_pass(loop, 0, NULL) != 0) {
            break;
        }
    }
    memset(&o, 0, sizeof(o));
    /* some of it may run, and be in the way for a moment */
    for (int i = 0; i < 10000 && gone == 0 && o.code != 5; i++) {
        if (ask("exit 5", 20000, 10, &o) != 0 || !wait_for(&o, 1)) {
            (void)!hc_loop_pass(loop, 10, NULL);
        }
    }
    is_int(o.code, 5, "the runner goes on");
    is_int(gone, 0, "and lives");
}

int main(void)
{
    begin();
    a_command_runs_with_what_it_is_given();
    it_holds_nothing();
    limits_hold();
    several_run_side_by_side();
    what_cannot_be_started_is_told();
    one_that_is_forgotten_tells_nobody();
    a_dead_runner_fails_what_runs();
    what_runs_ends_with_the_agent();
    nonsense_is_passed_over();
    end();
    return done();
}
