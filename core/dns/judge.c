/* From looks to findings; see judge.h. */
#include "dns/judge.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define SHOWN 20 /* records of one look in the tree report */

void hc_judge_note(struct hc_judge *judge, enum hc_problem problem, enum hc_judge_effect effect,
                   const char *fmt, ...)
{
    struct hc_preflight_name *out = judge->out;
    size_t before = out->findings.count;
    char text[HC_FOREIGN_MAX];
    va_list args;

    va_start(args, fmt);
    vsnprintf(text, sizeof(text), fmt, args);
    va_end(args);
    if (hc_findings_add_presented(&out->findings, problem, out->name, judge->err, "%s", text) !=
            0 ||
        out->findings.count == before) {
        return;
    }
    if (effect == HC_JUDGE_NOTHING) {
        out->findings.items[before].rank = HC_CLASS_REMARK;
        return;
    }
    out->leave_out = out->leave_out || effect == HC_JUDGE_BLOCK;
    /* the cause that is told is the worst: what blocks, what fails, what is not known */
    if (out->cause == HC_P_NONE ||
        (out->verdict == HC_PREFLIGHT_UNKNOWN && effect > HC_JUDGE_UNKNOWN)) {
        out->cause = problem;
    }
    if (effect > HC_JUDGE_UNKNOWN) {
        out->verdict = HC_PREFLIGHT_WOULD_FAIL;
    } else if (out->verdict == HC_PREFLIGHT_READY) {
        out->verdict = HC_PREFLIGHT_UNKNOWN;
    }
}

void hc_judge_hint(struct hc_judge *judge, const char *fmt, ...)
{
    char text[HC_FOREIGN_MAX];
    va_list args;

    va_start(args, fmt);
    vsnprintf(text, sizeof(text), fmt, args);
    va_end(args);
    if (hc_findings_hint(&judge->out->findings, judge->err, "%s", text) != 0) {
        return; /* judge->err has it */
    }
}

void hc_judge_look(struct hc_judge *judge, const char *fmt, ...)
{
    char text[HC_FOREIGN_MAX];
    va_list args;

    va_start(args, fmt);
    vsnprintf(text, sizeof(text), fmt, args);
    va_end(args);
    if (hc_list_add(&judge->out->looks, text, judge->err) != 0) {
        return; /* judge->err has it */
    }
}

/* The record to add for a name: with an address of the host's if one is known. */
static void suggest_address(struct hc_judge *judge, const char *owner)
{
    struct hc_address address;

    if (judge->suggestion == NULL || hc_address_parse(judge->suggestion, &address) != 0) {
        hc_judge_hint(judge,
                      "add: %s 300 IN A (the public address of this server); or take the name off "
                      "the host",
                      owner);
        return;
    }
    hc_judge_hint(judge,
                  "add: %s 300 IN %s %s (or the public address that leads here); or take "
                  "the name off the host",
                  owner, address.ipv6 ? "AAAA" : "A", judge->suggestion);
}

/* The CNAMEs that the look went through, and its records. */
static void show_records(struct hc_judge *judge, const struct hc_look *look)
{
    char text[HC_DNS_RECORD_TEXT];
    struct hc_dname at_name = look->name;
    const struct hc_dns_record *record = NULL;
    size_t shown = 0;
    size_t at = 0;

    if (look->view == NULL) {
        return;
    }
    for (unsigned links = 0; links < HC_DNS_CHAIN; links++) {
        size_t i = 0;

        record = hc_dns_reply_next(&look->view->reply, &at_name, HC_DNS_CNAME, &i);
        if (record == NULL || hc_dns_record_target(record, &at_name) != 0) {
            break;
        }
        hc_judge_look(judge, "%s", hc_dns_record_format(record, text));
    }
    while ((record = hc_look_record(look, &at)) != NULL && shown++ < SHOWN) {
        hc_judge_look(judge, "%s", hc_dns_record_format(record, text));
    }
}

/* Who was heard: the zone's own servers, or only the resolvers, and why. */
static void show_source(struct hc_judge *judge, const struct hc_look *look)
{
    char apex[HC_DNAME_TEXT];
    const struct hc_zone *zone = hc_look_zone(look);

    if (look->direct && look->view != NULL && zone != NULL) {
        hc_judge_look(judge, "asked %s, a name server of %s", look->view->from,
                      hc_dname_format(&zone->apex, apex));
    } else if (look->wants_direct && hc_error_is_set(&look->direct_error)) {
        hc_judge_look(judge, "only the resolvers were heard: %s", look->direct_error.detail);
    }
}

