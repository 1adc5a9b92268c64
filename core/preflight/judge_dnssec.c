/* What DNSSEC came to, RFC 4035; see judge.h. */
#include "preflight/judge.h"

void hc_judge_broken(struct hc_name_judge *judge, const struct hc_lookup *lookup,
                     enum hc_judge_effect effect)
{
    char name[HC_DNAME_TEXT];
    char type[16];
    struct hc_error why;

    if (lookup->verification.begun && lookup->verification.state == HC_DNSSEC_BOGUS) {
        hc_error_init(&why);
        hc_kept_error_get(&lookup->verification.why, &why);
        hc_judge_note(judge, HC_P_DNS_DNSSEC_BROKEN, effect, "%.700s", why.detail);
        if (why.hint[0] != '\0') {
            hc_judge_hint(judge, "%s", why.hint);
        }
        return;
    }
    hc_judge_note(judge, HC_P_DNS_DNSSEC_BROKEN, effect,
                  "%s answers SERVFAIL for %s of %.200s, and answers it with checking disabled",
                  lookup->view->from, hc_dns_type_format((unsigned)lookup->type, type),
                  hc_dname_format(&lookup->name, name));
}

/* The lookup that says worst, or least. */
static const struct hc_lookup *worst(const struct hc_lookup *const *lookups, size_t count)
{
    const struct hc_lookup *out = NULL;

    for (size_t i = 0; i < count; i++) {
        if (lookups[i] != NULL && lookups[i]->complete &&
            (out == NULL || lookups[i]->dnssec > out->dnssec)) {
            out = lookups[i];
        }
    }
    return out;
}

void hc_judge_dnssec(struct hc_name_judge *judge, const struct hc_lookup *const *lookups,
                     size_t count)
{
    const struct hc_lookup *lookup = worst(lookups, count);
    struct hc_error why;

    if (lookup == NULL) {
        return;
    }
    judge->out->dnssec = lookup->dnssec;
    switch (lookup->dnssec) {
    case HC_DNSSEC_SECURE:
        if (lookup->verification.begun) {
            hc_judge_seen(judge, "DNSSEC: the answers are signed, and valid");
        } else {
            hc_judge_seen(judge, "DNSSEC: the answers are valid, according to the resolver %s",
                          lookup->cached.from);
        }
        return;
    case HC_DNSSEC_INSECURE:
        hc_judge_seen(judge, "DNSSEC: the zone is not signed");
        return;
    case HC_DNSSEC_UNCHECKED:
        break;
    case HC_DNSSEC_BOGUS: /* a finding says it */
    case HC_DNSSEC_PENDING:
        return;
    }
    if (lookup->verification.begun && hc_kept_error_is_set(&lookup->verification.why)) {
        hc_error_init(&why);
        hc_kept_error_get(&lookup->verification.why, &why);
        hc_judge_seen(judge, "DNSSEC: not checked: %.700s", why.detail);
    }
}
