/*
 * The examination (core/glue/examine.h), by whoever reads the configuration before it is in force:
 * a test, a start, the caller of `apachectl graceful`.
 */
#include "mod_hotcert.h"

int mod_hotcert_examine(struct mod_hotcert_state *state, bool asks, struct hc_error *err)
{
    struct hc_rights rights;
    int rc = 0;

    if (state->conf->identity_count == 0) {
        return 0;
    }
    mod_hotcert_rights(&rights);
    if (asks) {
        mod_hotcert_dialog_run(state);
    }
    rc = mod_hotcert_dialog_lend(state, err);
    if (rc == 0) {
        rc = hc_examine(state->conf, &rights, HC_EXAMINE_FOLDERS | HC_EXAMINE_CONTROL,
                        asks ? mod_hotcert_new_prior() : -1, &state->log, err);
    }
    mod_hotcert_dialog_take_back(state);
    return rc;
}
