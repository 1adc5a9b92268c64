/* From lookups to findings; see judge.h. */
#include "preflight/judge.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define SHOWN 20 /* records of one lookup in the tree report */

void hc_judge_note(struct hc_name_judge *judge, enum hc_problem problem,
                   enum hc_judge_effect effect, const char *fmt, ...)
{
    struct hc_preflight_name *out = judge->out;
    size_t before = out->findings.count;
    char text[HC_FOREIGN_MAX];
    va_list args;

    if (judge->advises && effect == HC_JUDGE_FAIL) {
        effect = HC_JUDGE_NOTHING;
    }
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
    if (out->findings.items[before].rank != HC_CLASS_UNUSABLE) {
        out->findings.items[before].rank = HC_CLASS_FLAWED; /* elsewhere an error, or a remark */
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

void hc_judge_hint(struct hc_name_judge *judge, const char *fmt, ...)
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

void hc_judge_seen(struct hc_name_judge *judge, const char *fmt, ...)
{
    char text[HC_FOREIGN_MAX];
    char harmless[HC_FOREIGN_MAX];
    va_list args;

    va_start(args, fmt);
    vsnprintf(text, sizeof(text), fmt, args);
    va_end(args);
    hc_escape_rest(harmless, sizeof(harmless), text, strlen(text));
    if (hc_list_add(&judge->out->seen, harmless, judge->err) != 0) {
        return; /* judge->err has it */
    }
}

/* The record to add for a name: with an address of the host's if one is known. */
static void suggest_address(struct hc_name_judge *judge, const char *owner)
{
    struct hc_address address;

    if (judge->suggestion == NULL || hc_address_parse(judge->suggestion, &address) != 0) {
        hc_judge_hint(judge,
                      "add: %s 300 IN A (the public address of this server); or remove the name "
                      "from the host",
                      owner);
        return;
    }
    hc_judge_hint(judge,
                  "add: %s 300 IN %s %s (or the public address that leads here); or remove the "
                  "name from the host",
                  owner, address.ipv6 ? "AAAA" : "A", judge->suggestion);
}

void hc_judge_records(struct hc_name_judge *judge, const struct hc_lookup *lookup)
{
    char text[HC_DNS_RECORD_TEXT];
    struct hc_dname at_name = lookup->name;
    const struct hc_dns_record *record = NULL;
    size_t shown = 0;
    size_t at = 0;

    if (lookup->view == NULL) {
        return;
    }
    for (unsigned links = 0; links < HC_DNS_CHAIN; links++) {
        size_t i = 0;

        record = hc_dns_reply_next(&lookup->view->reply, &at_name, HC_DNS_CNAME, &i);
        if (record == NULL || hc_dns_record_target(record, &at_name) != 0) {
            break;
        }
        hc_judge_seen(judge, "%s", hc_dns_record_format(record, text));
    }
    while ((record = hc_lookup_record(lookup, &at)) != NULL) {
        if (shown++ < SHOWN) {
            hc_judge_seen(judge, "%s", hc_dns_record_format(record, text));
        }
    }
    if (shown > SHOWN) {
        hc_judge_seen(judge, "and %zu more records of this set, all of which hotcert checked",
                      shown - SHOWN);
    }
}

/* Who was heard: the zone's own servers, or only the resolvers, and why. */
static void show_source(struct hc_name_judge *judge, const struct hc_lookup *lookup)
{
    char apex[HC_DNAME_TEXT];
    const struct hc_zone *zone = hc_lookup_zone(lookup);
    struct hc_error err;
    struct hc_error_text why;

    if (lookup->direct && lookup->view != NULL && zone != NULL) {
        hc_judge_seen(judge, "asked %s, a name server of %s", lookup->view->from,
                      hc_dname_format(&zone->apex, apex));
    } else if (lookup->wants_direct && hc_kept_error_is_set(&lookup->direct_error)) {
        hc_kept_error_get(&lookup->direct_error, &err);
        hc_error_render(&err, &why);
        hc_judge_seen(judge, "only the resolvers answered: %s", why.detail);
    }
}

/* "192.0.2.53, a name server of example.net.," or "192.0.2.1, the resolver,". */
static void say_source(const struct hc_lookup *lookup, char *dst, size_t cap)
{
    char apex[HC_DNAME_TEXT];
    const struct hc_zone *zone = hc_lookup_zone(lookup);

    if (lookup->direct && zone != NULL) {
        snprintf(dst, cap, "%s, a name server of %s,", lookup->view->from,
                 hc_dname_format(&zone->apex, apex));
    } else {
        snprintf(dst, cap, "%s, the resolver,", lookup->view->from);
    }
}

static void judge_absent(struct hc_name_judge *judge, const struct hc_lookup *lookup)
{
    char name[HC_DNAME_TEXT];
    char target[HC_DNAME_TEXT];
    char source[HC_DNAME_TEXT + 64];

    hc_dname_format(&lookup->name, name);
    say_source(lookup, source, sizeof(source));
    if (lookup->kind == HC_LOOKUP_NO_NAME) {
        hc_judge_note(judge, HC_P_DNS_NO_SUCH_NAME, HC_JUDGE_BLOCK,
                      "%.255s does not exist: %.200s says NXDOMAIN", name, source);
        suggest_address(judge, name);
        return;
    }
    hc_dname_format(&lookup->view->end, target);
    hc_judge_note(judge, HC_P_DNS_CNAME_DANGLING, HC_JUDGE_BLOCK,
                  "%.200s is an alias (CNAME) that ends at %.200s, which does not exist", name,
                  target);
    hc_judge_hint(judge, "change the CNAME record of %.200s, or add: %.200s 300 IN A (an address)",
                  name, target);
}

void hc_judge_failure(struct hc_name_judge *judge, const struct hc_lookup *lookup, bool alone)
{
    char name[HC_DNAME_TEXT];
    char type[16];

    hc_dname_format(&lookup->name, name);
    hc_dns_type_format((unsigned)lookup->type, type);
    if (lookup->kind == HC_LOOKUP_DNSSEC_BROKEN) {
        hc_judge_broken(judge, lookup, HC_JUDGE_FAIL);
    } else if (lookup->kind == HC_LOOKUP_CONTRADICTED) {
        hc_judge_note(judge, HC_P_DNS_FAILED, HC_JUDGE_UNKNOWN,
                      "the name servers of its zone do not agree whether %.200s exists", name);
        hc_judge_hint(judge, "give all name servers of the zone the same content; compare the "
                             "serial of its SOA record on each");
    } else if (lookup->kind == HC_LOOKUP_FAILED) {
        struct hc_error err;

        hc_kept_error_get(&lookup->error, &err);
        hc_judge_note(judge, HC_P_DNS_FAILED, alone ? HC_JUDGE_UNKNOWN : HC_JUDGE_NOTHING, "%.400s",
                      err.detail);
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

bool hc_judge_is_own(const struct hc_name_judge *judge, const struct hc_address *address)
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

char *hc_judge_address(const struct hc_name_judge *judge, const struct hc_address *address,
                       char dst[HC_JUDGE_ADDRESS])
{
    const struct hc_range *range = hc_ranges_find(judge->ranges, address);
    char text[HC_ADDRESS_TEXT];

    hc_address_format(address, text);
    (void)snprintf(dst, HC_JUDGE_ADDRESS, "%s%s%s%s", text, range != NULL ? " (" : "",
                   range != NULL ? hc_range_name(judge->ranges, range) : "",
                   range != NULL ? ")" : "");
    return dst;
}

void hc_judge_answers_add(struct hc_judge_answers *answers, const struct hc_address *address,
                          const char *what)
{
    if (answers->count < HC_JUDGE_ANSWERS) {
        answers->addresses[answers->count] = *address;
        (void)snprintf(answers->what[answers->count++], HC_JUDGE_ANSWER_TEXT, "%s", what);
    }
}

char *hc_judge_answers_format(const struct hc_judge_answers *answers, char dst[HC_FOREIGN_MAX])
{
    bool told[HC_JUDGE_ANSWERS] = {false};
    size_t used = 0;

    dst[0] = '\0';
    for (size_t i = 0; i < answers->count; i++) {
        const char *before = used > 0 ? "; " : "";

        for (size_t k = i; k < answers->count && !told[i]; k++) {
            char address[HC_ADDRESS_TEXT];

            if (k != i && strcmp(answers->what[k], answers->what[i]) != 0) {
                continue;
            }
            told[k] = k != i;
            (void)snprintf(dst + used, HC_FOREIGN_MAX - used, "%s%s", before,
                           hc_address_format(&answers->addresses[k], address));
            used = strlen(dst);
            before = ", ";
        }
        if (!told[i]) {
            (void)snprintf(dst + used, HC_FOREIGN_MAX - used, ": %s", answers->what[i]);
            used = strlen(dst);
        }
    }
    return dst;
}

/* What the addresses of one name add up to. */
struct tally {
    size_t all;
    size_t reserved;
    size_t foreign;
    const struct hc_range *cdn;
    char cdn_text[HC_DNS_RECORD_TEXT];
    char reserved_text[HC_DNS_RECORD_TEXT];
    const char *reserved_what;
    char foreign_text[HC_ADDRESS_TEXT];
};

static void count_address(const struct hc_name_judge *judge, const struct hc_address *address,
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
    if (hc_ranges_find(judge->ranges, address) != NULL) {
        if (tally->cdn == NULL) {
            tally->cdn = hc_ranges_find(judge->ranges, address);
            hc_copy(tally->cdn_text, sizeof(tally->cdn_text), shown);
        }
        return; /* which says more than that it is not this machine's */
    }
    if (!hc_judge_is_own(judge, address) && tally->foreign++ == 0) {
        hc_address_format(address, tally->foreign_text);
    }
}

static void count_records(const struct hc_name_judge *judge, const struct hc_lookup *lookup,
                          struct tally *tally)
{
    const struct hc_dns_record *record = NULL;
    size_t at = 0;

    while ((record = hc_lookup_record(lookup, &at)) != NULL) {
        struct hc_address address;
        char text[HC_DNS_RECORD_TEXT];

        if (record_address(record, &address)) {
            count_address(judge, &address, hc_dns_record_format(record, text), tally);
        }
    }
}

static void judge_tally(struct hc_name_judge *judge, const struct tally *tally)
{
    if (tally->reserved > 0) {
        bool all = tally->reserved == tally->all;

        hc_judge_note(judge, HC_P_DNS_RESERVED_ADDRESS, all ? HC_JUDGE_FAIL : HC_JUDGE_NOTHING,
                      "%s: this address is %s; no public CA connects to it%s", tally->reserved_text,
                      tally->reserved_what, all ? "" : "; CAs connect to the other addresses");
    }
    if (tally->cdn != NULL) {
        char range[HC_RANGE_TEXT];

        hc_judge_note(judge, HC_P_DNS_CDN, judge->cdn_fails ? HC_JUDGE_FAIL : HC_JUDGE_NOTHING,
                      "%s: this address is in the range %s of %s", tally->cdn_text,
                      hc_range_format(tally->cdn, range), hc_range_name(judge->ranges, tally->cdn));
    }
    if (tally->foreign > 0 && judge->own != NULL) {
        hc_judge_note(judge, HC_P_DNS_NOT_HERE, HC_JUDGE_NOTHING,
                      "it leads to %s%s, which is not an address of this machine",
                      tally->foreign_text, tally->foreign > 1 ? " and others" : "");
    }
}

void hc_judge_addresses(struct hc_name_judge *judge, const struct hc_lookup *a,
                        const struct hc_lookup *aaaa)
{
    struct tally tally = {0};
    char name[HC_DNAME_TEXT];

    hc_judge_records(judge, a);
    if (aaaa->kind == HC_LOOKUP_RECORDS) {
        hc_judge_records(judge, aaaa);
    }
    show_source(judge, a);
    if (a->kind == HC_LOOKUP_NO_NAME || a->kind == HC_LOOKUP_DANGLING) {
        judge_absent(judge, a);
        return;
    }
    count_records(judge, a, &tally);
    count_records(judge, aaaa, &tally);
    hc_judge_failure(judge, a, tally.all == 0);
    /* a server without recursion that has an A record of the name may well know all of it */
    if (tally.all == 0 || !aaaa->lame) {
        hc_judge_failure(judge, aaaa, tally.all == 0);
    }
    if (tally.all == 0 && judge->out->verdict == HC_PREFLIGHT_READY) {
        hc_dname_format(&a->name, name);
        hc_judge_note(judge, HC_P_DNS_NO_ADDRESS, HC_JUDGE_FAIL,
                      "%.255s has neither an A nor an AAAA record", name);
        suggest_address(judge, name);
    }
    judge_tally(judge, &tally);
}

void hc_judge_ip(struct hc_name_judge *judge)
{
    struct tally tally = {0};
    struct hc_address address;

    if (hc_address_parse(judge->host, &address) == 0) {
        count_address(judge, &address, judge->host, &tally);
        judge_tally(judge, &tally);
    }
}
