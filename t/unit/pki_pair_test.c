/* Pairs: from PEM in all its shapes, cleaned, encoded, damaged in every byte. */
#include "forge.h"
#include "pki/pair.h"
#include "tap.h"

#define TEXT HC_BUF_INIT_SECRET(HC_PAIR_PEM_MAX + 4096)

/* One reading of files, with what came of it. */
struct reading {
    struct hc_pair *pair;
    struct hc_findings findings;
    struct hc_error err;
    int rc;
};

static void read_files(struct reading *r, const struct hc_buf *cert, const struct hc_buf *key,
                       const struct hc_list *passphrases)
{
    struct hc_pair_source source = {.cert_pem = hc_bytes_of(cert),
                                    .key_pem =
                                        key != NULL ? hc_bytes_of(key) : (struct hc_bytes){NULL, 0},
                                    .cert_subject = "cert.pem",
                                    .key_subject = "key.pem",
                                    .passphrases = passphrases};

    memset(r, 0, sizeof(*r));
    r->rc = hc_pair_from_pem(&source, &r->pair, &r->findings, &r->err);
    if ((r->rc == 0) != (r->pair != NULL) ||
        (r->rc == 0) != (hc_findings_worst(&r->findings) != HC_CLASS_UNUSABLE)) {
        ok(false, "a pair is there if and only if nothing unusable was found");
    }
    if (ERR_peek_error() != 0) {
        ok(false, "OpenSSL's queue is empty");
    }
}

static void reading_dispose(struct reading *r)
{
    hc_pair_free(r->pair);
    hc_findings_dispose(&r->findings);
}

static void dump(const struct reading *r)
{
    for (size_t i = 0; i < r->findings.count; i++) {
        printf("#   %s: %s: %s\n", hc_problem_row(r->findings.items[i].problem)->slug,
               r->findings.items[i].subject, r->findings.items[i].message);
    }
}

/* The reading has this problem at this place (NULL: anywhere). */
static void has(struct reading *r, enum hc_problem p, const char *subject, const char *name)
{
    if (!ok(hc_findings_find(&r->findings, p, subject) != NULL, name)) {
        dump(r);
    }
}

static void fails_with(const struct hc_buf *cert, const struct hc_buf *key,
                       const struct hc_list *passphrases, enum hc_problem p, const char *name)
{
    struct reading r;

    read_files(&r, cert, key, passphrases);
    is_int(r.rc, -1, name);
    is_str(hc_problem_row(r.err.problem)->slug, hc_problem_row(p)->slug, "with the right error");
    has(&r, p, NULL, "and the finding");
    reading_dispose(&r);
}

/* The hint of pem-not-pem fits the cause. */
static void hints_at(const struct hc_buf *cert, const struct hc_buf *key, const char *word)
{
    struct reading r;
    const struct hc_finding *f = NULL;

    read_files(&r, cert, key, NULL);
    f = hc_findings_find(&r.findings, HC_P_PEM_NOT_PEM, NULL);
    if (!ok(f != NULL && strstr(f->hint, word) != NULL && strstr(f->hint, "DER") == NULL,
            "with a hint that helps")) {
        printf("#   %s\n", f != NULL ? f->hint : "none");
    }
    reading_dispose(&r);
}

static void a_plain_pair_is_read_without_remarks(const char *kind)
{
    struct forged_family f = forge_family(kind, "DNS:A.example,DNS:*.b.example,IP:192.0.2.1");
    struct hc_buf cert = TEXT;
    struct hc_buf key = TEXT;
    struct hc_buf whole = TEXT;
    struct reading r;

    printf("# %s\n", kind != NULL ? kind : "P-256");
    forge_chain_pem(&cert, f.leaf.cert, f.mid.cert, NULL);
    forge_key_pem(f.leaf.key, &key);
    read_files(&r, &cert, &key, NULL);
    if (is_int(r.rc, 0, "it is read")) {
        is_int((long long)r.findings.count, 0, "without a finding");
        is_int(sk_X509_num(hc_pair_chain(r.pair)), 1, "one intermediate");
        ok(X509_cmp(hc_pair_leaf(r.pair), f.leaf.cert) == 0, "the leaf is the leaf");
        is_int((long long)hc_pair_names(r.pair)->count, 3, "three names");
        is_str(hc_pair_names(r.pair)->items[0], "a.example", "in lower case");
        is_int((long long)strlen(hc_pair_serial(r.pair)), 32, "a serial");
        is_int((long long)strlen(hc_pair_fingerprint(r.pair)), 64, "a fingerprint");
    }
    dump(&r);
    is_int(hc_pair_to_pem(r.pair, &whole, &r.err), 0, "it is written as one PEM text");
    reading_dispose(&r);
    read_files(&r, &whole, NULL, NULL);
    is_int(r.rc, 0, "one file with key and chain is read");
    is_int((long long)r.findings.count, 0, "without a finding");
    reading_dispose(&r);
    hc_buf_dispose(&cert);
    hc_buf_dispose(&key);
    hc_buf_dispose(&whole);
    forged_family_free(&f);
}

