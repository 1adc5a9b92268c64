/* The check of all names of an order; see preflight.h. */
#include "preflight/preflight.h"

#include <stdlib.h>
#include <string.h>

#include "base/address.h"
#include "conf/method.h"
#include "preflight/internal.h"

static const char *const verdict_names[] = {
    [HC_PREFLIGHT_READY] = "ready",
    [HC_PREFLIGHT_WOULD_FAIL] = "would-fail",
    [HC_PREFLIGHT_UNKNOWN] = "unknown",
};

const char *hc_preflight_verdict_name(enum hc_preflight_verdict verdict)
{
    return verdict_names[verdict];
}

static void begin_fetch(struct hc_preflight *p)
{
    p->phase = HC_PREFLIGHT_PHASE_FETCH;
    p->how.deadline_ms = hc_now_ms(p->clock) + HC_PREFLIGHT_FETCH_MS;
    p->probe_how.deadline_ms = p->how.deadline_ms;
    for (size_t i = 0; i < p->count && (p->wants_http || p->wants_tls); i++) {
        if (!p->names[i].wildcard) {
            hc_preflight_plan_requests(p, &p->names[i]);
        }
    }
}

static void begin_judging(struct hc_preflight *p)
{
    char suggestion[HC_ADDRESS_TEXT];

    p->how.private_network = p->private_network;
    p->how.port = p->private_network ? p->http_port : 80;
    p->how.tls_port = p->tls_port;
    p->probe_how.tls_port = p->private_network ? p->tls_port : 443;
    hc_preflight_suggest(p, suggestion);
    for (size_t i = 0; i < p->count; i++) {
        hc_preflight_judge_name(p, i, suggestion);
    }
    begin_fetch(p);
}

/* ---- running ------------------------------------------------------------------------------- */

static bool step(struct hc_preflight *p)
{
    bool changed = hc_lookups_step(p->lookups);

    if (p->phase == HC_PREFLIGHT_PHASE_LOOKUP) {
        for (size_t i = 0; i < p->count; i++) {
            changed = hc_preflight_climb(p, &p->names[i]) || changed;
            changed = hc_preflight_step_record(p, &p->names[i]) || changed;
            changed = hc_preflight_seek_misplaced(p, &p->names[i]) || changed;
        }
        if (hc_preflight_lookups_settled(p)) {
            hc_preflight_decide_network(p);
            if (!hc_preflight_stop_validating(p)) {
                begin_judging(p);
            }
            changed = true;
        }
    }
    if (p->phase == HC_PREFLIGHT_PHASE_FETCH) {
        changed = hc_preflight_step_requests(p) || changed;
        if (hc_preflight_all_fetched(p)) {
            hc_preflight_judge_requests(p);
            p->phase = HC_PREFLIGHT_PHASE_DONE;
        }
    }
    return changed && p->phase != HC_PREFLIGHT_PHASE_DONE;
}

/* Says that a name was not checked to the end: nobody may take silence for "ready". */
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
    struct hc_error why;

    note_failure(p);
    hc_error_init(&why);
    if (p->anchors != NULL && hc_lookups_unchecked(p->lookups, &why)) {
        hc_anchors_tell(p->anchors, p->log, why.detail);
    }
    for (size_t i = 0; i < p->count; i++) {
        hc_logf(p->log, HC_LOG_DEBUG, "preflight: %s: %s", p->results[i].name,
                hc_preflight_verdict_name(p->results[i].verdict));
    }
    /* whatever may still be in flight ends here, not after its owner has closed the ports */
    hc_lookups_free(p->lookups);
    p->lookups = NULL;
    for (size_t i = 0; i < p->count; i++) {
        hc_record_lookup_free(p->names[i].record);
        p->names[i].record = NULL;
    }
    p->done(p->self, &result);
}

