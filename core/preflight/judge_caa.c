/* CAA: from the set that decides to findings; see judge.h. RFC 8659, RFC 8657. */
#include <stdlib.h>
#include <string.h>

#include "preflight/judge.h"

/* All records of the set that decides. */
struct caa_set {
    struct hc_caa_record *records;
    const struct hc_dns_record **source;
    size_t count;
};

static int take_set(const struct hc_lookup *lookup, struct caa_set *set, struct hc_error *err)
{
    const struct hc_dns_record *record = NULL;
    size_t count = 0;
    size_t at = 0;

    while (hc_lookup_record(lookup, &at) != NULL) {
        count++;
    }
    memset(set, 0, sizeof(*set));
    set->records = calloc(count + 1, sizeof(*set->records));
    set->source = calloc(count + 1, sizeof(void *));
    if (set->records == NULL || set->source == NULL) {
        return hc_error_nomem(err);
    }
    at = 0;
    while (set->count < count && (record = hc_lookup_record(lookup, &at)) != NULL) {
        set->source[set->count] = record;
        set->records[set->count++] = (struct hc_caa_record){record->data, record->len};
    }
    return 0;
}

static void set_dispose(struct caa_set *set)
{
    free(set->records);
    free(set->source);
    memset(set, 0, sizeof(*set));
}

struct caa_words {
    enum hc_problem problem;
    const char *why;  /* behind the record */
    const char *what; /* before the suggested record; NULL: none helps */
};

static const struct caa_words words[] = {
    [HC_CAA_ALLOWED] = {HC_P_NONE, "", NULL},
    [HC_CAA_OTHER_ISSUER] = {HC_P_CAA_OTHER_ISSUER, "only the CAs named there may issue",
                             "add to it"},
    [HC_CAA_EMPTY] = {HC_P_CAA_EMPTY, "it names no CA, so no CA may issue", "replace it with"},
    [HC_CAA_MALFORMED] = {HC_P_CAA_MALFORMED,
                          "its value is malformed and names no CA, so no CA may issue",
                          "replace it with"},
    [HC_CAA_ACCOUNT] =
        {HC_P_CAA_ACCOUNT,
         "this CA may issue only for the account named there, which is not this server's",
         "change it to"},
    [HC_CAA_METHOD] =
        {HC_P_CAA_METHOD,
         "this CA may validate only by the methods named there, and this host uses none of them",
         "change it to"},
    [HC_CAA_UNKNOWN_CRITICAL] =
        {HC_P_CAA_UNKNOWN_CRITICAL,
         "it is marked critical and CAs do not know its tag, so no CA issues", NULL},
};
_Static_assert(HC_COUNT(words) == HC_CAA_UNKNOWN_CRITICAL + 1, "every reason has words");

static void judge_refusal(struct hc_name_judge *judge, const struct hc_lookup *lookup,
                          const struct caa_set *set, const struct hc_caa_decision *decision,
                          const struct hc_caa_asker *who)
{
    const struct caa_words *w = &words[decision->reason];
    char record[HC_DNS_RECORD_TEXT];
    char owner[HC_DNAME_TEXT];
    char line[HC_FOREIGN_MAX];

    hc_dns_record_format(set->source[decision->record], record);
    hc_judge_note(judge, w->problem, HC_JUDGE_BLOCK, "%s%s: %s", record,
                  hc_dname_equal(&lookup->view->end, &lookup->name) ? "" : " (reached by CNAME)",
                  w->why);
    hc_dname_format(&lookup->view->end, owner);
    if (w->what == NULL) {
        hc_judge_hint(judge, "remove this record of %.255s, or set its flags to 0", owner);
    } else if (decision->reason == HC_CAA_ACCOUNT && who->account_uri == NULL) {
        hc_judge_hint(judge, "remove accounturi: %s",
                      hc_caa_suggest(set->records, decision, who, owner, line, sizeof(line)));
    } else {
        hc_judge_hint(judge, "%s: %s", w->what,
                      hc_caa_suggest(set->records, decision, who, owner, line, sizeof(line)));
    }
}

