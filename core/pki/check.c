/* The checks put together; see check.h. */
#include "pki/check.h"

#include <openssl/err.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/time.h"
#include "pki/check_run.h"

char *hc_check_place(const struct hc_check_run *run, X509 *cert, char dst[HC_CHECK_PLACE])
{
    char label[HC_CERT_LABEL];
    int count = run->chain != NULL ? sk_X509_num(run->chain) : 0;
    int at = X509_cmp(cert, run->leaf) == 0 ? 0 : -1;

    for (int i = 0; at < 0 && i < count; i++) {
        if (X509_cmp(cert, sk_X509_value(run->chain, i)) == 0) {
            at = i + 1;
        }
    }
    hc_cert_label(cert, label);
    if (at >= 0) {
        snprintf(dst, HC_CHECK_PLACE, "certificate %d (%s)", at + 1, label);
    } else {
        snprintf(dst, HC_CHECK_PLACE, "root (%s)", label);
    }
    return dst;
}

/*
 * Dates of everything that is served, on the path or not: where an expired and a fresh issuer of
 * one name are both served, OpenSSL takes the fresh one and other clients the first.
 */
static int check_dates(struct hc_check_run *run, X509 *cert)
{
    char place[HC_CHECK_PLACE];
    char text[HC_TIME_TEXT];
    int64_t from = 0;
    int64_t until = 0;
    bool leaf = cert == run->leaf;

    if (hc_cert_dates(cert, &from, &until, NULL) != 0) {
        return hc_findings_add(run->findings, HC_P_CHAIN_INVALID, hc_check_place(run, cert, place),
                               run->err, "its dates cannot be read");
    }
    if (run->how->now > until) {
        return hc_findings_add(run->findings, leaf ? HC_P_EXPIRED : HC_P_CHAIN_EXPIRED,
                               hc_check_place(run, cert, place), run->err, "it expired on %s",
                               hc_time_format(until, text));
    }
    if (run->how->now < from) {
        return hc_findings_add(run->findings, leaf ? HC_P_NOT_YET_VALID : HC_P_CHAIN_EXPIRED,
                               hc_check_place(run, cert, place), run->err, "it is valid from %s on",
                               hc_time_format(from, text));
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
                               "it belongs to user id %u, who can read and exchange it", file->uid);
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