static void keys_are_read_in_every_form(const char *kind, const char *parameters)
{
    struct forged_family f = forge_family(kind, "DNS:a.example");
    struct hc_buf cert = TEXT;
    struct hc_buf key = TEXT;
    struct hc_list right = {0};
    struct hc_list wrong = {0};
    struct reading r;

    if (hc_list_add(&wrong, "no", NULL) != 0 || hc_list_add(&right, "no", NULL) != 0 ||
        hc_list_add(&right, "secret word", NULL) != 0) {
        forge_die("list");
    }
    forge_chain_pem(&cert, f.leaf.cert, f.mid.cert, NULL);
    if (hc_buf_puts(&key, parameters, NULL) != 0) {
        forge_die("buffer");
    }
    forge_key_pem_traditional(f.leaf.key, NULL, &key);
    read_files(&r, &cert, &key, NULL);
    is_int(r.rc, 0, "the traditional form is read, parameters before it");
    is_int((long long)r.findings.count, 0, "without a finding");
    reading_dispose(&r);
    hc_buf_reset(&key);
    forge_key_pem_traditional(f.leaf.key, "secret word", &key);
    fails_with(&cert, &key, NULL, HC_P_KEY_ENCRYPTED, "encrypted, no passphrase: refused");
    fails_with(&cert, &key, &wrong, HC_P_KEY_ENCRYPTED, "encrypted, another passphrase: refused");
    read_files(&r, &cert, &key, &right);
    is_int(r.rc, 0, "encrypted, the second passphrase opens it");
    reading_dispose(&r);
    hc_buf_reset(&key);
    BIO *bio = BIO_new(BIO_s_mem());
    PEM_write_bio_PKCS8PrivateKey(bio, f.leaf.key, EVP_aes_256_cbc(), "secret word", 11, NULL,
                                  NULL);
    forge_drain(bio, &key);
    fails_with(&cert, &key, NULL, HC_P_KEY_ENCRYPTED, "encrypted PKCS#8, no passphrase: refused");
    read_files(&r, &cert, &key, &right);
    is_int(r.rc, 0, "encrypted PKCS#8, opened");
    reading_dispose(&r);
    hc_list_dispose(&right);
    hc_list_dispose(&wrong);
    hc_buf_dispose(&cert);
    hc_buf_dispose(&key);
    forged_family_free(&f);
}

static void puts_text(struct hc_buf *b, const char *text)
{
    if (hc_buf_puts(b, text, NULL) != 0) {
        forge_die("buffer");
    }
}

