/* The record of dns-persist-01 that stands in the DNS: is it right? See judge.h. */
#include "base/time.h"
#include "preflight/judge.h"

#define SOON_S ((int64_t)30 * 24 * 3600)

/* The record to add, as far as it is known. */
static void suggest(struct hc_name_judge *judge, const struct hc_persist_asker *who)
{
    struct hc_persist_record record = {.account_uri = who->account_uri, .wildcard = who->wildcard};
    struct hc_buf line = HC_BUF_INIT(HC_PERSIST_TEXT_MAX);

    if (who->account_uri == NULL || who->issuers->count == 0) {
        hc_judge_hint(judge,
                      "once there is an account at the CA, add the record that `hotcert "
                      "persist %s` prints",
                      judge->out->name);
        return;
    }
    record.issuer = who->issuers->items[0];
    if (hc_persist_line(judge->host, &record, &line, judge->err) == 0) {
        hc_judge_hint(judge, "add: %.1500s", hc_buf_text(&line));
    }
    hc_buf_dispose(&line);
}

static void tell(struct hc_name_judge *judge, const struct hc_persist_verdict *verdict,
                 const char *owner, enum hc_judge_effect effect)
{
    enum hc_problem problem = hc_persist_problem(verdict->reason);
    char end[HC_TIME_TEXT];

    switch (verdict->reason) {
    case HC_PERSIST_MISSING:
        hc_judge_note(judge, problem, effect, "%s has no TXT record for this CA", owner);
        break;
    case HC_PERSIST_MALFORMED:
        hc_judge_note(judge, problem, effect, "the TXT record of %s does not follow the grammar",
                      owner);
        break;
    case HC_PERSIST_ACCOUNT:
        hc_judge_note(judge, problem, effect, "%s names the account %s", owner, verdict->account);
        break;
    case HC_PERSIST_EXPIRED:
        hc_judge_note(judge, problem, effect, "that of %s was valid until %s", owner,
                      hc_time_format(verdict->until, end));
        break;
    case HC_PERSIST_WILDCARD:
        hc_judge_note(judge, problem, effect, "that of %s lacks policy=wildcard", owner);
        break;
    case HC_PERSIST_RIGHT:
        break;
    }
}

static void judge_right(struct hc_name_judge *judge, const struct hc_persist_verdict *verdict,
                        const char *owner, const struct hc_persist_asker *who)
{
    char end[HC_TIME_TEXT];

    hc_judge_seen(judge, "%s: allows the account %s", owner, verdict->account);
    if (verdict->until != 0 && verdict->until - who->now < SOON_S) {
        hc_judge_note(judge, HC_P_PERSIST_ENDS, HC_JUDGE_NOTHING, "that of %s is valid until %s",
                      owner, hc_time_format(verdict->until, end));
    }
}

int hc_judge_persist_verdict(const struct hc_lookup *lookup, const struct hc_persist_asker *who,
                             struct hc_persist_verdict *verdict, struct hc_error *err)
{
    if (lookup->kind == HC_LOOKUP_FAILED || lookup->kind == HC_LOOKUP_CONTRADICTED ||
        lookup->kind == HC_LOOKUP_DNSSEC_BROKEN) {
        return 1;
    }
    return lookup->kind == HC_LOOKUP_RECORDS
               ? hc_persist_judge_reply(verdict, &lookup->view->reply, &lookup->view->end, who, err)
               : 0;
}

void hc_judge_persist(struct hc_name_judge *judge, const struct hc_lookup *lookup,
                      const struct hc_persist_asker *who, bool alone)
{
    enum hc_judge_effect failing = who->account_uri != NULL ? HC_JUDGE_BLOCK : HC_JUDGE_FAIL;
    struct hc_persist_verdict verdict = {0};
    char owner[HC_DNAME_TEXT];
    int rc = hc_judge_persist_verdict(lookup, who, &verdict, judge->err);

    if (rc > 0) {
        hc_judge_failure(judge, lookup, alone);
    }
    if (rc != 0) {
        return;
    }
    hc_dname_format(&lookup->name, owner);
    if (verdict.reason == HC_PERSIST_RIGHT) {
        judge_right(judge, &verdict, owner, who);
        return;
    }
    tell(judge, &verdict, owner, alone ? failing : HC_JUDGE_NOTHING);
    suggest(judge, who);
}
