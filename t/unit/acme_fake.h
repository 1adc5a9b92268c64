/*
 * A CA made for tests: an HTTP port that answers as an ACME server would, one reply a step, with a
 * clock of its own, and with rules that replace replies by faults. It checks what RFC 8555 asks of
 * a client: nonces used once, jwk or kid, POST-as-GET, url in the header.
 */
#ifndef HC_T_ACME_FAKE_H
#define HC_T_ACME_FAKE_H

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

#include "acme/acme.h"
#include "acme/jws.h"
#include "pki/key.h"
#include "tap.h"

#define FAKE_ORDERS 8
#define FAKE_NAMES  4
#define BASE        "https://ca.test"
#define CHAIN       "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"

/* Replaces the replies to requests whose URL contains match, after the first skip, times times. */
struct rule {
    const char *match;
    int skip;
    int times;
    long status; /* 0: no reply at all, but problem */
    enum hc_problem problem;
    const char *type; /* of a problem document, "caa" */
    const char *detail;
    const char *extra; /* more members of it: ",\"subproblems\":[]" */
    const char *body;  /* instead of a problem document */
    const char *content_type;
    const char *location; /* with the true body, if status is 2xx and body is NULL */
    int64_t retry_after;  /* 0: none */
    bool after;           /* with status 0: the CA did its work, only the reply is lost */
    bool real;            /* the CA did its work, and body replaces what it said */
    bool exact;           /* the URL is match, and does not only contain it */
};

struct fake_order {
    json_t *identifiers;
    const char *status;
    int polls;
    int authz_polls[FAKE_NAMES];
    const char *authz[FAKE_NAMES];
    bool answered[FAKE_NAMES];
};

struct fake_request {
    struct fake_request *next;
    uint64_t id;
    enum hc_http_method method;
    char *url;
    char *body;
    hc_http_done *done;
    void *arg;
};

struct fake {
    struct hc_http_port port;
    struct hc_clock clock;
    struct hc_log log;
    int64_t now_ms;
    struct fake_request *queue;
    uint64_t last_id;
    struct rule rules[8];
    int rule_count;
    char nonces[64][24]; /* given out and not used */
    int nonce_count;
    int nonce_serial;
    int bad_nonces;   /* so many of the next POSTs are refused */
    const char *meta; /* of the directory */
    bool account_known;
    int account_serial;
    struct fake_order orders[FAKE_ORDERS];
    int order_count;
    int authz_pending; /* polls that find an authorization pending */
    int order_processing;
    int64_t poll_retry_after;
    const char *bad_name; /* its authorization becomes invalid */
    const char *bad_detail;
    bool already_valid; /* authorizations are valid from the start */
    bool no_http;       /* no http-01 is offered */
    char *contacts;     /* that the account was last told to have */
    int new_accounts;
    int new_orders;
    char binding[2048]; /* externalAccountBinding of the last newAccount; "": none */
    bool ari;           /* it has renewal information */
    char replaces[64];  /* that the last order named; "": none */
    char profile[64];   /* that the last order asked for; "": none */
    int finalized;
    int downloads;
    int mistakes;      /* of the client's */
    char text[262144]; /* all log lines */
};

static inline int64_t fake_now(void *self)
{
    return 1700000000 + ((struct fake *)self)->now_ms / 1000;
}

static inline int64_t fake_now_ms(void *self)
{
    return ((struct fake *)self)->now_ms;
}

static inline void fake_line(void *self, enum hc_level level HC_UNUSED, const char *text)
{
    struct fake *f = self;
    size_t used = strlen(f->text);

    snprintf(f->text + used, sizeof(f->text) - used, "%s\n", text);
}

static inline void mistake(struct fake *f, const char *what)
{
    printf("# the client's mistake: %s\n", what);
    f->mistakes++;
}

static inline int fake_send(void *self, const struct hc_http_request *request, hc_http_done *done,
                            void *arg, uint64_t *id, struct hc_error *err)
{
    struct fake *f = self;
    struct fake_request **last = &f->queue;
    struct fake_request *r = calloc(1, sizeof(*r));

    if (hc_http_check_url(request->url, err) != 0) {
        free(r);
        return -1;
    }
    r->method = request->method;
    r->url = strdup(request->url);
    r->body = strndup(request->body.data != NULL ? (const char *)request->body.data : "",
                      request->body.len);
    r->done = done;
    r->arg = arg;
    r->id = *id = ++f->last_id;
    if ((request->method == HC_HTTP_POST) !=
        (request->content_type != NULL &&
         strcmp(request->content_type, "application/jose+json") == 0)) {
        mistake(f, "content type");
    }
    while (*last != NULL) {
        last = &(*last)->next;
    }
    *last = r;
    return 0;
}

