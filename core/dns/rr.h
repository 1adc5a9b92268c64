/* Records as ldns has them: for its cryptography. Only for files of dns/. */
#ifndef HC_DNS_RR_H
#define HC_DNS_RR_H

#include <ldns/ldns.h>

#include "dns/message.h"

/* One record; NULL if it is malformed or there is no memory. For ldns_rr_free(). */
ldns_rr *hc_rr_of(const struct hc_dns_record *record);

/* Records as the answers of a reply that was never sent; at most HC_DNS_OWNERS of them. */
int hc_rr_records(const ldns_rr_list *list, struct hc_dns_reply *out,
                  struct hc_error *err) HC_MUST_USE;

#endif
