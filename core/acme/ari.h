/*
 * Renewal information, RFC 9773: when the CA wants a certificate renewed. Pure functions of texts;
 * who asks, and how often, is the caller's to say.
 */
#ifndef HC_ACME_ARI_H
#define HC_ACME_ARI_H

#include <openssl/x509.h>

#include "base/buf.h"
#include "base/error.h"

#define HC_ARI_BODY_MAX   ((size_t)16 << 10)
#define HC_ARI_PAUSE_S    21600 /* between two questions, where the CA names no time */
#define HC_ARI_PAUSE_MOST 86400

/* Zeroed memory is none. */
struct hc_ari_window {
    int64_t start, end; /* UTC; start < end */
    char *explanation;  /* explanationURL, printable ASCII, or NULL; owned */
};

/*
 * The certificate's identifier (section 4.1): base64url of its authority key identifier, a dot,
 * base64url of its serial number as it is encoded. False if it has no such key identifier.
 */
bool hc_ari_id(const X509 *leaf, struct hc_buf *out);

/* Where to ask: the directory's renewalInfo, a slash, the identifier. */
int hc_ari_url(const char *renewal_info, const char *id, struct hc_buf *out,
               struct hc_error *err) HC_MUST_USE;

/* Reads an answer (section 4.2). HC_P_CA_REPLY; *out is then empty. */
int hc_ari_parse(struct hc_bytes body, struct hc_ari_window *out, struct hc_error *err) HC_MUST_USE;
void hc_ari_window_dispose(struct hc_ari_window *window);

/*
 * The instant of the window at which this certificate is renewed. Drawn by a digest of identifier
 * and window: spread evenly over certificates, and the same in every agent and after every restart.
 */
int64_t hc_ari_instant(int64_t start, int64_t end, const char *id);

/* Seconds until the next question: the CA's wish (-1: none) within a minute and a day. */
int64_t hc_ari_pause(int64_t retry_after);

#endif