static void the_chain_is_cleaned(void)
{
    struct forged_family f = forge_family(NULL, "DNS:a.example");
    struct forged_family other = forge_family(NULL, "DNS:b.example");
    struct forged second = forge(&(struct forge){.name = "Second", .ca = true, .by = &f.mid});
    struct forged leaf =
        forge(&(struct forge){.name = "deep", .sans = "DNS:d.example", .by = &second});
    struct hc_buf cert = TEXT;
    struct hc_buf key = TEXT;
    struct reading r;

    forge_key_pem(leaf.key, &key);
    forge_chain_pem(&cert, f.root.cert, f.mid.cert, second.cert);
    forge_chain_pem(&cert, other.mid.cert, f.mid.cert, leaf.cert);
    read_files(&r, &cert, &key, NULL);
    if (is_int(r.rc, 0, "a file in disorder is read")) {
        STACK_OF(X509) *chain = hc_pair_chain(r.pair);

        ok(X509_cmp(hc_pair_leaf(r.pair), leaf.cert) == 0, "the leaf is served first");
        is_int(sk_X509_num(chain), 2, "with two intermediates");
        ok(X509_cmp(sk_X509_value(chain, 0), second.cert) == 0, "the nearer one");
        ok(X509_cmp(sk_X509_value(chain, 1), f.mid.cert) == 0, "then the farther one");
    }
    has(&r, HC_P_CHAIN_ORDER, NULL, "the order is a remark");
    has(&r, HC_P_CHAIN_ROOT, "cert.pem:1", "the root is a remark, with its line");
    has(&r, HC_P_CHAIN_STRANGER, NULL, "the stranger is a remark");
    has(&r, HC_P_CHAIN_DUPLICATE, NULL, "the duplicate is a remark");
    is_int((long long)r.findings.count, 4, "and nothing else");
    reading_dispose(&r);
    forged_free(&second);
    forged_free(&leaf);
    forged_family_free(&f);
    forged_family_free(&other);
    hc_buf_dispose(&cert);
    hc_buf_dispose(&key);
}

static void of_two_issuers_the_fresh_one_is_served(void)
{
    struct forged_family f = forge_family(NULL, "DNS:a.example");
    struct forged old = forge(&(struct forge){.name = "Test Intermediate",
                                              .ca = true,
                                              .by = &f.root,
                                              .with_key = f.mid.key,
                                              .from = -400,
                                              .days = -10});
    struct hc_buf cert = TEXT;
    struct hc_buf key = TEXT;
    struct reading r;

    forge_key_pem(f.leaf.key, &key);
    forge_chain_pem(&cert, f.leaf.cert, old.cert, f.mid.cert);
    read_files(&r, &cert, &key, NULL);
    is_int(r.rc, 0, "a file with the expired and the fresh intermediate is read");
    is_int(sk_X509_num(hc_pair_chain(r.pair)), 1, "one is served");
    ok(X509_cmp(sk_X509_value(hc_pair_chain(r.pair), 0), f.mid.cert) == 0, "the fresh one");
    has(&r, HC_P_CHAIN_EDITION, NULL, "the other one is a remark");
    reading_dispose(&r);
    forged_free(&old);
    forged_family_free(&f);
    hc_buf_dispose(&cert);
    hc_buf_dispose(&key);
}

static void odd_files_are_read_with_remarks(void)
{
    struct forged_family f = forge_family(NULL, "DNS:a.example");
    struct hc_buf cert = TEXT;
    struct hc_buf key = TEXT;
    struct hc_buf crlf = TEXT;
    struct reading r;

    forge_key_pem(f.leaf.key, &key);
    puts_text(&cert, "\xef\xbb\xbf");
    forge_chain_pem(&cert, f.leaf.cert, f.mid.cert, NULL);
    puts_text(&cert, "Bag Attributes\n");
    forge_key_pem(f.root.key, &cert);
    for (size_t i = 0; i < cert.len; i++) {
        puts_text(&crlf, cert.data[i] == '\n' ? "\r" : "");
        if (hc_buf_append(&crlf, &cert.data[i], 1, NULL) != 0) {
            forge_die("buffer");
        }
    }
    read_files(&r, &crlf, &key, NULL);
    is_int(r.rc, 0, "byte order mark, CRLF, text and a foreign key do not stop it");
    has(&r, HC_P_PEM_NOISE, "cert.pem:1", "the byte order mark is a remark");
    has(&r, HC_P_PEM_NOISE, "cert.pem", "CRLF is a remark");
    has(&r, HC_P_PEM_KEY_IN_CHAIN, NULL, "the key in the chain is a remark");
    is_int((long long)r.findings.count, 4, "and the text");
    reading_dispose(&r);
    hc_buf_dispose(&cert);
    hc_buf_dispose(&crlf);
    hc_buf_dispose(&key);
    forged_family_free(&f);
}

