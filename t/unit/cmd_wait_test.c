/* `hotcert wait`: what it says when the time is over, and that it does not end before. */
#include "cmd_lib.h"

#define SERVED "{\"ok\":true}\n"

static void what_is_still_waited_for_is_named(void)
{
    static const char *const replies[] = {
        "{\"ok\":false,\"problem\":\"timed-out\",\"subject\":\"\",\"detail\":\"nx.test (failed, "
        "next "
        "try 03:37:30Z), c.test (ordering)\",\"message\":\"..\"}\n",
        NULL};
    const char *const args[] = {"wait", "--all", "--timeout", "3", "--control", cmd_socket, NULL};
    pid_t agent = cmd_agent(replies);

    is_int(cmd_run(args), 75, "the time is over");
    is_str(
        cmd_err,
        "hotcert wait: not served after 3 s: nx.test (failed, next try 03:37:30Z), c.test "
        "(ordering) (timed-out; `hotcert list` shows pending certificates and their last error)\n",
        "with what was not served");
    cmd_agent_ends(agent);
}

static void an_agent_that_goes_away_is_asked_again(void)
{
    static const char *const replies[] = {"", "{\"ok\":tr", "", SERVED, NULL};
    const char *const args[] = {"wait", "--all", "--timeout", "20", "--control", cmd_socket, NULL};
    pid_t agent = cmd_agent(replies);

    is_int(cmd_run(args), 0, "until one says that all is served");
    is_str(cmd_err, "", "and nothing is said");
    cmd_agent_ends(agent);
}

static void an_agent_that_never_comes_is_named(void)
{
    const char *const args[] = {"wait", "--all", "--timeout", "1", "--control", cmd_socket, NULL};
    char want[512];

    is_int(cmd_run(args), 69, "no agent answers");
    snprintf(want, sizeof(want),
             "hotcert wait: %s: no agent answers on the control socket: No such", cmd_socket);
    is_int(strncmp(cmd_err, want, strlen(want)), 0, "with its socket and the reason");
}

int main(void)
{
    cmd_begin();
    what_is_still_waited_for_is_named();
    an_agent_that_goes_away_is_asked_again();
    an_agent_that_never_comes_is_named();
    cmd_end();
    return done();
}
