/* Replies of a signed zone, written and signed by the tests: ldns makes keys and signatures. */
#ifndef HC_T_SIGNED_REPLY_H
#define HC_T_SIGNED_REPLY_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dns/rr.h"

#define PEN_NOW   1800000000
#define PEN_FROM  (PEN_NOW - 3600)
#define PEN_UNTIL (PEN_NOW + 86400)

/* Who signs: a zone with one key. */
struct pen {
    ldns_key_list *keys;
    ldns_rr *dnskey; /* its public half */
};

static inline void bail(const char *what)
{
    printf("Bail out! %s\n", what);
    exit(1);
}

static inline struct pen pen_make(const char *zone)
{
    struct pen pen = {ldns_key_list_new(), NULL};
    ldns_key *key = ldns_key_new_frm_algorithm(LDNS_SIGN_ECDSAP256SHA256, 256);

    if (key == NULL || pen.keys == NULL) {
        bail("no key can be made");
    }
    ldns_key_set_pubkey_owner(key, ldns_dname_new_frm_str(zone));
    ldns_key_set_flags(key, LDNS_KEY_ZONE_KEY | LDNS_KEY_SEP_KEY);
    ldns_key_set_inception(key, PEN_FROM);
    ldns_key_set_expiration(key, PEN_UNTIL);
    pen.dnskey = ldns_key2rr(key);
    ldns_key_set_keytag(key, ldns_calc_keytag(pen.dnskey));
    ldns_key_list_push_key(pen.keys, key);
    return pen;
}

static inline void pen_times(struct pen *pen, uint32_t from, uint32_t until)
{
    ldns_key_set_inception(ldns_key_list_key(pen->keys, 0), from);
    ldns_key_set_expiration(ldns_key_list_key(pen->keys, 0), until);
}

static inline void pen_free(struct pen *pen)
{
    ldns_key_list_free(pen->keys);
    ldns_rr_free(pen->dnskey);
}

/* The same for a zone that has another one, with a key of another tag. */
static inline struct pen pen_unlike(const char *zone, const struct pen *than)
{
    for (;;) {
        struct pen pen = pen_make(zone);

        if (ldns_calc_keytag(pen.dnskey) != ldns_calc_keytag(than->dnskey)) {
            return pen;
        }
        pen_free(&pen);
    }
}

/* A reply under construction. */
struct draft {
    ldns_rr_list *records;
    size_t answers; /* if split: the others are in the authority section */
    bool split;
};

static inline void draft_begin(struct draft *draft)
{
    draft->records = ldns_rr_list_new();
    draft->answers = 0;
    draft->split = false;
}

/* What comes from now on is in the authority section. */
static inline void draft_authority(struct draft *draft)
{
    draft->answers = ldns_rr_list_rr_count(draft->records);
    draft->split = true;
}

static inline void draft_put(struct draft *draft, ldns_rr *rr)
{
    if (rr == NULL || !ldns_rr_list_push_rr(draft->records, rr)) {
        bail("a record could not be made");
    }
}

/* One set, in lines as a zone file has them, signed by this pen unless it is NULL. */
static inline void draft_set(struct draft *draft, const struct pen *pen, const char *text)
{
    ldns_rr_list *set = ldns_rr_list_new();
    char line[2048];

    while (*text != '\0') {
        size_t len = strcspn(text, "\n");
        ldns_rr *rr = NULL;

        snprintf(line, sizeof(line), "%.*s", (int)len, text);
        if (ldns_rr_new_frm_str(&rr, line, 300, NULL, NULL) != LDNS_STATUS_OK) {
            bail(line);
        }
        ldns_rr_list_push_rr(set, rr);
        text += len + (text[len] == '\n');
    }
    for (size_t i = 0; i < ldns_rr_list_rr_count(set); i++) {
        draft_put(draft, ldns_rr_clone(ldns_rr_list_rr(set, i)));
    }
    if (pen != NULL) {
        ldns_rr_list *signatures = ldns_sign_public(set, pen->keys);

        for (size_t i = 0; i < ldns_rr_list_rr_count(signatures); i++) {
            draft_put(draft, ldns_rr_clone(ldns_rr_list_rr(signatures, i)));
        }
        ldns_rr_list_deep_free(signatures);
    }
    ldns_rr_list_deep_free(set);
}

