/*
 * The chain builder and the verdict: each byte of the input puts one of a family of forged
 * certificates into a file (the high bit damages it), in any order and number. What is served must
 * be linked, without duplicates and roots.
 */
#include "../unit/forge.h"
#include "pki/cert.h"
#include "pki/chain.h"
#include "pki/check.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define KINDS 10

static struct forged certs[KINDS];

static void forge_all(void)
{
    certs[0] = forge(&(struct forge){.name = "Root", .ca = true});
    certs[1] = forge(&(struct forge){.name = "Mid", .ca = true, .by = &certs[0]});
    certs[2] = forge(&(struct forge){.name = "leaf", .sans = "DNS:a.example", .by = &certs[1]});
    certs[3] = forge(&(struct forge){.name = "Other Root", .ca = true});
    /* the same name and key from another root, and two that vouch for each other */
    certs[4] = forge(
        &(struct forge){.name = "Mid", .ca = true, .by = &certs[3], .with_key = certs[1].key});
    certs[5] = forge(
        &(struct forge){.name = "Root", .ca = true, .by = &certs[3], .with_key = certs[0].key});
    certs[6] = forge(&(struct forge){
        .name = "Other Root", .ca = true, .by = &certs[0], .with_key = certs[3].key});
    certs[7] = forge(&(struct forge){.name = "Mid", .ca = true, .by = &certs[0], .no_ids = true});
    certs[8] = forge(&(struct forge){.sans = "DNS:b.example", .by = &certs[7], .no_ids = true});
    certs[9] = forge(&(struct forge){.name = "self", .sans = "DNS:c.example"});
}

/* A copy, damaged at a place that depends on the byte. */
static X509 *take(uint8_t byte)
{
    const struct forged *f = &certs[byte % KINDS];
    unsigned char *der = NULL;
    const unsigned char *p = NULL;
    int len = i2d_X509(f->cert, &der);
    X509 *cert = NULL;

    if (byte >= 0x80) {
        der[(byte - 0x80) * 7 % len] ^= 0x04;
    }
    p = der;
    cert = d2i_X509(NULL, &p, len);
    OPENSSL_free(der);
    if (cert != NULL && X509_get0_pubkey(cert) == NULL) {
        X509_free(cert);
        cert = NULL;
    }
    ERR_clear_error();
    return cert;
}

static void judge(const struct hc_pem_cert *file, size_t count)
{
    struct hc_findings findings = {0};
    struct hc_check how = {.now = 1800000000, .margin = -1};
    struct hc_error err = {0};
    STACK_OF(X509) *chain = sk_X509_new_null();
    X509 *last = file[0].cert;

    if (hc_chain_build(&(struct hc_chain_source){file, count, 0, "fuzz"}, chain, &findings, &err) !=
        0) {
        __builtin_trap();
    }
    for (int i = 0; i < sk_X509_num(chain); i++) {
        X509 *next = sk_X509_value(chain, i);

        if (!hc_cert_issued(next, last) || hc_cert_self_signed(next)) {
            __builtin_trap();
        }
        last = next;
    }
    if (hc_check_chain(file[0].cert, chain, &how, &findings, &err) != 0 || ERR_peek_error() != 0) {
        __builtin_trap();
    }
    sk_X509_pop_free(chain, X509_free);
    hc_findings_dispose(&findings);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct hc_pem_cert file[40];
    size_t count = 0;

    if (certs[0].cert == NULL) {
        forge_all();
    }
    for (size_t i = 0; i < size && count < HC_COUNT(file); i++) {
        X509 *cert = take(data[i]);

        if (cert != NULL) {
            file[count] = (struct hc_pem_cert){cert, count + 1, count};
            count++;
        }
    }
    if (count > 0) {
        judge(file, count);
    }
    for (size_t i = 0; i < count; i++) {
        X509_free(file[i].cert);
    }
    return 0;
}
