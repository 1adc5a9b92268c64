/* Processes of our own; see child.h. */
#include "loop/child.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fork.h"
#include "base/libc.h"

#define CHUNK       4096
#define CHUNKS      16 /* read at once, so that no output holds the loop */
#define LAST_MOST   64 /* after the end: what is in the pipe, which cannot be more than this */
#define POLL_MS     20
#define NOT_STARTED 127
#define REPORT_FD   3   /* in the child */
#define FREE_FROM   100 /* descriptors that are moved out of the way */

/* What the child is given. -1: none. */
struct ends {
    int input;
    int output[2];
    int errors[2]; /* -1: they go where the output does */
    int report[2];
};

static void close_one(int *fd)
{
    if (*fd >= 0) {
        close(*fd);
        *fd = -1;
    }
}

static void close_all(struct ends *ends)
{
    close_one(&ends->input);
    for (int i = 0; i < 2; i++) {
        close_one(&ends->output[i]);
        close_one(&ends->errors[i]);
        close_one(&ends->report[i]);
    }
}

/* The input as a file in memory: nobody has to write it bit by bit. -1 with errno. */
static int open_input(struct hc_bytes input)
{
    int fd = memfd_create("input", MFD_CLOEXEC);
    size_t done = 0;

    while (fd >= 0 && done < input.len) {
        ssize_t n = write(fd, input.data + done, input.len - done);

        if (n < 0 && errno != EINTR) {
            close(fd);
            return -1;
        }
        done += n > 0 ? (size_t)n : 0;
    }
    if (fd >= 0 && lseek(fd, 0, SEEK_SET) != 0) {
        close(fd);
        return -1;
    }
    return fd;
}

/* What is read here does not block. -1 with errno. */
static int open_pipe(int ends[2])
{
    return pipe2(ends, O_CLOEXEC) == 0 ? fcntl(ends[0], F_SETFL, O_NONBLOCK) : -1;
}

static int open_ends(struct ends *ends, const struct hc_child_options *options,
                     struct hc_error *err)
{
    if (open_pipe(ends->output) != 0 || open_pipe(ends->report) != 0 ||
        (options->errors_max > 0 && open_pipe(ends->errors) != 0) ||
        (options->input.len > 0 && (ends->input = open_input(options->input)) < 0)) {
        return hc_error_set_errno(err, HC_P_SYSTEM, NULL, errno, "pipes to a child (%s)",
                                  options->name);
    }
    return 0;
}

/* ---- in the child ---- */

/* Its three standard descriptors and the report, whatever number they had; nothing else. */
static int arrange(const struct ends *ends)
{
    int output = fcntl(ends->output[1], F_DUPFD_CLOEXEC, FREE_FROM);
    int errors = ends->errors[1] >= 0 ? fcntl(ends->errors[1], F_DUPFD_CLOEXEC, FREE_FROM) : output;
    int report = fcntl(ends->report[1], F_DUPFD_CLOEXEC, FREE_FROM);
    int input = ends->input >= 0 ? fcntl(ends->input, F_DUPFD_CLOEXEC, FREE_FROM) : -1;

    if (output < 0 || errors < 0 || report < 0 || (ends->input >= 0 && input < 0) ||
        dup2(output, 1) < 0 || dup2(errors, 2) < 0 || dup3(report, REPORT_FD, O_CLOEXEC) < 0 ||
        (input >= 0 ? dup2(input, 0) : hc_process_null(0)) < 0) {
        return -1;
    }
    hc_process_close_from(REPORT_FD + 1);
    return 0;
}

__attribute__((noreturn)) static void be_child(const struct ends *ends,
                                               const struct hc_child_options *options)
{
    int why = 0;

    (void)setpgid(0, 0);
    hc_process_reset_signals();
    if (arrange(ends) == 0) {
        if (options->argv == NULL) {
            close(REPORT_FD);
            _exit(options->work(options->arg));
        }
        /* execve() changes neither: POSIX has them without const for old programs' sake */
        (void)execve(options->argv[0], (char *const *)(uintptr_t)options->argv,
                     (char *const *)(uintptr_t)options->envp);
    }
    why = errno;
    (void)!write(REPORT_FD, &why, sizeof(why));
    _exit(NOT_STARTED);
}

/* ---- in the parent ---- */

