/* The look at all names of an order; see preflight.h. */
#include "preflight/preflight.h"

#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/address.h"
#include "conf/method.h"
#include "loop/timer.h"
#include "preflight/judge.h"
#include "preflight/look.h"
#include "preflight/request.h"

#define REQUESTS_PER_NAME 6  /* addresses of one name that are asked */
#define REQUESTS_AT_ONCE  32 /* of all names */
#define CLIMB_MAX         16 /* owners above a name that CAA is asked for; no name has as many */

enum phase { PHASE_LOOK, PHASE_FETCH, PHASE_DONE };

struct name {
    bool ip;
    bool wildcard;
    char *text;       /* as given */
    const char *host; /* within text */
    struct hc_dname dname;
    const struct hc_look *a;
    const struct hc_look *aaaa;
    const struct hc_look *caa_first; /* at the name itself */
    const struct hc_look *caa;       /* the one that the climb stands at */
    bool caa_complete;
    unsigned climbed;
    struct hc_request *requests;
    size_t request_count;
};

struct hc_preflight {
    struct hc_timer timer; /* looks that are made again */
    struct hc_list names_text;
    struct hc_list caa_domains;
    struct hc_list methods;
    struct hc_list own;
    bool knows_own; /* else own is empty and says nothing */
    struct hc_list accounts;
    bool compares_accounts;
    char *account_uri;
    char *token;
    char *answer;
    const struct hc_web_port *web;
    const struct hc_clock *clock;
    const struct hc_log *log;
    void *self;
    hc_preflight_done *done;

    struct hc_dns_slot_owner owner;
    struct hc_looks *looks;
    const struct hc_look *directory_a; /* network auto: where the CA's directory is */
    const struct hc_look *directory_aaaa;
    bool private_network;
    unsigned http_port;
    unsigned tls_port;
    bool wants_address; /* a method is used that needs one */
    bool wants_http;
    int64_t look_until_ms;

    enum phase phase;
    struct name *names;
    struct hc_preflight_name *results;
    size_t count;
    struct hc_request_how how;
    struct hc_error error;
    bool busy;  /* inside of progress() */
    bool freed; /* by its owner, from within done(): it goes when that has returned */
};

static const char *const verdict_names[] = {
    [HC_PREFLIGHT_READY] = "ready",
    [HC_PREFLIGHT_WOULD_FAIL] = "would-fail",
    [HC_PREFLIGHT_UNKNOWN] = "unknown",
};

const char *hc_preflight_verdict_name(enum hc_preflight_verdict verdict)
{
    return verdict_names[verdict];
}

/* ---- the looks ---------------------------------------------------------------------------- */

static const struct hc_look *look_at(struct hc_preflight *p, const struct hc_dname *name,
                                     enum hc_dns_type type, bool direct)
{
    return hc_looks_at(p->looks, name, type, direct, &p->error);
}

static void begin_name(struct hc_preflight *p, struct name *n)
{
    if (n->ip) {
        n->caa_complete = true; /* RFC 8738 section 7: CAA is not for addresses */
        return;
    }
    if (p->wants_address) {
        n->a = look_at(p, &n->dname, HC_DNS_A, true);
        n->aaaa = look_at(p, &n->dname, HC_DNS_AAAA, false);
    }
    n->caa_complete = p->caa_domains.count == 0;
    if (!n->caa_complete) {
        n->caa = n->caa_first = look_at(p, &n->dname, HC_DNS_CAA, true);
    }
}

/* RFC 8659 section 3: up to, not including, the root; the first set that is not empty decides. */
static bool climb(struct hc_preflight *p, struct name *n)
{
    struct hc_dname parent;

    if (n->caa_complete || n->caa == NULL || !n->caa->complete) {
        return false;
    }
    parent = n->caa->name;
    if ((n->caa->kind != HC_LOOK_NO_DATA && n->caa->kind != HC_LOOK_NO_NAME &&
         n->caa->kind != HC_LOOK_DANGLING) ||
        ++n->climbed > CLIMB_MAX || !hc_dname_climb(&parent) || hc_dname_is_root(&parent)) {
        n->caa_complete = true;
        return true;
    }
    n->caa = look_at(p, &parent, HC_DNS_CAA, true);
    n->caa_complete = n->caa == NULL;
    return true;
}

static bool complete(const struct hc_look *look)
{
    return look == NULL || look->complete;
}

