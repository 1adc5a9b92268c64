/* What the tests of the store share: folders, secrets, pairs, whole files. */
#ifndef HC_T_STORE_LIB_H
#define HC_T_STORE_LIB_H

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "store/answer.h"
#include "store/follower.h"
#include "store/internal.h"
#include "store/line.h"
#include "store/lock.h"
#include "store/mark.h"
#include "store/record.h"
#include "store/sealed.h"
#include "tap.h"

#define NOW 1800000000

static const unsigned char secret_a[HC_SECRET_SIZE] = "the first secret of these tests";
static const unsigned char secret_b[HC_SECRET_SIZE] = "another secret, not the first..";

/* Log lines, counted and kept. */
struct lines {
    int count;
    char text[16384];
};

static struct lines said;

static void keep_line(void *self, enum hc_level level, const char *text)
{
    struct lines *l = self;

    (void)level;
    l->count++;
    (void)snprintf(l->text + strlen(l->text), sizeof(l->text) - strlen(l->text), "%s\n", text);
}

static const struct hc_log said_log = {&said, HC_LOG_DEBUG, keep_line};

static inline void fatal(const char *what)
{
    printf("Bail out! %s: %s\n", what, strerror(errno));
    exit(1);
}

/* A fresh folder, below which a test has its store. */
static inline char *scratch(void)
{
    char name[] = "/tmp/hotcert-store.XXXXXX";

    if (mkdtemp(name) == NULL) {
        fatal("mkdtemp");
    }
    return strdup(name);
}

static inline void remove_tree(const char *path)
{
    char command[512];

    (void)snprintf(command, sizeof(command), "rm -rf '%s'", path);
    if (system(command) != 0) {
        fatal(command);
    }
}

static inline void shell(const char *fmt, const char *a, const char *b)
{
    char command[1024];

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
    (void)snprintf(command, sizeof(command), fmt, a, b);
#pragma GCC diagnostic pop
    if (system(command) != 0) {
        fatal(command);
    }
}

static inline char *join(const char *folder, const char *name)
{
    char *path = NULL;

    if (asprintf(&path, "%s/%s", folder, name) < 0) {
        fatal("asprintf");
    }
    return path;
}

static inline struct hc_store *open_store(const char *path, enum hc_store_use use,
                                          const unsigned char *secret, struct hc_error *err)
{
    struct hc_store *store = NULL;

    hc_error_init(err);
    if (hc_store_open(path, use, secret, &said_log, &store, err) != 0) {
        return NULL;
    }
    return store;
}

static inline struct hc_store *drive(const char *path)
{
    struct hc_error err;
    struct hc_store *store = open_store(path, HC_STORE_DRIVE, secret_a, &err);

    if (store == NULL) {
        char line[2048];

        printf("# %s\n", hc_error_format(&err, line, sizeof(line)));
        fatal("the store does not open");
    }
    return store;
}

/* A pair of its own each time. */
static inline struct hc_pair *new_pair(void)
{
    struct hc_error err = {0};
    struct hc_pair *pair = NULL;

    if (hc_pair_bootstrap(&pair, &err) != 0) {
        fatal("no pair");
    }
    return pair;
}

static inline void line_number(unsigned n, unsigned char line[HC_ID_SIZE])
{
    unsigned char id[HC_ID_SIZE] = {0};

    id[0] = (unsigned char)n;
    id[1] = (unsigned char)(n >> 8);
    hc_line_of(id, HC_KEY_ECDSA_256, line);
}

static inline void fill_info(struct hc_line_info *info, unsigned line)
{
    struct hc_error err = {0};

    memset(info, 0, sizeof(*info));
    line_number(line, info->line);
    info->mode = HC_MODE_ON;
    info->key_type = HC_KEY_ECDSA_256;
    if (hc_strdup("https://ca.example/dir", &info->issuer, &err) != 0 ||
        hc_strdup("exa\\mple\n", &info->issuer_name, &err) != 0 ||
        hc_list_add(&info->names, "a.example", &err) != 0 ||
        hc_list_add(&info->names, "b.example", &err) != 0) {
        fatal("no memory");
    }
}

static inline int commit(struct hc_store *store, unsigned line, const struct hc_pair *pair,
                         struct hc_error *err)
{
    struct hc_line_info info;
    int rc = 0;

    hc_error_init(err);
    fill_info(&info, line);
    rc = hc_store_commit(store, &info, pair, NOW, err);
    hc_line_info_dispose(&info);
    return rc;
}

/* The current pair of a line, or NULL. */
static inline struct hc_pair *current(struct hc_store *store, unsigned line, struct hc_error *err)
{
    unsigned char id[HC_ID_SIZE];
    struct hc_pair *pair = NULL;

    hc_error_init(err);
    line_number(line, id);
    if (hc_store_current(store, id, &pair, NULL, err) != 0) {
        return NULL;
    }
    return pair;
}

static inline bool serves(struct hc_store *store, unsigned line, const struct hc_pair *want)
{
    struct hc_error err;
    struct hc_pair *pair = current(store, line, &err);
    bool good = pair != NULL && hc_pair_equal(pair, want);

    hc_pair_free(pair);
    return good;
}

/* The path of a version's file. */
static inline char *version_path(const char *store, unsigned line, unsigned version)
{
    unsigned char id[HC_ID_SIZE];
    char hex[2 * HC_ID_SIZE + 1];
    char *path = NULL;

    line_number(line, id);
    hc_hex(hex, id, HC_ID_SIZE);
    if (asprintf(&path, "%s/lines/%s/%u.pair", store, hex, version) < 0) {
        fatal("asprintf");
    }
    return path;
}

static inline size_t read_file(const char *path, unsigned char *data, size_t cap)
{
    FILE *f = fopen(path, "rb");
    size_t n = 0;

    if (f == NULL) {
        fatal(path);
    }
    n = fread(data, 1, cap, f);
    fclose(f);
    return n;
}

static inline void write_file(const char *path, const void *data, size_t len)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);

    if (fd < 0 || write(fd, data, len) != (ssize_t)len) {
        fatal(path);
    }
    close(fd);
}

static inline int count_entries(const char *folder, const char *sub)
{
    char *path = join(folder, sub);
    DIR *dir = opendir(path);
    const struct dirent *entry = NULL;
    int count = 0;

    while (dir != NULL && (entry = readdir(dir)) != NULL) {
        count += entry->d_name[0] != '.';
    }
    if (dir != NULL) {
        closedir(dir);
    }
    free(path);
    return count;
}

/* True if all that live follow the answer over HTTP with this token. */
static inline bool all_follow(struct hc_store *store, const struct hc_store_follower *self,
                              const char *token)
{
    char file[HC_ANSWER_FILE];

    return hc_store_answer_file(&(struct hc_answer){.kind = HC_ANSWER_HTTP, .key = token}, file,
                                NULL) == 0 &&
           hc_store_all_follow(store, self, file);
}

#endif
