/* TSIG, RFC 8945; see tsig.h. */
#include "dns/tsig.h"

#include <ctype.h>
#include <inttypes.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdio.h>
#include <string.h>

#include "base/reader.h"
#include "base/str.h"

#define HEADER   12
#define TYPE     250
#define ANY      255
#define WORD_MAX 300

#define BADSIG   16
#define BADKEY   17
#define BADTIME  18
#define BADTRUNC 22

static const struct {
    const char *word;
    unsigned bits;
} algorithms[] = {{"hmac-sha256", 256}, {"hmac-sha384", 384}, {"hmac-sha512", 512}};

static const EVP_MD *digest_of(unsigned bits)
{
    return bits == 256 ? EVP_sha256() : bits == 384 ? EVP_sha384() : EVP_sha512();
}

static const char *word_of(unsigned bits)
{
    size_t i = 0;

    while (i + 1 < HC_COUNT(algorithms) && algorithms[i].bits != bits) {
        i++;
    }
    return algorithms[i].word;
}

/* ---- key files ---- */

/* White space and named.conf's three forms of comments. */
static void skip_blanks(struct hc_reader *in)
{
    for (;;) {
        bool line = in->left > 0 && in->data[0] == '#';

        line = line || (in->left > 1 && memcmp(in->data, "//", 2) == 0);
        if (in->left > 0 && isspace(in->data[0])) {
            in->data++;
            in->left--;
        } else if (line) {
            while (in->left > 0 && in->data[0] != '\n') {
                in->data++;
                in->left--;
            }
        } else if (in->left > 1 && memcmp(in->data, "/*", 2) == 0) {
            while (in->left > 1 && memcmp(in->data, "*/", 2) != 0) {
                in->data++;
                in->left--;
            }
            in->data += in->left > 1 ? 2 : in->left;
            in->left -= in->left > 1 ? 2 : in->left;
        } else {
            return;
        }
    }
}

/* A word, a quoted text, or one of { } ; False at the end, or if it is too long. */
static bool get_word(struct hc_reader *in, char word[WORD_MAX])
{
    size_t len = 0;
    bool quoted = false;

    skip_blanks(in);
    if (in->left == 0) {
        return false;
    }
    quoted = in->data[0] == '"';
    if (!quoted && strchr("{};", in->data[0]) != NULL) {
        word[len++] = (char)in->data[0];
        in->data++;
        in->left--;
        word[len] = '\0';
        return true;
    }
    if (quoted) {
        in->data++;
        in->left--;
    }
    while (in->left > 0 && len < WORD_MAX - 1 &&
           (quoted ? in->data[0] != '"'
                   : !isspace(in->data[0]) && strchr("{};", in->data[0]) == NULL)) {
        word[len++] = (char)in->data[0];
        in->data++;
        in->left--;
    }
    word[len] = '\0';
    if (quoted && in->left > 0) {
        in->data++;
        in->left--;
    }
    return len < WORD_MAX - 1;
}

static bool take_secret(const char *text, struct hc_tsig_key *key)
{
    unsigned char bytes[WORD_MAX];
    size_t len = strlen(text);
    size_t size = 0;
    int n = 0;

    if (len == 0 || len % 4 != 0 || len / 4 * 3 > sizeof(bytes)) {
        return false;
    }
    n = EVP_DecodeBlock(bytes, (const unsigned char *)text, (int)len);
    if (n > 0) {
        size = (size_t)n - (text[len - 1] == '=') - (text[len - 2] == '=');
    }
    if (size > 0 && size <= HC_TSIG_SECRET_MAX) {
        memcpy(key->secret, bytes, size);
        key->len = size;
    }
    OPENSSL_cleanse(bytes, sizeof(bytes));
    return size > 0 && size <= HC_TSIG_SECRET_MAX;
}

static bool take_algorithm(const char *text, struct hc_tsig_key *key)
{
    for (size_t i = 0; i < HC_COUNT(algorithms); i++) {
        size_t len = strlen(algorithms[i].word);

        if (strncasecmp(text, algorithms[i].word, len) == 0 &&
            (text[len] == '\0' || strcmp(text + len, ".") == 0)) {
            key->bits = algorithms[i].bits;
        }
    }
    return key->bits != 0;
}

