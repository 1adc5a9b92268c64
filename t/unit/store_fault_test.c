/*
 * core/store when the process dies or the disk refuses at any of its file operations: what is
 * served afterwards is the old or the new state, whole, and the next attempt works.
 */
#include <sys/mount.h>

#include "store_lib.h"

enum fault { FAULT_NONE, FAULT_DIE, FAULT_ONCE, FAULT_FROM, FAULT_SHORT };

/* File operations that go wrong at the k-th call. */
struct faulty {
    enum fault fault;
    int at;
    int errnum;
    int calls;
};

/* True if this call is to fail; dies if it is to die. */
static bool strikes(struct faulty *f)
{
    f->calls++;
    if (f->fault == FAULT_DIE && f->calls == f->at) {
        _exit(42);
    }
    if ((f->fault == FAULT_ONCE && f->calls == f->at) ||
        (f->fault == FAULT_FROM && f->calls >= f->at)) {
        errno = f->errnum;
        return true;
    }
    return false;
}

static const struct hc_fs *const real = &hc_fs_system;

static int f_open(void *self, int folder, const char *name, int flags, mode_t mode)
{
    /* a full or read-only disk still opens for reading */
    bool changes = (flags & (O_CREAT | O_WRONLY | O_RDWR)) != 0;

    if (changes && strikes(self)) {
        return -1;
    }
    return real->open(NULL, folder, name, flags, mode);
}

static ssize_t f_read(void *self, int fd, void *data, size_t len)
{
    (void)self;
    return real->read(NULL, fd, data, len);
}

static ssize_t f_write(void *self, int fd, const void *data, size_t len)
{
    struct faulty *f = self;

    if (strikes(f)) {
        return -1;
    }
    if (f->fault == FAULT_SHORT && len > 1) {
        len /= 2;
    }
    if (f->fault == FAULT_DIE && f->calls + 1 == f->at && len > 1) {
        /* half of it reaches the disk, then the lights go out */
        ssize_t n = real->write(NULL, fd, data, len / 2);

        (void)n;
        _exit(42);
    }
    return real->write(NULL, fd, data, len);
}

static int f_sync(void *self, int fd)
{
    return strikes(self) ? -1 : real->sync(NULL, fd);
}

/* What a fault is let loose on. */
struct world {
    char *folder; /* the store */
    struct hc_pair *old;
    struct hc_pair *fresh;
    int line; /* that the work commits to: 1 has a version, 2 has none */
};

/* Whose commit to line 1 is stopped on the way to its number, until that was taken and pruned. */
static const struct world *stopped;

static void overtake(const char *to)
{
    const struct world *w = stopped;
    struct hc_store *store = NULL;
    struct hc_error err = {0};

    if (w == NULL || strstr(to, ".pair") == NULL) {
        return;
    }
    stopped = NULL;
    store = drive(w->folder);
    for (int i = 0; i <= HC_STORE_VERSIONS; i++) {
        if (commit(store, 1, w->old, &err) != 0) {
            fatal("the overtaker");
        }
    }
    hc_store_close(store);
}

static int f_rename(void *self, int from_folder, const char *from, int to_folder, const char *to,
                    bool replace)
{
    overtake(to);
    return strikes(self) ? -1 : real->rename(NULL, from_folder, from, to_folder, to, replace);
}

static int f_link(void *self, int from_folder, const char *from, int to_folder, const char *to)
{
    return strikes(self) ? -1 : real->link(NULL, from_folder, from, to_folder, to);
}

static int f_unlink(void *self, int folder, const char *name)
{
    return strikes(self) ? -1 : real->unlink(NULL, folder, name);
}

static int f_make_folder(void *self, int folder, const char *name, mode_t mode)
{
    return strikes(self) ? -1 : real->make_folder(NULL, folder, name, mode);
}

static int f_remove_folder(void *self, int folder, const char *name)
{
    return strikes(self) ? -1 : real->remove_folder(NULL, folder, name);
}