static bool all_looked(const struct hc_preflight *p)
{
    for (size_t i = 0; i < p->count; i++) {
        const struct name *n = &p->names[i];

        if (!complete(n->a) || !complete(n->aaaa) || !n->caa_complete) {
            return false;
        }
    }
    return complete(p->directory_a) && complete(p->directory_aaaa);
}

/* ---- judging ------------------------------------------------------------------------------ */

static bool look_address(const struct hc_look *look, size_t *at, struct hc_address *out)
{
    const struct hc_dns_record *record = look != NULL ? hc_look_record(look, at) : NULL;

    memset(out, 0, sizeof(*out));
    if (record == NULL || record->len > sizeof(out->octets)) {
        return false;
    }
    out->ipv6 = record->type == HC_DNS_AAAA;
    memcpy(out->octets, record->data, record->len);
    return true;
}

/* An address that is worth suggesting for a name without one: that of a name beside it, or ours. */
static void suggest(const struct hc_preflight *p, char dst[HC_ADDRESS_TEXT])
{
    struct hc_address address;

    dst[0] = '\0';
    for (size_t i = 0; i < p->count; i++) {
        const struct hc_look *looks[] = {p->names[i].a, p->names[i].aaaa};

        for (size_t k = 0; k < HC_COUNT(looks); k++) {
            size_t at = 0;

            if (look_address(looks[k], &at, &address) &&
                (p->private_network || hc_address_reserved(&address) == NULL)) {
                hc_address_format(&address, dst);
                return;
            }
        }
    }
    for (size_t i = 0; i < p->own.count; i++) {
        if (hc_address_parse(p->own.items[i], &address) == 0 &&
            hc_address_reserved(&address) == NULL) {
            hc_address_format(&address, dst);
            return;
        }
    }
}

/* AUTO: the CA is inside if its directory is at reserved addresses only. */
static void decide_network(struct hc_preflight *p)
{
    const struct hc_look *looks[] = {p->directory_a, p->directory_aaaa};
    size_t count = 0;
    bool reserved = true;

    for (size_t k = 0; k < HC_COUNT(looks); k++) {
        struct hc_address address;
        size_t at = 0;

        while (look_address(looks[k], &at, &address)) {
            reserved = reserved && hc_address_reserved(&address) != NULL;
            count++;
        }
    }
    if (count > 0) {
        p->private_network = reserved;
    }
}

/* dns-01 alone: a name needs no address, not even to exist. */
static void judge_without_address(struct hc_name_judge *judge, const struct name *n)
{
    char name[HC_DNAME_TEXT];

    if (n->caa_first != NULL && n->caa_first->kind == HC_LOOK_NO_NAME) {
        hc_judge_note(judge, HC_P_DNS_NO_SUCH_NAME, HC_JUDGE_NOTHING,
                      "%.255s does not exist, but proof by a DNS record does not need it",
                      hc_dname_format(&n->dname, name));
    }
}

static void judge_name(struct hc_preflight *p, size_t i, const char *suggestion)
{
    struct name *n = &p->names[i];
    struct hc_name_judge judge = {
        .out = &p->results[i],
        .host = n->host,
        .private_network = p->private_network,
        .own = p->knows_own ? &p->own : NULL,
        .accounts = p->compares_accounts ? &p->accounts : NULL,
        .suggestion = suggestion[0] != '\0' ? suggestion : NULL,
        .err = &p->error,
    };
    struct hc_caa_asker who = {
        .domains = &p->caa_domains,
        .methods = &p->methods,
        .account_uri = p->account_uri,
        .wildcard = n->wildcard,
    };

    if (!hc_methods_take(&p->methods, n->text)) {
        char methods[128];

        hc_judge_note(&judge, n->ip ? HC_P_ADDRESS_NEEDS_HTTP : HC_P_WILDCARD_NEEDS_DNS,
                      HC_JUDGE_FAIL, "%s is %s, which %s cannot prove", n->text,
                      n->ip ? "an IP address" : "a wildcard",
                      hc_methods_format(&p->methods, methods, sizeof(methods)));
    }
    if (n->ip && p->wants_address) {
        hc_judge_ip(&judge);
    } else if (n->a != NULL && n->aaaa != NULL) {
        hc_judge_addresses(&judge, n->a, n->aaaa);
    } else {
        judge_without_address(&judge, n);
    }
    if (n->caa != NULL) {
        hc_judge_caa(&judge, n->caa, &who);
    }
}

