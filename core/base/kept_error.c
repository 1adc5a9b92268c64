/* Errors that are kept; see kept_error.h. */
#include "base/kept_error.h"

#include <stdlib.h>
#include <string.h>

enum { SUBJECT, ACTIVITY, DETAIL, HINT, TYPE, NAMES, PARTS };

struct hc_kept_text {
    size_t copies;
    int http_status;
    enum hc_problem means;
    int64_t retry_after;
    uint16_t len[PARTS];
    char bytes[]; /* the parts, one after the other, without NULs at their ends */
};

_Static_assert(HC_ERROR_DETAIL <= UINT16_MAX, "the length of a part has 16 bits");

struct part {
    const char *text;
    size_t len;
};

static void parts_of(const struct hc_error *err, struct part parts[PARTS])
{
    parts[SUBJECT] = (struct part){err->subject, strlen(err->subject)};
    parts[ACTIVITY] = (struct part){err->activity, strlen(err->activity)};
    parts[DETAIL] = (struct part){err->detail, err->detail_len};
    parts[HINT] = (struct part){err->hint, strlen(err->hint)};
    parts[TYPE] = (struct part){err->foreign.type, strlen(err->foreign.type)};
    parts[NAMES] = (struct part){err->foreign.names, strlen(err->foreign.names)};
}

/* NULL: nothing to say, or no memory. */
static struct hc_kept_text *text_new(const struct hc_error *err)
{
    const struct hc_foreign *foreign = &err->foreign;
    struct part parts[PARTS];
    struct hc_kept_text *text = NULL;
    size_t size = 0;
    char *at = NULL;

    parts_of(err, parts);
    for (size_t i = 0; i < PARTS; i++) {
        size += parts[i].len;
    }
    if (size == 0 && foreign->http_status == 0 && foreign->means == HC_P_NONE &&
        foreign->retry_after == 0) {
        return NULL;
    }
    text = malloc(sizeof(*text) + size);
    if (text == NULL) {
        return NULL;
    }
    text->copies = 1;
    text->http_status = foreign->http_status;
    text->means = foreign->means;
    text->retry_after = foreign->retry_after;
    at = text->bytes;
    for (size_t i = 0; i < PARTS; i++) {
        text->len[i] = (uint16_t)parts[i].len;
        memcpy(at, parts[i].text, parts[i].len);
        at += parts[i].len;
    }
    return text;
}

void hc_kept_error_set(struct hc_kept_error *kept, const struct hc_error *err)
{
    hc_kept_error_dispose(kept);
    if (hc_error_is_set(err)) {
        kept->problem = err->problem;
        kept->text = text_new(err);
    }
}

void hc_kept_error_get(const struct hc_kept_error *kept, struct hc_error *err)
{
    const struct hc_kept_text *text = kept->text;
    char *const parts[PARTS] = {
        [SUBJECT] = err->subject, [ACTIVITY] = err->activity, [DETAIL] = err->detail,
        [HINT] = err->hint,       [TYPE] = err->foreign.type, [NAMES] = err->foreign.names,
    };
    const char *at = NULL;

    hc_error_init(err);
    err->problem = kept->problem;
    if (text == NULL) {
        return;
    }
    at = text->bytes;
    for (size_t i = 0; i < PARTS; i++) {
        memcpy(parts[i], at, text->len[i]); /* the rest is zero */
        at += text->len[i];
    }
    err->detail_len = text->len[DETAIL];
    err->foreign.http_status = text->http_status;
    err->foreign.means = text->means;
    err->foreign.retry_after = text->retry_after;
}

void hc_kept_error_copy(struct hc_kept_error *dst, const struct hc_kept_error *src)
{
    struct hc_kept_error copy = *src;

    if (copy.text != NULL) {
        copy.text->copies++;
    }
    hc_kept_error_dispose(dst);
    *dst = copy;
}

void hc_kept_error_dispose(struct hc_kept_error *kept)
{
    if (kept->text != NULL && --kept->text->copies == 0) {
        free(kept->text);
    }
    *kept = (struct hc_kept_error){.problem = HC_P_NONE};
}
