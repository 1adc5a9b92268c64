/* `hotcert list`: rows that fit, what is wrong below them, and no agent at all. */
#include "cmd_lib.h"

#include <time.h>

#include "base/time.h"

static char reply[8192];

/* A certificate of the agent's list; the rest of its object is as the caller says. */
static const char *certificate(const char *names, const char *state, const char *next,
                               const char *rest)
{
    static char text[2][2048];
    static int turn;

    turn = !turn;
    snprintf(
        text[turn], sizeof(text[turn]),
        "{\"names\":[%s],\"mode\":\"on\",\"key_type\":\"ecdsa:256\",\"issuer\":\"letsencrypt\","
        "\"not_after\":\"2090-03-04T05:06:07Z\",\"state\":\"%s\",\"next_try\":%s%s}",
        names, state, next, rest);
    return text[turn];
}

static int list(const char *one, const char *other)
{
    const char *const replies[] = {reply, NULL};
    const char *const args[] = {"list", "--control", cmd_socket, NULL};
    pid_t agent = 0;
    int code = 0;

    snprintf(reply, sizeof(reply), "{\"ok\":true,\"server\":\"nginx\",\"certificates\":[%s%s%s]}\n",
             one, other != NULL ? "," : "", other != NULL ? other : "");
    agent = cmd_agent(replies);
    code = cmd_run(args);
    cmd_agent_ends(agent);
    return code;
}

static void rows_are_as_wide_as_they_must(void)
{
    char soon[HC_TIME_TEXT];
    char next[HC_TIME_TEXT + 2];
    char want[1024];

    hc_time_format((int64_t)time(NULL) + 600, soon);
    snprintf(next, sizeof(next), "\"%s\"", soon);
    is_int(list(certificate("\"www.example.org\",\"example.org\"", "ok", "\"2090-02-01T11:20:00Z\"",
                            ",\"flawed\":false,\"flaws\":[]"),
                certificate(
                    "\"shop.example.org\"", "failed", next,
                    ",\"error\":{\"at\":\"2026-01-05T10:00:00Z\",\"message\":\"the CA could not "
                    "connect to the name's server: no route to host (ca-says-connection; let "
                    "port 80 reach it)\"}")),
           0, "two certificates");
    snprintf(want, sizeof(want),
             "NAMES               KEY        ISSUER       EXPIRES     STATE   NEXT\n"
             "www.example.org +1  ecdsa:256  letsencrypt  2090-03-04  ok      2090-02-01\n"
             "shop.example.org    ecdsa:256  letsencrypt  2090-03-04  failed  %s\n"
             "    2026-01-05T10:00:00Z: the CA could not connect to the name's server: no route to "
             "host\n"
             "    (ca-says-connection; let port 80 reach it)\n",
             soon + 11);
    is_str(cmd_out, want, "days, the time where it is near, and lines that end");
}

static void a_long_name_has_a_line_of_its_own(void)
{
    is_int(list(certificate("\"a.long.name.that.finds.no.room.beside.the.rest.example.org\"", "ok",
                            "null", ""),
                certificate("\"a.example\"", "ordered-elsewhere", "null", "")),
           0, "two certificates");
    is_str(cmd_out,
           "NAMES      KEY        ISSUER       EXPIRES     STATE              NEXT\n"
           "a.long.name.that.finds.no.room.beside.the.rest.example.org\n"
           "           ecdsa:256  letsencrypt  2090-03-04  ok                 -\n"
           "a.example  ecdsa:256  letsencrypt  2090-03-04  ordered-elsewhere  -\n",
           "and takes no room from the others");
}

static void flaws_are_not_hidden(void)
{
    is_int(list(certificate("\"a.test\"", "ok", "null",
                            ",\"flawed\":true,\"flaws\":[\"chain-incomplete\",\"expired\"]"),
                NULL),
           0, "a certificate that is served and flawed");
    is_str(cmd_out,
           "NAMES   KEY        ISSUER       EXPIRES     STATE   NEXT\n"
           "a.test  ecdsa:256  letsencrypt  2090-03-04  flawed  -\n"
           "    flawed: chain-incomplete, expired\n",
           "is told to be");
}

static void foreign_bytes_are_escaped(void)
{
    is_int(list(certificate("\"a\\u001b[31m\"", "\\u001b[2J", "\"\\u001b\"", ""), NULL), 0,
           "an agent that says anything");
    ok(strchr(cmd_out, '\033') == NULL, "reaches no terminal");
}

static void without_agent_and_store_both_are_named(void)
{
    char store[128];
    char want[512];
    const char *const args[] = {"list", "--control", cmd_socket, "--store", store, NULL};

    snprintf(store, sizeof(store), "%s/store", cmd_folder);
    is_int(cmd_run(args), 69, "no agent answers");
    snprintf(
        want, sizeof(want),
        "hotcert list: no agent answers at %s (No such file or directory), and there is no store "
        "at %s; --control and --store name others\n",
        cmd_socket, store);
    is_str(cmd_err, want, "socket and store are named");
    is_str(cmd_out, "", "and nothing is listed");
}

int main(void)
{
    cmd_begin();
    rows_are_as_wide_as_they_must();
    a_long_name_has_a_line_of_its_own();
    flaws_are_not_hidden();
    foreign_bytes_are_escaped();
    without_agent_and_store_both_are_named();
    cmd_end();
    return done();
}
