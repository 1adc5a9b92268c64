/* AWS credentials as files and services write them; see aws_text.h. */
#include "net/aws_text.h"

#include <jansson.h>
#include <openssl/crypto.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "net/xml.h"

/* Where a member goes, by the names that files, JSON and XML have for it. */
struct member {
    const char *ini;
    const char *json;
    const char *xml;
    size_t offset;
    size_t size;
};
#define MEMBER(name, ini_word, json_word, xml_word)                                                \
    {                                                                                              \
        ini_word, json_word, xml_word, offsetof(struct hc_aws_credentials, name),                  \
            sizeof(((struct hc_aws_credentials *)0)->name)                                         \
    }
static const struct member members[] = {
    MEMBER(id, "aws_access_key_id", "AccessKeyId", "Credentials/AccessKeyId"),
    MEMBER(secret, "aws_secret_access_key", "SecretAccessKey", "Credentials/SecretAccessKey"),
    MEMBER(token, "aws_session_token", "Token", "Credentials/SessionToken"),
};

/* Printable, and not too long; anything else counts as missing. */
static void take(struct hc_aws_credentials *out, const struct member *m, const char *text,
                 size_t len)
{
    char *dst = (char *)out + m->offset;

    for (size_t i = 0; i < len; i++) {
        if ((unsigned char)text[i] <= 0x20 || (unsigned char)text[i] > 0x7e) {
            return;
        }
    }
    if (len < m->size) {
        memcpy(dst, text, len);
        dst[len] = '\0';
    }
}

static int check(const struct hc_aws_credentials *out, const char *whose, struct hc_error *err)
{
    if (out->id[0] == '\0' || out->secret[0] == '\0') {
        return hc_error_set(err, HC_P_FETCH_CREDENTIALS, whose, "it has no %s",
                            out->id[0] == '\0' ? "key id" : "secret key");
    }
    return 0;
}

static struct hc_bytes trimmed(const char *at, const char *end)
{
    while (at < end && strchr(" \t\r", *at) != NULL) {
        at++;
    }
    while (end > at && strchr(" \t\r", end[-1]) != NULL) {
        end--;
    }
    return (struct hc_bytes){(const unsigned char *)at, (size_t)(end - at)};
}

static bool is_word(struct hc_bytes text, const char *word)
{
    return text.len == strlen(word) && strncasecmp((const char *)text.data, word, text.len) == 0;
}

static void take_line(const char *line, const char *end, bool *ours, struct hc_aws_credentials *out)
{
    struct hc_bytes all = trimmed(line, end);
    const char *equals = memchr(line, '=', (size_t)(end - line));

    if (all.len > 0 && all.data[0] == '[') {
        *ours = is_word(all, "[default]");
    } else if (*ours && equals != NULL) {
        struct hc_bytes value = trimmed(equals + 1, end);

        for (size_t i = 0; i < HC_COUNT(members); i++) {
            if (is_word(trimmed(line, equals), members[i].ini)) {
                take(out, &members[i], (const char *)value.data, value.len);
            }
        }
    }
}

int hc_aws_take_file(struct hc_bytes content, const char *path, struct hc_aws_credentials *out,
                     struct hc_error *err)
{
    const char *at = (const char *)content.data;
    const char *end = content.len > 0 ? at + content.len : at;
    bool ours = true;

    memset(out, 0, sizeof(*out));
    while (at < end) {
        const char *newline = memchr(at, '\n', (size_t)(end - at));
        const char *line_end = newline != NULL ? newline : end;

        take_line(at, line_end, &ours, out);
        at = newline != NULL ? newline + 1 : end;
    }
    return check(out, path, err);
}

/* "2026-11-28T14:00:00.123Z" too. */
static int take_expiry(const char *text, const char *whose, struct hc_aws_credentials *out,
                       struct hc_error *err)
{
    char whole[HC_TIME_TEXT];
    size_t len = strcspn(text, ".Z+");

