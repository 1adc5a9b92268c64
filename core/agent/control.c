/*
 * The control socket: one request a connection, a line of JSON each way, bounded and non-blocking.
 * Only root and the agent's own user come in (caller.h): `renew` is root's, everything else both's;
 * where the server was not started as root, that user is as good.
 *
 *   {"command":"list"}                                   -> {"ok":true,"certificates":[..]}
 *   {"command":"renew","name":N,"force":bool,"new_account":bool}
 *        -> {"ok":true,"found":n,"orders":n,"before":T,"waits":STATE,"watched":[..]}: what it
 * failed of, why it is not ordered now, and what a check of watched files found
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
#include "agent/listing.h"
#include "agent/renew.h"
#include "agent/waiting.h"
#include "agent/watches.h"
#include "conf/name.h"
#include "loop/timer.h"

#define CLIENTS      16
#define ROOTS_PLACES 4  /* of them */
#define ACCEPT_MOST  64 /* connections taken in one pass */
#define REQUEST_MAX  ((size_t)256 << 10)
#define REPLY_MAX    HC_LISTING_MAX
#define IDLE_MS      10000 /* to say or read something */
#define LIST_MS      90000 /* to wait for a list */
#define WAIT_MOST_S  86400
#define RECHECK_MS   1000 /* those that wait are asked about this often: time alone may do it */

struct client {
    const struct hc_parts *parts;
    struct hc_timer *due;    /* of them all */
    struct hc_loop_fd guest; /* its socket; fd -1: free */
    uid_t uid;
    struct hc_buf in;
    struct hc_buf out;
    size_t sent;
    bool answered;
    bool postponed;             /* a request that waits until the store was tried */
    bool waiting;               /* for names to be served */
    struct hc_renewal *renewal; /* whose checks are waited for, or NULL */
    struct hc_waiting waits;    /* if waiting */
    struct hc_listing listing;  /* if it is being made */
    int64_t deadline_ms;
};

struct hc_control {
    const struct hc_parts *parts;
    struct hc_timer due;    /* somebody waited long enough, or has what was waited for */
    struct hc_loop_fd door; /* where they connect */
    struct client clients[CLIENTS];
};

static void client_close(struct client *client)
{
    const struct hc_parts *parts = client->parts;
    struct hc_timer *due = client->due;

    hc_loop_fd_remove(&client->guest);
    if (client->guest.fd >= 0) {
        close(client->guest.fd);
    }
    hc_buf_dispose(&client->in);
    hc_buf_dispose(&client->out);
    hc_waiting_dispose(&client->waits);
    hc_renewal_free(client->renewal);
    hc_listing_stop(&client->listing);
    memset(client, 0, sizeof(*client));
    client->parts = parts;
    client->due = due;
    client->guest.fd = -1;
}

/* So long it is waited for the client, or the client waits. */
static void give_time(struct client *client, int64_t ms)
{
    client->deadline_ms = hc_env_ms(&client->parts->env) + ms;
    hc_timer_within(client->due, ms);
}

static void on_door(void *self, unsigned events);

static void on_due(void *self)
{
    struct hc_control *control = self;

    hc_timer_in(&control->due, hc_control_run(control));
}

/* What somebody waits for may have happened. */
static void on_event(void *self, const struct hc_event *event)
{
    struct hc_control *control = self;

    for (size_t i = 0; i < CLIENTS; i++) {
        const struct client *client = &control->clients[i];

        if (client->waiting || client->postponed ||
            (client->renewal != NULL && event->kind == HC_EVENT_FILES_CHECKED)) {
            hc_timer_within(&control->due, 0);
            return;
        }
    }
}

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
        control->clients[i].due = &control->due;
        control->clients[i].guest.fd = -1;
    }
    control->door = (struct hc_loop_fd){fd, HC_LOOP_READ, "control", on_door, control, NULL};
    hc_timer_init(&control->due, parts->env.loop, "control", on_due, control);
    if (hc_events_add(parts->env.events, on_event, control, err) != 0 ||
        (fd >= 0 && hc_loop_fd_add(parts->env.loop, &control->door, err) != 0)) {
        hc_control_free(control);
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
    hc_events_remove(control->parts->env.events, control);
    hc_timer_stop(&control->due);
    hc_loop_fd_remove(&control->door);
    for (size_t i = 0; i < CLIENTS; i++) {
        client_close(&control->clients[i]);
    }
    free(control);
}

/* ---- answers ---- */

/* A line. A client that cannot be answered is closed. */
static void answer_text(struct client *client, struct hc_bytes text)
{
    hc_waiting_dispose(&client->waits);
    client->waiting = false;
    client->answered = true;
    give_time(client, IDLE_MS);
    if (text.len == 0 || hc_buf_append(&client->out, text.data, text.len, NULL) != 0 ||
        hc_loop_fd_change(&client->guest, HC_LOOP_READ | HC_LOOP_WRITE, NULL) != 0) {
        client_close(client);
    }
}

