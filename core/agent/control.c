/*
 * The control socket: one request a connection, a line of JSON each way, bounded and non-blocking.
 * Only root and the agent's own user come in (caller.h): `renew` is root's, everything else both's;
 * where the server was not started as root, that user is as good.
 *
 *   {"command":"list"}                                   -> {"ok":true,"certificates":[..]}
 *   {"command":"renew","name":N,"force":bool,"new_account":bool}
 *        -> {"ok":true,"found":n,"orders":n,"before":T,"waits":STATE,"watched":[..]}: what it
 * failed of, why it is not ordered now, and what a look at watched files found
 *   {"command":"renew","failed":true|"all":true,"force":bool} -> {"ok":true,"renewed":[..]}: the
 *        same for each host, with its "name", and with "problem" if it was tried too often
 *   {"command":"wait","names":[..]|"all":true,"timeout":s} -> {"ok":true} once they are served
 *   any                  -> {"ok":false,"problem":S,"subject":T,"detail":T,"message":T}: the parts
 *                           of an hc_error, and the line that they make
 */
#include "agent/control.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "agent/caller.h"
#include "agent/jobs.h"
#include "agent/renew.h"
#include "agent/status.h"
#include "agent/status_loop.h"
#include "agent/watches.h"
#include "conf/name.h"

#define CLIENTS      16
#define ROOTS_PLACES 4  /* of them */
#define ACCEPT_MOST  64 /* connections taken in one pass */
#define REQUEST_MAX  ((size_t)256 << 10)
#define REPLY_MAX    ((size_t)64 << 20)
#define IDLE_MS      10000 /* to say or read something */
#define WAIT_MOST_S  86400
#define PENDING_MAX  4 /* hosts that a refusal names */

struct client {
    const struct hc_parts *parts;
    struct hc_loop_fd guest; /* its socket; fd -1: free */
    uid_t uid;
    struct hc_buf in;
    struct hc_buf out;
    size_t sent;
    bool answered;
    bool waiting;               /* for names to be served */
    struct hc_renewal *renewal; /* whose looks are waited for, or NULL */
    bool all;
    size_t waits_for; /* the identity that was not served at the latest look */
    struct hc_list names;
    int64_t deadline_ms;
};

struct hc_control {
    const struct hc_parts *parts;
    struct hc_loop_fd door; /* where they connect */
    struct client clients[CLIENTS];
};

static void client_close(struct client *client)
{
    const struct hc_parts *parts = client->parts;

    hc_loop_fd_remove(&client->guest);
    if (client->guest.fd >= 0) {
        close(client->guest.fd);
    }
    hc_buf_dispose(&client->in);
    hc_buf_dispose(&client->out);
    hc_list_dispose(&client->names);
    hc_renewal_free(client->renewal);
    memset(client, 0, sizeof(*client));
    client->parts = parts;
    client->guest.fd = -1;
}

static void on_door(void *self, unsigned events);

int hc_control_new(const struct hc_parts *parts, int fd, struct hc_control **out,
                   struct hc_error *err)
{
    struct hc_control *control = calloc(1, sizeof(*control));

    if (control == NULL) {
        return hc_error_nomem(err);
    }
    control->parts = parts;
    for (size_t i = 0; i < CLIENTS; i++) {
        control->clients[i].parts = parts;
        control->clients[i].guest.fd = -1;
    }
    control->door = (struct hc_loop_fd){fd, HC_LOOP_READ, "control", on_door, control, NULL};
    if (fd >= 0 && hc_loop_fd_add(parts->env.loop, &control->door, err) != 0) {
        free(control);
        return -1;
    }
    *out = control;
    return 0;
}

void hc_control_free(struct hc_control *control)
{
    if (control == NULL) {
        return;
    }
    hc_loop_fd_remove(&control->door);
    for (size_t i = 0; i < CLIENTS; i++) {
        client_close(&control->clients[i]);
    }
    free(control);
}

/* ---- answers ---- */

