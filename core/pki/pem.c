/* PEM files as operators have them; see pem.h. RFC 7468. */
#include "pki/pem.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "pki/cert.h"
#include "pki/key.h"
#include "pki/pair.h"
#include "pki/pem_scan.h"

#define BEGIN HC_PEM_BEGIN
#define END   "-----END "

/* A line without its end; data points into the text. */
struct line {
    const char *data;
    size_t len;
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

static bool next_line(struct hc_pem_scan *s, struct line *l)
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

/* "-----BEGIN X-----" to "X"; false if it is no such line. */
static bool begin_label(struct line l, char label[HC_PEM_LABEL_MAX])
{
    size_t head = sizeof(BEGIN) - 1;

    if (!starts(l, BEGIN) || l.len < head + 5 || memcmp(l.data + l.len - 5, "-----", 5) != 0 ||
        l.len - head - 5 >= HC_PEM_LABEL_MAX) {
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

/* A PKCS#8 key, whole, of an algorithm that this OpenSSL does not have. */
static bool is_foreign_pkcs8(const unsigned char *der, long len)
{
    const unsigned char *p = der;
    const ASN1_OBJECT *algorithm = NULL;
    PKCS8_PRIV_KEY_INFO *info = d2i_PKCS8_PRIV_KEY_INFO(NULL, &p, len);
    EVP_PKEY_CTX *ctx = NULL;
    char name[80] = "";
    bool known = info == NULL || PKCS8_pkey_get0(&algorithm, NULL, NULL, NULL, info) != 1;

    if (!known) {
        (void)OBJ_obj2txt(name, sizeof(name), algorithm, 1);
        ctx = EVP_PKEY_CTX_new_from_name(NULL, name, NULL);
        known = ctx != NULL;
    }
    EVP_PKEY_CTX_free(ctx);
    PKCS8_PRIV_KEY_INFO_free(info);
    return !known;
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

/* Why the servers' reader of keys gave up at this block, the first one of the file. */
static int explain_key(struct hc_pem_scan *s, const struct hc_pem_block *b, const char *header,
                       const unsigned char *der, long len)
{
    bool closed = strcmp(b->label, PEM_STRING_PKCS8) == 0 || strstr(header, "ENCRYPTED") != NULL;

    if (!is_known_key_label(b->label)) {
        return hc_pem_key_fault(s, b, HC_P_KEY_UNSUPPORTED, "the label of its block");
    }
    if (closed) {
        return hc_pem_key_fault(s, b, HC_P_KEY_ENCRYPTED,
                                s->passphrases != NULL && s->passphrases->count > 0
                                    ? "none of the passphrases given opens it"
                                    : "no passphrase was given");
    }
    return is_foreign_pkcs8(der, len)
               ? hc_pem_key_fault(s, b, HC_P_KEY_UNSUPPORTED, "its algorithm or curve")
               : hc_pem_damaged(s, b->line, "the private key in this block cannot be read");
}

static int second_key(struct hc_pem_scan *s, const struct hc_pem_block *b)
{
    char place[HC_ERROR_SUBJECT];

    hc_pem_place(place, sizeof(place), s->subject, b->line);
    return hc_findings_add(s->findings, HC_P_PEM_NOISE, place, s->err,
                           "a second private key; hotcert uses the first one of the file");
}

/* The block of the key that the servers' reader did not make out. */
static int missed_key(struct hc_pem_scan *s, const struct hc_pem_block *b)
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
        rc = hc_pem_damaged(s, b->line,
                            "this PEM block is incomplete: its base64 or its END line is broken");
    } else {
        rc = explain_key(s, b, header, der, len);
    }
    OPENSSL_free(label);
    OPENSSL_free(header);
    OPENSSL_clear_free(der, len > 0 ? (size_t)len : 0);
    BIO_free(bio);
    ERR_clear_error();
    return rc;
}

static int key_block(struct hc_pem_scan *s, const struct hc_pem_block *b)
{
    if (s->out->key_line != 0) {
        return (s->want & HC_PEM_KEY) != 0 ? second_key(s, b) : 0;
    }
    s->out->key_line = b->line;
    if ((s->want & HC_PEM_KEY) == 0) {
        return 0;
    }
    if (s->out->key == NULL) {
        return s->key_explained ? 0 : missed_key(s, b);
    }
    if (hc_key_is_supported(s->out->key)) {
        return 0;
    }
    EVP_PKEY_free(s->out->key);
    s->out->key = NULL;
    return hc_pem_key_fault(s, b, HC_P_KEY_UNSUPPORTED, "its algorithm or curve");
}

static int other_block(struct hc_pem_scan *s, const struct hc_pem_block *b)
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

static int take_block(struct hc_pem_scan *s, const struct hc_pem_block *b)
{
    if (is_private_key(b->label)) {
        return key_block(s, b);
    }
    if (is_certificate(b->label)) {
        s->certs++;
        /* the servers' readers know that form in the first place only */
        if (s->certs == 1 || strcmp(b->label, PEM_STRING_X509_TRUSTED) != 0) {
            return 0;
        }
    }
    return other_block(s, b);
}

/* "-----END X----------BEGIN Y-----": one fault, and the second block is no text around blocks. */
static int joined_blocks(struct hc_pem_scan *s)
{
    size_t line = s->line_no;
    struct line l;

    while (next_line(s, &l) && !starts(l, END)) {
    }
    return hc_pem_damaged(
        s, line, "END and BEGIN are on one line: two files were joined without a line break");
}

/* From the line after BEGIN to END. */
static int read_block(struct hc_pem_scan *s, struct line begin, const char *label)
{
    struct hc_pem_block b = {.line = s->line_no, .data = begin.data};
    struct line l;

    s->blocks++;
    memcpy(b.label, label, HC_PEM_LABEL_MAX);
    for (;;) {
        size_t before = s->at;

        if (!next_line(s, &l)) {
            return hc_pem_damaged(s, b.line,
                                  "the file ends inside this block; it may be incomplete");
        }
        if (starts(l, BEGIN)) {
            s->at = before; /* the next block may be whole */
            s->line_no--;
            return hc_pem_damaged(s, b.line, "another block begins before this one has ended");
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

static void note_text(struct hc_pem_scan *s, struct line l)
{
    size_t indent = strspn(l.data, " \t");

    if (indent > 0 && indent < l.len &&
        starts((struct line){l.data + indent, l.len - indent}, BEGIN) && s->indented_line == 0) {
        s->indented_line = s->line_no;
    }
    s->text_line = s->text_lines++ == 0 ? s->line_no : s->text_line;
}

/* The first bytes of another block, and then the file ends: it is being written. */
static bool is_cut_begin(const struct hc_pem_scan *s, struct line l)
{
    return s->at == s->text.len && s->text.data[s->text.len - 1] != '\n' && l.len > 0 &&
           l.len < sizeof(BEGIN) - 1 && memcmp(l.data, BEGIN, l.len) == 0;
}

static int scan_lines(struct hc_pem_scan *s)
{
    struct line l;
    char label[HC_PEM_LABEL_MAX];

    while (next_line(s, &l)) {
        int rc = 0;

        if (begin_label(l, label)) {
            rc = read_block(s, l, label);
        } else if (starts(l, "-----BEGIN")) {
            rc = hc_pem_stray(s, s->line_no, "a BEGIN line that is cut or malformed");
        } else if (starts(l, "-----END")) {
            rc = hc_pem_stray(s, s->line_no, "an END line without its BEGIN");
        } else if (is_cut_begin(s, l)) {
            rc = hc_pem_stray(s, s->line_no,
                              "the file ends inside a BEGIN line; it may be incomplete");
        } else if (l.len > 0) {
            note_text(s, l);
        }
        if (rc != 0) {
            return -1;
        }
    }
    return 0;
}

/* The readers first: what they make of the file decides how what is odd about it ranks. */
static int load(struct hc_pem_scan *s)
{
    if ((s->want & HC_PEM_CERTS) != 0 &&
        hc_pem_load_certs(s->text, s->out, &s->stop, s->err) != 0) {
        return -1;
    }
    return (s->want & HC_PEM_KEY) != 0
               ? hc_pem_load_key(s->text, s->passphrases, (s->want & HC_PEM_KEY_HTTPD) != 0, s->out,
                                 s->err)
               : 0;
}

int hc_pem_read(const struct hc_pem_source *source, struct hc_pem *out,
                struct hc_findings *findings, struct hc_error *err)
{
    static const unsigned char mark[] = {0xef, 0xbb, 0xbf};
    struct hc_bytes text = source->text;
    bool bom = text.len >= sizeof(mark) && memcmp(text.data, mark, sizeof(mark)) == 0;
    struct hc_pem_scan s = {.text = text,
                            .at = bom ? sizeof(mark) : 0,
                            .subject = source->subject,
                            .passphrases = source->passphrases,
                            .want = source->want,
                            .out = out,
                            .findings = findings,
                            .err = err};

    if (text.len > HC_PAIR_PEM_MAX) {
        return hc_pem_report_size(&s);
    }
    if (load(&s) != 0 || scan_lines(&s) != 0) {
        return -1;
    }
    return s.blocks == 0 && s.stray_what == NULL && out->cert_count == 0 && out->key == NULL
               ? hc_pem_report_absence(&s)
               : hc_pem_report(&s, bom);
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
