/* The HTTP client; see http.h. What one request is: transfer.h. */
#include "net/http.h"

#include <openssl/err.h>
#include <stdlib.h>
#include <string.h>

#include "base/time.h"
#include "net/sockets.h"
#include "net/transfer.h"

#define IDLE_MAX          16 /* easy handles kept for the next requests */
#define HOST_CONNECTIONS  8  /* to a server without HTTP/2 */
#define TOTAL_CONNECTIONS 64
#define PINNED_MOST       48 /* the rest is for CAs */

struct hc_http {
    CURLM *multi;
    struct hc_sockets sockets;
    struct hc_timer replies; /* hands out what is complete, one in a callback */
    struct hc_timer queue;   /* somebody in it has waited too long */
    char *user_agent;
    struct hc_transfer *transfers; /* libcurl has them */
    struct hc_transfer *waiting;   /* pinned ones whose turn has not come, in their order */
    uint64_t last_id;
    CURL *idle[IDLE_MAX];
    unsigned idle_count;
    struct hc_http_port port;
};

static CURL *take_idle(struct hc_http *http)
{
    return http->idle_count > 0 ? http->idle[--http->idle_count] : curl_easy_init();
}

/* Not in the list of transfers any more. */
static void drop(struct hc_http *http, struct hc_transfer *t)
{
    CURL *easy = NULL;

    (void)curl_multi_remove_handle(http->multi, t->easy);
    easy = hc_transfer_free(t);
    if (http->idle_count < IDLE_MAX) {
        http->idle[http->idle_count++] = easy;
    } else {
        curl_easy_cleanup(easy);
    }
}

static bool unlink_transfer(struct hc_transfer **list, const struct hc_transfer *t)
{
    for (struct hc_transfer **p = list; *p != NULL; p = &(*p)->next) {
        if (*p == t) {
            *p = t->next;
            return true;
        }
    }
    return false;
}

static int start(struct hc_http *http, struct hc_transfer *t, struct hc_error *err)
{
    if (curl_multi_add_handle(http->multi, t->easy) != CURLM_OK) {
        return hc_error_set(err, HC_P_INTERNAL, t->url, "libcurl refused a transfer");
    }
    t->next = http->transfers;
    http->transfers = t;
    return 0;
}

/*
 * True if libcurl would connect at once. It would take all that it is given, but let it wait within
 * itself, with the time-out running, and a CA's request behind it.
 */
static bool has_turn(const struct hc_http *http, const struct hc_transfer *t)
{
    unsigned all = 0;
    unsigned there = 0;

    for (const struct hc_transfer *other = http->transfers; other != NULL; other = other->next) {
        all += other->pinned;
        there += other->pinned && strcmp(other->address, t->address) == 0;
    }
    return all < PINNED_MOST && there < HOST_CONNECTIONS;
}

static int enqueue(struct hc_http *http, struct hc_transfer *t, long wait_ms, struct hc_error *err)
{
    struct hc_transfer **last = &http->waiting;

    if (has_turn(http, t)) {
        return start(http, t, err);
    }
    while (*last != NULL) {
        last = &(*last)->next;
    }
    *last = t;
    wait_ms = wait_ms > 0 ? wait_ms : (long)HC_HTTP_TIMEOUT_MS;
    t->wait_until_ms = hc_now_ms(hc_loop_clock(http->sockets.loop)) + wait_ms;
    hc_timer_within(&http->queue, wait_ms);
    return 0;
}

/* pin may be NULL. NULL with err on failure; done and arg are the caller's to set. */
static struct hc_transfer *make(struct hc_http *http, const struct hc_http_request *request,
                                const struct hc_http_pin *pin, struct hc_error *err)
{
    CURL *easy = take_idle(http);
    struct hc_transfer *t = NULL;
    int rc = 0;

    if (easy == NULL) {
        hc_error_nomem(err);
        return NULL;
    }
    t = hc_transfer_new(easy, http->user_agent, request, pin, err);
    if (t == NULL) {
        return NULL;
    }
    rc = pin != NULL ? enqueue(http, t, pin->wait_ms, err) : start(http, t, err);
    if (rc != 0) {
        drop(http, t);
        return NULL;
    }
    t->id = ++http->last_id;
    return t;
}

int hc_http_send_pinned(struct hc_http *http, const struct hc_http_request *request,
                        const struct hc_http_pin *pin, uint64_t *id, struct hc_error *err)
{
    struct hc_transfer *t = make(http, request, pin, err);

    if (t == NULL) {
        pin->release(pin->arg);
        return -1;
    }
    t->done = pin->done;
    t->arg = pin->arg;
    t->release = pin->release;
    *id = t->id;
    return 0;
}

static int port_send(void *self, const struct hc_http_request *request, hc_http_done *done,
                     void *arg, uint64_t *id, struct hc_error *err)
{
    struct hc_transfer *t = NULL;

    if ((request->metadata ? hc_http_check_metadata_url(request->url, err)
                           : hc_http_check_url(request->url, err)) != 0) {
        return -1;
    }
    t = make(self, request, NULL, err);
    if (t == NULL) {
        return -1;
    }
    t->done = done;
    t->arg = arg;
    *id = t->id;
    return 0;
}

static struct hc_transfer *find(struct hc_transfer *list, uint64_t id)
{
    while (list != NULL && list->id != id) {
        list = list->next;
    }
    return list;
}

