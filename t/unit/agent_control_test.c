/* The control socket: who may ask what, and what comes back. */
#include "agent_ask.h"

#include <sys/wait.h>

#include "tap.h"

static const char *const on[] = {"hotcert on", "hotcert_use one", NULL};
static const char *const two_hosts[] = {"a.example", "b.example www.b.example", NULL};

static void start_with(struct server *s, char path[108], int *control, const char *const *hosts)
{
    struct hc_conf *conf = NULL;

    new_world();
    *control = listen_here(path);
    conf = new_conf(on);
    add_hosts(conf, hosts, "");
    new_table(s);
    start_agent(s, conf, *control);
}

static void start(struct server *s, char path[108], int *control)
{
    start_with(s, path, control, two_hosts);
}

static void finish(struct server *s, int control)
{
    end_server(s);
    close(control);
    end_world();
}

static void list_tells_the_state(void)
{
    struct server s;
    char path[108];
    int control = 0;
    json_t *reply = NULL;
    const json_t *first = NULL;

    start(&s, path, &control);
    cas[0].bad_name = "www.b.example";
    work(&s, NULL);
    reply = ask(&s, path, "{\"command\":\"list\"}\n");
    first = json_array_get(json_object_get(reply, "certificates"), 0);
    is_int(json_array_size(json_object_get(reply, "certificates")), 2, "two certificates");
    is_str(json_string_value(json_object_get(first, "state")), "ok", "the first is well");
    is_str(json_string_value(json_array_get(json_object_get(first, "names"), 0)), "a.example",
           "its name");
    is_str(json_string_value(json_object_get(first, "serial")), serial(&s, 0), "its serial");
    ok(json_is_true(json_object_get(first, "served")), "it is served");
    first = json_array_get(json_object_get(reply, "certificates"), 1);
    is_str(json_string_value(json_object_get(first, "state")), "failed", "the second failed");
    is_int(json_integer_value(json_object_get(first, "failures")), 1, "once");
    is_str(json_string_value(json_object_get(json_object_get(first, "error"), "subject")),
           "www.b.example", "by this name");
    ok(json_is_string(json_object_get(first, "next_try")), "it is tried again at a time");
    first = json_object_get(reply, "loop");
    ok(json_is_integer(json_object_get(first, "over_10ms")) &&
           json_is_string(json_object_get(first, "worst")) &&
           json_array_size(json_object_get(first, "activities")) > 5,
       "it tells who holds the loop");
    is_int(json_integer_value(json_object_get(json_object_get(first, "disk"), "waits")), 1,
           "and that one commit waited for the disk");
    json_decref(reply);
    finish(&s, control);
}

#define MANY  3000
#define TURNS 20000

/* The line that comes, however long it is; the caller's to json_decref(). */
static json_t *hear_all(struct server *s, int fd)
{
    struct hc_buf text = HC_BUF_INIT((size_t)16 << 20);
    struct hc_error err = {0};
    json_error_t where;
    json_t *reply = NULL;

    for (int i = 0; i < TURNS && (text.len == 0 || text.data[text.len - 1] != '\n'); i++) {
        char chunk[65536];
        ssize_t n = recv(fd, chunk, sizeof(chunk), MSG_DONTWAIT);

        if (n == 0 || hc_loop_pass(s->loop, 20, &err) != 0 ||
            (n > 0 && hc_buf_append(&text, chunk, (size_t)n, &err) != 0)) {
            break;
        }
    }
    reply = json_loadb((const char *)text.data, text.len, 0, &where);
    hc_buf_dispose(&text);
    return reply;
}

static bool has_activity(const json_t *reply, const char *name)
{
    const json_t *all = json_object_get(json_object_get(reply, "loop"), "activities");

    for (size_t i = 0; i < json_array_size(all); i++) {
        const char *one = json_string_value(json_object_get(json_array_get(all, i), "name"));

        if (one != NULL && strcmp(one, name) == 0) {
            return true;
        }
    }
    return false;
}

