/*
 * core/keeper/handover.c: the worker user's store becomes the agent's user's, whatever the worker
 * user does to it meanwhile. All of it, decoys included, lies in a folder of the test's own.
 */
#include "keeper/handover.h"

#include <dirent.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/wait.h>

#include "keeper_lib.h"

#define AGENT      34 /* any user that is neither root nor the worker */
#define ROUNDS     60
#define CUTS       40
#define TREE_FILES 12

static const struct hc_rights agent_rights = {true, AGENT, AGENT, NULL};
static char *base;

/* ---- trees ---- */

static const char *const tree_folders[] = {
    "store",         "store/lines",       "store/lines/aa",   "store/lines/bb",
    "store/records", "store/records/job", "store/challenges", "store/followers",
    "store/locks",   "store/tmp",         "store/damaged",
};
static const char *const tree_files[TREE_FILES] = {
    "store/format",
    "store/changed",
    "store/lines/aa/1.pair",
    "store/lines/aa/2.pair",
    "store/lines/bb/1.pair",
    "store/records/job/abc",
    "store/records/job/abc.before",
    "store/challenges/abc",
    "store/followers/1.2",
    "store/locks/line",
    "store/tmp/1.2.3",
    "store/damaged/000-1.pair",
};

/* A store of the worker user's. */
static void make_tree(void)
{
    for (size_t i = 0; i < HC_COUNT(tree_folders); i++) {
        make_folder(base, tree_folders[i], 0700, WORKER, WORKER);
    }
    for (size_t i = 0; i < TREE_FILES; i++) {
        char *path = join(base, tree_files[i]);

        make_file(base, tree_files[i], tree_files[i], strlen(tree_files[i]), 0600);
        if (chown(path, WORKER, WORKER) != 0) {
            fatal(path);
        }
        free(path);
    }
}

static void remove_store(void)
{
    char *path = join(base, "store");

    remove_tree(path);
    free(path);
}

static int open_store(void)
{
    char *path = join(base, "store");
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

    free(path);
    if (fd < 0) {
        fatal("the store");
    }
    return fd;
}

static int hand_over(struct hc_error *err)
{
    int fd = open_store();
    int rc = 0;

    hc_error_init(err);
    rc = hc_handover(fd, "store", &worker_rights, &agent_rights, err);
    close(fd);
    return rc;
}

static uid_t owner_of(const char *name, nlink_t *links)
{
    char *path = join(base, name);
    struct stat st;
    uid_t uid = lstat(path, &st) == 0 ? st.st_uid : (uid_t)-1;

    if (links != NULL) {
        *links = st.st_nlink;
    }
    free(path);
    return uid;
}

/* What there is in a tree, by owner; and a sum over the content of what is the agent's. */
struct sum {
    unsigned of_worker, of_agent, of_root, linked, strange;
    unsigned long content;
};

static void add_content(int folder, const char *name, struct sum *sum)
{
    int fd = openat(folder, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
    unsigned char byte = 0;

    while (fd >= 0 && read(fd, &byte, 1) == 1) {
        sum->content = sum->content * 31 + byte;
    }
    if (fd >= 0) {
        close(fd);
    }
}

static void add_tree(int parent, const char *name, struct sum *sum)
{
    int fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    DIR *dir = fd >= 0 ? fdopendir(fd) : NULL;
    const struct dirent *entry = NULL;
    struct stat st;

    while (dir != NULL && (entry = readdir(dir)) != NULL) {
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0 ||
            fstatat(fd, entry->d_name, &st, AT_SYMLINK_NOFOLLOW) != 0) {
            continue;
        }
        sum->of_worker += st.st_uid == WORKER;
        sum->of_root += st.st_uid == 0;
        sum->of_agent += st.st_uid == AGENT;
        if (st.st_uid == AGENT && !S_ISDIR(st.st_mode)) {
            sum->linked += st.st_nlink != 1;
            sum->strange += !S_ISREG(st.st_mode);
            add_content(fd, entry->d_name, sum);
        }
        if (S_ISDIR(st.st_mode)) {
            add_tree(fd, entry->d_name, sum);
        }
    }
    if (dir != NULL) {
        closedir(dir);
    }
}

static struct sum sum_of_store(void)
{
    struct sum sum = {0};
    char *path = join(base, "store");

