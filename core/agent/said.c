/* What parts say; see said.h. */
#include "agent/said.h"

#define FNV_START UINT64_C(14695981039346656037)
#define FNV_PRIME UINT64_C(1099511628211)

const char *hc_identity_subject(const struct hc_identity *identity, char dst[HC_SUBJECT])
{
    return hc_list_format_led(&identity->names, hc_identity_label(identity), dst, HC_SUBJECT);
}

hc_said hc_text_hash(const char *text)
{
    uint64_t hash = FNV_START;

    for (const unsigned char *p = (const unsigned char *)text; *p != '\0'; p++) {
        hash = (hash ^ *p) * FNV_PRIME;
    }
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