/* Their list is made by a child, of one moment; the loop goes on. */
static void many_are_listed_beside_the_loop(void)
{
    static char names[MANY][32];
    static const char *hosts[MANY + 1];
    struct server s;
    char path[108];
    int control = 0;
    int other = 0;
    int fd = 0;
    json_t *reply = NULL;

    for (size_t i = 0; i < MANY; i++) {
        (void)snprintf(names[i], sizeof(names[i]), "host%zu.example", i);
        hosts[i] = names[i];
    }
    start_with(&s, path, &control, hosts);
    for (int i = 0; i < 2; i++) {
        fd = connect_here(path);
        other = connect_here(path);
        say_on(fd, "{\"command\":\"list\"}\n");
        say_on(other, "{\"command\":\"nonsense\"}\n");
        json_decref(reply);
        reply = hear_all(&s, fd);
        is_int(json_array_size(json_object_get(reply, "certificates")), MANY, "all are listed");
        is_int(json_integer_value(json_object_get(reply, "pid")), getpid(), "by the agent");
        close(fd);
        close(other);
    }
    ok(has_activity(reply, "list"), "out of a child's hands");
    json_decref(reply);
    fd = connect_here(path);
    say_on(fd, "{\"command\":\"list\"}\n{\"command\":\"list\"}\n");
    reply = hear_all(&s, fd);
    ok(reply == NULL || json_is_object(reply), "who says more than one thing harms nobody");
    json_decref(reply);
    close(fd);
    finish(&s, control);
}

static void wait_answers_when_it_is_served(void)
{
    struct server s;
    char path[108];
    int control = 0;
    int all = 0;
    int one = 0;

    start(&s, path, &control);
    cas[0].stuck = true;
    work(&s, NULL);
    all = connect_here(path);
    one = connect_here(path);
    say_on(all, "{\"command\":\"wait\",\"all\":true,\"timeout\":30}\n");
    say_on(one, "{\"command\":\"wait\",\"names\":[\"A.example.\"],\"timeout\":30}\n");
    work(&s, NULL);
    ok(hear(one) == NULL && hear(all) == NULL, "nothing is served: they wait");
    cas[0].stuck = false;
    work(&s, NULL);
    ok(is_ok(hear(one)), "the one hears of it");
    ok(is_ok(hear(all)), "and so does the other");
    close(all);
    close(one);
    ok(is_ok(ask(&s, path, "{\"command\":\"wait\",\"all\":true,\"timeout\":0}\n")),
       "later it is known at once");
    finish(&s, control);
}

static void wait_has_its_time(void)
{
    struct server s;
    char path[108];
    int control = 0;
    int fd = 0;
    json_t *reply = NULL;

    start(&s, path, &control);
    cas[0].stuck = true;
    fd = connect_here(path);
    say_on(fd, "{\"command\":\"wait\",\"all\":true,\"timeout\":5}\n");
    work(&s, NULL);
    ok(hear(fd) == NULL, "it waits");
    clock_ms += 6000;
    work(&s, NULL);
    reply = hear(fd);
    is_str(json_string_value(json_object_get(reply, "problem")), "timed-out", "not longer");
    is_str(json_string_value(json_object_get(reply, "detail")),
           "a.example (ordering), b.example (ordering)", "and is told what for");
    json_decref(reply);
    close(fd);
    reply = ask(&s, path, "{\"command\":\"wait\",\"names\":[\"c.example\"],\"timeout\":5}\n");
    is_str(json_string_value(json_object_get(reply, "problem")), "not-found", "an unknown name");
    json_decref(reply);
    finish(&s, control);
}

