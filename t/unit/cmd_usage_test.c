/* Wrong arguments: what is missing is named, and where to read on. */
#include "cmd_lib.h"

static const struct {
    const char *args[6];
    const char *line;
} wrong[] = {
    {{"list", "--store"}, "hotcert list: --store needs a value\n"},
    {{"list", "--frob"}, "hotcert list: what is --frob?\n"},
    {{"renew", "a.test", "--control"}, "hotcert renew: --control needs a value\n"},
    {{"wait", "--all", "--timeout"}, "hotcert wait: --timeout needs a value\n"},
    {{"check", "x", "--key"},
     "hotcert check: the number of arguments is wrong: --key needs a value\n"},
    {{"check", "--connect", "localhost:99999"},
     "hotcert check: localhost:99999: the value is not one that this takes: a port is a number "
     "from "
     "1 to 65535\n"},
    {{"diagnose", "a.test", "--method", "frob"},
     "hotcert diagnose: --method: the value is not one that this takes: \"frob\" is none of "
     "http-01, "
     "tls-alpn-01, dns-01\n"},
};

int main(void)
{
    cmd_begin();
    for (size_t i = 0; i < HC_COUNT(wrong); i++) {
        char help[64];

        is_int(cmd_run(wrong[i].args), 64, wrong[i].line);
        is_int(strncmp(cmd_err, wrong[i].line, strlen(wrong[i].line)), 0, "is what it says");
        snprintf(help, sizeof(help), "\n`hotcert %s --help` says more.\n", wrong[i].args[0]);
        ok(strstr(cmd_err, help) != NULL, "and where to read on");
    }
    cmd_end();
    return done();
}
