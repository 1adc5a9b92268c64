/* Another user's rights over files; see guise.h. */
#include "keeper/guise.h"

#include <errno.h>
#include <grp.h>
#include <sys/fsuid.h>
#include <sys/prctl.h>
#include <unistd.h>

#define NOBODY_ASKED ((uid_t)-1) /* setfsuid() changes nothing, and says what is */

int hc_guise_take(struct hc_guise *guise, const struct hc_guard *user)
{
    guise->count = getgroups(HC_PATH_GROUPS, guise->groups);
    if (guise->count < 0 || user->uid_count != 1 || user->group_count == 0) {
        errno = guise->count < 0 ? errno : EINVAL;
        return -1;
    }
    if (setgroups(user->group_count, user->groups) != 0) {
        return -1;
    }
    (void)setfsgid(user->groups[0]); /* they say what was, not whether they worked */
    (void)setfsuid(user->uids[0]);
    if ((uid_t)setfsuid(NOBODY_ASKED) != user->uids[0] ||
        (gid_t)setfsgid((gid_t)-1) != user->groups[0]) {
        hc_guise_end(guise);
        errno = EPERM;
        return -1;
    }
    return 0;
}

void hc_guise_end(const struct hc_guise *guise)
{
    (void)setfsuid(geteuid());
    (void)setfsgid(getegid());
    if ((uid_t)setfsuid(NOBODY_ASKED) != geteuid() || (gid_t)setfsgid((gid_t)-1) != getegid() ||
        setgroups((size_t)guise->count, guise->groups) != 0 ||
        prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0) { /* which a change of user may have undone */
        _exit(1);
    }
}
