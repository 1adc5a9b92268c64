/*
 * hc_judge: from what was looked up about one name to findings, a verdict, and whether the name
 * is left out of an order. No lookups here; the rules of docs/dns.md are.
 */
#ifndef HC_PREFLIGHT_JUDGE_H
#define HC_PREFLIGHT_JUDGE_H

#include "base/address.h"
#include "dns/caa.h"
#include "dns/persist.h"
#include "dns/suffix.h"
#include "preflight/delegation.h"
#include "preflight/lookup.h"
#include "preflight/misplaced.h"
#include "preflight/preflight.h"
#include "preflight/probe.h"
#include "preflight/record.h"
#include "preflight/request.h"

/* What a finding does to its name's verdict. */
enum hc_judge_effect {
    HC_JUDGE_NOTHING,
    HC_JUDGE_UNKNOWN, /* a lookup failed */
    HC_JUDGE_FAIL,    /* the CA would refuse if it sees what we see */
    HC_JUDGE_BLOCK,   /* the same, and the name is left out */
};

/* One name while it is judged. All borrowed. */
struct hc_name_judge {
    struct hc_preflight_name *out;
    const char *host;               /* without "*." */
    bool private_network;           /* the CA stands inside: reserved addresses are fine */
    const struct hc_list *own;      /* this machine's addresses; NULL: not known */
    const struct hc_ranges *ranges; /* of CDNs; or NULL */
    bool cdn_fails;                 /* no method works through one, and none is tried */
    const struct hc_list *names;    /* all that are looked at beside it; or NULL */
    const struct hc_list *accounts; /* hc_preflight_options.accounts, or NULL */
    bool advises;                   /* another way is open: what would fail is a remark */
    const char *suggestion;         /* an address for the record to add, or NULL */
    struct hc_error *err;           /* out of memory ends up here */
};

/*
 * Adds a finding about the name and lowers the verdict. Foreign text in the message is in
 * presentation form. rank HC_CLASS_REMARK for HC_JUDGE_NOTHING, else the row's.
 */
void hc_judge_note(struct hc_name_judge *judge, enum hc_problem problem,
                   enum hc_judge_effect effect, const char *fmt, ...) HC_FORMAT(4, 5);
/* Gives the finding that was added last a hint of its own. */
void hc_judge_hint(struct hc_name_judge *judge, const char *fmt, ...) HC_FORMAT(2, 3);
/* A line for the tree report. */
void hc_judge_seen(struct hc_name_judge *judge, const char *fmt, ...) HC_FORMAT(2, 3);

/* Lines for the CNAMEs that a lookup went through, and for its records. */
void hc_judge_records(struct hc_name_judge *judge, const struct hc_lookup *lookup);

/* Whether public CAs issue for such names. top: the SOA of its top-level domain, of one that no
 * list has; may be NULL. */
void hc_judge_suffix(struct hc_name_judge *judge, enum hc_suffix suffix, bool wildcard,
                     const struct hc_lookup *top);

/* A lookup without an answer. alone: nothing else says where the name leads. */
void hc_judge_failure(struct hc_name_judge *judge, const struct hc_lookup *lookup, bool alone);

/* DNSSEC is broken, and where. */
void hc_judge_broken(struct hc_name_judge *judge, const struct hc_lookup *lookup,
                     enum hc_judge_effect effect);
/* A line on what DNSSEC came to, from complete lookups (each may be NULL). */
void hc_judge_dnssec(struct hc_name_judge *judge, const struct hc_lookup *const *lookups,
                     size_t count);

/* Existence and addresses, from complete lookups for A and AAAA. */
void hc_judge_addresses(struct hc_name_judge *judge, const struct hc_lookup *a,
                        const struct hc_lookup *aaaa);

/* The same for a name that is an IP address (RFC 8738). */
void hc_judge_ip(struct hc_name_judge *judge);

/* CAA, from the lookup that ended the climb: at the deciding set, at a failure, or at the top. */
void hc_judge_caa(struct hc_name_judge *judge, const struct hc_lookup *last,
                  const struct hc_caa_asker *who);