static void who_waits_for_the_last_costs_nothing(void)
{
    static const char *hosts[101];
    static char names[100][40];
    unsigned long before = 0;
    struct server s;
    char path[108];
    int control = 0;
    int fd = 0;

    for (size_t i = 0; i < HC_COUNT(names); i++) {
        snprintf(names[i], sizeof(names[i]), "host%zu.example", i);
        hosts[i] = names[i];
    }
    start_with(&s, path, &control, hosts);
    cas[0].bad_name = "host99.example";
    for (int i = 0; i < 5; i++) {
        work(&s, NULL);
    }
    ok(is_served(&s, 98) && !is_served(&s, 99), "all are served but the last");
    fd = connect_here(path);
    say_on(fd, "{\"command\":\"wait\",\"all\":true,\"timeout\":600}\n");
    work(&s, NULL);
    before = clock_reads;
    (void)pass(&s);
    ok(clock_reads - before < 60, "a pass looks at the last, not at those before it");
    cas[0].bad_name = NULL;
    pass_time(90);
    work(&s, NULL);
    ok(is_ok(hear(fd)), "and answers when it is served");
    close(fd);
    finish(&s, control);
}

static json_t *wait_in_vain(struct server *s, const char *path, const char *what)
{
    char request[128];

    snprintf(request, sizeof(request), "{\"command\":\"wait\",%s,\"timeout\":0}\n", what);
    return ask(s, path, request);
}

static void wait_names_what_is_not_served(void)
{
    struct server s;
    char path[108];
    char when[HC_TIME_TEXT];
    char text[128];
    int control = 0;
    json_t *reply = NULL;

    start(&s, path, &control);
    cas[0].bad_name = "www.b.example";
    work(&s, NULL);
    reply = wait_in_vain(&s, path, "\"all\":true");
    snprintf(text, sizeof(text), "b.example (failed, next try %.9s)",
             hc_time_format(clock_now + 60, when) + 11);
    is_str(json_string_value(json_object_get(reply, "detail")), text, "with state and next try");
    json_decref(reply);
    reply = wait_in_vain(&s, path, "\"names\":[\"www.b.example\",\"a.example\"]");
    snprintf(text, sizeof(text), "www.b.example (failed, next try %.9s)", when + 11);
    is_str(json_string_value(json_object_get(reply, "detail")), text, "by the name that was asked");
    json_decref(reply);
    finish(&s, control);
}

static void of_many_only_some_are_named(void)
{
    static const char *const six[] = {"a.example", "b.example", "c.example", "d.example",
                                      "e.example", "f.example", NULL};
    struct server s;
    char path[108];
    int control = 0;
    json_t *reply = NULL;
    const char *detail = NULL;

    start_with(&s, path, &control, six);
    cas[0].down = true;
    work(&s, NULL);
    reply = wait_in_vain(&s, path, "\"all\":true");
    detail = json_string_value(json_object_get(reply, "detail"));
    ok(detail != NULL && strstr(detail, " and 2 more") != NULL, "the rest is counted");
    json_decref(reply);
    finish(&s, control);
}

static void renew_orders(void)
{
    struct server s;
    char path[108];
    int control = 0;
    json_t *reply = NULL;

    start(&s, path, &control);
    work(&s, NULL);
    reply = ask(&s, path, "{\"command\":\"renew\",\"name\":\"a.example\"}\n");
    is_int(json_integer_value(json_object_get(reply, "orders")), 0, "nothing is due");
    is_int(json_integer_value(json_object_get(reply, "found")), 1, "but the name is known");
    json_decref(reply);
    reply = ask(&s, path, "{\"command\":\"renew\",\"name\":\"a.example\",\"force\":true}\n");
    is_int(json_integer_value(json_object_get(reply, "orders")), 1, "force orders");
    json_decref(reply);
    is_int(cas[0].orders, 3, "once");
    finish(&s, control);
}

