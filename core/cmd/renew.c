/* `hotcert renew NAME.. | --failed | --all`; see the help in commands.c. */
#include <string.h>

#include "base/log.h"
#include "cmd/client.h"
#include "cmd/cmd.h"
#include "cmd/report.h"
#include "conf/name.h"

#define ASK_MS 120000 /* thousands of hosts are gone through before the answer */

struct renew_args {
    struct hc_list names; /* normalised, as they were given */
    const char *control;
    bool force;
    bool new_account;
    bool failed;
    bool all;
};

static int check(const char *command, const struct renew_args *args)
{
    int ways = (args->names.count > 0) + args->failed + args->all;

    if (ways == 0) {
        return hc_cmd_usage(command, "give names, --failed or --all");
    }
    if (ways > 1) {
        return hc_cmd_usage(command, "give either names, --failed or --all");
    }
    if (args->new_account && args->names.count == 0) {
        return hc_cmd_usage(command, "--new-account needs the name of a host");
    }
    return 0;
}

static int parse(int argc, char **argv, struct renew_args *args)
{
    static const char *const valued[] = {"--control", NULL};
    int code = 0;

    for (int i = 1; i < argc && code == 0; i++) {
        if (strcmp(argv[i], "--force") == 0) {
            args->force = true;
        } else if (strcmp(argv[i], "--new-account") == 0) {
            args->new_account = true;
        } else if (strcmp(argv[i], "--failed") == 0) {
            args->failed = true;
        } else if (strcmp(argv[i], "--all") == 0) {
            args->all = true;
        } else if (strcmp(argv[i], "--control") == 0 && i + 1 < argc) {
            args->control = argv[++i];
        } else if (argv[i][0] == '-') {
            return hc_cmd_usage_argument(argv[0], argv[i], valued);
        } else {
            code = hc_cmd_take_name(argv[0], argv[i], &args->names);
        }
    }
    return code != 0 ? code : check(argv[0], args);
}

/* What the agents said, together. */
struct sum {
    size_t answers;
    json_int_t found;
    json_int_t orders;
    json_t *watched;          /* an array */
    json_t *renewed;          /* an array: of many, one object each */
    char before[HC_LOG_LINE]; /* whole: it may hold an address that has to be opened */
    char waits[40];
};

static void take_text(const json_t *reply, const char *key, char *dst, size_t cap)
{
    const char *text = json_string_value(json_object_get(reply, key));

    if (text != NULL && text[0] != '\0') {
        hc_escape_rest(dst, cap, text, strlen(text)); /* the agent escaped what is foreign */
    }
}

static int ask(const char *path, const json_t *request, struct sum *sum, struct hc_error *err)
{
    json_t *reply = NULL;
    int rc = -1;

    if (hc_client_ask(path, request, ASK_MS, &reply, err) == 0 &&
        hc_client_check(reply, err) == 0) {
        sum->found += json_integer_value(json_object_get(reply, "found"));
        sum->orders += json_integer_value(json_object_get(reply, "orders"));
        take_text(reply, "before", sum->before, sizeof(sum->before));
        take_text(reply, "waits", sum->waits, sizeof(sum->waits));
        json_array_extend(sum->watched, json_object_get(reply, "watched"));
        json_array_extend(sum->renewed, json_object_get(reply, "renewed"));
        sum->answers++;
        rc = 0;
    }
    json_decref(reply);
    return rc;
}

/* Files of another tool that cannot be served, or are not: nothing was renewed. */
static bool is_bad(const json_t *watch)
{
    const char *state = json_string_value(json_object_get(watch, "state"));

    return state != NULL && (strcmp(state, "files-broken") == 0 || strcmp(state, "held-back") == 0);
}

static int code_of(const json_t *watched)
{
    for (size_t i = 0; i < json_array_size(watched); i++) {
        if (is_bad(json_array_get(watched, i))) {
            return HC_EXIT_FAILED;
        }
    }
    return 0;
}

/* Those that did not answer are named, if another did. */
static void say_gone(const char *command, const struct hc_error *gone)
{
    char text[HC_ERROR_LINE];

    if (hc_error_is_set(gone)) {
        (void)fprintf(stderr, "hotcert %s: not asked: %s\n", command,
                      hc_error_format(gone, text, sizeof(text)));
    }
}

static int ask_all(const char *command, const struct hc_list *paths, const json_t *request,
                   struct sum *sum, struct hc_error *err)
{
    struct hc_error last;
    struct hc_error gone;