/* The leader, not reaped yet, keeps the number of its group from being given to another. */
static void kill_group(const struct hc_child *child)
{
    (void)kill(-child->pid, SIGKILL);
    (void)kill(child->pid, SIGKILL);
}

static void keep(struct hc_child_stream *stream, const unsigned char *data, size_t len)
{
    size_t room = stream->kept.max - stream->kept.len;
    struct hc_error err;

    hc_error_init(&err);
    if (len > room) {
        stream->cut = true;
        len = room;
    }
    if (len > 0 && hc_buf_append(&stream->kept, data, len, &err) != 0) {
        stream->cut = true;
    }
}

static void close_stream(struct hc_child_stream *stream)
{
    hc_loop_fd_remove(&stream->end);
    close_one(&stream->end.fd);
}

static void read_stream(struct hc_child_stream *stream, int chunks)
{
    unsigned char chunk[CHUNK];

    for (int i = 0; i < chunks && stream->end.fd >= 0; i++) {
        ssize_t n = read(stream->end.fd, chunk, sizeof(chunk));

        if (n > 0) {
            keep(stream, chunk, (size_t)n);
        } else if (n == 0 || (errno != EAGAIN && errno != EINTR)) {
            close_stream(stream);
        } else if (errno == EAGAIN) {
            break;
        }
    }
    if (stream->kept.secret) {
        explicit_bzero(chunk, sizeof(chunk));
    }
}

static void on_output(void *self, unsigned events HC_UNUSED)
{
    read_stream(self, CHUNKS);
}

static void prepare_stream(struct hc_child_stream *stream, const struct hc_child_options *options,
                           size_t max)
{
    stream->kept.max = max;
    stream->kept.secret = options->secret;
    stream->end = (struct hc_loop_fd){-1, HC_LOOP_READ, options->name, on_output, stream, NULL};
}

/* Takes the reading end of the pipe; none is fine. */
static int begin_stream(struct hc_loop *loop, struct hc_child_stream *stream, int *end,
                        struct hc_error *err)
{
    stream->end.fd = *end;
    *end = -1;
    return stream->end.fd >= 0 ? hc_loop_fd_add(loop, &stream->end, err) : 0;
}

/* All guests out of the loop, all descriptors closed; the process is the caller's to reap. */
static void leave(struct hc_child *child)
{
    close_stream(&child->output);
    close_stream(&child->errors);
    hc_loop_fd_remove(&child->pidfd);
    close_one(&child->pidfd.fd);
    close_one(&child->report);
    hc_timer_stop(&child->limit);
    hc_timer_stop(&child->poll);
    child->running = false;
}

static void reap(struct hc_child *child, int *status)
{
    while (waitpid(child->pid, status, 0) < 0) {
        if (errno != EINTR) {
            *status = SIGKILL; /* somebody else took it: how it ended is not known */
            break;
        }
    }
}

static void describe(const struct hc_child *child, int status, struct hc_child_result *result)
{
    int why = 0;

    if (child->report >= 0 && read(child->report, &why, sizeof(why)) == (ssize_t)sizeof(why)) {
        result->end = HC_CHILD_NOT_STARTED;
        result->code = why;
    } else if (child->timed_out) {
        result->end = HC_CHILD_TIMED_OUT;
    } else if (WIFSIGNALED(status)) {
        result->end = HC_CHILD_KILLED;
        result->code = WTERMSIG(status);
    } else {
        result->end = HC_CHILD_EXITED;
        result->code = WEXITSTATUS(status);
    }
    result->cut = child->output.cut;
    result->errors_cut = child->errors.cut;
}

static struct hc_buf take_kept(struct hc_child_stream *stream)
{
    struct hc_buf kept = stream->kept;

    memset(&stream->kept, 0, sizeof(stream->kept));
    return kept;
}

static void finish(struct hc_child *child)
{
    struct hc_child_result result = {.end = HC_CHILD_EXITED};
    struct hc_buf output;
    struct hc_buf errors;
    int status = 0;

    kill_group(child);
    read_stream(&child->output, LAST_MOST);
    read_stream(&child->errors, LAST_MOST);
    reap(child, &status);
    describe(child, status, &result);
    leave(child);
    output = take_kept(&child->output);
    errors = take_kept(&child->errors);
    result.output = hc_bytes_of(&output);
    result.errors = hc_bytes_of(&errors);
    child->done(child->self, &result); /* which may free the child, or start it anew */
    hc_buf_dispose(&output);
    hc_buf_dispose(&errors);
}