    add_tree(AT_FDCWD, path, &sum);
    free(path);
    return sum;
}

/* ---- facts ---- */

static void a_store_is_given_once(void)
{
    struct hc_error err;
    struct sum sum;

    make_tree();
    is_int(hand_over(&err), 0, "a store that nobody uses is given away");
    sum = sum_of_store();
    ok(sum.of_worker == 0 && sum.of_root == 0 && owner_of("store", NULL) == AGENT, "all of it");
    is_int((long)sum.of_agent, (long)HC_COUNT(tree_folders) - 1 + TREE_FILES - 3,
           "but for followers, locks and temporary files, which are removed");
    is_int((long)owner_of("store/lines/aa/2.pair", NULL), AGENT, "a pair is the agent's");
    remove_store();
}

static void it_stays_while_an_agent_uses_it(void)
{
    static const struct {
        const char *name, *what;
        bool part;
    } locks[] = {{"store/followers/1.2", "a follower", false},
                 {"store/locks/line", "an order", true}};

    for (size_t i = 0; i < HC_COUNT(locks); i++) {
        struct flock range = {.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = 77, .l_len = 1};
        struct hc_error err;
        struct sum sum;
        char *path = NULL;
        int fd = -1;

        make_tree();
        path = join(base, locks[i].name);
        fd = open(path, O_RDWR | O_CLOEXEC);
        if (fd < 0 || (locks[i].part ? fcntl(fd, F_OFD_SETLK, &range) : flock(fd, LOCK_EX)) != 0) {
            fatal(path);
        }
        is_int(hand_over(&err), 1, locks[i].what);
        is_int(err.problem, HC_P_STORE_STAYS, "it is said that the store stays");
        sum = sum_of_store();
        ok(sum.of_agent == 0 && sum.of_root == 0, "and all of it is as it was");
        is_int((long)sum.of_worker, (long)HC_COUNT(tree_folders) - 1 + TREE_FILES,
               "nothing is missing");
        close(fd);
        is_int(hand_over(&err), 0, "when the lock is gone it is given away");
        free(path);
        remove_store();
    }
}

static void what_is_odd_is_not_given(void)
{
    struct hc_error err;
    nlink_t links = 0;
    char *path = NULL;
    char *other = NULL;
    struct stat st;
    int fd = -1;

    make_tree();
    make_file(base, "roots", "root's own", 10, 0600);
    make_folder(base, "folder", 0700, WORKER, WORKER);
    make_link(base, "store/lines/cc", "../../folder");
    make_link(base, "store/records/job/link", "../../../roots");
    make_folder(base, "store/unknown", 0700, WORKER, WORKER);
    path = join(base, "store/lines/aa/1.pair");
    other = join(base, "backup");
    if (link(path, other) != 0) {
        fatal("link");
    }
    free(path);
    path = join(base, "store/lines/bb/fifo");
    if (mkfifo(path, 0600) != 0 || chown(path, WORKER, WORKER) != 0) {
        fatal("mkfifo");
    }
    free(path);
    path = join(base, "store/lines/bb/1.pair");
    fd = open(path, O_RDWR | O_CLOEXEC);
    alarm(20);
    is_int(hand_over(&err), 0, "a store with odd things in it is given away");
    alarm(0);
    is_int((long)owner_of("roots", NULL), 0, "what a link leads to stays root's");
    is_int((long)owner_of("folder", NULL), WORKER, "a folder that a link leads to too");
    is_int((long)owner_of("store/unknown", NULL), WORKER, "an unknown folder is left alone");
    is_int((long)owner_of("store/lines/bb/fifo", NULL), WORKER, "a FIFO as well");
    ok(owner_of("backup", &links) == WORKER && links == 1, "another name of a file stays theirs");
    ok(owner_of("store/lines/aa/1.pair", &links) == AGENT && links == 1, "the store has a copy");
    ok(fd >= 0 && fstat(fd, &st) == 0 && st.st_nlink == 0,
       "a file that somebody could still write was replaced by a copy");
    is_int((long)owner_of("store/lines/bb/1.pair", NULL), AGENT, "which is the agent's");
    close(fd);
    free(path);
    free(other);
    remove_store();
}

/* ---- a worker user that fights ---- */

#define HELD    32
#define FOLDERS 6