static struct hc_fs faulty_fs(struct faulty *f)
{
    return (struct hc_fs){f,        f_open, f_read,   f_write,       f_sync,
                          f_rename, f_link, f_unlink, f_make_folder, f_remove_folder};
}

typedef int (*work_fn)(struct hc_store *store, const struct world *w, struct hc_error *err);

static int work_commit(struct hc_store *store, const struct world *w, struct hc_error *err)
{
    return commit(store, (unsigned)w->line, w->fresh, err);
}

static int work_commit_overtaken(struct hc_store *store, const struct world *w,
                                 struct hc_error *err)
{
    int rc = 0;

    stopped = w;
    rc = work_commit(store, w, err);
    stopped = NULL;
    return rc;
}

static int work_put(struct hc_store *store, const struct world *w, struct hc_error *err)
{
    (void)w;
    return hc_store_put(store, "account", "j", (struct hc_bytes){(const unsigned char *)"new", 3},
                        err);
}

static int work_remove(struct hc_store *store, const struct world *w, struct hc_error *err)
{
    unsigned char line[HC_ID_SIZE];

    (void)w;
    line_number(1, line);
    return hc_store_remove(store, line, err);
}

static void world_begin(struct world *w, int line)
{
    struct hc_error err = {0};
    struct hc_store *store = NULL;

    w->folder = scratch();
    w->old = new_pair();
    w->fresh = new_pair();
    w->line = line;
    store = drive(w->folder);
    /* three versions: the next commit also wipes the oldest */
    if (commit(store, 1, w->fresh, &err) != 0 || commit(store, 1, w->fresh, &err) != 0 ||
        commit(store, 1, w->old, &err) != 0 ||
        hc_store_put(store, "account", "j", (struct hc_bytes){(const unsigned char *)"old", 3},
                     &err) != 0) {
        fatal("the world before");
    }
    hc_store_close(store);
}

static void world_end(struct world *w)
{
    hc_pair_free(w->old);
    hc_pair_free(w->fresh);
    remove_tree(w->folder);
    free(w->folder);
}

/* Opens the store with faults and works. -2: it did not even open. */
static int attempt(const struct world *w, struct faulty *f, work_fn work, struct hc_error *err)
{
    struct hc_fs fs = faulty_fs(f);
    struct hc_store *store = NULL;
    int rc = -2;

    hc_error_init(err);
    if (hc_store_open_on(&(struct hc_store_options){w->folder, HC_STORE_DRIVE, secret_a, NULL, &fs},
                         &store, err) == 0) {
        rc = work(store, w, err);
    }
    hc_store_close(store);
    return rc;
}

static bool value_is(struct hc_store *store, const char *want)
{
    struct hc_buf out = HC_BUF_INIT(64);
    struct hc_error err = {0};
    bool good = hc_store_get(store, "account", "j", &out, &err) == 0 &&
                strcmp(hc_buf_text(&out), want) == 0;

    hc_buf_dispose(&out);
    return good;
}

/* The state afterwards, seen by whoever comes next. */
struct after {
    bool is_old;
    bool is_new;
    bool tidy;  /* nothing is left under tmp/ */
    bool works; /* the same work now succeeds */
};

static struct after look(const struct world *w, work_fn work)
{
    struct after a = {false, false, false, false};
    struct hc_store *store = drive(w->folder);
    struct hc_error err = {0};

