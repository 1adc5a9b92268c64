/* The HTTP client; see http.h. */
#include "net/http.h"

#include <openssl/err.h>
#include <openssl/x509.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "net/curl_compat.h"
#include "net/header.h"

#define IDLE_MAX          16 /* easy handles kept for the next requests */
#define HOST_CONNECTIONS  8  /* to a server without HTTP/2 */
#define TOTAL_CONNECTIONS 64
#define ROOTS_SECONDS     60L /* parsed roots are kept so long: a corrected file is soon seen */

struct transfer {
    struct transfer *next;
    struct hc_http *http;
    CURL *easy;
    uint64_t id;
    hc_http_done *done;
    void *arg;
    struct hc_http_headers headers;
    size_t header_bytes;
    struct hc_buf request_body; /* secret: it may hold what only the peer shall see */
    struct hc_buf reply_body;
    struct curl_slist *extra;
    long timeout_ms;
    char *url;
    char *ca_bundle;
    struct hc_error err; /* of our own callbacks: too large, no memory */
    char reason[CURL_ERROR_SIZE];
};

struct hc_http {
    CURLM *multi;
    char *user_agent;
    struct transfer *transfers;
    uint64_t last_id;
    CURL *idle[IDLE_MAX];
    unsigned idle_count;
    struct hc_http_port port;
};

static size_t on_body(char *data, size_t size, size_t count, void *arg)
{
    struct transfer *t = arg;

    if (hc_buf_append(&t->reply_body, data, size * count, NULL) != 0) {
        hc_error_set(&t->err, HC_P_CA_REPLY, t->url, "the reply is larger than %zu bytes",
                     t->reply_body.max);
        return 0;
    }
    return size * count;
}

static size_t on_header(char *data, size_t size, size_t count, void *arg)
{
    struct transfer *t = arg;
    size_t len = size * count;

    t->header_bytes += len;
    if (t->header_bytes > HC_HTTP_HEADERS_MAX) {
        hc_error_set(&t->err, HC_P_CA_REPLY, t->url,
                     "the reply's headers are larger than %zu bytes", HC_HTTP_HEADERS_MAX);
        return 0;
    }
    if (hc_http_headers_line(&t->headers, data, len, (int64_t)time(NULL), &t->err) != 0) {
        return 0;
    }
    return len;
}

static void give_back(struct hc_http *http, CURL *easy)
{
    curl_easy_reset(easy);
    if (http->idle_count < IDLE_MAX) {
        http->idle[http->idle_count++] = easy;
    } else {
        curl_easy_cleanup(easy);
    }
}

static CURL *take_idle(struct hc_http *http)
{
    return http->idle_count > 0 ? http->idle[--http->idle_count] : curl_easy_init();
}

/* Not in the list of transfers any more. */
static void transfer_free(struct transfer *t)
{
    if (t == NULL) {
        return;
    }
    if (t->easy != NULL) {
        (void)curl_multi_remove_handle(t->http->multi, t->easy);
        give_back(t->http, t->easy);
    }
    curl_slist_free_all(t->extra);
    hc_http_headers_dispose(&t->headers);
    hc_buf_dispose(&t->request_body);
    hc_buf_dispose(&t->reply_body);
    free(t->url);
    free(t->ca_bundle);
    free(t);
}

static void unlink_transfer(struct transfer *t)
{
    for (struct transfer **p = &t->http->transfers; *p != NULL; p = &(*p)->next) {
        if (*p == t) {
            *p = t->next;
            return;
        }
    }
}

static int add_header(struct transfer *t, const char *name, const char *value, struct hc_error *err)
{
    char line[512];
    struct curl_slist *longer = NULL;
    int n = snprintf(line, sizeof(line), "%s: %s", name, value);

    if (n < 0 || (size_t)n >= sizeof(line) || strpbrk(value, "\r\n") != NULL) {
        return hc_error_set(err, HC_P_INTERNAL, NULL, "the header %s", name);
    }
    longer = curl_slist_append(t->extra, line);
    if (longer == NULL) {
        return hc_error_nomem(err);
    }
    t->extra = longer;
    return 0;
}

static int set_headers(struct transfer *t, const struct hc_http_request *request,
                       struct hc_error *err)
{
    if (request->content_type != NULL &&
        add_header(t, "Content-Type", request->content_type, err) != 0) {
        return -1;
    }
    if (request->accept != NULL && add_header(t, "Accept", request->accept, err) != 0) {
        return -1;
    }
    /* a header without a value is taken off: curl's wait for "100 Continue" costs a second */
    t->extra = request->method == HC_HTTP_POST ? curl_slist_append(t->extra, "Expect:") : t->extra;
    return 0;
}