static bool has_ended(const struct hc_child *child)
{
    siginfo_t info;

    memset(&info, 0, sizeof(info));
    if (waitid(P_PID, (id_t)child->pid, &info, WEXITED | WNOHANG | WNOWAIT) != 0) {
        return errno != EINTR;
    }
    return info.si_pid == child->pid;
}

static void on_end(void *self, unsigned events HC_UNUSED)
{
    if (has_ended(self)) {
        finish(self);
    }
}

static void on_poll(void *self)
{
    struct hc_child *child = self;

    if (has_ended(child)) {
        finish(child);
    } else {
        hc_timer_in(&child->poll, POLL_MS);
    }
}

static void on_limit(void *self)
{
    struct hc_child *child = self;

    if (has_ended(child)) {
        finish(child);
        return;
    }
    child->timed_out = true;
    kill_group(child);
}

/* A kernel without pidfds, or a rule against them: the child is polled. */
static int watch_end(struct hc_loop *loop, struct hc_child *child, struct hc_error *err)
{
    child->pidfd.fd = hc_libc_pidfd_open(child->pid);
    if (child->pidfd.fd >= 0) {
        return hc_loop_fd_add(loop, &child->pidfd, err);
    }
    hc_timer_in(&child->poll, POLL_MS);
    return 0;
}

static void prepare(struct hc_loop *loop, struct hc_child *child,
                    const struct hc_child_options *options)
{
    const char *name = options->name;

    memset(child, 0, sizeof(*child));
    prepare_stream(&child->output, options, options->output_max);
    prepare_stream(&child->errors, options, options->errors_max);
    child->report = -1;
    child->pidfd = (struct hc_loop_fd){-1, HC_LOOP_READ, name, on_end, child, NULL};
    hc_timer_init(&child->limit, loop, name, on_limit, child);
    hc_timer_init(&child->poll, loop, name, on_poll, child);
}

int hc_child_start(struct hc_loop *loop, struct hc_child *child,
                   const struct hc_child_options *options, hc_child_done *done, void *self,
                   struct hc_error *err)
{
    struct ends ends = {-1, {-1, -1}, {-1, -1}, {-1, -1}};
    struct hc_fork f;
    int rc = -1;

    prepare(loop, child, options);
    child->done = done;
    child->self = self;
    if (open_ends(&ends, options, err) != 0) {
        goto out;
    }
    child->pid = hc_fork_start(&f);
    if (child->pid == 0) {
        be_child(&ends, options);
    }
    hc_fork_done(&f);
    if (child->pid < 0) {
        hc_error_set_errno(err, HC_P_SYSTEM, NULL, errno, "a child (%s)", options->name);
        goto out;
    }
    (void)setpgid(child->pid, child->pid); /* whoever comes first: it can be killed from now on */
    child->running = true;
    child->report = ends.report[0];
    ends.report[0] = -1;
    if (begin_stream(loop, &child->output, &ends.output[0], err) != 0 ||
        begin_stream(loop, &child->errors, &ends.errors[0], err) != 0 ||
        watch_end(loop, child, err) != 0) {
        hc_child_stop(child);
        goto out;
    }
    hc_timer_in(&child->limit, options->limit_ms);
    rc = 0;
out:
    close_all(&ends);
    return rc;
}

void hc_child_stop(struct hc_child *child)
{
    int status = 0;

    if (!child->running) {
        return;
    }
    kill_group(child);
    reap(child, &status);
    leave(child);
    hc_buf_dispose(&child->output.kept);
    hc_buf_dispose(&child->errors.kept);
}

int hc_child_check(const struct hc_child_result *result, enum hc_problem p, const char *subject,
                   struct hc_error *err)
{
    switch (result->end) {
    case HC_CHILD_EXITED:
        return result->code == 0
                   ? 0
                   : hc_error_set(err, p, subject, "it exited with code %d", result->code);
    case HC_CHILD_KILLED:
        return hc_error_set(err, p, subject, "it was killed by signal %d", result->code);
    case HC_CHILD_TIMED_OUT:
        return hc_error_set(err, p, subject, "it took too long and was killed");
    case HC_CHILD_NOT_STARTED:
        break;
    }
    return hc_error_set_errno(err, p, subject, result->code, "it cannot be started");
}
