/* Asking Route 53; see route53.h. */
#include "solve/route53.h"

#include <openssl/crypto.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "net/aws_text.h"

#define SCOPE      "aws:amz:us-east-1:route53" /* it is in one place, whatever the region */
#define PACE_MS    250                         /* between requests: an account has five a second */
#define RETRY_MS   1000                        /* doubles .. */
#define RETRY_MOST 30000

void hc_route53_drop(struct hc_route53_job *c)
{
    const struct hc_writer_env *env = &c->is.writer->env;

    hc_timer_stop(&c->timer);
    if (c->request != 0) {
        env->http->cancel(env->http->self, c->request);
    }
    hc_aws_forget(hc_route53_of(c)->aws, c);
    hc_route53_set_dispose(&c->set);
}

void hc_route53_finish(struct hc_route53_job *c, const struct hc_error *cause, bool spread)
{
    struct hc_error err = {0};

    if (cause != NULL && (cause->problem == HC_P_DNS_WRITE || cause->problem == HC_P_DNS_REFUSED ||
                          cause->problem == HC_P_FETCH_FAILED)) {
        hc_error_set(&err, cause->problem == HC_P_DNS_REFUSED ? HC_P_DNS_REFUSED : HC_P_DNS_WRITE,
                     NULL, "%s", cause->detail);
        cause = &err;
    } /* else: of credentials, of the network */
    hc_change_end(&c->is, cause, spread, NULL);
}

static int64_t now_ms(const struct hc_route53_job *c)
{
    return hc_now_ms(c->is.writer->env.clock);
}

/* In its turn, after so long. */
void hc_route53_again(struct hc_route53_job *c, int64_t ms)
{
    struct hc_route53 *writer = hc_route53_of(c);
    int64_t at = now_ms(c) + ms;

    at = at < writer->next_ms ? writer->next_ms : at;
    if (ms == 0) {
        writer->next_ms = at + PACE_MS;
    }
    hc_timer_at(&c->timer, at);
}

void hc_route53_ask(struct hc_route53_job *c, hc_route53_step *step, int64_t ms)
{
    c->step = step;
    hc_route53_again(c, ms);
}

static void on_credentials(void *arg, const struct hc_aws_credentials *who,
                           const struct hc_error *err)
{
    struct hc_route53_job *c = arg;

    if (err != NULL) {
        hc_route53_finish(c, err, false);
    } else {
        c->step(c, who);
    }
}

static void on_turn(void *self)
{
    struct hc_route53_job *c = self;

    hc_aws_get(hc_route53_of(c)->aws, on_credentials, c);
}

static bool is_one_of(const char *code, const char *const *codes)
{
    while (*codes != NULL && strcmp(code, *codes) != 0) {
        codes++;
    }
    return *codes != NULL;
}

/* The same step after so long; a write begins with reading, since others may write meanwhile. */
static void ask_again(struct hc_route53_job *c, int64_t ms)
{
    if (c->writing) {
        c->read(c);
    }
    hc_route53_again(c, ms);
}

/* True if it goes on by itself, after a while. */
static bool try_again(struct hc_route53_job *c, long status, const struct hc_aws_fault *fault)
{
    static const char *const busy[] = {
        "Throttling",           "ThrottlingException", "PriorRequestNotComplete",
        "RequestLimitExceeded", "ServiceUnavailable",  NULL};
    static const char *const old[] = {"ExpiredToken", "ExpiredTokenException",
                                      "InvalidClientTokenId", "UnrecognizedClientException", NULL};
    int64_t wait = RETRY_MS;

    if (is_one_of(fault->code, old) && !c->renewed) {
        c->renewed = true;
        hc_aws_reject(hc_route53_of(c)->aws);
        ask_again(c, 0);
        return true;
    }
    if (strcmp(fault->code, "InvalidChangeBatch") == 0 && ++c->rounds < HC_ROUTE53_ROUNDS &&
        now_ms(c) < c->until_ms) {
        /* the set is not any more as it was read: who writes as well is soon done */
        ask_again(c, (int64_t)hc_random_below(c->is.writer->env.random, RETRY_MS));
        return true;
    }
    if (!is_one_of(fault->code, busy) && status != 429 && status / 100 != 5) {
        return false;
    }
    for (unsigned i = 0; i < c->failures && wait < RETRY_MOST; i++) {
        wait *= 2;
    }
    c->failures++;
    if (now_ms(c) + wait > c->until_ms) {
        return false;
    }
    ask_again(c, wait + (int64_t)hc_random_below(c->is.writer->env.random, (uint64_t)wait / 2));
    return true;
}

