/* The files that a host watches; see host.h. Each path stands in the configuration once. */
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "conf/build.h"
#include "conf/host.h"

struct path {
    const struct hc_list *files;
    const char *text;
};

static bool is_path(const void *self, size_t number)
{
    const struct path *path = self;

    return strcmp(path->files->items[number], path->text) == 0;
}

int hc_conf_file_index(struct hc_conf *conf, const char *text, int *index, struct hc_error *err)
{
    const struct path path = {&conf->files, text};
    uint64_t hash = hc_hash_bytes(text, strlen(text), HC_HASH_SEED);
    size_t number = hc_index_find(&conf->file_index, hash, is_path, &path);

    if (number == SIZE_MAX) {
        number = conf->files.count;
        if (hc_list_add(&conf->files, text, err) != 0 ||
            hc_index_add(&conf->file_index, hash, number, err) != 0) {
            return -1;
        }
    }
    *index = (int)number;
    return 0;
}

/* A file that a host may have or not. */
static int optional_index(struct hc_conf *conf, const char *path, int *index, struct hc_error *err)
{
    *index = -1;
    return path != NULL && path[0] != '\0' ? hc_conf_file_index(conf, path, index, err) : 0;
}

static int add_watched(struct hc_conf *conf, const struct hc_host *host,
                       struct hc_identity *identity, const char *const files[3],
                       struct hc_error *err)
{
    struct hc_watched *w = NULL;

    if (identity->watched == NULL) {
        identity->watched = calloc(HC_WATCHED_MAX, sizeof(*identity->watched));
    }
    if (identity->watched == NULL) {
        return hc_error_nomem(err);
    }
    if (identity->watched_count >= HC_WATCHED_MAX) {
        return hc_error_set(err, HC_P_BAD_VALUE, files[0],
                            "a host serves at most four pairs, one for each kind of key");
    }
    w = &identity->watched[identity->watched_count];
    if (hc_conf_file_index(conf, files[0], &w->certificate, err) != 0 ||
        hc_conf_file_index(conf, files[1], &w->key, err) != 0 ||
        optional_index(conf, files[2], &w->passphrase, err) != 0 ||
        optional_index(conf, host->chain_file, &w->chain, err) != 0 ||
        optional_index(conf, host->store_file, &w->store, err) != 0 ||
        optional_index(conf, host->store_folder, &w->folder, err) != 0) {
        return -1;
    }
    identity->watched_count++;
    return 0;
}

/* The files of the server's own directives, in triples. */
int hc_host_add_lines(struct hc_conf *conf, const struct hc_host *host,
                      struct hc_identity *identity, struct hc_error *err)
{
    const struct hc_list *files = host->files;

    for (size_t i = 0; files != NULL && i + 2 < files->count; i += 3) {
        const char *const triple[3] = {files->items[i], files->items[i + 1], files->items[i + 2]};

        if (add_watched(conf, host, identity, triple, err) != 0) {
            return -1;
        }
    }
    return 0;
}

int hc_host_files(struct hc_conf *conf, const struct hc_host *host, struct hc_identity *identity,
                  struct hc_error *err)
{
    const struct hc_list *named = host->scope != NULL ? &host->scope->files : &conf->main.files;

    for (size_t i = 0; i + 1 < named->count; i += 2) {
        const char *const files[3] = {named->items[i], named->items[i + 1], NULL};

        if (add_watched(conf, host, identity, files, err) != 0) {
            return -1;
        }
    }
    if (named->count == 0 && hc_host_add_lines(conf, host, identity, err) != 0) {
        return -1;
    }
    if (identity->watched_count == 0) {
        return hc_error_set(err, HC_P_NO_FILES, host->where, NULL);
    }
    return 0;
}
