/* Landlock, and both together; see confine.h. */
#include "agent/confine.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <openssl/x509.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/confine_compat.h"
#include "base/str.h"
#include "dns/anchors.h"

#define LEAST_EDITION 2 /* before it nothing could be renamed from one folder to another */

#define READ (HC_LANDLOCK_READ_FILE | HC_LANDLOCK_READ_DIR)
/* The store: what is odd in it is moved aside, whatever it is. */
#define DRIVE                                                                                      \
    (READ | HC_LANDLOCK_WRITE_FILE | HC_LANDLOCK_REMOVE_DIR | HC_LANDLOCK_REMOVE_FILE |            \
     HC_LANDLOCK_MAKE_DIR | HC_LANDLOCK_MAKE_REG | HC_LANDLOCK_MAKE_SOCK | HC_LANDLOCK_MAKE_FIFO | \
     HC_LANDLOCK_MAKE_SYM | HC_LANDLOCK_REFER | HC_LANDLOCK_TRUNCATE)
#define ALL (DRIVE | HC_LANDLOCK_EXECUTE | HC_LANDLOCK_MAKE_CHAR | HC_LANDLOCK_MAKE_BLOCK)
#define OF_FILES                                                                                   \
    (HC_LANDLOCK_READ_FILE | HC_LANDLOCK_WRITE_FILE | HC_LANDLOCK_EXECUTE | HC_LANDLOCK_TRUNCATE)

/* What is read of the system; those that are not there are passed over. */
static const char *const system_paths[] = {
    "/etc",
    "/usr",
    "/lib",
    "/lib64",
    "/nix/store",
    "/gnu/store",
    "/dev/random",
    "/dev/urandom",
    "/sys/devices/system/cpu",
    "/var/lib/ca-certificates",
};

struct rules {
    int ruleset;
    uint64_t files; /* what is ruled of files at all */
    int errnum;     /* of the first rule that could not be added; 0: none */
};

static void allow(struct rules *rules, const char *path, uint64_t what)
{
    struct hc_landlock_path rule = {.allowed = what & rules->files, .parent = -1};
    struct stat st;

    rule.parent = open(path, O_PATH | O_CLOEXEC);
    if (rule.parent < 0 || fstat(rule.parent, &st) != 0) {
        /* what is not there needs no rule */
    } else {
        if (!S_ISDIR(st.st_mode)) {
            rule.allowed &= OF_FILES;
        }
        if (syscall(SYS_landlock_add_rule, rules->ruleset, HC_LANDLOCK_PATH_BELOW, &rule, 0) != 0 &&
            rules->errnum == 0) {
            rules->errnum = errno;
        }
    }
    if (rule.parent >= 0) {
        close(rule.parent);
    }
}

/* The folder that a path lies in; the path itself where that is the root of everything. */
static void allow_around(struct rules *rules, const char *path, uint64_t what)
{
    char folder[PATH_MAX];
    char *slash = NULL;

    if (!hc_copy(folder, sizeof(folder), path)) {
        return;
    }
    slash = strrchr(folder, '/');
    if (slash == NULL || slash == folder) {
        allow(rules, path, what);
        return;
    }
    *slash = '\0';
    allow(rules, folder, what);
}

/* What a path leads to as well: both may be exchanged. */
static void allow_file(struct rules *rules, const char *path, uint64_t what)
{
    char real[PATH_MAX];

    if (path == NULL || path[0] != '/') {
        return;
    }
    allow_around(rules, path, what);
    if (realpath(path, real) != NULL && strcmp(real, path) != 0) {
        allow_around(rules, real, what);
    }
}

static void allow_configured(struct rules *rules, const struct hc_conf *conf)
{
    int last = -1;

    allow_file(rules, conf->dnssec_anchor, READ);
    for (size_t i = 0; i < conf->cdn_ranges.count; i++) {
        allow_file(rules, conf->cdn_ranges.items[i], READ);
    }
    for (size_t i = 0; i < conf->issuer_count; i++) {
        allow_file(rules, conf->issuers[i].ca_bundle, READ);
    }
    for (size_t i = 0; i < conf->set_count; i++) {
        allow_file(rules, conf->sets[i]->trusted_certificate, READ);
    }
    for (size_t i = 0; i < conf->identity_count; i++) {
        for (size_t w = 0; w < conf->identities[i].watched_count; w++) {
            int folder = conf->identities[i].watched[w].folder;

            /* all else of watched files comes from the keeper */
            if (folder >= 0 && folder != last && (size_t)folder < conf->files.count) {
                allow(rules, conf->files.items[folder], READ);
                last = folder;
            }
        }
    }
    if (conf->store != NULL) {
        allow(rules, conf->store, DRIVE);
        allow_file(rules, conf->store, DRIVE);
    }
}