/* Takes the object. */
static void answer(struct client *client, json_t *object)
{
    struct hc_buf line = HC_BUF_INIT(REPLY_MAX);
    char *text = object != NULL ? json_dumps(object, JSON_COMPACT | JSON_ENSURE_ASCII) : NULL;

    if (text == NULL || hc_buf_puts(&line, text, NULL) != 0 ||
        hc_buf_puts(&line, "\n", NULL) != 0) {
        hc_buf_reset(&line);
    }
    answer_text(client, hc_bytes_of(&line));
    hc_buf_dispose(&line);
    free(text);
    json_decref(object);
}

static void answer_refusal(struct client *client, enum hc_problem p, const char *subject,
                           const char *detail)
{
    answer(client, hc_caller_refusal(p, subject, detail));
}

/* ---- requests ---- */

static void on_listed(void *self, struct hc_bytes text)
{
    answer_text(self, text);
}

static void do_list(const struct hc_parts *parts, struct client *client)
{
    give_time(client, LIST_MS);
    hc_listing_start(&client->listing, parts, on_listed, client);
}

/* Answers when the checks of watched files are over, or take too long. */
static void end_renewal(struct client *client)
{
    json_t *object = hc_renewal_answer(client->renewal);

    hc_renewal_free(client->renewal);
    client->renewal = NULL;
    answer(client, object);
}

/* A renewal needs to know what there is: before the store was opened it would be forgotten. */
static void do_renew(const struct hc_parts *parts, struct client *client, const json_t *request)
{
    struct hc_error err;

    hc_error_init(&err);
    client->postponed = !hc_storage_was_tried(parts->storage);
    if (client->postponed) {
        give_time(client, IDLE_MS);
        hc_timer_within(client->due, RECHECK_MS);
        return;
    }
    if (hc_renewal_new(parts, request, &client->renewal, &err) != 0) {
        answer_refusal(client, err.problem, err.subject, err.detail);
    } else if (hc_renewal_is_ready(client->renewal)) {
        end_renewal(client);
    } else {
        give_time(client, IDLE_MS);
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

    client->waits.all = json_is_true(json_object_get(request, "all"));
    if (timeout < 0 || timeout > WAIT_MOST_S ||
        !names_from(json_object_get(request, "names"), &client->waits.names)) {
        answer_refusal(client, HC_P_PROTOCOL, NULL, "names or timeout");
        return;
    }
    for (size_t i = 0; i < client->waits.names.count; i++) {
        if (!hc_waiting_is_known(parts, client->waits.names.items[i]) &&
            hc_watches_are_known(parts->watches)) {
            answer_refusal(client, HC_P_NOT_FOUND, client->waits.names.items[i], "");
            return;
        }
    }
    client->waiting = true;
    hc_timer_within(client->due, 0); /* it may be served already */
    give_time(client, timeout * 1000);
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
        answer_refusal(client, HC_P_PROTOCOL, NULL, "not a request");
    } else if (change && !may_change(parts, client)) {
        answer_refusal(client, HC_P_FORBIDDEN, NULL, "only root may renew");
    } else if (strcmp(command, "list") == 0) {
        do_list(parts, client);
    } else if (change) {
        do_renew(parts, client, request);
    } else if (strcmp(command, "wait") == 0) {
        do_wait(parts, client, request);
    } else {
        answer_refusal(client, HC_P_PROTOCOL, NULL, command);
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
    give_time(client, IDLE_MS);
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
    if (n <= 0 || client->answered || client->waiting || client->postponed ||
        client->renewal != NULL || hc_listing_is_running(&client->listing)) {
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

static void write_some(struct client *client)
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
    give_time(client, IDLE_MS);
    if (client->sent == client->out.len) {
        client_close(client);
    }
}

static void on_client(void *self, unsigned events)
{
    struct client *client = self;

    if ((events & HC_LOOP_WRITE) != 0) {
        write_some(client);
    } else {
        read_some(client->parts, client);
    }
}

static void has_waited(const struct hc_parts *parts, struct client *client)
{
    char pending[HC_WAITING_TEXT];

    hc_waiting_describe(&client->waits, parts, pending);
    answer_refusal(client, HC_P_TIMED_OUT, NULL, pending);
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
        if (client->postponed && hc_storage_was_tried(parts->storage)) {
            handle_request(parts, client);
        } else if (client->renewal != NULL &&
                   (now >= client->deadline_ms || hc_renewal_is_ready(client->renewal))) {
            end_renewal(client);
        } else if (client->waiting && hc_waiting_advance(&client->waits, parts)) {
            answer(client, json_pack("{s:b}", "ok", 1));
        } else if (client->waiting && now >= client->deadline_ms) {
            has_waited(parts, client);
        } else if (now >= client->deadline_ms) {
            client_close(client);
        }
        if (client->guest.fd >= 0) {
            int64_t left = client->deadline_ms > now ? client->deadline_ms - now : 0;

            bool rechecks = client->waiting || client->postponed;

            wait = hc_wait_least(wait, rechecks && left > RECHECK_MS ? RECHECK_MS : left);
        }
    }
    return wait;
}
