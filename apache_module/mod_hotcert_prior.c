/*
 * What the examination of a start leaves for its loader (core/keeper/spawn.h): httpd reads its
 * configuration twice, and may become a daemon and load this object anew in between.
 */
#include "keeper/private.h"
#include "mod_hotcert.h"

#define RETAINED_KEY "mod_hotcert prior 1"

static int *retained(void)
{
    int *fd = ap_retained_data_get(RETAINED_KEY);

    if (fd == NULL) {
        fd = ap_retained_data_create(RETAINED_KEY, sizeof(*fd));
        *fd = -1;
    }
    return fd;
}

int mod_hotcert_prior(void)
{
    return *retained();
}

int mod_hotcert_new_prior(void)
{
    mod_hotcert_end_prior();
    *retained() = hc_loader_prior();
    return mod_hotcert_prior();
}

int mod_hotcert_hide_prior(struct hc_error *err)
{
    return mod_hotcert_prior() >= 0 ? hc_private_add(retained(), err) : 0;
}

void mod_hotcert_end_prior(void)
{
    hc_start_close(retained());
}