/* "192.0.2.53, a name server of example.net.," or "192.0.2.1, the resolver,". */
static void say_source(const struct hc_look *look, char *dst, size_t cap)
{
    char apex[HC_DNAME_TEXT];
    const struct hc_zone *zone = hc_look_zone(look);

    if (look->direct && zone != NULL) {
        snprintf(dst, cap, "%s, a name server of %s,", look->view->from,
                 hc_dname_format(&zone->apex, apex));
    } else {
        snprintf(dst, cap, "%s, the resolver,", look->view->from);
    }
}

static void judge_absent(struct hc_judge *judge, const struct hc_look *look)
{
    char name[HC_DNAME_TEXT];
    char target[HC_DNAME_TEXT];
    char source[HC_DNAME_TEXT + 64];

    hc_dname_format(&look->name, name);
    say_source(look, source, sizeof(source));
    if (look->kind == HC_LOOK_NO_NAME) {
        hc_judge_note(judge, HC_P_DNS_NO_SUCH_NAME, HC_JUDGE_BLOCK,
                      "%.255s does not exist: %.200s says NXDOMAIN", name, source);
        suggest_address(judge, name);
        return;
    }
    hc_dname_format(&look->view->end, target);
    hc_judge_note(judge, HC_P_DNS_CNAME_DANGLING, HC_JUDGE_BLOCK,
                  "%.200s is an alias (CNAME) that ends at %.200s, which does not exist", name,
                  target);
    hc_judge_hint(judge, "change the CNAME record of %.200s, or add: %.200s 300 IN A (an address)",
                  name, target);
}

/* A look without an answer. alone: nothing else says where the name leads. */
static void judge_failure(struct hc_judge *judge, const struct hc_look *look, bool alone)
{
    char name[HC_DNAME_TEXT];
    char type[16];

    hc_dname_format(&look->name, name);
    hc_dns_type_format((unsigned)look->type, type);
    if (look->kind == HC_LOOK_DNSSEC_BROKEN) {
        hc_judge_note(judge, HC_P_DNS_DNSSEC_BROKEN, HC_JUDGE_FAIL,
                      "%s answers SERVFAIL for %s of %.200s, and answers it with checking disabled",
                      look->view->from, type, name);
    } else if (look->kind == HC_LOOK_CONTRADICTED) {
        hc_judge_note(judge, HC_P_DNS_FAILED, HC_JUDGE_UNKNOWN,
                      "the name servers of its zone do not agree whether %.200s exists", name);
        hc_judge_hint(judge, "give all name servers of the zone the same content; look at the "
                             "serial of its SOA record on each");
    } else if (look->kind == HC_LOOK_FAILED) {
        hc_judge_note(judge, HC_P_DNS_FAILED, alone ? HC_JUDGE_UNKNOWN : HC_JUDGE_NOTHING, "%.400s",
                      look->error.detail);
    }
}

static bool record_address(const struct hc_dns_record *record, struct hc_address *out)
{
    size_t want = record->type == HC_DNS_AAAA ? 16 : 4;

    memset(out, 0, sizeof(*out));
    if (record->len != want) {
        return false;
    }
    out->ipv6 = want == 16;
    memcpy(out->octets, record->data, want);
    return true;
}

static bool is_own(const struct hc_judge *judge, const struct hc_address *address)
{
    const char *what = hc_address_reserved(address);
    struct hc_address own;

    if (what != NULL && strcmp(what, "loopback") == 0) {
        return true;
    }
    for (size_t i = 0; judge->own != NULL && i < judge->own->count; i++) {
        if (hc_address_parse(judge->own->items[i], &own) == 0 && hc_address_equal(&own, address)) {
            return true;
        }
    }
    return false;
}

/* What the addresses of one name add up to. */
struct tally {
    size_t all;
    size_t reserved;
    size_t foreign;
    char reserved_text[HC_DNS_RECORD_TEXT];
    const char *reserved_what;
    char foreign_text[HC_ADDRESS_TEXT];
};

static void count_address(const struct hc_judge *judge, const struct hc_address *address,
                          const char *shown, struct tally *tally)
{
    const char *what = hc_address_reserved(address);

    tally->all++;
    if (what != NULL && !judge->private_network) {
        if (tally->reserved++ == 0) {
            hc_copy(tally->reserved_text, sizeof(tally->reserved_text), shown);
            tally->reserved_what = what;
        }
    }
    if (!is_own(judge, address) && tally->foreign++ == 0) {
        hc_address_format(address, tally->foreign_text);
    }
}

