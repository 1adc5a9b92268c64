/* The CA's request, made by ourselves; see request.h. */
#include "preflight/request.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "net/url.h"

#define BODY_MAX ((size_t)64 << 10) /* what is longer is not a key authorization */

/* why: or NULL. */
static void finish(struct hc_request *r, enum hc_request_end end, const struct hc_error *why)
{
    if (why != NULL) {
        hc_kept_error_set(&r->error, why);
    }
    r->end = end;
    r->resolving = false;
}

static void astray(struct hc_request *r, const char *where, const char *why)
{
    struct hc_error err;

    hc_error_init(&err);
    hc_error_set(&err, HC_P_HTTP_REDIRECT, NULL, "it is redirected to %.200s: %s", where, why);
    finish(r, HC_REQUEST_ASTRAY, &err);
}

static bool is_right(const struct hc_request *r, const struct hc_web_reply *reply)
{
    size_t len = reply->body.len;
    const char *body = (const char *)reply->body.data;

    if (r->how->answer == NULL) {
        return true;
    }
    /* RFC 8555 section 8.3: white space behind the key authorization does not count */
    while (len > 0 && strchr(" \t\r\n", body[len - 1]) != NULL && body[len - 1] != '\0') {
        len--;
    }
    return reply->status == 200 && len == strlen(r->how->answer) &&
           memcmp(body, r->how->answer, len) == 0;
}

/* Why a CA does not follow there; NULL if it does. */
static const char *objection(const struct hc_request *r, const struct hc_url_target *to)
{
    if (r->redirects > HC_REQUEST_REDIRECTS) {
        return "it is one redirect too many";
    }
    if (strcmp(to->scheme, "http") != 0 && strcmp(to->scheme, "https") != 0) {
        return "CAs follow http and https only";
    }
    if (to->port != 80 && to->port != 443 &&
        !(r->how->private_network && (to->port == r->how->port || to->port == r->how->tls_port))) {
        return r->how->private_network ? "it is neither port 80 nor 443, nor one of the CA's own"
                                       : "CAs follow to ports 80 and 443 only";
    }
    return NULL;
}

static void follow(struct hc_request *r, const char *location)
{
    struct hc_url_target to;
    const char *why = hc_url_follow(r->url, location, &to);

    if (why != NULL) {
        astray(r, location, why);
        return;
    }
    r->redirects++;
    why = objection(r, &to);
    if (why != NULL) {
        astray(r, to.url, why);
        return;
    }
    hc_copy(r->url, sizeof(r->url), to.url);
    hc_copy(r->redirect_host, sizeof(r->redirect_host), to.host);
    r->redirect_port = to.port;
    r->resolving = true;
}

/* A remark is not worth an error where there is no memory for it. */
static void note_device(struct hc_request *r, const struct hc_web_reply *reply)
{
    char looks[HC_DEVICE_TEXT];
    struct hc_error ignored;

    hc_error_init(&ignored);
    if (r->redirects == 0 && hc_device_looks_so(reply, looks) &&
        hc_strdup(looks, &r->device, &ignored) != 0) {
        r->device = NULL;
    }
}

static void fetched(void *arg, const struct hc_web_reply *reply, const struct hc_error *err)
{
    struct hc_request *r = arg;
    const struct hc_request_how *how = r->how;

    r->request_id = 0;
    if (reply == NULL && err->problem == HC_P_TOO_LARGE) {
        finish(r, r->how->answer == NULL ? HC_REQUEST_RIGHT : HC_REQUEST_WRONG, NULL);
    } else if (reply == NULL) {
        finish(r, HC_REQUEST_UNREACHABLE, err);
    } else {
        r->status = reply->status;
        if (r->how->answer == NULL || !is_right(r, reply)) {
            note_device(r, reply);
        }
        if (hc_http_is_redirect(reply->status) && reply->location != NULL &&
            reply->location[0] != '\0') {
            follow(r, reply->location);
        } else {
            finish(r, is_right(r, reply) ? HC_REQUEST_RIGHT : HC_REQUEST_WRONG, NULL);
        }
    }
    how->wake(how->self); /* may free the request */
}

static void send_request(struct hc_request *r, const struct hc_address *address, unsigned port)
{
    struct hc_web_ask ask = {.url = r->url, .address = address, .port = port, .max_body = BODY_MAX};
    int64_t left = r->how->deadline_ms - hc_now_ms(r->how->clock);
    struct hc_error err;

    hc_error_init(&err);
    if (left <= 0) {
        hc_error_set(&err, HC_P_TIMED_OUT, NULL, "there was no time left to ask");
        finish(r, HC_REQUEST_UNREACHABLE, &err);
        return;
    }
    r->last = *address;
    ask.wait_ms = left;
    ask.timeout_ms = left < HC_REQUEST_FETCH_MS ? left : HC_REQUEST_FETCH_MS;
    if (r->how->web->ask(r->how->web->self, &ask, fetched, r, &r->request_id, &err) != 0) {
        finish(r, HC_REQUEST_UNREACHABLE, &err);
    }
}

