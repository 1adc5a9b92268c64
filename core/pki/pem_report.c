/* What is odd or wrong about a PEM file, as findings; see pem_scan.h. */
#include <stdio.h>
#include <string.h>

#include "pki/key.h"
#include "pki/pair.h"
#include "pki/pem_guess.h"
#include "pki/pem_scan.h"

/* True if the readers of certificates or of the key gave up here; notes that it explains them. */
static bool note_stop(struct hc_pem_scan *s, size_t line)
{
    bool certs = s->stop.refused && line >= s->stop.from && line <= s->stop.until;
    bool key = (s->want & HC_PEM_KEY) != 0 && s->out->key == NULL &&
               (s->out->key_line == 0 || line <= s->out->key_line);

    s->certs_explained |= certs;
    s->key_explained |= key;
    return certs || key;
}

static int fault(struct hc_pem_scan *s, bool fatal, size_t line, const char *what)
{
    char place[HC_ERROR_SUBJECT];

    return hc_findings_add(s->findings, fatal ? HC_P_PEM_DAMAGED : HC_P_PEM_NOISE,
                           hc_pem_place(place, sizeof(place), s->subject, line), s->err, "%s%s",
                           what, fatal ? "" : "; servers read past it");
}

/* A block that is not whole: the servers' readers end there, if they come that far. */
int hc_pem_damaged(struct hc_pem_scan *s, size_t line, const char *what)
{
    return fault(s, note_stop(s, line), line, what);
}

/*
 * A line that is no part of a block for the servers' readers, though it was meant to be. Whether
 * anything is missing because of it is known at the end; the first one waits for that.
 */
int hc_pem_stray(struct hc_pem_scan *s, size_t line, const char *what)
{
    if (s->stray_what != NULL) {
        return fault(s, false, line, what);
    }
    s->stray_what = what;
    s->stray_line = line;
    return 0;
}

int hc_pem_key_fault(struct hc_pem_scan *s, const struct hc_pem_block *b, enum hc_problem p,
                     const char *fmt)
{
    char place[HC_ERROR_SUBJECT];

    hc_pem_place(place, sizeof(place), s->subject, b->line);
    return hc_findings_add(s->findings, p, place, s->err, "%s: a block of the kind %s", fmt,
                           b->label);
}

int hc_pem_report_absence(struct hc_pem_scan *s)
{
    struct hc_pem_guess g =
        hc_pem_guess(s->text, (s->want & HC_PEM_CERTS) != 0, s->indented_line > 0);

    return hc_findings_add(s->findings, HC_P_PEM_NOT_PEM, s->subject, s->err, "%s", g.what) == 0
               ? hc_findings_hint(s->findings, s->err, "%s", g.hint)
               : -1;
}

/* A key without a block, which one of the two servers takes. */
static int report_form(struct hc_pem_scan *s)
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
static int report_stray(struct hc_pem_scan *s)
{
    bool misses = ((s->want & HC_PEM_CERTS) != 0 && s->out->cert_count == 0 && s->certs == 0) ||
                  ((s->want & HC_PEM_KEY) != 0 && s->out->key_line == 0 && s->out->key == NULL);

    return s->stray_what != NULL ? fault(s, misses, s->stray_line, s->stray_what) : 0;
}

/* The line of a byte of the text. */
static size_t line_of(const struct hc_pem_scan *s, const unsigned char *at)
{
    size_t line = 1;

    for (const unsigned char *p = s->text.data; p < at; p++) {
        line += *p == '\n';
    }
    return line;
}

static int noise(struct hc_pem_scan *s, size_t line, const char *what)
{
    char place[HC_ERROR_SUBJECT];

    return hc_findings_add(s->findings, HC_P_PEM_NOISE,
                           line > 0 ? hc_pem_place(place, sizeof(place), s->subject, line)
                                    : s->subject,
                           s->err, "%s", what);
}

/* BOM, NUL, CRLF and text around: the reader does not mind, people should know. */
static int report_noise(struct hc_pem_scan *s, bool bom)
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

int hc_pem_report(struct hc_pem_scan *s, bool bom)
{
    char text[96];

    snprintf(text, sizeof(text), "more than %d certificates; hotcert ignores the rest",
             HC_PEM_CERTS_MAX);
    if (s->indented_line > 0 &&
        hc_pem_stray(s, s->indented_line,
                     "a BEGIN line is indented, so no TLS library reads its block") != 0) {
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
        hc_pem_damaged(s, s->stop.block > 0 ? s->stop.block : s->stop.from, s->stop.why) != 0) {
        return -1;
    }
    return report_noise(s, bom);
}

int hc_pem_report_size(const struct hc_pem_scan *s)
{
    bool pem = s->text.len > 0 &&
               memmem(s->text.data, s->text.len, HC_PEM_BEGIN, sizeof(HC_PEM_BEGIN) - 1) != NULL;

    return hc_findings_add(s->findings, pem ? HC_P_PEM_DAMAGED : HC_P_PEM_NOT_PEM, s->subject,
                           s->err, "the file is larger than %zu bytes, the most that is read%s",
                           HC_PAIR_PEM_MAX, pem ? "" : ", and holds no PEM block there") == 0
               ? hc_findings_hint(s->findings, s->err, "name a file that holds nothing but %s",
                                  (s->want & HC_PEM_CERTS) != 0 ? "the certificate and its chain"
                                                                : "the key")
               : -1;
}
