/*
 * TSIG, RFC 8945: messages signed with a key that both ends know. HMAC with SHA-256, SHA-384 or
 * SHA-512. Pure functions; any thread. What a server sends is hostile.
 */
#ifndef HC_DNS_TSIG_H
#define HC_DNS_TSIG_H

#include "base/buf.h"
#include "dns/dname.h"

#define HC_TSIG_SECRET_MAX 128
#define HC_TSIG_MAC_MAX    64
#define HC_TSIG_FUDGE_S    300

struct hc_tsig_key {
    struct hc_dname name;
    unsigned bits; /* 256, 384, 512 */
    size_t len;
    unsigned char secret[HC_TSIG_SECRET_MAX]; /* the caller wipes it */
};

/* What a reply is checked against. */
struct hc_tsig_mac {
    size_t len;
    unsigned char bytes[HC_TSIG_MAC_MAX];
};

/*
 * Reads a key as `tsig-keygen` prints it and named.conf has it: key "name" { algorithm hmac-sha256;
 * secret "base64"; }; The first key counts. HC_P_BAD_VALUE, without a word of the secret.
 */
int hc_tsig_key_parse(struct hc_bytes text, const char *path, struct hc_tsig_key *out,
                      struct hc_error *err) HC_MUST_USE;

/* Appends the signature to a whole message. now: UTC seconds. */
int hc_tsig_sign(struct hc_buf *message, const struct hc_tsig_key *key, int64_t now,
                 struct hc_tsig_mac *mac, struct hc_error *err) HC_MUST_USE;

/*
 * Checks a reply to the message with this MAC: signed by the key, of this time, no error of TSIG's.
 * HC_P_DNS_WRITE says what is wrong, in the server's word where it has one (BADKEY, BADSIG,
 * BADTIME).
 */
int hc_tsig_verify(struct hc_bytes reply, const struct hc_tsig_key *key, int64_t now,
                   const struct hc_tsig_mac *mac, struct hc_error *err) HC_MUST_USE;

#endif
