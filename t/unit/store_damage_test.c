/*
 * core/store against damaged bytes and planted things: every byte flipped, every truncation;
 * symlinks, FIFOs, hard links, folders, other owners. Never a crash, never wrong content, never a
 * wait; what was there before serves.
 */
#include <sys/socket.h>
#include <sys/un.h>

#include "store/file.h"
#include "store_lib.h"

#define FILE_CAP 65536

/* A file that is damaged again and again. */
struct victim {
    char *path;
    unsigned char good[FILE_CAP];
    size_t len;
};

static void victim_take(struct victim *v, char *path)
{
    v->path = path;
    v->len = read_file(path, v->good, sizeof(v->good));
}

/*
 * Calls look for every damaged form: each byte with its lowest and its highest bit turned, each
 * truncation, a byte too many. Returns how often look said no.
 */
static int damage(struct victim *v, bool (*look)(void *arg), void *arg)
{
    static const unsigned char masks[] = {0x01, 0x80, 0x20};
    int bad = 0;

    for (size_t i = 0; i < v->len; i++) {
        for (size_t m = 0; m < HC_COUNT(masks); m++) {
            unsigned char byte = v->good[i];

            v->good[i] ^= masks[m];
            write_file(v->path, v->good, v->len);
            v->good[i] = byte;
            if (!look(arg)) {
                bad++;
                printf("# byte %zu of %zu, mask %02x\n", i, v->len, masks[m]);
            }
        }
    }
    for (size_t n = 0; n < v->len; n++) {
        write_file(v->path, v->good, n);
        if (!look(arg)) {
            bad++;
            printf("# cut to %zu of %zu\n", n, v->len);
        }
    }
    v->good[v->len] = '\n';
    write_file(v->path, v->good, v->len + 1);
    bad += !look(arg);
    write_file(v->path, v->good, v->len);
    return bad;
}

/* Two versions of line 1, the second one to be damaged. */
struct pairs {
    char *folder;
    struct hc_pair *first;
    struct hc_pair *second;
    struct hc_store *reader;
};

static void pairs_begin(struct pairs *p)
{
    struct hc_store *store = NULL;
    struct hc_error err = {0};

    p->folder = scratch();
    p->first = new_pair();
    p->second = new_pair();
    store = drive(p->folder);
    if (commit(store, 1, p->first, &err) != 0 || commit(store, 1, p->second, &err) != 0) {
        fatal("commit");
    }
    hc_store_close(store);
    p->reader = open_store(p->folder, HC_STORE_READ, secret_a, &err);
}

static void pairs_end(struct pairs *p)
{
    hc_store_close(p->reader);
    hc_pair_free(p->first);
    hc_pair_free(p->second);
    remove_tree(p->folder);
    free(p->folder);
}

static bool first_serves(void *arg)
{
    const struct pairs *p = arg;

    return serves(p->reader, 1, p->first);
}

static void every_damage_of_a_version_falls_back(void)
{
    struct pairs p;
    struct victim v;
    char *path = NULL;

    pairs_begin(&p);
    path = version_path(p.folder, 1, 2);
    ok(serves(p.reader, 1, p.second), "the second version serves");
    victim_take(&v, path);
    is_int(damage(&v, first_serves, &p), 0, "damaged anywhere, the version before serves");
    ok(serves(p.reader, 1, p.second), "undamaged it serves again");
    free(path);
    pairs_end(&p);
}

static int last_version(void *arg, const struct hc_line_info *info)
{
    *(uint64_t *)arg = info->version;
    return 0;
}

