/*
 * hc_anchors: the keys that trust begins with, from a file: those of the root, or of an inner root
 * or zone. Records of a zone file (DS, DNSKEY), or BIND's trust-anchors. The file is followed: keys
 * of the root change, and packages bring the new ones. One thread.
 */
#ifndef HC_DNS_ANCHORS_H
#define HC_DNS_ANCHORS_H

#include "base/log.h"
#include "base/time.h"
#include "dns/message.h"
#include "dns/server.h"

#define HC_ANCHORS_FILE_MAX ((size_t)64 * 1024)

struct hc_anchors {
    char *path; /* NULL: validation is off, or there is no file */
    bool off;   /* the operator said so */
    bool named; /* .. or named the file: it holds for CAs inside the network as well */
    struct hc_dns_reply records; /* DS and DNSKEY records, as answers */
    struct hc_dns_file_stamp stamp;
    int64_t look_ms;
    struct hc_error why;        /* why there are none, if path is NULL or cannot be read */
    char said[HC_ERROR_DETAIL]; /* what hc_anchors_tell() told last */
};

/* Reads such a text; path: for messages. HC_P_BAD_VALUE says what is wrong with it. */
int hc_anchors_parse(const char *text, size_t len, const char *path, struct hc_dns_reply *out,
                     struct hc_error *err) HC_MUST_USE;

/*
 * setting: of hotcert_dnssec_anchor: a file, "off", or NULL: the first of the usual files that
 * there is. Without any, or where it cannot be read, there are no anchors, and why says so.
 */
int hc_anchors_new(const char *setting, struct hc_anchors **out, struct hc_error *err) HC_MUST_USE;
void hc_anchors_free(struct hc_anchors *anchors); /* NULL is fine */

/* Reads the file again if it has changed; looks at most every five seconds. */
void hc_anchors_follow(struct hc_anchors *anchors, int64_t now_ms);

/* Tells the log that DNSSEC is not checked, and why: each reason once in a row. */
void hc_anchors_tell(struct hc_anchors *anchors, const struct hc_log *log, const char *why);

/* That a file which the operator named can be read and has anchors; err is about it. */
int hc_anchors_check(const char *setting, struct hc_error *err) HC_MUST_USE;

/* The files that are tried where none is named; NULL ends them. */
extern const char *const hc_anchors_usual[];

#endif
