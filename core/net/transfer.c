/* One request on its way; see transfer.h. */
#include "net/transfer.h"

#include <arpa/inet.h>
#include <openssl/crypto.h>
#include <openssl/x509.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define ROOTS_SECONDS 60L /* parsed roots are kept so long: a corrected file is soon seen */

static void too_large(struct hc_transfer *t, const char *what, size_t most)
{
    struct hc_error err;

    hc_error_init(&err);
    hc_error_set(&err, HC_P_TOO_LARGE, t->url, "the reply%s larger than %zu bytes", what, most);
    hc_kept_error_set(&t->failed, &err);
}

static size_t on_body(char *data, size_t size, size_t count, void *arg)
{
    struct hc_transfer *t = arg;

    if (hc_buf_append(&t->reply_body, data, size * count, NULL) != 0) {
        too_large(t, " is", t->reply_body.max);
        return 0;
    }
    return size * count;
}

static size_t on_header(char *data, size_t size, size_t count, void *arg)
{
    struct hc_transfer *t = arg;
    size_t len = size * count;
    struct hc_error err;

    t->header_bytes += len;
    if (t->header_bytes > HC_HTTP_HEADERS_MAX) {
        too_large(t, "'s headers are", HC_HTTP_HEADERS_MAX);
        return 0;
    }
    hc_error_init(&err);
    if (hc_http_headers_line(&t->headers, data, len, (int64_t)time(NULL), &err) != 0) {
        hc_kept_error_set(&t->failed, &err);
        return 0;
    }
    return len;
}

static int add_line(struct hc_transfer *t, const char *line, struct hc_error *err)
{
    struct curl_slist *longer = NULL;

    if (strpbrk(line, "\r\n") != NULL) {
        return hc_error_set(err, HC_P_INTERNAL, NULL, "a header of two lines");
    }
    longer = curl_slist_append(t->extra, line);
    if (longer == NULL) {
        return hc_error_nomem(err);
    }
    t->extra = longer;
    return 0;
}

static int add_header(struct hc_transfer *t, const char *name, const char *value,
                      struct hc_error *err)
{
    char line[512];
    int n = snprintf(line, sizeof(line), "%s: %s", name, value);

    if (n < 0 || (size_t)n >= sizeof(line)) {
        return hc_error_set(err, HC_P_INTERNAL, NULL, "the header %s", name);
    }
    return add_line(t, line, err);
}

static bool has_body(enum hc_http_method method)
{
    return method == HC_HTTP_POST || method == HC_HTTP_PUT;
}

static int set_headers(struct hc_transfer *t, const struct hc_http_request *request,
                       struct hc_error *err)
{
    if (request->content_type != NULL &&
        add_header(t, "Content-Type", request->content_type, err) != 0) {
        return -1;
    }
    if (request->accept != NULL && add_header(t, "Accept", request->accept, err) != 0) {
        return -1;
    }
    for (size_t i = 0; request->headers != NULL && request->headers[i] != NULL; i++) {
        if (add_line(t, request->headers[i], err) != 0) {
            return -1;
        }
    }
    /* a header without a value is taken off: curl's wait for "100 Continue" costs a second. A
     * signature would have it as one that is sent; small bodies have none anyway. */
    return has_body(request->method) && (request->login == NULL || request->login->scope == NULL)
               ? add_line(t, "Expect:", err)
               : 0;
}

static CURLcode set_body(struct hc_transfer *t)
{
    CURLcode rc = curl_easy_setopt(t->easy, CURLOPT_POSTFIELDS, hc_buf_text(&t->request_body));

    return rc != CURLE_OK ? rc
                          : curl_easy_setopt(t->easy, CURLOPT_POSTFIELDSIZE_LARGE,
                                             (curl_off_t)t->request_body.len);
}

static CURLcode set_method(struct hc_transfer *t, enum hc_http_method method)
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
        rc = set_body(t);
        break;
    case HC_HTTP_PUT:
        rc = set_body(t);
        rc = rc != CURLE_OK ? rc : curl_easy_setopt(t->easy, CURLOPT_CUSTOMREQUEST, "PUT");
        break;
    }
    return rc;
}

