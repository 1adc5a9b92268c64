/*
 * hc_child: a guest of the loop that is a process of its own: a program that an operator names
 * (hooks, notifications), or work of ours that takes too long for the loop (hc_child_work).
 *
 * It has a time limit; when that is over its whole process group is killed. What it writes to
 * standard output and standard error, together or apart, is kept up to a maximum; what it writes
 * beyond that is read and thrown away. It begins with default signals, an empty signal mask, no
 * descriptors of ours and the folder and user of the caller. What it leaves behind in its group
 * ends with it.
 */
#ifndef HC_LOOP_CHILD_H
#define HC_LOOP_CHILD_H

#include <sys/types.h>

#include "base/buf.h"
#include "loop/timer.h"

/*
 * Work of ours in a forked process: writes its result to descriptor 1. What it returns is the exit
 * code. It has the memory of the caller as it was, but no descriptor of its.
 */
typedef int hc_child_work(void *arg);

struct hc_child_options {
    const char *name;        /* of the activity; static */
    const char *const *argv; /* argv[0]: the program's path; NULL: work is done instead */
    const char *const *envp; /* all of its environment */
    hc_child_work *work;
    void *arg;
    struct hc_bytes input; /* standard input; empty: /dev/null. Copied */
    size_t output_max;     /* bytes of output that are kept */
    size_t errors_max;     /* the same of standard error; 0: it comes with the output */
    bool secret;           /* the output is wiped when it is freed */
    int64_t limit_ms;      /* more than 0 */
};

enum hc_child_end {
    HC_CHILD_EXITED,      /* code: its exit status */
    HC_CHILD_KILLED,      /* code: the signal, nobody of us sent it */
    HC_CHILD_TIMED_OUT,   /* it was killed after limit_ms */
    HC_CHILD_NOT_STARTED, /* code: errno of the exec */
};

/* Valid during the callback. */
struct hc_child_result {
    enum hc_child_end end;
    int code;
    struct hc_bytes output; /* standard output, with standard error as it came unless apart */
    struct hc_bytes errors; /* standard error, where it was kept apart */
    bool cut, errors_cut;   /* there was more of it */
};

/* Private: what comes out of one of its descriptors. */
struct hc_child_stream {
    struct hc_loop_fd end;
    struct hc_buf kept;
    bool cut;
};

/* Called once from the loop, never from hc_child_start(). The child is free by then. */
typedef void hc_child_done(void *self, const struct hc_child_result *result);

/* Embedded in its owner, who neither moves nor copies it while it runs. All of it is private. */
struct hc_child {
    bool running;
    pid_t pid;
    int report; /* -1, or where errno of the exec comes from */
    struct hc_loop_fd pidfd;
    struct hc_child_stream output, errors;
    struct hc_timer limit;
    struct hc_timer poll; /* where there are no pidfds */
    bool timed_out;
    hc_child_done *done;
    void *self;
};

/*
 * Starts it. child is zeroed memory, or one that has ended. -1 with err, and no callback, when
 * nothing was started; a program that cannot be executed is told to done (HC_CHILD_NOT_STARTED).
 */
int hc_child_start(struct hc_loop *loop, struct hc_child *child,
                   const struct hc_child_options *options, hc_child_done *done, void *self,
                   struct hc_error *err) HC_MUST_USE;

/* Kills it with its group, without a callback. Fine for one that does not run. */
void hc_child_stop(struct hc_child *child);

/*
 * Fills err unless the child exited with 0: "it exited with code 3", "it was killed by signal 9",
 * "it took too long and was killed", "it cannot be started: No such file or directory".
 */
int hc_child_check(const struct hc_child_result *result, enum hc_problem p, const char *subject,
                   struct hc_error *err) HC_MUST_USE;

#endif
