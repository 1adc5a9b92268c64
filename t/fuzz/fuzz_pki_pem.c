/*
 * PEM files as pairs. An input that begins with 'E' is a list of edits (two bytes of place, one of
 * what is written there) of a forged pair's file, so that the parsers behind the base64 are
 * reached; any other input is the certificate file and, behind a zero byte, the key file.
 */
#include "../unit/forge.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct hc_buf whole = HC_BUF_INIT_SECRET(HC_PAIR_PEM_MAX);

static void judge(struct hc_bytes cert, struct hc_bytes key)
{
    char word[] = "passphrase";
    char *words[] = {word};
    struct hc_list passphrases = {words, 1, 1};
    struct hc_pair_source source = {.cert_pem = cert,
                                    .key_pem = key,
                                    .cert_subject = "cert.pem",
                                    .key_subject = "key.pem",
                                    .passphrases = &passphrases};
    struct hc_findings findings = {0};
    struct hc_error err = {0};
    struct hc_pair *pair = NULL;

    if (hc_pair_from_pem(&source, &pair, &findings, &err) == 0) {
        if (X509_check_private_key(hc_pair_leaf(pair), hc_pair_key(pair)) != 1 ||
            hc_findings_worst(&findings) == HC_CLASS_UNUSABLE) {
            __builtin_trap();
        }
        hc_pair_free(pair);
    } else if (!hc_error_is_set(&err)) {
        __builtin_trap(); /* a refusal that says nothing */
    }
    if (ERR_peek_error() != 0) {
        __builtin_trap();
    }
    hc_findings_dispose(&findings);
}

static void judge_edited(const uint8_t *edits, size_t size)
{
    struct hc_buf file = HC_BUF_INIT_SECRET(HC_PAIR_PEM_MAX);

    if (whole.len == 0) {
        struct forged_family f = forge_family(NULL, "DNS:a.example,IP:192.0.2.1");

        forge_chain_pem(&whole, f.leaf.cert, f.mid.cert, f.root.cert);
        forge_key_pem(f.leaf.key, &whole);
        forged_family_free(&f);
    }
    if (hc_buf_append(&file, whole.data, whole.len, NULL) != 0) {
        forge_die("buffer");
    }
    for (size_t i = 0; i + 2 < size; i += 3) {
        file.data[((size_t)edits[i] << 8 | edits[i + 1]) % file.len] = edits[i + 2];
    }
    judge(hc_bytes_of(&file), (struct hc_bytes){NULL, 0});
    hc_buf_dispose(&file);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const uint8_t *zero = size > 0 ? memchr(data, 0, size) : NULL;
    size_t first = zero != NULL ? (size_t)(zero - data) : size;

    if (size > 0 && data[0] == 'E') {
        judge_edited(data + 1, size - 1);
    } else {
        judge(
            (struct hc_bytes){data, first},
            (struct hc_bytes){zero != NULL ? zero + 1 : NULL, zero != NULL ? size - first - 1 : 0});
    }
    return 0;
}