static void renew_tells_of_a_ca_that_is_down(void)
{
    struct server s;
    char path[108];
    int control = 0;
    json_t *reply = NULL;
    const char *before = NULL;

    start(&s, path, &control);
    cas[0].down = true;
    work(&s, NULL);
    reply = ask(&s, path, "{\"command\":\"renew\",\"name\":\"a.example\"}\n");
    before = json_string_value(json_object_get(reply, "before"));
    ok(before != NULL && strstr(before, "ca-unreachable") != NULL, "what failed before is told");
    json_decref(reply);
    cas[0].down = false;
    json_decref(ask(&s, path, "{\"command\":\"renew\",\"name\":\"a.example\"}\n"));
    work(&s, NULL);
    ok(is_served(&s, 0), "it is obtained when the CA is back");
    is_int(count_in_log("the CA answers again"), 1, "and the log says that, as was promised");
    finish(&s, control);
}

static json_int_t number(const json_t *reply, const char *key)
{
    return json_integer_value(json_object_get(reply, key));
}

static void renew_takes_all_that_failed(void)
{
    static const char *const hosts[] = {"b.example www.b.example", "a.example", "c.example", NULL};
    struct server s;
    char path[108];
    int control = 0;
    json_t *reply = NULL;
    const json_t *renewed = NULL;

    start_with(&s, path, &control, hosts);
    cas[0].bad_name = "www.b.example";
    work(&s, NULL);
    cas[0].bad_name = NULL;
    reply = ask(&s, path, "{\"command\":\"renew\",\"failed\":true}\n");
    renewed = json_object_get(reply, "renewed");
    is_int(json_array_size(renewed), 1, "one failed");
    is_str(json_string_value(json_object_get(json_array_get(renewed, 0), "name")), "b.example",
           "told by its first name");
    is_int(number(json_array_get(renewed, 0), "orders"), 1, "it is ordered");
    ok(strstr(json_string_value(json_object_get(json_array_get(renewed, 0), "before")),
              "validation-failed") != NULL,
       "what it failed of is told");
    json_decref(reply);
    work(&s, NULL);
    ok(is_served(&s, 0), "and obtained");
    reply = ask(&s, path, "{\"command\":\"renew\",\"failed\":true}\n");
    is_int(json_array_size(json_object_get(reply, "renewed")), 0, "then none has failed");
    json_decref(reply);
    finish(&s, control);
}

static void renew_takes_all(void)
{
    struct server s;
    char path[108];
    int control = 0;
    json_t *reply = NULL;
    const json_t *renewed = NULL;

    start(&s, path, &control);
    work(&s, NULL);
    reply = ask(&s, path, "{\"command\":\"renew\",\"all\":true}\n");
    renewed = json_object_get(reply, "renewed");
    is_int(json_array_size(renewed), 2, "all hosts");
    is_int(number(json_array_get(renewed, 0), "orders") +
               number(json_array_get(renewed, 1), "orders"),
           0, "of which none is due");
    json_decref(reply);
    is_int(cas[0].orders, 2, "so nothing is ordered");
    reply = ask(&s, path, "{\"command\":\"renew\",\"all\":true,\"force\":true}\n");
    renewed = json_object_get(reply, "renewed");
    is_int(number(json_array_get(renewed, 0), "orders") +
               number(json_array_get(renewed, 1), "orders"),
           2, "force orders all");
    json_decref(reply);
    work(&s, NULL);
    is_int(cas[0].orders, 4, "once each");
    cas[0].bad_name = "a.example";
    for (int i = 0; i < 8; i++) {
        json_decref(ask(&s, path, "{\"command\":\"renew\",\"all\":true,\"force\":true}\n"));
    }
    reply = ask(&s, path, "{\"command\":\"renew\",\"all\":true,\"force\":true}\n");
    renewed = json_object_get(reply, "renewed");
    is_str(json_string_value(json_object_get(json_array_get(renewed, 0), "problem")),
           "renew-too-often", "one that was tried too often");
    is_int(number(json_array_get(renewed, 1), "orders"), 1, "keeps no other from its turn");
    json_decref(reply);
    finish(&s, control);
}

