/* The files with the secrets of writers; see loader_secrets.h. */
#include "agent/loader_secrets.h"

#include <stdio.h>
#include <string.h>

#include "agent/secrets.h"
#include "conf/writer.h"

static int check(const struct hc_conf *conf, const char *path, struct hc_keeper_client *keeper,
                 struct hc_error *err)
{
    struct hc_file_stamp stamp;
    int file = hc_secret_file(conf, path);

    if (file < 0) {
        return 0;
    }
    return hc_keeper_stamp(keeper, file, &stamp, err) == 0
               ? hc_secret_check(path, stamp.mode, stamp.uid, err)
               : -1;
}

static void check_block(const struct hc_loader_options *o, const struct hc_dns_block *block,
                        struct hc_keeper_client *keeper)
{
    struct hc_list paths = {NULL, 0, 0};
    struct hc_error err;
    char prefix[128];

    hc_error_init(&err);
    (void)snprintf(prefix, sizeof(prefix), "hotcert_dns %.80s", block->name);
    if (hc_dns_block_files(block, &paths, &err) != 0) {
        hc_log_error(o->log, HC_LOG_WARN, prefix, &err);
    }
    for (size_t i = 0; i < paths.count; i++) {
        hc_error_init(&err);
        if (check(o->conf, paths.items[i], keeper, &err) != 0) {
            hc_log_error(o->log, HC_LOG_WARN, prefix, &err);
        }
    }
    hc_list_dispose(&paths);
}

/* One that is missing may have done its work: it is read when the account is registered. */
static void check_binding(const struct hc_loader_options *o, const struct hc_issuer *issuer,
                          struct hc_keeper_client *keeper)
{
    struct hc_error err;
    char prefix[128];

    hc_error_init(&err);
    (void)snprintf(prefix, sizeof(prefix), "hotcert_issuer %.80s", issuer->name);
    if (issuer->eab_key != NULL && check(o->conf, issuer->eab_key, keeper, &err) != 0 &&
        err.problem == HC_P_SECRET_FILE) {
        hc_log_error(o->log, HC_LOG_WARN, prefix, &err);
    }
}

void hc_load_check_secrets(const struct hc_loader_options *options, struct hc_keeper_client *keeper)
{
    for (size_t i = 0; i < options->conf->dns_count; i++) {
        check_block(options, &options->conf->dns[i], keeper);
    }
    for (size_t i = 0; i < options->conf->issuer_count; i++) {
        check_binding(options, &options->conf->issuers[i], keeper);
    }
}
