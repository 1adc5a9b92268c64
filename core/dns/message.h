/*
 * DNS messages (RFC 1035 section 4, EDNS RFC 6891): building a query, reading a reply. Reading is
 * ldns's work; what it gives is copied into bounded values of our own. Everything that a server
 * sends is hostile. Any thread.
 */
#ifndef HC_DNS_MESSAGE_H
#define HC_DNS_MESSAGE_H

#include "base/buf.h"
#include "base/compiler.h"
#include "base/error.h"
#include "dns/dname.h"

#define HC_DNS_QUERY_MAX 300             /* octets of a query of ours */
#define HC_DNS_UDP_SIZE  1232            /* what we offer by EDNS: no fragments on any path */
#define HC_DNS_REPLY_MAX ((size_t)65535) /* octets of a reply: all that TCP can carry */
#define HC_DNS_OWNERS    32              /* names in one reply that have records which are kept */
#define HC_DNS_CHAIN     10              /* CNAMEs in a row that are followed */

/* The types that are asked for (numbers of the protocol). */
enum hc_dns_type {
    HC_DNS_A = 1,
    HC_DNS_NS = 2,
    HC_DNS_CNAME = 5,
    HC_DNS_SOA = 6,
    HC_DNS_TXT = 16,
    HC_DNS_AAAA = 28,
    HC_DNS_DNAME = 39,
    HC_DNS_DS = 43,
    HC_DNS_RRSIG = 46,
    HC_DNS_NSEC = 47,
    HC_DNS_DNSKEY = 48,
    HC_DNS_NSEC3 = 50,
    HC_DNS_CAA = 257,
};

/* "A", "CAA" ..; "TYPE99" for others; never NULL. Returns dst. */
char *hc_dns_type_format(unsigned type, char dst[16]);

/* Response codes of the protocol. */
enum {
    HC_DNS_NOERROR = 0,
    HC_DNS_FORMERR = 1,
    HC_DNS_SERVFAIL = 2,
    HC_DNS_NXDOMAIN = 3,
    HC_DNS_NOTIMP = 4,
    HC_DNS_REFUSED = 5,
    HC_DNS_NOTAUTH = 9, /* of updates, RFC 2136 section 2.2 */
    HC_DNS_NOTZONE = 10,
};

/* "NXDOMAIN" ..; "RCODE99" for others. Returns dst. */
char *hc_dns_rcode_format(unsigned rcode, char dst[16]);

struct hc_dns_question {
    struct hc_dname name;
    enum hc_dns_type type;
    bool recurse;           /* RD: for a resolver; without it for a zone's own server */
    bool checking_disabled; /* CD, RFC 4035 section 3.2.2 */
    bool dnssec_ok;         /* DO, RFC 4035 section 3.2.1: signatures and proofs are wanted */
};

/* Writes a query with this id, with EDNS unless plain. *len octets are used. */
int hc_dns_query_write(const struct hc_dns_question *question, uint16_t id, bool plain,
                       uint8_t dst[HC_DNS_QUERY_MAX], size_t *len,
                       struct hc_error *err) HC_MUST_USE;

struct hc_dns_record {
    const struct hc_dname *owner; /* one of the reply's owners */
    unsigned type;
    uint32_t ttl;
    uint16_t len;        /* of data */
    const uint8_t *data; /* RDATA; names in it are uncompressed */
};

/*
 * Zeroed memory is an empty reply. Records: first the answers, then the authority section; of both
 * every record of the type that was asked for, CNAME, NS and SOA, where signatures were asked for
 * RRSIG, NSEC, NSEC3 and DNAME as well, and no others. A reply is read as a whole or not at all:
 * nothing may be decided by a part of a set.
 */
struct hc_dns_reply {
    unsigned rcode;
    bool authoritative;
    bool recursive; /* RA: the server looks names up for whoever asks */
    bool truncated;
    bool authentic; /* AD: the server has validated it */
    bool dnssec_ok; /* DO: the server knows of DNSSEC (RFC 3225 section 3) */
    struct hc_dns_record *records;
    size_t answers;
    size_t authorities;
    struct hc_dname *owners; /* what the records' owner points into */
    size_t owner_count;
    uint8_t *pool; /* what the records' data points into */
};

enum hc_dns_read {
    HC_DNS_READ_REPLY,     /* *out is it */
    HC_DNS_READ_NOT_OURS,  /* not a reply to this question with this id: to be dropped */
    HC_DNS_READ_MALFORMED, /* says that it is, but cannot be read; err says why */
    HC_DNS_READ_FAILED,    /* out of memory; err */
};

/* Reads what a server sent. out is disposed by the caller if HC_DNS_READ_REPLY. */
enum hc_dns_read hc_dns_reply_read(const uint8_t *data, size_t len,
                                   const struct hc_dns_question *question, uint16_t id,
                                   struct hc_dns_reply *out, struct hc_error *err) HC_MUST_USE;

void hc_dns_reply_dispose(struct hc_dns_reply *reply);

/* A copy that its holder disposes. */
int hc_dns_reply_copy(const struct hc_dns_reply *from, struct hc_dns_reply *to,
                      struct hc_error *err) HC_MUST_USE;

/*
 * Follows CNAMEs through the answers, from name: *end is where they lead (name itself without
 * any), *links how many there were. -1 with HC_P_DNS_FAILED for a loop or a chain that is too long.
 */
int hc_dns_reply_follow(const struct hc_dns_reply *reply, const struct hc_dname *name,
                        struct hc_dname *end, unsigned *links, struct hc_error *err) HC_MUST_USE;

/*
 * True for NOERROR or NXDOMAIN of a server that cannot know: a zone's own server that is not
 * authoritative, or a resolver that refers us to others or does not look names up (RFC 2308 section
 * 2.2 tells a referral from NODATA). That there are no records in it means nothing.
 */
bool hc_dns_reply_is_lame(const struct hc_dns_reply *reply, const struct hc_dns_question *question);

/* True for a reply that says nothing about the name: any other code, or a lame one. */
bool hc_dns_reply_is_refusal(const struct hc_dns_reply *reply,
                             const struct hc_dns_question *question);

/* The next answer of this owner and type at or behind index *at, which moves behind it; or NULL. */
const struct hc_dns_record *hc_dns_reply_next(const struct hc_dns_reply *reply,
                                              const struct hc_dname *owner, enum hc_dns_type type,
                                              size_t *at);

/* The name in a CNAME or NS record. -1 if it is none. */
int hc_dns_record_target(const struct hc_dns_record *record, struct hc_dname *out) HC_MUST_USE;

/* The strings of a TXT record, one behind the other (RFC 8555 section 8.4), are exactly this text.
 */
bool hc_dns_txt_is(const struct hc_dns_record *record, const char *text);

/* True if an answer of this owner is a TXT record with this text. */
bool hc_dns_reply_has_txt(const struct hc_dns_reply *reply, const struct hc_dname *owner,
                          const char *text);

/* The SOA of the authority section or of the answers whose owner is name or stands above it. */
const struct hc_dns_record *hc_dns_reply_soa(const struct hc_dns_reply *reply,
                                             const struct hc_dname *name);

/* Records longer than this are cut with ".." in presentation form. */
#define HC_DNS_RECORD_TEXT 400
/* "www.example.net. 300 IN A 192.0.2.7": as a zone file has it, escaped, cut. Returns dst. */
char *hc_dns_record_format(const struct hc_dns_record *record, char dst[HC_DNS_RECORD_TEXT]);

#endif