static void a_damaged_version_is_set_aside(void)
{
    struct pairs p;
    struct hc_store *store = NULL;
    struct hc_error err = {0};
    char *path = NULL;
    uint64_t version = 0;

    pairs_begin(&p);
    path = version_path(p.folder, 1, 2);
    write_file(path, "half-writ", 9);
    memset(&said, 0, sizeof(said));
    store = open_store(p.folder, HC_STORE_READ, NULL, &err);
    ok(store != NULL && hc_store_each(store, last_version, &version, &err) == 0 && version == 1,
       "a list without the secret shows the version before");
    hc_store_close(store);
    ok(access(path, F_OK) == 0, "and a reader leaves it where it is");
    memset(&said, 0, sizeof(said));
    store = drive(p.folder);
    ok(serves(store, 1, p.first) && serves(store, 1, p.first), "the version before serves");
    ok(access(path, F_OK) != 0 && count_entries(p.folder, "damaged") == 1,
       "the damaged one is set aside");
    is_int(said.count, 2, "it is named once, with where it went");
    printf("# %s", said.text);
    ok(commit(store, 1, p.second, &err) == 0 && serves(store, 1, p.second), "the line goes on");
    for (int i = 0; i < HC_STORE_DAMAGED_MAX + 20; i++) {
        free(path);
        path = version_path(p.folder, 1, 10);
        write_file(path, "x", 1);
        if (!serves(store, 1, p.second)) {
            fatal("not served");
        }
    }
    is_int(count_entries(p.folder, "damaged"), HC_STORE_DAMAGED_MAX,
           "damaged/ does not grow for ever");
    write_file(path, "x", 1);
    free(path);
    hc_store_close(store);
    shell("rm '%s'/lines/*/[23].pair%s", p.folder, "");
    store = open_store(p.folder, HC_STORE_READ, secret_a, &err);
    shell("for f in '%s'/lines/*/1.pair; do echo x > $f; done%s", p.folder, "");
    ok(store != NULL && current(store, 1, &err) == NULL && err.problem == HC_P_STORE_DAMAGED,
       "with no version left a reader says damaged");
    hc_store_close(store);
    store = drive(p.folder);
    ok(current(store, 1, &err) == NULL && err.problem == HC_P_STORE_EMPTY,
       "and the agent, that set them aside: there is none");
    hc_store_close(store);
    pairs_end(&p);
}

static bool store_mends(void *arg)
{
    const struct pairs *p = arg;
    struct hc_error err;
    struct hc_store *store = open_store(p->folder, HC_STORE_DRIVE, secret_b, &err);
    bool good = store == NULL && err.problem == HC_P_SECRET_OTHER;

    hc_store_close(store);
    store = open_store(p->folder, HC_STORE_READ, secret_a, &err);
    good = good && store != NULL && serves(store, 1, p->second);
    hc_store_close(store);
    store = open_store(p->folder, HC_STORE_DRIVE, secret_a, &err);
    good = good && store != NULL && serves(store, 1, p->second);
    hc_store_close(store);
    return good;
}

static void every_damage_of_the_format_is_mended(void)
{
    struct pairs p;
    struct victim v;
    struct hc_error err;
    char *path = NULL;

    pairs_begin(&p);
    path = join(p.folder, "format");
    victim_take(&v, path);
    is_int(damage(&v, store_mends, &p), 0,
           "damaged anywhere, it is made again for the right secret and no other");
    unlink(path);
    ok(store_mends(&p), "lost, it is made again");
    write_file(path, "", 0);
    shell("cd '%s' && printf 'hotcert store 2\\nid: x\\n' > format && "
          "printf 'check: %%s\\n' $(sha256sum format | cut -c1-64) >> format%s",
          p.folder, "");
    ok(open_store(p.folder, HC_STORE_READ, secret_a, &err) == NULL &&
           err.problem == HC_P_STORE_VERSION,
       "a newer format is left alone");
    free(path);
    pairs_end(&p);
}

/* A record whose file is damaged. */
struct record {
    struct hc_store *store;
    const char *want; /* NULL: no value may come */
};

static bool record_reads(void *arg)
{
    const struct record *r = arg;
    struct hc_buf out = HC_BUF_INIT(64);
    struct hc_error err = {0};
    int rc = hc_store_get(r->store, "account", "u", &out, &err);
    bool good = r->want != NULL ? rc == 0 && strcmp(hc_buf_text(&out), r->want) == 0
                                : rc == -1 && err.problem == HC_P_STORE_DAMAGED && out.len == 0;

    hc_buf_dispose(&out);
    return good;
}