/* A file whose blocks are whole, among lines that servers read past. */
static void what_servers_read_past_is_a_remark(void)
{
    static const char end[] = "-----END CERTIFICATE-----\n";
    static const struct {
        const char *name, *before, *between, *behind, *behind_key;
        bool quiet; /* key files often have certificates in them, and nobody reads those */
    } rows[] = {
        {"a stray END line behind the blocks", "", "", end, "", false},
        {"a stray END line between them", "", end, "", "", false},
        {"a stray END line before them", end, "", "", "", false},
        {"two stray END lines", end, end, "", "", false},
        {"a BEGIN line with too few dashes", "-----BEGIN CERTIFICATE---\n", "", "", "", false},
        {"an indented BEGIN line", "", " -----BEGIN CERTIFICATE-----\n", "", "", false},
        {"a BEGIN line that ends the file", "", "", "-----BEGIN CERT", "", false},
        {"a stray END line behind the key", "", "", "", "-----END PRIVATE KEY-----\n", false},
        {"a block that is cut behind the key", "", "", "", "-----BEGIN CERTIFICATE-----\nMII",
         false},
        {"a broken block behind the key", "", "", "",
         "-----BEGIN CERTIFICATE-----\n!!!!\n-----END CERTIFICATE-----\n", true},
        {"an encrypted block behind the key", "", "", "",
         "-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----\n",
         false},
    };
    struct forged_family f = forge_family(NULL, "DNS:a.example");

    for (size_t i = 0; i < HC_COUNT(rows); i++) {
        struct hc_buf cert = TEXT;
        struct hc_buf key = TEXT;
        struct reading r;

        puts_text(&cert, rows[i].before);
        forge_cert_pem(f.leaf.cert, &cert);
        puts_text(&cert, rows[i].between);
        forge_cert_pem(f.mid.cert, &cert);
        puts_text(&cert, rows[i].behind);
        forge_key_pem(f.leaf.key, &key);
        puts_text(&key, rows[i].behind_key);
        read_files(&r, &cert, &key, NULL);
        is_int(r.rc, 0, rows[i].name);
        is_int(r.pair != NULL ? sk_X509_num(hc_pair_chain(r.pair)) : -1, 1, "with its chain");
        ok((hc_findings_find(&r.findings, HC_P_PEM_NOISE, NULL) != NULL) == !rows[i].quiet,
           rows[i].quiet ? "and no remark" : "and a remark");
        reading_dispose(&r);
        hc_buf_dispose(&cert);
        hc_buf_dispose(&key);
    }
    forged_family_free(&f);
}

static void nul_bytes_behind_the_blocks_are_a_remark(void)
{
    struct forged_family f = forge_family(NULL, "DNS:a.example");
    struct hc_buf cert = TEXT;
    struct hc_buf key = TEXT;
    struct reading r;
    const char nul[512] = {0};

    forge_chain_pem(&cert, f.leaf.cert, f.mid.cert, NULL);
    forge_key_pem(f.leaf.key, &key);
    if (hc_buf_append(&cert, nul, sizeof(nul), NULL) != 0 ||
        hc_buf_append(&key, nul, sizeof(nul), NULL) != 0) {
        forge_die("buffer");
    }
    read_files(&r, &cert, &key, NULL);
    is_int(r.rc, 0, "NUL bytes behind the last blocks");
    is_int(r.pair != NULL ? sk_X509_num(hc_pair_chain(r.pair)) : -1, 1, "the chain is whole");
    is_int((long long)r.findings.count, 2, "a remark for each file");
    has(&r, HC_P_PEM_NOISE, NULL, "pem-noise");
    reading_dispose(&r);
    hc_buf_dispose(&cert);
    hc_buf_dispose(&key);
    forged_family_free(&f);
}

/* An intermediate that is whole before a leaf that is not: whose key it was nobody knows. */
static void a_damaged_leaf_is_no_mismatch(void)
{
    struct forged_family f = forge_family(NULL, "DNS:a.example");
    struct hc_buf cert = TEXT;
    struct hc_buf key = TEXT;
    struct reading r;

    forge_chain_pem(&cert, f.mid.cert, f.leaf.cert, NULL);
    forge_key_pem(f.leaf.key, &key);
    cert.data[cert.len - 200] = '*';
    read_files(&r, &cert, &key, NULL);
    is_int(r.rc, -1, "a damaged leaf behind a whole intermediate");
    has(&r, HC_P_PEM_DAMAGED, NULL, "the damage is named");
    is_int((long long)r.findings.count, 1, "and no mismatch is made up");
    reading_dispose(&r);
    hc_buf_dispose(&cert);
    hc_buf_dispose(&key);
    forged_family_free(&f);
}