static void count_records(const struct hc_judge *judge, const struct hc_look *look,
                          struct tally *tally)
{
    const struct hc_dns_record *record = NULL;
    size_t at = 0;

    while ((record = hc_look_record(look, &at)) != NULL) {
        struct hc_address address;
        char text[HC_DNS_RECORD_TEXT];

        if (record_address(record, &address)) {
            count_address(judge, &address, hc_dns_record_format(record, text), tally);
        }
    }
}

static void judge_tally(struct hc_judge *judge, const struct tally *tally)
{
    if (tally->reserved > 0) {
        bool all = tally->reserved == tally->all;

        hc_judge_note(judge, HC_P_DNS_RESERVED_ADDRESS, all ? HC_JUDGE_FAIL : HC_JUDGE_NOTHING,
                      "%s: this address is %s, no public CA asks it%s", tally->reserved_text,
                      tally->reserved_what, all ? "" : "; the other addresses are asked");
    }
    if (tally->foreign > 0) {
        hc_judge_note(judge, HC_P_DNS_NOT_HERE, HC_JUDGE_NOTHING,
                      "it leads to %s%s, which is not an address of this machine",
                      tally->foreign_text, tally->foreign > 1 ? " and others" : "");
    }
}

void hc_judge_addresses(struct hc_judge *judge, const struct hc_look *a, const struct hc_look *aaaa)
{
    struct tally tally = {0};
    char name[HC_DNAME_TEXT];

    show_records(judge, a);
    if (aaaa->kind == HC_LOOK_RECORDS) {
        show_records(judge, aaaa);
    }
    show_source(judge, a);
    if (a->kind == HC_LOOK_NO_NAME || a->kind == HC_LOOK_DANGLING) {
        judge_absent(judge, a);
        return;
    }
    count_records(judge, a, &tally);
    count_records(judge, aaaa, &tally);
    judge_failure(judge, a, tally.all == 0);
    judge_failure(judge, aaaa, tally.all == 0);
    if (tally.all == 0 && judge->out->verdict == HC_PREFLIGHT_READY) {
        hc_dname_format(&a->name, name);
        hc_judge_note(judge, HC_P_DNS_NO_ADDRESS, HC_JUDGE_FAIL,
                      "%.255s has neither an A nor an AAAA record", name);
        suggest_address(judge, name);
    }
    judge_tally(judge, &tally);
}

void hc_judge_ip(struct hc_judge *judge)
{
    struct tally tally = {0};
    struct hc_address address;

    if (hc_address_parse(judge->host, &address) == 0) {
        count_address(judge, &address, judge->host, &tally);
        judge_tally(judge, &tally);
    }
}

/* ---- CAA ---------------------------------------------------------------------------------- */

#define CAA_SET 64 /* records of one set that are judged */

struct caa_set {
    struct hc_caa_record records[CAA_SET];
    const struct hc_dns_record *source[CAA_SET];
    size_t count;
};

static void take_set(const struct hc_look *look, struct caa_set *set)
{
    const struct hc_dns_record *record = NULL;
    size_t at = 0;

    set->count = 0;
    while (set->count < CAA_SET && (record = hc_look_record(look, &at)) != NULL) {
        set->source[set->count] = record;
        set->records[set->count++] = (struct hc_caa_record){record->data, record->len};
    }
}

struct caa_words {
    enum hc_problem problem;
    const char *why;  /* behind the record */
    const char *what; /* before the suggested record; NULL: none helps */
};

static const struct caa_words words[] = {
    [HC_CAA_ALLOWED] = {HC_P_NONE, "", NULL},
    [HC_CAA_OTHER_ISSUER] = {HC_P_CAA_OTHER_ISSUER, "only the CAs named there may issue",
                             "add beside it"},
    [HC_CAA_EMPTY] = {HC_P_CAA_EMPTY, "it names no CA, so nobody may issue", "replace it by"},
    [HC_CAA_MALFORMED] = {HC_P_CAA_MALFORMED,
                          "its value is malformed and counts as no CA, so nobody may issue",
                          "replace it by"},
    [HC_CAA_ACCOUNT] = {HC_P_CAA_ACCOUNT,
                        "this CA may issue for the account named there only, which is not ours",
                        "change it to"},
    [HC_CAA_METHOD] =
        {HC_P_CAA_METHOD,
         "this CA may validate by the methods named there only, none of which is used",
         "change it to"},
    [HC_CAA_UNKNOWN_CRITICAL] =
        {HC_P_CAA_UNKNOWN_CRITICAL,
         "it is marked critical and CAs do not know its tag, so none issues", NULL},
};
_Static_assert(HC_COUNT(words) == HC_CAA_UNKNOWN_CRITICAL + 1, "every reason has words");