static void every_damage_of_a_record_falls_back(void)
{
    static const struct hc_bytes one = {(const unsigned char *)"one", 3};
    static const struct hc_bytes two = {(const unsigned char *)"two", 3};
    char *folder = scratch();
    struct hc_store *store = drive(folder);
    struct hc_error err = {0};
    struct record r = {NULL, NULL};
    struct victim v;
    char digest[65];
    char *path = NULL;

    if (hc_name_digest("u", digest, &err) != 0 ||
        asprintf(&path, "%s/records/account/%s", folder, digest) < 0 ||
        hc_store_put(store, "account", "u", one, &err) != 0) {
        fatal("put");
    }
    hc_store_close(store);
    r.store = open_store(folder, HC_STORE_READ, secret_a, &err);
    victim_take(&v, path);
    is_int(damage(&v, record_reads, &r), 0,
           "a record without a value before it is named as damaged");
    hc_store_close(r.store);
    store = drive(folder);
    if (hc_store_put(store, "account", "u", two, &err) != 0) {
        fatal("put");
    }
    r.store = store;
    r.want = "one";
    victim_take(&v, path);
    is_int(damage(&v, record_reads, &r), 0, "with one, that is read");
    r.want = "two";
    ok(record_reads(&r), "undamaged it is read again");
    hc_store_close(store);
    remove_tree(folder);
    free(path);
    free(folder);
}

/* How many of them can be read; -1: they cannot be listed. */
static int count_challenges(struct hc_store *store)
{
    struct hc_list files = {0};
    struct hc_answer c = {0};
    struct hc_error err = {0};
    int count = hc_store_answer_list(store, &files, &err) == 0 ? 0 : -1;

    for (size_t i = 0; i < files.count; i++) {
        count += hc_store_answer_read(store, files.items[i], &c);
        hc_answer_dispose(&c);
    }
    hc_list_dispose(&files);
    return count;
}

static bool no_challenge(void *arg)
{
    return count_challenges(arg) == 0;
}

static void every_damage_of_a_challenge_silences_it(void)
{
    char *folder = scratch();
    struct hc_store *store = drive(folder);
    struct hc_answer c = {.name = "", .key = "t", .value = "t.k", .expires = NOW};
    struct hc_error err = {0};
    struct victim v;
    char digest[65];
    char *path = NULL;

    if (hc_store_answer_put(store, &c, &err) != 0 || hc_name_digest("t", digest, &err) != 0 ||
        asprintf(&path, "%s/challenges/%s", folder, digest) < 0) {
        fatal("challenge");
    }
    ok(!no_challenge(store), "a challenge is there");
    victim_take(&v, path);
    is_int(damage(&v, no_challenge, store), 0, "damaged anywhere it is not answered");
    hc_store_close(store);
    remove_tree(folder);
    free(path);
    free(folder);
}

/* ---- planted things ---- */

static void plant_symlink(const char *path, const char *other)
{
    if (symlink(other, path) != 0) {
        fatal("symlink");
    }
}

static void plant_dangling(const char *path, const char *other)
{
    (void)other;
    plant_symlink(path, "/nonexistent/x");
}

static void plant_fifo(const char *path, const char *other)
{
    (void)other;
    if (mkfifo(path, 0600) != 0) {
        fatal("mkfifo");
    }
}

static void plant_folder(const char *path, const char *other)
{
    (void)other;
    if (mkdir(path, 0700) != 0) {
        fatal("mkdir");
    }
}

static void plant_full_folder(const char *path, const char *other)
{
    char *inner = join(path, "x");

    plant_folder(path, other);
    plant_folder(inner, other);
    free(inner);
}

static void plant_link(const char *path, const char *other)
{
    if (link(other, path) != 0) {
        fatal("link");
    }
}

static void plant_socket(const char *path, const char *other)
{
    struct sockaddr_un name = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    char *folder = strdup(path);

    (void)other;
    *strrchr(folder, '/') = '\0';
    /* the path is longer than a socket's may be */
    (void)snprintf(name.sun_path, sizeof(name.sun_path), "%s", strrchr(path, '/') + 1);
    if (chdir(folder) != 0 || bind(fd, (struct sockaddr *)&name, sizeof(name)) != 0 ||
        chdir("/") != 0) {
        fatal("bind");
    }
    close(fd);
    free(folder);
}

static void plant_giant(const char *path, const char *other)
{
    (void)other;
    write_file(path, "hotcert pair 1\n", 15);
    if (truncate(path, (off_t)1 << 40) != 0) {
        fatal("truncate");
    }
}

static const struct {
    const char *name;
    void (*plant)(const char *path, const char *other);
} plants[] = {
    {"a symlink", plant_symlink},
    {"a dangling symlink", plant_dangling},
    {"a FIFO", plant_fifo},
    {"a folder", plant_folder},
    {"a full folder", plant_full_folder},
    {"a hard link", plant_link},
    {"creating a socket", plant_socket},
    {"a giant file", plant_giant},
};

