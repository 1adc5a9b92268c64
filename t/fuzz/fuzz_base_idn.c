/* Names in any letters, and lines that mention names. */
#include "base/idn.h"

#include <string.h>

#include "conf/name.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What may not reach a terminal, as bytes. */
static bool has_control(const char *text)
{
    for (; *text != '\0'; text++) {
        if ((unsigned char)*text < 0x20 || (unsigned char)*text == 0x7f) {
            return true;
        }
    }
    return false;
}

static void check_name(const char *text)
{
    char name[HC_NAME_SIZE];
    char again[HC_NAME_SIZE];
    char letters[HC_NAME_SIZE * 4];

    if (hc_name_normalise(text, name, NULL) != 0) {
        return;
    }
    if (!hc_idn_is_ascii(name) || hc_name_normalise(name, again, NULL) != 0 ||
        strcmp(name, again) != 0) {
        __builtin_trap(); /* once is enough */
    }
    if (hc_idn_to_unicode(name, letters, sizeof(letters)) &&
        (has_control(letters) || hc_name_normalise(letters, again, NULL) != 0 ||
         strcmp(name, again) != 0)) {
        __builtin_trap(); /* it is written with these A-labels again */
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char text[1024];
    char shown[4096];
    char again[4096];

    if (size >= sizeof(text)) {
        return 0;
    }
    memcpy(text, data, size);
    text[size] = '\0';
    check_name(text);
    hc_idn_show(text, shown, sizeof(shown));
    if (!has_control(text) && has_control(shown)) {
        __builtin_trap();
    }
    if (strcmp(hc_idn_show(shown, again, sizeof(again)), shown) != 0) {
        __builtin_trap(); /* twice is once */
    }
    hc_idn_show(text, shown, 16);
    return 0;
}