static inline void fake_request_free(struct fake_request *r)
{
    free(r->url);
    free(r->body);
    free(r);
}

static inline void fake_cancel(void *self, uint64_t id)
{
    struct fake *f = self;

    for (struct fake_request **p = &f->queue; *p != NULL; p = &(*p)->next) {
        if ((*p)->id == id) {
            struct fake_request *r = *p;

            *p = r->next;
            fake_request_free(r);
            return;
        }
    }
}

static inline void fake_init(struct fake *f)
{
    memset(f, 0, sizeof(*f));
    f->port = (struct hc_http_port){f, fake_send, fake_cancel};
    f->clock = (struct hc_clock){f, fake_now, fake_now_ms};
    f->log = (struct hc_log){f, HC_LOG_DEBUG, fake_line};
    f->now_ms = 1000000;
    f->meta = "{\"termsOfService\":\"https://ca.test/terms\",\"caaIdentities\":[\"ca.test\"]}";
    f->bad_detail = "no";
}

static inline void fake_dispose(struct fake *f)
{
    free(f->contacts);
    while (f->queue != NULL) {
        fake_cancel(f, f->queue->id);
    }
    for (int i = 0; i < f->order_count; i++) {
        json_decref(f->orders[i].identifiers);
    }
}

static inline struct rule *fake_rule(struct fake *f, const char *match, long status)
{
    struct rule *r = &f->rules[f->rule_count++];

    *r = (struct rule){.match = match, .times = 1, .status = status};
    return r;
}

static inline json_t *fake_decode(const char *text)
{
    struct hc_buf b = HC_BUF_INIT(65536);
    json_t *j = NULL;

    if (text != NULL && hc_base64url_decode(text, strlen(text), &b, NULL) == 0 && b.len > 0) {
        j = json_loadb((const char *)b.data, b.len, 0, NULL);
    }
    hc_buf_dispose(&b);
    return j;
}

static inline const char *fake_nonce(struct fake *f)
{
    char *n = f->nonces[f->nonce_count++ % 64];

    snprintf(n, 24, "nonce-%d", ++f->nonce_serial);
    return n;
}

static inline bool fake_spend(struct fake *f, const char *nonce)
{
    for (int i = 0; i < 64; i++) {
        if (nonce != NULL && nonce[0] != '\0' && strcmp(f->nonces[i], nonce) == 0) {
            f->nonces[i][0] = '\0';
            return true;
        }
    }
    return false;
}

/* Letters of both cases and digits, at least 22: what tokens look like. */
static inline const char *fake_token(int order, size_t name, char out[64])
{
    snprintf(out, 64, "Tok%d_%zuAbcDefGhiJklMnoPqrStu42", order, name);
    return out;
}

struct answer {
    long status;
    char location[128];
    char body[8192];
    const char *content_type;
    int64_t retry_after;
};

static inline void fake_problem(struct answer *a, long status, const char *type, const char *detail,
                                const char *extra)
{
    a->status = status;
    a->content_type = "application/problem+json";
    snprintf(a->body, sizeof(a->body),
             "{\"type\":\"urn:ietf:params:acme:error:%s\",\"detail\":\"%s\"%s}", type, detail,
             extra != NULL ? extra : "");
}

static inline void fake_order_body(struct fake *f, int k, struct answer *a)
{
    struct fake_order *o = &f->orders[k];
    json_t *list = json_array();
    json_t *body = NULL;
    char text[64];
    char *dump = NULL;
    size_t n = json_array_size(o->identifiers);

    /* last first: their order means nothing */
    for (size_t i = n; i-- > 0;) {
        snprintf(text, sizeof(text), BASE "/z/%d/%zu", k, i);
        json_array_append_new(list, json_string(text));
    }
    snprintf(text, sizeof(text), BASE "/f/%d", k);
    body = json_pack("{s:s, s:O, s:o, s:s}", "status", o->status, "identifiers", o->identifiers,
                     "authorizations", list, "finalize", text);
    if (strcmp(o->status, "valid") == 0) {
        snprintf(text, sizeof(text), BASE "/cert/%d", k);
        json_object_set_new(body, "certificate", json_string(text));
    }
    dump = json_dumps(body, 0);
    snprintf(a->body, sizeof(a->body), "%s", dump);
    free(dump);
    json_decref(body);
}

