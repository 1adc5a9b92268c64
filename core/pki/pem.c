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
#include "pki/pem_guess.h"
#include "pki/pem_load.h"

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
    struct hc_pem_stop stop; /* where the reader of certificates gave up */
    struct hc_findings *findings;
    struct hc_error *err;
    size_t blocks;          /* that were whole enough to have a BEGIN line */
    size_t certs;           /* blocks of certificates */
    bool certs_explained;   /* why the reader of certificates gave up was found, */
    bool key_explained;     /* and why that of the key did */
    const char *stray_what; /* of the first stray line, or NULL */
    size_t stray_line;
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

/* The readers of certificates or of the key gave up here. */
static bool is_fatal(struct scan *s, size_t line)
{
    bool certs = s->stop.refused && line >= s->stop.from && line <= s->stop.until;
    bool key = (s->want & HC_PEM_KEY) != 0 && s->out->key == NULL &&
               (s->out->key_line == 0 || line <= s->out->key_line);

    s->certs_explained |= certs;
    s->key_explained |= key;
    return certs || key;
}

static int fault(struct scan *s, bool fatal, size_t line, const char *what)
{
    char place[HC_ERROR_SUBJECT];

    return hc_findings_add(s->findings, fatal ? HC_P_PEM_DAMAGED : HC_P_PEM_NOISE,
                           hc_pem_place(place, sizeof(place), s->subject, line), s->err, "%s%s",
                           what, fatal ? "" : "; servers read past it");
}

/* A block that is not whole: the servers' readers end there, if they come that far. */
static int damaged(struct scan *s, size_t line, const char *what)
{
    return fault(s, is_fatal(s, line), line, what);
}

/*
 * A line that is no part of a block for the servers' readers, though it was meant to be. Whether
 * anything is missing because of it is known at the end; the first one waits for that.
 */
static int stray(struct scan *s, size_t line, const char *what)
{
    if (s->stray_what != NULL) {
        return fault(s, false, line, what);
    }
    s->stray_what = what;
    s->stray_line = line;
    return 0;
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

static int key_fault(struct scan *s, const struct block *b, enum hc_problem p, const char *fmt)
{
    char place[HC_ERROR_SUBJECT];

    hc_pem_place(place, sizeof(place), s->subject, b->line);
    return hc_findings_add(s->findings, p, place, s->err, "%s: a block of the kind %s", fmt,
                           b->label);
}

/* Why the servers' reader of keys gave up at this block, the first one of the file. */
static int explain_key(struct scan *s, const struct block *b, const char *header,
                       const unsigned char *der, long len)
{
    bool closed = strcmp(b->label, PEM_STRING_PKCS8) == 0 || strstr(header, "ENCRYPTED") != NULL;

    if (!is_known_key_label(b->label)) {
        return key_fault(s, b, HC_P_KEY_UNSUPPORTED, "the label of its block");
    }
    if (closed) {
        return key_fault(s, b, HC_P_KEY_ENCRYPTED,
                         s->passphrases != NULL && s->passphrases->count > 0
                             ? "none of the passphrases given opens it"
                             : "no passphrase was given");
    }
    return is_foreign_pkcs8(der, len)
               ? key_fault(s, b, HC_P_KEY_UNSUPPORTED, "its algorithm or curve")
               : damaged(s, b->line, "the private key in this block cannot be read");
}

static int second_key(struct scan *s, const struct block *b)
{
    char place[HC_ERROR_SUBJECT];

    hc_pem_place(place, sizeof(place), s->subject, b->line);
    return hc_findings_add(s->findings, HC_P_PEM_NOISE, place, s->err,
                           "a second private key; hotcert uses the first one of the file");
}

/* The block of the key that the servers' reader did not make out. */
static int missed_key(struct scan *s, const struct block *b)
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

static int key_block(struct scan *s, const struct block *b)
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
    return key_fault(s, b, HC_P_KEY_UNSUPPORTED, "its algorithm or curve");
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
static int joined_blocks(struct scan *s)
{
    size_t line = s->line_no;
    struct line l;

    while (next_line(s, &l) && !starts(l, END)) {
    }
    return damaged(s, line,
                   "END and BEGIN are on one line: two files were joined without a line break");
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
            return damaged(s, b.line, "the file ends inside this block; it may be incomplete");
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
            rc = stray(s, s->line_no, "a BEGIN line that is cut or malformed");
        } else if (starts(l, "-----END")) {
            rc = stray(s, s->line_no, "an END line without its BEGIN");
        } else if (is_cut_begin(s, l)) {
            rc = stray(s, s->line_no, "the file ends inside a BEGIN line; it may be incomplete");
        } else if (l.len > 0) {
            note_text(s, l);
        }
        if (rc != 0) {
            return -1;
        }
    }
    return 0;
}