static void nothing_planted_is_served_or_waited_for(void)
{
    for (size_t i = 0; i < HC_COUNT(plants); i++) {
        struct pairs p;
        struct hc_pair *other = new_pair();
        struct hc_error err = {0};
        struct hc_store *store = NULL;
        char *path = NULL;
        char *target = NULL;
        unsigned char before[FILE_CAP];
        unsigned char after[FILE_CAP];
        size_t len = 0;

        pairs_begin(&p);
        store = drive(p.folder);
        if (commit(store, 2, other, &err) != 0) {
            fatal("commit");
        }
        path = version_path(p.folder, 1, 3);
        target = version_path(p.folder, 2, 1);
        len = read_file(target, before, sizeof(before));
        plants[i].plant(path, target);
        alarm(20);
        ok(serves(p.reader, 1, p.second), plants[i].name);
        ok(serves(store, 1, p.second), "the version before serves, for reader and agent");
        ok(access(path, F_OK) != 0 && count_entries(p.folder, "damaged") == 1, "it is set aside");
        plants[i].plant(path, target);
        ok(commit(store, 1, p.first, &err) == 0 && serves(store, 1, p.first),
           "a commit gets past it");
        ok(commit(store, 1, p.second, &err) == 0 && commit(store, 1, p.first, &err) == 0 &&
               commit(store, 1, p.second, &err) == 0 && serves(store, 1, p.second),
           "and so do those that wipe it");
        ok(read_file(target, after, sizeof(after)) == len && memcmp(before, after, len) == 0 &&
               serves(store, 2, other),
           "what it led to is untouched");
        alarm(0);
        hc_store_close(store);
        hc_pair_free(other);
        free(path);
        free(target);
        pairs_end(&p);
    }
}

/* Files of the store's other folders, with the same things in their place. */
static void nothing_planted_elsewhere_stops_it(void)
{
    for (size_t i = 0; i < HC_COUNT(plants); i++) {
        static const struct hc_bytes value = {(const unsigned char *)"v", 1};
        static const char *const names[] = {"changed", "format", "tmp/x", "challenges/y",
                                            "followers/z"};
        struct pairs p;
        struct hc_store *store = NULL;
        struct hc_store_follower *f = NULL;
        struct hc_store_lock *lock = NULL;
        struct hc_error err = {0};
        struct hc_answer c = {.name = "", .key = "t", .value = "t.k", .expires = NOW};
        struct hc_buf out = HC_BUF_INIT(64);
        char digest[65];
        char name[160];
        char *outside = NULL;
        char *path = NULL;
        unsigned char bytes[64];
        bool good = true;

        pairs_begin(&p);
        outside = join(p.folder, "outside");
        write_file(outside, "precious", 8);
        store = drive(p.folder);
        if (hc_store_put(store, "job", "j", value, &err) != 0 ||
            hc_store_answer_put(store, &c, &err) != 0 || hc_store_follow(store, &f, &err) != 0 ||
            hc_store_lock(store, HC_LOCK_LINE, "l", &lock, &err) != 0) {
            fatal("the world before");
        }
        hc_store_unlock(lock);
        for (size_t n = 0; n < HC_COUNT(names); n++) {
            path = join(p.folder, names[n]);
            unlink(path);
            plants[i].plant(path, outside);
            free(path);
        }
        if (hc_name_digest("j", digest, &err) != 0) {
            fatal("digest");
        }
        (void)snprintf(name, sizeof(name), "records/job/%s", digest);
        path = join(p.folder, name);
        unlink(path);
        plants[i].plant(path, outside);
        free(path);
        path = join(p.folder, "locks/line");
        unlink(path);
        plants[i].plant(path, outside);
        free(path);
        hc_store_unfollow(f);
        hc_store_close(store);
        alarm(20);
        store = open_store(p.folder, HC_STORE_DRIVE, secret_a, &err);
        ok(store != NULL, plants[i].name);
        good = good && serves(store, 1, p.second) && commit(store, 1, p.first, &err) == 0 &&
               serves(store, 1, p.first);
        ok(good, "planted everywhere: it opens, serves and commits");
        hc_error_init(&err);
        ok(hc_store_get(store, "job", "j", &out, &err) == -1 &&
               hc_store_put(store, "job", "j", value, &err) == 0 &&
               hc_store_get(store, "job", "j", &out, &err) == 0 && out.len == 1,
           "records can be put again");
        hc_error_init(&err);
        is_int(hc_store_lock(store, HC_LOCK_LINE, "l", &lock, &err), 0, "locks are had");
        hc_store_unlock(lock);
        is_int(count_challenges(store), 1, "the challenge is found");
        ok(hc_store_follow(store, &f, &err) == 0 && all_follow(store, f, "t"),
           "nobody else is waited for");
        hc_store_unfollow(f);
        ok(read_file(outside, bytes, sizeof(bytes)) == 8 && memcmp(bytes, "precious", 8) == 0,
           "what they led to is untouched");
        alarm(0);
        hc_buf_dispose(&out);
        hc_store_close(store);
        free(outside);
        pairs_end(&p);
    }
}

