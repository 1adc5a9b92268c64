/* How the commands tell what an agent refuses: once, and with the exit code that says it. */
#include "cmd_lib.h"

static const struct {
    const char *name;
    const char *command;
    const char *reply;
    const char *line; /* on standard error */
    int code;
} refusals[] = {
    {"a command that the user may not give", "renew",
     "{\"ok\":false,\"problem\":\"forbidden\",\"subject\":\"\",\"detail\":\"only root may renew\","
     "\"message\":\"..\"}\n",
     "hotcert renew: this user may not do that: only root may renew (forbidden; run the command as "
     "root)\n",
     77},
    {"a name that nobody configured", "renew",
     "{\"ok\":false,\"problem\":\"not-found\",\"subject\":\"a.test\",\"detail\":\"\",\"message\":"
     "\"..\"}\n",
     "hotcert renew: a.test: no such name is configured (not-found; `hotcert list` shows the "
     "configured names)\n",
     1},
    {"nonsense", "renew", "{\"ok\":false,\"problem\":\"frob\",\"subject\":\"\",\"detail\":\"x\"}\n",
     "hotcert renew: a message between hotcert's own processes is malformed: x (protocol; the "
     "program and the server modules must have the same version; install both and restart the "
     "server)\n",
     1},
    {"foreign bytes", "renew",
     "{\"ok\":false,\"problem\":\"not-found\",\"subject\":\"a\\u001b[31m\",\"detail\":\"\"}\n",
     "hotcert renew: a\\x1b[31m: no such name is configured (not-found; `hotcert list` shows the "
     "configured names)\n",
     1},
};

int main(void)
{
    cmd_begin();
    for (size_t i = 0; i < HC_COUNT(refusals); i++) {
        const char *const replies[] = {refusals[i].reply, NULL};
        const char *const args[] = {refusals[i].command, "a.test", "--control", cmd_socket, NULL};
        pid_t agent = cmd_agent(replies);

        is_int(cmd_run(args), refusals[i].code, refusals[i].name);
        is_str(cmd_err, refusals[i].line, "is told once");
        is_str(cmd_out, "", "and nothing else");
        cmd_agent_ends(agent);
    }
    cmd_end();
    return done();
}