/* What is wrong with the block behind `key NAME {`, or NULL. */
static const char *take_block(struct hc_reader *in, struct hc_tsig_key *key, char word[WORD_MAX])
{
    while (get_word(in, word) && strcmp(word, "}") != 0) {
        if (strcmp(word, "algorithm") == 0) {
            if (!get_word(in, word) || !take_algorithm(word, key)) {
                return "its algorithm is not hmac-sha256, hmac-sha384 or hmac-sha512";
            }
        } else if (strcmp(word, "secret") == 0) {
            if (!get_word(in, word) || !take_secret(word, key)) {
                return "its secret is not base64 of 1 to 128 bytes";
            }
        }
    }
    if (key->bits == 0) {
        return "the key has no algorithm";
    }
    return key->len == 0 ? "the key has no secret" : NULL;
}

int hc_tsig_key_parse(struct hc_bytes text, const char *path, struct hc_tsig_key *out,
                      struct hc_error *err)
{
    struct hc_reader in = hc_reader_of(text);
    char word[WORD_MAX];
    const char *fault = "it has no block `key \"NAME\" { algorithm ..; secret ..; };`";

    memset(out, 0, sizeof(*out));
    while (get_word(&in, word)) {
        if (strcmp(word, "key") != 0) {
            continue;
        }
        if (!get_word(&in, word) || hc_dname_from_host(word, &out->name, NULL) != 0) {
            fault = "the key's name is not a domain name";
        } else if (get_word(&in, word) && strcmp(word, "{") == 0) {
            fault = take_block(&in, out, word);
        }
        break;
    }
    OPENSSL_cleanse(word, sizeof(word));
    if (fault != NULL) {
        OPENSSL_cleanse(out, sizeof(*out));
        return hc_error_set(err, HC_P_BAD_VALUE, path, "%s", fault);
    }
    return 0;
}

/* ---- what is signed ---- */

struct stamp {
    int64_t time;
    unsigned fudge, error;
    struct hc_bytes other;
};

static int algorithm_name(const struct hc_tsig_key *key, struct hc_dname *name)
{
    return hc_dname_from_host(word_of(key->bits), name, NULL);
}

/* RFC 8945 section 4.3.3: the variables. */
static int put_variables(struct hc_buf *out, const struct hc_tsig_key *key,
                         const struct stamp *stamp, struct hc_error *err)
{
    struct hc_dname algorithm;

    if (algorithm_name(key, &algorithm) != 0) {
        return hc_error_set(err, HC_P_INTERNAL, NULL, "the name of an algorithm");
    }
    return hc_buf_append(out, key->name.wire, key->name.len, err) == 0 &&
                   hc_put_number(out, ANY, 2, err) == 0 && hc_put_number(out, 0, 4, err) == 0 &&
                   hc_buf_append(out, algorithm.wire, algorithm.len, err) == 0 &&
                   hc_put_number(out, (uint64_t)stamp->time, 6, err) == 0 &&
                   hc_put_number(out, stamp->fudge, 2, err) == 0 &&
                   hc_put_number(out, stamp->error, 2, err) == 0 &&
                   hc_put_number(out, stamp->other.len, 2, err) == 0 &&
                   hc_buf_append(out, stamp->other.data, stamp->other.len, err) == 0
               ? 0
               : -1;
}

static int compute(const struct hc_tsig_key *key, struct hc_bytes text, struct hc_tsig_mac *mac,
                   struct hc_error *err)
{
    unsigned len = 0;

    if (HMAC(digest_of(key->bits), key->secret, (int)key->len, text.data, text.len, mac->bytes,
             &len) == NULL) {
        return hc_error_set(err, HC_P_INTERNAL, NULL, "OpenSSL computes no HMAC");
    }
    mac->len = len;
    return 0;
}

static int put_record(struct hc_buf *message, const struct hc_tsig_key *key,
                      const struct stamp *stamp, const struct hc_tsig_mac *mac,
                      struct hc_error *err)
{
    struct hc_dname algorithm;
    uint64_t id = (uint64_t)message->data[0] << 8 | message->data[1];

    if (algorithm_name(key, &algorithm) != 0) {
        return hc_error_set(err, HC_P_INTERNAL, NULL, "the name of an algorithm");
    }
    return hc_buf_append(message, key->name.wire, key->name.len, err) == 0 &&
                   hc_put_number(message, TYPE, 2, err) == 0 &&
                   hc_put_number(message, ANY, 2, err) == 0 &&
                   hc_put_number(message, 0, 4, err) == 0 &&
                   hc_put_number(message, algorithm.len + 16 + mac->len, 2, err) == 0 &&
                   hc_buf_append(message, algorithm.wire, algorithm.len, err) == 0 &&
                   hc_put_number(message, (uint64_t)stamp->time, 6, err) == 0 &&
                   hc_put_number(message, stamp->fudge, 2, err) == 0 &&
                   hc_put_number(message, mac->len, 2, err) == 0 &&
                   hc_buf_append(message, mac->bytes, mac->len, err) == 0 &&
                   hc_put_number(message, id, 2, err) == 0 &&
                   hc_put_number(message, 0, 2, err) == 0 && hc_put_number(message, 0, 2, err) == 0
               ? 0
               : -1;
}

