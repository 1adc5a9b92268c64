/*
 * Opening a path as root without being led astray: component by component, symlinks resolved here
 * and not by the kernel, every folder on the way looked at. A folder that the worker user could
 * write is refused, because what stands in it can be exchanged between two looks.
 *
 * A sticky folder (/tmp) is passed only to something of root's: nobody else can rename that.
 * Used by the keeper (watched files, the secret) and by the preparation of folders.
 */
#ifndef HC_KEEPER_PATH_H
#define HC_KEEPER_PATH_H

#include <sys/stat.h>

#include "base/error.h"
#include "keeper/process.h"

#define HC_PATH_LINKS  40  /* symlinks on one way, as the kernel has it */
#define HC_PATH_GROUPS 256 /* groups of the worker user, and of the agent's, that are known */
#define HC_PATH_USERS  2

/* Against whom a path is guarded. Zeroed memory guards against nobody. */
struct hc_guard {
    bool on;
    uid_t uids[HC_PATH_USERS]; /* the worker user, and the agent's if that is another */
    size_t uid_count;
    gid_t groups[HC_PATH_GROUPS]; /* all that they are in */
    size_t group_count;
};

/*
 * The guard for these rights: off when nothing is dropped or when the worker user is root.
 * Reads the group database; called before anything is forked.
 */
int hc_guard_init(struct hc_guard *guard, const struct hc_rights *rights,
                  struct hc_error *err) HC_MUST_USE;

/* Guards against one more user, the agent's; nothing if it is the same one. */
int hc_guard_add(struct hc_guard *guard, const struct hc_rights *rights,
                 struct hc_error *err) HC_MUST_USE;

/* True if a guarded-against user is in this group. */
bool hc_guard_in_group(const struct hc_guard *guard, gid_t gid);

/* Where a path ends: its folder and its last component, which may not exist. */
struct hc_path_end {
    int folder;     /* O_PATH, close-on-exec; -1 when disposed */
    char name[256]; /* "." for a folder that was named by "/" or "x/.." */
    bool exists;
    bool missing;   /* it, or a folder on the way to it, does not exist; also set on -1 */
    struct stat st; /* of what is there, if it exists; never a symlink */
};
#define HC_PATH_END_INIT                                                                           \
    {                                                                                              \
        .folder = -1                                                                               \
    }

/*
 * Walks to the end of an absolute path. make_mode: folders that are missing on the way are made
 * with this mode, owned by the caller; 0: they are an error; HC_PATH_EXISTING: the walk ends at the
 * first that is missing, if it could be made. The last component may be missing: then exists is
 * false. HC_P_FILE_UNSAFE names the folder that the worker user could exchange;
 * HC_P_FILE_UNREADABLE all else that is wrong. The end is the caller's to dispose, also on -1.
 */
#define HC_PATH_EXISTING ((mode_t)-1)
int hc_path_walk(const char *path, const struct hc_guard *guard, mode_t make_mode,
                 struct hc_path_end *end, struct hc_error *err) HC_MUST_USE;

/* True if something could be made in this folder; else errno says why not. */
bool hc_path_can_make(int folder);

/*
 * Opens what stands at the end, if it is still what the walk saw and a regular file. Never blocks
 * (FIFOs, terminals). *fd is the caller's, close-on-exec; st is what it is. subject is the path.
 */
int hc_path_open_file(const struct hc_path_end *end, const char *subject, int *fd, struct stat *st,
                      struct hc_error *err) HC_MUST_USE;

void hc_path_end_dispose(struct hc_path_end *end);

#endif
