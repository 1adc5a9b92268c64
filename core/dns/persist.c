/* Records of dns-persist-01; see persist.h. */
#include "dns/persist.h"

#include <stdio.h>
#include <string.h>

#include "base/time.h"
#include "dns/issue_value.h"

#define TTL          300
#define STRING_MAX   255 /* octets of one string in a TXT record */
#define UNTIL_DIGITS 18

int hc_persist_name(const char *host, struct hc_dname *out, struct hc_error *err)
{
    char text[HC_DNAME_TEXT];

    (void)snprintf(text, sizeof(text), HC_PERSIST_LABEL ".%.255s", host);
    return hc_dname_from_host(text, out, err);
}

/* ---- making ---- */

static int append(struct hc_buf *out, const char *tag, const char *value, struct hc_error *err)
{
    return hc_buf_printf(out, err, "; %s=%s", tag, value);
}

int hc_persist_format(const struct hc_persist_record *record, struct hc_buf *out,
                      struct hc_error *err)
{
    for (const char *p = record->account_uri; *p != '\0'; p++) {
        if (*p <= 0x20 || *p >= 0x7f || *p == ';') {
            return hc_error_set(err, HC_P_BAD_VALUE, "accounturi",
                                "\"%s\" has a character that a record cannot hold",
                                record->account_uri);
        }
    }
    if (hc_buf_puts(out, record->issuer, err) != 0 ||
        append(out, "accounturi", record->account_uri, err) != 0 ||
        (record->wildcard && append(out, "policy", "wildcard", err) != 0)) {
        return -1;
    }
    return record->until == 0
               ? 0
               : hc_buf_printf(out, err, "; persistUntil=%lld", (long long)record->until);
}

static int append_string(struct hc_buf *out, const char *text, size_t len, struct hc_error *err)
{
    int rc = hc_buf_puts(out, " \"", err);

    for (size_t i = 0; i < len && rc == 0; i++) {
        rc = text[i] == '"' || text[i] == '\\' ? hc_buf_puts(out, "\\", err) : 0;
        if (rc == 0) {
            rc = hc_buf_append(out, text + i, 1, err);
        }
    }
    return rc == 0 ? hc_buf_puts(out, "\"", err) : -1;
}

int hc_persist_line(const char *host, const struct hc_persist_record *record, struct hc_buf *out,
                    struct hc_error *err)
{
    struct hc_buf text = HC_BUF_INIT(HC_PERSIST_TEXT_MAX);
    int rc = hc_persist_format(record, &text, err);

    if (rc == 0) {
        rc = hc_buf_printf(out, err, HC_PERSIST_LABEL ".%s. %d IN TXT", host, TTL);
    }
    for (size_t at = 0; at < text.len && rc == 0; at += STRING_MAX) {
        size_t len = text.len - at < STRING_MAX ? text.len - at : STRING_MAX;

        rc = append_string(out, hc_buf_text(&text) + at, len, err);
    }
    hc_buf_dispose(&text);
    return rc;
}

/* ---- judging ---- */

enum hc_problem hc_persist_problem(enum hc_persist_reason reason)
{
    static const enum hc_problem problems[] = {
        [HC_PERSIST_MISSING] = HC_P_PERSIST_MISSING,
        [HC_PERSIST_MALFORMED] = HC_P_PERSIST_MALFORMED,
        [HC_PERSIST_ACCOUNT] = HC_P_PERSIST_ACCOUNT,
        [HC_PERSIST_EXPIRED] = HC_P_PERSIST_EXPIRED,
        [HC_PERSIST_WILDCARD] = HC_P_PERSIST_WILDCARD,
        [HC_PERSIST_RIGHT] = HC_P_NONE,
    };

    return problems[reason];
}

struct parameters {
    struct hc_slice account;
    bool has_account;
    bool wildcard;
    int64_t until;
    bool has_until;
};

/* Seconds since 1970, in digits. */
static bool take_until(struct hc_slice value, int64_t *until)
{
    if (value.len == 0 || value.len > UNTIL_DIGITS) {
        return false;
    }
    *until = 0;
    for (size_t i = 0; i < value.len; i++) {
        if (value.at[i] < '0' || value.at[i] > '9') {
            return false;
        }
        *until = *until * 10 + (value.at[i] - '0');
    }
    return true;
}