/* The key of an issuer beside the chain of a site: that is no CA served as the site's own. */
static void the_key_of_an_issuer_is_a_mismatch(void)
{
    struct forged_family f = forge_family(NULL, "DNS:a.example");
    struct hc_buf cert = TEXT;
    struct hc_buf key = TEXT;
    struct reading r;

    forge_chain_pem(&cert, f.leaf.cert, f.mid.cert, NULL);
    forge_key_pem(f.mid.key, &key);
    fails_with(&cert, &key, NULL, HC_P_KEY_MISMATCH, "the key of the intermediate");
    hc_buf_reset(&cert);
    forge_chain_pem(&cert, f.mid.cert, f.leaf.cert, NULL);
    read_files(&r, &cert, &key, NULL);
    is_int(r.rc, 0, "a CA certificate that comes first is the operator's word");
    reading_dispose(&r);
    hc_buf_dispose(&cert);
    hc_buf_dispose(&key);
    forged_family_free(&f);
}

static void too_many_certificates_are_one_remark(void)
{
    struct forged_family f = forge_family(NULL, "DNS:a.example");
    struct hc_buf cert = TEXT;
    struct hc_buf key = TEXT;
    struct reading r;

    forge_chain_pem(&cert, f.leaf.cert, f.mid.cert, NULL);
    for (int i = 0; i < 288; i++) {
        forge_cert_pem(f.mid.cert, &cert);
    }
    forge_key_pem(f.leaf.key, &key);
    read_files(&r, &cert, &key, NULL);
    is_int(r.rc, 0, "290 certificates");
    is_int(r.pair != NULL ? sk_X509_num(hc_pair_chain(r.pair)) : -1, 1, "the chain is served");
    has(&r, HC_P_PEM_NOISE, NULL, "that not all were looked at is a remark");
    has(&r, HC_P_CHAIN_DUPLICATE, NULL, "and that there are copies");
    is_int((long long)r.findings.count, 2, "once each");
    dump(&r);
    reading_dispose(&r);
    hc_buf_dispose(&cert);
    hc_buf_dispose(&key);
    forged_family_free(&f);
}

/* Bytes of a key as httpd takes them and nginx does not. */
static void keys_without_a_block_are_httpds(void)
{
    struct forged_family f = forge_family(NULL, "DNS:a.example");
    struct hc_buf cert = TEXT;
    struct hc_buf key = TEXT;
    unsigned char *der = NULL;
    int len = i2d_PrivateKey(f.leaf.key, &der);

    forge_chain_pem(&cert, f.leaf.cert, f.mid.cert, NULL);
    for (int base64 = 0; base64 < 2; base64++) {
        struct hc_pair_source source = {
            .cert_pem = hc_bytes_of(&cert), .cert_subject = "cert.pem", .key_subject = "key.der"};
        BIO *bio = BIO_new(BIO_s_mem());
        BIO *filter = BIO_new(BIO_f_base64());
        struct hc_findings findings = {0};
        struct hc_pair *pair = NULL;
        struct hc_error err = {0};

        if (BIO_write(base64 != 0 ? BIO_push(filter, bio) : bio, der, len) != len) {
            forge_die("BIO");
        }
        (void)BIO_flush(filter);
        (void)BIO_pop(filter);
        BIO_free(filter);
        hc_buf_reset(&key);
        forge_drain(bio, &key);
        source.key_pem = hc_bytes_of(&key);
        is_int(hc_pair_from_pem(&source, &pair, &findings, &err), -1, "a key without a block");
        is_int(err.problem, HC_P_PEM_NOT_PEM, "is none for nginx");
        hc_findings_dispose(&findings);
        hc_error_init(&err);
        source.httpd_keys = true;
        is_int(hc_pair_from_pem(&source, &pair, &findings, &err), 0, "httpd reads it");
        ok(hc_findings_find(&findings, HC_P_PEM_NOISE, "key.der") != NULL, "with a remark");
        is_int((long long)findings.count, 1, "and no other");
        hc_findings_dispose(&findings);
        hc_pair_free(pair);
    }
    OPENSSL_free(der);
    hc_buf_dispose(&cert);
    hc_buf_dispose(&key);
    forged_family_free(&f);
}