static void fail_request(struct hc_route53_job *c, long status, struct hc_bytes body)
{
    static const char *const denied[] = {"AccessDenied",
                                         "AccessDeniedException",
                                         "NoSuchHostedZone",
                                         "InvalidClientTokenId",
                                         "SignatureDoesNotMatch",
                                         "MissingAuthenticationToken",
                                         NULL};
    struct hc_aws_fault fault;
    struct hc_error err;

    hc_error_init(&err);
    hc_aws_take_fault(body, &fault);
    if (try_again(c, status, &fault)) {
        return;
    }
    memset(hc_route53_of(c)->zones, 0, sizeof(hc_route53_of(c)->zones));
    if (fault.code[0] == '\0') {
        hc_error_set(&err, HC_P_DNS_WRITE, NULL, "it answered with status %ld", status);
    } else {
        hc_error_set(&err, is_one_of(fault.code, denied) ? HC_P_DNS_REFUSED : HC_P_DNS_WRITE, NULL,
                     "%s: %s", fault.code, fault.message);
    }
    hc_route53_finish(c, &err, false);
}

static void on_reply(void *arg, const struct hc_http_reply *reply, const struct hc_error *err)
{
    struct hc_route53_job *c = arg;
    struct hc_error own;

    c->request = 0;
    hc_error_init(&own);
    if (err != NULL) {
        static const struct hc_aws_fault nothing = {"", ""};

        /* 503: as of a service that is busy */
        if (!try_again(c, 503, &nothing)) {
            hc_route53_finish(c, err, false);
        }
    } else if (reply->status / 100 != 2) {
        fail_request(c, reply->status, reply->body);
    } else if (c->judge(c, reply->body, &own) != 0) {
        hc_route53_finish(c, &own, false);
    }
}

/* A request with this path; body: empty for GET. */
void hc_route53_send(struct hc_route53_job *c, const struct hc_aws_credentials *who,
                     const char *path, struct hc_bytes body)
{
    const struct hc_writer_env *env = &c->is.writer->env;
    char token[HC_AWS_TOKEN + 32];
    const char *const headers[] = {token, NULL};
    const struct hc_http_login login = {.user = who->id, .password = who->secret, .scope = SCOPE};
    struct hc_buf url = HC_BUF_INIT(HC_HTTP_URL_MAX);
    struct hc_http_request request = {
        .method = body.len > 0 ? HC_HTTP_POST : HC_HTTP_GET,
        .content_type = body.len > 0 ? "text/xml" : NULL,
        .headers = who->token[0] != '\0' ? headers : NULL,
        .login = &login,
        .body = body,
        .max_body = HC_ROUTE53_REPLY,
    };
    struct hc_error err;
    int rc = -1;

    hc_error_init(&err);
    (void)snprintf(token, sizeof(token), "x-amz-security-token: %s", who->token);
    if (hc_buf_printf(&url, &err, "%s/2013-04-01/%s", hc_route53_of(c)->url, path) == 0) {
        request.url = hc_buf_text(&url);
        rc = env->http->send(env->http->self, &request, on_reply, c, &c->request, &err);
    }
    OPENSSL_cleanse(token, sizeof(token));
    hc_buf_dispose(&url);
    if (rc != 0) {
        c->request = 0;
        hc_route53_finish(c, &err, false);
    }
}

void hc_route53_get(struct hc_route53_job *c, const struct hc_aws_credentials *who,
                    const char *before, const char *name, const char *behind)
{
    struct hc_buf path = HC_BUF_INIT(HC_HTTP_URL_MAX);
    struct hc_error err;

    hc_error_init(&err);
    if (hc_buf_puts(&path, before, &err) != 0 || hc_aws_put_escaped(&path, name, &err) != 0 ||
        hc_buf_puts(&path, behind, &err) != 0) {
        hc_route53_finish(c, &err, false);
    } else {
        hc_route53_send(c, who, hc_buf_text(&path), (struct hc_bytes){NULL, 0});
    }
    hc_buf_dispose(&path);
}

void hc_route53_begin_asking(struct hc_route53_job *c)
{
    hc_timer_init(&c->timer, c->is.writer->env.loop, "Route 53", on_turn, c);
}
