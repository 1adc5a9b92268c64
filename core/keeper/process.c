/* What a forked process does to itself; see process.h. */
#include "keeper/process.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "base/io.h"
#include "base/str.h"

/* Root could be had again only through one of these. */
static bool rights_are_gone(const struct hc_rights *rights)
{
    uid_t uid[3] = {0, 0, 0};
    gid_t gid[3] = {0, 0, 0};

    if (getresuid(&uid[0], &uid[1], &uid[2]) != 0 || getresgid(&gid[0], &gid[1], &gid[2]) != 0) {
        return false;
    }
    for (int i = 0; i < 3; i++) {
        if (uid[i] != rights->uid || gid[i] != rights->gid) {
            return false;
        }
    }
    return rights->uid == 0 || (setuid(0) != 0 && seteuid(0) != 0);
}

static int take_groups(const struct hc_rights *rights)
{
    if (rights->user != NULL) {
        return initgroups(rights->user, rights->gid);
    }
    return setgroups(1, &rights->gid);
}

int hc_process_drop(const struct hc_rights *rights, const char **what)
{
    if (!rights->drop) {
        return 0;
    }
    if (geteuid() == 0) {
        *what = "setting the groups";
        if (take_groups(rights) != 0) {
            return -1;
        }
        *what = "setting the group";
        if (setresgid(rights->gid, rights->gid, rights->gid) != 0) {
            return -1;
        }
        *what = "setting the user";
        if (setresuid(rights->uid, rights->uid, rights->uid) != 0) {
            return -1;
        }
    }
    (void)prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
    *what = "giving up root's rights";
    if (!rights_are_gone(rights)) {
        errno = EPERM;
        return -1;
    }
    return 0;
}

/*
 * Where the command line and, behind it, the environment lie in memory: fields 48 to 51 of
 * /proc/self/stat (proc(5)); the second, the program's name, is in parentheses and may hold
 * anything.
 */
static bool find_arguments(unsigned long at[4])
{
    char text[2048];
    int fd = open("/proc/self/stat", O_RDONLY | O_CLOEXEC);
    ssize_t n = fd >= 0 ? read(fd, text, sizeof(text) - 1) : -1;
    char *p = NULL;
    int field = 2;

    hc_io_close(fd);
    if (n <= 0) {
        return false;
    }
    text[n] = '\0';
    p = strrchr(text, ')');
    while (p != NULL && field < 48) {
        p = strchr(p + 1, ' ');
        field++;
    }
    for (int i = 0; p != NULL && i < 4; i++) {
        at[i] = strtoul(p, &p, 10);
    }
    return p != NULL && at[0] != 0 && at[1] > at[0];
}

/* Copies the environment out of the memory that the title shall have. */
static bool move_environment(void)
{
    size_t count = 0;
    char **moved = NULL;

    while (environ != NULL && environ[count] != NULL) {
        count++;
    }
    moved = calloc(count + 1, sizeof(*moved));
    if (moved == NULL) {
        return false;
    }
    for (size_t i = 0; i < count; i++) {
        moved[i] = strdup(environ[i]);
        if (moved[i] == NULL) {
            while (i > 0) {
                free(moved[--i]);
            }
            free(moved);
            return false;
        }
    }
    environ = moved;
    return true;
}

void hc_process_title(const char *name, const char *text)
{
    unsigned long at[4] = {0, 0, 0, 0};
    unsigned long end = 0;
    char *line = NULL;

    (void)prctl(PR_SET_NAME, name, 0, 0, 0);
    if (!find_arguments(at)) {
        return;
    }
    end = at[1];
    if (end - at[0] <= strlen(text) && at[2] == at[1] && at[3] > at[2] && move_environment()) {
        end = at[3]; /* proc(5): a command line without a NUL at its end goes on in there */
    }
    line = (char *)at[0]; /* our own copy of what the parent was started with */
    memset(line, 0, end - at[0]);
    (void)hc_copy(line, end - at[0], text);
}
