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

static void judge_right(struct hc_name_judge *judge, const struct hc_persist_sight *sight,
                        const char *owner, const struct hc_persist_asker *who)
{
    const struct hc_persist_verdict *verdict = &sight->verdict;
    char end[HC_TIME_TEXT];

    if (sight->store != NULL) {
        hc_judge_seen(judge, "%s: allows the account %s, that in %.200s", owner, verdict->account,
                      sight->store);
    } else {
        hc_judge_seen(judge, "%s: allows the account %s", owner, verdict->account);
    }
    if (verdict->until != 0 && verdict->until - who->now < SOON_S) {
        hc_judge_note(judge, HC_P_PERSIST_ENDS, HC_JUDGE_NOTHING, "that of %s is valid until %s",
                      owner, hc_time_format(verdict->until, end));
    }
}

/* It is right for some account, and who will order is not known. */
static void judge_unsure(struct hc_name_judge *judge, const struct hc_persist_sight *sight,
                         const char *owner, bool alone)
{
    hc_judge_note(judge, HC_P_PERSIST_ACCOUNT, alone ? HC_JUDGE_UNKNOWN : HC_JUDGE_NOTHING,
                  "%s names the account %s; %s", owner, sight->verdict.account,
                  sight->account != NULL
                      ? "some stores of this machine have that account and some do not"
                      : "hotcert does not know whether that account will order");
    hc_judge_hint(judge, HC_JUDGE_NAME_ACCOUNT);
}

static int judge_reply(const struct hc_lookup *lookup, const struct hc_persist_asker *who,
                       struct hc_persist_verdict *verdict, struct hc_error *err)
{
    return lookup->kind == HC_LOOKUP_RECORDS
               ? hc_persist_judge_reply(verdict, &lookup->view->reply, &lookup->view->end, who, err)
               : 0;
}

/* Nobody said who will order: the accounts at hand are tried. */
static int try_accounts(const struct hc_lookup *lookup, const struct hc_persist_asker *who,
                        const struct hc_list *accounts, struct hc_persist_sight *out,
                        struct hc_error *err)
{
    size_t fitting = 0;

    for (size_t i = 0; i + 1 < accounts->count; i += 2) {
        struct hc_persist_asker asker = *who;
        struct hc_persist_verdict one = {0};

        asker.account_uri = accounts->items[i];
        if (judge_reply(lookup, &asker, &one, err) != 0) {
            return -1;
        }
        fitting += one.reason == HC_PERSIST_RIGHT;
        if (out->account == NULL || one.reason > out->verdict.reason) {
            out->verdict = one;
            out->account = accounts->items[i];
            out->store = accounts->items[i + 1];
        }
    }
    out->unsure = fitting > 0 && fitting < accounts->count / 2;
    return 0;
}

int hc_judge_persist_see(const struct hc_lookup *lookup, const struct hc_persist_asker *who,
                         const struct hc_list *accounts, struct hc_persist_sight *out,
                         struct hc_error *err)
{
    *out = (struct hc_persist_sight){.account = who->account_uri};
    if (lookup->kind == HC_LOOKUP_FAILED || lookup->kind == HC_LOOKUP_CONTRADICTED ||
        lookup->kind == HC_LOOKUP_DNSSEC_BROKEN) {
        return 1;
    }
    if (who->account_uri == NULL && accounts != NULL && accounts->count > 0) {
        out->account = NULL;
        return try_accounts(lookup, who, accounts, out, err);
    }
    if (judge_reply(lookup, who, &out->verdict, err) != 0) {
        return -1;
    }
    out->unsure =
        who->account_uri == NULL && accounts != NULL && out->verdict.reason == HC_PERSIST_RIGHT;
    return 0;
}

void hc_judge_persist(struct hc_name_judge *judge, const struct hc_lookup *lookup,
                      const struct hc_persist_asker *who, bool alone)
{
    struct hc_persist_asker asker = *who;
    struct hc_persist_sight sight;
    char owner[HC_DNAME_TEXT];
    int rc = hc_judge_persist_see(lookup, who, judge->accounts, &sight, judge->err);

    if (rc > 0) {
        hc_judge_failure(judge, lookup, alone);
    }
    if (rc != 0) {
        return;
    }
    hc_dname_format(&lookup->name, owner);
    asker.account_uri = sight.account;
    if (sight.unsure) {
        judge_unsure(judge, &sight, owner, alone);
    } else if (sight.verdict.reason == HC_PERSIST_RIGHT) {
        judge_right(judge, &sight, owner, who);
    } else {
        tell(judge, &sight.verdict, owner,
             !alone                  ? HC_JUDGE_NOTHING
             : sight.account != NULL ? HC_JUDGE_BLOCK
                                     : HC_JUDGE_FAIL);
        suggest(judge, &asker);
    }
}
