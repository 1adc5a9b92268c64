/* CAA, RFC 8659 and RFC 8657; see caa.h. */
#include "dns/caa.h"

#include <stdio.h>
#include <string.h>

#include "dns/issue_value.h"

#define FLAG_CRITICAL 128u
#define FLAG_ONE      1u /* what RFC 6844's drawing let some take for the critical bit */

/* An issue or issuewild value, RFC 8659 section 4.2. */
struct issue_value {
    bool malformed;
    struct hc_slice domain;
    struct hc_slice account;
    struct hc_slice methods;
    bool has_account;
    bool has_methods;
    bool account_twice;
    bool methods_twice;
};

/* What a parameter says; false if it is given a second time and is none that we know. */
static bool note_parameter(void *arg, struct hc_slice tag, struct hc_slice value, bool twice)
{
    struct issue_value *v = arg;

    if (hc_slice_is_tag(tag, "accounturi")) {
        v->account_twice |= twice;
        v->has_account = true;
        v->account = value;
        return true;
    }
    if (hc_slice_is_tag(tag, "validationmethods")) {
        v->methods_twice |= twice;
        v->has_methods = true;
        v->methods = value;
        return true;
    }
    return !twice;
}

static void parse_value(struct hc_slice in, struct issue_value *v)
{
    memset(v, 0, sizeof(*v));
    v->malformed = !hc_issue_value_read(in, &v->domain, note_parameter, v);
}

/* RFC 8657 section 4: a list of labels with commas between, one of which must be ours. */
static bool methods_hold(struct hc_slice list, const struct hc_list *ours)
{
    bool hold = ours == NULL || ours->count == 0;

    if (list.len == 0) {
        return false;
    }
    for (;;) {
        struct hc_slice label = hc_slice_take_label(&list);

        if (label.len == 0) {
            return false;
        }
        for (size_t i = 0; ours != NULL && i < ours->count; i++) {
            hold = hold || hc_slice_is(label, ours->items[i]);
        }
        if (list.len == 0) {
            return hold;
        }
        if (!hc_slice_take_char(&list, ',')) {
            return false;
        }
    }
}

static enum hc_caa_reason judge_value(struct hc_slice text, const struct hc_caa_asker *who,
                                      bool *account_unknown)
{
    struct issue_value v;
    bool named = false;

    parse_value(text, &v);
    if (v.malformed) {
        return HC_CAA_MALFORMED;
    }
    if (v.domain.len == 0) {
        return HC_CAA_EMPTY;
    }
    for (size_t i = 0; i < who->domains->count; i++) {
        named = named || hc_slice_is(v.domain, who->domains->items[i]);
    }
    if (!named) {
        return HC_CAA_OTHER_ISSUER;
    }
    if (v.account_twice ||
        (v.has_account && who->account_uri != NULL && !hc_slice_is(v.account, who->account_uri))) {
        return HC_CAA_ACCOUNT;
    }
    if (v.methods_twice || (v.has_methods && !methods_hold(v.methods, who->methods))) {
        return HC_CAA_METHOD;
    }
    *account_unknown = v.has_account && who->account_uri == NULL;
    return HC_CAA_ALLOWED;
}

struct record {
    bool malformed;
    unsigned flags;
    struct hc_slice tag;
    struct hc_slice value;
};

/* RFC 8659 section 4.1: flags, length of the tag, tag, value to the end. */
static struct record parse_record(const struct hc_caa_record *in)
{
    const char *text = (const char *)in->data;
    struct record r = {.malformed = true};
    size_t tag = in->len >= 2 ? in->data[1] : 0;

    if (tag > 0 && in->len >= 2 + tag) {
        r.malformed = false;
        r.flags = in->data[0];
        r.tag = (struct hc_slice){text + 2, tag};
        r.value = (struct hc_slice){text + 2 + tag, in->len - 2 - tag};
    }
    return r;
}

static bool is_known_tag(struct hc_slice tag)
{
    static const char *const known[] = {"issue", "issuewild", "iodef", "issuemail", "issuevmc"};

    for (size_t i = 0; i < HC_COUNT(known); i++) {
        if (hc_slice_is_tag(tag, known[i])) {
            return true;
        }
    }
    return false;
}

/* Which refusal is told when several records refuse, each for its own reason: the higher one. */
static int weight(enum hc_caa_reason reason)
{
    switch (reason) {
    case HC_CAA_ALLOWED:
        return 0;
    case HC_CAA_EMPTY:
        return 1;
    case HC_CAA_OTHER_ISSUER:
        return 2;
    case HC_CAA_MALFORMED:
        return 3;
    case HC_CAA_METHOD:
        return 4;
    case HC_CAA_ACCOUNT:
        return 5;
    case HC_CAA_UNKNOWN_CRITICAL:
        break;
    }
    return 6;
}