struct fighter {
    unsigned luck;
    int folders[FOLDERS]; /* of the store, held open: they need no path */
    int theirs;           /* a folder of their own */
    int held[HELD];       /* files, open for writing */
};

static unsigned chance(struct fighter *f, unsigned of)
{
    f->luck = f->luck * 1103515245 + 12345;
    return (f->luck >> 16) % of;
}

/* One trick. The names are those of the folders that lie in the one chosen, or of files in it. */
static void try_one(struct fighter *f)
{
    static const char *const names[] = {"1.pair", "2.pair", "abc", "aa", "bb", "job", "cc"};
    const char *name = names[chance(f, HC_COUNT(names))];
    int folder = f->folders[chance(f, FOLDERS)];
    int *held = &f->held[chance(f, HELD)];
    char other[32];
    char by_fd[64];

    (void)snprintf(other, sizeof(other), "%u", chance(f, 16));
    switch (chance(f, 8)) {
    case 0: /* another one of theirs in its place */
        (void)!renameat(folder, name, f->theirs, other);
        break;
    case 1:
        (void)!renameat(f->theirs, other, folder, name);
        break;
    case 2:
        (void)!linkat(f->theirs, other, folder, name, 0);
        break;
    case 3:
        (void)!linkat(folder, name, f->theirs, other, 0);
        break;
    case 4:
        (void)!symlinkat(chance(f, 2) != 0 ? "../../../roots" : "../../roots.d", folder, name);
        break;
    case 5: /* kept open, and written for as long as it goes */
        if (*held >= 0) {
            close(*held);
        }
        *held = openat(folder, name, O_RDWR | O_NONBLOCK | O_NOFOLLOW);
        break;
    case 6: /* a link from a descriptor */
        (void)snprintf(by_fd, sizeof(by_fd), "/proc/self/fd/%d", *held);
        (void)!linkat(AT_FDCWD, by_fd, f->theirs, other, AT_SYMLINK_FOLLOW);
        break;
    default:
        (void)!unlinkat(f->theirs, other, 0);
        (void)!mkfifoat(folder, name, 0600);
        break;
    }
    for (size_t i = 0; i < HELD; i++) {
        (void)!pwrite(f->held[i], &f->luck, sizeof(f->luck), 0);
    }
}

static void __attribute__((noreturn)) fight(unsigned seed, int ready)
{
    static const char *const held[FOLDERS] = {"lines",    "records",     "lines/aa",
                                              "lines/bb", "records/job", "challenges"};
    struct fighter f = {.luck = seed};
    char *path = join(base, "theirs");

    if (setgid(WORKER) != 0 || setuid(WORKER) != 0) {
        _exit(1);
    }
    f.theirs = open(path, O_RDONLY | O_DIRECTORY);
    for (size_t i = 0; i < HELD; i++) {
        f.held[i] = -1;
    }
    for (size_t i = 0; i < FOLDERS; i++) {
        char name[64];

        (void)snprintf(name, sizeof(name), "../store/%s", held[i]);
        f.folders[i] = openat(f.theirs, name, O_RDONLY | O_DIRECTORY);
        if (f.folders[i] < 0) {
            _exit(1);
        }
    }
    (void)!write(ready, "x", 1);
    for (;;) {
        try_one(&f);
    }
}

static pid_t start_fighter(unsigned seed)
{
    char byte = 0;
    int ready[2];
    pid_t pid = -1;

    if (pipe(ready) != 0) {
        fatal("pipe");
    }
    pid = fork();
    if (pid == 0) {
        fight(seed, ready[1]);
    }
    (void)!read(ready[0], &byte, 1);
    close(ready[0]);
    close(ready[1]);
    usleep(seed * 7919 % 4000);
    return pid;
}

static void end_child(pid_t pid)
{
    (void)kill(pid, SIGKILL);
    (void)waitpid(pid, NULL, 0);
}

/* Counts what must never be. */
struct faults {
    unsigned gone_wrong, linked, strange, written, decoys, outside;
};

/* Nothing outside of the store is the agent's: a name there would be a second one. */
static void look_outside(struct faults *faults)
{
    char *path = join(base, "theirs");
    struct sum sum = {0};

    add_tree(AT_FDCWD, path, &sum);
    faults->outside += sum.of_agent + sum.of_root;
    free(path);
}

