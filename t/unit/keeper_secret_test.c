/* core/keeper/secret.c: which files are a secret, and how one is made. */
#include "keeper/secret.h"

#include <sys/wait.h>

#include "base/str.h"
#include "keeper_lib.h"

static char *base;
static struct hc_guard guard;

static const char hex_digits[] = "000102030405060708090a0b0c0d0e0f101112131415161718191A1B1C1D1E1F";

static enum hc_problem parse(const void *data, size_t len, unsigned char secret[HC_SECRET_SIZE])
{
    struct hc_error err = {0};

    if (hc_secret_parse(data, len, "f", secret, &err) == 0) {
        return HC_P_NONE;
    }
    return err.problem;
}

static void the_forms_are_told_apart(void)
{
    unsigned char raw[HC_SECRET_SIZE];
    unsigned char got[HC_SECRET_SIZE];
    char text[80];
    static unsigned char large[HC_SECRET_FILE_MAX + 1];

    for (size_t i = 0; i < sizeof(raw); i++) {
        raw[i] = (unsigned char)i;
    }
    ok(parse(raw, 32, got) == HC_P_NONE && memcmp(got, raw, 32) == 0,
       "32 bytes are taken as they are");
    ok(parse(hex_digits, 64, got) == HC_P_NONE && memcmp(got, raw, 32) == 0,
       "64 hex digits are decoded");
    (void)snprintf(text, sizeof(text), "%s\n", hex_digits);
    ok(parse(text, 65, got) == HC_P_NONE && memcmp(got, raw, 32) == 0, "with a newline");
    (void)snprintf(text, sizeof(text), "%s\r\n", hex_digits);
    ok(parse(text, 66, got) == HC_P_NONE && memcmp(got, raw, 32) == 0, "or two");
    ok(parse(text, 63, got) == HC_P_NONE && memcmp(got, raw, 32) != 0, "63 digits are just bytes");
    is_int(parse(raw, 31, got), HC_P_SECRET_UNSAFE, "31 bytes are too few");
    is_int(parse(raw, 0, got), HC_P_SECRET_UNSAFE, "none are too few");
    memset(large, 'x', sizeof(large));
    large[0] = 'y';
    is_int(parse(large, HC_SECRET_FILE_MAX, got), HC_P_NONE, "4096 bytes are hashed");
    is_int(parse(large, HC_SECRET_FILE_MAX + 1, got), HC_P_SECRET_UNSAFE, "4097 are too many");
    is_int(parse(large + 1, 32, got), HC_P_SECRET_UNSAFE, "one byte repeated is no secret");
    memset(large, 0, sizeof(large));
    is_int(parse(large, 65, got), HC_P_SECRET_UNSAFE, "nor are zeros from a crashed disk");
    {
        static const unsigned char digest[] = {0x7c, 0xbe, 0x24, 0x4e};

        ok(parse("a passphrase of a container, with newline\n", 42, got) == HC_P_NONE &&
               parse("a passphrase of a container, with newline", 41, raw) == HC_P_NONE &&
               memcmp(got, raw, 32) != 0,
           "every byte of another text counts, its newline too");
        ok(memcmp(raw, digest, sizeof(digest)) == 0, "what counts is its SHA-256");
    }
}

static char hint[HC_ERROR_HINT]; /* of the last load() */

static enum hc_problem load(const char *name, bool create, unsigned char secret[HC_SECRET_SIZE],
                            const struct hc_guard *against)
{
    struct hc_error err = {0};
    char *path = join(base, name);
    int rc = hc_secret_load(path, against, create, secret, &err);

    free(path);
    hc_copy(hint, sizeof(hint), err.hint);
    return rc == 0 ? HC_P_NONE : err.problem;
}

static void one_is_made_when_it_is_asked_for(void)
{
    unsigned char first[HC_SECRET_SIZE];
    unsigned char second[HC_SECRET_SIZE];
    char *path = join(base, "deep/er/secret");
    struct stat st;

    is_int(load("deep/er/secret", false, first, &guard), HC_P_SECRET_MISSING, "there is none");
    is_int(load("deep/er/secret", true, first, &guard), HC_P_NONE, "one is made");
    ok(stat(path, &st) == 0 && (st.st_mode & 07777) == 0600 && st.st_uid == 0 && st.st_size == 65,
       "root's, 0600, in text");
    ok(load("deep/er/secret", true, second, &guard) == HC_P_NONE && memcmp(first, second, 32) == 0,
       "and stays the same");
    ok(load("deep/er/secret", false, second, &guard) == HC_P_NONE && memcmp(first, second, 32) == 0,
       "for whoever asks");
    free(path);
}

