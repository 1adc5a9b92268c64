/* `hotcert renew`: what is said of each answer. */
#include "cmd_lib.h"

static const struct {
    const char *name;
    const char *reply;
    const char *out;
} answers[] = {
    {"what is due is ordered", "{\"ok\":true,\"found\":1,\"orders\":1}\n",
     "a.test: renewal is under way; `hotcert wait a.test --timeout 2m` waits for it\n"},
    {"nothing is due", "{\"ok\":true,\"found\":1,\"orders\":0}\n",
     "a.test: nothing is due; --force orders all the same\n"},
    {"what failed is told again",
     "{\"ok\":true,\"found\":1,\"orders\":1,\"before\":\"the CA cannot be reached: Connection "
     "refused (ca-unreachable; check the network, the resolver and the proxy of this machine)\"}\n",
     "a.test: it is tried again now; `hotcert wait a.test --timeout 2m` waits for it\n"
     "    before: the CA cannot be reached: Connection refused (ca-unreachable; check the network, "
     "the\n"
     "            resolver and the proxy of this machine)\n"},
    {"what cannot be ordered now is not under way",
     "{\"ok\":true,\"found\":1,\"orders\":1,\"waits\":\"clock-wrong\"}\n",
     "a.test: it is due, but not ordered now: clock-wrong; see `hotcert list`\n"},
    {"watched files that are well",
     "{\"ok\":true,\"found\":1,\"orders\":0,\"watched\":[{\"state\":\"ok\",\"error\":null}]}\n",
     "a.test: its files were looked at: they are served; files of another tool are not ordered\n"},
    {"watched files that are held back",
     "{\"ok\":true,\"found\":1,\"orders\":0,\"watched\":[{\"state\":\"held-back\",\"error\":"
     "{\"problem\":\"chain-incomplete\",\"message\":\"/w.pem: an intermediate is missing\"}}]}\n",
     "a.test: its files were looked at: chain-incomplete (held back); files of another tool are "
     "not ordered\n"
     "    /w.pem: an intermediate is missing\n"},
    {"watched files that are being written",
     "{\"ok\":true,\"found\":1,\"orders\":0,\"watched\":[{\"state\":\"queued\",\"error\":null}]}\n",
     "a.test: its files were looked at: they are being written, and looked at again; files of "
     "another tool are not ordered\n"},
};

int main(void)
{
    cmd_begin();
    for (size_t i = 0; i < HC_COUNT(answers); i++) {
        const char *const replies[] = {answers[i].reply, NULL};
        const char *const args[] = {"renew", "A.test", "--control", cmd_socket, NULL};
        pid_t agent = cmd_agent(replies);

        is_int(cmd_run(args), 0, answers[i].name);
        is_str(cmd_out, answers[i].out, "in these words");
        is_str(cmd_err, "", "no error");
        cmd_agent_ends(agent);
    }
    cmd_end();
    return done();
}