static void indent(const struct hc_buf *in, struct hc_buf *out)
{
    for (size_t i = 0; i < in->len; i++) {
        if (i == 0 || in->data[i - 1] == '\n') {
            puts_text(out, "  ");
        }
        if (hc_buf_append(out, &in->data[i], 1, NULL) != 0) {
            forge_die("buffer");
        }
    }
}

static void every_fault_has_its_name(void)
{
    struct forged_family f = forge_family(NULL, "DNS:a.example");
    struct forged_family other = forge_family(NULL, "DNS:a.example");
    struct forged x25519 = {forge_key("X25519"), NULL};
    struct hc_buf cert = TEXT;
    struct hc_buf key = TEXT;
    struct hc_buf bad = TEXT;
    struct hc_buf none = TEXT;
    unsigned char *der = NULL;
    int len = i2d_X509(f.leaf.cert, &der);

    forge_chain_pem(&cert, f.leaf.cert, f.mid.cert, NULL);
    forge_key_pem(f.leaf.key, &key);

    forge_key_pem(other.leaf.key, &bad);
    fails_with(&cert, &bad, NULL, HC_P_KEY_MISMATCH, "the key of another certificate");
    fails_with(&cert, NULL, NULL, HC_P_KEY_MISSING, "no key at all");
    fails_with(&cert, &cert, NULL, HC_P_KEY_MISSING, "the certificate as key file");
    fails_with(&key, NULL, NULL, HC_P_CERTIFICATE_MISSING, "a key only");
    fails_with(&none, &key, NULL, HC_P_PEM_NOT_PEM, "an empty certificate file");

    hc_buf_reset(&bad);
    forge_key_pem(x25519.key, &bad);
    fails_with(&cert, &bad, NULL, HC_P_KEY_UNSUPPORTED, "a key of a kind that is not supported");
    hc_buf_reset(&bad);
    puts_text(&bad,
              "-----BEGIN OPENSSH PRIVATE KEY-----\nAAAA\n-----END OPENSSH PRIVATE KEY-----\n");
    fails_with(&cert, &bad, NULL, HC_P_KEY_UNSUPPORTED, "an OpenSSH key");

    hc_buf_reset(&bad);
    if (hc_buf_append(&bad, der, (size_t)len, NULL) != 0) {
        forge_die("buffer");
    }
    fails_with(&bad, &key, NULL, HC_P_PEM_NOT_PEM, "DER");
    hc_buf_reset(&bad);
    for (size_t i = 0; i < cert.len; i++) {
        unsigned char wide[2] = {cert.data[i], 0};

        if (hc_buf_append(&bad, wide, 2, NULL) != 0) {
            forge_die("buffer");
        }
    }
    fails_with(&bad, &key, NULL, HC_P_PEM_NOT_PEM, "UTF-16");
    hints_at(&bad, &key, "iconv");
    hc_buf_reset(&bad);
    indent(&cert, &bad);
    fails_with(&bad, &key, NULL, HC_P_PEM_NOT_PEM, "indented");
    hints_at(&bad, &key, "remove the blanks");

    hc_buf_reset(&bad);
    forge_cert_pem(f.leaf.cert, &bad);
    bad.len--; /* no line feed at its end, and the next file appended */
    forge_cert_pem(f.mid.cert, &bad);
    fails_with(&bad, &key, NULL, HC_P_PEM_DAMAGED, "END and BEGIN on one line");

    hc_buf_reset(&bad);
    forge_chain_pem(&bad, f.leaf.cert, f.mid.cert, NULL);
    bad.data[bad.len - 200] = '*';
    fails_with(&bad, &key, NULL, HC_P_PEM_DAMAGED, "a corrupt intermediate behind a whole leaf");

    OPENSSL_free(der);
    forged_free(&x25519);
    hc_buf_dispose(&cert);
    hc_buf_dispose(&key);
    hc_buf_dispose(&bad);
    hc_buf_dispose(&none);
    forged_family_free(&f);
    forged_family_free(&other);
}

/* The leaf is the right one, the key is its, and whatever the chain holds was in the file. */
static bool is_sound(const struct hc_pair *pair, const struct forged_family *f)
{
    STACK_OF(X509) *chain = hc_pair_chain(pair);

    return X509_cmp(hc_pair_leaf(pair), f->leaf.cert) == 0 &&
           EVP_PKEY_eq(hc_pair_key(pair), f->leaf.key) == 1 &&
           (sk_X509_num(chain) == 0 ||
            (sk_X509_num(chain) == 1 && X509_cmp(sk_X509_value(chain, 0), f->mid.cert) == 0));
}

