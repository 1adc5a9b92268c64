/* Signed requests; see request.h. */
#include "acme/request.h"

#include <stdlib.h>
#include <string.h>

#include "acme/json.h"
#include "acme/network.h"
#include "acme/problem.h"

#define RETRY_FIRST_MS  250
#define RETRY_SECOND_MS 1000
#define RETRY_AFTER_MOST                                                                           \
    3 /* seconds that are waited for in here; longer is the caller's affair                        \
       */

enum state {
    RUN,       /* can go on at once */
    DIRECTORY, /* waits for the directory, the account, a nonce */
    ACCOUNT,
    NONCE,
    PAUSE,  /* waits until due_ms */
    FLIGHT, /* is being answered */
    FAILED, /* is to be told so */
};

struct hc_acme_request {
    struct hc_acme_request *next;
    struct hc_acme *acme;
    enum state state;
    enum hc_endpoint endpoint;
    char *url;
    struct hc_buf payload;
    int (*fill)(void *arg, struct hc_buf *payload, struct hc_error *err); /* or NULL */
    const char *accept;
    size_t max_body;
    hc_acme_request_done *done;
    void *arg;
    uint64_t http_id;
    int64_t due_ms;
    unsigned tries;
    unsigned nonces;
    unsigned accounts;
    unsigned registration;    /* the account's when it was signed */
    struct hc_kept_error err; /* why it FAILED */
};

static void request_free(struct hc_acme_request *r)
{
    for (struct hc_acme_request **p = &r->acme->requests; *p != NULL; p = &(*p)->next) {
        if (*p == r) {
            *p = r->next;
            break;
        }
    }
    hc_buf_dispose(&r->payload);
    hc_kept_error_dispose(&r->err);
    free(r->url);
    free(r);
}

int hc_acme_request_new(struct hc_acme *acme, const struct hc_acme_request_options *options,
                        struct hc_acme_request **out, struct hc_error *err)
{
    struct hc_acme_request **last = &acme->requests;
    struct hc_acme_request *r = calloc(1, sizeof(*r));

    if (r == NULL) {
        return hc_error_nomem(err);
    }
    r->acme = acme;
    r->endpoint = options->endpoint;
    r->accept = options->accept;
    r->max_body = options->max_body;
    r->done = options->done;
    r->arg = options->arg;
    r->payload.max = HC_JWS_MAX;
    r->fill = options->fill;
    if (hc_buf_puts(&r->payload, options->payload != NULL ? options->payload : "", err) != 0 ||
        (options->url != NULL && hc_strdup(options->url, &r->url, err) != 0)) {
        request_free(r);
        return -1;
    }
    while (*last != NULL) {
        last = &(*last)->next;
    }
    *last = r;
    *out = r;
    return 0;
}

void hc_acme_request_cancel(struct hc_acme_request *r)
{
    if (r == NULL) {
        return;
    }
    if (r->state == FLIGHT) {
        r->acme->options.http->cancel(r->acme->options.http->self, r->http_id);
    }
    request_free(r);
}

/*
 * True if the same request is sent once more after a pause. Not after a time-out: that was wait
 * enough; and not when the CA asks for more patience than a request has.
 */
static bool again(struct hc_acme_request *r, const struct hc_error *err)
{
    bool passing = err->problem == HC_P_CA_UNREACHABLE || err->problem == HC_P_CA_ERROR ||
                   err->problem == HC_P_RATE_LIMITED;
    int64_t pause_ms = r->tries == 0 ? RETRY_FIRST_MS : RETRY_SECOND_MS;

    if (!passing || r->tries + 1 >= HC_REQUEST_TRIES ||
        err->foreign.retry_after > RETRY_AFTER_MOST ||
        (err->problem == HC_P_RATE_LIMITED && err->foreign.retry_after == 0)) {
        return false;
    }
    if (err->foreign.retry_after * 1000 > pause_ms) {
        pause_ms = err->foreign.retry_after * 1000;
    }
    /* up to a quarter more, so that requests that failed together do not return together */
    pause_ms += (int64_t)hc_random_below(r->acme->options.random, (uint64_t)pause_ms / 4 + 1);
    r->tries++;
    r->state = PAUSE;
    r->due_ms = hc_now_ms(r->acme->options.clock) + pause_ms;
    return true;
}

