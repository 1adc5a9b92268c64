/*
 * What a version of a line says of itself. A *line* is what is renewed together with itself: one
 * source, one set of names, one key type. Needs no store: whoever moves versions elsewhere tells
 * them apart by it.
 */
#ifndef HC_STORE_INFO_H
#define HC_STORE_INFO_H

#include "base/error.h"
#include "base/str.h"
#include "conf/conf.h"

/* What a version says of itself, readable without the secret. */
struct hc_line_info {
    unsigned char line[HC_ID_SIZE];
    uint64_t version;      /* 1 .. */
    enum hc_mode mode : 8; /* on: obtained; watch: copied from files */
    enum hc_key_type key_type : 8;
    bool passed;  /* read: a newer one is there that could not be used for now */
    bool hidden;  /* read: a newer one is there that is somebody else's; it may be good */
    bool packed;  /* names and serial are in one block: hc_line_info_pack() */
    char *issuer; /* directory URL; "" under watch */
    char *issuer_name;
    char *profile;        /* that the host asked for: hc_issuer_profile_text(); NULL: none */
    struct hc_list names; /* that were asked for */
    int64_t not_before, not_after, committed;
    char *serial;
};
void hc_line_info_dispose(struct hc_line_info *info);

/*
 * Takes less memory from here on, for one that is kept and whose names do not change any more.
 * Without memory for that it stays as it is.
 */
void hc_line_info_pack(struct hc_line_info *info);

/* A deep copy, not packed; *dst must be zeroed or disposed. */
int hc_line_info_copy(struct hc_line_info *dst, const struct hc_line_info *src,
                      struct hc_error *err) HC_MUST_USE;

/* What an order for these names at the issuer, by a host of these settings, makes of it. Zeroed
 * memory before; line and key type are the caller's. */
int hc_line_info_ordered(const struct hc_issuer *issuer, const struct hc_scope *set,
                         const struct hc_list *names, struct hc_line_info *info,
                         struct hc_error *err) HC_MUST_USE;

/* The line of an identity and a key type: SHA-256 over both. */
void hc_line_of(const unsigned char id[HC_ID_SIZE], enum hc_key_type type,
                unsigned char line[HC_ID_SIZE]);

#endif
