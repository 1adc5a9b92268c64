/* The programs that write DNS records; see loader_programs.h. */
#include "agent/loader_programs.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

/* mode: as for faccessat() */
static int check(const char *path, int mode, struct hc_error *err)
{
    struct stat st;

    if (faccessat(AT_FDCWD, path, mode, 0) != 0 || stat(path, &st) != 0) {
        return hc_error_set_errno(err, HC_P_DNS_PROGRAM, path, errno, NULL);
    }
    if (!S_ISREG(st.st_mode)) {
        return hc_error_set(err, HC_P_DNS_PROGRAM, path, "it is not a regular file");
    }
    return 0;
}

static void check_block(const struct hc_loader_options *o, const struct hc_dns_block *block)
{
    /* those of acme.sh are read by a shell of ours */
    const int mode = block->style == HC_STYLE_ACME_SH ? R_OK : X_OK;
    const char *const paths[] = {block->program, block->cleanup};
    struct hc_error err;
    char prefix[128];

    (void)snprintf(prefix, sizeof(prefix), "hotcert_dns %.80s", block->name);
    for (size_t i = 0; i < HC_COUNT(paths); i++) {
        hc_error_init(&err);
        if (paths[i] != NULL && check(paths[i], mode, &err) != 0) {
            hc_log_error(o->log, HC_LOG_WARN, prefix, &err);
        }
    }
}

void hc_load_check_programs(const struct hc_loader_options *options)
{
    for (size_t i = 0; i < options->conf->dns_count; i++) {
        check_block(options, &options->conf->dns[i]);
    }
}