/* Takes the object. A client that cannot be answered is closed. */
static void answer(const struct hc_parts *parts, struct client *client, json_t *object)
{
    char *text = object != NULL ? json_dumps(object, JSON_COMPACT | JSON_ENSURE_ASCII) : NULL;
    struct hc_error err;

    hc_error_init(&err);
    hc_list_dispose(&client->names);
    client->waiting = false;
    client->answered = true;
    client->deadline_ms = hc_env_ms(&parts->env) + IDLE_MS;
    if (text == NULL || hc_buf_puts(&client->out, text, &err) != 0 ||
        hc_buf_puts(&client->out, "\n", &err) != 0 ||
        hc_loop_fd_change(&client->guest, HC_LOOP_READ | HC_LOOP_WRITE, &err) != 0) {
        client_close(client);
    }
    free(text);
    json_decref(object);
}

static void refuse(const struct hc_parts *parts, struct client *client, enum hc_problem p,
                   const char *subject, const char *detail)
{
    answer(parts, client, hc_caller_refusal(p, subject, detail));
}

/* ---- requests ---- */

static bool is_known(const struct hc_parts *parts, const char *name)
{
    for (size_t i = 0; i < parts->env.conf->identity_count; i++) {
        if (hc_watches_name(parts->watches, i, name)) {
            return true;
        }
    }
    return false;
}

static void do_list(const struct hc_parts *parts, struct client *client)
{
    struct hc_model *model = NULL;
    json_t *object = NULL;
    struct hc_error err;

    hc_error_init(&err);
    if (hc_model_new(parts, &model, &err) == 0) {
        object = hc_status_of(model);
        json_object_set_new(object, "ok", json_true());
        json_object_set_new(object, "loop", hc_status_loop(hc_loop_activities(parts->env.loop)));
    }
    hc_model_free(model);
    answer(parts, client, object);
}

/* Answers when the looks at watched files are over, or take too long. */
static void end_renewal(const struct hc_parts *parts, struct client *client)
{
    json_t *object = hc_renewal_answer(client->renewal);

    hc_renewal_free(client->renewal);
    client->renewal = NULL;
    answer(parts, client, object);
}

static void do_renew(const struct hc_parts *parts, struct client *client, const json_t *request)
{
    struct hc_error err;

    hc_error_init(&err);
    if (hc_renewal_new(parts, request, &client->renewal, &err) != 0) {
        refuse(parts, client, err.problem, err.subject, err.detail);
    } else if (hc_renewal_is_ready(client->renewal)) {
        end_renewal(parts, client);
    } else {
        client->deadline_ms = hc_env_ms(&parts->env) + IDLE_MS;
    }
}

static bool names_from(const json_t *array, struct hc_list *names)
{
    char name[HC_NAME_SIZE];
    struct hc_error err;

    hc_error_init(&err);
    for (size_t i = 0; i < json_array_size(array); i++) {
        const char *raw = json_string_value(json_array_get(array, i));

        if (raw == NULL || hc_name_normalise(raw, name, &err) != 0 ||
            hc_list_add(names, name, &err) != 0) {
            return false;
        }
    }
    return true;
}

static void do_wait(const struct hc_parts *parts, struct client *client, const json_t *request)
{
    int64_t timeout = (int64_t)json_integer_value(json_object_get(request, "timeout"));

    client->all = json_is_true(json_object_get(request, "all"));
    if (timeout < 0 || timeout > WAIT_MOST_S ||
        !names_from(json_object_get(request, "names"), &client->names)) {
        refuse(parts, client, HC_P_PROTOCOL, NULL, "names or timeout");
        return;
    }
    for (size_t i = 0; i < client->names.count; i++) {
        if (!is_known(parts, client->names.items[i]) && hc_watches_are_known(parts->watches)) {
            refuse(parts, client, HC_P_NOT_FOUND, client->names.items[i], "");
            return;
        }
    }
    client->waiting = true;
    client->deadline_ms = hc_env_ms(&parts->env) + timeout * 1000;
}

/* What changes something is root's alone; where the server is not root's, also its user's. */
static bool may_change(const struct hc_parts *parts, const struct client *client)
{
    return client->uid == 0 || parts->env.conf->user == NULL;
}

