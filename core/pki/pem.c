/* PEM files as operators have them; see pem.h. RFC 7468. */
#include "pki/pem.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/pkcs12.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "pki/cert.h"
#include "pki/key.h"
#include "pki/pair.h"

#define BEGIN     "-----BEGIN "
#define END       "-----END "
#define LABEL_MAX 64

/* One pass over a file. */
struct scan {
    struct hc_bytes text;
    size_t at;      /* where the next line starts */
    size_t line_no; /* of the line read last, from 1 */
    const char *subject;
    const struct hc_list *passphrases;
    unsigned want;
    struct hc_pem *out;
    struct hc_findings *findings;
    struct hc_error *err;
    size_t blocks; /* that were whole enough to have a BEGIN line */
    size_t keys;
    size_t text_lines; /* outside of blocks */
    size_t text_line;  /* the first of them */
    size_t indented_line;
    bool cr;
};

/* A line without its end; data points into the text. */
struct line {
    const char *data;
    size_t len;
};

struct block {
    char label[LABEL_MAX];
    size_t line; /* of BEGIN */
    const char *data;
    size_t len; /* from BEGIN up to and with the END line */
};

char *hc_pem_place(char *dst, size_t cap, const char *subject, size_t line)
{
    snprintf(dst, cap, "%s:%zu", subject, line);
    return dst;
}

static bool starts(struct line l, const char *prefix)
{
    size_t len = strlen(prefix);

    return l.len >= len && memcmp(l.data, prefix, len) == 0;
}

static bool next_line(struct scan *s, struct line *l)
{
    size_t left = s->text.len - s->at;
    const char *data = NULL;
    const char *end = NULL;
    size_t len = left;

    if (left == 0) {
        return false;
    }
    data = (const char *)s->text.data + s->at;
    end = memchr(data, '\n', left);
    if (end != NULL) {
        len = (size_t)(end - data);
    }
    s->at += end != NULL ? len + 1 : len;
    s->line_no++;
    while (len > 0 && ((unsigned char)data[len - 1] <= ' ')) {
        s->cr |= data[len - 1] == '\r';
        len--;
    }
    *l = (struct line){data, len};
    return true;
}

static int damaged(struct scan *s, size_t line, const char *what)
{
    char place[HC_ERROR_SUBJECT];

    return hc_findings_add(s->findings, HC_P_PEM_DAMAGED,
                           hc_pem_place(place, sizeof(place), s->subject, line), s->err, "%s",
                           what);
}

/* "-----BEGIN X-----" to "X"; false if it is no such line. */
static bool begin_label(struct line l, char label[LABEL_MAX])
{
    size_t head = sizeof(BEGIN) - 1;

    if (!starts(l, BEGIN) || l.len < head + 5 || memcmp(l.data + l.len - 5, "-----", 5) != 0 ||
        l.len - head - 5 >= LABEL_MAX) {
        return false;
    }
    memcpy(label, l.data + head, l.len - head - 5);
    label[l.len - head - 5] = '\0';
    return true;
}

static bool is_certificate(const char *label)
{
    return strcmp(label, PEM_STRING_X509) == 0 || strcmp(label, PEM_STRING_X509_OLD) == 0 ||
           strcmp(label, PEM_STRING_X509_TRUSTED) == 0;
}

static bool is_private_key(const char *label)
{
    size_t len = strlen(label);
    size_t tail = sizeof("PRIVATE KEY") - 1;

    return len >= tail && strcmp(label + len - tail, "PRIVATE KEY") == 0;
}

static int keep_cert(struct scan *s, X509 *cert, size_t line)
{
    struct hc_pem *out = s->out;

    if (out->cert_count == out->cert_cap) {
        size_t cap = out->cert_cap > 0 ? out->cert_cap * 2 : 8;
        struct hc_pem_cert *certs = realloc(out->certs, cap * sizeof(*certs));

        if (certs == NULL) {
            return hc_error_nomem(s->err);
        }
        out->certs = certs;
        out->cert_cap = cap;
    }
    X509_up_ref(cert);
    out->certs[out->cert_count] = (struct hc_pem_cert){cert, line, out->cert_count};
    out->cert_count++;
    return 0;
}

/* What is wrong with a certificate that d2i made or refused (NULL), or NULL. */
static const char *cert_fault(X509 *cert, bool all_used)
{
    int64_t from = 0;
    int64_t until = 0;

    if (cert == NULL) {
        return "the certificate in this block cannot be read";
    }
    if (!all_used) {
        return "bytes follow the certificate inside its block";
    }
    if (X509_get0_pubkey(cert) == NULL) {
        return "the public key of this certificate cannot be read";
    }
    return hc_cert_dates(cert, &from, &until, NULL) != 0
               ? "the dates of this certificate cannot be read"
               : NULL;
}

