/* The checks put together; see check.h. */
#include "pki/check.h"

#include <openssl/err.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/time.h"
#include "pki/check_run.h"

#define NUMBER_UNSERVED ((uint64_t)1 << 32) /* above it: by name */

void hc_check_subject(X509 *cert, int position, struct hc_subject *out)
{
    char label[HC_CERT_LABEL];

    memset(out, 0, sizeof(*out));
    out->kind = HC_SUBJECT_CERTIFICATE;
    hc_cert_label(cert, label);
    if (position > 0) {
        out->number = (uint64_t)position;
        snprintf(out->text, sizeof(out->text), "certificate %d (%s)", position, label);
    } else {
        out->number = NUMBER_UNSERVED + X509_subject_name_hash(cert);
        snprintf(out->text, sizeof(out->text), "root (%s)", label);
    }
}

const struct hc_subject *hc_check_place(const struct hc_check_run *run, X509 *cert,
                                        struct hc_subject *dst)
{
    int count = run->chain != NULL ? sk_X509_num(run->chain) : 0;
    int position = X509_cmp(cert, run->leaf) == 0 ? 1 : 0;

    for (int i = 0; position == 0 && i < count; i++) {
        if (X509_cmp(cert, sk_X509_value(run->chain, i)) == 0) {
            position = i + 2;
        }
    }
    hc_check_subject(cert, position, dst);
    return dst;
}

/*
 * Dates of everything that is served, on the path or not: where an expired and a fresh issuer of
 * one name are both served, OpenSSL takes the fresh one and other clients the first.
 */
static int check_dates(struct hc_check_run *run, X509 *cert)
{
    struct hc_subject place;
    char text[HC_TIME_TEXT];
    int64_t from = 0;
    int64_t until = 0;
    bool leaf = cert == run->leaf;

    if (hc_cert_dates(cert, &from, &until, NULL) != 0) {
        return hc_findings_add_of(run->findings, HC_P_CHAIN_INVALID,
                                  hc_check_place(run, cert, &place), run->err,
                                  "its dates cannot be read");
    }
    if (run->how->now > until) {
        return hc_findings_add_of(run->findings, leaf ? HC_P_EXPIRED : HC_P_CHAIN_EXPIRED,
                                  hc_check_place(run, cert, &place), run->err, "it expired on %s",
                                  hc_time_format(until, text));
    }
    if (run->how->now < from) {
        return hc_findings_add_of(run->findings, leaf ? HC_P_NOT_YET_VALID : HC_P_CHAIN_EXPIRED,
                                  hc_check_place(run, cert, &place), run->err,
                                  "it is valid from %s on", hc_time_format(from, text));
    }
    return 0;
}

static int check_all_dates(struct hc_check_run *run)
{
    int count = run->chain != NULL ? sk_X509_num(run->chain) : 0;

    if (check_dates(run, run->leaf) != 0) {
        return -1;
    }
    for (int i = 0; i < count; i++) {
        if (check_dates(run, sk_X509_value(run->chain, i)) != 0) {
            return -1;
        }
    }
    return 0;
}

int hc_check_chain(X509 *leaf, STACK_OF(X509) * chain, const struct hc_check *how,
                   struct hc_findings *findings, struct hc_error *err)
{
    struct hc_check_run run = {
        .leaf = leaf, .chain = chain, .how = how, .findings = findings, .err = err};
    int rc = check_all_dates(&run) == 0 && hc_check_paths(&run) == 0 && hc_check_leaf(&run) == 0
                 ? 0
                 : -1;

    X509_free(run.root);
    ERR_clear_error();
    return rc;
}

/* Group members may read by intent (Debian's ssl-cert); others may not, and nobody may write. */
static int check_key_file(const struct hc_check_file *file, struct hc_findings *findings,
                          struct hc_error *err)
{
    if ((file->mode & (S_IRWXO | S_IWGRP)) != 0) {
        return hc_findings_add(findings, HC_P_KEY_PERMISSIONS, file->path, err,
                               "its mode is %04o: %s", file->mode & 07777,
                               (file->mode & S_IROTH) != 0
                                   ? "every user of this machine can read it"
                                   : "others can change it");
    }
    if (file->uid != 0 && file->uid != file->owner) {
        return hc_findings_add(findings, HC_P_KEY_PERMISSIONS, file->path, err,
                               "it belongs to user id %u, who can read and replace it", file->uid);
    }
    return 0;
}

int hc_check_pair(const struct hc_pair *pair, const struct hc_check *how,
                  struct hc_findings *findings, struct hc_error *err)
{
    struct hc_check with_file = *how;

    with_file.file_goes_on = hc_pair_file_goes_on(pair);
    if (how->key_file != NULL && check_key_file(how->key_file, findings, err) != 0) {
        return -1;
    }
    if (hc_check_chain(hc_pair_leaf(pair), hc_pair_chain(pair), &with_file, findings, err) != 0) {
        return -1;
    }
    return hc_check_wire(NULL, how->security_level, pair, findings, err);
}
