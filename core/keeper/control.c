/*
 * The control socket's place on disk; see spawn.h. Its folder may be anybody's, and its owner may
 * exchange names in it between two calls: so the folder is held by a descriptor, the socket gets
 * its mode as it is made, and no name is followed after that.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "base/io.h"
#include "keeper/path.h"
#include "keeper/rights.h"
#include "keeper/spawn.h"

#define FOLDER_MODE   0755
#define NO_EXECUTE    0111 /* as a umask: the socket gets 0666 */
#define QUEUE         64
#define LEAVING_TURNS 20 /* of 50 ms, for a server that ends */
#define PATH_SIZE     sizeof(((struct sockaddr_un *)NULL)->sun_path)

enum hc_level hc_control_level(const struct hc_conf *conf)
{
    return hc_conf_orders(conf) ? HC_LOG_ERROR : HC_LOG_WARN;
}

/* Walks to the socket's place. make_mode as in hc_path_walk(). */
static int walk(const struct hc_conf *conf, const struct hc_rights *rights, mode_t make_mode,
                struct hc_path_end *end, struct hc_error *err)
{
    const char *path = conf->control;
    struct hc_guard guard;
    struct hc_rights agent;
    struct hc_error own = {0};

    if (strlen(path) >= PATH_SIZE) {
        return hc_error_set(err, HC_P_BAD_VALUE, path, "a socket's path has at most %zu bytes",
                            PATH_SIZE - 1);
    }
    if (hc_rights_wanted(conf, rights, &agent, err) != 0 ||
        hc_guard_init(&guard, rights, err) != 0 || hc_guard_add(&guard, &agent, err) != 0) {
        return -1;
    }
    if (hc_path_walk(path, &guard, make_mode, end, &own) != 0) {
        own.problem = HC_P_CONTROL;
        return hc_error_chain(err, &own);
    }
    if (end->exists && !S_ISSOCK(end->st.st_mode)) {
        return hc_error_set(err, HC_P_CONTROL, path, "its place holds a file that is not a socket");
    }
    return 0;
}

int hc_examine_control(const struct hc_conf *conf, const struct hc_rights *rights,
                       struct hc_error *err)
{
    struct hc_path_end end = HC_PATH_END_INIT;
    int rc = 0;

    if (conf->control != NULL) {
        rc = walk(conf, rights, HC_PATH_EXISTING, &end, err);
        if (rc == 0 && !hc_path_can_make(end.folder)) {
            rc = hc_error_set_errno(err, HC_P_CONTROL, conf->control, errno, NULL);
        }
    }
    hc_path_end_dispose(&end);
    return rc;
}

/* A full queue is somebody who does not answer for now. */
static bool answers(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    bool answered = false;

    (void)snprintf(address.sun_path, sizeof(address.sun_path), "%s", path); /* walk() took it */
    answered = fd >= 0 && (connect(fd, (const struct sockaddr *)&address, sizeof(address)) == 0 ||
                           errno == EAGAIN);
    hc_io_close(fd);
    return answered;
}

int hc_control_unclaimed(const struct hc_conf *conf, const struct hc_rights *rights,
                         struct hc_error *err)
{
    const struct timespec moment = {0, 50 * 1000000};
    struct hc_path_end end = HC_PATH_END_INIT;
    struct hc_error ignored = {0};
    bool taken = conf->control != NULL &&
                 walk(conf, rights, HC_PATH_EXISTING, &end, &ignored) == 0 && end.exists;

    for (int i = 0; taken && i < LEAVING_TURNS; i++) {
        taken = answers(conf->control);
        if (taken) {
            (void)nanosleep(&moment, NULL);
        }
    }
    hc_path_end_dispose(&end);
    return taken ? hc_error_set(err, HC_P_CONTROL_TAKEN, conf->control, NULL) : 0;
}

/* Makes the socket in the folder under a name for the moment. */
static int bind_in(int folder, const char *temporary, int fd)
{
    struct sockaddr_un name = {.sun_family = AF_UNIX};
    mode_t before = 0;
    int rc = 0;

    (void)snprintf(name.sun_path, sizeof(name.sun_path), "/proc/self/fd/%d/%s", folder, temporary);
    before = umask(NO_EXECUTE);
    rc = bind(fd, (const struct sockaddr *)&name, sizeof(name));
    (void)umask(before);
    return rc;
}

int hc_prepare_control(const struct hc_conf *conf, const struct hc_rights *rights, int *fd,
                       struct hc_error *err)
{
    struct hc_path_end end = HC_PATH_END_INIT;
    char temporary[48];
    bool bound = false;
    int rc = -1;

    *fd = -1;
    if (conf->control == NULL) {
        return 0;
    }
    if (walk(conf, rights, FOLDER_MODE, &end, err) != 0) {
        goto out;
    }
    (void)snprintf(temporary, sizeof(temporary), ".hotcert-%ld.sock", (long)getpid());
    *fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    (void)unlinkat(end.folder, temporary, 0); /* of an earlier process with this number */
    bound = *fd >= 0 && bind_in(end.folder, temporary, *fd) == 0;
    if (bound && listen(*fd, QUEUE) == 0 &&
        renameat(end.folder, temporary, end.folder, end.name) == 0) {
        rc = 0;
        goto out;
    }
    hc_error_set_errno(err, HC_P_CONTROL, conf->control, errno, NULL);
    if (bound) {
        (void)unlinkat(end.folder, temporary, 0);
    }
    if (*fd >= 0) {
        close(*fd);
    }
    *fd = -1;
out:
    hc_path_end_dispose(&end);
    return rc;
}