static void fail(struct hc_acme_request *r, const struct hc_error *err)
{
    if (!again(r, err)) {
        hc_kept_error_set(&r->err, err);
        r->state = FAILED;
    }
}

/* Those in a state go on, or fail with err if it is set. */
static void wake(struct hc_acme *acme, enum state state, const struct hc_error *err)
{
    for (struct hc_acme_request *r = acme->requests; r != NULL; r = r->next) {
        if (r->state == state) {
            r->state = RUN;
            if (err != NULL && hc_error_is_set(err)) {
                fail(r, err);
            }
        }
    }
}

void hc_acme_requests_account(struct hc_acme *acme, const struct hc_error *err)
{
    for (struct hc_acme_request *r = acme->requests; r != NULL; r = r->next) {
        if (r->state == ACCOUNT && hc_error_is_set(err)) {
            /* the registration was tried often enough by itself */
            hc_kept_error_set(&r->err, err);
            r->state = FAILED;
        } else if (r->state == ACCOUNT) {
            r->state = RUN;
        }
    }
}

static void on_directory(void *arg, struct hc_directory *directory, const struct hc_error *cause)
{
    struct hc_acme *acme = arg;

    hc_directory_dispose(&acme->directory);
    if (directory != NULL) {
        acme->directory = *directory;
        *directory = (struct hc_directory){0};
        acme->directory_until_ms = hc_now_ms(acme->options.clock) + HC_DIRECTORY_AGE_MS;
    }
    wake(acme, DIRECTORY, cause);
    hc_acme_pump(acme);
}

static int fetch_directory(struct hc_acme *acme, struct hc_error *err)
{
    acme->directory_fetch = (struct hc_directory_fetch){
        .http = acme->options.http,
        .log = acme->options.log,
        .url = acme->options.issuer->directory_url,
        .ca_bundle = acme->options.issuer->ca_bundle,
        .done = on_directory,
        .arg = acme,
    };
    return hc_directory_fetch_start(&acme->directory_fetch, err);
}

static bool ensure_directory(struct hc_acme_request *r, int64_t now_ms)
{
    struct hc_acme *acme = r->acme;
    struct hc_error err;

    if (acme->directory.new_nonce != NULL && now_ms < acme->directory_until_ms) {
        return true;
    }
    hc_error_init(&err);
    r->state = DIRECTORY;
    if (acme->directory_fetch.id == 0 && fetch_directory(acme, &err) != 0) {
        fail(r, &err);
    }
    return false;
}

static bool ensure_account(struct hc_acme_request *r)
{
    struct hc_error err;

    if (r->endpoint == HC_ENDPOINT_NEW_ACCOUNT) {
        return true;
    }
    if (r->acme->account_ready) {
        hc_account_tell_contacts(r->acme);
        return true;
    }
    hc_error_init(&err);
    r->state = ACCOUNT;
    if (hc_account_register(r->acme, &err) != 0) {
        fail(r, &err);
    }
    return false;
}

/* What a reply, or its absence, means as an error; err stays empty if it is none. */
static void read_failure(const struct hc_acme *acme, const char *url,
                         const struct hc_http_reply *reply, const struct hc_error *cause,
                         struct hc_error *err)
{
    if (cause != NULL) {
        *err = *cause;
        hc_acme_network_error(err);
    } else if (reply->status >= 400) {
        hc_acme_problem_reply(reply, url, acme->options.redaction, err);
    }
}

static void on_nonce(void *arg, const struct hc_http_reply *reply, const struct hc_error *cause)
{
    struct hc_nonce_fetch *fetched = arg;
    struct hc_acme *acme = fetched->acme;
    const char *url = acme->directory.new_nonce;
    struct hc_error err;
    unsigned before = acme->nonces.count;

    hc_error_init(&err);
    fetched->id = 0;
    read_failure(acme, url, reply, cause, &err);
    if (!hc_error_is_set(&err)) {
        hc_nonces_put(&acme->nonces, reply->replay_nonce);
        if (acme->nonces.count == before && before < HC_NONCE_POOL) {
            hc_error_set(&err, HC_P_CA_REPLY, url,
                         "the reply to newNonce has no usable Replay-Nonce");
        }
    }
    hc_error_during(&err, "asking for a nonce");
    wake(acme, NONCE, &err);
    hc_acme_pump(acme);
}