    hc_error_init(&last);
    hc_error_init(&gone);
    for (size_t i = 0; i < paths->count; i++) {
        struct hc_error one;

        hc_error_init(&one);
        /* that one agent does not know the name, or is gone, does not matter if another does */
        if (ask(paths->items[i], request, sum, &one) == 0) {
            continue;
        }
        if (!hc_error_is_set(&last) || one.problem != HC_P_NOT_FOUND) {
            last = one;
        }
        if (one.problem == HC_P_AGENT_GONE) {
            gone = one;
        }
    }
    if (sum->answers > 0 && (!hc_error_is_set(&last) || last.problem == HC_P_NOT_FOUND ||
                             last.problem == HC_P_AGENT_GONE)) {
        say_gone(command, &gone);
        return 0;
    }
    hc_error_chain(err, &last);
    return hc_error_set(err, HC_P_AGENT_GONE, HC_CONTROL_FOLDER, NULL);
}

/* Asks all of them; request is taken. 0, or the exit code, and what failed was said. */
static int hear(const char *command, const struct hc_list *paths, json_t *request, struct sum *sum)
{
    struct hc_error err;
    int code = 0;

    hc_error_init(&err);
    *sum = (struct sum){.watched = json_array(), .renewed = json_array()};
    if (ask_all(command, paths, request, sum, &err) != 0) {
        code = hc_client_fail(command, &err);
    }
    json_decref(request);
    return code;
}

static void sum_dispose(struct sum *sum)
{
    json_decref(sum->watched);
    json_decref(sum->renewed);
}

/* ---- one name ---- */

static void print_orders(struct hc_report *r, const char *name, const struct sum *sum)
{
    if (sum->waits[0] != '\0') {
        hc_report_put(r, HC_TINT_NONE,
                      "%s: it is due, but hotcert cannot order it now: %s; see `hotcert list`\n",
                      name, sum->waits);
        return;
    }
    hc_report_put(r, HC_TINT_NONE, "%s: %s; `hotcert wait %s --timeout 2m` waits for it\n", name,
                  sum->before[0] != '\0' ? "retrying now" : "renewal is under way", name);
    if (sum->before[0] != '\0') {
        hc_report_wrapped(r, HC_TINT_NONE, "    before: ", sum->before);
    }
}

/* Somebody else's tool renews these: what was found is all there is to say. */
static void print_watched(struct hc_report *r, const char *name, const json_t *watch)
{
    const json_t *error = json_object_get(watch, "error");
    char state[40] = "";
    char message[HC_FOREIGN_MAX] = "";
    char found[128] = "another program is writing them; hotcert will check them again";
    char problem[40] = "";

    take_text(watch, "state", state, sizeof(state));
    take_text(error, "problem", problem, sizeof(problem));
    take_text(error, "message", message, sizeof(message));
    if (strcmp(state, "ok") == 0) {
        hc_copy(found, sizeof(found), "they are served");
    } else if (problem[0] != '\0') {
        bool held = strcmp(state, "held-back") == 0;

        snprintf(found, sizeof(found), "%s (%s)", problem, held ? "held back" : state);
    }
    hc_report_put(r, HC_TINT_NONE,
                  "%s: hotcert checked its files: %s; it does not order certificates for files of "
                  "another tool\n",
                  name, found);
    hc_report_wrapped(r, HC_TINT_NONE, "    ", message);
}

static void print_one(const char *name, const struct sum *sum)
{
    struct hc_report r;

    hc_report_init(&r, stdout);
    for (size_t i = 0; i < json_array_size(sum->watched); i++) {
        print_watched(&r, name, json_array_get(sum->watched, i));
    }
    if (sum->orders > 0) {
        print_orders(&r, name, sum);
    } else if (json_array_size(sum->watched) == 0) {
        hc_report_put(&r, HC_TINT_NONE, "%s: nothing is due; --force orders anyway\n", name);
    }
}

static int renew_one(const char *command, const struct renew_args *args, const char *name,
                     const struct hc_list *paths)
{
    struct sum sum;
    int code = hear(command, paths,
                    json_pack("{s:s, s:s, s:b, s:b}", "command", "renew", "name", name, "force",
                              (int)args->force, "new_account", (int)args->new_account),
                    &sum);

    if (code == 0) {
        print_one(name, &sum);
        code = code_of(sum.watched);
    }
    sum_dispose(&sum);
    return code;
}

/* The first failure is the command's, but every name has its turn. */
static int renew_names(const char *command, const struct renew_args *args,
                       const struct hc_list *paths)
{
    int code = 0;

    for (size_t i = 0; i < args->names.count; i++) {
        int one = renew_one(command, args, args->names.items[i], paths);

        code = code == 0 ? one : code;
        if (one == HC_EXIT_UNAVAILABLE || one == HC_EXIT_FORBIDDEN) {
            break; /* it would be said of each */
        }
    }
    return code;
}