    if (work == work_commit || work == work_commit_overtaken) {
        struct hc_pair *pair = current(store, (unsigned)w->line, &err);

        a.is_new = pair != NULL && hc_pair_equal(pair, w->fresh);
        a.is_old = w->line == 1 ? pair != NULL && hc_pair_equal(pair, w->old)
                                : pair == NULL && err.problem == HC_P_STORE_EMPTY;
        hc_pair_free(pair);
    } else if (work == work_put) {
        a.is_old = value_is(store, "old");
        a.is_new = value_is(store, "new");
    } else {
        struct hc_pair *pair = current(store, 1, &err);

        a.is_old = pair != NULL && hc_pair_equal(pair, w->old);
        a.is_new = pair == NULL && err.problem == HC_P_STORE_EMPTY;
        hc_pair_free(pair);
    }
    a.tidy = count_entries(w->folder, "tmp") == 0;
    hc_error_init(&err);
    a.works = work(store, w, &err) == 0;
    hc_store_close(store);
    return a;
}

static void dying_anywhere(work_fn work, int line, const char *name)
{
    int k = 1;
    int old = 0;
    int fresh = 0;
    bool good = true;

    for (int status = 42; status == 42; k++) {
        struct world w;
        struct after a;
        pid_t pid = 0;

        world_begin(&w, line);
        pid = fork();
        if (pid == 0) {
            struct faulty f = {FAULT_DIE, k, 0, 0};
            struct hc_error err = {0};

            _exit(attempt(&w, &f, work, &err) == 0 ? 0 : 1);
        }
        waitpid(pid, &status, 0);
        status = WIFEXITED(status) ? WEXITSTATUS(status) : 255;
        a = look(&w, work);
        if (!((a.is_old != a.is_new) && a.tidy && a.works && (status == 42 || status == 0))) {
            printf("# %s: killed at %d (status %d): old %d new %d tidy %d works %d\n", name, k,
                   status, a.is_old, a.is_new, a.tidy, a.works);
            good = false;
        }
        old += a.is_old;
        fresh += a.is_new;
        world_end(&w);
    }
    printf("# %s: %d points of death, %d times the old state, %d times the new\n", name, k - 2, old,
           fresh);
    ok(good && old > 0 && fresh > 0, name);
}

static void failing_anywhere(work_fn work, int line, enum fault fault, int errnum, const char *name)
{
    bool good = true;
    bool struck = true;
    int failures = 0;

    for (int k = 1; struck; k++) {
        struct world w;
        struct after a;
        struct faulty f = {fault, k, errnum, 0};
        struct hc_error err = {0};
        int rc = 0;
        bool right = false;

        world_begin(&w, line);
        rc = attempt(&w, &f, work, &err);
        struck = f.calls >= k;
        failures += rc != 0;
        a = look(&w, work);
        /* once: a failure changed nothing. From here on: even undoing failed, either may be there
         */
        right = rc == 0 ? a.is_new
                        : a.is_old || (a.is_new && (fault == FAULT_FROM || work == work_put));
        if (rc != 0 && err.problem != HC_P_STORE_WRITE) {
            right = false;
        }
        if (!(right && a.tidy && a.works)) {
            printf("# %s: failed at %d: rc %d (%s) old %d new %d tidy %d works %d\n", name, k, rc,
                   hc_problem_row(err.problem)->slug, a.is_old, a.is_new, a.tidy, a.works);
            good = false;
        }
        world_end(&w);
    }
    ok(good && failures > 0, name);
}

/* What is overwritten, and whether a name led to it then. */
struct overwritten {
    int files;
    int with_a_name;
};

static ssize_t o_write(void *self, int fd, const void *data, size_t len)
{
    struct overwritten *o = self;
    struct stat st;

    if (len > 0 && ((const char *)data)[0] == '\0' && fstat(fd, &st) == 0) {
        o->files++;
        o->with_a_name += st.st_nlink > 0;
    }
    return real->write(NULL, fd, data, len);
}

static void what_is_wiped_has_no_name_any_more(void)
{
    struct overwritten o = {0, 0};
    struct hc_fs fs = hc_fs_system;
    struct hc_store *store = NULL;
    struct hc_error err = {0};
    struct world w;

    world_begin(&w, 1);
    fs.self = &o;
    fs.write = o_write;
    ok(hc_store_open_on(&(struct hc_store_options){w.folder, HC_STORE_DRIVE, secret_a, NULL, &fs},
                        &store, &err) == 0 &&
           work_commit(store, &w, &err) == 0,
       "a commit that wipes the oldest version");
    ok(o.files > 0, "it is overwritten");
    is_int(o.with_a_name, 0, "when nobody can open it any more and take it for damaged");
    hc_store_close(store);
    world_end(&w);
}

