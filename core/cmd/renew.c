/* `hotcert renew NAME [--force]`; see the help in main.c. */
#include <string.h>

#include "cmd/client.h"
#include "cmd/cmd.h"
#include "cmd/report.h"
#include "conf/name.h"

#define ASK_MS 30000

struct renew_args {
    const char *name;
    const char *control;
    bool force;
};

static int parse(int argc, char **argv, struct renew_args *args)
{
    static const char *const valued[] = {"--control", NULL};

    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--force") == 0) {
            args->force = true;
        } else if (strcmp(argv[i], "--control") == 0 && i + 1 < argc) {
            args->control = argv[++i];
        } else if (argv[i][0] == '-') {
            return hc_cmd_usage_argument(argv[0], argv[i], valued);
        } else if (args->name == NULL) {
            args->name = argv[i];
        } else {
            return hc_cmd_usage(argv[0], "one name at a time");
        }
    }
    return args->name != NULL ? 0 : hc_cmd_usage(argv[0], "which name?");
}

/* What the agents said, together. */
struct sum {
    json_int_t found;
    json_int_t orders;
    json_t *watched; /* an array */
    char before[HC_FOREIGN_MAX];
    char waits[40];
};

static void take_text(const json_t *reply, const char *key, char *dst, size_t cap)
{
    const char *text = json_string_value(json_object_get(reply, key));

    if (text != NULL && text[0] != '\0') {
        hc_escape(dst, cap, text, strlen(text));
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
        rc = 0;
    }
    json_decref(reply);
    return rc;
}

static int ask_all(const struct hc_list *paths, const json_t *request, struct sum *sum,
                   struct hc_error *err)
{
    struct hc_error last;

    hc_error_init(&last);
    for (size_t i = 0; i < paths->count; i++) {
        struct hc_error one;

        hc_error_init(&one);
        /* that one agent does not know the name, or is gone, does not matter if another does */
        if (ask(paths->items[i], request, sum, &one) != 0 &&
            (!hc_error_is_set(&last) || one.problem != HC_P_NOT_FOUND)) {
            last = one;
        }
    }
    if (sum->found > 0 && (!hc_error_is_set(&last) || last.problem == HC_P_NOT_FOUND ||
                           last.problem == HC_P_AGENT_GONE)) {
        return 0;
    }
    *err = last;
    return hc_error_set(err, HC_P_AGENT_GONE, HC_CONTROL_FOLDER, NULL);
}

static void print_orders(struct hc_report *r, const char *name, const struct sum *sum)
{
    if (sum->waits[0] != '\0') {
        hc_report_put(r, HC_TINT_NONE,
                      "%s: it is due, but not ordered now: %s; see `hotcert list`\n", name,
                      sum->waits);
        return;
    }
    hc_report_put(r, HC_TINT_NONE, "%s: %s; `hotcert wait %s --timeout 2m` waits for it\n", name,
                  sum->before[0] != '\0' ? "it is tried again now" : "renewal is under way", name);
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
    char found[128] = "they are being written, and looked at again";
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
                  "%s: its files were looked at: %s; files of another tool are not ordered\n", name,
                  found);
    hc_report_wrapped(r, HC_TINT_NONE, "    ", message);
}

static void print_all(const char *name, const struct sum *sum)
{
    struct hc_report r;

    hc_report_init(&r, stdout);
    for (size_t i = 0; i < json_array_size(sum->watched); i++) {
        print_watched(&r, name, json_array_get(sum->watched, i));
    }
    if (sum->orders > 0) {
        print_orders(&r, name, sum);
    } else if (json_array_size(sum->watched) == 0) {
        hc_report_put(&r, HC_TINT_NONE, "%s: nothing is due; --force orders all the same\n", name);
    }
}

int hc_cmd_renew(int argc, char **argv)
{
    struct renew_args args = {NULL, NULL, false};
    struct hc_list paths = {NULL, 0, 0};
    struct sum sum = {.found = 0};
    char name[HC_NAME_SIZE];
    json_t *request = NULL;
    struct hc_error err;
    int code = parse(argc, argv, &args);

    hc_error_init(&err);
    if (code != 0) {
        return code;
    }
    if (hc_name_normalise(args.name, name, &err) != 0) {
        return hc_cmd_usage(argv[0], "%s is no host name: %s", args.name, err.detail);
    }
    sum.watched = json_array();
    request =
        json_pack("{s:s, s:s, s:b}", "command", "renew", "name", name, "force", (int)args.force);
    if (hc_client_sockets(args.control, &paths, &err) != 0 ||
        ask_all(&paths, request, &sum, &err) != 0) {
        code = hc_client_fail(argv[0], &err);
    } else {
        print_all(name, &sum);
    }
    json_decref(sum.watched);
    json_decref(request);
    hc_list_dispose(&paths);
    return code;
}
