/*
 * The methods by which control of a name is proved, RFC 8555 section 8: a row each. Beside
 * core/solve, which has the code for each, this is the one place that knows them by their words;
 * everybody else asks here what a word means. `hotcert_challenge` takes the words of those that
 * this build solves, the preflight judges all of them.
 */
#ifndef HC_CONF_METHOD_H
#define HC_CONF_METHOD_H

#include "base/error.h"
#include "base/str.h"

/* What hotcert_challenge takes, and what it is where it is not said: for the reference. */
#define HC_METHODS_SOLVED   "http-01 tls-alpn-01 dns-01 dns-account-01 dns-persist-01"
#define HC_METHODS_STANDARD "http-01 tls-alpn-01"
/* What `hotcert diagnose` judges unless it is told: where hotcert does not run yet, no TLS listener
 * can be expected to answer a CA. */
#define HC_METHODS_FIRST "http-01"
/* What the preflight judges. */
#define HC_METHODS_JUDGED "http-01, tls-alpn-01, dns-01, dns-account-01, dns-persist-01"

/* Where a CA looks for the answer. */
enum hc_method_over { HC_OVER_HTTP, HC_OVER_TLS, HC_OVER_DNS };

struct hc_method {
    const char *word; /* as CAs, CAA records and directives write it */
    enum hc_method_over over;
    bool wildcards;  /* it proves "*.example.org" */
    bool addresses;  /* it proves an IP address */
    bool solved;     /* core/solve has a solver for it */
    bool standard;   /* used where hotcert_challenge says nothing */
    bool written;    /* its answers are written by a hotcert_dns, which the host must name .. */
    bool preferred;  /* .. and where it does, this comes ahead of the standard ones */
    bool of_account; /* the record has a label of the account's own */
    bool standing;   /* its answer is a record that the operator has added once for all */
};

extern const struct hc_method hc_methods[];
extern const size_t hc_method_count;

/* The row of a word, or NULL. */
const struct hc_method *hc_method_find(const char *word);
/* True if it can prove this name, which is normalised. */
bool hc_method_takes(const struct hc_method *method, const char *name);

/*
 * The labels in front of a name where a CA looks for the TXT record of a written method, with the
 * dot behind them: "_acme-challenge." -1: the account's URL is needed, and NULL.
 */
#define HC_METHOD_LABEL 40
int hc_method_label(const struct hc_method *method, const char *account_url,
                    char dst[HC_METHOD_LABEL]) HC_MUST_USE;

/* Of a list of words; an empty one stands for the standard ones. Words without a row mean nothing.
 */

/* True if one of them can prove this name. */
bool hc_methods_take(const struct hc_list *words, const char *name);
/* True if one of them is looked for there. */
bool hc_methods_go_over(const struct hc_list *words, enum hc_method_over over);
/* Appends the words: of the standard ones in order of preference, if the list is empty. */
int hc_methods_copy(struct hc_list *out, const struct hc_list *words,
                    struct hc_error *err) HC_MUST_USE;
/* The same of a host that names a hotcert_dns, and says no hotcert_challenge. */
int hc_methods_copy_written(struct hc_list *out, struct hc_error *err) HC_MUST_USE;
/* The first of the words whose answers a hotcert_dns writes, or NULL. */
const char *hc_methods_written(const struct hc_list *words);
/* True if one of them finds a record that the operator has added. */
bool hc_methods_stand(const struct hc_list *words);
/* "http-01 and dns-01": for messages. Returns dst. */
char *hc_methods_format(const struct hc_list *words, char *dst, size_t cap);

#endif
