/* What a CA says: directories, orders, authorizations, problem documents, windows. */
#include <string.h>

#include "acme/ari.h"
#include "acme/challenge.h"
#include "acme/directory.h"
#include "acme/json.h"
#include "acme/problem.h"
#include "acme/resource.h"

#define DIRECTORY "https://ca.test/dir"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Whatever is taken over was checked: nothing of another scheme, no name that is none. */
static void check_order(struct hc_bytes text)
{
    struct hc_order_resource order = {0};
    struct hc_error err;

    hc_error_init(&err);
    if (hc_order_resource_parse(text, DIRECTORY, DIRECTORY, &order, &err) != 0) {
        if (!hc_error_is_set(&err) || order.names.count != 0 || order.finalize != NULL) {
            __builtin_trap();
        }
    } else if (order.names.count == 0 || strncasecmp(order.finalize, "https:", 6) != 0) {
        __builtin_trap();
    }
    hc_order_resource_dispose(&order);
}

static void check_authorization(struct hc_bytes text)
{
    struct hc_authorization a = {0};
    struct hc_error err;

    hc_error_init(&err);
    if (hc_authorization_parse(text, DIRECTORY, &a, &err) == 0 &&
        (a.name[0] == '\0' || a.challenge_count > HC_CHALLENGES_MAX)) {
        __builtin_trap();
    }
    hc_authorization_dispose(&a);
}

static void check_problem(struct hc_bytes text)
{
    struct hc_http_reply reply = {.status = 400, .content_type = "", .body = text};
    json_t *problem = NULL;
    struct hc_error err;
    char name[HC_NAME_SIZE];

    hc_error_init(&err);
    hc_acme_problem_reply(&reply, DIRECTORY, NULL, &err);
    for (const char *p = err.detail; *p != '\0'; p++) {
        if (*p < 0x20 || *p > 0x7e) {
            __builtin_trap();
        }
    }
    if (hc_json_object(text, DIRECTORY, &problem, NULL) == 0) {
        hc_error_init(&err);
        for (size_t i = 0; hc_acme_subproblem(problem, i, NULL, name, &err); i++) {
            hc_error_init(&err);
        }
        json_decref(problem);
    }
}

/* A window has a length, and an instant of it is in it. */
static void check_window(struct hc_bytes text)
{
    struct hc_ari_window window;
    struct hc_error err;
    int64_t at = 0;

    hc_error_init(&err);
    if (hc_ari_parse(text, &window, &err) != 0) {
        if (!hc_error_is_set(&err) || window.explanation != NULL) {
            __builtin_trap();
        }
        return;
    }
    at = hc_ari_instant(window.start, window.end, "key.serial");
    if (at < window.start || at >= window.end) {
        __builtin_trap();
    }
    for (const char *p = window.explanation; p != NULL && *p != '\0'; p++) {
        if (*p <= 0x20 || *p > 0x7e) {
            __builtin_trap();
        }
    }
    hc_ari_window_dispose(&window);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct hc_bytes text = {data, size};
    struct hc_directory directory = {0};
    struct hc_error err;

    hc_error_init(&err);
    if (hc_directory_parse(text, DIRECTORY, &directory, &err) == 0 &&
        strncasecmp(directory.new_order, "https:", 6) != 0) {
        __builtin_trap();
    }
    hc_directory_dispose(&directory);
    check_window(text);
    check_order(text);
    check_authorization(text);
    check_problem(text);
    return 0;
}
