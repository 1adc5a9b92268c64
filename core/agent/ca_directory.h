/*
 * What a CA's directory says besides what orders need, read once a day: what the CA calls itself in
 * CAA records (caaIdentities, RFC 8555 section 7.1.1), and where it tells when to renew (RFC 9773).
 * A directory that cannot be read is the order's to complain of.
 */
#ifndef HC_AGENT_CA_DIRECTORY_H
#define HC_AGENT_CA_DIRECTORY_H

#include "acme/directory.h"
#include "agent/env.h"

/* Its owner sets the first three, borrowed. */
struct hc_ca_directory {
    const struct hc_env *env;
    const struct hc_http_port *http;
    const struct hc_issuer *issuer;
    struct hc_list caa; /* as far as it was read */
    char *renewal_info; /* the same; NULL: none */
    int64_t read_at;    /* UTC; 0: never */
    struct hc_directory_fetch fetch;
};

/*
 * True if it is known what the CA calls itself, or cannot be known now; else this begins to read
 * its directory, and CA_CHANGED tells when that ended.
 */
bool hc_ca_directory_ensure(struct hc_ca_directory *directory);
/* The same of the whole directory, also where the configuration says what the CA calls itself. */
bool hc_ca_directory_ensure_read(struct hc_ca_directory *directory);
/* The names that count: what the directory says, else what the configuration does. */
const struct hc_list *hc_ca_directory_names(const struct hc_ca_directory *directory);
void hc_ca_directory_dispose(struct hc_ca_directory *directory);

#endif