/* One more HEAD newNonce, if more requests wait than nonces are on their way. */
static int need_nonce(struct hc_acme *acme, struct hc_error *err)
{
    struct hc_http_request request = {0};
    struct hc_nonce_fetch *idle = NULL;
    unsigned waiting = 0;
    unsigned coming = 0;

    for (const struct hc_acme_request *r = acme->requests; r != NULL; r = r->next) {
        waiting += r->state == NONCE;
    }
    for (unsigned i = 0; i < HC_NONCE_FETCHES; i++) {
        if (acme->nonce_fetch[i].id != 0) {
            coming++;
        } else {
            idle = &acme->nonce_fetch[i];
        }
    }
    if (coming >= waiting || idle == NULL) {
        return 0;
    }
    idle->acme = acme;
    request.method = HC_HTTP_HEAD;
    request.url = acme->directory.new_nonce;
    request.ca_bundle = acme->options.issuer->ca_bundle;
    return hc_acme_send(acme->options.http, &request, on_nonce, idle, &idle->id, err);
}

static const char *target(const struct hc_acme_request *r)
{
    switch (r->endpoint) {
    case HC_ENDPOINT_URL:
        return r->url;
    case HC_ENDPOINT_NEW_ACCOUNT:
        return r->acme->directory.new_account;
    case HC_ENDPOINT_NEW_ORDER:
        return r->acme->directory.new_order;
    }
    return r->url;
}

/* The JWS protected header, RFC 8555 section 6.2: jwk for newAccount, else kid. */
static int make_header(struct hc_acme_request *r, const char *nonce, struct hc_buf *out,
                       struct hc_error *err)
{
    struct hc_acme *acme = r->acme;
    struct hc_buf jwk = HC_BUF_INIT(512);
    json_t *header = json_pack("{s:s, s:s, s:s}", "alg", "ES256", "nonce", nonce, "url", target(r));
    json_t *who = NULL;
    int rc = -1;

    if (r->endpoint != HC_ENDPOINT_NEW_ACCOUNT) {
        who = json_string(acme->account.url);
    } else if (hc_jws_jwk(acme->account.key, &jwk, err) == 0) {
        who = json_loads(hc_buf_text(&jwk), 0, NULL);
    } else {
        goto out;
    }
    if (header == NULL || who == NULL ||
        json_object_set(header, r->endpoint == HC_ENDPOINT_NEW_ACCOUNT ? "jwk" : "kid", who) != 0) {
        hc_error_nomem(err);
        goto out;
    }
    rc = hc_json_write(header, out, err);
out:
    json_decref(who);
    json_decref(header);
    hc_buf_dispose(&jwk);
    return rc;
}

static void on_reply(void *arg, const struct hc_http_reply *reply, const struct hc_error *cause);

static int fill_payload(struct hc_acme_request *r, struct hc_error *err)
{
    if (r->fill == NULL) {
        return 0;
    }
    hc_buf_reset(&r->payload);
    return r->fill(r->arg, &r->payload, err);
}

static int send_signed(struct hc_acme_request *r, const char *nonce, struct hc_error *err)
{
    struct hc_buf header = HC_BUF_INIT(HC_JWS_MAX);
    struct hc_buf body = HC_BUF_INIT(HC_JWS_MAX * 2);
    struct hc_http_request request = {0};
    int rc = -1;

    if (make_header(r, nonce, &header, err) != 0 || fill_payload(r, err) != 0 ||
        hc_jws_sign(r->acme->account.key, hc_buf_text(&header), hc_buf_text(&r->payload), &body,
                    err) != 0) {
        goto out;
    }
    request.method = HC_HTTP_POST;
    request.url = target(r);
    request.content_type = "application/jose+json";
    request.accept = r->accept;
    request.body = hc_bytes_of(&body);
    request.ca_bundle = r->acme->options.issuer->ca_bundle;
    request.max_body = r->max_body;
    rc = hc_acme_send(r->acme->options.http, &request, on_reply, r, &r->http_id, err);
out:
    hc_buf_dispose(&header);
    hc_buf_dispose(&body);
    return rc;
}