static CURLcode set_method(struct transfer *t, enum hc_http_method method)
{
    CURLcode rc = CURLE_OK;

    switch (method) {
    case HC_HTTP_GET:
        rc = curl_easy_setopt(t->easy, CURLOPT_HTTPGET, 1L);
        break;
    case HC_HTTP_HEAD:
        rc = curl_easy_setopt(t->easy, CURLOPT_NOBODY, 1L);
        break;
    case HC_HTTP_POST:
        rc = curl_easy_setopt(t->easy, CURLOPT_POSTFIELDS, hc_buf_text(&t->request_body));
        rc = rc != CURLE_OK ? rc
                            : curl_easy_setopt(t->easy, CURLOPT_POSTFIELDSIZE_LARGE,
                                               (curl_off_t)t->request_body.len);
        break;
    }
    return rc;
}

/* What holds for every request. curl_easy_setopt() is a macro: hence a line each. */
static CURLcode set_rules(struct transfer *t)
{
    CURLcode rc[] = {
        curl_easy_setopt(t->easy, CURLOPT_URL, t->url),
        hc_curl_schemes(t->easy, "https,http", CURLPROTO_HTTPS | CURLPROTO_HTTP),
        curl_easy_setopt(t->easy, CURLOPT_FOLLOWLOCATION, 0L),
        curl_easy_setopt(t->easy, CURLOPT_NOSIGNAL, 1L),
        curl_easy_setopt(t->easy, CURLOPT_USERAGENT, t->http->user_agent),
        curl_easy_setopt(t->easy, CURLOPT_SSL_VERIFYPEER, 1L),
        curl_easy_setopt(t->easy, CURLOPT_SSL_VERIFYHOST, 2L),
        curl_easy_setopt(t->easy, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2),
        curl_easy_setopt(t->easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_2TLS),
        curl_easy_setopt(t->easy, CURLOPT_PIPEWAIT, 1L),
        curl_easy_setopt(t->easy, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L),
        curl_easy_setopt(t->easy, CURLOPT_CONNECTTIMEOUT_MS, (long)HC_HTTP_CONNECT_MS),
        curl_easy_setopt(t->easy, CURLOPT_TIMEOUT_MS, t->timeout_ms),
        curl_easy_setopt(t->easy, CURLOPT_TCP_KEEPALIVE, 1L),
        curl_easy_setopt(t->easy, CURLOPT_MAXFILESIZE_LARGE, (curl_off_t)t->reply_body.max),
        hc_curl_keep_roots(t->easy, ROOTS_SECONDS),
    };

    for (size_t i = 0; i < HC_COUNT(rc); i++) {
        if (rc[i] != CURLE_OK) {
            return rc[i];
        }
    }
    if (t->ca_bundle == NULL) {
        return CURLE_OK;
    }
    /* the system's folder of roots would be asked as well */
    rc[0] = curl_easy_setopt(t->easy, CURLOPT_CAPATH, NULL);
    rc[1] = curl_easy_setopt(t->easy, CURLOPT_CAINFO, t->ca_bundle);
    return rc[0] != CURLE_OK ? rc[0] : rc[1];
}

static CURLcode set_callbacks(struct transfer *t)
{
    CURLcode rc[] = {
        curl_easy_setopt(t->easy, CURLOPT_ERRORBUFFER, t->reason),
        curl_easy_setopt(t->easy, CURLOPT_WRITEFUNCTION, on_body),
        curl_easy_setopt(t->easy, CURLOPT_WRITEDATA, t),
        curl_easy_setopt(t->easy, CURLOPT_HEADERFUNCTION, on_header),
        curl_easy_setopt(t->easy, CURLOPT_HEADERDATA, t),
        curl_easy_setopt(t->easy, CURLOPT_HTTPHEADER, t->extra),
        curl_easy_setopt(t->easy, CURLOPT_PRIVATE, t),
    };

    for (size_t i = 0; i < HC_COUNT(rc); i++) {
        if (rc[i] != CURLE_OK) {
            return rc[i];
        }
    }
    return CURLE_OK;
}

static struct transfer *transfer_new(struct hc_http *http, const struct hc_http_request *request,
                                     struct hc_error *err)
{
    struct transfer *t = calloc(1, sizeof(*t));

    if (t == NULL) {
        hc_error_nomem(err);
        return NULL;
    }
    t->http = http;
    t->timeout_ms = request->timeout_ms > 0 ? request->timeout_ms : HC_HTTP_TIMEOUT_MS;
    t->request_body.max = HC_HTTP_BODY_MAX;
    t->request_body.secret = true;
    t->reply_body.max = request->max_body > 0 ? request->max_body : HC_HTTP_BODY_MAX;
    hc_http_headers_reset(&t->headers);
    t->easy = take_idle(http);
    if (t->easy == NULL) {
        hc_error_nomem(err);
        goto fail;
    }
    if (hc_strdup(request->url, &t->url, err) != 0 ||
        (request->ca_bundle != NULL && hc_strdup(request->ca_bundle, &t->ca_bundle, err) != 0) ||
        hc_buf_append(&t->request_body, request->body.data, request->body.len, err) != 0 ||
        set_headers(t, request, err) != 0) {
        goto fail;
    }
    if (set_rules(t) != CURLE_OK || set_method(t, request->method) != CURLE_OK ||
        set_callbacks(t) != CURLE_OK) {
        hc_error_set(err, HC_P_INTERNAL, request->url, "libcurl refused an option");
        goto fail;
    }
    return t;
fail:
    transfer_free(t);
    return NULL;
}

