/*
 * The record of dns-persist-01 (draft-ietf-acme-dns-persist-00 and -01): a TXT record that the
 * operator adds once and that stays, by which the zone allows one account of one CA.
 *
 *     _validation-persist.example.org. IN TXT "ca.example; accounturi=https://ca.example/acct/1"
 *
 * hotcert makes its text and judges records that stand there; it never writes one. Pure functions;
 * any thread.
 */
#ifndef HC_DNS_PERSIST_H
#define HC_DNS_PERSIST_H

#include "base/str.h"
#include "dns/message.h"

#define HC_PERSIST_LABEL    "_validation-persist"
#define HC_PERSIST_TEXT_MAX 4096 /* of a record's text that is made */
#define HC_PERSIST_SHOWN    256  /* of an account's URL that is shown, with its NUL */

/* Where the record of a host (without "*.") stands. HC_P_NAME_INVALID: that is too long. */
int hc_persist_name(const char *host, struct hc_dname *out, struct hc_error *err) HC_MUST_USE;

/* What a record is to say. Strings are borrowed. */
struct hc_persist_record {
    const char *issuer; /* the CA's name of itself */
    const char *account_uri;
    bool wildcard; /* it is for names below as well */
    int64_t until; /* UTC seconds: not valid from then on; 0: for ever */
};

/* Appends the record's text. HC_P_BAD_VALUE: the account's URL cannot stand in one. */
int hc_persist_format(const struct hc_persist_record *record, struct hc_buf *out,
                      struct hc_error *err) HC_MUST_USE;
/* Appends the record for a host (without "*.") as a line of a zone file, in strings of at most 255
 * octets. */
int hc_persist_line(const char *host, const struct hc_persist_record *record, struct hc_buf *out,
                    struct hc_error *err) HC_MUST_USE;

/* Who asks, and when. Borrowed. */
struct hc_persist_asker {
    const struct hc_list *issuers; /* any one will do; empty: not known, all do */
    const char *account_uri;       /* NULL: not known, any will do */
    bool wildcard;                 /* the name that is asked for begins with "*." */
    int64_t now;                   /* UTC seconds */
};

/* The further down, the nearer to what is wanted. */
enum hc_persist_reason {
    HC_PERSIST_MISSING, /* no record of this CA */
    HC_PERSIST_MALFORMED,
    HC_PERSIST_ACCOUNT, /* of another account */
    HC_PERSIST_EXPIRED,
    HC_PERSIST_WILDCARD, /* not for wildcards */
    HC_PERSIST_RIGHT,
};

/* HC_P_PERSIST_.. of a reason; HC_P_NONE for the right one. */
enum hc_problem hc_persist_problem(enum hc_persist_reason reason);

/* Zeroed memory: no record yet. */
struct hc_persist_verdict {
    enum hc_persist_reason reason;  /* of the record that comes nearest; one good one is enough */
    int64_t until;                  /* RIGHT, EXPIRED: when it ends; 0: never */
    char account[HC_PERSIST_SHOWN]; /* that it names, as it stands there */
};

/* Judges one record's text beside those before. */
void hc_persist_judge(struct hc_persist_verdict *verdict, struct hc_bytes text,
                      const struct hc_persist_asker *who);
/* The same of all TXT records of this owner. HC_P_NO_MEMORY. */
int hc_persist_judge_reply(struct hc_persist_verdict *verdict, const struct hc_dns_reply *reply,
                           const struct hc_dname *owner, const struct hc_persist_asker *who,
                           struct hc_error *err) HC_MUST_USE;

#endif
