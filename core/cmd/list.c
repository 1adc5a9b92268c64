/* `hotcert list`; see the help in commands.c. */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "agent/inventory.h"
#include "agent/status.h"
#include "base/time.h"
#include "cmd/client.h"
#include "cmd/cmd.h"
#include "cmd/input.h"
#include "cmd/list_select.h"
#include "cmd/list_table.h"

#define ASK_MS        10000
#define DEFAULT_STORE "/var/lib/hotcert/store"

struct list_args {
    const char *control;
    const char *store;
    struct hc_list_select select;
    bool json;
    bool exit_code;
};

static int take_time(const char *command, const char *text, int64_t *out)
{
    struct hc_error err;

    hc_error_init(&err);
    if (text[0] != '\0' && text[strspn(text, "0123456789")] == '\0') {
        return hc_cmd_usage(command, "--expiring %s: name the unit: %sd, %sh", text, text, text);
    }
    return hc_duration_parse(text, out, &err) == 0
               ? 0
               : hc_cmd_usage(command, "--expiring %s: %s", text, err.detail);
}

static int parse(int argc, char **argv, struct list_args *args)
{
    static const char *const valued[] = {"--control", "--store", "--expiring", NULL};
    int code = 0;

    for (int i = 1; i < argc && code == 0; i++) {
        if (strcmp(argv[i], "--json") == 0) {
            args->json = true;
        } else if (strcmp(argv[i], "--failed") == 0) {
            args->select.failed = true;
        } else if (strcmp(argv[i], "--exit-code") == 0) {
            args->exit_code = true;
        } else if (strcmp(argv[i], "--control") == 0 && i + 1 < argc) {
            args->control = argv[++i];
        } else if (strcmp(argv[i], "--store") == 0 && i + 1 < argc) {
            args->store = argv[++i];
        } else if (strcmp(argv[i], "--expiring") == 0 && i + 1 < argc) {
            code = take_time(argv[0], argv[++i], &args->select.expiring);
        } else if (argv[i][0] == '-') {
            code = hc_cmd_usage_argument(argv[0], argv[i], valued);
        } else {
            code = hc_cmd_take_name(argv[0], argv[i], &args->select.names);
        }
    }
    return code;
}

/* ---- where it comes from ---- */

/* Where what is shown comes from. */
struct source {
    bool agent;
    const char *store;    /* else: its folder */
    struct hc_error gone; /* and the last agent that did not answer; not set: no socket is there */
    json_t *loops;        /* of each agent that did: who held it, agent/status_loop.h */
    json_t *agents;       /* each of them: schema, store, clock, issuers */
    json_t *unanswered;   /* beside agents that did: {"socket", "problem", "message"} of each */
};

/* What the agent says of itself and of the CAs (agent/model.h): all but what stands elsewhere. */
static void add_agent(json_t *reply, json_t *agents)
{
    json_t *agent = json_copy(reply);

    json_object_del(agent, "ok");
    json_object_del(agent, "certificates");
    json_object_del(agent, "loop");
    json_array_append_new(agents, agent);
}

/* Adds what this agent knows, with the server's name in each object, and who held its loop. */
static int ask(const char *path, json_t *certificates, struct source *source, struct hc_error *err)
{
    json_t *request = json_pack("{s:s}", "command", "list");
    json_t *reply = NULL;
    const json_t *list = NULL;
    int rc = -1;

    if (hc_client_ask(path, request, ASK_MS, &reply, err) != 0 ||
        hc_client_check(reply, err) != 0) {
        goto out;
    }
    list = json_object_get(reply, "certificates");
    for (size_t i = 0; i < json_array_size(list); i++) {
        json_t *item = json_array_get(list, i);

        json_object_set(item, "server", json_object_get(reply, "server"));
        json_array_append(certificates, item);
    }
    if (json_object_get(reply, "loop") != NULL) { /* an agent of before has none */
        json_object_set(json_object_get(reply, "loop"), "server", json_object_get(reply, "server"));
        json_object_set(json_object_get(reply, "loop"), "pid", json_object_get(reply, "pid"));
        json_array_append(source->loops, json_object_get(reply, "loop"));
    }
    add_agent(reply, source->agents);
    rc = 0;
out:
    json_decref(request);
    json_decref(reply);
    return rc;
}

