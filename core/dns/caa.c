/* CAA, RFC 8659 and RFC 8657; see caa.h. */
#include "dns/caa.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#define FLAG_CRITICAL 128u
#define FLAG_ONE      1u   /* what RFC 6844's drawing let some take for the critical bit */
#define PARAMETERS    1024 /* of one record: more is no list that anybody wrote */

struct slice {
    const char *at;
    size_t len;
};

/* An issue or issuewild value, RFC 8659 section 4.2. */
struct issue_value {
    bool malformed;
    struct slice domain;
    struct slice account;
    struct slice methods;
    bool has_account;
    bool has_methods;
    bool account_twice;
    bool methods_twice;
};

static bool slice_is(struct slice s, const char *text)
{
    return s.len == strlen(text) && memcmp(s.at, text, s.len) == 0;
}

/* Tags are ASCII, compared without case (RFC 8659 section 4.1). */
static bool tag_is(struct slice s, const char *text)
{
    return s.len == strlen(text) && strncasecmp(s.at, text, s.len) == 0;
}

static bool is_alnum(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

static void skip_space(struct slice *in)
{
    while (in->len > 0 && (in->at[0] == ' ' || in->at[0] == '\t')) {
        in->at++;
        in->len--;
    }
}

static bool take_char(struct slice *in, char c)
{
    if (in->len == 0 || in->at[0] != c) {
        return false;
    }
    in->at++;
    in->len--;
    return true;
}

/* label = (ALPHA / DIGIT) *( *("-") (ALPHA / DIGIT)); empty if there is none. */
static struct slice take_label(struct slice *in)
{
    struct slice label = {in->at, 0};
    size_t n = 0;

    while (n < in->len && (is_alnum(in->at[n]) || (n > 0 && in->at[n] == '-'))) {
        n++;
    }
    while (n > 0 && in->at[n - 1] == '-') {
        n--;
    }
    label.len = n;
    in->at += n;
    in->len -= n;
    return label;
}

/* issuer-domain-name = label *("." label); false if it is begun and not ended well. */
static bool take_domain(struct slice *in, struct slice *domain)
{
    const char *start = in->at;

    domain->at = start;
    domain->len = 0;
    if (take_label(in).len == 0) {
        return true;
    }
    while (take_char(in, '.')) {
        if (take_label(in).len == 0) {
            return false;
        }
    }
    domain->len = (size_t)(in->at - start);
    return true;
}

/* value = *(%x21-3A / %x3C-7E) */
static struct slice take_value(struct slice *in)
{
    struct slice value = {in->at, 0};

    while (in->len > 0 && in->at[0] > 0x20 && in->at[0] < 0x7f && in->at[0] != ';') {
        in->at++;
        in->len--;
        value.len++;
    }
    return value;
}

static bool seen(const struct slice *tags, size_t count, struct slice tag)
{
    for (size_t i = 0; i < count; i++) {
        if (tags[i].len == tag.len && strncasecmp(tags[i].at, tag.at, tag.len) == 0) {
            return true;
        }
    }
    return false;
}

/* What a parameter says; false if it is given a second time and is none that we know. */
static bool note_parameter(struct issue_value *v, struct slice tag, struct slice value, bool twice)
{
    if (tag_is(tag, "accounturi")) {
        v->account_twice |= twice;
        v->has_account = true;
        v->account = value;
        return true;
    }
    if (tag_is(tag, "validationmethods")) {
        v->methods_twice |= twice;
        v->has_methods = true;
        v->methods = value;
        return true;
    }
    return !twice;
}

/* parameters = (parameter *WSP ";" *WSP parameters) / parameter */
static bool take_parameters(struct slice *in, struct issue_value *v)
{
    struct slice tags[PARAMETERS]; /* duplicates are looked for in it */

    for (size_t count = 0; count < PARAMETERS; count++) {
        struct slice tag = take_label(in);
        struct slice value;

        skip_space(in);
        if (tag.len == 0 || !take_char(in, '=')) {
            return false;
        }
        skip_space(in);
        value = take_value(in);
        if (!note_parameter(v, tag, value, seen(tags, count, tag))) {
            return false;
        }
        tags[count] = tag;
        skip_space(in);
        if (in->len == 0) {
            return true;
        }
        if (!take_char(in, ';')) {
            return false;
        }
        skip_space(in);
    }
    return false;
}

static void parse_value(struct slice in, struct issue_value *v)
{
    memset(v, 0, sizeof(*v));
    skip_space(&in);
    v->malformed = !take_domain(&in, &v->domain);
    skip_space(&in);
    if (in.len == 0 || v->malformed) {
        return;
    }
    if (!take_char(&in, ';')) {
        v->malformed = true;
        return;
    }
    skip_space(&in);
    v->malformed = in.len > 0 && !take_parameters(&in, v);
}

/* RFC 8657 section 4: a list of labels with commas between, one of which must be ours. */
static bool methods_hold(struct slice list, const struct hc_list *ours)
{
    bool hold = ours == NULL || ours->count == 0;

    if (list.len == 0) {
        return false;
    }
    for (;;) {
        struct slice label = take_label(&list);

        if (label.len == 0) {
            return false;
        }
        for (size_t i = 0; ours != NULL && i < ours->count; i++) {
            hold = hold || slice_is(label, ours->items[i]);
        }
        if (list.len == 0) {
            return hold;
        }
        if (!take_char(&list, ',')) {
            return false;
        }
    }
}

static enum hc_caa_reason judge_value(struct slice text, const struct hc_caa_asker *who,
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
        named = named || slice_is(v.domain, who->domains->items[i]);
    }
    if (!named) {
        return HC_CAA_OTHER_ISSUER;
    }
    if (v.account_twice ||
        (v.has_account && who->account_uri != NULL && !slice_is(v.account, who->account_uri))) {
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
    struct slice tag;
    struct slice value;
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
        r.tag = (struct slice){text + 2, tag};
        r.value = (struct slice){text + 2 + tag, in->len - 2 - tag};
    }
    return r;
}

static bool is_known_tag(struct slice tag)
{
    static const char *const known[] = {"issue", "issuewild", "iodef", "issuemail", "issuevmc"};

    for (size_t i = 0; i < HC_COUNT(known); i++) {
        if (tag_is(tag, known[i])) {
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
        if (tag_is(parse_record(&records[i]).tag, tag)) {
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

        if (!tag_is(r.tag, tag)) {
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
