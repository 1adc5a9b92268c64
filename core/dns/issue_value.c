/* The grammar of issue values; see issue_value.h. */
#include "dns/issue_value.h"

#include <string.h>
#include <strings.h>

#define PARAMETERS 1024 /* of one record: more is no list that anybody wrote */

bool hc_slice_is(struct hc_slice s, const char *text)
{
    return s.len == strlen(text) && memcmp(s.at, text, s.len) == 0;
}

bool hc_slice_is_tag(struct hc_slice s, const char *text)
{
    return s.len == strlen(text) && strncasecmp(s.at, text, s.len) == 0;
}

static bool is_alnum(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

static void skip_space(struct hc_slice *in)
{
    while (in->len > 0 && (in->at[0] == ' ' || in->at[0] == '\t')) {
        in->at++;
        in->len--;
    }
}

bool hc_slice_take_char(struct hc_slice *in, char c)
{
    if (in->len == 0 || in->at[0] != c) {
        return false;
    }
    in->at++;
    in->len--;
    return true;
}

struct hc_slice hc_slice_take_label(struct hc_slice *in)
{
    struct hc_slice label = {in->at, 0};
    size_t n = 0;

    while (n < in->len && (is_alnum(in->at[n]) || (n > 0 && in->at[n] == '-'))) {
        n++;
    }
    while (n > 0 && in->at[n - 1] == '-') {
        n--;
    }
    label.len = n;
    in->at += n;
    in->len -= n;
    return label;
}

/* issuer-domain-name = label *("." label); false if it is begun and not ended well. */
static bool take_domain(struct hc_slice *in, struct hc_slice *domain)
{
    const char *start = in->at;

    domain->at = start;
    domain->len = 0;
    if (hc_slice_take_label(in).len == 0) {
        return true;
    }
    while (hc_slice_take_char(in, '.')) {
        if (hc_slice_take_label(in).len == 0) {
            return false;
        }
    }
    domain->len = (size_t)(in->at - start);
    return true;
}

/* value = *(%x21-3A / %x3C-7E) */
static struct hc_slice take_value(struct hc_slice *in)
{
    struct hc_slice value = {in->at, 0};

    while (in->len > 0 && in->at[0] > 0x20 && in->at[0] < 0x7f && in->at[0] != ';') {
        in->at++;
        in->len--;
        value.len++;
    }
    return value;
}

static bool seen(const struct hc_slice *tags, size_t count, struct hc_slice tag)
{
    for (size_t i = 0; i < count; i++) {
        if (tags[i].len == tag.len && strncasecmp(tags[i].at, tag.at, tag.len) == 0) {
            return true;
        }
    }
    return false;
}

/* parameters = (parameter *WSP ";" *WSP parameters) / parameter */
static bool take_parameters(struct hc_slice *in, hc_issue_parameter *note, void *arg)
{
    struct hc_slice tags[PARAMETERS]; /* duplicates are looked for in it */

    for (size_t count = 0; count < PARAMETERS; count++) {
        struct hc_slice tag = hc_slice_take_label(in);
        struct hc_slice value;

        skip_space(in);
        if (tag.len == 0 || !hc_slice_take_char(in, '=')) {
            return false;
        }
        skip_space(in);
        value = take_value(in);
        if (!note(arg, tag, value, seen(tags, count, tag))) {
            return false;
        }
        tags[count] = tag;
        skip_space(in);
        if (in->len == 0) {
            return true;
        }
        if (!hc_slice_take_char(in, ';')) {
            return false;
        }
        skip_space(in);
    }
    return false;
}

bool hc_issue_value_read(struct hc_slice in, struct hc_slice *domain, hc_issue_parameter *note,
                         void *arg)
{
    skip_space(&in);
    if (!take_domain(&in, domain)) {
        return false;
    }
    skip_space(&in);
    if (in.len == 0) {
        return true;
    }
    if (!hc_slice_take_char(&in, ';')) {
        return false;
    }
    skip_space(&in);
    return in.len == 0 || take_parameters(&in, note, arg);
}