int hc_tsig_sign(struct hc_buf *message, const struct hc_tsig_key *key, int64_t now,
                 struct hc_tsig_mac *mac, struct hc_error *err)
{
    const struct stamp stamp = {now, HC_TSIG_FUDGE_S, 0, {NULL, 0}};
    struct hc_buf text = HC_BUF_INIT(65535 + 1024);
    int rc = -1;

    if (message->len < HEADER) {
        return hc_error_set(err, HC_P_INTERNAL, NULL, "a message without a header");
    }
    if (hc_buf_append(&text, message->data, message->len, err) == 0 &&
        put_variables(&text, key, &stamp, err) == 0 &&
        compute(key, hc_bytes_of(&text), mac, err) == 0) {
        rc = put_record(message, key, &stamp, mac, err);
    }
    if (rc == 0) {
        message->data[11]++; /* one more additional record */
    }
    hc_buf_dispose(&text);
    return rc;
}

/* ---- replies ---- */

/* Passes over a name, compressed or not. */
static bool skip_name(struct hc_reader *in)
{
    while (in->left > 0) {
        size_t len = in->data[0];
        size_t step = len >= 0xc0 ? 2 : len + 1;

        if ((len >= 64 && len < 0xc0) || step > in->left) {
            return false;
        }
        in->data += step;
        in->left -= step;
        if (len == 0 || len >= 0xc0) {
            return true;
        }
    }
    return false;
}

/* Passes over so many questions (of four bytes behind the name) or records. */
static bool skip_records(struct hc_reader *in, uint64_t count, bool questions)
{
    for (uint64_t i = 0; i < count; i++) {
        struct hc_bytes rest;
        uint64_t len = 0;

        if (!skip_name(in) || hc_get_bytes(in, questions ? 4 : 8, &rest, NULL) != 0) {
            return false;
        }
        if (!questions &&
            (hc_get_number(in, 2, &len, NULL) != 0 || hc_get_bytes(in, len, &rest, NULL) != 0)) {
            return false;
        }
    }
    return true;
}

/* The TSIG record of a reply. */
struct found {
    size_t at; /* where it begins */
    struct hc_dname name, algorithm;
    struct stamp stamp;
    struct hc_bytes mac;
    uint64_t original;
};

/* An uncompressed name, as TSIG's are. */
static bool get_name(struct hc_reader *in, struct hc_dname *out)
{
    const unsigned char *from = in->data;

    return skip_name(in) && hc_dname_from_wire(from, (size_t)(in->data - from), out) == 0;
}

static bool get_record(struct hc_reader *in, struct found *out)
{
    uint64_t n[4] = {0};
    uint64_t time = 0;
    uint64_t len = 0;

    if (!get_name(in, &out->name) || hc_get_number(in, 2, &n[0], NULL) != 0 || n[0] != TYPE ||
        hc_get_number(in, 2, &n[1], NULL) != 0 || hc_get_number(in, 4, &n[2], NULL) != 0 ||
        hc_get_number(in, 2, &n[3], NULL) != 0 || !get_name(in, &out->algorithm) ||
        hc_get_number(in, 6, &time, NULL) != 0 || hc_get_number(in, 2, &n[0], NULL) != 0 ||
        hc_get_number(in, 2, &len, NULL) != 0 || hc_get_bytes(in, len, &out->mac, NULL) != 0 ||
        hc_get_number(in, 2, &out->original, NULL) != 0 || hc_get_number(in, 2, &n[1], NULL) != 0 ||
        hc_get_number(in, 2, &len, NULL) != 0 ||
        hc_get_bytes(in, len, &out->stamp.other, NULL) != 0) {
        return false;
    }
    out->stamp.time = (int64_t)time;
    out->stamp.fudge = (unsigned)n[0];
    out->stamp.error = (unsigned)n[1];
    return in->left == 0;
}

/* It is the last record of all. */
static bool find_record(struct hc_bytes reply, struct found *out)
{
    struct hc_reader in = hc_reader_of(reply);
    uint64_t counts[6];

    for (size_t i = 0; i < HC_COUNT(counts); i++) {
        if (hc_get_number(&in, 2, &counts[i], NULL) != 0) {
            return false;
        }
    }
    if (counts[5] == 0 || !skip_records(&in, counts[2], true) ||
        !skip_records(&in, counts[3] + counts[4] + counts[5] - 1, false)) {
        return false;
    }
    out->at = reply.len - in.left;
    return get_record(&in, out);
}