static void port_cancel(void *self, uint64_t id)
{
    struct hc_http *http = self;
    struct hc_transfer *t = find(http->transfers, id);

    t = t != NULL ? t : find(http->waiting, id);
    if (t != NULL) {
        (void)(unlink_transfer(&http->transfers, t) || unlink_transfer(&http->waiting, t));
        drop(http, t);
        if (http->waiting != NULL) {
            hc_timer_within(&http->queue, 0);
        }
    }
}

static void complete(struct hc_http *http, struct hc_transfer *t, CURLcode code)
{
    hc_transfer_complete(t, code);
    drop(http, t);
    ERR_clear_error();
}

/* The next transfer that has ended, off the list; NULL: none. */
static struct hc_transfer *next_ended(struct hc_http *http, CURLcode *code)
{
    CURLMsg *message = NULL;
    int left = 0;

    while ((message = curl_multi_info_read(http->multi, &left)) != NULL) {
        char *private = NULL;

        if (message->msg == CURLMSG_DONE &&
            curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &private) == CURLE_OK) {
            struct hc_transfer *t = (struct hc_transfer *)(void *)private;

            *code = message->data.result;
            (void)unlink_transfer(&http->transfers, t);
            return t;
        }
    }
    return NULL;
}

/* The first that can start now, or has waited too long; off the queue. NULL: none. */
static struct hc_transfer *next_waiting(struct hc_http *http, int64_t now_ms)
{
    for (struct hc_transfer **p = &http->waiting; *p != NULL; p = &(*p)->next) {
        struct hc_transfer *t = *p;

        if (has_turn(http, t) || t->wait_until_ms <= now_ms) {
            *p = t->next;
            return t;
        }
    }
    return NULL;
}

/* Starts those that have room now; sees to it that none waits for longer than it may. */
static void start_waiting(struct hc_http *http)
{
    int64_t now_ms = hc_now_ms(hc_loop_clock(http->sockets.loop));
    struct hc_transfer *t = NULL;

    while ((t = next_waiting(http, now_ms)) != NULL) {
        struct hc_error err;

        hc_error_init(&err);
        if (!has_turn(http, t)) {
            hc_error_set(&err, HC_P_TIMED_OUT, t->url, "there was no time left to ask");
            hc_kept_error_set(&t->failed, &err);
            complete(http, t, CURLE_OPERATION_TIMEDOUT);
        } else if (start(http, t, &err) != 0) {
            hc_kept_error_set(&t->failed, &err);
            complete(http, t, CURLE_FAILED_INIT);
        }
    }
    for (t = http->waiting; t != NULL; t = t->next) {
        hc_timer_within(&http->queue, t->wait_until_ms > now_ms ? t->wait_until_ms - now_ms : 0);
    }
}

static void on_replies(void *self)
{
    struct hc_http *http = self;
    CURLcode code = CURLE_OK;
    struct hc_transfer *t = next_ended(http, &code);

    if (t == NULL) {
        return;
    }
    hc_timer_in(&http->replies, 0); /* there may be more; the callback may end all that is here */
    complete(http, t, code);
    start_waiting(http);
}

static void on_queue(void *self)
{
    start_waiting(self);
}

static void on_acted(void *self)
{
    struct hc_http *http = self;

    hc_timer_within(&http->replies, 0);
}

int hc_http_new(struct hc_loop *loop, const char *user_agent, struct hc_http **out,
                struct hc_error *err)
{
    struct hc_http *http = NULL;

    if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) {
        return hc_error_set(err, HC_P_INTERNAL, NULL, "libcurl does not start");
    }
    http = calloc(1, sizeof(*http));
    if (http == NULL) {
        curl_global_cleanup();
        return hc_error_nomem(err);
    }
    http->multi = curl_multi_init();
    if (http->multi == NULL) {
        hc_error_nomem(err);
        goto failed;
    }
    hc_timer_init(&http->replies, loop, "http reply", on_replies, http);
    hc_timer_init(&http->queue, loop, "http queue", on_queue, http);
    if (hc_strdup(user_agent, &http->user_agent, err) != 0 ||
        hc_sockets_open(&http->sockets, loop, http->multi, on_acted, http, err) != 0) {
        goto failed;
    }
    (void)curl_multi_setopt(http->multi, CURLMOPT_MAX_HOST_CONNECTIONS, (long)HOST_CONNECTIONS);
    (void)curl_multi_setopt(http->multi, CURLMOPT_MAX_TOTAL_CONNECTIONS, (long)TOTAL_CONNECTIONS);
    http->port.self = http;
    http->port.send = port_send;
    http->port.cancel = port_cancel;
    *out = http;
    return 0;
failed:
    hc_http_free(http);
    return -1;
}

void hc_http_free(struct hc_http *http)
{
    if (http == NULL) {
        return;
    }
    while (http->transfers != NULL) {
        struct hc_transfer *t = http->transfers;

        http->transfers = t->next;
        drop(http, t);
    }
    while (http->waiting != NULL) {
        struct hc_transfer *t = http->waiting;

        http->waiting = t->next;
        drop(http, t);
    }
    for (unsigned i = 0; i < http->idle_count; i++) {
        curl_easy_cleanup(http->idle[i]);
    }
    if (http->multi != NULL) {
        (void)curl_multi_cleanup(http->multi);
    }
    hc_sockets_close(&http->sockets);
    hc_timer_stop(&http->replies);
    hc_timer_stop(&http->queue);
    free(http->user_agent);
    free(http);
    curl_global_cleanup();
}

const struct hc_http_port *hc_http_port(struct hc_http *http)
{
    return &http->port;
}

const char *hc_http_library_version(void)
{
    return curl_version_info(CURLVERSION_NOW)->version;
}
