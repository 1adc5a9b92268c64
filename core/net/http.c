/* The HTTP client; see http.h. What one request is: transfer.h. */
#include "net/http.h"

#include <openssl/err.h>
#include <stdlib.h>

#include "net/transfer.h"

#define IDLE_MAX          16 /* easy handles kept for the next requests */
#define HOST_CONNECTIONS  8  /* to a server without HTTP/2 */
#define TOTAL_CONNECTIONS 64

struct hc_http {
    CURLM *multi;
    char *user_agent;
    struct hc_transfer *transfers;
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

static void unlink_transfer(struct hc_http *http, const struct hc_transfer *t)
{
    for (struct hc_transfer **p = &http->transfers; *p != NULL; p = &(*p)->next) {
        if (*p == t) {
            *p = t->next;
            return;
        }
    }
}

/* pin may be NULL. NULL with err if it cannot be started; done and arg are the caller's to set. */
static struct hc_transfer *start(struct hc_http *http, const struct hc_http_request *request,
                                 const struct hc_http_pin *pin, struct hc_error *err)
{
    CURL *easy = take_idle(http);
    struct hc_transfer *t = NULL;

    if (easy == NULL) {
        hc_error_nomem(err);
        return NULL;
    }
    t = hc_transfer_new(easy, http->user_agent, request, pin, err);
    if (t == NULL) {
        return NULL;
    }
    if (curl_multi_add_handle(http->multi, t->easy) != CURLM_OK) {
        drop(http, t);
        hc_error_set(err, HC_P_INTERNAL, request->url, "libcurl refused a transfer");
        return NULL;
    }
    t->id = ++http->last_id;
    t->next = http->transfers;
    http->transfers = t;
    return t;
}

int hc_http_send_pinned(struct hc_http *http, const struct hc_http_request *request,
                        const struct hc_http_pin *pin, hc_http_done *done, void *arg, uint64_t *id,
                        struct hc_error *err)
{
    struct hc_transfer *t = start(http, request, pin, err);

    if (t == NULL) {
        pin->release(arg);
        return -1;
    }
    t->done = done;
    t->arg = arg;
    t->release = pin->release;
    *id = t->id;
    return 0;
}

static int port_send(void *self, const struct hc_http_request *request, hc_http_done *done,
                     void *arg, uint64_t *id, struct hc_error *err)
{
    struct hc_transfer *t = NULL;

    if (hc_http_check_url(request->url, err) != 0) {
        return -1;
    }
    t = start(self, request, NULL, err);
    if (t == NULL) {
        return -1;
    }
    t->done = done;
    t->arg = arg;
    *id = t->id;
    return 0;
}

static void port_cancel(void *self, uint64_t id)
{
    struct hc_http *http = self;

    for (struct hc_transfer *t = http->transfers; t != NULL; t = t->next) {
        if (t->id == id) {
            unlink_transfer(http, t);
            drop(http, t);
            return;
        }
    }
}

static void complete_all(struct hc_http *http)
{
    CURLMsg *message = NULL;
    int left = 0;

    while ((message = curl_multi_info_read(http->multi, &left)) != NULL) {
        char *private = NULL;
        CURLcode code = message->data.result;
        struct hc_transfer *t = NULL;

        if (message->msg != CURLMSG_DONE ||
            curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &private) != CURLE_OK) {
            continue;
        }
        t = (struct hc_transfer *)(void *)private;
        unlink_transfer(http, t);
        hc_transfer_complete(t, code);
        drop(http, t);
        ERR_clear_error();
    }
}

/* Waits for whichever comes first: curl's sockets and timers, or the caller's descriptors. */
static int wait_for_any(struct hc_http *http, const struct pollfd *fds, unsigned count,
                        int timeout_ms, struct hc_error *err)
{
    struct curl_waitfd extra[HC_HTTP_FDS_MAX];
    CURLMcode rc = CURLM_OK;

    for (unsigned i = 0; i < count; i++) {
        extra[i].fd = fds[i].fd;
        extra[i].events = (short)(((fds[i].events & POLLIN) != 0 ? CURL_WAIT_POLLIN : 0) |
                                  ((fds[i].events & POLLOUT) != 0 ? CURL_WAIT_POLLOUT : 0));
        extra[i].revents = 0;
    }
    rc = curl_multi_poll(http->multi, extra, count, timeout_ms < 0 ? 60000 : timeout_ms, NULL);
    if (rc != CURLM_OK) {
        return hc_error_set(err, HC_P_SYSTEM, NULL, "waiting for the network: %s",
                            curl_multi_strerror(rc));
    }
    return 0;
}

int hc_http_step(struct hc_http *http, struct pollfd *fds, unsigned count, int timeout_ms,
                 struct hc_error *err)
{
    bool busy = http->transfers != NULL;
    CURLMcode rc = CURLM_OK;
    int running = 0;

    if (count > HC_HTTP_FDS_MAX) {
        return hc_error_set(err, HC_P_INTERNAL, NULL, "%u descriptors to wait for", count);
    }
    if (busy && wait_for_any(http, fds, count, timeout_ms, err) != 0) {
        return -1;
    }
    /* curl's wait reports no hang-up: the caller's descriptors are asked for themselves */
    if (poll(fds, count, busy ? 0 : timeout_ms) < 0) {
        for (unsigned i = 0; i < count; i++) {
            fds[i].revents = 0;
        }
    }
    if (!busy) {
        return 0;
    }
    rc = curl_multi_perform(http->multi, &running);
    if (rc != CURLM_OK) {
        return hc_error_set(err, HC_P_INTERNAL, NULL, "libcurl: %s", curl_multi_strerror(rc));
    }
    complete_all(http);
    return 0;
}

int hc_http_new(const char *user_agent, struct hc_http **out, struct hc_error *err)
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
    if (http->multi == NULL || hc_strdup(user_agent, &http->user_agent, err) != 0) {
        hc_http_free(http);
        return hc_error_nomem(err);
    }
    (void)curl_multi_setopt(http->multi, CURLMOPT_MAX_HOST_CONNECTIONS, (long)HOST_CONNECTIONS);
    (void)curl_multi_setopt(http->multi, CURLMOPT_MAX_TOTAL_CONNECTIONS, (long)TOTAL_CONNECTIONS);
    http->port.self = http;
    http->port.send = port_send;
    http->port.cancel = port_cancel;
    *out = http;
    return 0;
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
    for (unsigned i = 0; i < http->idle_count; i++) {
        curl_easy_cleanup(http->idle[i]);
    }
    if (http->multi != NULL) {
        (void)curl_multi_cleanup(http->multi);
    }
    free(http->user_agent);
    free(http);
    curl_global_cleanup();
}

const struct hc_http_port *hc_http_port(struct hc_http *http)
{
    return &http->port;
}