static int add_info(void *arg, const struct hc_line_info *info)
{
    json_t *certificates = arg;

    return json_array_append_new(certificates, hc_status_of_info(info, hc_now(&hc_clock_system)));
}

static int read_store(const char *path, json_t *certificates, struct hc_error *err)
{
    struct hc_store *store = NULL;
    int rc = -1;

    if (geteuid() != 0 && access(path, R_OK | X_OK) != 0 && errno == EACCES) {
        return hc_error_set(err, HC_P_FORBIDDEN, path,
                            "only root and the agent's user may read the store");
    }
    if (hc_input_take_rights(path, err) == 0 &&
        hc_store_open(path, HC_STORE_READ, NULL, NULL, &store, err) == 0) {
        rc = hc_store_each(store, add_info, certificates, err);
    }
    hc_store_close(store);
    return rc;
}

static int note_unanswered(struct source *source, const char *path, const struct hc_error *why,
                           struct hc_error *err)
{
    char text[HC_LOG_LINE];

    return json_array_append_new(source->unanswered,
                                 json_pack("{s:s, s:s, s:s}", "socket", path, "problem",
                                           hc_problem_row(why->problem)->slug, "message",
                                           hc_error_format(why, text, sizeof(text)))) == 0
               ? 0
               : hc_error_nomem(err);
}

/* From every agent that answers; 1: none does. */
static int ask_all(const struct hc_list *paths, json_t *certificates, struct source *source,
                   struct hc_error *err)
{
    size_t answered = 0;
    struct hc_error last;

    hc_error_init(&last);
    for (size_t i = 0; i < paths->count; i++) {
        struct hc_error one;

        hc_error_init(&one);
        if (ask(paths->items[i], certificates, source, &one) == 0) {
            answered++;
            continue;
        }
        if (note_unanswered(source, paths->items[i], &one, err) != 0) {
            return -1;
        }
        if (!hc_error_is_set(&last) || hc_client_is_gone(&last)) {
            last = one;
        }
    }
    if (answered > 0) {
        return 0;
    }
    if (hc_error_is_set(&last) && !hc_client_is_gone(&last)) {
        return hc_error_chain(err, &last);
    }
    source->gone = last;
    return 1;
}

static int collect(const struct list_args *args, json_t *certificates, struct source *source,
                   struct hc_error *err)
{
    struct hc_list paths = {NULL, 0, 0};
    int rc = -1;

    source->store = args->store != NULL ? args->store : DEFAULT_STORE;
    if (hc_client_sockets(args->control, &paths, err) == 0) {
        rc = ask_all(&paths, certificates, source, err);
    }
    hc_list_dispose(&paths);
    source->agent = rc == 0;
    return rc == 1 ? read_store(source->store, certificates, err) : rc;
}

/* ---- how it is shown ---- */

/* "no agent answers at /run/hotcert/nginx.sock (Connection refused)" */
static char *describe_gone(const struct hc_error *gone, char *dst, size_t cap)
{
    struct hc_error_text text;

    hc_error_render(gone, &text);
    if (!hc_error_is_set(gone)) {
        snprintf(dst, cap, "no agent listens in %s", HC_CONTROL_FOLDER);
    } else if (gone->detail[0] != '\0') {
        snprintf(dst, cap, "no agent answers at %s (%s)", text.subject, text.detail);
    } else {
        snprintf(dst, cap, "no agent answers at %s", text.subject);
    }
    return dst;
}

