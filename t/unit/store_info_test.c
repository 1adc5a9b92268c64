/* core/store/info.c: what a version says of itself, also where it takes less memory. */
#include "store/info.h"

#include <stdlib.h>
#include <string.h>

#include "tap.h"

static void fill(struct hc_line_info *info)
{
    struct hc_error err = {0};

    memset(info, 0, sizeof(*info));
    info->mode = HC_MODE_WATCH;
    info->key_type = HC_KEY_RSA_4096;
    ok(hc_strdup("https://ca.example/dir", &info->issuer, &err) == 0 &&
           hc_strdup("ca", &info->issuer_name, &err) == 0 &&
           hc_strdup("0a0b", &info->serial, &err) == 0 &&
           hc_list_add(&info->names, "a.example", &err) == 0 &&
           hc_list_add(&info->names, "b.example", &err) == 0,
       "one");
}

static void says_the_same(const struct hc_line_info *info, const char *when)
{
    printf("# %s\n", when);
    is_int(info->mode, HC_MODE_WATCH, "mode");
    is_int(info->key_type, HC_KEY_RSA_4096, "key type");
    is_str(info->issuer, "https://ca.example/dir", "issuer");
    is_str(info->serial, "0a0b", "serial");
    is_int(info->names.count, 2, "two names");
    is_str(info->names.items[0], "a.example", "the first");
    is_str(info->names.items[1], "b.example", "the second");
}

static void packed_it_says_the_same(void)
{
    struct hc_line_info info;
    struct hc_line_info copy;
    struct hc_error err = {0};

    fill(&info);
    hc_line_info_pack(&info);
    ok(info.packed, "it is packed");
    says_the_same(&info, "packed");
    hc_line_info_pack(&info);
    says_the_same(&info, "packed twice");
    memset(&copy, 0, sizeof(copy));
    ok(hc_line_info_copy(&copy, &info, &err) == 0 && !copy.packed, "a copy is not");
    hc_line_info_dispose(&info);
    hc_line_info_dispose(&info);
    says_the_same(&copy, "the copy alone");
    ok(hc_list_add(&copy.names, "c.example", &err) == 0, "it can be changed");
    hc_line_info_dispose(&copy);
}

static void nothing_can_be_packed(void)
{
    struct hc_line_info info;

    memset(&info, 0, sizeof(info));
    hc_line_info_pack(&info);
    ok(info.serial == NULL && info.names.count == 0, "nothing is packed");
    hc_line_info_dispose(&info);
}

int main(void)
{
    packed_it_says_the_same();
    nothing_can_be_packed();
    return done();
}