static void judge_refusal(struct hc_judge *judge, const struct hc_look *look,
                          const struct caa_set *set, const struct hc_caa_decision *decision,
                          const struct hc_caa_asker *who)
{
    const struct caa_words *w = &words[decision->reason];
    char record[HC_DNS_RECORD_TEXT];
    char owner[HC_DNAME_TEXT];
    char line[HC_FOREIGN_MAX];

    hc_dns_record_format(set->source[decision->record], record);
    hc_judge_note(judge, w->problem, HC_JUDGE_BLOCK, "%s%s: %s", record,
                  hc_dname_equal(&look->view->end, &look->name) ? "" : " (reached by CNAME)",
                  w->why);
    hc_dname_format(&look->view->end, owner);
    if (w->what == NULL) {
        hc_judge_hint(judge, "remove this record of %.255s, or set its flags to 0", owner);
    } else if (decision->reason == HC_CAA_ACCOUNT && who->account_uri == NULL) {
        hc_judge_hint(judge, "leave accounturi out: %s",
                      hc_caa_suggest(set->records, decision, who, owner, line, sizeof(line)));
    } else {
        hc_judge_hint(judge, "%s: %s", w->what,
                      hc_caa_suggest(set->records, decision, who, owner, line, sizeof(line)));
    }
}

/* What is worth saying of a set that lets us in. */
static void judge_permission(struct hc_judge *judge, const struct caa_set *set,
                             const struct hc_caa_decision *decision)
{
    char record[HC_DNS_RECORD_TEXT];

    if (decision->flag_one) {
        hc_judge_note(judge, HC_P_CAA_UNKNOWN_CRITICAL, HC_JUDGE_FAIL,
                      "%s: some CAs, Let's Encrypt among them, take flag 1 for critical, and do "
                      "not know the tag",
                      hc_dns_record_format(set->source[decision->flag_record], record));
        hc_judge_hint(judge, "remove the record, or set its flags to 0");
    }
    if (decision->malformed) {
        hc_judge_note(judge, HC_P_CAA_MALFORMED, HC_JUDGE_NOTHING,
                      "%s: it is malformed and names no CA; another record lets this CA in",
                      hc_dns_record_format(set->source[decision->malformed_record], record));
    }
    if (decision->account_unknown) {
        hc_judge_note(
            judge, HC_P_CAA_ACCOUNT, HC_JUDGE_NOTHING,
            "%s: this CA may issue for one account only; whether that is ours is not known",
            hc_dns_record_format(set->source[decision->account_record], record));
    }
}

static void judge_caa_failure(struct hc_judge *judge, const struct hc_look *look)
{
    char name[HC_DNAME_TEXT];

    hc_dname_format(&look->name, name);
    if (look->kind == HC_LOOK_DNSSEC_BROKEN) {
        judge_failure(judge, look, true);
        return;
    }
    /* one cause is told once: a name whose address could not be looked up has said so */
    if (hc_findings_find(&judge->out->findings, HC_P_DNS_FAILED, NULL) != NULL) {
        return;
    }
    hc_judge_note(judge, HC_P_CAA_FAILED, HC_JUDGE_UNKNOWN, "CAA of %.255s: %.200s", name,
                  look->error.detail);
}

void hc_judge_caa(struct hc_judge *judge, const struct hc_look *last,
                  const struct hc_caa_asker *who)
{
    struct hc_caa_decision decision;
    struct caa_set set;
    char name[HC_DNAME_TEXT];

    if (last->kind == HC_LOOK_DNSSEC_BROKEN || last->kind == HC_LOOK_FAILED) {
        judge_caa_failure(judge, last);
        return;
    }
    take_set(last, &set);
    if (set.count == 0) {
        hc_judge_look(judge, "no CAA up to %s: any CA may issue",
                      hc_dname_format(&last->name, name));
        return;
    }
    show_records(judge, last);
    hc_caa_decide(set.records, set.count, who, &decision);
    if (decision.reason == HC_CAA_ALLOWED) {
        judge_permission(judge, &set, &decision);
    } else {
        judge_refusal(judge, last, &set, &decision, who);
    }
}
