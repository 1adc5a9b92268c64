/* Stores of this machine, read by processes without rights; see stores.h. */
#include "cmd/stores.h"

#include <errno.h>
#include <openssl/crypto.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/io.h"
#include "base/secret.h"
#include "cmd/client.h"
#include "cmd/input.h"

#define DEFAULT_STORE "/var/lib/hotcert/store"
#define ASK_MS        3000

/* The store of each agent that answers; the others do not matter here. */
static int add_agents(struct hc_list *folders, struct hc_error *err)
{
    struct hc_list sockets = {0};
    json_t *request = json_pack("{s:s}", "command", "list");
    int rc = hc_client_sockets(NULL, &sockets, err);

    for (size_t i = 0; rc == 0 && i < sockets.count; i++) {
        struct hc_error ignored = {0};
        json_t *reply = NULL;
        const char *store = NULL;

        if (hc_client_ask(sockets.items[i], request, ASK_MS, &reply, &ignored) == 0) {
            store = json_string_value(json_object_get(reply, "store"));
        }
        if (store != NULL && !hc_list_has(folders, store)) {
            rc = hc_list_add(folders, store, err);
        }
        json_decref(reply);
    }
    json_decref(request);
    hc_list_dispose(&sockets);
    return rc;
}

int hc_stores_find(struct hc_list *folders, struct hc_error *err)
{
    if (add_agents(folders, err) != 0) {
        return -1;
    }
    return hc_list_has(folders, DEFAULT_STORE) ? 0 : hc_list_add(folders, DEFAULT_STORE, err);
}

/* ---- in the process that reads ---- */

static int read_store(const char *folder, const char *secret_file, hc_stores_reader *reader,
                      const void *arg, struct hc_buf *out, struct hc_error *err)
{
    unsigned char secret[HC_SECRET_SIZE];
    struct hc_store *store = NULL;
    int rc = -1;

    /* the secret is root's, the store is not */
    if (hc_input_secret(folder, secret_file, secret, err) == 0 &&
        hc_input_take_rights(folder, err) == 0 &&
        hc_store_open(folder, HC_STORE_READ, secret, NULL, &store, err) == 0) {
        rc = reader(store, arg, out, err);
    }
    hc_store_close(store);
    OPENSSL_cleanse(secret, sizeof(secret));
    return rc;
}

/* The error, unset if all went well, and what was read. */
static int answer(int fd, const char *folder, const char *secret, hc_stores_reader *reader,
                  const void *arg, size_t max)
{
    struct hc_buf out = HC_BUF_INIT(max);
    struct hc_error err = {0};
    int rc = -1;

    if (read_store(folder, secret, reader, arg, &out, &err) != 0) {
        hc_buf_reset(&out);
    }
    if (hc_io_write_all(fd, &err, sizeof(err)) == 0) {
        rc = hc_io_write_all(fd, out.data, out.len);
    }
    hc_buf_dispose(&out);
    return rc;
}

/* ---- in the process that asks ---- */

static ssize_t read_some(int fd, void *to, size_t len)
{
    ssize_t n = 0;

    do {
        n = read(fd, to, len);
    } while (n < 0 && errno == EINTR);
    return n;
}

static int take_error(int fd, struct hc_error *theirs)
{
    size_t len = 0;

    while (len < sizeof(*theirs)) {
        ssize_t n = read_some(fd, (char *)theirs + len, sizeof(*theirs) - len);

        if (n <= 0) {
            return -1;
        }
        len += (size_t)n;
    }
    return 0;
}

static int take_answer(int fd, const char *folder, struct hc_buf *out, struct hc_error *err)
{
    struct hc_error theirs = {0};
    unsigned char part[4096];
    ssize_t n = 0;

    if (take_error(fd, &theirs) != 0) {
        return hc_error_set(err, HC_P_SYSTEM, folder, "the process that reads it ended");
    }
    if (hc_error_is_set(&theirs)) {
        return hc_error_chain(err, &theirs);
    }
    while ((n = read_some(fd, part, sizeof(part))) > 0) {
        if (hc_buf_append(out, part, (size_t)n, err) != 0) {
            return -1;
        }
    }
    return n == 0 ? 0 : hc_error_set_errno(err, HC_P_SYSTEM, folder, errno, "reading an answer");
}

int hc_stores_read(const char *folder, const char *secret, hc_stores_reader *reader,
                   const void *arg, struct hc_buf *out, struct hc_error *err)
{
    int fds[2];
    pid_t pid = -1;
    int rc = -1;

    if (pipe(fds) != 0) {
        return hc_error_set_errno(err, HC_P_SYSTEM, folder, errno, "creating a pipe");
    }
    pid = fork();
    if (pid == 0) {
        close(fds[0]);
        _exit(answer(fds[1], folder, secret, reader, arg, out->max - out->len) == 0 ? 0 : 1);
    }
    close(fds[1]);
    rc = pid > 0 ? take_answer(fds[0], folder, out, err)
                 : hc_error_set_errno(err, HC_P_SYSTEM, folder, errno, "a process that reads it");
    close(fds[0]);
    while (pid > 0 && waitpid(pid, NULL, 0) < 0 && errno == EINTR) {
    }
    return rc;
}