/* The folders that were brought to the disk. */
struct synced {
    ino_t inodes[64];
    int count;
};

static int s_sync(void *self, int fd)
{
    struct synced *s = self;
    struct stat st;

    if (fstat(fd, &st) == 0 && s->count < (int)HC_COUNT(s->inodes)) {
        s->inodes[s->count++] = st.st_ino;
    }
    return real->sync(NULL, fd);
}

static bool was_synced(const struct synced *s, const char *folder, const char *name)
{
    char *path = join(folder, name);
    struct stat st;
    bool found = false;

    for (int i = 0; stat(path, &st) == 0 && i < s->count; i++) {
        found = found || s->inodes[i] == st.st_ino;
    }
    free(path);
    return found;
}

/* Who made the folders was killed before it had brought their names to the disk. */
static void folders_that_are_found_are_brought_to_the_disk(void)
{
    struct synced s = {.count = 0};
    struct hc_fs fs = hc_fs_system;
    struct hc_pair *pair = new_pair();
    char *folder = scratch();
    struct hc_store *store = NULL;
    struct hc_error err = {0};
    char *path = version_path(folder, 1, 1);

    fs.self = &s;
    fs.sync = s_sync;
    if (hc_store_open_on(&(struct hc_store_options){folder, HC_STORE_DRIVE, secret_a, NULL, &fs},
                         &store, &err) != 0) {
        fatal("open");
    }
    path[strlen(path) - strlen("/1.pair")] = '\0';
    shell("umask 077; mkdir -p '%s' '%s/records/account'", path, folder);
    s.count = 0;
    ok(commit(store, 1, pair, &err) == 0 && was_synced(&s, folder, "lines") &&
           was_synced(&s, folder, "."),
       "a first version, in a folder that is there: its name is brought to the disk too");
    s.count = 0;
    ok(commit(store, 1, pair, &err) == 0 && !was_synced(&s, folder, "lines"), "once");
    s.count = 0;
    ok(hc_store_put(store, "account", "u", (struct hc_bytes){NULL, 0}, &err) == 0 &&
           was_synced(&s, folder, "records") && was_synced(&s, folder, "."),
       "and so it is with an account");
    s.count = 0;
    ok(hc_store_put(store, "account", "u", (struct hc_bytes){NULL, 0}, &err) == 0 &&
           !was_synced(&s, folder, "records"),
       "once");
    hc_store_close(store);
    hc_pair_free(pair);
    remove_tree(folder);
    free(path);
    free(folder);
}

/* The folder's descriptor turns out to be none: as where a sandbox forbids fstat(). */
static int x_open(void *self, int folder, const char *name, int flags, mode_t mode)
{
    const bool *forbidden = self;

    return *forbidden && strcmp(name, "records") == 0 ? 1 << 20
                                                      : real->open(NULL, folder, name, flags, mode);
}

static void what_cannot_be_looked_at_is_nobodys(void)
{
    struct hc_fs fs = hc_fs_system;
    struct hc_buf text = HC_BUF_INIT(4096);
    bool forbidden = false;
    char *folder = scratch();
    struct hc_store *store = NULL;
    struct hc_error err = {0};

    fs.self = &forbidden;
    fs.open = x_open;
    if (hc_store_open_on(&(struct hc_store_options){folder, HC_STORE_DRIVE, secret_a, NULL, &fs},
                         &store, &err) != 0) {
        fatal("open");
    }
    is_int(hc_store_put(store, "account", "u", (struct hc_bytes){NULL, 0}, &err), 0, "kept");
    forbidden = true;
    is_int(hc_store_get(store, "account", "u", &text, &err), -1,
           "a folder that cannot be examined");
    is_int(err.problem, HC_P_STORE_UNUSABLE, "is not said to be unsafe");
    ok(strstr(err.detail, strerror(EBADF)) != NULL && strstr(err.detail, "alone") == NULL,
       "but what the system said of it");
    hc_store_close(store);
    hc_buf_dispose(&text);
    remove_tree(folder);
    free(folder);
}

