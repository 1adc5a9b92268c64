/* Asking agents; see client.h. */
#include "cmd/client.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/io.h"
#include "base/time.h"
#include "cmd/cmd.h"

#define REPLY_MAX   ((size_t)64 << 20)
#define SOCKETS_MAX 64

static bool is_socket(const char *path)
{
    struct stat st;

    return lstat(path, &st) == 0 && S_ISSOCK(st.st_mode);
}

static bool is_folder(const char *path)
{
    struct stat st;

    return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

int hc_client_sockets(const char *control, struct hc_list *paths, struct hc_error *err)
{
    const char *folder = control != NULL ? control : HC_CONTROL_FOLDER;
    const struct dirent *entry = NULL;
    char path[PATH_MAX];
    DIR *dir = NULL;
    int rc = 0;

    if (control != NULL && !is_folder(control)) {
        return hc_list_add(paths, control, err);
    }
    dir = opendir(folder);
    while (dir != NULL && rc == 0 && paths->count < SOCKETS_MAX && (entry = readdir(dir)) != NULL) {
        int n = snprintf(path, sizeof(path), "%s/%s", folder, entry->d_name);

        if (n > 0 && n < (int)sizeof(path) && is_socket(path)) {
            rc = hc_list_add(paths, path, err);
        }
    }
    if (dir != NULL) {
        closedir(dir);
    }
    hc_list_sort_unique(paths);
    return rc;
}

static int connect_to(const char *path, int *out, struct hc_error *err)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = -1;

    if (!hc_copy(address.sun_path, sizeof(address.sun_path), path)) {
        return hc_error_set(err, HC_P_TOO_LARGE, path, "a socket's path has at most %zu bytes",
                            sizeof(address.sun_path) - 1);
    }
    fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0) {
        return hc_error_set_errno(err, HC_P_SYSTEM, path, errno, "creating a socket");
    }
    if (connect(fd, (const struct sockaddr *)&address, sizeof(address)) != 0) {
        hc_error_set_errno(err, errno == EACCES ? HC_P_FORBIDDEN : HC_P_AGENT_GONE, path, errno,
                           NULL);
        close(fd);
        return -1;
    }
    *out = fd;
    return 0;
}

static int send_all(int fd, const char *text, const char *path, struct hc_error *err)
{
    size_t len = strlen(text);

    while (len > 0) {
        ssize_t n = send(fd, text, len, MSG_NOSIGNAL);

        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n < 0) {
            return hc_error_set_errno(err, HC_P_AGENT_ENDED, path, errno, NULL);
        }
        text += n;
        len -= (size_t)n;
    }
    return 0;
}

static int receive_line(int fd, int64_t deadline_ms, const char *path, struct hc_buf *line,
                        struct hc_error *err)
{
    char chunk[16384];

    for (;;) {
        int64_t left = deadline_ms - hc_now_ms(&hc_clock_system);
        struct pollfd poller = {.fd = fd, .events = POLLIN};
        ssize_t n = 0;

        if (left <= 0) {
            /* the server holds the socket also while no agent is there to take a question */
            return hc_error_set(
                err, HC_P_AGENT_GONE, path,
                "it accepts connections, but no agent answered in time: the agent may be starting, "
                "or its keeper has ended (nginx -s reload restarts it)");
        }
        if (poll(&poller, 1, left < 1000 ? (int)left : 1000) <= 0) {
            continue;
        }
        n = recv(fd, chunk, sizeof(chunk), MSG_DONTWAIT);
        if (n < 0 && (errno == EINTR || errno == EAGAIN)) {
            continue;
        }
        if (n <= 0) {
            return hc_error_set(err, HC_P_AGENT_ENDED, path, NULL);
        }
        if (hc_buf_append(line, chunk, (size_t)n, err) != 0) {
            return -1;
        }
        if (chunk[n - 1] == '\n') {
            return 0;
        }
    }
}

int hc_client_ask(const char *path, const json_t *request, int64_t timeout_ms, json_t **reply,
                  struct hc_error *err)
{
    struct hc_buf line = HC_BUF_INIT(REPLY_MAX);
    char *text = json_dumps(request, JSON_COMPACT | JSON_ENSURE_ASCII);
    struct hc_error unsent;
    json_error_t where;
    bool sent = false;
    int fd = -1;
    int rc = -1;

    hc_error_init(&unsent);
    if (text == NULL) {
        hc_error_nomem(err);
        goto out;
    }
    if (connect_to(path, &fd, err) != 0) {
        goto out;
    }
    /* who is refused at the door finds it closed, and the reason behind it */
    sent = send_all(fd, text, path, &unsent) == 0 && send_all(fd, "\n", path, &unsent) == 0;
    if (receive_line(fd, hc_now_ms(&hc_clock_system) + timeout_ms, path, &line,
                     sent ? err : &unsent) != 0) {
        if (!sent) {
            hc_error_chain(err, &unsent);
        }
        goto out;
    }
    *reply = json_loadb((const char *)line.data, line.len, JSON_REJECT_DUPLICATES, &where);
    if (*reply == NULL) {
        hc_error_set(err, HC_P_PROTOCOL, path, "the answer is not JSON");
        goto out;
    }
    rc = 0;
out:
    hc_io_close(fd);
    free(text);
    hc_buf_dispose(&line);
    return rc;
}

int hc_client_check(const json_t *reply, struct hc_error *err)
{
    const char *slug = json_string_value(json_object_get(reply, "problem"));
    const char *subject = json_string_value(json_object_get(reply, "subject"));
    const char *detail = json_string_value(json_object_get(reply, "detail"));
    enum hc_problem p = slug != NULL ? hc_problem_by_slug(slug) : HC_P_NONE;

    if (json_is_true(json_object_get(reply, "ok"))) {
        return 0;
    }
    if (detail == NULL) {
        /* an agent that was started before the program was replaced: only its line is there */
        detail = json_string_value(json_object_get(reply, "message"));
    }
    if (err != NULL && err->problem == HC_P_NONE) {
        hc_error_restore(err, p != HC_P_NONE ? p : HC_P_PROTOCOL, subject, NULL, detail, NULL);
    }
    return -1;
}

bool hc_client_is_gone(const struct hc_error *err)
{
    return err->problem == HC_P_AGENT_GONE || err->problem == HC_P_AGENT_ENDED;
}

int hc_client_exit(const struct hc_error *err)
{
    if (hc_client_is_gone(err)) {
        return HC_EXIT_UNAVAILABLE;
    }
    if (err->problem == HC_P_TIMED_OUT) {
        return HC_EXIT_TIMED_OUT;
    }
    return err->problem == HC_P_FORBIDDEN ? HC_EXIT_FORBIDDEN : HC_EXIT_FAILED;
}

int hc_client_fail(const char *command, const struct hc_error *err)
{
    char text[HC_ERROR_DETAIL + HC_ERROR_SUBJECT + 512];

    fprintf(stderr, "hotcert %s: %s\n", command, hc_error_show(err, text, sizeof(text)));
    return hc_client_exit(err);
}