static void handle_request(const struct hc_parts *parts, struct client *client)
{
    json_error_t where;
    json_t *request =
        json_loadb((const char *)client->in.data, client->in.len, JSON_REJECT_DUPLICATES, &where);
    const char *command = json_string_value(json_object_get(request, "command"));
    bool change = command != NULL && strcmp(command, "renew") == 0;

    if (command == NULL) {
        refuse(parts, client, HC_P_PROTOCOL, NULL, "not a request");
    } else if (change && !may_change(parts, client)) {
        refuse(parts, client, HC_P_FORBIDDEN, NULL, "only root may renew");
    } else if (strcmp(command, "list") == 0) {
        do_list(parts, client);
    } else if (change) {
        do_renew(parts, client, request);
    } else if (strcmp(command, "wait") == 0) {
        do_wait(parts, client, request);
    } else {
        refuse(parts, client, HC_P_PROTOCOL, NULL, command);
    }
    json_decref(request);
}

/* ---- sockets ---- */

/* Some places are root's: others that may ask cannot keep it out. */
static struct client *free_place(struct hc_control *control, uid_t uid)
{
    for (size_t i = uid == 0 ? 0 : ROOTS_PLACES; i < CLIENTS; i++) {
        if (control->clients[i].guest.fd < 0) {
            return &control->clients[i];
        }
    }
    return NULL;
}

static void on_client(void *self, unsigned events);

static void take_in(struct client *client, int fd, uid_t uid)
{
    client->guest = (struct hc_loop_fd){fd, HC_LOOP_READ, "control", on_client, client, NULL};
    client->uid = uid;
    client->in = (struct hc_buf)HC_BUF_INIT(REQUEST_MAX);
    client->out = (struct hc_buf)HC_BUF_INIT(REPLY_MAX);
    client->deadline_ms = hc_env_ms(&client->parts->env) + IDLE_MS;
    if (hc_loop_fd_add(client->parts->env.loop, &client->guest, NULL) != 0) {
        client_close(client);
    }
}

static void on_door(void *self, unsigned events HC_UNUSED)
{
    struct hc_control *control = self;

    for (int i = 0; i < ACCEPT_MOST; i++) {
        uid_t uid = (uid_t)-1;
        int fd = hc_caller_accept(control->door.fd, &uid);
        struct client *client = fd >= 0 ? free_place(control, uid) : NULL;

        if (fd == HC_CALLER_NONE) {
            return;
        }
        if (client != NULL) {
            take_in(client, fd, uid);
        } else if (fd >= 0) {
            close(fd); /* those that are there go first */
        }
    }
}

static void read_some(const struct hc_parts *parts, struct client *client)
{
    char chunk[4096];
    struct hc_error err;
    ssize_t n = recv(client->guest.fd, chunk, sizeof(chunk), MSG_DONTWAIT);

    hc_error_init(&err);
    if (n < 0 && (errno == EAGAIN || errno == EINTR)) {
        return;
    }
    if (n <= 0 || client->answered || client->waiting || client->renewal != NULL) {
        /* gone, or it says more than one thing */
        client_close(client);
        return;
    }
    if (hc_buf_append(&client->in, chunk, (size_t)n, &err) != 0) {
        client_close(client);
        return;
    }
    if (memchr(chunk, '\n', (size_t)n) != NULL) {
        handle_request(parts, client);
    }
}

static void write_some(const struct hc_parts *parts, struct client *client)
{
    ssize_t n = send(client->guest.fd, client->out.data + client->sent,
                     client->out.len - client->sent, MSG_DONTWAIT | MSG_NOSIGNAL);

    if (n < 0 && (errno == EAGAIN || errno == EINTR)) {
        return;
    }
    if (n < 0) {
        client_close(client);
        return;
    }
    client->sent += (size_t)n;
    client->deadline_ms = hc_env_ms(&parts->env) + IDLE_MS;
    if (client->sent == client->out.len) {
        client_close(client);
    }
}

static void on_client(void *self, unsigned events)
{
    struct client *client = self;

    if ((events & HC_LOOP_WRITE) != 0) {
        write_some(client->parts, client);
    } else {
        read_some(client->parts, client);
    }
}

