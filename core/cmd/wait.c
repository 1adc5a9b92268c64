/* `hotcert wait NAME..|--all --timeout T`; see the help in main.c. */
#include <string.h>
#include <time.h>

#include "base/spelling.h"
#include "base/time.h"
#include "cmd/client.h"
#include "cmd/cmd.h"

#define AGAIN_MS 200

struct wait_args {
    struct hc_list names;
    const char *control;
    bool all;
    int64_t timeout; /* seconds; -1: not given */
};

static int parse(int argc, char **argv, struct wait_args *args)
{
    static const char *const valued[] = {"--control", "--timeout", NULL};
    struct hc_error err;

    hc_error_init(&err);
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--all") == 0) {
            args->all = true;
        } else if (strcmp(argv[i], "--control") == 0 && i + 1 < argc) {
            args->control = argv[++i];
        } else if (strcmp(argv[i], "--timeout") == 0 && i + 1 < argc) {
            if (hc_duration_parse(argv[++i], &args->timeout, &err) != 0) {
                return hc_cmd_usage(argv[0], "--timeout %s: %s", argv[i], err.detail);
            }
        } else if (argv[i][0] == '-') {
            return hc_cmd_usage_argument(argv[0], argv[i], valued);
        } else {
            int code = hc_cmd_take_name(argv[0], argv[i], &args->names);

            if (code != 0) {
                return code;
            }
        }
    }
    if (args->all == (args->names.count > 0)) {
        return hc_cmd_usage(argv[0], "give names or --all");
    }
    if (args->timeout < 0 || args->timeout > 86400) {
        return hc_cmd_usage(argv[0], "--timeout is required; at most one day");
    }
    return 0;
}

static json_t *make_request(const struct wait_args *args, const char *name, int64_t left_ms)
{
    return json_pack("{s:s, s:[s*], s:b, s:I}", "command", "wait", "names", name, "all",
                     (int)args->all, "timeout", (json_int_t)((left_ms + 999) / 1000));
}

/* Asks one agent for one name (NULL: all). */
static int ask(const struct wait_args *args, const char *path, const char *name, int64_t deadline,
               struct hc_error *err)
{
    int64_t left = deadline - hc_now_ms(&hc_clock_system);
    json_t *request = make_request(args, name, left > 0 ? left : 0);
    json_t *reply = NULL;
    int rc = -1;

    if (hc_client_ask(path, request, (left > 0 ? left : 0) + 2000, &reply, err) == 0) {
        rc = hc_client_check(reply, err);
    }
    json_decref(request);
    json_decref(reply);
    return rc;
}

/* Until every agent that knows the name serves it. */
static int wait_for(const struct wait_args *args, const char *name, int64_t deadline,
                    struct hc_error *err)
{
    for (;;) {
        struct hc_list paths = {NULL, 0, 0};
        size_t served = 0;
        bool again = false;
        bool ended = false;
        struct hc_error last;

        hc_error_init(&last);
        if (hc_client_sockets(args->control, &paths, err) != 0) {
            return -1;
        }
        for (size_t i = 0; i < paths.count; i++) {
            struct hc_error one;

            hc_error_init(&one);
            if (ask(args, paths.items[i], name, deadline, &one) == 0) {
                served++;
                continue;
            }
            /* an agent that is being replaced comes back; an old socket nobody listens on does
             * not matter beside one that answers */
            ended = ended || one.problem == HC_P_AGENT_ENDED;
            again = again || ended || one.problem == HC_P_AGENT_GONE;
            if (!hc_error_is_set(&last) || last.problem == HC_P_NOT_FOUND ||
                hc_client_is_gone(&last)) {
                last = one;
            }
        }
        hc_list_dispose(&paths);
        if (served > 0 && !ended &&
            (!hc_error_is_set(&last) || last.problem == HC_P_NOT_FOUND ||
             last.problem == HC_P_AGENT_GONE)) {
            return 0;
        }
        if ((!again && hc_error_is_set(&last)) || hc_now_ms(&hc_clock_system) >= deadline) {
            hc_error_chain(err, &last);
            return hc_error_set(err, HC_P_AGENT_GONE, HC_CONTROL_FOLDER, NULL);
        }
        (void)nanosleep(&(struct timespec){0, AGAIN_MS * 1000000L}, NULL);
    }
}

/* What an agent says of the time that is over is what it still waited for. */
static int fail(const char *command, const struct wait_args *args, const struct hc_error *err)
{
    const struct hc_problem_row *row = hc_problem_row(err->problem);
    char hint[HC_ERROR_DETAIL];
    struct hc_error_text text;
    char time[32];

    if (err->problem != HC_P_TIMED_OUT || err->detail[0] == '\0') {
        return hc_client_fail(command, err);
    }
    hc_error_render(err, &text);
    (void)fprintf(stderr, "hotcert %s: not served after %s: %s (%s; %s)\n", command,
                  hc_duration_format(args->timeout, time, sizeof(time)), text.detail, row->slug,
                  hc_spell(row->hint, hint, sizeof(hint)));
    return hc_client_exit(err);
}

int hc_cmd_wait(int argc, char **argv)
{
    struct wait_args args = {{NULL, 0, 0}, NULL, false, -1};
    struct hc_error err;
    int64_t deadline = 0;
    int code = parse(argc, argv, &args);
    int rc = 0;

    hc_error_init(&err);
    if (code != 0) {
        goto out;
    }
    deadline = hc_now_ms(&hc_clock_system) + args.timeout * 1000;
    if (args.all) {
        rc = wait_for(&args, NULL, deadline, &err);
    }
    for (size_t i = 0; i < args.names.count && rc == 0; i++) {
        rc = wait_for(&args, args.names.items[i], deadline, &err);
    }
    if (rc != 0) {
        code = fail(argv[0], &args, &err);
    }
out:
    hc_list_dispose(&args.names);
    return code;
}
