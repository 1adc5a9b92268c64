/* `hotcert renew`: what is said of each answer. */
#include "cmd_lib.h"

static const struct {
    const char *name;
    const char *reply;
    const char *out;
    int code;
} answers[] = {
    {"what is due is ordered", "{\"ok\":true,\"found\":1,\"orders\":1}\n",
     "a.test: renewal is under way; `hotcert wait a.test --timeout 2m` waits for it\n", 0},
    {"nothing is due", "{\"ok\":true,\"found\":1,\"orders\":0}\n",
     "a.test: nothing is due; --force orders anyway\n", 0},
    {"what failed is told again",
     "{\"ok\":true,\"found\":1,\"orders\":1,\"before\":\"the CA cannot be reached: Connection "
     "refused (ca-unreachable; check the network, the resolver and the proxy of this machine)\"}\n",
     "a.test: retrying now; `hotcert wait a.test --timeout 2m` waits for it\n"
     "    before: the CA cannot be reached: Connection refused (ca-unreachable; check the network, "
     "the\n"
     "            resolver and the proxy of this machine)\n",
     0},
    {"what cannot be ordered now is not under way",
     "{\"ok\":true,\"found\":1,\"orders\":1,\"waits\":\"clock-wrong\"}\n",
     "a.test: it is due, but hotcert cannot order it now: clock-wrong; see `hotcert list`\n", 0},
    {"watched files that are well",
     "{\"ok\":true,\"found\":1,\"orders\":0,\"watched\":[{\"state\":\"ok\",\"error\":null}]}\n",
     "a.test: hotcert checked its files: they are served; it does not order certificates for files "
     "of another "
     "tool\n",
     0},
    {"watched files that are held back",
     "{\"ok\":true,\"found\":1,\"orders\":0,\"watched\":[{\"state\":\"held-back\",\"error\":"
     "{\"problem\":\"chain-incomplete\",\"message\":\"/w.pem: an intermediate is missing\"}}]}\n",
     "a.test: hotcert checked its files: chain-incomplete (held back); it does not order "
     "certificates for files "
     "of another tool\n"
     "    /w.pem: an intermediate is missing\n",
     1},
    {"watched files that are broken",
     "{\"ok\":true,\"found\":1,\"orders\":0,\"watched\":[{\"state\":\"files-broken\",\"error\":"
     "{\"problem\":\"key-mismatch\",\"message\":\"/w.key: another key\"}}]}\n",
     "a.test: hotcert checked its files: key-mismatch (files-broken); it does not order "
     "certificates for files "
     "of another tool\n"
     "    /w.key: another key\n",
     1},
    {"watched files that are being written",
     "{\"ok\":true,\"found\":1,\"orders\":0,\"watched\":[{\"state\":\"queued\",\"error\":null}]}\n",
     "a.test: hotcert checked its files: another program is writing them; hotcert will check them "
     "again; it does not order certificates for files of another tool\n",
     0},
};