static int fail(const char *command, const struct source *source, const struct hc_error *err)
{
    char gone[HC_ERROR_SUBJECT + HC_ERROR_DETAIL + 32];

    if (err->problem != HC_P_STORE_EMPTY) {
        return hc_client_fail(command, err);
    }
    (void)fprintf(
        stderr,
        "hotcert %s: %s, and there is no store at %s; name others with --control and --store\n",
        command, describe_gone(&source->gone, gone, sizeof(gone)), source->store);
    return HC_EXIT_UNAVAILABLE;
}

static int print_json(const json_t *certificates, const struct source *source)
{
    json_t *whole =
        json_pack("{s:s, s:O, s:O, s:O, s:O}", "source", source->agent ? "agent" : "store",
                  "certificates", certificates, "unanswered", source->unanswered, "loops",
                  source->loops, "agents", source->agents);

    json_dumpf(whole, stdout, JSON_INDENT(2) | JSON_ENSURE_ASCII);
    printf("\n");
    json_decref(whole);
    return 0;
}

static int print_text(const json_t *certificates, const struct source *source, struct hc_error *err)
{
    char gone[HC_ERROR_SUBJECT + HC_ERROR_DETAIL + 32];

    if (!source->agent) {
        describe_gone(&source->gone, gone, sizeof(gone));
        printf("N%s; showing the content of the store %s.\n", gone + 1, source->store);
    }
    return hc_list_table(certificates, hc_now(&hc_clock_system), stdout, err);
}

/* Agents that did not answer, beside others that did: their hosts are missing in what is shown. */
static void warn_of_unanswered(const char *command, const struct source *source)
{
    for (size_t i = 0; source->agent && i < json_array_size(source->unanswered); i++) {
        const json_t *one = json_array_get(source->unanswered, i);

        (void)fprintf(stderr, "hotcert %s: %s; the hosts of that server are not shown\n", command,
                      json_string_value(json_object_get(one, "message")));
    }
}

/* What --exit-code asks: does anything that is shown need somebody? */
static bool needs_somebody(const json_t *shown, const struct list_args *args,
                           const struct source *source, int64_t now)
{
    bool any = source->agent && json_array_size(source->unanswered) > 0;

    for (size_t i = 0; i < json_array_size(shown) && !any; i++) {
        /* of what expires soon, each is one */
        any = args->select.expiring >= 0 || hc_list_needs_somebody(json_array_get(shown, i), now);
    }
    return any;
}

static int show(const char *command, const struct list_args *args, const json_t *certificates,
                const struct source *source, struct hc_error *err)
{
    int64_t now = hc_now(&hc_clock_system);
    json_t *shown = hc_list_select(certificates, &args->select, now);
    const char *missing = hc_list_missing(certificates, &args->select);
    int code = HC_EXIT_FAILED;

    if (shown == NULL) {
        hc_error_nomem(err);
        return hc_client_fail(command, err);
    }
    if ((args->json ? print_json(shown, source) : print_text(shown, source, err)) != 0) {
        code = hc_client_fail(command, err);
        goto out;
    }
    warn_of_unanswered(command, source);
    if (missing != NULL) {
        hc_error_set(err, HC_P_NOT_FOUND, missing, NULL);
        code = hc_client_fail(command, err);
        goto out;
    }
    code =
        args->exit_code && needs_somebody(shown, args, source, now) ? HC_EXIT_FAILED : HC_EXIT_OK;
out:
    json_decref(shown);
    return code;
}

int hc_cmd_list(int argc, char **argv)
{
    struct list_args args = {.select = {.expiring = -1}};
    json_t *certificates = json_array();
    struct source source = {
        .loops = json_array(), .agents = json_array(), .unanswered = json_array()};
    struct hc_error err;
    int code = parse(argc, argv, &args);

    hc_error_init(&err);
    if (code != 0) {
        goto out;
    }
    code = collect(&args, certificates, &source, &err) != 0
               ? fail(argv[0], &source, &err)
               : show(argv[0], &args, certificates, &source, &err);
out:
    hc_list_dispose(&args.select.names);
    json_decref(source.loops);
    json_decref(source.agents);
    json_decref(source.unanswered);
    json_decref(certificates);
    return code;
}