/* ---- the requests -------------------------------------------------------------------------- */

static void add_request(struct hc_preflight *p, struct name *n, const struct hc_address *address)
{
    bool fine = p->private_network || hc_address_reserved(address) == NULL;

    if (fine && n->request_count < REQUESTS_PER_NAME) {
        hc_request_init(&n->requests[n->request_count++], &p->how, n->host, address);
    }
}

/* Sets up the requests of a name: IPv6 first, as CAs do. */
static void plan_requests(struct hc_preflight *p, struct name *n)
{
    struct hc_address address;
    const struct hc_look *looks[] = {n->aaaa, n->a};

    n->requests = calloc(REQUESTS_PER_NAME, sizeof(*n->requests));
    if (n->requests == NULL) {
        hc_error_nomem(&p->error);
        return;
    }
    if (n->ip && hc_address_parse(n->host, &address) == 0) {
        add_request(p, n, &address);
    }
    for (size_t k = 0; k < HC_COUNT(looks); k++) {
        size_t at = 0;

        /* half of the room for each family */
        for (int i = 0; i < REQUESTS_PER_NAME / 2 && look_address(looks[k], &at, &address); i++) {
            add_request(p, n, &address);
        }
    }
}

static void begin_fetch(struct hc_preflight *p)
{
    p->phase = PHASE_FETCH;
    p->how.deadline_ms = hc_now_ms(p->clock) + HC_PREFLIGHT_FETCH_MS;
    for (size_t i = 0; i < p->count && p->wants_http; i++) {
        if (!p->names[i].wildcard) {
            plan_requests(p, &p->names[i]);
        }
    }
}

static void begin_judging(struct hc_preflight *p)
{
    char suggestion[HC_ADDRESS_TEXT];

    decide_network(p);
    p->how.private_network = p->private_network;
    p->how.port = p->private_network ? p->http_port : 80;
    p->how.tls_port = p->tls_port;
    suggest(p, suggestion);
    for (size_t i = 0; i < p->count; i++) {
        judge_name(p, i, suggestion);
    }
    begin_fetch(p);
}

static bool step_requests(struct hc_preflight *p)
{
    size_t running = 0;
    bool changed = false;

    for (size_t i = 0; i < p->count; i++) {
        for (size_t k = 0; k < p->names[i].request_count; k++) {
            struct hc_request *r = &p->names[i].requests[k];

            if (r->end == HC_REQUEST_NONE && (r->started || running < REQUESTS_AT_ONCE)) {
                changed = hc_request_step(r) || changed;
                running += r->end == HC_REQUEST_NONE;
            }
        }
    }
    return changed;
}

static bool all_fetched(const struct hc_preflight *p)
{
    for (size_t i = 0; i < p->count; i++) {
        for (size_t k = 0; k < p->names[i].request_count; k++) {
            if (p->names[i].requests[k].end == HC_REQUEST_NONE) {
                return false;
            }
        }
    }
    return true;
}

static void judge_requests(struct hc_preflight *p)
{
    for (size_t i = 0; i < p->count; i++) {
        struct hc_name_judge judge = {
            .out = &p->results[i], .host = p->names[i].host, .err = &p->error};

        hc_judge_requests(&judge, p->names[i].requests, p->names[i].request_count);
    }
}

/* ---- running ------------------------------------------------------------------------------- */

static bool step(struct hc_preflight *p)
{
    bool changed = hc_looks_step(p->looks);

    if (p->phase == PHASE_LOOK) {
        for (size_t i = 0; i < p->count; i++) {
            changed = climb(p, &p->names[i]) || changed;
        }
        if (all_looked(p)) {
            begin_judging(p);
            changed = true;
        }
    }
    if (p->phase == PHASE_FETCH) {
        changed = step_requests(p) || changed;
        if (all_fetched(p)) {
            judge_requests(p);
            p->phase = PHASE_DONE;
        }
    }
    return changed && p->phase != PHASE_DONE;
}

/* Says that a name was not looked at to the end: nobody may take silence for "ready". */
static void note_failure(struct hc_preflight *p)
{
    for (size_t i = 0; i < p->count && hc_error_is_set(&p->error); i++) {
        if (p->results[i].verdict == HC_PREFLIGHT_READY) {
            p->results[i].verdict = HC_PREFLIGHT_UNKNOWN;
            p->results[i].cause = p->error.problem;
        }
    }
}

