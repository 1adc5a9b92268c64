/* Children of a loop: real processes. */
#include "loop/child.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tap.h"

#define PATIENCE_MS 20000 /* on a loaded machine */

static struct hc_loop *loop;

struct run {
    struct hc_child child;
    bool ended;
    enum hc_child_end end;
    int code;
    bool cut;
    char output[9000];
    size_t output_len;
    int64_t took_ms;
    struct hc_error said;
};

static void on_done(void *self, const struct hc_child_result *result)
{
    struct run *run = self;

    run->ended = true;
    run->end = result->end;
    run->code = result->code;
    run->cut = result->cut;
    run->output_len = result->output.len;
    if (result->output.len > 0 && result->output.len < sizeof(run->output)) {
        memcpy(run->output, result->output.data, result->output.len);
    }
    hc_error_init(&run->said);
    (void)!hc_child_check(result, HC_P_SYSTEM, "the hook", &run->said);
}

static bool start(struct run *run, const struct hc_child_options *options)
{
    memset(run, 0, sizeof(*run));
    return hc_child_start(loop, &run->child, options, on_done, run, NULL) == 0;
}

static bool wait_for(struct run *run)
{
    int64_t began = hc_now_ms(&hc_clock_system);

    while (!run->ended && hc_now_ms(&hc_clock_system) - began < PATIENCE_MS) {
        (void)!hc_loop_pass(loop, 50, NULL);
    }
    run->took_ms = hc_now_ms(&hc_clock_system) - began;
    return run->ended;
}

/* Runs a shell command whole. */
static bool shell(struct run *run, const char *command, const char *input, int64_t limit_ms)
{
    const char *const argv[] = {"/bin/sh", "-c", command, NULL};
    const char *const envp[] = {"PATH=/usr/bin:/bin", "WORD=from the environment", NULL};
    struct hc_child_options options = {
        .name = "hook",
        .argv = argv,
        .envp = envp,
        .input = {(const unsigned char *)input, strlen(input)},
        .output_max = 8192,
        .limit_ms = limit_ms,
    };

    return start(run, &options) && wait_for(run);
}

static void a_program_runs_and_is_told_of(void)
{
    static struct run run;

    ok(shell(&run, "cat; echo $WORD; echo error >&2; exit 3", "input\n", PATIENCE_MS), "it ends");
    ok(run.end == HC_CHILD_EXITED && run.code == 3, "with its status");
    is_str(run.output, "input\nfrom the environment\nerror\n",
           "input, environment and both outputs are its own");
    is_str(run.said.detail, "it exited with code 3", "in words");
    ok(shell(&run, "cat", "", PATIENCE_MS) && run.code == 0 && run.output_len == 0,
       "no input is an empty one");
    ok(!hc_error_is_set(&run.said), "0 is no error");
    ok(shell(&run, "kill -TERM $$", "", PATIENCE_MS) && run.end == HC_CHILD_KILLED &&
           run.code == SIGTERM,
       "a signal is told");
    ok(!run.child.running, "the child is free then");
}

static void on_apart(void *self, const struct hc_child_result *result)
{
    char *text = self;

    (void)snprintf(text, 200, "[%.*s] [%.*s] %d %d", (int)result->output.len,
                   (const char *)result->output.data, (int)result->errors.len,
                   (const char *)result->errors.data, result->cut, result->errors_cut);
}

static void both_outputs_may_come_apart(void)
{
    static const char *const argv[] = {
        "/bin/sh", "-c", "echo one; echo two >&2; echo three; printf %100s x >&2", NULL};
    static const char *const envp[] = {NULL};
    struct hc_child_options options = {.name = "hook",
                                       .argv = argv,
                                       .envp = envp,
                                       .output_max = 100,
                                       .errors_max = 6,
                                       .limit_ms = PATIENCE_MS};
    static struct hc_child child;
    char text[200] = "";

    ok(hc_child_start(loop, &child, &options, on_apart, text, NULL) == 0, "a program");
    for (int i = 0; i < PATIENCE_MS / 50 && text[0] == '\0'; i++) {
        (void)!hc_loop_pass(loop, 50, NULL);
    }
    is_str(text, "[one\nthree\n] [two\n  ] 0 1", "each is kept by itself, up to its own maximum");
}

static void a_program_that_is_not_there_is_told(void)
{
    static struct run run;
    const char *const argv[] = {"/nowhere/hook", NULL};
    const char *const envp[] = {NULL};
    struct hc_child_options options = {
        .name = "hook", .argv = argv, .envp = envp, .output_max = 10, .limit_ms = PATIENCE_MS};

    ok(start(&run, &options) && wait_for(&run) && run.end == HC_CHILD_NOT_STARTED &&
           run.code == ENOENT,
       "with the reason");
    is_str(run.said.detail, "it cannot be started: No such file or directory", "in words");
}

static bool is_gone(const char *pid_text)
{
    pid_t pid = (pid_t)atoi(pid_text);

    for (int i = 0; pid > 1 && i < PATIENCE_MS / 20; i++) {
        if (kill(pid, 0) != 0 && errno == ESRCH) {
            return true;
        }
        usleep(20000);
        while (waitpid(-1, NULL, WNOHANG) > 0) {
        }
    }
    return false;
}

static void a_limit_kills_it_with_its_children(void)
{
    static struct run run;
    const char *second = NULL;

    ok(shell(&run,
             "trap '' TERM; sh -c 'trap \"\" TERM HUP; echo $$; sleep 1000; sleep 1000' & "
             "echo $!; wait; sleep 1000",
             "", 1500) &&
           run.end == HC_CHILD_TIMED_OUT,
       "it ends, though it would not");
    ok(run.took_ms >= 1400, "not before its time");
    second = strchr(run.output, '\n');
    ok(second != NULL && is_gone(run.output) && is_gone(second), "so does what it started");
    is_str(run.said.detail, "it took too long and was killed", "in words");
}

