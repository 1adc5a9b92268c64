/* The agent's user; see rights.h. */
#include "keeper/rights.h"

#include <pwd.h>

#include "keeper/path.h"

bool hc_rights_differ(const struct hc_rights *a, const struct hc_rights *b)
{
    return a->drop != b->drop || (a->drop && a->uid != b->uid);
}

int hc_rights_wanted(const struct hc_conf *conf, const struct hc_rights *worker,
                     struct hc_rights *out, struct hc_error *err)
{
    const char *name = conf->agent_user != NULL ? conf->agent_user : HC_RIGHTS_USER;
    const struct passwd *user = NULL;

    *out = *worker;
    if (!worker->drop) {
        return 0;
    }
    user = getpwnam(name);
    if (user == NULL && conf->agent_user == NULL) {
        return 0;
    }
    if (user == NULL) {
        hc_error_set(err, HC_P_BAD_VALUE, "hotcert_user", "there is no user %s", name);
        return hc_error_hint(err, "make it: adduser --system --group --no-create-home %s", name);
    }
    if (user->pw_uid == 0) {
        return hc_error_set(err, HC_P_BAD_VALUE, "hotcert_user",
                            "the agent does not run as root: give it a user of its own");
    }
    out->user = name;
    out->uid = user->pw_uid;
    out->gid = user->pw_gid;
    return 0;
}

/* What cannot be walked to is not the worker user's either. */
static bool store_is_of(const struct hc_conf *conf, const struct hc_rights *worker)
{
    struct hc_path_end end = HC_PATH_END_INIT;
    struct hc_guard guard = {.on = false};
    struct hc_error ignored = {0};
    bool is = conf->store != NULL &&
              hc_path_walk(conf->store, &guard, HC_PATH_EXISTING, &end, &ignored) == 0 &&
              end.exists && end.st.st_uid == worker->uid;

    hc_path_end_dispose(&end);
    return is;
}

int hc_rights_of_agent(const struct hc_conf *conf, const struct hc_rights *worker,
                       struct hc_rights *out, struct hc_error *err)
{
    if (hc_rights_wanted(conf, worker, out, err) != 0) {
        return -1;
    }
    if (hc_rights_differ(out, worker) && store_is_of(conf, worker)) {
        *out = *worker;
    }
    return 0;
}
