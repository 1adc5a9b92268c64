/* core/keeper/rights.c: whose rights agent and loader get. */
#include "keeper/rights.h"

#include <pwd.h>

#include "keeper_lib.h"

static char *base;

/* The user id that is wanted, -1: the problem that came of it. */
static long wanted(const char *user, const struct hc_rights *worker, enum hc_problem *problem)
{
    struct hc_conf conf;
    struct hc_rights out = {0};
    struct hc_error err = {0};
    int rc = 0;

    memset(&conf, 0, sizeof(conf));
    conf.agent_user = user != NULL ? strdup(user) : NULL;
    rc = hc_rights_wanted(&conf, worker, &out, &err);
    *problem = err.problem;
    free(conf.agent_user);
    return rc == 0 ? (long)out.uid : -1;
}

static void the_directive_names_the_user(void)
{
    static const struct hc_rights none = {false, 0, 0, NULL};
    const struct passwd *own = getpwnam(HC_RIGHTS_USER);
    long expected = own != NULL ? (long)own->pw_uid : WORKER;
    enum hc_problem p = HC_P_NONE;

    is_int(wanted(NULL, &worker_rights, &p), expected,
           "without it: the user hotcert where there is one, else the worker user");
    is_int(wanted("backup", &worker_rights, &p), 34, "a user that is named");
    is_int(wanted("www-data", &worker_rights, &p), WORKER, "the worker user, if it is named");
    is_int(wanted("no-such-user-is-here", &worker_rights, &p), -1, "one that does not exist");
    is_int(p, HC_P_BAD_VALUE, "is a wrong value");
    is_int(wanted("root", &worker_rights, &p), -1, "root");
    is_int(p, HC_P_BAD_VALUE, "too");
    is_int(wanted("no-such-user-is-here", &none, &p), 0, "not started as root, nobody changes");
}

/* Who the agent is with the store of this owner. */
static long agent_with_store_of(long owner)
{
    struct hc_conf conf;
    struct hc_rights out = {0};
    struct hc_error err = {0};
    int rc = 0;

    memset(&conf, 0, sizeof(conf));
    conf.agent_user = strdup("backup");
    conf.store = join(base, "store");
    if (owner >= 0) {
        make_folder(base, "store", 0700, (uid_t)owner, (gid_t)owner);
    }
    rc = hc_rights_of_agent(&conf, &worker_rights, &out, &err);
    remove_tree(conf.store);
    free(conf.agent_user);
    free(conf.store);
    return rc == 0 ? (long)out.uid : -1;
}

static void the_store_s_owner_decides_until_it_is_given(void)
{
    is_int(agent_with_store_of(-1), 34, "no store yet: as wanted");
    is_int(agent_with_store_of(34), 34, "a store of the agent's user");
    is_int(agent_with_store_of(WORKER), WORKER, "one that stays the worker user's");
    is_int(agent_with_store_of(0), 34, "root's");
}

int main(void)
{
    if (skip_unless_root()) {
        return 0;
    }
    base = scratch();
    the_directive_names_the_user();
    the_store_s_owner_decides_until_it_is_given();
    remove_tree(base);
    free(base);
    return done();
}
