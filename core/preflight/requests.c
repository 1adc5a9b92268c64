/* The requests of all names, some at a time; see internal.h. */
#include <stdlib.h>

#include "conf/method.h"
#include "preflight/internal.h"
#include "preflight/judge.h"

#define REQUESTS_PER_NAME HC_JUDGE_ANSWERS /* addresses of one name that are asked */
#define REQUESTS_AT_ONCE  32               /* of all names */

/* Sets up what this address is asked, by each method that a CA would come by. */
static void add_address(struct hc_preflight *p, struct hc_preflight_sight *n,
                        const struct hc_address *address)
{
    if (!p->private_network && hc_address_reserved(address) != NULL) {
        return;
    }
    if (p->wants_http && n->request_count < REQUESTS_PER_NAME) {
        hc_request_init(&n->requests[n->request_count++], &p->how, n->host, address);
    }
    if (p->wants_tls && n->probe_count < REQUESTS_PER_NAME) {
        hc_probe_init(&n->probes[n->probe_count++], &p->probe_how, n->host, address);
    }
}

/* Sets up the requests of a name: IPv6 first, as CAs do. */
void hc_preflight_plan_requests(struct hc_preflight *p, struct hc_preflight_sight *n)
{
    struct hc_address address;
    const struct hc_lookup *lookups[] = {n->aaaa, n->a};

    n->requests = calloc(REQUESTS_PER_NAME, sizeof(*n->requests));
    n->probes = calloc(REQUESTS_PER_NAME, sizeof(*n->probes));
    if (n->requests == NULL || n->probes == NULL) {
        hc_error_nomem(&p->error);
        return;
    }
    if (n->ip && hc_address_parse(n->host, &address) == 0) {
        add_address(p, n, &address);
    }
    for (size_t k = 0; k < HC_COUNT(lookups); k++) {
        size_t at = 0;

        /* half of the room for each family */
        for (int i = 0; i < REQUESTS_PER_NAME / 2 && hc_lookup_address(lookups[k], &at, &address);
             i++) {
            add_address(p, n, &address);
        }
    }
}

void hc_preflight_dispose_requests(struct hc_preflight_sight *n)
{
    for (size_t k = 0; k < n->request_count; k++) {
        hc_request_dispose(&n->requests[k]);
    }
    for (size_t k = 0; k < n->probe_count; k++) {
        hc_probe_dispose(&n->probes[k]);
    }
    free(n->requests);
    free(n->probes);
}

/* Those of one name; *running counts those of all that are under way. */
static bool step_name(struct hc_preflight_sight *n, size_t *running)
{
    bool changed = false;

    for (size_t k = 0; k < n->request_count; k++) {
        struct hc_request *r = &n->requests[k];

        if (r->end == HC_REQUEST_NONE && (r->started || *running < REQUESTS_AT_ONCE)) {
            changed = hc_request_step(r) || changed;
            *running += r->end == HC_REQUEST_NONE;
        }
    }
    for (size_t k = 0; k < n->probe_count; k++) {
        struct hc_probe *probe = &n->probes[k];

        if (probe->end == HC_PROBE_NONE && (probe->started || *running < REQUESTS_AT_ONCE)) {
            changed = hc_probe_step(probe) || changed;
            *running += probe->end == HC_PROBE_NONE;
        }
    }
    return changed;
}

bool hc_preflight_step_requests(struct hc_preflight *p)
{
    size_t running = 0;
    bool changed = false;

    for (size_t i = 0; i < p->count; i++) {
        changed = step_name(&p->names[i], &running) || changed;
    }
    return changed;
}

bool hc_preflight_all_fetched(const struct hc_preflight *p)
{
    for (size_t i = 0; i < p->count; i++) {
        const struct hc_preflight_sight *n = &p->names[i];

        for (size_t k = 0; k < n->request_count; k++) {
            if (n->requests[k].end == HC_REQUEST_NONE) {
                return false;
            }
        }
        for (size_t k = 0; k < n->probe_count; k++) {
            if (n->probes[k].end == HC_PROBE_NONE) {
                return false;
            }
        }
    }
    return true;
}

/* ---- what they mean ---- */

/* How one way to a name looks from here. */
enum way {
    WAY_NOT_ASKED,
    WAY_OPEN,
    WAY_CLOSED, /* nothing answers at any address */
    WAY_WRONG,  /* something else answers */
};

static enum way way_over_http(const struct hc_preflight_sight *n)
{
    enum way way = n->request_count > 0 ? WAY_CLOSED : WAY_NOT_ASKED;

    for (size_t k = 0; k < n->request_count; k++) {
        enum hc_request_end end = n->requests[k].end;

        if (end == HC_REQUEST_WRONG || end == HC_REQUEST_ASTRAY) {
            return WAY_WRONG;
        }
        way = end == HC_REQUEST_RIGHT ? WAY_OPEN : way;
    }
    return hc_judge_differs(n->requests, n->request_count) ? WAY_WRONG : way;
}

static enum way way_over_tls(const struct hc_preflight_sight *n)
{
    enum way way = n->probe_count > 0 ? WAY_CLOSED : WAY_NOT_ASKED;

    for (size_t k = 0; k < n->probe_count; k++) {
        if (n->probes[k].end == HC_PROBE_WRONG || n->probes[k].end == HC_PROBE_NOT_TLS) {
            return WAY_WRONG;
        }
        way = n->probes[k].end == HC_PROBE_RIGHT ? WAY_OPEN : way;
    }
    return way;
}

/* True if a method of the list that goes another way than over the host's ports takes the name. */
static bool has_other_way(const struct hc_preflight *p, const struct hc_preflight_sight *n)
{
    for (size_t i = 0; i < p->methods.count; i++) {
        const struct hc_method *method = hc_method_find(p->methods.items[i]);

        if (method != NULL && method->over == HC_OVER_DNS && hc_method_takes(method, n->text)) {
            return true;
        }
    }
    return false;
}

/*
 * A method is ruled out by what would make it fail, and where nothing answers also if this machine
 * reaches the name another way: then it is not for a firewall between the two.
 */
static void rule_out(struct hc_preflight *p, struct hc_preflight_name *out,
                     enum hc_method_over over, enum way way, enum way other)
{
    if (way != WAY_WRONG && !(way == WAY_CLOSED && other == WAY_OPEN)) {
        return;
    }
    for (size_t i = 0; i < p->methods.count; i++) {
        const struct hc_method *method = hc_method_find(p->methods.items[i]);

        if (method != NULL && method->over == over &&
            hc_list_add(&out->ruled_out, method->word, &p->error) != 0) {
            return;
        }
    }
}

void hc_preflight_judge_requests(struct hc_preflight *p)
{
    for (size_t i = 0; i < p->count; i++) {
        const struct hc_preflight_sight *n = &p->names[i];
        struct hc_name_judge judge = {.out = &p->results[i],
                                      .host = n->host,
                                      .own = p->knows_own ? &p->own : NULL,
                                      .names = &p->names_text,
                                      .ranges = p->ranges,
                                      .err = &p->error};
        enum way http = way_over_http(n);
        enum way tls = way_over_tls(n);
        bool other = has_other_way(p, n);

        judge.advises = other || tls == WAY_OPEN;
        hc_judge_requests(&judge, n->requests, n->request_count);
        judge.advises = other || http == WAY_OPEN;
        hc_judge_probes(&judge, n->probes, n->probe_count);
        rule_out(p, judge.out, HC_OVER_HTTP, http, tls);
        rule_out(p, judge.out, HC_OVER_TLS, tls, http);
    }
}
