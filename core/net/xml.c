/* Elements and their texts; see xml.h. */
#include "net/xml.h"

#include <expat.h>
#include <limits.h>
#include <string.h>

struct reading {
    XML_Parser parser;
    hc_xml_ended *ended;
    void *arg;
    char path[HC_XML_PATH_MAX];
    size_t lengths[HC_XML_DEPTH_MAX]; /* of the path, outside each element */
    size_t depth;
    struct hc_buf text;
    bool leaf; /* nothing has begun since the last element did */
    struct hc_error err;
};

static void stop(struct reading *r, const char *why)
{
    hc_error_set(&r->err, HC_P_FETCH_FAILED, NULL, "%s", why);
    (void)XML_StopParser(r->parser, XML_FALSE);
}

static void XMLCALL on_start(void *arg, const XML_Char *name, const XML_Char **attributes HC_UNUSED)
{
    struct reading *r = arg;
    size_t used = strlen(r->path);
    size_t len = strlen(name);

    if (r->depth == HC_XML_DEPTH_MAX || used + len + 2 > sizeof(r->path)) {
        stop(r, "the reply is XML with too many elements inside each other");
        return;
    }
    r->lengths[r->depth++] = used;
    r->path[used] = '/';
    memcpy(r->path + used + 1, name, len + 1);
    hc_buf_reset(&r->text);
    r->leaf = true;
}

static void XMLCALL on_end(void *arg, const XML_Char *name HC_UNUSED)
{
    struct reading *r = arg;

    if (hc_error_is_set(&r->err)) {
        return; /* expat may call once more after it was stopped */
    }
    if (r->ended(r->arg, r->path, r->leaf ? hc_buf_text(&r->text) : "", &r->err) != 0) {
        (void)XML_StopParser(r->parser, XML_FALSE);
    }
    r->path[r->lengths[--r->depth]] = '\0';
    r->leaf = false;
}

static void XMLCALL on_text(void *arg, const XML_Char *text, int len)
{
    struct reading *r = arg;

    if (r->leaf && !hc_error_is_set(&r->err) &&
        hc_buf_append(&r->text, text, (size_t)len, NULL) != 0) {
        stop(r, "the reply is XML with a text that is too long");
    }
}

static void XMLCALL on_doctype(void *arg, const XML_Char *name HC_UNUSED,
                               const XML_Char *system HC_UNUSED, const XML_Char *public HC_UNUSED,
                               int inside HC_UNUSED)
{
    stop(arg, "the reply is XML with a document type");
}

int hc_xml_read(struct hc_bytes bytes, hc_xml_ended *ended, void *arg, struct hc_error *err)
{
    struct reading r = {.ended = ended, .arg = arg, .text = HC_BUF_INIT_SECRET(HC_XML_TEXT_MAX)};
    int rc = -1;

    if (bytes.len > INT_MAX) {
        return hc_error_set(err, HC_P_TOO_LARGE, NULL, "XML of %zu bytes", bytes.len);
    }
    r.parser = XML_ParserCreate(NULL);
    if (r.parser == NULL) {
        return hc_error_nomem(err);
    }
    XML_SetUserData(r.parser, &r);
    XML_SetElementHandler(r.parser, on_start, on_end);
    XML_SetCharacterDataHandler(r.parser, on_text);
    XML_SetStartDoctypeDeclHandler(r.parser, on_doctype);
    if (XML_Parse(r.parser, bytes.len > 0 ? (const char *)bytes.data : "", (int)bytes.len, 1) ==
        XML_STATUS_OK) {
        rc = 0;
    } else if (hc_error_is_set(&r.err)) {
        hc_error_chain(err, &r.err);
    } else {
        hc_error_set(err, HC_P_FETCH_FAILED, NULL, "the reply is not XML: %s",
                     XML_ErrorString(XML_GetErrorCode(r.parser)));
    }
    XML_ParserFree(r.parser);
    hc_buf_dispose(&r.text);
    return rc;
}

bool hc_xml_is(const char *path, const char *end)
{
    size_t len = strlen(path);
    size_t want = strlen(end);

    return len > want && path[len - want - 1] == '/' && strcmp(path + len - want, end) == 0;
}

int hc_xml_put(struct hc_buf *out, const char *text, struct hc_error *err)
{
    int rc = 0;

    for (; *text != '\0' && rc == 0; text++) {
        switch (*text) {
        case '<':
            rc = hc_buf_puts(out, "&lt;", err);
            break;
        case '>':
            rc = hc_buf_puts(out, "&gt;", err);
            break;
        case '&':
            rc = hc_buf_puts(out, "&amp;", err);
            break;
        case '"':
            rc = hc_buf_puts(out, "&quot;", err);
            break;
        default:
            rc = (unsigned char)*text < 0x20
                     ? hc_error_set(err, HC_P_INTERNAL, NULL, "XML has no control characters")
                     : hc_buf_append(out, text, 1, err);
            break;
        }
    }
    return rc;
}
