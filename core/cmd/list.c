/* `hotcert list`; see the help in main.c. */
#include <errno.h>
#include <grp.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/inventory.h"
#include "agent/status.h"
#include "cmd/client.h"
#include "cmd/cmd.h"

#define ASK_MS        30000
#define DEFAULT_STORE "/var/lib/hotcert/store"
#define NAMES_WIDTH   34

struct list_args {
    const char *control;
    const char *store;
    bool json;
};

static int parse(int argc, char **argv, struct list_args *args)
{
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--json") == 0) {
            args->json = true;
        } else if (strcmp(argv[i], "--control") == 0 && i + 1 < argc) {
            args->control = argv[++i];
        } else if (strcmp(argv[i], "--store") == 0 && i + 1 < argc) {
            args->store = argv[++i];
        } else {
            return hc_cmd_usage(argv[0], "what is %s?", argv[i]);
        }
    }
    return 0;
}

/* ---- where it comes from ---- */

/* Adds what this agent knows, with the server's name in each object. */
static int ask(const char *path, json_t *certificates, struct hc_error *err)
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

/* Root looks at a folder of the worker user's with that user's rights. */
static int drop_to_owner(const char *path, struct hc_error *err)
{
    struct stat st;

    if (geteuid() != 0 || stat(path, &st) != 0 || st.st_uid == 0) {
        return 0;
    }
    if (setgroups(0, NULL) != 0 || setgid(st.st_gid) != 0 || setuid(st.st_uid) != 0) {
        return hc_error_set_errno(err, HC_P_SYSTEM, path, errno, "taking its owner's rights");
    }
    return 0;
}

static int read_store(const char *path, json_t *certificates, struct hc_error *err)
{
    struct hc_store *store = NULL;
    int rc = -1;

    if (drop_to_owner(path, err) == 0 &&
        hc_store_open(path, HC_STORE_READ, NULL, NULL, &store, err) == 0) {
        rc = hc_store_each(store, add_info, certificates, err);
    }
    hc_store_close(store);
    return rc;
}

/* From every agent that answers, else from the store. */
static int collect(const struct list_args *args, json_t *certificates, const char **source,
                   struct hc_error *err)
{
    struct hc_list paths = {NULL, 0, 0};
    struct hc_error last;
    size_t answered = 0;
    int rc = 0;

    hc_error_init(&last);
    if (hc_client_sockets(args->control, &paths, err) != 0) {
        return -1;
    }
    for (size_t i = 0; i < paths.count; i++) {
        struct hc_error one;

        hc_error_init(&one);
        if (ask(paths.items[i], certificates, &one) == 0) {
            answered++;
        } else if (!hc_error_is_set(&last) || hc_client_is_gone(&last)) {
            last = one;
        }
    }
    hc_list_dispose(&paths);
    *source = "agent";
    if (answered > 0) {
        return 0;
    }
    if (hc_error_is_set(&last) && !hc_client_is_gone(&last)) {
        *err = last;
        return -1;
    }
    *source = "store";
    rc = read_store(args->store != NULL ? args->store : DEFAULT_STORE, certificates, err);
    return rc;
}

/* ---- how it is shown ---- */

static const char *text_of(const json_t *object, const char *key, const char *otherwise)
{
    const char *text = json_string_value(json_object_get(object, key));

    return text != NULL && text[0] != '\0' ? text : otherwise;
}

static void print_escaped(const char *text, int width)
{
    char escaped[HC_FOREIGN_MAX];

    printf("%-*s", width, hc_escape(escaped, sizeof(escaped), text, strlen(text)));
}

/* The first name, and how many more. */
static void print_names(const json_t *object)
{
    const json_t *names = json_object_get(object, "names");
    const char *first = json_string_value(json_array_get(names, 0));
    char text[300];
    size_t more = json_array_size(names);

    snprintf(text, sizeof(text), more > 1 ? "%.200s +%zu" : "%.200s", first != NULL ? first : "-",
             more > 1 ? more - 1 : 0);
    print_escaped(text, NAMES_WIDTH);
    printf(" ");
}

static void print_one(const json_t *object)
{
    const json_t *error = json_object_get(object, "error");

    print_names(object);
    print_escaped(text_of(object, "key_type", "-"), 10);
    printf(" ");
    print_escaped(text_of(object, "issuer", text_of(object, "mode", "-")), 14);
    printf(" ");
    print_escaped(text_of(object, "not_after", "-"), 21);
    printf(" ");
    print_escaped(text_of(object, "state", "-"), 15);
    printf(" ");
    print_escaped(text_of(object, "next_try", "-"), 20);
    printf("\n");
    if (json_is_object(error)) {
        printf("    %s: ", text_of(error, "at", "-"));
        print_escaped(text_of(error, "message", "-"), 0);
        printf("\n");
    }
}

static void print_all(const json_t *certificates, const char *source)
{
    if (strcmp(source, "store") == 0) {
        printf("No agent answers; this is what the store holds.\n");
    }
    printf("%-*s %-10s %-14s %-21s %-15s %s\n", NAMES_WIDTH, "NAMES", "KEY", "ISSUER", "EXPIRES",
           "STATE", "NEXT");
    for (size_t i = 0; i < json_array_size(certificates); i++) {
        print_one(json_array_get(certificates, i));
    }
}

int hc_cmd_list(int argc, char **argv)
{
    struct list_args args = {NULL, NULL, false};
    json_t *certificates = json_array();
    json_t *whole = NULL;
    const char *source = "";
    struct hc_error err;
    int code = parse(argc, argv, &args);

    hc_error_init(&err);
    if (code != 0) {
        goto out;
    }
    if (collect(&args, certificates, &source, &err) != 0) {
        code = hc_client_fail(argv[0], &err);
        goto out;
    }
    if (args.json) {
        whole = json_pack("{s:s, s:O}", "source", source, "certificates", certificates);
        json_dumpf(whole, stdout, JSON_INDENT(2) | JSON_ENSURE_ASCII);
        printf("\n");
        json_decref(whole);
    } else {
        print_all(certificates, source);
    }
out:
    json_decref(certificates);
    return code;
}
