/*
 * What the parent gives its processes beside the table: whose rights they have, and the responder's
 * sockets, which are kept over restarts.
 */
#include <pwd.h>

#include "mod_hotcert.h"

/* Changes whenever struct hc_dns_sockets does: a newer module must not take an older one's. */
#define DNS_KEY "mod_hotcert dns 1"

void mod_hotcert_rights(struct hc_rights *rights)
{
    const char *name = ap_unixd_config.user_name;

    rights->drop = geteuid() == 0;
    rights->uid = ap_unixd_config.user_id;
    rights->gid = ap_unixd_config.group_id;
    if (name != NULL && name[0] == '#') {
        const struct passwd *entry = getpwuid(rights->uid); /* `User #33` */

        name = entry != NULL ? entry->pw_name : NULL;
    }
    rights->user = name;
}

struct hc_dns_sockets *mod_hotcert_dns(void)
{
    struct hc_dns_sockets *held = ap_retained_data_get(DNS_KEY);

    return held != NULL ? held : ap_retained_data_create(DNS_KEY, sizeof(*held));
}
