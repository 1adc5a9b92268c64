/* U-labels to A-labels; see idn.h. */
#include "cmd/idn.h"

#include <idn2.h>
#include <string.h>

static bool is_ascii(const char *text)
{
    while (*text != '\0' && (unsigned char)*text < 0x80) {
        text++;
    }
    return *text == '\0';
}

int hc_idn_normalise(const char *in, char out[HC_NAME_SIZE], struct hc_error *err)
{
    const char *prefix = hc_name_is_wildcard(in) ? "*." : "";
    char text[HC_NAME_SIZE];
    char *ascii = NULL;
    int status = IDN2_OK;
    bool fits = false;

    if (is_ascii(in)) {
        return hc_name_normalise(in, out, err);
    }
    status = idn2_to_ascii_8z(in + strlen(prefix), &ascii,
                              IDN2_NFC_INPUT | IDN2_NONTRANSITIONAL | IDN2_USE_STD3_ASCII_RULES);
    if (status != IDN2_OK) {
        return hc_error_set(err, HC_P_NAME_INVALID, in, "it cannot be written in ASCII: %s",
                            idn2_strerror(status));
    }
    fits = hc_copy(text, sizeof(text), prefix) &&
           hc_copy(text + strlen(prefix), sizeof(text) - strlen(prefix), ascii);
    idn2_free(ascii);
    if (!fits) {
        return hc_error_set(err, HC_P_NAME_INVALID, in, "it has more than 253 characters");
    }
    return hc_name_normalise(text, out, err);
}