static void finish(struct hc_preflight *p)
{
    struct hc_preflight_result result = {p->results, p->count};

    note_failure(p);
    for (size_t i = 0; i < p->count; i++) {
        hc_logf(p->log, HC_LOG_DEBUG, "preflight: %s: %s", p->results[i].name,
                hc_preflight_verdict_name(p->results[i].verdict));
    }
    /* whatever may still be in flight ends here, not after its owner has closed the ports */
    hc_looks_free(p->looks);
    p->looks = NULL;
    p->done(p->self, &result);
}

/* Goes on as far as possible. The preflight may be gone afterwards: true then. */
static bool progress(struct hc_preflight *p)
{
    bool freed = false;

    if (p->busy || p->phase == PHASE_DONE) {
        return false;
    }
    p->busy = true;
    while (step(p)) {
    }
    if (p->phase == PHASE_DONE) {
        finish(p);
    }
    p->busy = false;
    freed = p->freed;
    if (freed) {
        hc_preflight_free(p);
    }
    return freed;
}

static void wake(void *self)
{
    struct hc_preflight *p = self;

    /* whether it is gone matters to nobody: this is the last thing that a callback does */
    if (!progress(p) && p->phase != PHASE_DONE && !p->busy) {
        hc_timer_in(&p->timer, hc_looks_next(p->looks));
    }
}

/* ---- beginning and end --------------------------------------------------------------------- */

static int take_names(struct hc_preflight *p, const struct hc_list *names, struct hc_error *err)
{
    p->names = calloc(names->count + 1, sizeof(*p->names));
    p->results = calloc(names->count + 1, sizeof(*p->results));
    if (p->names == NULL || p->results == NULL) {
        return hc_error_nomem(err);
    }
    for (size_t i = 0; i < names->count; i++) {
        struct name *n = &p->names[i];
        struct hc_address ignored;

        n->text = p->names_text.items[i];
        n->wildcard = strncmp(n->text, "*.", 2) == 0;
        n->host = n->wildcard ? n->text + 2 : n->text;
        n->ip = hc_address_parse(n->text, &ignored) == 0;
        p->results[i].name = n->text;
        p->count++;
        if (!n->ip && hc_dname_from_host(n->host, &n->dname, err) != 0) {
            return -1;
        }
    }
    return 0;
}

static int copy_optional(const char *text, char **out, struct hc_error *err)
{
    return text != NULL ? hc_strdup(text, out, err) : 0;
}

/* Where the machine's addresses cannot be had (AF_NETLINK forbidden), the other looks go on. */
static int take_own(struct hc_preflight *p, const struct hc_list *own, struct hc_error *err)
{
    struct hc_error why = {0};

    p->knows_own = true;
    if (own != NULL) {
        return hc_list_copy(&p->own, own, err);
    }
    if (hc_address_own(&p->own, &why) == 0) {
        return 0;
    }
    if (why.problem == HC_P_OUT_OF_MEMORY) {
        return hc_error_chain(err, &why);
    }
    p->knows_own = false;
    hc_list_dispose(&p->own);
    hc_logf(p->log, HC_LOG_INFO,
            "preflight: hotcert cannot list this machine's addresses (%s), so it does not report "
            "names that lead elsewhere",
            why.detail);
    return 0;
}

static int copy_options(struct hc_preflight *p, const struct hc_preflight_options *o,
                        struct hc_error *err)
{
    static const struct hc_list none;

    p->web = o->web;
    p->clock = hc_loop_clock(o->loop);
    p->log = o->log;
    p->self = o->self;
    p->done = o->done;
    p->http_port = o->http_port > 0 ? (unsigned)o->http_port : 80;
    p->tls_port = o->tls_port > 0 ? (unsigned)o->tls_port : 443;
    if (hc_list_copy(&p->names_text, o->names, err) != 0 ||
        hc_list_copy(&p->caa_domains, o->caa_domains != NULL ? o->caa_domains : &none, err) != 0 ||
        hc_list_copy(&p->methods, o->methods != NULL ? o->methods : &none, err) != 0 ||
        hc_list_copy(&p->accounts, o->accounts != NULL ? o->accounts : &none, err) != 0 ||
        copy_optional(o->account_uri, &p->account_uri, err) != 0 ||
        copy_optional(o->token, &p->token, err) != 0 ||
        copy_optional(o->answer, &p->answer, err) != 0) {
        return -1;
    }
    p->compares_accounts = o->accounts != NULL;
    p->wants_http = p->web != NULL && hc_methods_go_over(&p->methods, HC_OVER_HTTP);
    p->wants_address = hc_methods_go_over(&p->methods, HC_OVER_HTTP) ||
                       hc_methods_go_over(&p->methods, HC_OVER_TLS);
    return take_own(p, o->own, err);
}