static void a_refused_account_is_given_up_on_demand(void)
{
    struct server s;
    char path[108];
    int control = 0;
    json_t *reply = NULL;
    const json_t *first = NULL;

    start(&s, path, &control);
    work(&s, NULL);
    is_int(cas[0].accounts, 1, "an account");
    reply = ask(&s, path, "{\"command\":\"renew\",\"name\":\"a.example\",\"new_account\":true}\n");
    is_str(json_string_value(json_object_get(reply, "problem")), "account-good",
           "one that the CA takes is kept");
    json_decref(reply);

    pass_time(70 * DAY);
    cas[0].not_us = HC_P_ACCOUNT_DEACTIVATED;
    work(&s, NULL);
    reply = ask(&s, path, "{\"command\":\"list\"}\n");
    first = json_array_get(json_object_get(reply, "certificates"), 1);
    is_str(json_string_value(json_object_get(first, "state")), "failed", "list: failed");
    is_str(json_string_value(json_object_get(json_object_get(first, "error"), "problem")),
           "account-deactivated", "of what, whichever order it was that asked");
    json_decref(reply);
    json_decref(ask(&s, path, "{\"command\":\"renew\",\"name\":\"a.example\"}\n"));
    work(&s, NULL);
    is_int(cas[0].accounts, 1, "without being asked for nothing is given up");
    cas[0].not_us = HC_P_NONE;
    ok(is_ok(
           ask(&s, path, "{\"command\":\"renew\",\"name\":\"a.example\",\"new_account\":true}\n")),
       "one that it refuses is given up");
    work(&s, NULL);
    is_int(cas[0].accounts, 2, "another one is registered");
    ok(is_served(&s, 0) && is_served(&s, 1), "and all are renewed");
    is_int(count_in_log("giving up the account that the CA refused"), 1, "the log says so");
    finish(&s, control);
}

static void others_may_nothing(void)
{
    static const char *const requests[] = {"{\"command\":\"list\"}\n",
                                           "{\"command\":\"wait\",\"all\":true,\"timeout\":0}\n",
                                           "{\"command\":\"renew\",\"name\":\"a.example\"}\n"};
    struct server s;
    char path[108];
    int control = 0;

    if (geteuid() != 0) {
        ok(true, "only root can be somebody else");
        return;
    }
    start(&s, path, &control);
    for (size_t i = 0; i < HC_COUNT(requests); i++) {
        int ready[2];
        char byte = 0;
        int status = 0;
        pid_t child = 0;

        if (pipe(ready) != 0 || (child = fork()) < 0) {
            stop_here(__LINE__);
        }
        if (child == 0) {
            int fd = -1;
            json_t *reply = NULL;
            const char *problem = NULL;
            const char *detail = NULL;

            if (setgid(65534) != 0 || setuid(65534) != 0) {
                _exit(3);
            }
            fd = connect_here(path);
            say_on(fd, requests[i]);
            if (write(ready[1], "x", 1) != 1) {
                _exit(4);
            }
            for (int t = 0; t < 200 && reply == NULL; t++) {
                usleep(10000);
                reply = hear(fd);
            }
            problem = json_string_value(json_object_get(reply, "problem"));
            detail = json_string_value(json_object_get(reply, "detail"));
            _exit(problem != NULL && strcmp(problem, "forbidden") == 0 && detail != NULL &&
                          strcmp(detail, "only root and the agent's user may ask the agent") == 0
                      ? 0
                      : 5);
        }
        close(ready[1]);
        if (read(ready[0], &byte, 1) != 1) {
            stop_here(__LINE__);
        }
        work(&s, NULL);
        waitpid(child, &status, 0);
        close(ready[0]);
        ok(WIFEXITED(status) && WEXITSTATUS(status) == 0, "forbidden, with the reason");
    }
    finish(&s, control);
}