static void of_many_makers_all_have_the_same(void)
{
    int pipes[2];
    unsigned char first[HC_SECRET_SIZE];
    unsigned char next[HC_SECRET_SIZE];
    bool same = true;

    if (pipe(pipes) != 0) {
        fatal("pipe");
    }
    for (int i = 0; i < 8; i++) {
        if (fork() == 0) {
            unsigned char mine[HC_SECRET_SIZE] = {0};

            if (load("race/secret", true, mine, &guard) != HC_P_NONE ||
                write(pipes[1], mine, sizeof(mine)) != (ssize_t)sizeof(mine)) {
                _exit(1);
            }
            _exit(0);
        }
    }
    close(pipes[1]);
    if (read(pipes[0], first, sizeof(first)) != (ssize_t)sizeof(first)) {
        fatal("read");
    }
    for (int i = 1; i < 8; i++) {
        same = same && read(pipes[0], next, sizeof(next)) == (ssize_t)sizeof(next) &&
               memcmp(first, next, sizeof(next)) == 0;
    }
    ok(same, "eight that make one at once have the same");
    while (wait(NULL) > 0) {
    }
    {
        char command[256];

        (void)snprintf(command, sizeof(command), "test $(ls -A %s/race | wc -l) = 1", base);
        is_int(system(command), 0, "and nothing but it is left");
    }
    close(pipes[0]);
}

static void own(const char *name, uid_t uid, gid_t gid)
{
    char *path = join(base, name);

    if (lchown(path, uid, gid) != 0) {
        fatal(path);
    }
    free(path);
}

static void unsafe_files_are_refused(void)
{
    unsigned char secret[HC_SECRET_SIZE];
    static const struct hc_guard nobody;
    static const struct {
        const char *name;
        mode_t mode;
        uid_t uid;
        gid_t gid;
        enum hc_problem want;
        const char *what;
    } files[] = {
        {"f0600", 0600, 0, 0, HC_P_NONE, "0600 of root's"},
        {"f0400", 0400, 0, 0, HC_P_NONE, "0400 of root's"},
        {"f0440", 0440, 0, 0, HC_P_NONE, "0440 of root's group"},
        {"f0440o", 0440, 0, 4, HC_P_NONE, "0440 of a group that the worker user is not in"},
        {"f0440w", 0440, 0, WORKER, HC_P_SECRET_UNSAFE, "0440 of the worker's group"},
        {"f0444", 0444, 0, 0, HC_P_SECRET_UNSAFE, "0444"},
        {"f0620", 0620, 0, 0, HC_P_SECRET_UNSAFE, "0620"},
        {"f0602", 0602, 0, 0, HC_P_SECRET_UNSAFE, "0602"},
        {"fworker", 0600, WORKER, WORKER, HC_P_SECRET_UNSAFE, "the worker user's own"},
        {"fother", 0600, 1, 1, HC_P_SECRET_UNSAFE, "somebody else's"},
    };

    for (size_t i = 0; i < HC_COUNT(files); i++) {
        make_file(base, files[i].name, hex_digits, 64, files[i].mode);
        own(files[i].name, files[i].uid, files[i].gid);
        is_str(hc_problem_row(load(files[i].name, true, secret, &guard))->slug,
               hc_problem_row(files[i].want)->slug, files[i].what);
    }
    is_int(load("f0444", false, secret, &nobody), HC_P_SECRET_UNSAFE, "0444 also without root");
    ok(strncmp(hint, "chmod 0600 /", 12) == 0, "the hint is the command that mends it");
    (void)load("fother", false, secret, &guard);
    ok(strncmp(hint, "chown root /", 12) == 0, "another one for the wrong owner");
    make_folder(base, "theirs", 0755, WORKER, WORKER);
    make_file(base, "theirs/secret", hex_digits, 64, 0600);
    is_int(load("theirs/secret", false, secret, &guard), HC_P_SECRET_UNSAFE,
           "in a folder of the worker user's");
    is_int(load("theirs/new", true, secret, &guard), HC_P_SECRET_UNSAFE, "none is made there");
    make_folder(base, "afolder", 0700, 0, 0);
    is_int(load("afolder", true, secret, &guard), HC_P_SECRET_UNSAFE, "a folder");
    make_link(base, "link", "f0400");
    is_int(load("link", false, secret, &guard), HC_P_NONE,
           "a symlink of root's, as container platforms make it");
    make_file(base, "short", "abc", 3, 0600);
    is_int(load("short", true, secret, &guard), HC_P_SECRET_UNSAFE,
           "a short file is not replaced by a new secret");
    ok(strstr(hint, "openssl rand") != NULL, "the hint speaks of its content");
}

int main(void)
{
    struct hc_error err = {0};

    the_forms_are_told_apart();
    if (getuid() != 0) {
        return done();
    }
    base = scratch();
    if (hc_guard_init(&guard, &worker_rights, &err) != 0) {
        fatal("the guard");
    }
    one_is_made_when_it_is_asked_for();
    of_many_makers_all_have_the_same();
    unsafe_files_are_refused();
    remove_tree(base);
    free(base);
    return done();
}