/* What holds for every request. curl_easy_setopt() is a macro: hence a line each. */
static CURLcode set_rules(struct hc_transfer *t, const char *user_agent)
{
    CURLcode rc[] = {
        curl_easy_setopt(t->easy, CURLOPT_URL, t->url),
        hc_curl_schemes(t->easy, "https,http", CURLPROTO_HTTPS | CURLPROTO_HTTP),
        curl_easy_setopt(t->easy, CURLOPT_FOLLOWLOCATION, 0L),
        curl_easy_setopt(t->easy, CURLOPT_NOSIGNAL, 1L),
        curl_easy_setopt(t->easy, CURLOPT_USERAGENT, user_agent),
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

static CURLcode set_callbacks(struct hc_transfer *t)
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

/* The connection of a pinned transfer is its own: not another's before, nor after. */
static CURLcode set_pin(struct hc_transfer *t, const struct hc_http_pin *pin)
{
    CURLcode rc[] = {
        curl_easy_setopt(t->easy, CURLOPT_CONNECT_TO, t->connect_to),
        curl_easy_setopt(t->easy, CURLOPT_PROXY, ""),
        curl_easy_setopt(t->easy, CURLOPT_FRESH_CONNECT, 1L),
        curl_easy_setopt(t->easy, CURLOPT_FORBID_REUSE, 1L),
        curl_easy_setopt(t->easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1),
        curl_easy_setopt(t->easy, CURLOPT_SSL_VERIFYPEER, pin->any_certificate ? 0L : 1L),
        curl_easy_setopt(t->easy, CURLOPT_SSL_VERIFYHOST, pin->any_certificate ? 0L : 2L),
    };

    for (size_t i = 0; i < HC_COUNT(rc); i++) {
        if (rc[i] != CURLE_OK) {
            return rc[i];
        }
    }
    return CURLE_OK;
}

static CURLcode set_login(struct hc_transfer *t, const struct hc_http_login *login)
{
    CURLcode rc[] = {
        curl_easy_setopt(t->easy, CURLOPT_USERNAME, login->user),
        curl_easy_setopt(t->easy, CURLOPT_PASSWORD, login->password),
        CURLE_OK,
    };

    /* an option after the other: setting one of these two takes the other back */
    rc[2] = login->scope != NULL
                ? curl_easy_setopt(t->easy, CURLOPT_AWS_SIGV4, login->scope)
                : curl_easy_setopt(t->easy, CURLOPT_HTTPAUTH, (long)CURLAUTH_BASIC);
    for (size_t i = 0; i < HC_COUNT(rc); i++) {
        if (rc[i] != CURLE_OK) {
            return rc[i];
        }
    }
    return CURLE_OK;
}

static int make_pin(struct hc_transfer *t, const struct hc_http_pin *pin, struct hc_error *err)
{
    unsigned char raw[sizeof(struct in6_addr)];
    bool v6 = inet_pton(AF_INET6, pin->address, raw) == 1;
    char line[96];

    if (!v6 && inet_pton(AF_INET, pin->address, raw) != 1) {
        return hc_error_set(err, HC_P_INTERNAL, pin->address, "not a numeric address");
    }
    /* empty host and port of the four: whatever the URL has */
    (void)snprintf(line, sizeof(line), "::%s%s%s:%u", v6 ? "[" : "", pin->address, v6 ? "]" : "",
                   (unsigned)pin->port);
    t->connect_to = curl_slist_append(NULL, line);
    (void)hc_copy(t->address, sizeof(t->address), pin->address);
    t->pinned = true;
    return t->connect_to != NULL ? 0 : hc_error_nomem(err);
}

struct hc_transfer *hc_transfer_new(CURL *easy, const char *user_agent,
                                    const struct hc_http_request *request,
                                    const struct hc_http_pin *pin, struct hc_error *err)
{
    struct hc_transfer *t = calloc(1, sizeof(*t));

    if (t == NULL) {
        curl_easy_cleanup(easy);
        hc_error_nomem(err);
        return NULL;
    }
    t->easy = easy;
    t->timeout_ms = request->timeout_ms > 0 ? request->timeout_ms : HC_HTTP_TIMEOUT_MS;
    t->request_body.max = HC_HTTP_BODY_MAX;
    t->request_body.secret = true;
    t->reply_body.max = request->max_body > 0 ? request->max_body : HC_HTTP_BODY_MAX;
    hc_http_headers_reset(&t->headers);
    if (hc_strdup(request->url, &t->url, err) != 0 ||
        (request->ca_bundle != NULL && hc_strdup(request->ca_bundle, &t->ca_bundle, err) != 0) ||
        hc_buf_append(&t->request_body, request->body.data, request->body.len, err) != 0 ||
        set_headers(t, request, err) != 0 || (pin != NULL && make_pin(t, pin, err) != 0)) {
        goto fail;
    }
    if (set_rules(t, user_agent) != CURLE_OK || set_method(t, request->method) != CURLE_OK ||
        set_callbacks(t) != CURLE_OK || (pin != NULL && set_pin(t, pin) != CURLE_OK) ||
        (request->login != NULL && set_login(t, request->login) != CURLE_OK) ||
        (request->metadata && curl_easy_setopt(easy, CURLOPT_PROXY, "") != CURLE_OK)) {
        hc_error_set(err, HC_P_INTERNAL, request->url, "libcurl refused an option");
        goto fail;
    }
    return t;
fail:
    curl_easy_cleanup(hc_transfer_free(t));
    return NULL;
}

CURL *hc_transfer_free(struct hc_transfer *t)
{
    CURL *easy = NULL;

    if (t == NULL) {
        return NULL;
    }
    easy = t->easy;
    if (t->release != NULL) {
        t->release(t->arg);
    }
    curl_easy_reset(easy);
    for (struct curl_slist *line = t->extra; line != NULL; line = line->next) {
        OPENSSL_cleanse(line->data, strlen(line->data)); /* tokens, passwords */
    }
    curl_slist_free_all(t->extra);
    curl_slist_free_all(t->connect_to);
    hc_http_headers_dispose(&t->headers);
    hc_buf_dispose(&t->request_body);
    hc_buf_dispose(&t->reply_body);
    hc_kept_error_dispose(&t->failed);
    free(t->url);
    free(t->ca_bundle);
    free(t);
    return easy;
}

/* Which check of the peer's certificate failed: the chain in OpenSSL's words, the name in curl's.
 */
static void explain_trust(struct hc_transfer *t, struct hc_error *err)
{
    long verdict = X509_V_OK;

    if (curl_easy_getinfo(t->easy, CURLINFO_SSL_VERIFYRESULT, &verdict) == CURLE_OK &&
        verdict != X509_V_OK && verdict != X509_V_ERR_UNSPECIFIED) {
        hc_error_set(err, HC_P_FETCH_UNTRUSTED, t->url, "%s",
                     X509_verify_cert_error_string(verdict));
    } else {
        hc_error_set(err, HC_P_FETCH_UNTRUSTED, t->url, "%s", t->reason);
    }
}

static void explain(struct hc_transfer *t, CURLcode code, struct hc_error *err)
{
    const char *reason = t->reason[0] != '\0' ? t->reason : curl_easy_strerror(code);

    if (hc_kept_error_is_set(&t->failed)) {
        hc_kept_error_get(&t->failed, err);
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
        hc_error_set(err, HC_P_FETCH_TIMEOUT, t->url, "%s", reason);
        break;
    case CURLE_FILESIZE_EXCEEDED:
        hc_error_set(err, HC_P_TOO_LARGE, t->url, "the reply is larger than %zu bytes",
                     t->reply_body.max);
        break;
    case CURLE_UNSUPPORTED_PROTOCOL:
        hc_error_set(err, HC_P_FETCH_URL, t->url, "%s", reason);
        break;
    case CURLE_OUT_OF_MEMORY:
        hc_error_nomem(err);
        break;
    default:
        hc_error_set(err, HC_P_FETCH_FAILED, t->url, "%s", reason);
        break;
    }
}

void hc_transfer_complete(struct hc_transfer *t, CURLcode code)
{
    struct hc_error err;
    struct hc_http_reply reply = {0};

    hc_error_init(&err);
    if (code != CURLE_OK) {
        explain(t, code, &err);
        t->done(t->arg, NULL, &err);
        return;
    }
    (void)curl_easy_getinfo(t->easy, CURLINFO_RESPONSE_CODE, &reply.status);
    reply.content_type = t->headers.content_type;
    reply.server = t->headers.server;
    reply.www_authenticate = t->headers.www_authenticate;
    reply.location = t->headers.location;
    reply.replay_nonce = t->headers.replay_nonce;
    reply.date = t->headers.date;
    reply.retry_after = t->headers.retry_after;
    reply.links = &t->headers.links;
    reply.body = hc_bytes_of(&t->reply_body);
    t->done(t->arg, &reply, NULL);
}