/* The first address of a complete lookup, or false. */
static bool first_address(const struct hc_lookup *lookup, struct hc_address *out)
{
    size_t at = 0;
    const struct hc_dns_record *record = hc_lookup_record(lookup, &at);

    memset(out, 0, sizeof(*out));
    out->ipv6 = lookup->type == HC_DNS_AAAA;
    if (record == NULL || record->len != (out->ipv6 ? 16 : 4)) {
        return false;
    }
    memcpy(out->octets, record->data, record->len);
    return true;
}

/* No lookup of a redirect's host has an address: there is none, or it is not known. */
static void without_address(struct hc_request *r, const char *url, const struct hc_lookup *aaaa,
                            const struct hc_lookup *a)
{
    const struct hc_lookup *failed = aaaa->kind == HC_LOOKUP_FAILED ? aaaa
                                     : a->kind == HC_LOOKUP_FAILED  ? a
                                                                    : NULL;
    struct hc_error err;

    if (failed != NULL) {
        hc_kept_error_get(&failed->error, &err);
        finish(r, HC_REQUEST_UNREACHABLE, &err);
    } else if (aaaa->kind == HC_LOOKUP_DNSSEC_BROKEN || a->kind == HC_LOOKUP_DNSSEC_BROKEN) {
        astray(r, url, "the DNSSEC of its host is broken");
    } else {
        astray(r, url, "its host has no address");
    }
}

/* Looks a redirect's host up. 1: address is it; 0: wait; -1: it leads nowhere, and r has ended. */
static int resolve_host(struct hc_request *r, struct hc_address *address, const char *url)
{
    const char *host = r->redirect_host;
    struct hc_dname name;
    const struct hc_lookup *aaaa = NULL;
    const struct hc_lookup *a = NULL;

    if (hc_address_parse(host, address) == 0) {
        return 1;
    }
    if (hc_dname_from_host(host, &name, NULL) != 0) {
        astray(r, url, "its host is no name");
        return -1;
    }
    aaaa = hc_lookups_ask(r->how->lookups, &name, HC_DNS_AAAA, false, NULL);
    a = hc_lookups_ask(r->how->lookups, &name, HC_DNS_A, false, NULL);
    if (aaaa == NULL || a == NULL) {
        struct hc_error err;

        hc_error_init(&err);
        hc_error_nomem(&err);
        finish(r, HC_REQUEST_UNREACHABLE, &err);
        return -1;
    }
    if (!aaaa->complete || !a->complete) {
        return 0;
    }
    if (first_address(aaaa, address) || first_address(a, address)) {
        return 1;
    }
    without_address(r, url, aaaa, a);
    return -1;
}

/* Goes on after a redirect: true if anything changed. */
static bool step_redirect(struct hc_request *r)
{
    struct hc_address address = r->first;
    char url[HC_REQUEST_TARGET];
    int known = 1;

    hc_copy(url, sizeof(url), r->url);
    if (strcmp(r->redirect_host, r->host) != 0) {
        known = resolve_host(r, &address, url);
    }
    if (known <= 0) {
        return known < 0;
    }
    if (!r->how->private_network && hc_address_reserved(&address) != NULL) {
        astray(r, url, "its address is one that the Internet does not route");
        return true;
    }
    r->resolving = false;
    send_request(r, &address, r->redirect_port);
    return true;
}

void hc_request_init(struct hc_request *request, const struct hc_request_how *how, const char *host,
                     const struct hc_address *address)
{
    bool literal = strchr(host, ':') != NULL;
    char port[16] = "";

    memset(request, 0, sizeof(*request));
    request->how = how;
    request->host = host;
    request->first = *address;
    if (how->port != 80) {
        snprintf(port, sizeof(port), ":%u", how->port & 0xffffu);
    }
    snprintf(request->url, sizeof(request->url), "http://%s%s%s%s/.well-known/acme-challenge/%s",
             literal ? "[" : "", host, literal ? "]" : "", port,
             how->token != NULL ? how->token : "hotcert-preflight");
}

bool hc_request_step(struct hc_request *r)
{
    if (r->end != HC_REQUEST_NONE || r->request_id != 0) {
        return false;
    }
    if (r->resolving) {
        return step_redirect(r);
    }
    if (r->started) {
        return false;
    }
    r->started = true;
    send_request(r, &r->first, r->how->port);
    return true;
}

void hc_request_dispose(struct hc_request *r)
{
    if (r->request_id != 0) {
        r->how->web->cancel(r->how->web->self, r->request_id);
    }
    hc_kept_error_dispose(&r->error);
    free(r->device);
    memset(r, 0, sizeof(*r));
}
