/* Wrong arguments: what is missing is named, and where to read on. */
#include "cmd_lib.h"

static const struct {
    const char *args[8];
    const char *line;
} wrong[] = {
    {{"list", "--store"}, "hotcert list: --store needs a value\n"},
    {{"list", "--frob"}, "hotcert list: unknown option: --frob\n"},
    {{"list", "--expiring", "soon"},
     "hotcert list: --expiring soon: a time reads 30s, 5m, 1h, 2d or 1h30m\n"},
    {{"list", "--expiring", "7"}, "hotcert list: --expiring 7: name the unit: 7d, 7h\n"},
    {{"check", "--connect", "https://a.test/"},
     "hotcert check: --connect \"https://a.test/\": it takes HOST or HOST:PORT, not a URL\n"},
    {{"list", "a b"}, "hotcert list: a b is not a host name: "},
    {{"renew", "a.test", "--control"}, "hotcert renew: --control needs a value\n"},
    {{"renew"}, "hotcert renew: give names, --failed or --all\n"},
    {{"renew", "a.test", "--all"}, "hotcert renew: give either names, --failed or --all\n"},
    {{"renew", "--failed", "--new-account"},
     "hotcert renew: --new-account needs the name of a host\n"},
    {{"wait", "--all", "--timeout"}, "hotcert wait: --timeout needs a value\n"},
    {{"check", "x", "--key"}, "hotcert check: --key needs a value\n"},
    {{"check", "--frob"}, "hotcert check: unknown option: --frob\n"},
    {{"check", "x", "--at", "tomorrow"},
     "hotcert check: --at \"tomorrow\": a time reads 2026-03-04T05:06:07Z\n"},
    {{"check", "x", "--accept", "frob"},
     "hotcert check: --accept \"frob\": no finding has this slug\n"},
    {{"check", "--connect", "localhost:99999"},
     "hotcert check: --connect \"localhost:99999\": a port is a number from 1 to 65535\n"},
    {{"check", "--connect", "localhost:"},
     "hotcert check: --connect \"localhost:\": it takes HOST, HOST:PORT or [IPv6 address]:PORT; "
     "without a port, 443 is asked\n"},
    {{"diagnose", "--frob"}, "hotcert diagnose: unknown option: --frob\n"},
    {{"diagnose", "a.test", "--method"}, "hotcert diagnose: --method needs a value\n"},
    {{"diagnose"}, "hotcert diagnose: give the names to check\n"},
    {{"version", "now"}, "hotcert version: it takes no arguments\n"},
    {{"diagnose", "a.test", "--method", "frob"},
     "hotcert diagnose: --method: \"frob\" is not one of http-01, tls-alpn-01, dns-01, "},
};

int main(void)
{
    cmd_begin();
    for (size_t i = 0; i < HC_COUNT(wrong); i++) {
        char help[64];

        is_int(cmd_run(wrong[i].args), 64, wrong[i].line);
        is_int(strncmp(cmd_err, wrong[i].line, strlen(wrong[i].line)), 0, "is what it says");
        snprintf(help, sizeof(help), "\nTry `hotcert %s --help`.\n", wrong[i].args[0]);
        ok(strstr(cmd_err, help) != NULL, "and where to read on");
    }
    cmd_end();
    return done();
}