    if (len >= sizeof(whole)) {
        return hc_error_set(err, HC_P_FETCH_CREDENTIALS, whose, "their expiry cannot be read");
    }
    memcpy(whole, text, len);
    whole[len] = '\0';
    return hc_time_parse(whole, &out->expires, NULL) == 0
               ? 0
               : hc_error_set(err, HC_P_FETCH_CREDENTIALS, whose, "their expiry cannot be read");
}

int hc_aws_take_json(struct hc_bytes body, const char *whose, struct hc_aws_credentials *out,
                     struct hc_error *err)
{
    json_t *object =
        body.len > 0 ? json_loadb((const char *)body.data, body.len, JSON_REJECT_DUPLICATES, NULL)
                     : NULL;
    const char *expiry = NULL;
    int rc = -1;

    memset(out, 0, sizeof(*out));
    if (!json_is_object(object)) {
        hc_error_set(err, HC_P_FETCH_CREDENTIALS, whose, "the reply is not JSON");
        goto out;
    }
    for (size_t i = 0; i < HC_COUNT(members); i++) {
        const json_t *text = json_object_get(object, members[i].json);

        if (json_is_string(text)) {
            take(out, &members[i], json_string_value(text), json_string_length(text));
        }
    }
    expiry = json_string_value(json_object_get(object, "Expiration"));
    rc = check(out, whose, err);
    rc = rc == 0 && expiry != NULL ? take_expiry(expiry, whose, out, err) : rc;
out:
    json_decref(object);
    return rc;
}

struct from_xml {
    struct hc_aws_credentials *out;
    const char *whose;
};

static int on_element(void *arg, const char *path, const char *text, struct hc_error *err)
{
    struct from_xml *from = arg;

    for (size_t i = 0; i < HC_COUNT(members); i++) {
        if (hc_xml_is(path, members[i].xml)) {
            take(from->out, &members[i], text, strlen(text));
        }
    }
    return hc_xml_is(path, "Credentials/Expiration")
               ? take_expiry(text, from->whose, from->out, err)
               : 0;
}

int hc_aws_take_xml(struct hc_bytes body, const char *whose, struct hc_aws_credentials *out,
                    struct hc_error *err)
{
    struct from_xml from = {out, whose};

    memset(out, 0, sizeof(*out));
    if (hc_xml_read(body, on_element, &from, err) != 0) {
        return -1;
    }
    return check(out, whose, err);
}

/* <Error><Code/><Message/></Error>; Route 53 also has <InvalidChangeBatch><Messages><Message/>. */
static int on_fault(void *arg, const char *path, const char *text, struct hc_error *err HC_UNUSED)
{
    struct hc_aws_fault *out = arg;

    if (hc_xml_is(path, "Error/Code")) {
        (void)hc_copy(out->code, sizeof(out->code), text);
    } else if (hc_xml_is(path, "Error/Message") || hc_xml_is(path, "Messages/Message")) {
        (void)hc_copy(out->message, sizeof(out->message), text);
    } else if (hc_xml_is(path, "InvalidChangeBatch")) {
        (void)hc_copy(out->code, sizeof(out->code), "InvalidChangeBatch");
    }
    return 0;
}

void hc_aws_take_fault(struct hc_bytes body, struct hc_aws_fault *out)
{
    struct hc_error ignored;

    memset(out, 0, sizeof(*out));
    hc_error_init(&ignored);
    if (hc_xml_read(body, on_fault, out, &ignored) != 0) {
        (void)hc_copy(out->message, sizeof(out->message), "the reply cannot be read");
    }
}

int hc_aws_put_escaped(struct hc_buf *out, const char *text, struct hc_error *err)
{
    static const char plain[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~";
    int rc = 0;

    for (; *text != '\0' && rc == 0; text++) {
        rc = strchr(plain, *text) != NULL
                 ? hc_buf_append(out, text, 1, err)
                 : hc_buf_printf(out, err, "%%%02X", (unsigned)(unsigned char)*text);
    }
    return rc;
}
