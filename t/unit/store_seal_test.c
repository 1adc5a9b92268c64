/* core/store/seal.c: nothing opens but what was sealed, for the purpose it was sealed for. */
#include "store/seal.h"

#include <openssl/err.h>

#include "store_lib.h"

static struct hc_bytes bytes(const char *text)
{
    return (struct hc_bytes){(const unsigned char *)text, strlen(text)};
}

static bool opens(const unsigned char *secret, const char *purpose, const char *bound,
                  const struct hc_buf *sealed, const char *want)
{
    struct hc_buf plain = HC_BUF_INIT_SECRET(4096);
    struct hc_error err = {0};
    int rc = hc_unseal(secret, purpose, bytes(bound), hc_bytes_of(sealed), &plain, &err);
    bool good = rc == 0 && strcmp(hc_buf_text(&plain), want) == 0;

    if (rc != 0 && (err.problem != HC_P_STORE_DAMAGED || plain.len != 0)) {
        ok(false, "what does not open is damaged, and nothing of it is handed out");
    }
    if (ERR_peek_error() != 0) {
        ok(false, "OpenSSL's queue is empty");
    }
    hc_buf_dispose(&plain);
    return good;
}

static void sealed_opens_only_as_it_was_sealed(void)
{
    struct hc_buf sealed = HC_BUF_INIT(4096);
    struct hc_buf again = HC_BUF_INIT(4096);
    struct hc_error err = {0};
    int opened = 0;

    ok(hc_seal(secret_a, "purpose", bytes("bound"), bytes("plain text"), &sealed, &err) == 0 &&
           sealed.len == strlen("plain text") + HC_SEAL_EXTRA,
       "sealing adds a salt and a tag");
    ok(opens(secret_a, "purpose", "bound", &sealed, "plain text"), "it opens");
    ok(!opens(secret_b, "purpose", "bound", &sealed, ""), "not with another secret");
    ok(!opens(secret_a, "purpose 2", "bound", &sealed, ""), "not for another purpose");
    ok(!opens(secret_a, "purpose", "bounc", &sealed, ""), "not bound to something else");
    ok(!opens(secret_a, "purpose", "", &sealed, ""), "not bound to nothing");
    for (size_t i = 0; i < sealed.len * 8; i++) {
        sealed.data[i / 8] ^= (unsigned char)(1u << (i % 8));
        opened += opens(secret_a, "purpose", "bound", &sealed, "plain text");
        sealed.data[i / 8] ^= (unsigned char)(1u << (i % 8));
    }
    is_int(opened, 0, "not with any bit turned");
    for (size_t len = sealed.len; sealed.len > 0; sealed.len--) {
        opened += sealed.len < len && opens(secret_a, "purpose", "bound", &sealed, "plain text");
    }
    is_int(opened, 0, "not cut anywhere");
    ok(hc_seal(secret_a, "purpose", bytes("bound"), bytes("plain text"), &sealed, &err) == 0 &&
           hc_seal(secret_a, "purpose", bytes("bound"), bytes("plain text"), &again, &err) == 0 &&
           memcmp(sealed.data, again.data, sealed.len) != 0,
       "the same sealed twice is not the same");
    hc_buf_reset(&again);
    ok(hc_seal(secret_a, "purpose", bytes(""), bytes(""), &again, &err) == 0 &&
           opens(secret_a, "purpose", "", &again, ""),
       "nothing can be sealed too");
    hc_buf_dispose(&sealed);
    hc_buf_dispose(&again);
}

static void it_follows_its_standards(void)
{
    /* worked out by a few lines of Python from RFC 2104, RFC 5869 and SP 800-38D alone */
    static const char secret[] = "0123456789abcdef0123456789abcdef";
    unsigned char fingerprint[32];
    char hex[65];
    struct hc_error err = {0};

    ok(hc_seal_fingerprint((const unsigned char *)secret, bytes("an id"), fingerprint, &err) == 0,
       "a fingerprint");
    hc_hex(hex, fingerprint, 32);
    is_str(hex, "9dd1bcfc7db675463a860644005d25d75694933fe7454e10dc29e12b3984b963",
           "is the HMAC of label and id");
    ok(hc_seal_checksum(bytes("abc"), hex, &err) == 0, "a checksum");
    is_str(hex, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
           "is the SHA-256 of the text");
}

static void a_stored_form_stays_readable(void)
{
    static const char secret[] = "0123456789abcdef0123456789abcdef";
    static const char sealed[] = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f9"
                                 "76826e613def90601c6882af5bc29dc9836a8ea3edba2b9ad5f12";
    struct hc_buf raw = HC_BUF_INIT(256);
    unsigned char *at = NULL;
    struct hc_error err = {0};

    if (hc_buf_reserve(&raw, strlen(sealed) / 2, &at, &err) != 0 ||
        hc_unhex(at, strlen(sealed) / 2, sealed) != 0) {
        fatal("hex");
    }
    raw.len = strlen(sealed) / 2;
    ok(opens((const unsigned char *)secret, "hotcert record 1", "job/x", &raw, "hello store"),
       "what another implementation of RFC 5869 and GCM sealed opens");
    hc_buf_dispose(&raw);
}

int main(void)
{
    sealed_opens_only_as_it_was_sealed();
    it_follows_its_standards();
    a_stored_form_stays_readable();
    return done();
}
