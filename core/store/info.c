/* What a version says of itself; see info.h. */
#include "store/info.h"

#include <stdlib.h>
#include <string.h>

#include "conf/digest.h"
#include "conf/issuer.h"

int hc_line_info_copy(struct hc_line_info *dst, const struct hc_line_info *src,
                      struct hc_error *err)
{
    struct hc_line_info copy = *src;

    copy.issuer = copy.issuer_name = copy.profile = copy.serial = NULL;
    copy.packed = false;
    memset(&copy.names, 0, sizeof(copy.names));
    if (hc_strdup(src->issuer != NULL ? src->issuer : "", &copy.issuer, err) != 0 ||
        hc_strdup(src->issuer_name != NULL ? src->issuer_name : "", &copy.issuer_name, err) != 0 ||
        (src->profile != NULL && hc_strdup(src->profile, &copy.profile, err) != 0) ||
        hc_strdup(src->serial != NULL ? src->serial : "", &copy.serial, err) != 0 ||
        hc_list_copy(&copy.names, &src->names, err) != 0) {
        hc_line_info_dispose(&copy);
        return -1;
    }
    *dst = copy;
    return 0;
}

/* The block begins with the items. */
static void free_texts(struct hc_line_info *info)
{
    if (info->packed) {
        free(info->names.items);
        memset(&info->names, 0, sizeof(info->names));
    } else {
        hc_list_dispose(&info->names);
        free(info->serial);
    }
    info->serial = NULL;
    info->packed = false;
}

void hc_line_info_dispose(struct hc_line_info *info)
{
    free(info->issuer);
    free(info->issuer_name);
    free(info->profile);
    info->issuer = info->issuer_name = info->profile = NULL;
    free_texts(info);
}

static char *put_text(char **at, const char *text)
{
    size_t size = strlen(text) + 1;
    char *place = memcpy(*at, text, size);

    *at += size;
    return place;
}

void hc_line_info_pack(struct hc_line_info *info)
{
    struct hc_list names = {NULL, info->names.count, info->names.count};
    size_t size = names.count * sizeof(char *) + 1;
    char *serial = NULL;
    char *at = NULL;

    for (size_t i = 0; i < names.count; i++) {
        size += strlen(info->names.items[i]) + 1;
    }
    size += info->serial != NULL ? strlen(info->serial) + 1 : 0;
    names.items = info->packed ? NULL : malloc(size);
    if (names.items == NULL) {
        return;
    }
    at = (char *)(names.items + names.count);
    for (size_t i = 0; i < names.count; i++) {
        names.items[i] = put_text(&at, info->names.items[i]);
    }
    serial = info->serial != NULL ? put_text(&at, info->serial) : NULL;
    free_texts(info);
    info->names = names;
    info->serial = serial;
    info->packed = true;
}

int hc_line_info_ordered(const struct hc_issuer *issuer, const struct hc_scope *set,
                         const struct hc_list *names, struct hc_line_info *info,
                         struct hc_error *err)
{
    char profile[HC_PROFILE_TEXT];

    info->mode = HC_MODE_ON;
    (void)hc_issuer_profile_text(issuer, set, profile);
    if (hc_strdup(issuer->directory_url, &info->issuer, err) != 0 ||
        hc_strdup(issuer->name, &info->issuer_name, err) != 0 ||
        (profile[0] != '\0' && hc_strdup(profile, &info->profile, err) != 0)) {
        return -1;
    }
    return hc_list_copy(&info->names, names, err);
}

void hc_line_of(const unsigned char id[HC_ID_SIZE], enum hc_key_type type,
                unsigned char line[HC_ID_SIZE])
{
    static const char label[] = "hotcert line 1";
    const char *name = hc_key_type_name(type);
    struct hc_digest sum;

    hc_digest_begin(&sum);
    hc_digest_bytes(&sum, label, sizeof(label));
    hc_digest_bytes(&sum, id, HC_ID_SIZE);
    hc_digest_bytes(&sum, name, strlen(name));
    /* without memory for a digest there is nothing that could go on: a line that nobody has */
    if (hc_digest_end(&sum, line, NULL) != 0) {
        memset(line, 0, HC_ID_SIZE);
    }
}
