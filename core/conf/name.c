/* Host names, normalised and compared; see name.h. RFC 1123 2.1, RFC 6125 6.4.3, RFC 8738. */
#include "conf/name.h"

#include <arpa/inet.h>
#include <string.h>

#include "base/idn.h"
#include "conf/punycode.h"

/* ::ffff:192.0.2.1 is how a socket of both families says 192.0.2.1. */
static const unsigned char mapped[12] = {[10] = 0xff, [11] = 0xff};

static bool normalise_ip(const char *in, char out[HC_NAME_SIZE])
{
    unsigned char address[16];
    char bare[HC_NAME_SIZE];
    size_t len = strlen(in);

    if (inet_pton(AF_INET, in, address) == 1) {
        return inet_ntop(AF_INET, address, out, HC_NAME_SIZE) != NULL;
    }
    if (len > 2 && in[0] == '[' && in[len - 1] == ']') {
        if (!hc_copy(bare, sizeof(bare), in + 1)) {
            return false;
        }
        bare[len - 2] = '\0';
        in = bare;
    }
    if (inet_pton(AF_INET6, in, address) != 1) {
        return false;
    }
    if (memcmp(address, mapped, sizeof(mapped)) == 0) {
        return inet_ntop(AF_INET, address + sizeof(mapped), out, HC_NAME_SIZE) != NULL;
    }
    return inet_ntop(AF_INET6, address, out, HC_NAME_SIZE) != NULL;
}

/* One label of letters, digits and inner hyphens; what is wrong with it, or NULL. */
static const char *label_fault(const char *label, size_t len)
{
    if (len == 0) {
        return "an empty label";
    }
    if (len > 63) {
        return "a label of more than 63 characters";
    }
    if (label[0] == '-' || label[len - 1] == '-') {
        return "a label that begins or ends with a hyphen";
    }
    for (size_t i = 0; i < len; i++) {
        char c = label[i];

        if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-')) {
            return "a character that host names cannot have";
        }
    }
    return NULL;
}

/* "123", "0x7f": what programs take for a part of an address. */
static bool is_number(const char *label, size_t len)
{
    return strspn(label, "0123456789") == len || (len >= 2 && label[0] == '0' && label[1] == 'x' &&
                                                  strspn(label + 2, "0123456789abcdef") == len - 2);
}

static const char *labels_fault(const char *name)
{
    const char *label = name;
    bool last_is_number = false;
    size_t labels = 0;

    for (;;) {
        size_t len = strcspn(label, ".");
        const char *fault = label_fault(label, len);

        if (fault != NULL) {
            return fault;
        }
        labels++;
        last_is_number = is_number(label, len);
        if (label[len] == '\0') {
            break;
        }
        label += len + 1;
    }
    if (last_is_number) {
        return "a last label that is a number";
    }
    return labels < 2 ? "one label only; public certificates need a dot in the name" : NULL;
}

/* Takes the root's dot off and writes U-labels as A-labels. */
static int to_ascii(const char *in, char out[HC_NAME_SIZE], struct hc_error *err)
{
    size_t prefix = hc_name_is_wildcard(in) ? 2 : 0;
    char text[HC_NAME_SIZE * 4]; /* a letter is at most four bytes */
    size_t len = strlen(in + prefix);
    const char *fault = NULL;

    if (!hc_copy(text, sizeof(text), in + prefix)) {
        return hc_error_set(err, HC_P_NAME_INVALID, in, "it has more than 253 characters");
    }
    text[len - (len > 0 && text[len - 1] == '.')] = '\0';
    memcpy(out, "*.", prefix);
    fault = hc_idn_to_ascii(text, out + prefix, HC_NAME_SIZE - prefix);
    if (fault == NULL && strchr(out + prefix, '*') != NULL) {
        fault = "an asterisk of another script is no wildcard";
    }
    return fault == NULL ? 0
                         : hc_error_set(err, HC_P_NAME_INVALID, in,
                                        "it cannot be written in ASCII: %s", fault);
}

int hc_name_normalise(const char *raw, char out[HC_NAME_SIZE], struct hc_error *err)
{
    char ascii[HC_NAME_SIZE] = "";
    const char *in = raw;
    const char *fault = NULL;
    size_t len = 0;

    if (normalise_ip(in, out)) {
        return 0;
    }
    if (!hc_idn_is_ascii(in)) {
        if (to_ascii(in, ascii, err) != 0) {
            return -1;
        }
        in = ascii;
    }
    len = strlen(in);
    if (len > 0 && in[len - 1] == '.') {
        len--;
    }
    if (len == 0 || len > 253) {
        return hc_error_set(err, HC_P_NAME_INVALID, raw, "%s",
                            len == 0 ? "it is empty" : "it has more than 253 characters");
    }
    for (size_t i = 0; i < len; i++) {
        out[i] = in[i] >= 'A' && in[i] <= 'Z' ? (char)(in[i] - 'A' + 'a') : in[i];
    }
    out[len] = '\0';
    fault = labels_fault(hc_name_is_wildcard(out) ? out + 2 : out);
    if (fault != NULL) {
        return hc_error_set(err, HC_P_NAME_INVALID, raw, "it has %s", fault);
    }
    return 0;
}

static const char *label_reserved(const char *label, size_t len)
{
    if (len < 4 || label[2] != '-' || label[3] != '-') {
        return NULL;
    }
    if (label[0] != 'x' || label[1] != 'n') {
        return "a label with \"--\" in places 3 and 4, which only xn-- labels may have";
    }
    return hc_punycode_decodes(label + 4, len - 4)
               ? NULL
               : "a label that begins with xn-- but is not punycode";
}

const char *hc_name_reserved(const char *name)
{
    const char *fault = NULL;

    for (const char *label = name; fault == NULL && !hc_name_is_ip(name);) {
        size_t len = strcspn(label, ".");

        fault = label_reserved(label, len);
        if (label[len] == '\0') {
            break;
        }
        label += len + 1;
    }
    return fault;
}

bool hc_name_is_ip(const char *name)
{
    unsigned char address[16];

    return inet_pton(AF_INET, name, address) == 1 || inet_pton(AF_INET6, name, address) == 1;
}

bool hc_name_is_wildcard(const char *name)
{
    return name[0] == '*' && name[1] == '.';
}

bool hc_name_matches(const char *pattern, const char *name)
{
    const char *rest = NULL;

    if (strcmp(pattern, name) == 0) {
        return true;
    }
    if (!hc_name_is_wildcard(pattern) || hc_name_is_wildcard(name) || hc_name_is_ip(name)) {
        return false;
    }
    rest = strchr(name, '.');
    return rest != NULL && rest != name && strcmp(pattern + 1, rest) == 0;
}

bool hc_name_among(const struct hc_list *patterns, const char *name)
{
    for (size_t i = 0; i < patterns->count; i++) {
        if (hc_name_matches(patterns->items[i], name)) {
            return true;
        }
    }
    return false;
}
