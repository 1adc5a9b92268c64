/* Changes by HTTP requests; see web_writer.h. */
#include "solve/web_writer.h"

#include <jansson.h>
#include <openssl/crypto.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "acme/json.h"
#include "conf/url.h"
#include "net/aws_text.h"

#define BODY_MAX  ((size_t)16 << 10)
#define REPLY_MAX ((size_t)64 << 10)
#define SAID_MAX  300 /* of a reply, in an error */

static void drop(struct hc_change *change)
{
    struct hc_web_change *c = (struct hc_web_change *)(void *)change;
    const struct hc_writer_env *env = &change->writer->env;

    if (c->request != 0) {
        env->http->cancel(env->http->self, c->request);
    }
    env->secrets->forget(env->secrets->self, c);
    hc_redaction_remove(env->redaction, c->password);
}

/* cause: what went wrong, or NULL. */
static void finish(struct hc_web_change *c, const struct hc_error *cause)
{
    hc_change_end(&c->is, cause, false, NULL);
}

enum hc_web_next hc_web_says(const struct hc_web_change *c, const char *what, struct hc_bytes body,
                             struct hc_error *err)
{
    struct hc_buf said = HC_BUF_INIT(REPLY_MAX);
    struct hc_error ignored;

    hc_error_init(&ignored);
    (void)!hc_redaction_clean(c->is.writer->env.redaction, body, &said, &ignored);
    /* cut behind the redaction: half a secret would not be known for one */
    hc_error_set(err, HC_P_DNS_WRITE, NULL, "%s%s%.*s%s", what, said.len > 0 ? ": \"" : "",
                 SAID_MAX, hc_buf_text(&said), said.len > 0 ? "\"" : "");
    hc_buf_dispose(&said);
    return HC_WEB_FAILED;
}

static void go_on(struct hc_web_change *c);

/* Refused for good: who asks, or what is asked for. */
static bool is_refusal(long status)
{
    return status == 401 || status == 403;
}

static void on_reply(void *arg, const struct hc_http_reply *reply, const struct hc_error *err)
{
    struct hc_web_change *c = arg;
    struct hc_error own;
    enum hc_web_next next = HC_WEB_FAILED;

    c->request = 0;
    hc_error_init(&own);
    if (err != NULL) {
        hc_error_set(&own, HC_P_DNS_WRITE, NULL, "%s", err->detail);
    } else if (reply->status / 100 == 2) {
        next = hc_web_writer_of(c)->kind->judge(c, reply, &own);
    } else {
        char what[64];

        (void)snprintf(what, sizeof(what), "it answered with status %ld", reply->status);
        (void)hc_web_says(c, what, reply->body, &own);
        own.problem = is_refusal(reply->status) ? HC_P_DNS_REFUSED : HC_P_DNS_WRITE;
        own.foreign.http_status = (int)reply->status;
        own.foreign.retry_after = reply->retry_after > 0 ? reply->retry_after : 0;
    }
    if (next == HC_WEB_ASK) {
        go_on(c);
    } else {
        finish(c, next == HC_WEB_FAILED ? &own : NULL);
    }
}

static int send_request(struct hc_web_change *c, const struct hc_web_request *r,
                        struct hc_error *err)
{
    const struct hc_writer_env *env = &c->is.writer->env;
    const struct hc_http_login login = {.user = c->user, .password = c->password};
    const char **headers = calloc(r->headers.count + 1, sizeof(*headers));
    const struct hc_http_request request = {
        .method = HC_HTTP_POST,
        .url = hc_buf_text(&r->url),
        .content_type = r->content_type,
        .headers = headers,
        .login = c->user[0] != '\0' ? &login : NULL,
        .body = hc_bytes_of(&r->body),
        .max_body = REPLY_MAX,
    };
    int rc = -1;

    if (headers == NULL) {
        return hc_error_nomem(err);
    }
    for (size_t i = 0; i < r->headers.count; i++) {
        headers[i] = r->headers.items[i];
    }
    rc = env->http->send(env->http->self, &request, on_reply, c, &c->request, err);
    free(headers);
    return rc;
}

static void request_dispose(struct hc_web_request *r)
{
    for (size_t i = 0; i < r->headers.count; i++) {
        OPENSSL_cleanse(r->headers.items[i], strlen(r->headers.items[i]));
    }
    hc_list_dispose(&r->headers);
    hc_buf_dispose(&r->url);
    hc_buf_dispose(&r->body);
}