static void nonsense_is_refused(void)
{
    static const char *const requests[] = {
        "\n",
        "x\n",
        "[]\n",
        "{}\n",
        "{\"command\":1}\n",
        "{\"command\":\"dance\"}\n",
        "{\"command\":\"renew\"}\n",
        "{\"command\":\"renew\",\"name\":7}\n",
        "{\"command\":\"wait\",\"names\":[\"..\"],\"timeout\":1}\n",
        "{\"command\":\"wait\",\"names\":[1],\"timeout\":1}\n",
        "{\"command\":\"wait\",\"all\":true,\"timeout\":-1}\n",
        "{\"command\":\"list\",\"command\":\"list\"}\n"};
    struct server s;
    char path[108];
    int control = 0;

    start(&s, path, &control);
    work(&s, NULL);
    for (size_t i = 0; i < HC_COUNT(requests); i++) {
        json_t *reply = ask(&s, path, requests[i]);

        ok(reply != NULL && json_is_false(json_object_get(reply, "ok")), "refused");
        json_decref(reply);
    }
    finish(&s, control);
}

/* Connects so often as somebody else, and stays until the pipe is closed. */
static pid_t crowd_of_strangers(const char *path, int count, int until[2])
{
    pid_t child = -1;
    char byte = 0;
    int ready[2];

    if (pipe(until) != 0 || pipe(ready) != 0 || (child = fork()) < 0) {
        stop_here(__LINE__);
    }
    if (child == 0) {
        close(until[1]);
        if (setgid(65534) != 0 || setuid(65534) != 0) {
            _exit(3);
        }
        for (int i = 0; i < count; i++) {
            (void)connect_here(path);
        }
        _exit(write(ready[1], "x", 1) == 1 && read(until[0], &byte, 1) == 0 ? 0 : 4);
    }
    close(ready[1]);
    if (read(ready[0], &byte, 1) != 1) {
        stop_here(__LINE__);
    }
    close(ready[0]);
    close(until[0]);
    return child;
}

static void strangers_keep_nobody_out(void)
{
    struct server s;
    char path[108];
    int control = 0;
    int until[2];
    int status = 0;
    pid_t child = -1;

    start(&s, path, &control);
    /* the queue of listen_here() has 16 */
    child = crowd_of_strangers(path, 16, until);
    work(&s, NULL);
    ok(is_ok(ask(&s, path, "{\"command\":\"list\"}\n")), "root is answered beside them");
    close(until[1]);
    ok(waitpid(child, &status, 0) == child && status == 0, "and they were all there");
    finish(&s, control);
}

static void a_crowd_keeps_nobody_out_for_long(void)
{
    struct server s;
    char path[108];
    int control = 0;
    int fds[40];

    start(&s, path, &control);
    for (size_t i = 0; i < HC_COUNT(fds); i++) {
        fds[i] = connect_here(path);
        work(&s, NULL);
    }
    clock_ms += 11000;
    work(&s, NULL);
    ok(is_ok(ask(&s, path, "{\"command\":\"list\"}\n")), "who says nothing is sent away");
    for (size_t i = 0; i < HC_COUNT(fds); i++) {
        close(fds[i]);
    }
    finish(&s, control);
}

int main(void)
{
    list_tells_the_state();
    many_are_listed_beside_the_loop();
    wait_answers_when_it_is_served();
    wait_has_its_time();
    who_waits_for_the_last_costs_nothing();
    wait_names_what_is_not_served();
    of_many_only_some_are_named();
    renew_orders();
    renew_tells_of_a_ca_that_is_down();
    renew_takes_all_that_failed();
    renew_takes_all();
    a_refused_account_is_given_up_on_demand();
    others_may_nothing();
    nonsense_is_refused();
    strangers_keep_nobody_out();
    a_crowd_keeps_nobody_out_for_long();
    forged_free(&mid);
    forged_free(&root);
    return done();
}