static void every_truncation_is_refused_or_sound(void)
{
    struct forged_family f = forge_family(NULL, "DNS:a.example");
    struct hc_buf whole = TEXT;
    unsigned unsound = 0;
    unsigned taken = 0;

    forge_key_pem(f.leaf.key, &whole);
    forge_chain_pem(&whole, f.leaf.cert, f.mid.cert, NULL);
    for (size_t len = 0; len < whole.len; len++) {
        struct reading r;
        /* a copy of its own, so that reading behind the end is seen */
        struct hc_buf cut = TEXT;

        if (hc_buf_append(&cut, whole.data, len, NULL) != 0) {
            forge_die("buffer");
        }
        read_files(&r, &cut, NULL, NULL);
        if (r.pair != NULL) {
            taken++;
            unsound += !is_sound(r.pair, &f);
        }
        reading_dispose(&r);
        hc_buf_dispose(&cut);
    }
    is_int(unsound, 0, "no truncation gives another pair");
    /* leaf and key alone, with or without the last line feed, and all but the last line feed; and
     * those that end in the intermediate's BEGIN line, which servers read past */
    is_int(taken, 3 + (long long)sizeof("-----BEGIN CERTIFICATE-----") - 2,
           "only those that end behind a whole block are taken");
    hc_buf_dispose(&whole);
    forged_family_free(&f);
}

static void every_flipped_byte_is_refused_or_sound(const char *kind, unsigned char bit)
{
    struct forged_family f = forge_family(kind, "DNS:a.example");
    struct hc_buf cert = TEXT;
    struct hc_buf key = TEXT;
    unsigned unsound = 0;
    unsigned taken = 0;

    forge_chain_pem(&cert, f.leaf.cert, f.mid.cert, NULL);
    forge_key_pem(f.leaf.key, &key);
    for (size_t i = 0; i < cert.len + key.len; i++) {
        unsigned char *at = i < cert.len ? &cert.data[i] : &key.data[i - cert.len];
        struct reading r;

        *at ^= bit;
        read_files(&r, &cert, &key, NULL);
        if (r.pair != NULL) {
            taken++;
            /* a flipped bit of the leaf's own bytes (not its key) is the chain check's to find */
            unsound += EVP_PKEY_eq(hc_pair_key(r.pair), f.leaf.key) != 1 ||
                       EVP_PKEY_eq(X509_get0_pubkey(hc_pair_leaf(r.pair)), f.leaf.key) != 1;
        }
        reading_dispose(&r);
        *at ^= bit;
    }
    printf("# bit %02x: %u of %zu are taken\n", bit, taken, cert.len + key.len);
    is_int(unsound, 0, "no flipped byte gives a pair of a wrong key");
    hc_buf_dispose(&cert);
    hc_buf_dispose(&key);
    forged_family_free(&f);
}

static void a_pair_is_encoded_and_decoded(const char *kind)
{
    struct forged_family f = forge_family(kind, "DNS:a.example,DNS:*.example.org");
    struct hc_buf whole = TEXT;
    struct hc_buf bytes = HC_BUF_INIT_SECRET(HC_BUNDLE_MAX);
    struct hc_list names = {0};
    struct hc_error err = {0};
    struct hc_pair *back = NULL;
    struct reading r;

    forge_key_pem(f.leaf.key, &whole);
    forge_chain_pem(&whole, f.leaf.cert, f.mid.cert, NULL);
    read_files(&r, &whole, NULL, NULL);
    is_int(hc_pair_encode(r.pair, &bytes, &err), 0, "it is encoded");
    is_int(hc_pair_decode(bytes.data, bytes.len, &back, &err), 0, "and decoded");
    ok(back != NULL && hc_pair_equal(r.pair, back), "to the same pair");
    is_int(hc_pair_not_after(back), hc_pair_not_after(r.pair), "with its dates");
    if (hc_list_add(&names, "a.example", &err) != 0 ||
        hc_list_add(&names, "www.example.org", &err) != 0 ||
        hc_list_add(&names, "b.a.example", &err) != 0) {
        forge_die("list");
    }
    is_int((long long)hc_pair_covers(back, &names), 2, "it covers two of three names");
    hc_list_dispose(&names);
    hc_pair_free(back);
    reading_dispose(&r);
    hc_buf_dispose(&whole);
    hc_buf_dispose(&bytes);
    forged_family_free(&f);
}