static int port_send(void *self, const struct hc_http_request *request, hc_http_done *done,
                     void *arg, uint64_t *id, struct hc_error *err)
{
    struct hc_http *http = self;
    struct transfer *t = NULL;

    if (hc_http_check_url(request->url, err) != 0) {
        return -1;
    }
    t = transfer_new(http, request, err);
    if (t == NULL) {
        return -1;
    }
    t->done = done;
    t->arg = arg;
    if (curl_multi_add_handle(http->multi, t->easy) != CURLM_OK) {
        transfer_free(t);
        return hc_error_set(err, HC_P_INTERNAL, request->url, "libcurl refused a transfer");
    }
    t->id = ++http->last_id;
    t->next = http->transfers;
    http->transfers = t;
    *id = t->id;
    return 0;
}

static void port_cancel(void *self, uint64_t id)
{
    struct hc_http *http = self;

    for (struct transfer *t = http->transfers; t != NULL; t = t->next) {
        if (t->id == id) {
            unlink_transfer(t);
            transfer_free(t);
            return;
        }
    }
}

/* Which check of the peer's certificate failed, in OpenSSL's words or curl's. */
static void explain_trust(struct transfer *t, struct hc_error *err)
{
    long verdict = X509_V_OK;

    if (curl_easy_getinfo(t->easy, CURLINFO_SSL_VERIFYRESULT, &verdict) == CURLE_OK &&
        verdict != X509_V_OK) {
        hc_error_set(err, HC_P_CA_TLS, t->url, "%s", X509_verify_cert_error_string(verdict));
    } else {
        hc_error_set(err, HC_P_CA_TLS, t->url, "%s", t->reason);
    }
}

static void explain(struct transfer *t, CURLcode code, struct hc_error *err)
{
    const char *reason = t->reason[0] != '\0' ? t->reason : curl_easy_strerror(code);

    if (hc_error_is_set(&t->err)) {
        *err = t->err;
        return;
    }
    /* an enum of libcurl's, that grows: the rest is "cannot be reached" with its own words */
    switch ((int)code) {
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_ISSUER_ERROR:
        explain_trust(t, err);
        break;
    case CURLE_SSL_CACERT_BADFILE:
        hc_error_set(err, HC_P_FILE_UNREADABLE, t->ca_bundle,
                     "the roots for %s cannot be read from it", t->url);
        break;
    case CURLE_OPERATION_TIMEDOUT:
        hc_error_set(err, HC_P_CA_TIMEOUT, t->url, "%s", reason);
        break;
    case CURLE_FILESIZE_EXCEEDED:
        hc_error_set(err, HC_P_CA_REPLY, t->url, "the reply is larger than %zu bytes",
                     t->reply_body.max);
        break;
    case CURLE_UNSUPPORTED_PROTOCOL:
        hc_error_set(err, HC_P_CA_URL, t->url, "%s", reason);
        break;
    case CURLE_OUT_OF_MEMORY:
        hc_error_nomem(err);
        break;
    default:
        hc_error_set(err, HC_P_CA_UNREACHABLE, t->url, "%s", reason);
        break;
    }
}

static void complete(struct transfer *t, CURLcode code)
{
    struct hc_error err;
    struct hc_http_reply reply = {0};

    hc_error_init(&err);
    unlink_transfer(t);
    if (code != CURLE_OK) {
        explain(t, code, &err);
        t->done(t->arg, NULL, &err);
    } else {
        (void)curl_easy_getinfo(t->easy, CURLINFO_RESPONSE_CODE, &reply.status);
        reply.content_type = t->headers.content_type;
        reply.location = t->headers.location;
        reply.replay_nonce = t->headers.replay_nonce;
        reply.retry_after = t->headers.retry_after;
        reply.links = &t->headers.links;
        reply.body = hc_bytes_of(&t->reply_body);
        t->done(t->arg, &reply, NULL);
    }
    transfer_free(t);
    ERR_clear_error();
}

static void complete_all(struct hc_http *http)
{
    CURLMsg *message = NULL;
    int left = 0;

    while ((message = curl_multi_info_read(http->multi, &left)) != NULL) {
        char *private = NULL;
        CURLcode code = message->data.result;

        if (message->msg == CURLMSG_DONE &&
            curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &private) == CURLE_OK) {
            complete((struct transfer *)(void *)private, code);
        }
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
        struct transfer *t = http->transfers;

        http->transfers = t->next;
        transfer_free(t);
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