static inline void fake_authz_body(struct fake *f, int k, size_t i, struct answer *a)
{
    struct fake_order *o = &f->orders[k];
    const json_t *id = json_array_get(o->identifiers, i);
    const char *value = json_string_value(json_object_get(id, "value"));
    bool wild = strncmp(value, "*.", 2) == 0;
    char error[512] = "";
    char token[64];
    char *type = json_dumps(json_object_get(id, "type"), JSON_ENCODE_ANY);

    if (strcmp(o->authz[i], "invalid") == 0) {
        snprintf(error, sizeof(error),
                 ",\"error\":{\"type\":\"urn:ietf:params:acme:error:unauthorized\","
                 "\"detail\":\"%s\"}",
                 f->bad_detail);
    }
    snprintf(a->body, sizeof(a->body),
             "{\"identifier\":{\"type\":%s,\"value\":\"%s\"},\"status\":\"%s\"%s,\"challenges\":["
             "{\"type\":\"dns-01\",\"url\":\"" BASE "/d/%d/%zu\",\"token\":\"x\","
             "\"status\":\"pending\"},{\"type\":\"%s\",\"url\":\"" BASE "/c/%d/%zu\","
             "\"token\":\"%s\",\"status\":\"%s\"%s}]}",
             type, wild ? value + 2 : value, o->authz[i], wild ? ",\"wildcard\":true" : "", k, i,
             wild || f->no_http ? "tls-alpn-01" : "http-01", k, i, fake_token(k, i, token),
             o->answered[i] ? "processing" : o->authz[i], error);
    free(type);
}

static inline void fake_place(struct fake *f, const json_t *payload, struct answer *a)
{
    int k = f->order_count++;
    struct fake_order *o = &f->orders[k];

    f->new_orders++;
    o->identifiers = json_incref(json_object_get(payload, "identifiers"));
    snprintf(f->profile, sizeof(f->profile), "%s",
             json_is_string(json_object_get(payload, "profile"))
                 ? json_string_value(json_object_get(payload, "profile"))
                 : "");
    snprintf(f->replaces, sizeof(f->replaces), "%s",
             json_is_string(json_object_get(payload, "replaces"))
                 ? json_string_value(json_object_get(payload, "replaces"))
                 : "");
    o->status = f->already_valid ? "ready" : "pending";
    for (size_t i = 0; i < FAKE_NAMES; i++) {
        o->authz[i] = f->already_valid ? "valid" : "pending";
    }
    a->status = 201;
    snprintf(a->location, sizeof(a->location), BASE "/o/%d", k);
    fake_order_body(f, k, a);
}

/* An answered authorization becomes valid, or invalid, after some looks. */
static inline void fake_look_authz(struct fake *f, int k, size_t i, struct answer *a)
{
    struct fake_order *o = &f->orders[k];
    const char *value =
        json_string_value(json_object_get(json_array_get(o->identifiers, i), "value"));
    bool all = true;

    if (o->answered[i] && o->authz_polls[i]++ >= f->authz_pending) {
        bool bad = f->bad_name != NULL && strcmp(value, f->bad_name) == 0;

        o->answered[i] = false;
        o->authz[i] = bad ? "invalid" : "valid";
    } else if (o->answered[i] && f->poll_retry_after > 0) {
        a->retry_after = f->poll_retry_after;
    }
    for (size_t n = 0; n < json_array_size(o->identifiers); n++) {
        all = all && strcmp(o->authz[n], "valid") == 0;
        if (strcmp(o->authz[n], "invalid") == 0) {
            o->status = "invalid";
        }
    }
    if (all && strcmp(o->status, "pending") == 0) {
        o->status = "ready";
    }
    fake_authz_body(f, k, i, a);
}

static inline void fake_look_order(struct fake *f, int k, struct answer *a)
{
    struct fake_order *o = &f->orders[k];

    if (strcmp(o->status, "processing") == 0 && o->polls++ >= f->order_processing) {
        o->status = "valid";
    }
    if (strcmp(o->status, "processing") == 0) {
        a->retry_after = f->poll_retry_after;
    }
    fake_order_body(f, k, a);
}

