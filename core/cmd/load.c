/* `hotcert load`: the loader as a process; see agent/loader.h and keeper/spawn.h. */
#include "agent/loader.h"
#include "cmd/child.h"
#include "cmd/cmd.h"
#include "conf/build.h"
#include "keeper/spawn.h"

int hc_cmd_load(int argc, char **argv)
{
    struct hc_loader_options options = {
        .keeper = hc_child_has(HC_FD_KEEPER) ? HC_FD_KEEPER : -1,
        .confine = true,
        .prior = hc_child_has(HC_FD_PRIOR) ? HC_FD_PRIOR : -1,
        .clock = &hc_clock_system,
        .log = &hc_child_log,
    };
    struct hc_conf *conf = NULL;
    struct hc_table *table = NULL;
    struct hc_error err;
    int code = HC_EXIT_FAILED;

    hc_error_init(&err);
    if (argc > 1) {
        return hc_cmd_usage(argv[0], "it takes no arguments");
    }
    if (!hc_child_begin(argv[0])) {
        return HC_EXIT_USAGE;
    }
    hc_loader_began(HC_FD_SUPERVISE);
    conf = hc_child_conf(&err);
    if (conf == NULL ||
        (hc_child_has(HC_FD_TABLE) && hc_table_attach(HC_FD_TABLE, true, &table, &err) != 0)) {
        hc_log_error(&hc_child_log, HC_LOG_ERROR, "loading", &err);
        goto out;
    }
    options.conf = conf;
    options.table = table;
    if (hc_load(&options, &err) != 0) {
        hc_loader_refuse(HC_FD_SUPERVISE, &err);
        code = HC_LOADER_REFUSE;
        goto out;
    }
    code = HC_EXIT_OK;
out:
    hc_table_detach(table);
    hc_conf_free(conf);
    return code;
}
