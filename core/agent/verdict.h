/*
 * Verdicts that outlive a process: that the pair in these files can be served was found once, so
 * the next start takes the sealed copy from the store instead of parsing, matching and proving it
 * again. A record of the kind "verdict", named by the line, sealed under the secret.
 *
 * It is bound to the content of all files, to the very pair that was judged (key and certificates),
 * to what the judgement was made by (names, roots, security level, this version of hotcert and the
 * TLS library), and holds for HC_VERDICT_S. It says only that nothing makes the pair unusable,
 * which is no matter of dates; what is said of dates is judged anew each time.
 */
#ifndef HC_AGENT_VERDICT_H
#define HC_AGENT_VERDICT_H

#include "agent/files.h"
#include "conf/digest.h"
#include "pki/roots.h"
#include "store/store.h"

#define HC_VERDICT_S (7 * INT64_C(86400))

/* What a verdict is about. All borrowed. */
struct hc_verdict_case {
    const struct hc_conf *conf;
    const struct hc_identity *identity;
    const struct hc_watched *watched;
    const struct hc_files *files; /* as they were read */
    const struct hc_roots *roots; /* or NULL */
};

/* What stands for the case. False: a verdict on it cannot be kept (a folder of CA certificates). */
bool hc_verdict_key(const struct hc_verdict_case *c, unsigned char key[HC_DIGEST_SIZE]);

/*
 * The pair of a line whose verdict is remembered for this key and holds now; NULL: it is to be
 * judged. *until (may be NULL): when it is over.
 */
struct hc_pair *hc_verdict_pair(struct hc_store *store, const unsigned char line[HC_ID_SIZE],
                                const unsigned char key[HC_DIGEST_SIZE], int64_t now,
                                int64_t *until);

/* Remembers that this pair, which is the line's current one, was judged and can be served. */
int hc_verdict_keep(struct hc_store *store, const unsigned char line[HC_ID_SIZE],
                    const unsigned char key[HC_DIGEST_SIZE], const struct hc_pair *pair,
                    int64_t now, struct hc_error *err) HC_MUST_USE;

#endif