static void allow_system(struct rules *rules)
{
    static const char *const names[] = {"SSL_CERT_FILE", "SSL_CERT_DIR"};

    for (size_t i = 0; i < HC_COUNT(system_paths); i++) {
        allow(rules, system_paths[i], READ);
    }
    allow(rules, "/dev/null", HC_LANDLOCK_READ_FILE | HC_LANDLOCK_WRITE_FILE);
    for (size_t i = 0; hc_anchors_usual[i] != NULL; i++) {
        allow_file(rules, hc_anchors_usual[i], READ);
    }
    allow_file(rules, "/etc/resolv.conf", READ); /* mostly a link to somewhere below /run */
    for (size_t i = 0; i < HC_COUNT(names); i++) {
        allow_file(rules, secure_getenv(names[i]), READ);
    }
    allow_file(rules, X509_get_default_cert_file(), READ);
    allow(rules, X509_get_default_cert_dir(), READ);
    allow(rules, X509_get_default_cert_area(), READ); /* with openssl.cnf */
}

static struct hc_landlock_ruleset ruleset_of(long edition)
{
    return (struct hc_landlock_ruleset){
        .files = edition >= 3 ? ALL : ALL & ~HC_LANDLOCK_TRUNCATE,
        .net = edition >= 4 ? HC_LANDLOCK_BIND_TCP : 0,
        .scoped = edition >= 6 ? HC_LANDLOCK_ABSTRACT | HC_LANDLOCK_SIGNAL : 0,
    };
}

static int refused(struct hc_error *err, int errnum, const char *what)
{
    return hc_error_set_errno(err, HC_P_NOT_CONFINED, "Landlock", errnum, "%s", what);
}

int hc_confine_files(const struct hc_conf *conf, struct hc_error *err)
{
    long edition = syscall(SYS_landlock_create_ruleset, NULL, 0, HC_LANDLOCK_VERSION);
    struct hc_landlock_ruleset what = ruleset_of(edition);
    struct rules rules = {.ruleset = -1, .files = what.files};
    int rc = -1;

    if (HC_CONFINE_SANITIZED) {
        return hc_error_set(err, HC_P_NOT_CONFINED, "Landlock", "this build has sanitizers");
    }
    if (edition < 0) {
        return refused(err, errno, "this kernel does not have it, or it is disabled");
    }
    if (edition < LEAST_EDITION) {
        return hc_error_set(err, HC_P_NOT_CONFINED, "Landlock",
                            "this kernel has version %ld of it; hotcert needs %d", edition,
                            LEAST_EDITION);
    }
    rules.ruleset = (int)syscall(SYS_landlock_create_ruleset, &what, sizeof(what), 0);
    if (rules.ruleset < 0) {
        return refused(err, errno, "making the rules");
    }
    allow_system(&rules);
    allow_configured(&rules, conf);
    if (rules.errnum != 0) {
        refused(err, rules.errnum, "adding a rule");
    } else if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 ||
               syscall(SYS_landlock_restrict_self, rules.ruleset, 0) != 0) {
        refused(err, errno, "applying the rules");
    } else {
        rc = 0;
    }
    close(rules.ruleset);
    return rc;
}

void hc_confine(const struct hc_conf *conf, const struct hc_log *log)
{
    struct hc_error err;

    hc_error_init(&err);
    if (hc_confine_files(conf, &err) != 0) {
        hc_log_error(log, HC_LOG_NOTICE, "the agent", &err);
    }
    hc_error_init(&err);
    if (hc_confine_calls(&err) != 0) {
        hc_log_error(log, HC_LOG_NOTICE, "the agent", &err);
    }
}
