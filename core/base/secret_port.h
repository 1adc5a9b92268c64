/*
 * Port: files with secrets, which root alone may read. In the agent they come by the keeper
 * (agent/secrets.h); a test has them where it likes.
 */
#ifndef HC_BASE_SECRET_PORT_H
#define HC_BASE_SECRET_PORT_H

#include "base/buf.h"
#include "base/error.h"

/* Either err is set or content, which is wiped afterwards. */
typedef void hc_secret_done(void *arg, struct hc_bytes content, const struct hc_error *err);

struct hc_secret_port {
    void *self;
    /*
     * Reads a file that the configuration names for it. done() comes once, maybe from within. A
     * file that others can read is refused. Read anew for each use: then a changed one needs no
     * reload.
     */
    void (*read)(void *self, const char *path, hc_secret_done *done, void *arg);
    /* The same of a file that the platform made and renews: its mode is nobody's choice. */
    void (*read_given)(void *self, const char *path, hc_secret_done *done, void *arg);
    /* No done() comes with this arg any more. */
    void (*forget)(void *self, const void *arg);
};

#endif
