/*
 * The preflight from inside.
 *
 *   preflight.c  its phases, beginning and end
 *   names.c      the lookups of each name, and what they mean
 *   records.c    those for records that prove it
 *   network.c    where the CA is, and which addresses lead here
 *   requests.c   the requests to the names' addresses, and the handshakes with them
 */
#ifndef HC_PREFLIGHT_INTERNAL_H
#define HC_PREFLIGHT_INTERNAL_H

#include "base/address.h"
#include "conf/method.h"
#include "dns/suffix.h"
#include "loop/timer.h"
#include "preflight/delegation.h"
#include "preflight/lookup.h"
#include "preflight/misplaced.h"
#include "preflight/preflight.h"
#include "preflight/probe.h"
#include "preflight/record.h"
#include "preflight/request.h"

enum hc_preflight_phase {
    HC_PREFLIGHT_PHASE_LOOKUP,
    HC_PREFLIGHT_PHASE_FETCH,
    HC_PREFLIGHT_PHASE_DONE
};

struct hc_preflight_sight {
    bool ip;
    bool wildcard;
    char *text;       /* as given */
    const char *host; /* within text */
    struct hc_dname dname;
    const struct hc_lookup *a;
    const struct hc_lookup *aaaa;
    enum hc_suffix suffix;
    const struct hc_lookup *top;       /* SOA of the top-level domain, where no list has it */
    const struct hc_lookup *caa_first; /* at the name itself */
    const struct hc_lookup *caa;       /* the one that the climb stands at */
    bool caa_complete;
    unsigned climbed;
    struct hc_dname target; /* where its challenge record must lead; zeroed: not known */
    bool own_dns;           /* its challenge record is to lead to our own DNS server */
    struct hc_delegation delegation;
    const struct hc_lookup *alias;    /* CNAME at the challenge record, if it is one */
    const struct hc_lookup *zone_soa; /* of the zone that the challenge record belongs to */
    struct hc_record_lookup *record;  /* where its challenge record is to be written; or NULL */
    const struct hc_lookup *persist;  /* TXT at the label of records that stay; NULL: not asked */
    struct hc_misplaced misplaced;    /* what was to be that record, and stands elsewhere */
    struct hc_misplaced persist_misplaced;
    struct hc_request *requests;
    size_t request_count;
    struct hc_probe *probes;
    size_t probe_count;
};

struct hc_preflight {
    struct hc_timer timer; /* lookups that are made again */
    struct hc_list names_text;
    struct hc_list caa_domains;
    struct hc_list methods;
    struct hc_list own;
    struct hc_list accounts;
    char *account_uri;
    char *token;
    char *answer;
    const struct hc_web_port *web;
    const struct hc_dns_domain *responder;
    struct hc_anchors *anchors;
    const struct hc_ranges *ranges;
    const struct hc_clock *clock;
    const struct hc_log *log;
    void *self;
    hc_preflight_done *done;

    struct hc_dns_slot_owner owner;
    struct hc_lookups *lookups;
    struct hc_suffixes *suffixes;
    const struct hc_lookup *directory_a; /* network auto: where the CA's directory is */
    const struct hc_lookup *directory_aaaa;
    unsigned http_port;
    unsigned tls_port;
    int64_t lookup_until_ms;

    enum hc_preflight_phase phase;
    struct hc_preflight_sight *names;
    struct hc_preflight_name *results;
    size_t count;
    struct hc_request_how how;
    struct hc_probe_how probe_how;
    struct hc_error error;
    char label[HC_METHOD_LABEL]; /* of the record that is written; "": none is */
    bool knows_own;              /* else own is empty and says nothing */
    bool compares_accounts;
    bool private_network;
    bool wants_address; /* all methods that are used need one */
    bool wants_http;
    bool wants_tls;
    bool wants_responder;
    bool has_other_methods; /* than those that are looked for in the DNS */
    bool wants_persist;
    bool over_tls_alone; /* all methods that are used are, and no handshake is made to see */
    bool busy;           /* inside of progress() */
    bool freed;          /* by its owner, from within done(): it goes when that has returned */
};

/* names.c */
int hc_preflight_take_names(struct hc_preflight *p, const struct hc_list *names,
                            struct hc_error *err) HC_MUST_USE;
const struct hc_lookup *hc_preflight_lookup(struct hc_preflight *p, const struct hc_dname *name,
                                            enum hc_dns_type type, bool direct);
void hc_preflight_begin_name(struct hc_preflight *p, struct hc_preflight_sight *n);
/* Goes up for CAA; true if anything changed. */
bool hc_preflight_climb(struct hc_preflight *p, struct hc_preflight_sight *n);
/* The CAs inside of a network need not see what the Internet's root says; true if anything changed.
 */
bool hc_preflight_stop_validating(struct hc_preflight *p);
bool hc_preflight_lookups_settled(const struct hc_preflight *p);
/* suggestion: an address, or "". */
void hc_preflight_judge_name(struct hc_preflight *p, size_t i, const char *suggestion);

/* records.c */
struct hc_name_judge;
/* Host, target, host, target ..; NULL is fine. */
int hc_preflight_take_targets(struct hc_preflight *p, const struct hc_list *targets,
                              struct hc_error *err) HC_MUST_USE;
void hc_preflight_begin_records(struct hc_preflight *p, struct hc_preflight_sight *n);
/* Goes on with the challenge record; true if anything changed. */
bool hc_preflight_step_record(struct hc_preflight *p, struct hc_preflight_sight *n);
/* Asks for what is missing elsewhere; true if anything changed. */
bool hc_preflight_seek_misplaced(struct hc_preflight *p, struct hc_preflight_sight *n);
bool hc_preflight_records_settled(const struct hc_preflight_sight *n);
void hc_preflight_judge_records(struct hc_preflight *p, struct hc_preflight_sight *n,
                                struct hc_name_judge *judge);

/* network.c */
/* The next address of a lookup (NULL: none); *at counts from 0. */
bool hc_lookup_address(const struct hc_lookup *lookup, size_t *at, struct hc_address *out);
void hc_preflight_suggest(const struct hc_preflight *p, char dst[HC_ADDRESS_TEXT]);
void hc_preflight_find_directory(struct hc_preflight *p, const char *url);
void hc_preflight_decide_network(struct hc_preflight *p);

/* requests.c */
void hc_preflight_plan_requests(struct hc_preflight *p, struct hc_preflight_sight *n);
void hc_preflight_dispose_requests(struct hc_preflight_sight *n);
/* True if anything changed. */
bool hc_preflight_step_requests(struct hc_preflight *p);
bool hc_preflight_all_fetched(const struct hc_preflight *p);
void hc_preflight_judge_requests(struct hc_preflight *p);

#endif