static int read_cert(struct scan *s, const struct block *b, const unsigned char *der, long len)
{
    const unsigned char *p = der;
    X509 *cert = strcmp(b->label, PEM_STRING_X509_TRUSTED) == 0 ? d2i_X509_AUX(NULL, &p, len)
                                                                : d2i_X509(NULL, &p, len);
    const char *fault = cert_fault(cert, p == der + len);
    int rc = 0;

    if (fault == NULL && s->out->cert_count >= HC_PEM_CERTS_MAX) {
        fault = "more certificates than a chain can have (200)";
    }
    rc = fault != NULL ? damaged(s, b->line, fault) : keep_cert(s, cert, b->line);
    X509_free(cert);
    return rc;
}

/* OpenSSL's callback: hands out one passphrase, never asks a terminal. */
static int passphrase_cb(char *buf, int size, int writing HC_UNUSED, void *arg)
{
    const char *passphrase = arg;
    size_t len = passphrase != NULL ? strlen(passphrase) : 0;

    if (passphrase == NULL || size < 0 || len > (size_t)size) {
        return -1;
    }
    memcpy(buf, passphrase, len); /* NOLINT(bugprone-not-null-terminated-result): OpenSSL counts */
    return (int)len;
}

static EVP_PKEY *parse_key(const struct block *b, char *passphrase)
{
    BIO *bio = BIO_new_mem_buf(b->data, (int)b->len);
    EVP_PKEY *key =
        bio != NULL ? PEM_read_bio_PrivateKey(bio, NULL, passphrase_cb, passphrase) : NULL;

    BIO_free(bio);
    ERR_clear_error();
    return key;
}

static EVP_PKEY *open_key(const struct block *b, const struct hc_list *passphrases)
{
    EVP_PKEY *key = NULL;

    for (size_t i = 0; key == NULL && passphrases != NULL && i < passphrases->count; i++) {
        key = parse_key(b, passphrases->items[i]);
    }
    return key;
}

/* A PKCS#8 key, whole, of an algorithm that we do not have. */
static bool is_foreign_pkcs8(const unsigned char *der, long len)
{
    const unsigned char *p = der;
    const ASN1_OBJECT *algorithm = NULL;
    PKCS8_PRIV_KEY_INFO *info = d2i_PKCS8_PRIV_KEY_INFO(NULL, &p, len);
    int type = EVP_PKEY_NONE;

    if (info != NULL && PKCS8_pkey_get0(&algorithm, NULL, NULL, NULL, info) == 1) {
        type = OBJ_obj2nid(algorithm);
    }
    PKCS8_PRIV_KEY_INFO_free(info);
    return info != NULL && type != EVP_PKEY_RSA && type != EVP_PKEY_RSA_PSS &&
           type != EVP_PKEY_EC && type != EVP_PKEY_ED25519;
}

static bool is_known_key_label(const char *label)
{
    static const char *const known[] = {PEM_STRING_PKCS8, PEM_STRING_PKCS8INF, PEM_STRING_RSA,
                                        PEM_STRING_ECPRIVATEKEY};

    for (size_t i = 0; i < HC_COUNT(known); i++) {
        if (strcmp(label, known[i]) == 0) {
            return true;
        }
    }
    return false;
}

static int key_fault(struct scan *s, const struct block *b, enum hc_problem p, const char *fmt)
{
    char place[HC_ERROR_SUBJECT];

    hc_pem_place(place, sizeof(place), s->subject, b->line);
    return hc_findings_add(s->findings, p, place, s->err, "%s: a block of the kind %s", fmt,
                           b->label);
}

static int read_key(struct scan *s, const struct block *b, const char *header,
                    const unsigned char *der, long len)
{
    bool closed = strcmp(b->label, PEM_STRING_PKCS8) == 0 || strstr(header, "ENCRYPTED") != NULL;
    EVP_PKEY *key = NULL;
    int rc = 0;

    if (!is_known_key_label(b->label)) {
        return key_fault(s, b, HC_P_KEY_UNSUPPORTED, "this kind of private key is not supported");
    }
    s->out->key_was_closed = closed;
    key = closed ? open_key(b, s->passphrases) : parse_key(b, NULL);
    if (key == NULL && closed) {
        rc = key_fault(
            s, b, HC_P_KEY_ENCRYPTED,
            s->passphrases != NULL && s->passphrases->count > 0
                ? "the private key is encrypted, and no passphrase that was given opens it"
                : "the private key is encrypted, and no passphrase was given");
    } else if (key == NULL && !is_foreign_pkcs8(der, len)) {
        rc = damaged(s, b->line, "the private key in this block cannot be read");
    } else if (key == NULL || !hc_key_is_supported(key)) {
        rc = key_fault(s, b, HC_P_KEY_UNSUPPORTED,
                       "the algorithm or curve of this key is not supported");
    } else {
        s->out->key = key;
        key = NULL;
    }
    EVP_PKEY_free(key);
    return rc;
}