static void a_chain_from_a_ca_needs_our_key(void)
{
    struct forged_family f = forge_family(NULL, "DNS:a.example");
    struct hc_buf chain = TEXT;
    struct hc_findings findings = {0};
    struct hc_error err = {0};
    struct hc_pair *pair = NULL;

    forge_chain_pem(&chain, f.leaf.cert, f.mid.cert, NULL);
    is_int(hc_pair_from_key(f.leaf.key, hc_bytes_of(&chain), "U", &pair, &findings, &err), 0,
           "a chain for our key makes a pair");
    is_int((long long)findings.count, 0, "without a finding");
    hc_pair_free(pair);
    is_int(hc_pair_from_key(f.root.key, hc_bytes_of(&chain), "U", &pair, &findings, &err), -1,
           "a chain for another key does not");
    is_int(err.problem, HC_P_KEY_MISMATCH, "and says so");
    ok(pair == NULL, "and leaves nothing");
    hc_error_init(&err);
    is_int(hc_pair_from_key(f.leaf.key, hc_bytes_of(&chain), "U", &pair, &findings, &err), 0,
           "findings of one pair are no fault of the next");
    hc_pair_free(pair);
    hc_findings_dispose(&findings);
    hc_buf_dispose(&chain);
    forged_family_free(&f);
}

static void the_bootstrap_names_nobody(void)
{
    struct hc_pair *pair = NULL;
    struct hc_pair *second = NULL;
    struct hc_error err = {0};

    is_int(hc_pair_bootstrap(&pair, &err), 0, "it is made");
    is_int((long long)hc_pair_names(pair)->count, 0, "without names");
    is_int(sk_X509_num(hc_pair_chain(pair)), 0, "without a chain");
    is_int(X509_check_ca(hc_pair_leaf(pair)), 0, "no CA");
    is_int(hc_pair_key_type(pair), HC_KEY_ECDSA_256, "P-256");
    ok(hc_pair_not_before(pair) < time(NULL) - 86000, "valid from a day ago");
    ok(hc_pair_not_after(pair) > time(NULL) + 9L * 365 * 86400, "for about ten years");
    is_int(hc_pair_bootstrap(&second, &err), 0, "a second one");
    ok(!hc_pair_equal(pair, second), "is another one");
    hc_pair_free(pair);
    hc_pair_free(second);
}

int main(void)
{
    a_plain_pair_is_read_without_remarks(NULL);
    a_plain_pair_is_read_without_remarks("P-384");
    a_plain_pair_is_read_without_remarks("P-521");
    a_plain_pair_is_read_without_remarks("RSA:2048");
    a_plain_pair_is_read_without_remarks("RSA-PSS");
    a_plain_pair_is_read_without_remarks("ED25519");
    a_plain_pair_is_read_without_remarks("ED448");
    keys_are_read_in_every_form(
        "P-256", "-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n-----END EC PARAMETERS-----\n");
    keys_are_read_in_every_form("RSA:2048", "");
    the_chain_is_cleaned();
    of_two_issuers_the_fresh_one_is_served();
    odd_files_are_read_with_remarks();
    what_servers_read_past_is_a_remark();
    nul_bytes_behind_the_blocks_are_a_remark();
    a_damaged_leaf_is_no_mismatch();
    the_key_of_an_issuer_is_a_mismatch();
    too_many_certificates_are_one_remark();
    keys_without_a_block_are_httpds();
    every_fault_has_its_name();
    every_truncation_is_refused_or_sound();
    every_flipped_byte_is_refused_or_sound(NULL, 0x01);
    every_flipped_byte_is_refused_or_sound(NULL, 0x80);
    a_pair_is_encoded_and_decoded(NULL);
    a_pair_is_encoded_and_decoded("RSA:2048");
    a_pair_is_encoded_and_decoded("ED448");
    a_chain_from_a_ca_needs_our_key();
    the_bootstrap_names_nobody();
    return done();
}