static void what_it_leaves_behind_ends_with_it(void)
{
    static struct run run;

    ok(shell(&run, "sleep 1000 & echo $!", "", PATIENCE_MS) && run.end == HC_CHILD_EXITED &&
           run.code == 0 && run.took_ms < PATIENCE_MS,
       "the leader ended: its output is not waited for");
    ok(is_gone(run.output), "the rest ends too");
}

static void its_output_is_bounded(void)
{
    static struct run run;

    ok(shell(&run, "i=0; while [ $i -lt 20000 ]; do echo 0123456789; i=$((i+1)); done; exit 7", "",
             PATIENCE_MS),
       "who says too much is not held up");
    ok(run.code == 7 && run.cut && run.output_len == 8192, "what is kept has a maximum");
    ok(shell(&run, "printf '%8192s' x", "", PATIENCE_MS) && !run.cut && run.output_len == 8192,
       "exactly so much is whole");
}

static void it_has_nothing_of_ours(void)
{
    static struct run run;
    int fd = open("/dev/null", O_RDONLY); /* without O_CLOEXEC */
    const char *ignored = NULL;
    sigset_t set, before;

    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    (void)sigprocmask(SIG_BLOCK, &set, &before);
    (void)signal(SIGPIPE, SIG_IGN);
    ok(shell(&run,
             "ls /proc/self/fd | tr '\\n' ' '; grep -E 'Sig(Blk|Ign)' /proc/self/status | "
             "tr -d '\\n\\t'",
             "", PATIENCE_MS),
       "a shell looks at itself");
    ignored = strstr(run.output, "SigIgn:");
    ok(strncmp(run.output, "0 1 2 3 SigBlk:0000000000000000SigIgn:", 38) == 0 && ignored != NULL,
       "no descriptor (3 is the folder that ls reads), no signal blocked");
    /* the two that are glibc's own come ignored from posix_spawn(), by which make starts tests */
    is_int(ignored != NULL ? strtoull(ignored + 7, NULL, 16) & ~0x180000000ULL : 1, 0,
           "none ignored");
    (void)sigprocmask(SIG_SETMASK, &before, NULL);
    close(fd);
}

static int hard_work(void *arg)
{
    const char *text = arg;
    char more[100];
    int len = snprintf(more, sizeof(more), "%s, done", text);

    return write(1, more, (size_t)len) == len && fcntl(3, F_GETFD) < 0 ? 0 : 1;
}

static int endless_work(void *arg HC_UNUSED)
{
    while (pause() != 0) {
    }
    return 0;
}

static void work_of_ours_runs_beside_the_loop(void)
{
    static struct run run;
    char text[] = "hard work";
    struct hc_child_options options = {.name = "work",
                                       .work = hard_work,
                                       .arg = text,
                                       .output_max = 100,
                                       .secret = true,
                                       .limit_ms = PATIENCE_MS};

    ok(start(&run, &options) && !run.ended && wait_for(&run) && run.code == 0, "it ends");
    is_str(run.output, "hard work, done", "its result arrives");
    options.work = endless_work;
    options.limit_ms = 50;
    ok(start(&run, &options) && wait_for(&run) && run.end == HC_CHILD_TIMED_OUT, "it has a limit");
}

static void it_can_be_stopped(void)
{
    static struct run run;
    struct hc_child_options options = {
        .name = "work", .work = endless_work, .output_max = 100, .limit_ms = PATIENCE_MS};
    pid_t pid = 0;

    ok(start(&run, &options), "it runs");
    pid = run.child.pid;
    hc_child_stop(&run.child);
    ok(kill(pid, 0) != 0 && errno == ESRCH && !run.ended, "stopped and reaped, without a word");
    hc_child_stop(&run.child);
    is_int(hc_loop_next_ms(loop), -1, "nothing of it is left in the loop");
}

static void many_run_at_once(void)
{
    enum { MANY = 40 };
    static struct run runs[MANY];
    const char *const argv[] = {"/bin/sh", "-c", "echo $NUMBER; exit $NUMBER", NULL};
    int good = 0;

    for (int i = 0; i < MANY; i++) {
        char number[32];
        const char *const envp[] = {number, NULL};
        struct hc_child_options options = {
            .name = "hook", .argv = argv, .envp = envp, .output_max = 100, .limit_ms = PATIENCE_MS};

        snprintf(number, sizeof(number), "NUMBER=%d", i);
        if (!start(&runs[i], &options)) {
            ok(false, "one of many starts");
        }
    }
    for (int i = 0; i < MANY; i++) {
        good += wait_for(&runs[i]) && runs[i].code == i && atoi(runs[i].output) == i;
    }
    is_int(good, MANY, "each with its own status and output");
    ok(waitpid(-1, NULL, WNOHANG) < 0 && errno == ECHILD, "all are reaped");
    is_int(hc_loop_next_ms(loop), -1, "and gone from the loop");
}

int main(void)
{
    if (hc_loop_new(&hc_clock_system, &loop, NULL) != 0) {
        return 99;
    }
    a_program_runs_and_is_told_of();
    both_outputs_may_come_apart();
    a_program_that_is_not_there_is_told();
    a_limit_kills_it_with_its_children();
    what_it_leaves_behind_ends_with_it();
    its_output_is_bounded();
    it_has_nothing_of_ours();
    work_of_ours_runs_beside_the_loop();
    it_can_be_stopped();
    many_run_at_once();
    hc_loop_free(loop);
    return done();
}