/* Tells the caller, who may cancel other requests and make new ones, and ends. */
static void finish(struct hc_acme_request *r, const struct hc_http_reply *reply,
                   const struct hc_error *err)
{
    r->done(r->arg, reply, err);
    request_free(r);
}

/* A reply that refuses: true if the request goes on all the same. */
static bool goes_on(struct hc_acme_request *r, const struct hc_error *err)
{
    if (err->problem == HC_P_BAD_NONCE && r->nonces < HC_REQUEST_NONCES) {
        r->nonces++;
        r->state = RUN;
        return true;
    }
    if (err->problem == HC_P_ACCOUNT_GONE && r->endpoint != HC_ENDPOINT_NEW_ACCOUNT &&
        r->accounts < 2) {
        /* replies to what was signed before the last registration say nothing new */
        if (r->registration == r->acme->registrations) {
            hc_account_lost(r->acme);
        }
        r->accounts++;
        r->state = RUN;
        return true;
    }
    return again(r, err);
}

static void on_reply(void *arg, const struct hc_http_reply *reply, const struct hc_error *cause)
{
    struct hc_acme_request *r = arg;
    struct hc_acme *acme = r->acme;
    struct hc_error err;

    hc_error_init(&err);
    r->http_id = 0;
    read_failure(acme, target(r), reply, cause, &err);
    if (!hc_error_is_set(&err) && (reply->status < 200 || reply->status > 299)) {
        hc_error_set(&err, HC_P_CA_REPLY, target(r), "HTTP %ld: ACME knows no redirects",
                     reply->status);
    }
    hc_logf(acme->options.log, HC_LOG_DEBUG, "%s: POST %s: HTTP %ld", hc_acme_issuer(acme),
            target(r), reply != NULL ? reply->status : 0L);
    if (reply != NULL) {
        /* refused twice: what is in the pool is of a CA that forgot it all */
        if (err.problem == HC_P_BAD_NONCE && r->nonces > 0) {
            hc_nonces_clear(&acme->nonces);
        }
        hc_nonces_put(&acme->nonces, reply->replay_nonce);
    }
    if (!hc_error_is_set(&err)) {
        finish(r, reply, NULL);
    } else if (!goes_on(r, &err)) {
        finish(r, reply, &err);
    }
    hc_acme_pump(acme);
}

/* As far as it goes without waiting. */
static void run(struct hc_acme_request *r, int64_t now_ms)
{
    char nonce[HC_NONCE_SIZE];
    struct hc_error err;

    hc_error_init(&err);
    if (!ensure_directory(r, now_ms) || !ensure_account(r)) {
        return;
    }
    if (!hc_nonces_take(&r->acme->nonces, nonce)) {
        r->state = NONCE;
        if (need_nonce(r->acme, &err) != 0) {
            fail(r, &err);
        }
        return;
    }
    r->state = FLIGHT;
    r->registration = r->acme->registrations;
    if (send_signed(r, nonce, &err) != 0) {
        fail(r, &err);
    }
}

bool hc_acme_requests_run(struct hc_acme *acme, int64_t now_ms)
{
    for (struct hc_acme_request *r = acme->requests; r != NULL; r = r->next) {
        if (r->state == PAUSE && r->due_ms <= now_ms) {
            r->state = RUN;
        }
        if (r->state == RUN) {
            run(r, now_ms);
            return true;
        }
        if (r->state == FAILED) {
            struct hc_error err;

            hc_kept_error_get(&r->err, &err);
            finish(r, NULL, &err);
            return true;
        }
    }
    return false;
}

int64_t hc_acme_requests_due(const struct hc_acme *acme)
{
    int64_t due = -1;

    for (const struct hc_acme_request *r = acme->requests; r != NULL; r = r->next) {
        if (r->state == RUN || r->state == FAILED) {
            return 0;
        }
        if (r->state == PAUSE && (due < 0 || r->due_ms < due)) {
            due = r->due_ms;
        }
    }
    return due;
}
