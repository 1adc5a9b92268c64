/*
 * The ways in which TXT records are written: a row for each `type` of a block hotcert_dns. Beside
 * core/solve, which has the code for each, this is the one place that knows them by their words.
 */
#ifndef HC_CONF_WRITER_H
#define HC_CONF_WRITER_H

#include "conf/conf.h"

struct hc_writer_kind {
    const char *word;
    const char *needs; /* options that must be set, by nginx's names, between blanks */
    const char *takes; /* options that may be set besides; those that all types take are not here */
    bool own;          /* values stand at hotcert's own DNS server */
};

/* What `type` takes, for the reference. */
#define HC_WRITERS "command | rfc2136 | responder | route53 | mydns | acme-dns | httpreq"

/* The row of a word, or NULL. */
const struct hc_writer_kind *hc_writer_kind_find(const char *word);

/* True if hotcert's own DNS server is to answer for the names of this identity. */
bool hc_identity_answers_dns(const struct hc_conf *conf, const struct hc_identity *identity);

/* The block of this name, or NULL. */
const struct hc_dns_block *hc_conf_dns(const struct hc_conf *conf, const char *name);

/* A block has the options of its type, and no others. HC_P_CONFLICT. */
int hc_dns_block_check(const struct hc_conf *conf, const struct hc_dns_block *block,
                       struct hc_error *err) HC_MUST_USE;

/*
 * The files that the block's options name for the keeper to read: appended to files. They are those
 * of rows with .kept, of `env NAME file:PATH`, and those that AWS's variables name.
 */
int hc_dns_block_files(const struct hc_dns_block *block, struct hc_list *files,
                       struct hc_error *err) HC_MUST_USE;

/* True if it asks AWS, and so needs what the environment has for that. */
bool hc_dns_block_uses_aws(const struct hc_dns_block *block);

/* What a value of `env` begins with that names a file. */
#define HC_ENV_FILE "file:"

#endif
