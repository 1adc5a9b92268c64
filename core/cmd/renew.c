/* `hotcert renew NAME [--force]`; see the help in main.c. */
#include <string.h>

#include "cmd/client.h"
#include "cmd/cmd.h"
#include "conf/name.h"

#define ASK_MS 30000

struct renew_args {
    const char *name;
    const char *control;
    bool force;
};

static int parse(int argc, char **argv, struct renew_args *args)
{
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--force") == 0) {
            args->force = true;
        } else if (strcmp(argv[i], "--control") == 0 && i + 1 < argc) {
            args->control = argv[++i];
        } else if (argv[i][0] == '-') {
            return hc_cmd_usage(argv[0], "what is %s?", argv[i]);
        } else if (args->name == NULL) {
            args->name = argv[i];
        } else {
            return hc_cmd_usage(argv[0], "one name at a time");
        }
    }
    return args->name != NULL ? 0 : hc_cmd_usage(argv[0], "which name?");
}

/* What the agents said, summed up. */
struct sum {
    json_int_t found;
    json_int_t orders;
};

static int ask(const char *path, const json_t *request, struct sum *sum, struct hc_error *err)
{
    json_t *reply = NULL;
    int rc = -1;

    if (hc_client_ask(path, request, ASK_MS, &reply, err) == 0 &&
        hc_client_check(reply, err) == 0) {
        sum->found += json_integer_value(json_object_get(reply, "found"));
        sum->orders += json_integer_value(json_object_get(reply, "orders"));
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

int hc_cmd_renew(int argc, char **argv)
{
    struct renew_args args = {NULL, NULL, false};
    struct hc_list paths = {NULL, 0, 0};
    struct sum sum = {0, 0};
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
    request =
        json_pack("{s:s, s:s, s:b}", "command", "renew", "name", name, "force", (int)args.force);
    if (hc_client_sockets(args.control, &paths, &err) != 0 ||
        ask_all(&paths, request, &sum, &err) != 0) {
        code = hc_client_fail(argv[0], &err);
    } else if (sum.orders > 0) {
        printf("%s: renewal is under way; `hotcert wait %s --timeout 2m` waits for it\n", name,
               name);
    } else {
        printf("%s: nothing is due; --force orders all the same\n", name);
    }
    json_decref(request);
    hc_list_dispose(&paths);
    return code;
}
