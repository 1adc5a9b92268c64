/*
 * Starts `hotcert load` as the servers do, once, and tells what came into the table.
 *
 *   usage: loads CONF      CONF: the configuration as an agent has it (its descriptor 3); as root
 *
 * Prints what the loader said ("say TEXT"), and a line for each identity of the configuration:
 *   pair ID NAME SERIAL fit=0|1 covers=N       fit: the key belongs to the certificate
 *   none ID NAME
 *   refused SENTENCE                           instead: the start would be refused
 */
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "conf/build.h"
#include "keeper/keeper.h"
#include "keeper/spawn.h"
#include "live/table.h"
#include "pki/pair.h"

static void say(void *self HC_UNUSED, enum hc_level level HC_UNUSED, const char *text)
{
    printf("say %s\n", text);
}

static struct hc_conf *read_conf(const char *path, struct hc_error *err)
{
    static char text[1 << 20];
    FILE *f = fopen(path, "r");
    size_t n = f != NULL ? fread(text, 1, sizeof(text), f) : 0;

    if (f != NULL) {
        (void)fclose(f);
    }
    return hc_conf_decode(text, n, err);
}

static void tell_bundle(const struct hc_identity *identity, const struct hc_bundle *bundle)
{
    for (size_t i = 0; i < hc_bundle_count(bundle); i++) {
        const struct hc_pair *pair = hc_bundle_pair(bundle, i);

        printf("pair %02x%02x %s %s fit=%d covers=%zu\n", identity->id[0], identity->id[1],
               identity->names.items[0], hc_pair_serial(pair),
               X509_check_private_key(hc_pair_leaf(pair), hc_pair_key(pair)) == 1,
               hc_pair_covers(pair, &identity->names));
    }
}

static void tell(const struct hc_table *table, const struct hc_identity *identity)
{
    struct hc_buf payload = HC_BUF_INIT_SECRET(HC_BUNDLE_MAX);
    struct hc_bundle *bundle = NULL;
    int64_t slot = hc_table_find(table, identity->id);
    uint64_t value = 0;
    struct hc_error err;

    hc_error_init(&err);
    if (slot < 0 || hc_table_read(table, slot, identity->id, &value, &payload, &err) != 1) {
        printf("none %02x%02x %s\n", identity->id[0], identity->id[1], identity->names.items[0]);
    } else if (hc_bundle_decode(hc_bytes_of(&payload).data, payload.len, &bundle, &err) != 0) {
        printf("broken %s: %s\n", identity->names.items[0], err.detail);
    } else {
        tell_bundle(identity, bundle);
    }
    hc_bundle_free(bundle);
    hc_buf_dispose(&payload);
}

int main(int argc, char **argv)
{
    const struct hc_log log = {NULL, HC_LOG_INFO, say};
    struct hc_rights rights = {.drop = true};
    struct hc_table *table = NULL;
    struct hc_conf *conf = NULL;
    const struct passwd *user = NULL;
    struct hc_error err;
    pid_t pid = 0;
    int keeper = -1;
    int fd = -1;
    int rc = 0;

    hc_error_init(&err);
    conf = argc == 2 ? read_conf(argv[1], &err) : NULL;
    user = conf != NULL ? getpwnam(conf->user) : NULL;
    if (user == NULL || hc_table_create((size_t)conf->table_size, &fd, &table, &err) != 0) {
        fprintf(stderr, "usage: loads CONF (as root): %s\n", err.detail);
        return 2;
    }
    rights.uid = user->pw_uid;
    rights.gid = user->pw_gid;
    rights.user = conf->user;
    (void)fflush(stdout);
    if (hc_keeper_start(conf, &rights, NULL, &keeper, &pid, &err) != 0) {
        fprintf(stderr, "the keeper does not start: %s\n", err.detail);
        return 2;
    }
    rc = hc_loader_run(conf, &rights, &(struct hc_loader_fds){keeper, fd, -1}, &log, &err);
    if (rc != 0) {
        printf("refused %s\n", err.detail);
    }
    for (size_t i = 0; rc == 0 && i < conf->identity_count; i++) {
        tell(table, &conf->identities[i]);
    }
    (void)close(keeper);
    (void)waitpid(pid, NULL, 0);
    hc_table_detach(table);
    hc_conf_free(conf);
    return 0;
}
