/* Records in presentation form, RFC 1035 section 5.1 and RFC 8659 section 4.1.1; see message.h. */
#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#include "dns/message.h"

/* Room for what does not fit is always kept for "..". */
struct writer {
    char *dst;
    size_t cap;
    size_t len;
    bool cut;
};

static void put(struct writer *w, const char *text)
{
    size_t n = strlen(text);

    if (w->cut || w->len + n + 3 > w->cap) {
        if (!w->cut) {
            memcpy(w->dst + w->len, "..", 3);
            w->cut = true;
        }
        return;
    }
    memcpy(w->dst + w->len, text, n + 1);
    w->len += n;
}

static void put_name(struct writer *w, const struct hc_dname *name)
{
    char text[HC_DNAME_TEXT];

    put(w, hc_dname_format(name, text));
}

/* RFC 3597 section 5: any data, in hexadecimal. */
static void put_unknown(struct writer *w, const uint8_t *data, size_t len)
{
    char text[32];

    snprintf(text, sizeof(text), "\\# %zu%s", len, len > 0 ? " " : "");
    put(w, text);
    for (size_t i = 0; i < len; i++) {
        snprintf(text, sizeof(text), "%02x", data[i]);
        put(w, text);
    }
}

static void put_quoted(struct writer *w, const uint8_t *data, size_t len)
{
    char text[8];

    put(w, "\"");
    for (size_t i = 0; i < len; i++) {
        uint8_t c = data[i];

        if (c == '"' || c == '\\') {
            snprintf(text, sizeof(text), "\\%c", c);
        } else if (c >= 0x20 && c < 0x7f) {
            snprintf(text, sizeof(text), "%c", c);
        } else {
            snprintf(text, sizeof(text), "\\%03u", c);
        }
        put(w, text);
    }
    put(w, "\"");
}

static bool is_tag(const uint8_t *data, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        bool letter = (data[i] | 0x20) >= 'a' && (data[i] | 0x20) <= 'z';

        if (!letter && (data[i] < '0' || data[i] > '9')) {
            return false;
        }
    }
    return len > 0;
}

static void put_caa(struct writer *w, const struct hc_dns_record *r)
{
    size_t tag = r->len >= 2 ? r->data[1] : 0;
    char text[300];

    if (r->len < 2 + tag || tag == 0 || !is_tag(r->data + 2, tag)) {
        put_unknown(w, r->data, r->len);
        return;
    }
    snprintf(text, sizeof(text), "%u %.*s ", r->data[0], (int)tag, (const char *)r->data + 2);
    put(w, text);
    put_quoted(w, r->data + 2 + tag, r->len - 2 - tag);
}

/* Each string by itself, with a blank between two. */
static void put_strings(struct writer *w, const struct hc_dns_record *r)
{
    size_t at = 0;

    while (at < r->len && (size_t)r->data[at] <= (size_t)r->len - at - 1) {
        put(w, at > 0 ? " " : "");
        put_quoted(w, r->data + at + 1, r->data[at]);
        at += r->data[at] + 1U;
    }
    if (at < r->len) {
        put_unknown(w, r->data + at, r->len - at);
    }
}

static void put_address(struct writer *w, const struct hc_dns_record *r, int family, size_t len)
{
    char text[INET6_ADDRSTRLEN];

    if (r->len != len || inet_ntop(family, r->data, text, sizeof(text)) == NULL) {
        put_unknown(w, r->data, r->len);
        return;
    }
    put(w, text);
}

char *hc_dns_record_format(const struct hc_dns_record *record, char dst[HC_DNS_RECORD_TEXT])
{
    struct writer w = {dst, HC_DNS_RECORD_TEXT, 0, false};
    struct hc_dname target;
    char type[16];
    char text[48];

    dst[0] = '\0';
    put_name(&w, record->owner);
    snprintf(text, sizeof(text), " %u IN %s ", record->ttl, hc_dns_type_format(record->type, type));
    put(&w, text);
    if (record->type == HC_DNS_A) {
        put_address(&w, record, AF_INET, 4);
    } else if (record->type == HC_DNS_AAAA) {
        put_address(&w, record, AF_INET6, 16);
    } else if (record->type == HC_DNS_TXT) {
        put_strings(&w, record);
    } else if (record->type == HC_DNS_CAA) {
        put_caa(&w, record);
    } else if (hc_dns_record_target(record, &target) == 0) {
        put_name(&w, &target);
    } else {
        put_unknown(&w, record->data, record->len);
    }
    return dst;
}
