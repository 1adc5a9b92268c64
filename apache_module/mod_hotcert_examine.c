/*
 * The examination (core/glue/examine.h), by whoever reads the configuration before it is in force:
 * a test, a start, the caller of `apachectl graceful`.
 */
#include "mod_hotcert.h"

int mod_hotcert_examine(struct mod_hotcert_state *state, bool asks, struct hc_error *err)
{
    struct hc_examined examined = {
        .what = HC_EXAMINE_FOLDERS | HC_EXAMINE_CONTROL,
        .dns = mod_hotcert_dns(),
    };
    struct hc_rights rights;
    int rc = 0;

    if (state->conf->identity_count == 0) {
        return 0;
    }
    mod_hotcert_rights(&rights);
    if (ap_read_pid(state->pool, ap_pid_fname, &examined.running) != APR_SUCCESS) {
        examined.running = 0; /* the server that this is a test for does not run */
    }
    if (asks) {
        mod_hotcert_dialog_run(state);
    }
    rc = mod_hotcert_dialog_lend(state, err);
    if (rc == 0) {
        rc = hc_examine(state->conf, &rights, &examined, asks ? mod_hotcert_new_prior() : -1,
                        &state->log, err);
    }
    mod_hotcert_dialog_take_back(state);
    return rc;
}