static int second_key(struct scan *s, const struct block *b)
{
    char place[HC_ERROR_SUBJECT];

    hc_pem_place(place, sizeof(place), s->subject, b->line);
    return hc_findings_add(s->findings, HC_P_PEM_NOISE, place, s->err,
                           "a second private key; the first one of the file is used");
}

/* One whole block of a kind that is looked for. */
static int decode_block(struct scan *s, const struct block *b, bool key)
{
    BIO *bio = BIO_new_mem_buf(b->data, (int)b->len);
    char *label = NULL;
    char *header = NULL;
    unsigned char *der = NULL;
    long len = 0;
    int rc = 0;

    if (bio == NULL) {
        rc = hc_error_nomem(s->err);
    } else if (PEM_read_bio(bio, &label, &header, &der, &len) != 1) {
        rc = damaged(s, b->line,
                     "this block is no whole PEM block: its base64 or its END line is broken");
    } else if (key) {
        rc = read_key(s, b, header, der, len);
    } else {
        rc = read_cert(s, b, der, len);
    }
    OPENSSL_free(label);
    OPENSSL_free(header);
    OPENSSL_clear_free(der, len > 0 ? (size_t)len : 0);
    BIO_free(bio);
    ERR_clear_error();
    return rc;
}

static int other_block(struct scan *s, const struct block *b)
{
    char place[HC_ERROR_SUBJECT];

    /* curve and DH parameters stand before keys by old custom */
    if (strstr(b->label, "PARAMETERS") != NULL) {
        return 0;
    }
    hc_pem_place(place, sizeof(place), s->subject, b->line);
    if (hc_findings_add(s->findings, HC_P_PEM_NOISE, place, s->err,
                        "a block of the kind %s, which is not used here", b->label) != 0) {
        return -1;
    }
    if (strcmp(b->label, PEM_STRING_PKCS7) != 0 && strcmp(b->label, PEM_STRING_CMS) != 0) {
        return 0;
    }
    return hc_findings_hint(
        s->findings, s->err,
        "if the certificates are in it: openssl pkcs7 -print_certs -in FILE -out FILE.pem");
}

static int take_block(struct scan *s, const struct block *b)
{
    if (is_private_key(b->label)) {
        s->keys++;
        if (s->out->key_line == 0) {
            s->out->key_line = b->line;
            return (s->want & HC_PEM_KEY) != 0 ? decode_block(s, b, true) : 0;
        }
        return (s->want & HC_PEM_KEY) != 0 ? second_key(s, b) : 0;
    }
    if (is_certificate(b->label)) {
        return (s->want & HC_PEM_CERTS) != 0 ? decode_block(s, b, false) : 0;
    }
    return other_block(s, b);
}

/* "-----END X----------BEGIN Y-----": one fault, and the second block is no text around blocks. */
static int joined_blocks(struct scan *s)
{
    size_t line = s->line_no;
    struct line l;

    while (next_line(s, &l) && !starts(l, END)) {
    }
    return damaged(s, line,
                   "END and BEGIN stand on one line: two files were joined without a line break");
}

/* From the line after BEGIN to END. */
static int read_block(struct scan *s, struct line begin, const char *label)
{
    struct block b = {.line = s->line_no, .data = begin.data};
    struct line l;

    s->blocks++;
    memcpy(b.label, label, LABEL_MAX);
    for (;;) {
        size_t before = s->at;

        if (!next_line(s, &l)) {
            return damaged(s, b.line, "the file ends inside this block; it may be half-written");
        }
        if (starts(l, BEGIN)) {
            s->at = before; /* the next block may be whole */
            s->line_no--;
            return damaged(s, b.line, "another block begins before this one has ended");
        }
        if (starts(l, END)) {
            break;
        }
    }
    b.len = (size_t)(l.data + l.len - b.data);
    if (memmem(l.data, l.len, BEGIN, sizeof(BEGIN) - 1) != NULL) {
        return joined_blocks(s);
    }
    return take_block(s, &b);
}

static void note_text(struct scan *s, struct line l)
{
    size_t indent = strspn(l.data, " \t");

    if (indent > 0 && indent < l.len &&
        starts((struct line){l.data + indent, l.len - indent}, BEGIN) && s->indented_line == 0) {
        s->indented_line = s->line_no;
    }
    s->text_line = s->text_lines++ == 0 ? s->line_no : s->text_line;
}

/* The first bytes of another block, and then the file ends: it is being written. */
static bool is_cut_begin(const struct scan *s, struct line l)
{
    return s->at == s->text.len && s->text.data[s->text.len - 1] != '\n' && l.len > 0 &&
           l.len < sizeof(BEGIN) - 1 && memcmp(l.data, BEGIN, l.len) == 0;
}