/* Several names, or all that failed: the arguments, the agent's replies, what is printed. */
static const struct {
    const char *what;
    const char *args[8];
    const char *replies[4];
    int code;
    const char *out;
    const char *err;
} many[] = {
    {"each name has its turn",
     {"renew", "a.test", "b.test", "c.test", "--control", cmd_socket},
     {"{\"ok\":true,\"found\":1,\"orders\":1}\n",
      "{\"ok\":false,\"problem\":\"not-found\",\"subject\":\"b.test\",\"detail\":\"\"}\n",
      "{\"ok\":true,\"found\":1,\"orders\":0}\n"},
     1,
     "a.test: renewal is under way; `hotcert wait a.test --timeout 2m` waits for it\n"
     "c.test: nothing is due; --force orders anyway\n",
     "hotcert renew: b.test: no such name is configured"},
    {"of all, one whose files are broken is no success",
     {"renew", "--all", "--control", cmd_socket},
     {"{\"ok\":true,\"renewed\":[{\"name\":\"w.test\",\"orders\":0,\"watched\":[{\"state\":"
      "\"files-broken\",\"error\":{\"problem\":\"key-mismatch\",\"message\":\"/w.key: another "
      "key\"}}]}]}\n"},
     1,
     "w.test: hotcert checked its files: key-mismatch (files-broken); it does not order "
     "certificates for files "
     "of another tool\n"
     "    /w.key: another key\n"
     "1 host: 0 ordered now, 1 pair of files checked\n",
     ""},
    {"who may not is told once",
     {"renew", "a.test", "b.test", "--control", cmd_socket},
     {"{\"ok\":false,\"problem\":\"forbidden\",\"subject\":\"\",\"detail\":\"\"}\n"},
     77,
     "",
     "hotcert renew: this user may not do that"},
    {"what failed",
     {"renew", "--failed", "--control", cmd_socket},
     {"{\"ok\":true,\"renewed\":[{\"name\":\"a.test\",\"found\":1,\"orders\":1,\"before\":\"it "
      "broke\",\"waits\":\"\",\"watched\":[]},{\"name\":\"w.test\",\"found\":1,\"orders\":0,"
      "\"watched\":[{\"state\":\"files-broken\",\"error\":{\"problem\":\"key-mismatch\","
      "\"message\":"
      "\"/w.pem: no\"}}]},{\"name\":\"c.test\",\"orders\":0,\"problem\":\"renew-too-often\"}]}\n"},
     1,
     "a.test: retrying now\n"
     "    before: it broke\n"
     "w.test: hotcert checked its files: key-mismatch (files-broken); it does not order "
     "certificates for files "
     "of another tool\n"
     "    /w.pem: no\n"
     "c.test: this was already retried manually four times within the hour\n"
     "3 hosts: 1 ordered now, 1 pair of files checked, 1 retried too often; `hotcert wait --all "
     "--timeout 5m` waits for them\n",
     ""},
    {"nothing failed",
     {"renew", "--failed", "--control", cmd_socket},
     {"{\"ok\":true,\"renewed\":[]}\n"},
     0,
     "nothing has failed\n",
     ""},
    {"all",
     {"renew", "--all", "--force", "--control", cmd_socket},
     {"{\"ok\":true,\"renewed\":[{\"name\":\"a.test\",\"orders\":2},{\"name\":\"b.test\","
      "\"orders\":"
      "1,\"waits\":\"clock-wrong\"},{\"name\":\"c.test\",\"orders\":0}]}\n"},
     0,
     "a.test: renewal is under way\n"
     "b.test: it is due, but hotcert cannot order it now: clock-wrong; see `hotcert list`\n"
     "3 hosts: 1 ordered now, 1 not due (--force orders anyway); `hotcert wait --all "
     "--timeout 5m` waits for them\n",
     ""},
};

/* A server that was stopped leaves its socket: the others are asked all the same. */
static void a_stale_socket_is_named(void)
{
    const char *const replies[] = {"{\"ok\":true,\"found\":1,\"orders\":1}\n", NULL};
    const char *const args[] = {"renew", "a.test", "--control", cmd_folder, NULL};
    char stale[128];
    pid_t agent = 0;

    snprintf(stale, sizeof(stale), "%s/stale.sock", cmd_folder);
    cmd_stale_socket(stale);
    agent = cmd_agent(replies);
    is_int(cmd_run(args), 0, "the one that answers renews");
    ok(strncmp(cmd_err, "hotcert renew: not asked: ", 26) == 0 && strstr(cmd_err, stale) != NULL,
       "the one that does not is named");
    cmd_agent_ends(agent);
    unlink(stale);
}

int main(void)
{
    cmd_begin();
    for (size_t i = 0; i < HC_COUNT(answers); i++) {
        const char *const replies[] = {answers[i].reply, NULL};
        const char *const args[] = {"renew", "A.test", "--control", cmd_socket, NULL};
        pid_t agent = cmd_agent(replies);

        is_int(cmd_run(args), answers[i].code, answers[i].name);
        is_str(cmd_out, answers[i].out, "in these words");
        is_str(cmd_err, "", "no error");
        cmd_agent_ends(agent);
    }
    for (size_t i = 0; i < HC_COUNT(many); i++) {
        pid_t agent = cmd_agent(many[i].replies);

        is_int(cmd_run(many[i].args), many[i].code, many[i].what);
        is_str(cmd_out, many[i].out, "in these words");
        is_int(strncmp(cmd_err, many[i].err, strlen(many[i].err)), 0, "and errors");
        cmd_agent_ends(agent);
    }
    a_stale_socket_is_named();
    cmd_end();
    return done();
}