static inline void fake_finalize(struct fake *f, int k, const json_t *payload, struct answer *a)
{
    f->finalized++;
    if (json_string_length(json_object_get(payload, "csr")) < 100) {
        mistake(f, "no csr");
    }
    if (strcmp(f->orders[k].status, "ready") != 0) {
        fake_problem(a, 403, "orderNotReady", "not ready", NULL);
        return;
    }
    f->orders[k].status = "processing";
    a->retry_after = f->poll_retry_after;
    fake_order_body(f, k, a);
}

static inline void fake_account(struct fake *f, const json_t *payload, struct answer *a)
{
    char *binding = json_dumps(json_object_get(payload, "externalAccountBinding"), 0);

    f->new_accounts++;
    snprintf(f->binding, sizeof(f->binding), "%s", binding != NULL ? binding : "");
    free(binding);
    if (!json_is_true(json_object_get(payload, "termsOfServiceAgreed"))) {
        mistake(f, "terms");
    }
    a->status = f->account_known ? 200 : 201;
    if (!f->account_known) {
        f->account_serial++;
    }
    f->account_known = true;
    snprintf(a->location, sizeof(a->location), BASE "/a/%d", f->account_serial);
    snprintf(a->body, sizeof(a->body), "{\"status\":\"valid\"}");
}

static inline void fake_post(struct fake *f, const char *path, const char *payload_text,
                             struct answer *a)
{
    json_t *payload = fake_decode(payload_text);
    bool empty = payload_text == NULL || payload_text[0] == '\0';
    bool write = true;
    int k = 0;
    size_t i = 0;

    if (strcmp(path, "/acct") == 0) {
        fake_account(f, payload, a);
    } else if (sscanf(path, "/a/%d", &k) == 1) {
        free(f->contacts);
        f->contacts = json_dumps(json_object_get(payload, "contact"), JSON_COMPACT);
        snprintf(a->body, sizeof(a->body), "{\"status\":\"valid\"}");
    } else if (strcmp(path, "/order") == 0) {
        fake_place(f, payload, a);
    } else if (sscanf(path, "/f/%d", &k) == 1 && k < f->order_count) {
        fake_finalize(f, k, payload, a);
    } else if ((sscanf(path, "/c/%d/%zu", &k, &i) == 2 || sscanf(path, "/d/%d/%zu", &k, &i) == 2) &&
               k < f->order_count) {
        if (strcmp(f->orders[k].authz[i], "pending") != 0 || f->orders[k].answered[i]) {
            fake_problem(a, 400, "malformed", "not pending", NULL);
        } else {
            f->orders[k].answered[i] = true;
            snprintf(a->body, sizeof(a->body), "{\"status\":\"processing\"}");
        }
    } else {
        write = false;
        if (sscanf(path, "/o/%d", &k) == 1 && k < f->order_count) {
            fake_look_order(f, k, a);
        } else if (sscanf(path, "/z/%d/%zu", &k, &i) == 2 && k < f->order_count) {
            fake_look_authz(f, k, i, a);
        } else if (sscanf(path, "/cert/%d", &k) == 1 && k < f->order_count) {
            f->downloads++;
            a->content_type = "application/pem-certificate-chain";
            snprintf(a->body, sizeof(a->body), "%s", CHAIN);
        } else {
            fake_problem(a, 404, "malformed", "no such thing", NULL);
        }
    }
    if (empty == write) {
        mistake(f, path);
    }
    json_decref(payload);
}

/* True if the signed request is one that the CA looks at. */
static inline bool fake_accepts(struct fake *f, const struct fake_request *r, const json_t *jws,
                                struct answer *a)
{
    json_t *header = fake_decode(json_string_value(json_object_get(jws, "protected")));
    const char *nonce = json_string_value(json_object_get(header, "nonce"));
    const char *url = json_string_value(json_object_get(header, "url"));
    const char *kid = json_string_value(json_object_get(header, "kid"));
    bool is_account = strcmp(r->url, BASE "/acct") == 0;
    bool good = false;
    char account[64];

