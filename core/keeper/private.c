/* Descriptors that no forked process keeps; see private.h. */
#include "keeper/private.h"

#include <errno.h>
#include <pthread.h>
#include <unistd.h>

#define PRIVATE_MAX 40 /* of them 16 the responder's */

static int *descriptors[PRIVATE_MAX];
static size_t count;
static bool keep_once;

/* In the child, before fork() returns there. */
static void close_all(void)
{
    int saved = errno;

    if (keep_once) {
        keep_once = false;
        return;
    }
    for (size_t i = 0; i < count; i++) {
        if (*descriptors[i] >= 0) {
            (void)close(*descriptors[i]);
            *descriptors[i] = -1;
        }
    }
    errno = saved;
}

int hc_private_add(int *fd, struct hc_error *err)
{
    static bool handled;
    int failed = handled ? 0 : pthread_atfork(NULL, NULL, close_all);

    if (failed != 0) {
        return hc_error_set_errno(err, HC_P_SYSTEM, NULL, failed, "a handler for forks");
    }
    handled = true;
    for (size_t i = 0; i < count; i++) {
        if (descriptors[i] == fd) {
            return 0;
        }
    }
    if (count == PRIVATE_MAX) {
        return hc_error_set(err, HC_P_INTERNAL, NULL, "too many private descriptors");
    }
    descriptors[count++] = fd;
    return 0;
}

void hc_private_keep_once(void)
{
    keep_once = true;
}
