/* What parts say; see said.h. */
#include "agent/said.h"

#include <string.h>

#include "base/hash.h"

const char *hc_identity_subject(const struct hc_identity *identity, char dst[HC_SUBJECT])
{
    return hc_list_format_led(&identity->names, hc_identity_label(identity), dst, HC_SUBJECT);
}

hc_said hc_text_hash(const char *text)
{
    uint64_t hash = hc_hash_bytes(text, strlen(text), HC_HASH_SEED);

    return hash != 0 ? hash : 1;
}

bool hc_say_once(const struct hc_log *log, hc_said *said, enum hc_level level, const char *prefix,
                 const struct hc_error *err)
{
    char text[HC_LOG_LINE];
    hc_said hash = hc_text_hash(hc_error_format(err, text, sizeof(text)));

    if (*said == hash) {
        return false;
    }
    *said = hash;
    hc_log_error(log, level, prefix, err);
    return true;
}