static int put_signed(struct hc_buf *text, struct hc_bytes reply, const struct found *found,
                      const struct hc_tsig_mac *request, struct hc_error *err)
{
    size_t start = 0;

    if (hc_put_number(text, request->len, 2, err) != 0 ||
        hc_buf_append(text, request->bytes, request->len, err) != 0) {
        return -1;
    }
    start = text->len;
    if (hc_buf_append(text, reply.data, found->at, err) != 0) {
        return -1;
    }
    text->data[start] = (unsigned char)(found->original >> 8);
    text->data[start + 1] = (unsigned char)found->original;
    text->data[start + 11]--; /* without itself; it was not 0, and a carry is the case of 256 */
    if (text->data[start + 11] == 255) {
        text->data[start + 10]--;
    }
    return 0;
}

/* True if the reply is signed by the key. */
static int check_mac(struct hc_bytes reply, const struct found *found,
                     const struct hc_tsig_key *key, const struct hc_tsig_mac *request,
                     struct hc_error *err)
{
    struct hc_buf text = HC_BUF_INIT(65535 + 2048);
    struct hc_tsig_mac mac;
    int rc = -1;

    if (put_signed(&text, reply, found, request, err) == 0 &&
        put_variables(&text, key, &found->stamp, err) == 0 &&
        compute(key, hc_bytes_of(&text), &mac, err) == 0) {
        rc = found->mac.len == mac.len && CRYPTO_memcmp(found->mac.data, mac.bytes, mac.len) == 0
                 ? 0
                 : hc_error_set(err, HC_P_DNS_WRITE, NULL,
                                "its reply is not signed with the key, so hotcert ignores it");
    }
    hc_buf_dispose(&text);
    return rc;
}

static int refused(const struct found *found, const char *key, int64_t now, struct hc_error *err)
{
    struct hc_reader other = hc_reader_of(found->stamp.other);
    uint64_t theirs = 0;

    switch (found->stamp.error) {
    case BADKEY:
        return hc_error_set(err, HC_P_DNS_WRITE, NULL,
                            "it does not know the TSIG key %s, or not with this algorithm (BADKEY)",
                            key);
    case BADSIG:
        return hc_error_set(err, HC_P_DNS_WRITE, NULL,
                            "its TSIG key %s has another secret (BADSIG)", key);
    case BADTIME:
        if (hc_get_number(&other, 6, &theirs, NULL) != 0) {
            theirs = (uint64_t)found->stamp.time;
        }
        return hc_error_set(err, HC_P_DNS_WRITE, NULL,
                            "this machine's clock and the server's differ by %" PRId64
                            " seconds (BADTIME)",
                            (int64_t)theirs > now ? (int64_t)theirs - now : now - (int64_t)theirs);
    default:
        return hc_error_set(err, HC_P_DNS_WRITE, NULL, "it refuses the signature (TSIG error %u)",
                            found->stamp.error);
    }
}

int hc_tsig_verify(struct hc_bytes reply, const struct hc_tsig_key *key, int64_t now,
                   const struct hc_tsig_mac *mac, struct hc_error *err)
{
    struct found found;
    char name[HC_DNAME_TEXT];
    struct hc_dname algorithm;
    int64_t age = 0;

    memset(&found, 0, sizeof(found));
    if (!find_record(reply, &found)) {
        return hc_error_set(err, HC_P_DNS_WRITE, NULL,
                            "its reply is not signed, so hotcert ignores it");
    }
    name[strlen(hc_dname_format(&key->name, name)) - 1] = '\0'; /* without its dot */
    /* who does not know the key cannot sign; that is a refusal, and believed as such */
    if (found.stamp.error != 0 && found.mac.len == 0) {
        return refused(&found, name, now, err);
    }
    if (algorithm_name(key, &algorithm) != 0 || !hc_dname_equal(&found.name, &key->name) ||
        !hc_dname_equal(&found.algorithm, &algorithm)) {
        return hc_error_set(err, HC_P_DNS_WRITE, NULL, "its reply is signed with another key");
    }
    if (check_mac(reply, &found, key, mac, err) != 0) {
        return -1;
    }
    if (found.stamp.error != 0) {
        return refused(&found, name, now, err);
    }
    age = now > found.stamp.time ? now - found.stamp.time : found.stamp.time - now;
    return age <= (int64_t)found.stamp.fudge
               ? 0
               : hc_error_set(err, HC_P_DNS_WRITE, NULL, "its reply was signed at another time");
}