/* Tags that are not known mean nothing, now or twice; those that are stand there once. */
static bool note_parameter(void *arg, struct hc_slice tag, struct hc_slice value, bool twice)
{
    struct parameters *p = arg;

    if (hc_slice_is_tag(tag, "accounturi")) {
        p->account = value;
        p->has_account = true;
        return !twice && value.len > 0;
    }
    if (hc_slice_is_tag(tag, "policy")) {
        p->wildcard = hc_slice_is_tag(value, "wildcard");
        return !twice;
    }
    if (hc_slice_is_tag(tag, "persistUntil")) {
        p->has_until = true;
        return !twice && take_until(value, &p->until);
    }
    return true;
}

static bool is_ours(struct hc_slice domain, const struct hc_list *issuers)
{
    for (size_t i = 0; i < issuers->count; i++) {
        if (hc_slice_is_tag(domain, issuers->items[i])) {
            return true;
        }
    }
    return issuers->count == 0;
}

static enum hc_persist_reason judge_parameters(const struct parameters *p,
                                               const struct hc_persist_asker *who)
{
    if (who->account_uri != NULL && !hc_slice_is(p->account, who->account_uri)) {
        return HC_PERSIST_ACCOUNT;
    }
    if (p->has_until && who->now >= p->until) {
        return HC_PERSIST_EXPIRED;
    }
    return who->wildcard && !p->wildcard ? HC_PERSIST_WILDCARD : HC_PERSIST_RIGHT;
}

/* than: 0 for one that never ends. */
static bool lasts_longer(const struct parameters *p, int64_t than)
{
    return than != 0 && (!p->has_until || p->until > than);
}

void hc_persist_judge(struct hc_persist_verdict *verdict, struct hc_bytes text,
                      const struct hc_persist_asker *who)
{
    struct hc_slice in = {(const char *)text.data, text.len};
    struct hc_slice domain = {in.at, 0};
    struct parameters p = {0};
    enum hc_persist_reason reason = HC_PERSIST_MALFORMED;
    bool read = hc_issue_value_read(in, &domain, note_parameter, &p) && p.has_account;
    size_t len = 0;

    if (!is_ours(domain, who->issuers)) {
        return;
    }
    if (read) {
        reason = judge_parameters(&p, who);
    }
    if (reason < verdict->reason ||
        (reason == verdict->reason && !lasts_longer(&p, verdict->until))) {
        return;
    }
    verdict->reason = reason;
    verdict->until = p.has_until ? p.until : 0;
    len = p.account.len < sizeof(verdict->account) ? p.account.len : sizeof(verdict->account) - 1;
    memcpy(verdict->account, p.account.len > 0 ? p.account.at : "", len);
    verdict->account[len] = '\0';
}

/* The strings of a TXT record, one behind the other. */
static int join(const struct hc_dns_record *record, struct hc_buf *out, struct hc_error *err)
{
    size_t at = 0;

    while (at < record->len) {
        size_t len = record->data[at++];

        if (len > (size_t)record->len - at) {
            break;
        }
        if (hc_buf_append(out, record->data + at, len, err) != 0) {
            return -1;
        }
        at += len;
    }
    return 0;
}

int hc_persist_judge_reply(struct hc_persist_verdict *verdict, const struct hc_dns_reply *reply,
                           const struct hc_dname *owner, const struct hc_persist_asker *who,
                           struct hc_error *err)
{
    struct hc_buf text = HC_BUF_INIT(HC_DNS_REPLY_MAX);
    const struct hc_dns_record *record = NULL;
    size_t at = 0;
    int rc = 0;

    while (rc == 0 && (record = hc_dns_reply_next(reply, owner, HC_DNS_TXT, &at)) != NULL) {
        hc_buf_reset(&text);
        rc = join(record, &text, err);
        if (rc == 0) {
            hc_persist_judge(verdict, hc_bytes_of(&text), who);
        }
    }
    hc_buf_dispose(&text);
    return rc;
}