/* Nobody said who will order: the accounts at hand are tried. */
static void compare_accounts(struct hc_name_judge *judge, const struct hc_lookup *lookup,
                             const struct caa_set *set, const struct hc_caa_decision *decision,
                             const struct hc_caa_asker *who)
{
    const struct hc_list *accounts = judge->accounts;
    struct hc_caa_asker with = *who;
    struct hc_caa_decision refused = {0};
    char record[HC_DNS_RECORD_TEXT];
    size_t fitting = 0;

    with.account_uri = NULL;
    for (size_t i = 0; i + 1 < accounts->count; i += 2) {
        struct hc_caa_decision one;
        struct hc_caa_asker asker = *who;

        asker.account_uri = accounts->items[i];
        hc_caa_decide(set->records, set->count, &asker, &one);
        hc_judge_seen(judge, "%.300s, the account in %.200s, %s", asker.account_uri,
                      accounts->items[i + 1],
                      one.reason == HC_CAA_ALLOWED ? "may order" : "may not order");
        fitting += one.reason == HC_CAA_ALLOWED;
        if (one.reason != HC_CAA_ALLOWED) {
            refused = one;
            with = asker;
        }
    }
    if (fitting > 0 && fitting == accounts->count / 2) {
        return;
    }
    if (fitting == 0 && accounts->count > 0) {
        judge_refusal(judge, lookup, set, &refused, &with);
        return;
    }
    hc_dns_record_format(set->source[decision->account_record], record);
    hc_judge_note(judge, HC_P_CAA_ACCOUNT, HC_JUDGE_UNKNOWN,
                  "%s: this CA may issue for one account only; %s", record,
                  fitting > 0 ? "some stores of this machine have that account and some do not"
                              : "hotcert does not know whether that account will order");
    hc_judge_hint(judge, HC_JUDGE_NAME_ACCOUNT);
}

/* What is worth saying of a set that lets us in. */
static void judge_permission(struct hc_name_judge *judge, const struct hc_lookup *lookup,
                             const struct caa_set *set, const struct hc_caa_decision *decision,
                             const struct hc_caa_asker *who)
{
    char record[HC_DNS_RECORD_TEXT];

    if (decision->flag_one) {
        hc_judge_note(judge, HC_P_CAA_UNKNOWN_CRITICAL, HC_JUDGE_FAIL,
                      "%s: some CAs, Let's Encrypt among them, treat flag 1 as critical, and do "
                      "not know the tag",
                      hc_dns_record_format(set->source[decision->flag_record], record));
        hc_judge_hint(judge, "remove the record, or set its flags to 0");
    }
    if (decision->malformed) {
        hc_judge_note(judge, HC_P_CAA_MALFORMED, HC_JUDGE_NOTHING,
                      "%s: it is malformed and names no CA; another record permits this CA",
                      hc_dns_record_format(set->source[decision->malformed_record], record));
    }
    if (decision->account_unknown && judge->accounts != NULL) {
        compare_accounts(judge, lookup, set, decision, who);
    } else if (decision->account_unknown) {
        hc_judge_note(judge, HC_P_CAA_ACCOUNT, HC_JUDGE_NOTHING,
                      "%s: this CA may issue for one account only; hotcert does not know yet "
                      "whether that is its own",
                      hc_dns_record_format(set->source[decision->account_record], record));
    }
}

static void judge_caa_failure(struct hc_name_judge *judge, const struct hc_lookup *lookup)
{
    char name[HC_DNAME_TEXT];
    struct hc_error err;

    hc_dname_format(&lookup->name, name);
    if (lookup->kind == HC_LOOKUP_DNSSEC_BROKEN) {
        hc_judge_failure(judge, lookup, true);
        return;
    }
    /* one cause is told once: a name whose address could not be looked up has said so */
    if (hc_findings_find(&judge->out->findings, HC_P_DNS_FAILED, NULL) != NULL) {
        return;
    }
    hc_kept_error_get(&lookup->error, &err);
    hc_judge_note(judge, HC_P_CAA_FAILED, HC_JUDGE_UNKNOWN, "CAA of %.255s: %.200s", name,
                  lookup->kind == HC_LOOKUP_CONTRADICTED
                      ? "the name servers of its zone do not agree whether it exists"
                      : err.detail);
}

void hc_judge_caa(struct hc_name_judge *judge, const struct hc_lookup *last,
                  const struct hc_caa_asker *who)
{
    struct hc_caa_decision decision;
    struct caa_set set;
    char name[HC_DNAME_TEXT];

    if (last->kind == HC_LOOKUP_DNSSEC_BROKEN || last->kind == HC_LOOKUP_FAILED ||
        last->kind == HC_LOOKUP_CONTRADICTED) {
        judge_caa_failure(judge, last);
        return;
    }
    if (last->kind != HC_LOOKUP_RECORDS) {
        hc_judge_seen(judge, "no CAA up to %s: any CA may issue",
                      hc_dname_format(&last->name, name));
        return;
    }
    hc_judge_records(judge, last);
    if (take_set(last, &set, judge->err) == 0 && set.count > 0) {
        hc_caa_decide(set.records, set.count, who, &decision);
        if (decision.reason == HC_CAA_ALLOWED) {
            judge_permission(judge, last, &set, &decision, who);
        } else {
            judge_refusal(judge, last, &set, &decision, who);
        }
    }
    set_dispose(&set);
}