/*
 * The challenge record that is written for the name: its alias, its zone, whether the servers
 * agree; for `hotcert diagnose` what is left of a former run. alone: as above.
 */
void hc_judge_record(struct hc_name_judge *judge, const struct hc_record_lookup *lookup,
                     bool alone);

/* True if the address is this machine's, as far as that is known. */
bool hc_judge_is_own(const struct hc_name_judge *judge, const struct hc_address *address);

/* "192.0.2.1", "192.0.2.1 (Cloudflare)". Returns dst. */
#define HC_JUDGE_ADDRESS (HC_ADDRESS_TEXT + HC_RANGE_NAME + 4)
char *hc_judge_address(const struct hc_name_judge *judge, const struct hc_address *address,
                       char dst[HC_JUDGE_ADDRESS]);

/* What the name's addresses answer, for a sentence about all of them. */
#define HC_JUDGE_ANSWERS     16
#define HC_JUDGE_ANSWER_TEXT 120
struct hc_judge_answers {
    size_t count;
    struct hc_address addresses[HC_JUDGE_ANSWERS];
    char what[HC_JUDGE_ANSWERS][HC_JUDGE_ANSWER_TEXT];
};
void hc_judge_answers_add(struct hc_judge_answers *answers, const struct hc_address *address,
                          const char *what);
/* "ADDRESS and ADDRESS: ..; ADDRESS: ..". Returns dst. */
char *hc_judge_answers_format(const struct hc_judge_answers *answers, char dst[HC_FOREIGN_MAX]);

/* True if the name's addresses gave different answers. */
bool hc_judge_differs(const struct hc_request *requests, size_t count);
/* http-01, from complete requests to the name's addresses. */
void hc_judge_requests(struct hc_name_judge *judge, const struct hc_request *requests,
                       size_t count);

/*
 * Whether the challenge record leads to our own DNS server, from complete lookups.
 * alone: no other method can prove the name, so that it is left out of an order; else it is a
 * remark that this one cannot.
 */
void hc_judge_delegation(struct hc_name_judge *judge, const struct hc_dns_domain *domain,
                         const struct hc_delegation *delegation, bool alone);
/* True if it leads to our own DNS server. */
bool hc_judge_leads_to_responder(const struct hc_delegation *delegation,
                                 const struct hc_dns_domain *domain);

/* Whether the challenge record is an alias of target. alone: as above. */
void hc_judge_alias(struct hc_name_judge *judge, const struct hc_record_lookup *lookup,
                    const struct hc_dname *target, bool alone);

/* What was meant for a label and stands elsewhere: remarks, with what to write. */
void hc_judge_misplaced(struct hc_name_judge *judge, const struct hc_misplaced *misplaced,
                        bool (*is_meant)(const struct hc_dns_record *record));

/* tls-alpn-01, from complete probes of the name's addresses. */
void hc_judge_probes(struct hc_name_judge *judge, const struct hc_probe *probes, size_t count);

/* What to do where it matters who will order, and nobody said so. */
#define HC_JUDGE_NAME_ACCOUNT                                                                      \
    "name the account that will order with --account, or run this as root with its store "         \
    "(--store)"

/*
 * The record of dns-persist-01 that stands there, from a complete lookup. alone: as above; but
 * where the account is not known yet, no name is left out for it: the order makes the account.
 */
void hc_judge_persist(struct hc_name_judge *judge, const struct hc_lookup *lookup,
                      const struct hc_persist_asker *who, bool alone);

/* What that record is, for the account that orders, or of those at hand for the one it suits best.
 */
struct hc_persist_sight {
    struct hc_persist_verdict verdict;
    const char *account; /* that it was judged for, borrowed; NULL: for any */
    const char *store;   /* that has that account; NULL: the caller named it, or nobody */
    bool unsure;         /* it is right for an account, and maybe not for the one that orders */
};

/* The same without a word. accounts: hc_preflight_options.accounts, or NULL. 0; 1: the lookup
 * failed; -1: no memory. */
int hc_judge_persist_see(const struct hc_lookup *lookup, const struct hc_persist_asker *who,
                         const struct hc_list *accounts, struct hc_persist_sight *out,
                         struct hc_error *err) HC_MUST_USE;

#endif
