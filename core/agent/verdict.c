/* Verdicts that outlive a process; see verdict.h. */
#include "agent/verdict.h"

#include <inttypes.h>
#include <openssl/conf.h>
#include <openssl/crypto.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/version.h"
#include "pki/check.h"
#include "store/line.h"
#include "store/record.h"

#define KIND       "verdict"
#define FIRST_WORD "usable 1"
#define TEXT_MAX   512

/* The TLS library as it is set up: another one, or other settings, may refuse what this one takes.
 */
static void add_library(struct hc_digest *digest)
{
    char *path = CONF_get1_default_config_file();
    struct stat st;

    hc_digest_text(digest, HC_VERSION);
    hc_digest_text(digest, OpenSSL_version(OPENSSL_VERSION));
    hc_digest_text(digest, OpenSSL_version(OPENSSL_BUILT_ON));
    hc_digest_text(digest, path);
    if (path != NULL && stat(path, &st) == 0) {
        const int64_t stamp[] = {(int64_t)st.st_ino, (int64_t)st.st_size, st.st_mtim.tv_sec,
                                 st.st_mtim.tv_nsec};

        hc_digest_chunk(digest, stamp, sizeof(stamp));
    }
    OPENSSL_free(path);
}

static void add_list(struct hc_digest *digest, const struct hc_list *list)
{
    hc_digest_chunk(digest, &list->count, sizeof(list->count));
    for (size_t i = 0; i < list->count; i++) {
        hc_digest_text(digest, list->items[i]);
    }
}

bool hc_verdict_key(const struct hc_verdict_case *c, unsigned char key[HC_DIGEST_SIZE])
{
    const int numbers[] = {(int)c->conf->server, (int)c->identity->mode,
                           hc_check_level(c->identity->security_level),
                           (int)c->identity->set->repair};
    struct hc_digest digest;

    if (c->watched->folder >= 0) {
        return false; /* OpenSSL searches it: what it would find is not known */
    }
    hc_digest_begin(&digest);
    hc_digest_text(&digest, "hotcert verdict 1");
    add_library(&digest);
    hc_digest_chunk(&digest, numbers, sizeof(numbers));
    hc_digest_chunk(&digest, c->identity->id, HC_ID_SIZE);
    add_list(&digest, &c->identity->names);
    hc_digest_chunk(&digest, c->roots != NULL ? hc_roots_digest(c->roots) : NULL,
                    c->roots != NULL ? HC_DIGEST_SIZE : 0);
    for (size_t i = 0; i < HC_FILES_PARTS; i++) {
        hc_digest_chunk(&digest, c->files->parts[i].data, c->files->parts[i].len);
    }
    return hc_digest_end(&digest, key, NULL) == 0;
}

/* Of key and certificates. */
static int digest_pair(const struct hc_pair *pair, char hex[2 * HC_DIGEST_SIZE + 1],
                       struct hc_error *err)
{
    struct hc_buf encoded = HC_BUF_INIT_SECRET(HC_BUNDLE_MAX);
    unsigned char sum[HC_DIGEST_SIZE];
    struct hc_digest digest;
    int rc = hc_pair_encode(pair, &encoded, err);

    if (rc == 0) {
        hc_digest_begin(&digest);
        hc_digest_bytes(&digest, encoded.data, encoded.len);
        rc = hc_digest_end(&digest, sum, err);
    }
    if (rc == 0) {
        hc_hex(hex, sum, sizeof(sum));
    }
    hc_buf_dispose(&encoded);
    return rc;
}

/* The verdict's text. */
static void write_text(const unsigned char key[HC_DIGEST_SIZE], const char *pair, int64_t from,
                       char text[TEXT_MAX])
{
    char hex[2 * HC_DIGEST_SIZE + 1];

    hc_hex(hex, key, HC_DIGEST_SIZE);
    (void)snprintf(text, TEXT_MAX, FIRST_WORD " %s %s %" PRId64 "\n", hex, pair, from);
}

/* Read, written again, and it must be the same. */
static bool read_text(const char *text, const unsigned char key[HC_DIGEST_SIZE],
                      char pair[2 * HC_DIGEST_SIZE + 1], int64_t *from)
{
    char again[TEXT_MAX];

    if (sscanf(text, FIRST_WORD " %*64s %64s %" SCNd64 "\n", pair, from) != 2) {
        return false;
    }
    write_text(key, pair, *from, again);
    return strcmp(again, text) == 0;
}

struct hc_pair *hc_verdict_pair(struct hc_store *store, const unsigned char line[HC_ID_SIZE],
                                const unsigned char key[HC_DIGEST_SIZE], int64_t now,
                                int64_t *until)
{
    struct hc_buf text = HC_BUF_INIT_SECRET(TEXT_MAX);
    char name[2 * HC_ID_SIZE + 1];
    char judged[2 * HC_DIGEST_SIZE + 1] = "";
    char sum[2 * HC_DIGEST_SIZE + 1] = "";
    struct hc_pair *pair = NULL;
    int64_t from = 0;
    bool good = false;

    hc_hex(name, line, HC_ID_SIZE);
    /* whatever is wrong, the pair is judged */
    good = hc_store_get(store, KIND, name, &text, NULL) == 0 &&
           read_text(hc_buf_text(&text), key, judged, &from) && from <= now &&
           now < from + HC_VERDICT_S && hc_store_current(store, line, &pair, NULL, NULL) == 0 &&
           digest_pair(pair, sum, NULL) == 0 && strcmp(sum, judged) == 0;
    hc_buf_dispose(&text);
    if (!good) {
        hc_pair_free(pair);
        return NULL;
    }
    if (until != NULL) {
        *until = from + HC_VERDICT_S;
    }
    return pair;
}

int hc_verdict_keep(struct hc_store *store, const unsigned char line[HC_ID_SIZE],
                    const unsigned char key[HC_DIGEST_SIZE], const struct hc_pair *pair,
                    int64_t now, struct hc_error *err)
{
    char name[2 * HC_ID_SIZE + 1];
    char sum[2 * HC_DIGEST_SIZE + 1];
    char text[TEXT_MAX];

    if (digest_pair(pair, sum, err) != 0) {
        return -1;
    }
    hc_hex(name, line, HC_ID_SIZE);
    write_text(key, sum, now, text);
    return hc_store_put(store, KIND, name,
                        (struct hc_bytes){(const unsigned char *)text, strlen(text)}, err);
}