static bool decoys_are_well(void)
{
    char *path = join(base, "roots");
    char text[16] = "";
    struct stat st;
    int fd = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
    bool well = fd >= 0 && fstat(fd, &st) == 0 && st.st_uid == 0 && st.st_nlink == 1 &&
                (st.st_mode & 07777) == 0600 && read(fd, text, sizeof(text)) == 10 &&
                memcmp(text, "root's own", 10) == 0 && owner_of("roots.d", NULL) == 0 &&
                owner_of("roots.d/format", NULL) == 0;

    if (fd >= 0) {
        close(fd);
    }
    free(path);
    return well;
}

static void nothing_is_gained_by_fighting(void)
{
    struct faults faults = {0};
    unsigned given = 0;

    make_folder(base, "roots.d", 0755, 0, 0);
    make_file(base, "roots.d/format", "root's", 6, 0600);
    for (unsigned i = 0; i < ROUNDS; i++) {
        struct hc_error err;
        struct sum one;
        struct sum two;
        pid_t pid = -1;
        int rc = 0;

        make_tree();
        make_folder(base, "theirs", 0700, WORKER, WORKER);
        pid = start_fighter(i + 1);
        rc = hand_over(&err);
        one = sum_of_store();
        usleep(3000);
        two = sum_of_store();
        end_child(pid);
        given += rc == 0;
        faults.gone_wrong += rc < 0;
        if (rc == 0) {
            faults.linked += one.linked;
            faults.strange += one.strange;
            faults.written += one.content != two.content;
            look_outside(&faults);
        }
        faults.decoys += !decoys_are_well();
        remove_store();
        {
            char *path = join(base, "theirs");

            remove_tree(path);
            free(path);
        }
    }
    printf("# given %u of %u times; gone wrong %u, linked %u, strange %u, written %u, outside %u\n",
           given, ROUNDS, faults.gone_wrong, faults.linked, faults.strange, faults.written,
           faults.outside);
    ok(given > 0, "a store is given away while its owner fights");
    is_int((long)faults.gone_wrong, 0, "or it stays whole with them");
    is_int((long)faults.decoys, 0, "no file of root's was changed");
    is_int((long)faults.linked, 0, "no file of the agent's has another name");
    is_int((long)faults.outside, 0, "none lies outside of the store");
    is_int((long)faults.strange, 0, "none is anything but a regular file");
    is_int((long)faults.written, 0, "and none can still be written by the worker user");
}

/* ---- starts that are cut short ---- */

static void the_next_start_goes_on(void)
{
    unsigned incomplete = 0;
    unsigned begun = 0;

    for (unsigned i = 0; i < CUTS; i++) {
        struct hc_error err;
        struct sum sum;
        pid_t pid = -1;
        int fd = -1;

        make_tree();
        pid = fork();
        if (pid == 0) {
            _exit(hand_over(&err));
        }
        usleep(i * 40);
        end_child(pid);
        if (owner_of("store", NULL) != AGENT) {
            fd = open_store();
            begun += owner_of("store", NULL) == 0 &&
                     hc_handover_began(fd, &worker_rights, &agent_rights);
            incomplete += owner_of("store", NULL) == 0 &&
                          !hc_handover_began(fd, &worker_rights, &agent_rights);
            close(fd);
            incomplete += hand_over(&err) != 0;
        }
        sum = sum_of_store();
        incomplete += sum.of_worker != 0 || sum.of_root != 0;
        remove_store();
    }
    printf("# cut short %u of %u times\n", begun, CUTS);
    is_int((long)incomplete, 0, "a start that was killed is continued by the next");
}

static void a_folder_of_roots_is_none_that_was_begun(void)
{
    int fd = -1;

    make_folder(base, "store", 0700, 0, 0);
    make_file(base, "store/format", "x", 1, 0600);
    fd = open_store();
    ok(!hc_handover_began(fd, &worker_rights, &agent_rights),
       "a folder in which all is root's is left to the operator");
    close(fd);
    remove_store();
}

int main(void)
{
    if (skip_unless_root()) {
        return 0;
    }
    base = scratch();
    a_store_is_given_once();
    it_stays_while_an_agent_uses_it();
    what_is_odd_is_not_given();
    nothing_is_gained_by_fighting();
    the_next_start_goes_on();
    a_folder_of_roots_is_none_that_was_begun();
    remove_tree(base);
    free(base);
    return done();
}