/* Goes on as far as possible. The preflight may be gone afterwards: true then. */
static bool progress(struct hc_preflight *p)
{
    bool freed = false;

    if (p->busy || p->phase == HC_PREFLIGHT_PHASE_DONE) {
        return false;
    }
    p->busy = true;
    hc_lookups_begin_pass(p->lookups);
    while (step(p)) {
    }
    if (p->phase == HC_PREFLIGHT_PHASE_DONE) {
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
    if (!progress(p) && p->phase != HC_PREFLIGHT_PHASE_DONE && !p->busy) {
        hc_timer_in(&p->timer, hc_lookups_next(p->lookups));
    }
}

/* ---- beginning and end --------------------------------------------------------------------- */

static int copy_optional(const char *text, char **out, struct hc_error *err)
{
    return text != NULL ? hc_strdup(text, out, err) : 0;
}

/* Where the machine's addresses cannot be had (AF_NETLINK forbidden), the rest goes on. */
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

const char *hc_preflight_sole_account(const struct hc_list *accounts)
{
    for (size_t i = 2; i < accounts->count; i += 2) {
        if (strcmp(accounts->items[i], accounts->items[0]) != 0) {
            return NULL;
        }
    }
    return accounts->count > 0 ? accounts->items[0] : NULL;
}

/* The record of the first method that is written; without an account it may have no name yet. */
static void choose_label(struct hc_preflight *p)
{
    const char *word = hc_methods_written(&p->methods);
    const char *account =
        p->account_uri != NULL ? p->account_uri : hc_preflight_sole_account(&p->accounts);

    if (word == NULL || hc_method_label(hc_method_find(word), account, p->label) != 0) {
        p->label[0] = '\0';
    }
}

static int copy_options(struct hc_preflight *p, const struct hc_preflight_options *o,
                        struct hc_error *err)
{
    static const struct hc_list none;

    p->web = o->web;
    p->responder = o->responder;
    p->anchors = o->anchors;
    p->ranges = o->ranges;
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
    /* where a record in the DNS may prove a name, it needs no address, and nobody here to answer */
    p->has_other_methods = hc_methods_go_over(&p->methods, HC_OVER_HTTP) ||
                           hc_methods_go_over(&p->methods, HC_OVER_TLS);
    p->wants_address = p->has_other_methods && !hc_methods_go_over(&p->methods, HC_OVER_DNS);
    choose_label(p);
    p->wants_http =
        p->web != NULL && p->wants_address && hc_methods_go_over(&p->methods, HC_OVER_HTTP);
    p->wants_persist = hc_methods_stand(&p->methods);
    p->wants_responder = p->responder != NULL && hc_methods_go_over(&p->methods, HC_OVER_DNS);
    p->wants_tls =
        o->tls != NULL && p->wants_address && hc_methods_go_over(&p->methods, HC_OVER_TLS);
    p->over_tls_alone =
        o->tls == NULL && p->wants_address && !hc_methods_go_over(&p->methods, HC_OVER_HTTP);
    return take_own(p, o->own, err);
}

static void begin(struct hc_preflight *p, const struct hc_preflight_options *o)
{
    p->private_network = o->network == HC_NETWORK_PRIVATE;
    p->how = (struct hc_request_how){
        .web = p->web,
        .lookups = p->lookups,
        .clock = p->clock,
        .token = p->token,
        .answer = p->answer,
        .wake = wake,
        .self = p,
    };
    p->probe_how = (struct hc_probe_how){.port = o->tls,
                                         .ranges = p->ranges,
                                         .clock = p->clock,
                                         .answered = o->proofs,
                                         .wake = wake,
                                         .self = p};
    if (o->network == HC_NETWORK_AUTO && o->directory_url != NULL) {
        hc_preflight_find_directory(p, o->directory_url);
    }
    (void)hc_preflight_stop_validating(p);
    for (size_t i = 0; i < p->count; i++) {
        hc_preflight_begin_name(p, &p->names[i]);
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
    if (options->anchors != NULL) {
        hc_anchors_follow(options->anchors, hc_now_ms(hc_loop_clock(options->loop)));
    }
    p->owner = (struct hc_dns_slot_owner){.dns = options->dns, .wake = wake, .self = p};
    if (copy_options(p, options, err) != 0 ||
        hc_preflight_take_names(p, options->names, err) != 0 ||
        hc_preflight_take_targets(p, options->targets, err) != 0 ||
        hc_suffixes_new(&p->suffixes, err) != 0 ||
        hc_lookups_new(&p->owner, p->clock, hc_now_ms(p->clock) + HC_PREFLIGHT_DNS_MS, p->anchors,
                       &p->lookups, err) != 0) {
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
        hc_record_lookup_free(p->names[i].record);
        hc_preflight_dispose_requests(&p->names[i]);
        hc_list_dispose(&p->results[i].ruled_out);
        hc_findings_dispose(&p->results[i].findings);
        hc_list_dispose(&p->results[i].seen);
    }
    hc_lookups_free(p->lookups);
    hc_suffixes_free(p->suffixes);
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
