/*
 * The runner: a process that starts the operator's commands for the agent, which confines itself
 * and can start none. It is forked before that, when nothing was read yet: it holds no key, no
 * account, neither table nor keeper, and no descriptor but its end of a socket. Its commands have
 * the agent's user and may gain no rights (no_new_privs), so sudo and set-user-id programs do not
 * work in them; Landlock and seccomp do not bind them.
 *
 * Over the socket (SOCK_SEQPACKET) goes one packet a command, and one back when it has ended. Each
 * has a time limit, after which its whole process group is killed, and two bounded outputs, which
 * are told apart; several run side by side. When the agent is gone, the runner kills what still
 * runs, and ends.
 */
#ifndef HC_AGENT_RUNNER_H
#define HC_AGENT_RUNNER_H

#include <sys/types.h>

#include "agent/runner_wire.h"
#include "solve/writer.h"

struct hc_runner_process {
    int socket; /* the agent's end, close-on-exec, non-blocking; -1: none */
    pid_t pid;
};

/*
 * Forks it. The caller has one thread, and nothing in memory that a command must not see. What is
 * open in the caller is closed in it.
 */
int hc_runner_start(struct hc_runner_process *out, struct hc_error *err) HC_MUST_USE;
/* Closes the socket, which ends it, and waits for that. */
void hc_runner_end(struct hc_runner_process *process);

/* The agent's side, a guest of its loop. */
struct hc_runner;

/* Told once, when the runner is dead; commands under way have failed by then. */
typedef void hc_runner_gone(void *self);

/* socket stays the caller's. gone may be NULL. */
int hc_runner_new(struct hc_loop *loop, int socket, hc_runner_gone *gone, void *self,
                  struct hc_runner **out, struct hc_error *err) HC_MUST_USE;
/* Commands under way are forgotten, without a callback; they go on until their limit. */
void hc_runner_free(struct hc_runner *runner);

/* As solvers ask for it (solve/writer.h): output_max is more than 0 and at most
 * HC_RUNNER_OUTPUT_MAX, limit_ms more than 0 and at most HC_RUNNER_LIMIT_MS. */

/*
 * Has a command run; done is called from the loop when it has ended, as of a child of one's own
 * (loop/child.h). -1 with err, and no callback: HC_P_SYSTEM when the runner is gone or too many run
 * already, HC_P_TOO_LARGE when it does not fit.
 */
int hc_runner_run(struct hc_runner *runner, const struct hc_program_run *command,
                  hc_child_done *done, void *self, struct hc_error *err) HC_MUST_USE;

/* The same as a port; valid as long as the runner. */
const struct hc_command_port *hc_runner_port(struct hc_runner *runner);

/* Nobody is told of what was asked for with this self any more. */
void hc_runner_forget(struct hc_runner *runner, const void *self);

#endif