static void go_on(struct hc_web_change *c)
{
    struct hc_web_request r = {.url = HC_BUF_INIT(HC_HTTP_URL_MAX),
                               .body = HC_BUF_INIT_SECRET(BODY_MAX)};
    struct hc_error err;
    enum hc_web_next next = HC_WEB_FAILED;

    hc_error_init(&err);
    next = hc_web_writer_of(c)->kind->ask(c, &r, &err);
    if (next == HC_WEB_ASK && send_request(c, &r, &err) != 0) {
        c->request = 0;
        next = HC_WEB_FAILED;
    }
    request_dispose(&r);
    if (next != HC_WEB_ASK) {
        finish(c, next == HC_WEB_FAILED ? &err : NULL);
    }
}

/* ---- the file with name and password ---- */

/* "NAME:PASSWORD" in the first line; the file is not repeated in an error. */
static int take_login(struct hc_web_change *c, struct hc_bytes content, struct hc_error *err)
{
    const char *text = (const char *)content.data;
    const char *newline = content.len > 0 ? memchr(text, '\n', content.len) : NULL;
    size_t len = newline != NULL ? (size_t)(newline - text) : content.len;
    const char *colon = NULL;

    len -= len > 0 && text[len - 1] == '\r';
    colon = len > 0 ? memchr(text, ':', len) : NULL;
    if (colon == NULL || colon == text || memchr(text, '\0', len) != NULL ||
        (size_t)(colon - text) >= sizeof(c->user) ||
        len - (size_t)(colon - text) - 1 >= sizeof(c->password)) {
        return hc_error_set(err, HC_P_BAD_VALUE, c->is.writer->block->credentials,
                            "its first line is not NAME:PASSWORD");
    }
    memcpy(c->user, text, (size_t)(colon - text));
    memcpy(c->password, colon + 1, len - (size_t)(colon - text) - 1);
    return hc_redaction_add(c->is.writer->env.redaction, c->password, err);
}

static void on_login(void *arg, struct hc_bytes content, const struct hc_error *err)
{
    struct hc_web_change *c = arg;
    struct hc_error own;

    hc_error_init(&own);
    if (err != NULL) {
        finish(c, err);
    } else if (take_login(c, content, &own) != 0) {
        finish(c, &own);
    } else {
        go_on(c);
    }
}

/* ---- the writer ---- */

static void begin(struct hc_change *change)
{
    struct hc_web_change *c = (struct hc_web_change *)(void *)change;
    const struct hc_secret_port *secrets = change->writer->env.secrets;
    const char *file = change->writer->block->credentials;

    if (file != NULL) {
        secrets->read(secrets->self, file, on_login, c);
    } else {
        go_on(c);
    }
}

int hc_web_writer_open(const struct hc_web_kind *kind, const struct hc_dns_block *block,
                       const struct hc_writer_env *env, struct hc_dns_writer *out,
                       struct hc_error *err)
{
    static const struct hc_change_kind changes = {
        .writer_size = sizeof(struct hc_web_writer),
        .change_size = sizeof(struct hc_web_change),
        .parallel = 1,
        .fetches = true,
        .begin = begin,
        .drop = drop,
    };
    struct hc_changes *is = hc_changes_new(&changes, block, env, out, err);
    struct hc_web_writer *writer = (struct hc_web_writer *)(void *)is;
    const char *url = block->endpoint != NULL ? block->endpoint : kind->url;
    char host[256] = "";
    size_t len = strlen(url);

    if (is == NULL) {
        return -1;
    }
    while (len > 0 && url[len - 1] == '/') {
        len--;
    }
    writer->kind = kind;
    out->parallel = kind->parallel;
    (void)snprintf(writer->url, sizeof(writer->url), "%.*s", (int)len, url);
    (void)!hc_url_host(url, host, sizeof(host));
    (void)snprintf(is->identity, sizeof(is->identity), "%s at %s", kind->noun, host);
    return 0;
}

/* ---- bodies ---- */

int hc_web_put_field(struct hc_buf *form, const char *name, const char *value, struct hc_error *err)
{
    return hc_buf_printf(form, err, "%s%s=", form->len > 0 ? "&" : "", name) == 0
               ? hc_aws_put_escaped(form, value, err)
               : -1;
}

int hc_web_put_json(struct hc_buf *body, const char *const *pairs, struct hc_error *err)
{
    json_t *object = json_object();
    int rc = object != NULL ? 0 : hc_error_nomem(err);

    for (; rc == 0 && *pairs != NULL; pairs += 2) {
        if (json_object_set_new(object, pairs[0], json_string(pairs[1])) != 0) {
            rc = hc_error_nomem(err);
        }
    }
    rc = rc == 0 ? hc_json_write(object, body, err) : rc;
    json_decref(object);
    return rc;
}
