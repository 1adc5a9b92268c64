/* A-labels and U-labels by libidn2; see idn.h. RFC 5890, RFC 5891, UTS 46. */
#include "base/idn.h"

#include <idn2.h>
#include <string.h>

#include "base/escape.h"

#define NAME_MAX_   256 /* of a host name, with the NUL */
#define UNICODE_MAX 1024
#define HOST_CHARS  "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-.*_"

static bool shown = true;

bool hc_idn_is_ascii(const char *text)
{
    while (*text != '\0' && (unsigned char)*text < 0x80) {
        text++;
    }
    return *text == '\0';
}

static const char *fault_of(int status)
{
    if (status == IDN2_ENCODING_ERROR) {
        return "it is not in UTF-8";
    }
    return status == IDN2_DISALLOWED ? "IDNA2008 forbids one of its characters"
                                     : idn2_strerror(status);
}

const char *hc_idn_to_ascii(const char *name, char *dst, size_t cap)
{
    char *ascii = NULL;
    const char *fault = NULL;
    /* by IDN2_USE_STD3_ASCII_RULES characters such as '_' would be left out without a word */
    int status = idn2_to_ascii_8z(name, &ascii, IDN2_NFC_INPUT | IDN2_NONTRANSITIONAL);

    dst[0] = '\0';
    if (status != IDN2_OK) {
        fault = fault_of(status);
    } else if (!hc_copy(dst, cap, ascii)) {
        fault = "more than 253 characters";
    }
    idn2_free(ascii);
    return fault;
}

/* True if a label of the name is an A-label. */
static bool has_a_label(const char *name)
{
    for (const char *at = strstr(name, "xn--"); at != NULL; at = strstr(at + 1, "xn--")) {
        if (at == name || at[-1] == '.') {
            return true;
        }
    }
    return false;
}

bool hc_idn_to_unicode(const char *name, char *dst, size_t cap)
{
    size_t prefix = strncmp(name, "*.", 2) == 0 ? 2 : 0;
    char again[NAME_MAX_];
    char *text = NULL;
    bool same = false;

    dst[0] = '\0';
    if (!has_a_label(name) || strlen(name) >= NAME_MAX_ || cap < sizeof("*.")) {
        return false;
    }
    same = idn2_to_unicode_8z8z(name + prefix, &text, 0) == IDN2_OK &&
           strlen(text) + prefix < cap && !hc_idn_is_ascii(text) &&
           hc_idn_to_ascii(text, again, sizeof(again)) == NULL && strcmp(again, name + prefix) == 0;
    if (same) {
        memcpy(dst, "*.", prefix);
        same = hc_copy(dst + prefix, cap - prefix, text);
    }
    idn2_free(text);
    return same;
}

void hc_idn_show_use(bool unicode)
{
    shown = unicode;
}

bool hc_idn_shows(void)
{
    return shown;
}

/* A piece of text and where it stands. */
struct word {
    const char *at;
    size_t len;
};

/* True if the word is a name in a sentence, not a part of something else. */
static bool stands_alone(const char *text, const struct word *word)
{
    char before = word->at > text ? word->at[-1] : ' ';
    const char *behind = word->at + word->len;

    return strchr(" (\"'", before) != NULL && memchr(word->at, '_', word->len) == NULL &&
           (*behind == '\0' || strchr(" ),;\"'", *behind) != NULL ||
            (*behind == ':' && (behind[1] == ' ' || behind[1] == '\0')));
}

/* " (its other form)" of a word; "" if it has none. */
static void other_form(const struct word *word, char *dst, size_t cap)
{
    char name[NAME_MAX_];
    char text[UNICODE_MAX];

    dst[0] = '\0';
    if (word->len >= sizeof(name)) {
        return;
    }
    memcpy(name, word->at, word->len);
    name[word->len] = '\0';
    if (hc_idn_to_unicode(name, text, sizeof(text)) && strlen(text) + 4 <= cap) {
        dst[0] = ' ';
        dst[1] = '(';
        (void)hc_copy(dst + 2, cap - 2, text);
        (void)hc_copy(dst + strlen(dst), cap - strlen(dst), ")");
    }
}

/* True if this word has its other form behind it somewhere in text already. */
static bool is_shown(const char *text, const struct word *word, const char *form)
{
    for (const char *at = strstr(text, form); at != NULL; at = strstr(at + 1, form)) {
        if ((size_t)(at - text) >= word->len && memcmp(at - word->len, word->at, word->len) == 0) {
            return true;
        }
    }
    return false;
}

/* As much as fits; without a cut in a letter. */
static size_t append(char *dst, size_t used, size_t cap, const char *src, size_t len, bool whole)
{
    size_t room = cap - 1 - used;

    if (len > room) {
        len = whole ? 0 : room;
    }
    memcpy(dst + used, src, len);
    dst[used + len] = '\0';
    return used + len;
}

char *hc_idn_show(const char *text, char *dst, size_t cap)
{
    char form[UNICODE_MAX + 4];
    bool quoted = false; /* between backticks */
    size_t used = 0;

    if (!shown || strstr(text, "xn--") == NULL) {
        (void)hc_copy(dst, cap, text);
        return dst;
    }
    dst[0] = '\0';
    for (const char *at = text; *at != '\0';) {
        struct word word = {at, strspn(at, HOST_CHARS)};

        if (word.len == 0) {
            quoted = quoted != (*at == '`');
            word.len = 1;
        }
        used = append(dst, used, cap, at, word.len, false);
        if (word.len > 4 && !quoted && stands_alone(text, &word)) {
            other_form(&word, form, sizeof(form));
            if (form[0] != '\0' && !is_shown(text, &word, form) && !is_shown(dst, &word, form)) {
                used = append(dst, used, cap, form, strlen(form), true);
            }
        }
        at += word.len;
    }
    return dst;
}
