/* BIND's trust anchors; see anchors_bind.h. */
#include "dns/anchors_bind.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "base/str.h"

#define WORD  4096
#define WORDS 6 /* name, kind, three numbers, and the key or digest */

static const char *skip_comment(const char *at)
{
    if (at[0] == '#' || (at[0] == '/' && at[1] == '/')) {
        return at + strcspn(at, "\n");
    }
    if (at[0] == '/' && at[1] == '*') {
        const char *end = strstr(at + 2, "*/");

        return end != NULL ? end + 2 : at + strlen(at);
    }
    return at;
}

static const char *skip_blanks(const char *at)
{
    for (;;) {
        const char *next = at + strspn(at, " \t\r\n");

        next = skip_comment(next);
        if (next == at) {
            return at;
        }
        at = next;
    }
}

/* Takes a word, a string without its quotes and the blanks in it, or one of {};. Empty: the end, or
 * a word that is too long. */
static const char *take_word(const char *at, char dst[WORD])
{
    size_t len = 0;

    at = skip_blanks(at);
    if (*at != '\0' && strchr("{};", *at) != NULL) {
        dst[len++] = *at++;
    } else if (*at == '"') {
        for (at++; *at != '\0' && *at != '"' && len < WORD - 1; at++) {
            if (isspace((unsigned char)*at) == 0) {
                dst[len++] = *at;
            }
        }
        at += *at == '"';
    } else {
        while (*at != '\0' && strchr("{};\" \t\r\n", *at) == NULL && len < WORD - 1) {
            dst[len++] = *at++;
        }
    }
    dst[len] = '\0';
    return len < WORD - 1 ? at : "";
}

static bool is_block(const char *word)
{
    static const char *const blocks[] = {"trust-anchors", "managed-keys", "trusted-keys"};

    for (size_t i = 0; i < HC_COUNT(blocks); i++) {
        if (strcmp(word, blocks[i]) == 0) {
            return true;
        }
    }
    return false;
}

bool hc_anchors_is_bind(const char *text)
{
    char word[WORD];

    (void)take_word(text, word);
    return is_block(word);
}

/* The words of one statement. */
struct statement {
    char words[WORDS][WORD];
    size_t count;
};

static int end_statement(struct statement *s, const char *path, hc_anchors_line *line, void *arg,
                         struct hc_error *err)
{
    char text[2 * WORD];
    bool kind = s->count == WORDS; /* trusted-keys has none */
    const char *type = kind && strstr(s->words[1], "-ds") != NULL ? "DS" : "DNSKEY";
    size_t at = kind ? 2 : 1;

    if (s->count < WORDS - 1 || s->count > WORDS) {
        return hc_error_set(err, HC_P_BAD_VALUE, path,
                            "the trust anchor of \"%.60s\" has %zu words", s->words[0], s->count);
    }
    (void)snprintf(text, sizeof(text), "%.255s 3600 IN %s %.8s %.8s %.8s %.4000s", s->words[0],
                   type, s->words[at], s->words[at + 1], s->words[at + 2], s->words[at + 3]);
    s->count = 0;
    return line(arg, text, path, err);
}

/* What stands in the braces; *at is behind the first one. */
static int read_block(const char **at, const char *path, hc_anchors_line *line, void *arg,
                      struct hc_error *err)
{
    struct statement s = {.count = 0};
    char word[WORD];

    for (;;) {
        *at = take_word(*at, word);
        if (strcmp(word, "}") == 0 && s.count == 0) {
            return 0;
        }
        if (strcmp(word, ";") == 0) {
            if (end_statement(&s, path, line, arg, err) != 0) {
                return -1;
            }
        } else if (word[0] == '\0' || word[0] == '{' || word[0] == '}' || s.count == WORDS) {
            return hc_error_set(err, HC_P_BAD_VALUE, path,
                                "a block of BIND's trust anchors in it is malformed");
        } else {
            (void)hc_copy(s.words[s.count++], WORD, word);
        }
    }
}

int hc_anchors_read_bind(const char *text, const char *path, hc_anchors_line *line, void *arg,
                         struct hc_error *err)
{
    char word[WORD];

    for (;;) {
        text = take_word(text, word);
        if (word[0] == '\0') {
            return 0;
        }
        if (strcmp(word, ";") == 0) {
            continue;
        }
        if (!is_block(word)) {
            return hc_error_set(err, HC_P_BAD_VALUE, path,
                                "\"%.60s\" is not one of trust-anchors, managed-keys, trusted-keys",
                                word);
        }
        text = take_word(text, word);
        if (strcmp(word, "{") != 0) {
            return hc_error_set(err, HC_P_BAD_VALUE, path,
                                "a block of BIND's trust anchors in it is malformed");
        }
        if (read_block(&text, path, line, arg, err) != 0) {
            return -1;
        }
    }
}