static void folders_that_are_links_are_refused(void)
{
    static const char *const names[] = {"lines", "records", "tmp"};

    for (size_t i = 0; i < HC_COUNT(names); i++) {
        struct pairs p;
        struct hc_error err = {0};
        struct hc_store *store = NULL;
        char *path = NULL;
        char *aside = NULL;

        pairs_begin(&p);
        path = join(p.folder, names[i]);
        aside = join(p.folder, "elsewhere");
        (void)rename(path, aside);
        plant_symlink(path, aside);
        store = drive(p.folder);
        ok((i == 0 ? current(store, 1, &err) == NULL
                   : hc_store_put(store, "job", "j", (struct hc_bytes){NULL, 0}, &err) == -1) &&
               err.problem == HC_P_STORE_UNSAFE && strstr(err.detail, names[i]) != NULL,
           names[i]);
        hc_store_close(store);
        free(path);
        free(aside);
        pairs_end(&p);
    }
}

static void wrong_owners_are_not_an_empty_store(void)
{
    struct pairs p;
    struct hc_store *store = NULL;
    struct hc_error err = {0};
    char *first = NULL;
    char *second = NULL;

    if (getuid() != 0) {
        return;
    }
    pairs_begin(&p);
    first = version_path(p.folder, 1, 1);
    second = version_path(p.folder, 1, 2);
    store = drive(p.folder);
    ok(chown(second, 33, 33) == 0 && serves(store, 1, p.first),
       "a version of somebody else's is passed over");
    ok(chown(first, 33, 33) == 0 && current(store, 1, &err) == NULL &&
           err.problem == HC_P_STORE_UNSAFE && strstr(err.detail, "user 33") != NULL,
       "none but such: that is an error, not emptiness");
    ok(access(first, F_OK) == 0 && access(second, F_OK) == 0, "they are left where they are");
    {
        char *planted = version_path(p.folder, 1, 3);

        ok(link(second, planted) == 0 && current(store, 1, &err) == NULL &&
               access(planted, F_OK) != 0 && count_entries(p.folder, "damaged") == 2,
           "but a second name of such a file was planted, and is set aside, as is the first");
        free(planted);
        shell("mv '%s'/damaged/*-2.pair '%s'", p.folder, second);
    }
    ok(chown(first, 0, 0) == 0 && chown(second, 0, 0) == 0 && serves(store, 1, p.second),
       "with the owner put right all is well");
    ok(chmod(second, 0644) == 0 && serves(store, 1, p.second), "a mode that is too wide is mended");
    {
        struct stat st;

        ok(stat(second, &st) == 0 && (st.st_mode & 0777) == 0600, "to 0600");
    }
    hc_store_close(store);
    ok(chmod(p.folder, 0770) == 0 && open_store(p.folder, HC_STORE_READ, secret_a, &err) == NULL &&
           err.problem == HC_P_STORE_UNSAFE,
       "a folder that others can write is refused");
    ok(chmod(p.folder, 0700) == 0 && chown(p.folder, 33, 33) == 0 &&
           open_store(p.folder, HC_STORE_DRIVE, secret_a, &err) == NULL &&
           err.problem == HC_P_STORE_UNSAFE,
       "and one of somebody else's cannot be driven");
    free(first);
    free(second);
    pairs_end(&p);
}

/* Where line 1 has its versions. */
static char *line_path(const char *store)
{
    char *path = version_path(store, 1, 1);

    path[strlen(path) - strlen("/1.pair")] = '\0';
    return path;
}