/* What forbids whatever else the set says; true if there is such a record. */
static bool find_obstacle(const struct hc_caa_record *records, size_t count,
                          struct hc_caa_decision *out)
{
    for (size_t i = 0; i < count; i++) {
        struct record r = parse_record(&records[i]);

        if (r.malformed || (!is_known_tag(r.tag) && (r.flags & FLAG_CRITICAL) != 0)) {
            out->reason = r.malformed ? HC_CAA_MALFORMED : HC_CAA_UNKNOWN_CRITICAL;
            out->record = i;
            return true;
        }
        if (!is_known_tag(r.tag) && (r.flags & FLAG_ONE) != 0) {
            out->flag_one = true;
            out->flag_record = i;
        }
    }
    return false;
}

static bool has_tag(const struct hc_caa_record *records, size_t count, const char *tag)
{
    for (size_t i = 0; i < count; i++) {
        if (hc_slice_is_tag(parse_record(&records[i]).tag, tag)) {
            return true;
        }
    }
    return false;
}

void hc_caa_decide(const struct hc_caa_record *records, size_t count,
                   const struct hc_caa_asker *who, struct hc_caa_decision *out)
{
    const char *tag = NULL;
    bool allowed = false;

    memset(out, 0, sizeof(*out));
    if (find_obstacle(records, count, out)) {
        return;
    }
    out->issuewild = who->wildcard && has_tag(records, count, "issuewild");
    tag = out->issuewild ? "issuewild" : "issue";
    for (size_t i = 0; i < count; i++) {
        struct record r = parse_record(&records[i]);
        enum hc_caa_reason reason = HC_CAA_ALLOWED;
        bool account_unknown = false;

        if (!hc_slice_is_tag(r.tag, tag)) {
            continue;
        }
        reason = judge_value(r.value, who, &account_unknown);
        if (reason == HC_CAA_MALFORMED && !out->malformed) {
            out->malformed = true;
            out->malformed_record = i;
        }
        if (reason == HC_CAA_ALLOWED) {
            /* a record without an account is the surer one */
            out->account_unknown = (!allowed || out->account_unknown) && account_unknown;
            out->account_record = i;
            allowed = true;
        } else if (weight(reason) > weight(out->reason)) {
            out->reason = reason;
            out->record = i;
        }
    }
    if (allowed) {
        out->reason = HC_CAA_ALLOWED;
    }
}

static void append_parameter(char *dst, size_t cap, const char *tag, const char *text, size_t len)
{
    size_t used = strlen(dst);

    snprintf(dst + used, cap - used, "; %s=%.*s", tag, len < 200 ? (int)len : 200, text);
}

/* The parameters that the refusing record had, with ours in place of what did not hold. */
static void suggest_parameters(const struct issue_value *v, const struct hc_caa_asker *who,
                               enum hc_caa_reason reason, char *dst, size_t cap)
{
    const char *method =
        who->methods != NULL && who->methods->count > 0 ? who->methods->items[0] : NULL;

    if (reason == HC_CAA_ACCOUNT && who->account_uri != NULL) {
        append_parameter(dst, cap, "accounturi", who->account_uri, strlen(who->account_uri));
    } else if (v->has_account && !v->account_twice) {
        append_parameter(dst, cap, "accounturi", v->account.at, v->account.len);
    }
    if (!v->has_methods || v->methods_twice || !methods_hold(v->methods, NULL)) {
        if (v->has_methods && method != NULL) {
            append_parameter(dst, cap, "validationmethods", method, strlen(method));
        }
        return;
    }
    append_parameter(dst, cap, "validationmethods", v->methods.at, v->methods.len);
    if (!methods_hold(v->methods, who->methods) && method != NULL) {
        size_t used = strlen(dst);

        snprintf(dst + used, cap - used, ",%s", method);
    }
}

char *hc_caa_suggest(const struct hc_caa_record *records, const struct hc_caa_decision *decision,
                     const struct hc_caa_asker *who, const char *owner, char *dst, size_t cap)
{
    char parameters[512] = "";
    const char *domain = who->domains->items[0];
    size_t domain_len = strlen(domain);
    struct issue_value v;

    if (decision->reason == HC_CAA_ACCOUNT || decision->reason == HC_CAA_METHOD) {
        parse_value(parse_record(&records[decision->record]).value, &v);
        domain = v.domain.at;
        domain_len = v.domain.len;
        suggest_parameters(&v, who, decision->reason, parameters, sizeof(parameters));
    }
    snprintf(dst, cap, "%s IN CAA 0 %s \"%.*s%s\"", owner,
             decision->issuewild ? "issuewild" : "issue",
             (int)(domain_len < 255 ? domain_len : 255), domain, parameters);
    return dst;
}