static int report_absence(struct scan *s)
{
    struct hc_pem_guess g =
        hc_pem_guess(s->text, (s->want & HC_PEM_CERTS) != 0, s->indented_line > 0);

    return hc_findings_add(s->findings, HC_P_PEM_NOT_PEM, s->subject, s->err, "%s", g.what) == 0
               ? hc_findings_hint(s->findings, s->err, "%s", g.hint)
               : -1;
}

/* A key without a block, which one of the two servers takes. */
static int report_form(struct scan *s)
{
    if (!hc_key_is_supported(s->out->key)) {
        EVP_PKEY_free(s->out->key);
        s->out->key = NULL;
        return hc_findings_add(s->findings, HC_P_KEY_UNSUPPORTED, s->subject, s->err,
                               "its algorithm or curve");
    }
    return hc_findings_add(s->findings, HC_P_PEM_NOISE, s->subject, s->err,
                           "the key is in no PEM block; httpd reads it, nginx and most programs "
                           "do not") == 0
               ? hc_findings_hint(s->findings, s->err,
                                  "convert it: openssl pkey -inform DER -in FILE -out FILE.pem")
               : -1;
}

/* A stray line is a fault if what is looked for is not there: it may have been its first. */
static int report_stray(struct scan *s)
{
    bool misses = ((s->want & HC_PEM_CERTS) != 0 && s->out->cert_count == 0 && s->certs == 0) ||
                  ((s->want & HC_PEM_KEY) != 0 && s->out->key_line == 0 && s->out->key == NULL);

    return s->stray_what != NULL ? fault(s, misses, s->stray_line, s->stray_what) : 0;
}

/* The line of a byte of the text. */
static size_t line_of(const struct scan *s, const unsigned char *at)
{
    size_t line = 1;

    for (const unsigned char *p = s->text.data; p < at; p++) {
        line += *p == '\n';
    }
    return line;
}

static int noise(struct scan *s, size_t line, const char *what)
{
    char place[HC_ERROR_SUBJECT];

    return hc_findings_add(s->findings, HC_P_PEM_NOISE,
                           line > 0 ? hc_pem_place(place, sizeof(place), s->subject, line)
                                    : s->subject,
                           s->err, "%s", what);
}

/* BOM, NUL, CRLF and text around: the reader does not mind, people should know. */
static int report_noise(struct scan *s, bool bom)
{
    const unsigned char *nul = memchr(s->text.data, '\0', s->text.len);
    char text[64];

    snprintf(text, sizeof(text), "%zu line%s of text outside PEM blocks", s->text_lines,
             s->text_lines == 1 ? "" : "s");
    if ((bom && noise(s, 1, "the file begins with a byte order mark") != 0) ||
        (nul != NULL &&
         noise(s, line_of(s, nul),
               "NUL bytes, as an interrupted write leaves them; programs may stop reading there") !=
             0) ||
        (s->text_lines > 0 && noise(s, s->text_line, text) != 0)) {
        return -1;
    }
    return s->cr ? noise(s, 0, "the file has the line endings of another system (CR)") : 0;
}

static int report(struct scan *s, bool bom)
{
    char text[96];

    snprintf(text, sizeof(text), "more than %d certificates; hotcert ignores the rest",
             HC_PEM_CERTS_MAX);
    if (s->indented_line > 0 &&
        stray(s, s->indented_line, "a BEGIN line is indented, so no TLS library reads its block") !=
            0) {
        return -1;
    }
    if (s->out->key_has_no_block) {
        return report_form(s);
    }
    if (report_stray(s) != 0 ||
        (s->out->passed_over > 0 && noise(s, s->out->passed_over, text) != 0)) {
        return -1;
    }
    if (s->stop.refused && !s->certs_explained && s->stop.why[0] != '\0' &&
        damaged(s, s->stop.block > 0 ? s->stop.block : s->stop.from, s->stop.why) != 0) {
        return -1;
    }
    return report_noise(s, bom);
}

/* The readers first: what they make of the file decides how what is odd about it ranks. */
static int load(struct scan *s)
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

static int report_size(const struct scan *s)
{
    bool pem =
        s->text.len > 0 && memmem(s->text.data, s->text.len, BEGIN, sizeof(BEGIN) - 1) != NULL;

    return hc_findings_add(s->findings, pem ? HC_P_PEM_DAMAGED : HC_P_PEM_NOT_PEM, s->subject,
                           s->err, "the file is larger than %zu bytes, the most that is read%s",
                           HC_PAIR_PEM_MAX, pem ? "" : ", and holds no PEM block there") == 0
               ? hc_findings_hint(s->findings, s->err, "name a file that holds nothing but %s",
                                  (s->want & HC_PEM_CERTS) != 0 ? "the certificate and its chain"
                                                                : "the key")
               : -1;
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

    if (text.len > HC_PAIR_PEM_MAX) {
        return report_size(&s);
    }
    if (load(&s) != 0 || scan_lines(&s) != 0) {
        return -1;
    }
    return s.blocks == 0 && s.stray_what == NULL && out->cert_count == 0 && out->key == NULL
               ? report_absence(&s)
               : report(&s, bom);
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