/* ---- many ---- */

struct tally {
    size_t ordered;
    size_t pairs_checked;
    size_t used_up;
    size_t idle;
    size_t bad; /* hosts whose files are not served */
};

static bool is_well(const json_t *watch)
{
    const char *state = json_string_value(json_object_get(watch, "state"));

    return state != NULL && strcmp(state, "ok") == 0;
}

static void print_result(struct hc_report *r, const json_t *one, struct tally *tally)
{
    const json_t *watched = json_object_get(one, "watched");
    struct sum sum = {.orders = json_integer_value(json_object_get(one, "orders"))};
    char name[HC_NAME_SIZE] = "?";

    take_text(one, "name", name, sizeof(name));
    take_text(one, "before", sum.before, sizeof(sum.before));
    take_text(one, "waits", sum.waits, sizeof(sum.waits));
    for (size_t i = 0; i < json_array_size(watched); i++) {
        tally->pairs_checked++;
        if (!is_well(json_array_get(watched, i))) {
            print_watched(r, name, json_array_get(watched, i));
        }
    }
    tally->bad += code_of(watched) != 0;
    if (json_is_string(json_object_get(one, "problem"))) {
        tally->used_up++;
        hc_report_put(r, HC_TINT_NONE, "%s: %s\n", name,
                      hc_problem_row(HC_P_RENEW_OFTEN)->sentence);
    } else if (sum.orders > 0 && sum.waits[0] != '\0') {
        print_orders(r, name, &sum);
    } else if (sum.orders > 0) {
        tally->ordered++;
        hc_report_put(r, HC_TINT_NONE, "%s: %s\n", name,
                      sum.before[0] != '\0' ? "retrying now" : "renewal is under way");
        hc_report_wrapped(r, HC_TINT_NONE, "    before: ", sum.before);
    } else if (json_array_size(watched) == 0) {
        tally->idle++;
    }
}

static int print_many(const struct renew_args *args, const json_t *renewed)
{
    struct tally tally = {.ordered = 0};
    struct hc_report r;

    hc_report_init(&r, stdout);
    for (size_t i = 0; i < json_array_size(renewed); i++) {
        print_result(&r, json_array_get(renewed, i), &tally);
    }
    if (json_array_size(renewed) == 0) {
        hc_report_put(&r, HC_TINT_NONE, "%s\n",
                      args->failed ? "nothing has failed" : "no host uses hotcert");
        return 0;
    }
    hc_report_put(&r, HC_TINT_NONE, "%zu host%s: %zu ordered now", json_array_size(renewed),
                  json_array_size(renewed) == 1 ? "" : "s", tally.ordered);
    if (tally.pairs_checked > 0) {
        hc_report_put(&r, HC_TINT_NONE, ", %zu pair%s of files checked", tally.pairs_checked,
                      tally.pairs_checked == 1 ? "" : "s");
    }
    if (tally.idle > 0) {
        hc_report_put(&r, HC_TINT_NONE, ", %zu not due (--force orders anyway)", tally.idle);
    }
    if (tally.used_up > 0) {
        hc_report_put(&r, HC_TINT_NONE, ", %zu retried too often", tally.used_up);
    }
    hc_report_put(&r, HC_TINT_NONE, "%s\n",
                  tally.ordered > 0 ? "; `hotcert wait --all --timeout 5m` waits for them" : "");
    return tally.used_up > 0 || tally.bad > 0 ? HC_EXIT_FAILED : 0;
}

static int renew_many(const char *command, const struct renew_args *args,
                      const struct hc_list *paths)
{
    struct sum sum;
    int code = hear(command, paths,
                    json_pack("{s:s, s:b, s:b}", "command", "renew",
                              args->failed ? "failed" : "all", 1, "force", (int)args->force),
                    &sum);

    if (code == 0) {
        code = print_many(args, sum.renewed);
    }
    sum_dispose(&sum);
    return code;
}

int hc_cmd_renew(int argc, char **argv)
{
    struct renew_args args = {.control = NULL};
    struct hc_list paths = {NULL, 0, 0};
    struct hc_error err;
    int code = parse(argc, argv, &args);

    hc_error_init(&err);
    if (code != 0) {
        goto out;
    }
    if (hc_client_sockets(args.control, &paths, &err) != 0) {
        code = hc_client_fail(argv[0], &err);
    } else if (args.names.count > 0) {
        code = renew_names(argv[0], &args, &paths);
    } else {
        code = renew_many(argv[0], &args, &paths);
    }
out:
    hc_list_dispose(&args.names);
    hc_list_dispose(&paths);
    return code;
}