/* The same of a record that is there already: DNSKEY, DS. */
static inline void draft_record(struct draft *draft, const struct pen *pen, const ldns_rr *rr)
{
    char *text = ldns_rr2str(rr);

    text[strcspn(text, "\n;")] = '\0';
    draft_set(draft, pen, text);
    free(text);
}

/* The DS record of this zone. */
static inline void draft_ds(struct draft *draft, const struct pen *pen, const struct pen *child,
                            ldns_hash digest)
{
    ldns_rr *ds = ldns_key_rr2ds(child->dnskey, digest);

    draft_record(draft, pen, ds);
    ldns_rr_free(ds);
}

/* The hash of a name as text, moved by so much: -1 and 1 are the hashes around it. */
static inline char *nsec3_text(const char *name, unsigned iterations, int by, char dst[64])
{
    static const char digits[] = "0123456789abcdefghijklmnopqrstuv";
    ldns_rdf *plain = ldns_dname_new_frm_str(name);
    uint8_t salt[] = {0xab};
    ldns_rdf *hash = ldns_nsec3_hash_name(plain, 1, (uint16_t)iterations, 1, salt);
    char *text = ldns_rdf2str(hash);
    char *last = text + 31;
    long at = strchr(digits, *last) - digits + by;

    /* at the ends of the alphabet the octet before it would have to change as well */
    for (; at < 0 || at > 31; at = strchr(digits, *last) - digits + by) {
        *last-- = at < 0 ? 'v' : '0';
    }
    *last = digits[at];
    snprintf(dst, 64, "%.32s", text);
    free(text);
    ldns_rdf_deep_free(hash);
    ldns_rdf_deep_free(plain);
    return dst;
}

/* A signed NSEC3 record of a zone: at this name with these types, or (types NULL) around it. */
static inline void draft_nsec3(struct draft *draft, const struct pen *pen, const char *zone,
                               const char *name, const char *types, unsigned flags)
{
    char owner[64];
    char next[64];
    char line[512];

    snprintf(line, sizeof(line), "%s.%s 300 IN NSEC3 1 %u 5 ab %s %s",
             nsec3_text(name, 5, types != NULL ? 0 : -1, owner), zone, flags,
             nsec3_text(name, 5, 1, next), types != NULL ? types : "A RRSIG");
    draft_set(draft, pen, line);
}

/* Gives the records from the i-th on another owner: an answer made from a wildcard. */
static inline void draft_rename(struct draft *draft, size_t from, const char *owner)
{
    for (size_t i = from; i < ldns_rr_list_rr_count(draft->records); i++) {
        ldns_rr *rr = ldns_rr_list_rr(draft->records, i);

        ldns_rdf_deep_free(ldns_rr_owner(rr));
        ldns_rr_set_owner(rr, ldns_dname_new_frm_str(owner));
    }
}

/* The reply; the draft is gone. */
static inline struct hc_dns_reply draft_end(struct draft *draft, unsigned rcode)
{
    struct hc_dns_reply reply;
    size_t count = ldns_rr_list_rr_count(draft->records);

    if (hc_rr_records(draft->records, &reply, NULL) != 0) {
        bail("a reply could not be made");
    }
    if (draft->split) {
        reply.answers = draft->answers;
        reply.authorities = count - draft->answers;
    }
    reply.rcode = rcode;
    reply.recursive = reply.dnssec_ok = true;
    ldns_rr_list_deep_free(draft->records);
    draft->records = NULL;
    return reply;
}

static inline struct hc_dname dname(const char *text)
{
    struct hc_dname name = {1, {0}};

    if (strcmp(text, ".") != 0 && hc_dname_from_host(text, &name, NULL) != 0) {
        bail(text);
    }
    return name;
}

#endif