static void a_folder_with_wrong_rights_is_left_alone(void)
{
    struct pairs p;
    struct hc_store *store = NULL;
    struct hc_error err = {0};
    char *line = NULL;

    pairs_begin(&p);
    line = line_path(p.folder);
    store = drive(p.folder);
    ok(chmod(line, 0775) == 0 && current(store, 1, &err) == NULL &&
           err.problem == HC_P_STORE_UNSAFE,
       "a line whose folder others can write is not read");
    ok(commit(store, 1, p.first, &err) == -1 && err.problem == HC_P_STORE_UNSAFE, "nor written to");
    ok(access(line, F_OK) == 0 && count_entries(p.folder, "damaged") == 0,
       "it is left where it is");
    ok(chmod(line, 0700) == 0 && serves(store, 1, p.second), "with its rights put right it serves");
    hc_store_close(store);
    free(line);
    pairs_end(&p);
}

static void what_cannot_be_looked_into_is_not_empty(void)
{
    static const char *const what[] = {"lines", "records"};

    for (size_t i = 0; i < HC_COUNT(what); i++) {
        char *folder = scratch();
        struct hc_store *store = drive(folder);
        struct hc_pair *pair = new_pair();
        struct hc_error err = {0};
        char *path = i == 0 ? line_path(folder) : join(folder, "records/account");
        bool empty = true;
        int rc = i == 0 ? commit(store, 1, pair, &err)
                        : hc_store_put(store, "account", "u", (struct hc_bytes){NULL, 0}, &err);

        hc_store_close(store);
        ok(rc == 0 && chmod(path, 0775) == 0, what[i]);
        ok(hc_store_is_empty(folder, &empty, &err) == 0 && !empty,
           "a store with a folder that cannot be looked into is not empty");
        ok(open_store(folder, HC_STORE_DRIVE, secret_b, &err) == NULL &&
               err.problem == HC_P_SECRET_OTHER,
           "and another secret is refused");
        store = open_store(folder, HC_STORE_DRIVE, secret_a, &err);
        ok(chmod(path, 0700) == 0 && store != NULL && (i > 0 || serves(store, 1, pair)),
           "so that with its rights put right the store is what it was");
        hc_store_close(store);
        hc_pair_free(pair);
        remove_tree(folder);
        free(folder);
        free(path);
    }
}

static void what_is_read_has_an_end(void)
{
    struct hc_buf out = HC_BUF_INIT(HC_STORE_FILE_MAX);
    enum hc_file_state state = HC_FILE_ABSENT;
    unsigned char *at = NULL;
    struct hc_error err = {0};
    char *folder = scratch();
    struct hc_store *store = drive(folder);
    char *path = join(folder, "x");

    write_file(path, "hotcert store 1", 15);
    ok(hc_buf_reserve(&out, 65536, &at, &err) == 0, "memory that had something else in it");
    memset(at, '9', 65536);
    ok(hc_file_read(store, &(struct hc_file_place){store->root, "x", "x"}, &out, &state, &err) ==
               0 &&
           out.len == 15 && out.data[15] == '\0',
       "a text that was read ends where its file does");
    hc_buf_dispose(&out);
    hc_store_close(store);
    remove_tree(folder);
    free(folder);
    free(path);
}

static void what_writers_left_is_tidied(void)
{
    struct pairs p;
    struct hc_store *store = NULL;
    char *left = NULL;

    pairs_begin(&p);
    left = join(p.folder, "tmp/123.4.deadbeef");
    write_file(left, "half", 4);
    store = drive(p.folder);
    ok(access(left, F_OK) != 0, "what a dead writer left is removed");
    hc_store_close(store);
    free(left);
    pairs_end(&p);
}

int main(void)
{
    every_damage_of_a_version_falls_back();
    a_damaged_version_is_set_aside();
    every_damage_of_the_format_is_mended();
    every_damage_of_a_record_falls_back();
    every_damage_of_a_challenge_silences_it();
    nothing_planted_is_served_or_waited_for();
    nothing_planted_elsewhere_stops_it();
    folders_that_are_links_are_refused();
    wrong_owners_are_not_an_empty_store();
    a_folder_with_wrong_rights_is_left_alone();
    what_cannot_be_looked_into_is_not_empty();
    what_is_read_has_an_end();
    what_writers_left_is_tidied();
    return done();
}
