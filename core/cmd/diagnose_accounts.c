/* Accounts of the stores at hand; see diagnose_accounts.h. */
#include "cmd/diagnose_accounts.h"

#include <errno.h>
#include <openssl/crypto.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "agent/account.h"
#include "base/secret.h"
#include "cmd/client.h"
#include "cmd/input.h"
#include "store/record.h"

#define DEFAULT_STORE "/var/lib/hotcert/store"
#define ASK_MS        3000
#define URL_MAX       2048

/* What the reader of one store hands over; an account without a URL was never registered. */
struct answer {
    struct hc_error error;
    char url[URL_MAX];
};

static int read_account(const char *path, const char *secret_file, const char *directory_url,
                        struct answer *out)
{
    unsigned char secret[HC_SECRET_SIZE];
    struct hc_buf text = HC_BUF_INIT_SECRET((size_t)64 << 10);
    struct hc_acme_account account = {NULL, NULL};
    struct hc_store *store = NULL;
    int rc = -1;

    /* the secret is root's, the store is not */
    if (hc_input_secret(path, secret_file, secret, &out->error) != 0 ||
        hc_input_take_rights(path, &out->error) != 0 ||
        hc_store_open(path, HC_STORE_READ, secret, NULL, &store, &out->error) != 0 ||
        hc_store_get(store, "account", directory_url, &text, &out->error) != 0 ||
        hc_account_decode(hc_bytes_of(&text), &account, &out->error) != 0) {
        goto out;
    }
    if (account.url != NULL && !hc_copy(out->url, sizeof(out->url), account.url)) {
        out->url[0] = '\0';
    }
    rc = 0;
out:
    hc_account_dispose(&account);
    hc_buf_dispose(&text);
    hc_store_close(store);
    OPENSSL_cleanse(secret, sizeof(secret));
    return rc;
}

static int take_answer(int fd, struct answer *out)
{
    size_t len = 0;

    while (len < sizeof(*out)) {
        ssize_t n = read(fd, (char *)out + len, sizeof(*out) - len);

        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n <= 0) {
            return -1;
        }
        len += (size_t)n;
    }
    return 0;
}

/* Reads one store in a child, which gives its rights up for good. */
static int ask_store(const char *path, const char *secret_file, const char *directory_url,
                     struct answer *out, struct hc_error *err)
{
    struct answer answer = {.url = ""};
    int fds[2];
    pid_t pid = -1;
    int rc = -1;

    if (pipe(fds) != 0) {
        return hc_error_set_errno(err, HC_P_SYSTEM, path, errno, "a pipe");
    }
    pid = fork();
    if (pid == 0) {
        (void)read_account(path, secret_file, directory_url, &answer);
        _exit(write(fds[1], &answer, sizeof(answer)) == (ssize_t)sizeof(answer) ? 0 : 1);
    }
    close(fds[1]);
    if (pid > 0) {
        rc = take_answer(fds[0], out);
        while (waitpid(pid, NULL, 0) < 0 && errno == EINTR) {
        }
    }
    close(fds[0]);
    if (rc != 0) {
        return hc_error_set(err, HC_P_SYSTEM, path, "the process that reads it ended");
    }
    if (hc_error_is_set(&out->error)) {
        *err = out->error;
        return -1;
    }
    return 0;
}

/* The store of each agent that answers; the others do not matter here. */
static int add_agents(struct hc_list *stores, struct hc_error *err)
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
        if (store != NULL && !hc_list_has(stores, store)) {
            rc = hc_list_add(stores, store, err);
        }
        json_decref(reply);
    }
    json_decref(request);
    hc_list_dispose(&sockets);
    return rc;
}

static int find_stores(const struct hc_list *named, struct hc_list *stores, struct hc_error *err)
{
    if (named->count > 0) {
        return hc_list_copy(stores, named, err);
    }
    if (add_agents(stores, err) != 0) {
        return -1;
    }
    return hc_list_has(stores, DEFAULT_STORE) ? 0 : hc_list_add(stores, DEFAULT_STORE, err);
}

int hc_diagnose_accounts(const char *directory_url, const struct hc_list *named, const char *secret,
                         struct hc_list *accounts, struct hc_error *err)
{
    struct hc_list stores = {0};
    int rc = find_stores(named, &stores, err);

    for (size_t i = 0; rc == 0 && i < stores.count; i++) {
        struct answer answer = {.url = ""};
        struct hc_error why = {0};

        if (ask_store(stores.items[i], secret, directory_url, &answer, &why) != 0) {
            /* a store without an account at this CA has none to compare */
            if (named->count > 0 && why.problem != HC_P_STORE_EMPTY) {
                *err = why;
                rc = -1;
            }
        } else if (answer.url[0] != '\0' && (hc_list_add(accounts, answer.url, err) != 0 ||
                                             hc_list_add(accounts, stores.items[i], err) != 0)) {
            rc = -1;
        }
    }
    hc_list_dispose(&stores);
    return rc;
}