static void short_writes_are_gone_on_with(void)
{
    struct world w;
    struct faulty f = {FAULT_SHORT, 0, 0, 0};
    struct hc_error err = {0};
    struct after a;

    world_begin(&w, 1);
    is_int(attempt(&w, &f, work_commit, &err), 0, "writes that take half each succeed");
    a = look(&w, work_commit);
    ok(a.is_new, "and write all");
    world_end(&w);
}

static void a_first_open_may_die_anywhere(void)
{
    bool good = true;
    int status = 42;
    int k = 1;

    for (; status == 42; k++) {
        char *folder = scratch();
        struct hc_error err = {0};
        struct hc_store *store = NULL;
        pid_t pid = fork();

        if (pid == 0) {
            struct faulty f = {FAULT_DIE, k, 0, 0};
            struct hc_fs fs = faulty_fs(&f);

            _exit(hc_store_open_on(
                      &(struct hc_store_options){folder, HC_STORE_DRIVE, secret_a, NULL, &fs},
                      &store, &err) == 0
                      ? 0
                      : 1);
        }
        waitpid(pid, &status, 0);
        status = WIFEXITED(status) ? WEXITSTATUS(status) : 255;
        store = open_store(folder, HC_STORE_DRIVE, secret_a, &err);
        good = good && store != NULL && (status == 42 || status == 0) &&
               count_entries(folder, "tmp") == 0;
        hc_store_close(store);
        remove_tree(folder);
        free(folder);
    }
    ok(good && k > 4, "the first opening may die anywhere");
}

static void two_commit_at_once(void)
{
    char *folder = scratch();
    struct hc_store *store = drive(folder);
    struct hc_line_info info = {.version = 0};
    struct hc_pair *pair = NULL;
    struct hc_error err = {0};
    unsigned char line[HC_ID_SIZE];
    bool good = true;

    for (int i = 0; i < 2; i++) {
        if (fork() == 0) {
            struct hc_store *own = drive(folder);
            int bad = 0;

            for (int n = 0; n < 25; n++) {
                struct hc_pair *p = new_pair();

                bad += commit(own, 1, p, &err) != 0;
                hc_pair_free(p);
            }
            hc_store_close(own);
            hc_store_close(store); /* valgrind looks for leaks in children, too */
            free(folder);
            _exit(bad != 0);
        }
    }
    for (int i = 0; i < 2; i++) {
        int status = 1;

        good = wait(&status) > 0 && status == 0 && good;
    }
    ok(good, "two processes commit to one line at once, and both always succeed");
    line_number(1, line);
    /* one that is stopped until three others came after it is written once more */
    ok(hc_store_current(store, line, &pair, &info, &err) == 0 && info.version >= 50,
       "no number was given twice, and the last verifies");
    printf("# the last is %d\n", (int)info.version);
    hc_pair_free(pair);
    hc_line_info_dispose(&info);
    hc_store_close(store);
    remove_tree(folder);
    free(folder);
}

/* Every last byte of the disk is taken. */
static void fill(const char *folder)
{
    char *path = join(folder, "ballast");
    int fd = open(path, O_WRONLY | O_CREAT, 0600);
    char block[1024] = {0};

    while (write(fd, block, sizeof(block)) > 0) {
    }
    close(fd);
    free(path);
}