/* A name that was left out of its host's certificate is not served, however well that is. */
static bool is_in(const struct hc_parts *parts, size_t identity, const char *name)
{
    size_t count = 0;
    const struct hc_job *jobs = hc_jobs_of(parts->jobs, identity, &count);

    for (size_t i = 0; i < count; i++) {
        const struct hc_line_info *info = hc_job_info(parts->jobs, &jobs[i]);

        if (info == NULL || !hc_name_among(&info->names, name)) {
            return false;
        }
    }
    return true;
}

/* The name that the client waits for at this identity, or NULL: it does not (any more). */
static const char *pending_name(const struct hc_parts *parts, const struct client *client,
                                size_t identity)
{
    const struct hc_identity *one = &parts->env.conf->identities[identity];
    const char *wanted = NULL;

    if (client->all) {
        wanted = hc_identity_label(one);
    }
    for (size_t i = 0; i < client->names.count; i++) {
        const char *name = client->names.items[i];

        if (hc_watches_name(parts->watches, identity, name)) {
            wanted = name;
            if (!is_in(parts, identity, name)) {
                return name;
            }
        }
    }
    return wanted != NULL && !hc_model_is_served(parts, identity) ? wanted : NULL;
}

/* True if all that the client waits for is served. Begins with what was not at the latest look. */
static bool is_served(const struct hc_parts *parts, struct client *client)
{
    size_t count = parts->env.conf->identity_count;

    for (size_t i = 0; i < count; i++) {
        size_t identity = (client->waits_for + i) % count;

        if (pending_name(parts, client, identity) != NULL) {
            client->waits_for = identity;
            return false;
        }
    }
    for (size_t i = 0; i < client->names.count; i++) {
        if (!is_known(parts, client->names.items[i])) {
            return false; /* the files that had the name have another certificate now */
        }
    }
    return true;
}

/* "nx.test (failed, next try 03:37:30Z), c.test (ordering) and 3 more" */
static void describe_pending(const struct hc_parts *parts, const struct client *client, char *dst,
                             size_t cap)
{
    size_t used = 0;
    size_t count = 0;

    dst[0] = '\0';
    for (size_t i = 0; i < parts->env.conf->identity_count; i++) {
        const char *name = pending_name(parts, client, i);
        char state[96] = "left out of its certificate";

        if (name == NULL || count++ >= PENDING_MAX) {
            continue;
        }
        if (!hc_model_is_served(parts, i)) {
            int64_t next = 0;
            const char *word = hc_model_pending(parts, i, &next);

            hc_status_describe(word, next, hc_env_now(&parts->env), state, sizeof(state));
        }
        snprintf(dst + used, cap - used, "%s%s (%s)", used > 0 ? ", " : "", name, state);
        used += strlen(dst + used);
    }
    if (count > PENDING_MAX) {
        snprintf(dst + used, cap - used, " and %zu more", count - PENDING_MAX);
    } else if (count == 0) {
        hc_copy(dst, cap, "no host has this name any more");
    }
}

static void has_waited(const struct hc_parts *parts, struct client *client)
{
    char pending[PENDING_MAX * (HC_NAME_SIZE + 100)];

    describe_pending(parts, client, pending, sizeof(pending));
    refuse(parts, client, HC_P_TIMED_OUT, NULL, pending);
}

int64_t hc_control_run(struct hc_control *control)
{
    const struct hc_parts *parts = control->parts;
    int64_t now = hc_env_ms(&parts->env);
    int64_t wait = -1;

    for (size_t i = 0; i < CLIENTS; i++) {
        struct client *client = &control->clients[i];

        if (client->guest.fd < 0) {
            continue;
        }
        if (client->renewal != NULL &&
            (now >= client->deadline_ms || hc_renewal_is_ready(client->renewal))) {
            end_renewal(parts, client);
        } else if (client->waiting && is_served(parts, client)) {
            answer(parts, client, json_pack("{s:b}", "ok", 1));
        } else if (client->waiting && now >= client->deadline_ms) {
            has_waited(parts, client);
        } else if (now >= client->deadline_ms) {
            client_close(client);
        }
        if (client->guest.fd >= 0) {
            int64_t left = client->deadline_ms > now ? client->deadline_ms - now : 0;

            wait = hc_wait_least(wait, left);
        }
    }
    return wait;
}