    snprintf(account, sizeof(account), BASE "/a/%d", f->account_serial);
    if (url == NULL || strcmp(url, r->url) != 0) {
        mistake(f, "url in the header");
    }
    if (is_account != (json_object_get(header, "jwk") != NULL) || is_account != (kid == NULL)) {
        mistake(f, "jwk or kid");
    }
    if (!fake_spend(f, nonce) || f->bad_nonces > 0) {
        f->bad_nonces -= f->bad_nonces > 0;
        fake_problem(a, 400, "badNonce", "used", NULL);
    } else if (!is_account && (!f->account_known || kid == NULL || strcmp(kid, account) != 0)) {
        fake_problem(a, 400, "accountDoesNotExist", "who?", NULL);
    } else {
        good = true;
    }
    json_decref(header);
    return good;
}

static inline struct rule *fake_matches(struct fake *f, const char *url)
{
    for (int i = 0; i < f->rule_count; i++) {
        struct rule *r = &f->rules[i];

        if (r->times == 0 ||
            (r->exact ? strcmp(url, r->match) != 0 : strstr(url, r->match) == NULL)) {
            continue;
        }
        if (r->skip > 0) {
            r->skip--;
            continue;
        }
        r->times--;
        return r;
    }
    return NULL;
}

/* False: there is no reply, but err. */
static inline bool fake_apply(const struct rule *rule, struct answer *a, struct hc_error *err)
{
    if (rule->status == 0) {
        hc_error_set(err, rule->problem, "ca.test", "a rule of the test");
        return false;
    }
    a->status = rule->status;
    a->retry_after = rule->retry_after;
    if (rule->body != NULL) {
        snprintf(a->body, sizeof(a->body), "%s", rule->body);
    } else if (rule->type != NULL) {
        fake_problem(a, rule->status, rule->type, rule->detail != NULL ? rule->detail : "no",
                     rule->extra);
    }
    if (rule->content_type != NULL) {
        a->content_type = rule->content_type;
    }
    if (rule->location != NULL) {
        snprintf(a->location, sizeof(a->location), "%s", rule->location);
    }
    return true;
}

static inline void fake_answer(struct fake *f, const struct fake_request *r, struct answer *a)
{
    json_t *jws = r->method == HC_HTTP_POST ? json_loads(r->body, 0, NULL) : NULL;

    if (strcmp(r->url, BASE "/dir") == 0 || strcasecmp(r->url, BASE "/dir2") == 0 ||
        strcasecmp(r->url, BASE ":443/dir2") == 0) {
        snprintf(a->body, sizeof(a->body),
                 "{\"newNonce\":\"" BASE "/nonce\",\"newAccount\":\"" BASE
                 "/acct\",\"newOrder\":\"" BASE "/order\",%s\"meta\":%s}",
                 f->ari ? "\"renewalInfo\":\"" BASE "/ari\"," : "", f->meta);
    } else if (r->method == HC_HTTP_POST && fake_accepts(f, r, jws, a)) {
        fake_post(f, r->url + strlen(BASE), json_string_value(json_object_get(jws, "payload")), a);
    } else if (r->method == HC_HTTP_GET) {
        mistake(f, "GET");
    }
    json_decref(jws);
}

/* Answers one request; false if there is none. */
static inline bool fake_step(struct fake *f)
{
    struct fake_request *r = f->queue;
    struct answer a = {200, "", "", "application/json", 0};
    struct rule *rule = NULL;
    struct hc_http_reply reply = {0};
    struct hc_list links = {0};
    struct hc_error err;

    if (r == NULL) {
        return false;
    }
    hc_error_init(&err);
    f->queue = r->next;
    rule = fake_matches(f, r->url);
    /* a reply that only points elsewhere, or comes with a wrong type, is otherwise the true one */
    if (rule == NULL || rule->after || rule->real ||
        (rule->status / 100 == 2 && rule->body == NULL)) {
        fake_answer(f, r, &a);
    }
    if (rule != NULL && !fake_apply(rule, &a, &err)) {
        (*r->done)(r->arg, NULL, &err);
    } else {
        reply.status = a.status;
        reply.content_type = a.content_type;
        reply.location = a.location;
        reply.replay_nonce = r->method == HC_HTTP_GET ? "" : fake_nonce(f);
        reply.retry_after = a.retry_after > 0 ? a.retry_after : -1;
        reply.links = &links;
        if (a.body[0] != '\0') { /* no body is no bytes, as with the real client */
            reply.body = (struct hc_bytes){(const unsigned char *)a.body, strlen(a.body)};
        }
        (*r->done)(r->arg, &reply, NULL);
    }
    fake_request_free(r);
    return true;
}

#endif