static int scan_lines(struct scan *s)
{
    struct line l;
    char label[LABEL_MAX];

    while (next_line(s, &l)) {
        int rc = 0;

        if (begin_label(l, label)) {
            rc = read_block(s, l, label);
        } else if (starts(l, "-----BEGIN")) {
            s->blocks++;
            rc = damaged(s, s->line_no, "a BEGIN line that is cut or malformed");
        } else if (starts(l, "-----END")) {
            s->blocks++;
            rc = damaged(s, s->line_no, "an END line without its BEGIN");
        } else if (is_cut_begin(s, l)) {
            rc =
                damaged(s, s->line_no, "the file ends inside a BEGIN line; it may be half-written");
        } else if (l.len > 0) {
            note_text(s, l);
        }
        if (rc != 0) {
            return -1;
        }
    }
    return 0;
}

/* What a file without a PEM block is. */
static const char *guess(struct hc_bytes text)
{
    const unsigned char *d = text.data;
    const unsigned char *p = d;
    PKCS12 *p12 = NULL;

    if (text.len == 0) {
        return "the file is empty";
    }
    if (text.len >= 4 && ((d[0] == 0xff && d[1] == 0xfe) || (d[0] == 0xfe && d[1] == 0xff) ||
                          (d[0] == '-' && d[1] == 0) || (d[0] == 0 && d[1] == '-'))) {
        return "the file is UTF-16 text; save it as ASCII";
    }
    if (d[0] != 0x30 || text.len > HC_PAIR_PEM_MAX) {
        return "the file holds no PEM block";
    }
    p12 = d2i_PKCS12(NULL, &p, (long)text.len);
    PKCS12_free(p12);
    return p12 != NULL ? "the file is PKCS#12, not PEM" : "the file is DER (binary), not PEM";
}

static int report_absence(struct scan *s)
{
    const char *what =
        s->indented_line > 0
            ? "the lines of the PEM block are indented, so that no TLS library sees it"
            : guess(s->text);
    int rc = hc_findings_add(s->findings, HC_P_PEM_NOT_PEM, s->subject, s->err, "%s", what);

    ERR_clear_error();
    return rc;
}

/* BOM, CRLF and text around: the parser does not mind, people should know. */
static int report_noise(struct scan *s, bool bom)
{
    char place[HC_ERROR_SUBJECT];

    if (s->indented_line > 0 &&
        damaged(s, s->indented_line,
                "a BEGIN line is indented, so that no TLS library sees its block") != 0) {
        return -1;
    }
    if (bom && hc_findings_add(s->findings, HC_P_PEM_NOISE,
                               hc_pem_place(place, sizeof(place), s->subject, 1), s->err,
                               "the file begins with a byte order mark") != 0) {
        return -1;
    }
    if (s->text_lines > 0 &&
        hc_findings_add(s->findings, HC_P_PEM_NOISE,
                        hc_pem_place(place, sizeof(place), s->subject, s->text_line), s->err,
                        "%zu line%s of text outside of PEM blocks", s->text_lines,
                        s->text_lines == 1 ? "" : "s") != 0) {
        return -1;
    }
    return s->cr ? hc_findings_add(s->findings, HC_P_PEM_NOISE, s->subject, s->err,
                                   "the file has line ends of another system (CR)")
                 : 0;
}

int hc_pem_read(struct hc_bytes text, const char *subject, const struct hc_list *passphrases,
                unsigned want, struct hc_pem *out, struct hc_findings *findings,
                struct hc_error *err)
{
    static const unsigned char mark[] = {0xef, 0xbb, 0xbf};
    bool bom = text.len >= sizeof(mark) && memcmp(text.data, mark, sizeof(mark)) == 0;
    struct scan s = {.text = text,
                     .at = bom ? sizeof(mark) : 0,
                     .subject = subject,
                     .passphrases = passphrases,
                     .want = want,
                     .out = out,
                     .findings = findings,
                     .err = err};
    int rc = -1;

    if (text.len > HC_PAIR_PEM_MAX) {
        return hc_findings_add(findings, HC_P_PEM_DAMAGED, subject, err,
                               "the file is larger than %zu bytes", HC_PAIR_PEM_MAX);
    }
    if (scan_lines(&s) == 0) {
        rc = s.blocks == 0 ? report_absence(&s) : report_noise(&s, bom);
    }
    return rc;
}

void hc_pem_dispose(struct hc_pem *pem)
{
    for (size_t i = 0; i < pem->cert_count; i++) {
        X509_free(pem->certs[i].cert);
    }
    free(pem->certs);
    EVP_PKEY_free(pem->key);
    memset(pem, 0, sizeof(*pem));
}