static void a_real_disk_fills_and_turns_read_only(void)
{
    char *disk = scratch();
    char *folder = join(disk, "store");
    char *ballast = join(disk, "ballast");
    struct hc_pair *old = new_pair();
    struct hc_pair *fresh = new_pair();
    struct hc_store *store = NULL;
    struct hc_error err = {0};

    if (mount("none", disk, "tmpfs", 0, "size=256k,mode=0755") != 0) {
        printf("# no tmpfs can be mounted here: %s\n", strerror(errno));
        goto out;
    }
    store = drive(folder);
    ok(commit(store, 1, old, &err) == 0, "a small disk");
    fill(disk);
    ok(commit(store, 1, fresh, &err) == -1 && err.problem == HC_P_STORE_WRITE &&
           strstr(err.detail, "No space") != NULL,
       "full: the commit fails and says so");
    ok(serves(store, 1, old) && count_entries(folder, "tmp") == 0, "what was there is served");
    hc_error_init(&err);
    ok(hc_store_probe(store, &err) == -1 && err.problem == HC_P_STORE_WRITE, "a probe says so too");
    ok(unlink(ballast) == 0 && commit(store, 1, fresh, &err) == 0 && serves(store, 1, fresh),
       "with space again it works");
    hc_error_init(&err);
    ok(hc_store_probe(store, &err) == 0, "and the probe says so");
    ok(mount("none", disk, "tmpfs", MS_REMOUNT | MS_RDONLY, NULL) == 0, "read-only");
    ok(commit(store, 1, old, &err) == -1 && err.problem == HC_P_STORE_WRITE &&
           strstr(err.detail, "Read-only") != NULL && serves(store, 1, fresh),
       "the commit fails and says so");
    hc_store_close(store);
    store = drive(folder);
    ok(serves(store, 1, fresh), "an agent that starts now serves what is there");
    ok(mount("none", disk, "tmpfs", MS_REMOUNT, NULL) == 0 && commit(store, 1, old, &err) == 0,
       "writable again it works");
    hc_store_close(store);
    if (umount(disk) != 0) {
        fatal("umount");
    }
out:
    hc_pair_free(old);
    hc_pair_free(fresh);
    remove_tree(disk);
    free(ballast);
    free(folder);
    free(disk);
}

int main(void)
{
    dying_anywhere(work_commit, 1, "a commit may die anywhere");
    dying_anywhere(work_commit, 2, "a line's first commit may die anywhere");
    dying_anywhere(work_commit_overtaken, 1, "a commit whose number was taken and pruned may die");
    dying_anywhere(work_put, 1, "a record's writing may die anywhere");
    dying_anywhere(work_remove, 1, "a removal may die anywhere");
    a_first_open_may_die_anywhere();
    failing_anywhere(work_commit, 1, FAULT_ONCE, ENOSPC, "a commit on a disk that is full once");
    failing_anywhere(work_commit, 1, FAULT_ONCE, EIO, "a commit on a disk that fails once");
    failing_anywhere(work_commit_overtaken, 1, FAULT_ONCE, ENOSPC,
                     "a commit whose number was taken and pruned, on a disk that is full once");
    failing_anywhere(work_commit, 2, FAULT_ONCE, ENOSPC, "a first commit on a full disk");
    failing_anywhere(work_commit, 1, FAULT_FROM, ENOSPC, "a commit on a disk that stays full");
    failing_anywhere(work_commit, 1, FAULT_FROM, EROFS, "a commit on a disk that turns read-only");
    failing_anywhere(work_put, 1, FAULT_ONCE, ENOSPC, "a record on a disk that is full once");
    failing_anywhere(work_put, 1, FAULT_FROM, EROFS, "a record on a disk that turns read-only");
    what_is_wiped_has_no_name_any_more();
    folders_that_are_found_are_brought_to_the_disk();
    what_cannot_be_looked_at_is_nobodys();
    short_writes_are_gone_on_with();
    two_commit_at_once();
    a_real_disk_fills_and_turns_read_only();
    return done();
}
