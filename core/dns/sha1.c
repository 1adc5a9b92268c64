/* Whether SHA-1 is to be had; see sha1.h. */
#include "dns/sha1.h"

#include <ldns/ldns.h>
#include <stdatomic.h>

/* Made once, with a key that is gone. */
static const char record[] = ". 0 IN A 192.0.2.1";
static const char key[] =
    ". 0 IN DNSKEY 256 3 5 "
    "AwEAAeB+WLhvc7v80jVQu6Nv5xRf8gcaLDkyrkhZ6VvoHydpPjs95MVgCx+Pyljs3BznE2D4MXdRYGAYnpayBg+"
    "qruJ3WqhV2R9ay/+uyVwtJ+DQnuLWZKArwvetVzzaEL0A03CcrzkJlp3Rq1QJeqA0qf7nAqCcLSY8LrXkrh60WwtJ";
static const char signature[] =
    ". 0 IN RRSIG A 5 0 0 20290718054952 19780704212416 17815 . "
    "awJqirGFQNNi81TtO7e9R1mPlllHzCYo3G5+lRrcYrwsrsXPDC9L1wWApT2eoz04VUcCot3xXI77JCSG7RFZxaIeHrTM"
    "LjlwN5UEKpzZS2GOW0uJnlcUdd/qobQz9ZcxGl784Ylg9wG5nsIi0pApRxS3acBmcvyL7JuF57u1aD8=";
#define SIGNED_AT 1000000000 /* is between its times */

enum { UNKNOWN, WORKS, FAILS };

static ldns_rr *read_record(const char *text)
{
    ldns_rr *rr = NULL;

    return ldns_rr_new_frm_str(&rr, text, 0, NULL, NULL) == LDNS_STATUS_OK ? rr : NULL;
}

/* False: no memory, and rr is still the caller's. */
static bool push(ldns_rr_list *list, ldns_rr *rr)
{
    return list != NULL && rr != NULL && ldns_rr_list_push_rr(list, rr);
}

static bool try_it(void)
{
    ldns_rr_list *records = ldns_rr_list_new();
    ldns_rr_list *keys = ldns_rr_list_new();
    ldns_rr *rr = read_record(record);
    ldns_rr *dnskey = read_record(key);
    ldns_rr *rrsig = read_record(signature);
    bool good =
        rrsig != NULL && push(records, rr) && push(keys, dnskey) &&
        ldns_verify_rrsig_keylist_time(records, rrsig, keys, SIGNED_AT, NULL) == LDNS_STATUS_OK;

    ldns_rr_list_free(records);
    ldns_rr_list_free(keys);
    ldns_rr_free(rr);
    ldns_rr_free(dnskey);
    ldns_rr_free(rrsig);
    return good;
}

bool hc_sha1_works(void)
{
    static atomic_int known = UNKNOWN;
    int state = atomic_load(&known);

    if (state == UNKNOWN) {
        state = try_it() ? WORKS : FAILS;
        atomic_store(&known, state);
    }
    return state == WORKS;
}
