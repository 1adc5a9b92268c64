/* Secrets in files; see secrets.h. */
#include "agent/secrets.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/io.h"

#define SECRET_MAX ((size_t)64 * 1024)

/* One that the keeper is asked for. */
struct reading {
    LIST_ENTRY(reading) link;
    struct hc_asked asked;
    const char *path; /* the configuration's */
    bool given;       /* by the platform: whoever may read it */
    hc_secret_done *done;
    void *arg;
};

struct hc_secrets {
    const struct hc_env *env;
    struct hc_asker *keeper;
    struct hc_secret_port port;
    LIST_HEAD(, reading) readings;
};

int hc_secret_file(const struct hc_conf *conf, const char *path)
{
    for (size_t i = 0; i < conf->files.count; i++) {
        if (strcmp(conf->files.items[i], path) == 0) {
            return (int)i;
        }
    }
    return -1;
}

int hc_secret_check(const char *path, uint32_t mode, uint32_t uid, struct hc_error *err)
{
    if ((mode & 077u) != 0) {
        return hc_error_set(err, HC_P_SECRET_FILE, path, "its mode is %04o", mode & 07777u);
    }
    if (uid != 0 && uid != geteuid()) {
        return hc_error_set(err, HC_P_SECRET_FILE, path, "it belongs to the user with uid %u", uid);
    }
    return 0;
}

static int read_own(const char *path, bool given, struct hc_buf *out, struct hc_error *err)
{
    struct stat st;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    int rc = -1;

    if (fd < 0 || fstat(fd, &st) != 0) {
        hc_error_set_errno(err, HC_P_FILE_UNREADABLE, path, errno, NULL);
    } else if (!S_ISREG(st.st_mode)) {
        hc_error_set(err, HC_P_FILE_UNREADABLE, path, "it is not a regular file");
    } else if (given || hc_secret_check(path, st.st_mode, st.st_uid, err) == 0) {
        rc = hc_io_read_all(fd, path, out, err);
    }
    if (fd >= 0) {
        close(fd);
    }
    return rc;
}

static void tell(hc_secret_done *done, void *arg, struct hc_bytes content, struct hc_error *err)
{
    const struct hc_bytes nothing = {NULL, 0};

    if (hc_error_is_set(err)) {
        hc_error_during(err, "reading a secret");
        done(arg, nothing, err);
    } else {
        done(arg, content, NULL);
    }
}

static void reading_free(struct reading *reading)
{
    hc_ask_stop(&reading->asked);
    LIST_REMOVE(reading, link);
    free(reading);
}

static void on_answer(void *self, const struct hc_asker_answer *answer)
{
    struct reading *reading = self;
    hc_secret_done *done = reading->done;
    void *arg = reading->arg;
    struct hc_error err;

    hc_error_init(&err);
    if (answer->err != NULL) {
        err = *answer->err;
    } else if (!reading->given) {
        (void)!hc_secret_check(reading->path, answer->stamp.mode, answer->stamp.uid, &err);
    }
    reading_free(reading);
    tell(done, arg, answer->content, &err);
}

static void ask_keeper(struct hc_secrets *secrets, const char *path, bool given,
                       hc_secret_done *done, void *arg)
{
    const struct hc_conf *conf = secrets->env->conf;
    const struct hc_bytes nothing = {NULL, 0};
    struct reading *reading = calloc(1, sizeof(*reading));
    int file = hc_secret_file(conf, path);
    struct hc_error err;

    hc_error_init(&err);
    if (reading == NULL || file < 0) {
        free(reading);
        hc_error_set(&err, file < 0 ? HC_P_INTERNAL : HC_P_OUT_OF_MEMORY, path, NULL);
        tell(done, arg, nothing, &err);
        return;
    }
    reading->path = conf->files.items[file];
    reading->given = given;
    reading->done = done;
    reading->arg = arg;
    reading->asked = (struct hc_asked){
        .op = HC_KEEPER_READ, .file = file, .name = "secrets", .done = on_answer, .self = reading};
    LIST_INSERT_HEAD(&secrets->readings, reading, link);
    hc_ask(secrets->keeper, &reading->asked);
}

static void read_one(struct hc_secrets *secrets, const char *path, bool given, hc_secret_done *done,
                     void *arg)
{
    struct hc_buf content = HC_BUF_INIT_SECRET(SECRET_MAX);
    struct hc_error err;

    hc_error_init(&err);
    if (hc_asker_has_keeper(secrets->keeper)) {
        ask_keeper(secrets, path, given, done, arg);
        return;
    }
    (void)!read_own(path, given, &content, &err);
    tell(done, arg, hc_bytes_of(&content), &err);
    hc_buf_dispose(&content);
}

static void on_read(void *self, const char *path, hc_secret_done *done, void *arg)
{
    read_one(self, path, false, done, arg);
}

static void on_read_given(void *self, const char *path, hc_secret_done *done, void *arg)
{
    read_one(self, path, true, done, arg);
}

static void on_forget(void *self, const void *arg)
{
    struct hc_secrets *secrets = self;
    struct reading *next = NULL;

    for (struct reading *at = LIST_FIRST(&secrets->readings); at != NULL; at = next) {
        next = LIST_NEXT(at, link);
        if (at->arg == arg) {
            reading_free(at);
        }
    }
}

int hc_secrets_new(const struct hc_env *env, struct hc_asker *keeper, struct hc_secrets **out,
                   struct hc_error *err)
{
    struct hc_secrets *secrets = calloc(1, sizeof(*secrets));

    if (secrets == NULL) {
        return hc_error_nomem(err);
    }
    secrets->env = env;
    secrets->keeper = keeper;
    LIST_INIT(&secrets->readings);
    secrets->port = (struct hc_secret_port){secrets, on_read, on_read_given, on_forget};
    *out = secrets;
    return 0;
}

void hc_secrets_free(struct hc_secrets *secrets)
{
    if (secrets == NULL) {
        return;
    }
    while (!LIST_EMPTY(&secrets->readings)) {
        reading_free(LIST_FIRST(&secrets->readings));
    }
    free(secrets);
}

const struct hc_secret_port *hc_secrets_port(struct hc_secrets *secrets)
{
    return &secrets->port;
}