/* network auto: looks where the CA's directory is, if its URL does not say so itself. */
static void look_at_directory(struct hc_preflight *p, const char *url)
{
    CURLU *u = curl_url();
    char *host = NULL;
    struct hc_address address;
    struct hc_dname name;
    struct hc_error ignored = {0};
    size_t len = 0;

    if (u == NULL || curl_url_set(u, CURLUPART_URL, url, 0) != CURLUE_OK ||
        curl_url_get(u, CURLUPART_HOST, &host, 0) != CURLUE_OK) {
        goto out; /* a public CA is assumed */
    }
    len = strlen(host);
    if (len > 2 && host[0] == '[' && host[len - 1] == ']') {
        host[len - 1] = '\0';
        memmove(host, host + 1, len - 1);
    }
    if (hc_address_parse(host, &address) == 0) {
        p->private_network = hc_address_reserved(&address) != NULL;
    } else if (strcmp(host, "localhost") == 0) {
        p->private_network = true;
    } else if (hc_dname_from_host(host, &name, &ignored) == 0) {
        p->directory_a = look_at(p, &name, HC_DNS_A, false);
        p->directory_aaaa = look_at(p, &name, HC_DNS_AAAA, false);
    }

out:
    curl_free(host);
    curl_url_cleanup(u);
}

static void begin(struct hc_preflight *p, const struct hc_preflight_options *o)
{
    p->private_network = o->network == HC_NETWORK_PRIVATE;
    p->how = (struct hc_request_how){
        .web = p->web,
        .looks = p->looks,
        .clock = p->clock,
        .token = p->token,
        .answer = p->answer,
        .wake = wake,
        .self = p,
    };
    if (o->network == HC_NETWORK_AUTO && o->directory_url != NULL) {
        look_at_directory(p, o->directory_url);
    }
    for (size_t i = 0; i < p->count; i++) {
        begin_name(p, &p->names[i]);
    }
}

int hc_preflight_start(const struct hc_preflight_options *options, struct hc_preflight **out,
                       struct hc_error *err)
{
    struct hc_preflight *p = calloc(1, sizeof(*p));

    *out = NULL;
    if (p == NULL) {
        return hc_error_nomem(err);
    }
    hc_timer_init(&p->timer, options->loop, "preflight", wake, p);
    p->owner = (struct hc_dns_slot_owner){.dns = options->dns, .wake = wake, .self = p};
    if (copy_options(p, options, err) != 0 || take_names(p, options->names, err) != 0 ||
        hc_looks_new(&p->owner, p->clock, hc_now_ms(p->clock) + HC_PREFLIGHT_DNS_MS, &p->looks,
                     err) != 0) {
        hc_preflight_free(p);
        return -1;
    }
    begin(p, options);
    hc_timer_in(&p->timer, 0);
    *out = p;
    return 0;
}

void hc_preflight_free(struct hc_preflight *p)
{
    if (p == NULL) {
        return;
    }
    if (p->busy) {
        p->freed = true;
        return;
    }
    hc_timer_stop(&p->timer);
    for (size_t i = 0; i < p->count; i++) {
        for (size_t k = 0; k < p->names[i].request_count; k++) {
            hc_request_dispose(&p->names[i].requests[k]);
        }
        free(p->names[i].requests);
        hc_findings_dispose(&p->results[i].findings);
        hc_list_dispose(&p->results[i].looks);
    }
    hc_looks_free(p->looks);
    free(p->names);
    free(p->results);
    hc_list_dispose(&p->names_text);
    hc_list_dispose(&p->caa_domains);
    hc_list_dispose(&p->methods);
    hc_list_dispose(&p->own);
    hc_list_dispose(&p->accounts);
    free(p->account_uri);
    free(p->token);
    free(p->answer);
    free(p);
}
