/* `hotcert list`: rows that fit, what is wrong below them, and no agent at all. */
#include "cmd_lib.h"

#include <time.h>

#include "base/time.h"
#include "cmd/list_select.h"

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
             "shop.example.org    ecdsa:256  letsencrypt  2090-03-04  failed  %s\n"
             "    2026-01-05T10:00:00Z: the CA could not connect to the name's server: no route to "
             "host\n"
             "    (ca-says-connection; let port 80 reach it)\n"
             "www.example.org +1  ecdsa:256  letsencrypt  2090-03-04  ok      2090-02-01\n",
             soon + 11);
    is_str(cmd_out, want, "sorted by name; days, the time where it is near, and lines that end");
}

static void a_long_name_has_a_line_of_its_own(void)
{
    is_int(list(certificate("\"a.long.name.that.finds.no.room.beside.the.rest.example.org\"", "ok",
                            "null", ""),
                certificate("\"a.example\"", "ordered-elsewhere", "null", "")),
           0, "two certificates");
    is_str(cmd_out,
           "NAMES      KEY        ISSUER       EXPIRES     STATE              NEXT\n"
           "a.example  ecdsa:256  letsencrypt  2090-03-04  ordered-elsewhere  -\n"
           "a.long.name.that.finds.no.room.beside.the.rest.example.org\n"
           "           ecdsa:256  letsencrypt  2090-03-04  ok                 -\n",
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

/* ---- which of them ---- */

#define SOON    "2026-03-05T00:00:00Z"
#define LATER   "2090-03-04T05:06:07Z"
#define MID_NOW INT64_C(1772582400) /* 2026-03-04T00:00:00Z */

/* b.test (with www.b.test) is well, a.test failed, c.test (flawed) expires within a day, *.d.test
 * is in the CA's hands. */
static json_t *several(void)
{
    return json_pack("[{s:[s,s],s:s,s:s},{s:[s],s:s,s:n,s:{}},{s:[s],s:s,s:s,s:b},{s:[s],s:s,s:s}]",
                     "names", "b.test", "www.b.test", "state", "ok", "not_after", LATER, "names",
                     "a.test", "state", "failed", "not_after", "error", "names", "c.test", "state",
                     "ok", "not_after", SOON, "flawed", 1, "names", "*.d.test", "state", "ordering",
                     "not_after", LATER);
}

/* "a.test c.test": the first names of what is selected. */
static const char *selected(const struct hc_list_select *how)
{
    static char text[256];
    json_t *all = several();
    json_t *shown = hc_list_select(all, how, MID_NOW);

    text[0] = '\0';
    for (size_t i = 0; i < json_array_size(shown); i++) {
        const json_t *names = json_object_get(json_array_get(shown, i), "names");

        strcat(text, i > 0 ? " " : "");
        strcat(text, json_string_value(json_array_get(names, 0)));
    }
    json_decref(shown);
    json_decref(all);
    return text;
}

static void names_failures_and_dates_select(void)
{
    struct hc_list_select all = {.expiring = -1};
    struct hc_list_select failed = {.expiring = -1, .failed = true};
    struct hc_list_select expiring = {.expiring = 86400};
    struct hc_list_select both = {.expiring = 86400, .failed = true};
    struct hc_list_select named = {.expiring = -1};
    json_t *certificates = several();

    is_str(selected(&all), "*.d.test a.test b.test c.test", "all, sorted by the name shown");
    is_str(selected(&failed), "a.test c.test", "what failed or is flawed");
    is_str(selected(&expiring), "c.test", "what ends within the time");
    is_str(selected(&both), "a.test c.test", "either of the two");
    ok(hc_list_add(&named.names, "www.b.test", NULL) == 0 &&
           hc_list_add(&named.names, "x.d.test", NULL) == 0,
       "two names");
    is_str(selected(&named), "*.d.test b.test", "by any of their names, wildcards too");
    ok(hc_list_missing(certificates, &named) == NULL, "both are there");
    ok(hc_list_add(&named.names, "no.test", NULL) == 0, "a third");
    is_str(hc_list_missing(certificates, &named), "no.test", "is not");
    named.failed = true;
    is_str(selected(&named), "", "both conditions count");
    hc_list_dispose(&named.names);
    json_decref(certificates);
}

static void the_exit_code_tells_on_demand(void)
{
    const char *const replies[] = {reply, NULL};
    const char *const plain[] = {"list", "--control", cmd_socket, NULL};
    const char *const demand[] = {"list", "--exit-code", "--control", cmd_socket, NULL};
    const char *const missing[] = {"list", "no.test", "--control", cmd_socket, NULL};
    const char *const expiring[] = {"list",      "--exit-code", "--expiring", "100w",
                                    "--control", cmd_socket,    NULL};
    const struct {
        const char *const *args;
        const char *state;
        int code;
        const char *what;
    } rows[] = {{plain, "failed", 0, "a failure alone changes no exit code"},
                {demand, "failed", 1, "on demand it does"},
                {demand, "held-back", 1, "held back is none of ok"},
                {demand, "ok", 0, "all is well"},
                {demand, "ordering", 0, "and under way is well"},
                {expiring, "ok", 0, "nothing expires"},
                {missing, "ok", 1, "a name that is not there is told"}};

    for (size_t i = 0; i < HC_COUNT(rows); i++) {
        pid_t agent = 0;

        snprintf(reply, sizeof(reply), "{\"ok\":true,\"server\":\"nginx\",\"certificates\":[%s]}\n",
                 certificate("\"a.test\"", rows[i].state, "null", ""));
        agent = cmd_agent(replies);
        is_int(cmd_run(rows[i].args), rows[i].code, rows[i].what);
        cmd_agent_ends(agent);
    }
    ok(strstr(cmd_err, "hotcert list: no.test: no such name is configured (not-found; ") == cmd_err,
       "by name");
}

static void a_server_that_does_not_answer_is_named(void)
{
    const char *const replies[] = {reply, NULL};
    const char *const args[] = {"list", "--control", cmd_folder, NULL};
    const char *const json[] = {"list", "--json", "--exit-code", "--control", cmd_folder, NULL};
    char other[128];
    pid_t agent = 0;

    snprintf(other, sizeof(other), "%s/stopped.sock", cmd_folder);
    snprintf(reply, sizeof(reply), "{\"ok\":true,\"server\":\"nginx\",\"certificates\":[%s]}\n",
             certificate("\"a.test\"", "ok", "null", ""));
    cmd_stale_socket(other);
    agent = cmd_agent(replies);
    is_int(cmd_run(args), 0, "the other answers");
    cmd_agent_ends(agent);
    ok(strstr(cmd_out, "a.test") != NULL, "with its hosts");
    ok(strstr(cmd_err, other) != NULL && strstr(cmd_err, "are not shown") != NULL,
       "and the one that does not is named");
    agent = cmd_agent(replies);
    is_int(cmd_run(json), 1, "on demand that is a failure");
    cmd_agent_ends(agent);
    ok(strstr(cmd_out, "\"unanswered\"") != NULL && strstr(cmd_out, other) != NULL,
       "in JSON as well");
    unlink(other);
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
        "at %s; name others with --control and --store\n",
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
    names_failures_and_dates_select();
    the_exit_code_tells_on_demand();
    a_server_that_does_not_answer_is_named();
    without_agent_and_store_both_are_named();
    cmd_end();
    return done();
}
