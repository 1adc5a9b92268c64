/* The requests of all names, some at a time; see internal.h. */
#include <stdlib.h>

#include "preflight/internal.h"
#include "preflight/judge.h"

#define REQUESTS_PER_NAME 6  /* addresses of one name that are asked */
#define REQUESTS_AT_ONCE  32 /* of all names */

static void add_request(struct hc_preflight *p, struct hc_preflight_sight *n,
                        const struct hc_address *address)
{
    bool fine = p->private_network || hc_address_reserved(address) == NULL;

    if (fine && n->request_count < REQUESTS_PER_NAME) {
        hc_request_init(&n->requests[n->request_count++], &p->how, n->host, address);
    }
}

/* Sets up the requests of a name: IPv6 first, as CAs do. */
void hc_preflight_plan_requests(struct hc_preflight *p, struct hc_preflight_sight *n)
{
    struct hc_address address;
    const struct hc_lookup *lookups[] = {n->aaaa, n->a};

    n->requests = calloc(REQUESTS_PER_NAME, sizeof(*n->requests));
    if (n->requests == NULL) {
        hc_error_nomem(&p->error);
        return;
    }
    if (n->ip && hc_address_parse(n->host, &address) == 0) {
        add_request(p, n, &address);
    }
    for (size_t k = 0; k < HC_COUNT(lookups); k++) {
        size_t at = 0;

        /* half of the room for each family */
        for (int i = 0; i < REQUESTS_PER_NAME / 2 && hc_lookup_address(lookups[k], &at, &address);
             i++) {
            add_request(p, n, &address);
        }
    }
}

bool hc_preflight_step_requests(struct hc_preflight *p)
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

bool hc_preflight_all_fetched(const struct hc_preflight *p)
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

void hc_preflight_judge_requests(struct hc_preflight *p)
{
    for (size_t i = 0; i < p->count; i++) {
        struct hc_name_judge judge = {
            .out = &p->results[i], .host = p->names[i].host, .err = &p->error};

        hc_judge_requests(&judge, p->names[i].requests, p->names[i].request_count);
    }
}
