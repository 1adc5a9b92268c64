/* Reading JSON; see json.h. */
#include "acme/json.h"

#include <string.h>

int hc_json_object(struct hc_bytes text, const char *subject, json_t **out, struct hc_error *err)
{
    json_error_t where;
    json_t *value = NULL;

    /* jansson takes NULL for a mistake of the caller's */
    value = json_loadb(text.data != NULL ? (const char *)text.data : "", text.len,
                       JSON_REJECT_DUPLICATES, &where);
    if (value == NULL) {
        return hc_error_set(err, HC_P_CA_REPLY, subject, "it is not JSON (line %d, column %d)",
                            where.line, where.column);
    }
    if (!json_is_object(value)) {
        json_decref(value);
        return hc_error_set(err, HC_P_CA_REPLY, subject, "it is JSON, but not an object");
    }
    *out = value;
    return 0;
}

const char *hc_json_text(const json_t *object, const char *member)
{
    const json_t *value = json_object_get(object, member);

    if (!json_is_string(value) || json_string_length(value) > HC_JSON_TEXT_MAX) {
        return NULL;
    }
    return json_string_value(value);
}

int hc_json_need_text(const json_t *object, const char *member, const char *subject,
                      const char **out, struct hc_error *err)
{
    *out = hc_json_text(object, member);
    if (*out == NULL || (*out)[0] == '\0') {
        return hc_error_set(err, HC_P_CA_REPLY, subject, "its \"%s\" is missing or not a string",
                            member);
    }
    return 0;
}

json_t *hc_json_array(const json_t *object, const char *member)
{
    json_t *value = json_object_get(object, member);

    return json_is_array(value) ? value : NULL;
}

int hc_json_write(const json_t *object, struct hc_buf *out, struct hc_error *err)
{
    size_t len = json_dumpb(object, NULL, 0, JSON_COMPACT);
    unsigned char *at = NULL;

    if (len == 0) {
        return hc_error_nomem(err);
    }
    if (hc_buf_reserve(out, len, &at, err) != 0) {
        return -1;
    }
    if (json_dumpb(object, (char *)at, len, JSON_COMPACT) != len) {
        return hc_error_nomem(err);
    }
    out->len += len;
    out->data[out->len] = '\0';
    return 0;
}
