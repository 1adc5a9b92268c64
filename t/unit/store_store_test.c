/* core/store: the contract, as agent, loader and commands rely on it. */
#include "store_lib.h"

static bool problem_is(const struct hc_error *err, enum hc_problem p)
{
    if (err->problem != p) {
        char line[2048];

        printf("# %s: %s\n", hc_problem_row(err->problem)->slug,
               hc_error_format(err, line, sizeof(line)));
    }
    return err->problem == p;
}

static void a_commit_is_what_is_read(void)
{
    char *folder = scratch();
    char *path = join(folder, "store");
    struct hc_store *store = drive(path);
    struct hc_pair *pair = new_pair();
    struct hc_pair *got = NULL;
    struct hc_line_info info;
    struct hc_line_info read = {.version = 0};
    struct hc_error err = {0};
    struct stat st;

    fill_info(&info, 1);
    is_int(hc_store_commit(store, &info, pair, NOW, &err), 0, "a commit succeeds");
    ok(info.version == 1 && info.committed == NOW && info.not_after == hc_pair_not_after(pair) &&
           strcmp(info.serial, hc_pair_serial(pair)) == 0,
       "it fills in what it knows");
    is_int(hc_store_current(store, info.line, &got, &read, &err), 0, "the line has a current pair");
    ok(got != NULL && hc_pair_equal(got, pair), "and it is this one, key and all");
    ok(read.version == 1 && read.mode == HC_MODE_ON && read.key_type == HC_KEY_ECDSA_256 &&
           read.not_before == info.not_before && read.committed == NOW,
       "what it says of itself is what was said");
    is_str(read.issuer_name, "exa\\mple\n", "foreign text comes back as it was");
    ok(hc_list_equal(&read.names, &info.names), "with its names");
    hc_store_close(store);
    ok(stat(path, &st) == 0 && (st.st_mode & 07777) == 0700, "the folder is the owner's alone");
    hc_pair_free(got);
    hc_line_info_dispose(&read);
    got = NULL;
    store = open_store(path, HC_STORE_READ, secret_a, &err);
    ok(store != NULL && serves(store, 1, pair), "another process reads it");
    ok(store != NULL && commit(store, 1, pair, &err) == -1 && problem_is(&err, HC_P_STORE_WRITE),
       "a reader cannot commit");
    hc_store_close(store);
    hc_line_info_dispose(&info);
    hc_pair_free(pair);
    remove_tree(folder);
    free(path);
    free(folder);
}

static void three_versions_are_kept(void)
{
    char *folder = scratch();
    struct hc_store *store = drive(folder);
    struct hc_pair *pairs[6];
    struct hc_error err;
    bool good = true;

    for (unsigned i = 0; i < 6; i++) {
        pairs[i] = new_pair();
        good = good && commit(store, 1, pairs[i], &err) == 0 && serves(store, 1, pairs[i]);
    }
    ok(good, "each commit is the current one");
    for (unsigned v = 1; v <= 6; v++) {
        char *path = version_path(folder, 1, v);

        good = good && (access(path, F_OK) == 0) == (v > 3);
        free(path);
    }
    ok(good, "the newest three are there, the older ones are gone");
    for (unsigned i = 0; i < 6; i++) {
        hc_pair_free(pairs[i]);
    }
    hc_store_close(store);
    remove_tree(folder);
    free(folder);
}

static int count_line(void *arg, const struct hc_line_info *info)
{
    int *count = arg;

    *count += info->version > 0;
    return 0;
}

static void lines_are_listed_without_the_secret(void)
{
    char *folder = scratch();
    struct hc_store *store = drive(folder);
    struct hc_pair *pair = new_pair();
    struct hc_error err;
    int count = 0;
    unsigned char line[HC_ID_SIZE];

    for (unsigned i = 1; i <= 5; i++) {
        if (commit(store, i, pair, &err) != 0) {
            fatal("commit");
        }
    }
    ok(hc_store_each(store, count_line, &count, &err) == 0 && count == 5, "every line is listed");
    hc_store_close(store);
    store = open_store(folder, HC_STORE_READ, NULL, &err);
    count = 0;
    ok(store != NULL && hc_store_each(store, count_line, &count, &err) == 0 && count == 5,
       "also without the secret");
    line_number(1, line);
    hc_error_init(&err);
    {
        struct hc_pair *got = NULL;

        ok(hc_store_current(store, line, &got, NULL, &err) == -1 && got == NULL &&
               problem_is(&err, HC_P_SECRET_MISSING),
           "but no key is to be had");
    }
    hc_store_close(store);
    store = drive(folder);
    hc_error_init(&err);
    line_number(3, line);
    is_int(hc_store_remove(store, line, &err), 0, "a line is removed");
    ok(current(store, 3, &err) == NULL && problem_is(&err, HC_P_STORE_EMPTY), "and is gone");
    is_int(hc_store_remove(store, line, &err), 0, "removing it twice is fine");
    hc_store_close(store);
    hc_pair_free(pair);
    remove_tree(folder);
    free(folder);
}

static void another_secret_touches_nothing(void)
{
    char *folder = scratch();
    char *copy = join(folder, "copy");
    char *path = join(folder, "store");
    struct hc_store *store = drive(path);
    struct hc_pair *pair = new_pair();
    struct hc_error err;
    bool empty = false;

    hc_error_init(&err);
    ok(hc_store_probe(store, &err) == 0 && hc_store_is_empty(path, &empty, &err) == 0 && empty,
       "a store without content is empty");
    hc_store_close(store);
    store = open_store(path, HC_STORE_DRIVE, secret_b, &err);
    ok(store != NULL, "nothing was sealed yet: another secret may take it over");
    hc_store_close(store);
    store = drive(path);
    ok(commit(store, 1, pair, &err) == 0, "now something is sealed");
    hc_store_close(store);
    ok(hc_store_is_empty(path, &empty, &err) == 0 && !empty, "and it is not empty");
    shell("cp -a '%s' '%s'", path, copy);
    ok(open_store(path, HC_STORE_DRIVE, secret_b, &err) == NULL &&
           problem_is(&err, HC_P_SECRET_OTHER),
       "another secret is refused");
    ok(open_store(path, HC_STORE_READ, secret_b, &err) == NULL &&
           problem_is(&err, HC_P_SECRET_OTHER),
       "also for reading");
    ok(open_store(path, HC_STORE_DRIVE, NULL, &err) == NULL &&
           problem_is(&err, HC_P_SECRET_MISSING),
       "and none cannot drive it");
    shell("diff -r '%s' '%s'", path, copy);
    ok(true, "nothing was touched");
    store = open_store(path, HC_STORE_DRIVE, secret_a, &err);
    ok(store != NULL && serves(store, 1, pair), "with the right one back, all is as it was");
    hc_store_close(store);
    ok(hc_store_is_empty("/nonexistent/store", &empty, &err) == 0 && empty, "no folder is empty");
    ok(open_store("/nonexistent/store", HC_STORE_READ, secret_a, &err) == NULL &&
           problem_is(&err, HC_P_STORE_EMPTY),
       "and says so to a reader");
    hc_pair_free(pair);
    remove_tree(folder);
    free(folder);
    free(copy);
    free(path);
}

/* Two servers begin on one fresh store at the same time, with different secrets. */
static void a_store_that_was_taken_over_is_let_go(void)
{
    static const struct hc_bytes value = {(const unsigned char *)"v", 1};
    struct hc_answer c = {.name = "", .key = "t", .value = "t.k", .expires = NOW};
    char *folder = scratch();
    struct hc_store *one = drive(folder);
    struct hc_store *two = NULL;
    struct hc_pair *pair = new_pair();
    struct hc_error err = {0};

    ok(hc_store_recheck(one, &err) == 0, "a fresh store is its first secret's");
    two = open_store(folder, HC_STORE_DRIVE, secret_b, &err);
    ok(two != NULL && hc_store_recheck(two, &err) == 0, "and then that of the next");
    hc_error_init(&err);
    ok(hc_store_recheck(one, &err) == -1 && problem_is(&err, HC_P_SECRET_OTHER),
       "which the first is told when it looks");
    ok(commit(one, 1, pair, &err) == -1 && problem_is(&err, HC_P_SECRET_OTHER),
       "or when it stores something: a certificate");
    hc_error_init(&err);
    ok(hc_store_put(one, "account", "u", value, &err) == -1 && problem_is(&err, HC_P_SECRET_OTHER),
       "a record");
    hc_error_init(&err);
    ok(hc_store_answer_put(one, &c, &err) == -1 && problem_is(&err, HC_P_SECRET_OTHER),
       "a challenge");
    is_int(count_entries(folder, "lines") + count_entries(folder, "records"), 0,
           "nothing of it is there");
    ok(commit(two, 1, pair, &err) == 0 && hc_store_put(two, "account", "u", value, &err) == 0,
       "the next stores");
    ok(current(one, 1, &err) == NULL && count_entries(folder, "damaged") == 0,
       "the first cannot read that, and leaves it alone");
    {
        struct hc_buf out = HC_BUF_INIT(64);

        hc_error_init(&err);
        ok(hc_store_get(one, "account", "u", &out, &err) == -1 &&
               count_entries(folder, "damaged") == 0,
           "also a record");
        hc_buf_dispose(&out);
    }
    hc_store_close(one);
    ok(open_store(folder, HC_STORE_DRIVE, secret_a, &err) == NULL &&
           problem_is(&err, HC_P_SECRET_OTHER),
       "and it cannot take the store back");
    hc_store_close(two);
    hc_pair_free(pair);
    remove_tree(folder);
    free(folder);
}

static bool record_is(struct hc_store *store, const char *name, const char *want)
{
    struct hc_buf out = HC_BUF_INIT_SECRET(4096);
    struct hc_error err = {0};
    bool good =
        hc_store_get(store, "job", name, &out, &err) == 0 && strcmp(hc_buf_text(&out), want) == 0;

    hc_buf_dispose(&out);
    return good;
}

static struct hc_bytes bytes(const char *text)
{
    return (struct hc_bytes){(const unsigned char *)text, strlen(text)};
}

static void records_are_sealed_and_bound(void)
{
    char *folder = scratch();
    struct hc_store *store = drive(folder);
    struct hc_error err = {0};
    struct hc_buf out = HC_BUF_INIT_SECRET(4096);

    ok(hc_store_get(store, "job", "x", &out, &err) == -1 && problem_is(&err, HC_P_STORE_EMPTY),
       "what was never put is absent");
    hc_error_init(&err);
    is_int(hc_store_put(store, "job", "x", bytes("the plain words"), &err), 0, "a record is put");
    ok(record_is(store, "x", "the plain words"), "and read");
    is_int(hc_store_put(store, "job", "x", bytes("newer words"), &err), 0, "put again");
    ok(record_is(store, "x", "newer words"), "and is the newer one");
    is_int(hc_store_put(store, "job", "empty", bytes(""), &err), 0, "an empty one");
    ok(record_is(store, "empty", ""), "is not an absent one");
    shell("! grep -rq -e words -e '/x' '%s%s'", folder, "");
    ok(true, "no plain word is on the disk");
    is_int(hc_store_put(store, "job", "y", bytes("of y"), &err), 0, "another record");
    shell("cd '%s/records/job' && cp $(printf y | sha256sum | cut -c1-64) "
          "$(printf x | sha256sum | cut -c1-64)%s",
          folder, "");
    ok(record_is(store, "x", "the plain words"),
       "copied over another it is not taken, the one before is");
    is_int(count_entries(folder, "damaged"), 1, "and the copy is set aside");
    is_int(hc_store_delete(store, "job", "x", &err), 0, "a record is deleted");
    ok(!record_is(store, "x", "the plain words"), "with the copy before it");
    hc_error_init(&err);
    ok(hc_store_put(store, "../up", "x", bytes("1"), &err) == -1 && problem_is(&err, HC_P_INTERNAL),
       "a kind is a word, not a path");
    hc_buf_dispose(&out);
    hc_store_close(store);
    remove_tree(folder);
    free(folder);
}

static void locks_exclude_and_die_with_their_holder(void)
{
    char *folder = scratch();
    struct hc_store *store = drive(folder);
    struct hc_store *other = drive(folder);
    struct hc_store_lock *lock = NULL;
    struct hc_store_lock *second = NULL;
    struct hc_error err = {0};
    int pipes[2];
    pid_t pid = 0;
    char byte = 0;

    is_int(hc_store_lock(store, HC_LOCK_LINE, "x", &lock, &err), 0, "a lock is had");
    ok(hc_store_lock(other, HC_LOCK_LINE, "x", &second, &err) == -1 &&
           problem_is(&err, HC_P_LOCKED),
       "once");
    hc_error_init(&err);
    is_int(hc_store_lock(other, HC_LOCK_ACCOUNT, "x", &second, &err), 0,
           "another kind is another lock");
    hc_store_unlock(second);
    is_int(hc_store_lock(other, HC_LOCK_LINE, "y", &second, &err), 0, "another name, too");
    hc_store_unlock(second);
    hc_error_init(&err);
    ok(hc_store_lock(store, HC_LOCK_LINE, "x", &second, &err) == -1 &&
           problem_is(&err, HC_P_LOCKED),
       "nor does the same process have it twice, or lose it with another one");
    hc_error_init(&err);
    hc_store_unlock(lock);
    is_int(hc_store_lock(other, HC_LOCK_LINE, "x", &second, &err), 0, "given back, it is free");
    hc_store_unlock(second);
    if (pipe(pipes) != 0) {
        fatal("pipe");
    }
    pid = fork();
    if (pid == 0) {
        if (hc_store_lock(store, HC_LOCK_LINE, "x", &lock, &err) != 0 ||
            write(pipes[1], "x", 1) != 1) {
            _exit(1);
        }
        pause();
    }
    ok(read(pipes[0], &byte, 1) == 1 &&
           hc_store_lock(other, HC_LOCK_LINE, "x", &second, &err) == -1 &&
           problem_is(&err, HC_P_LOCKED),
       "another process holds it");
    kill(pid, 9);
    waitpid(pid, NULL, 0);
    hc_error_init(&err);
    is_int(hc_store_lock(other, HC_LOCK_LINE, "x", &second, &err), 0, "until it dies");
    hc_store_unlock(second);
    hc_store_unlock(NULL);
    close(pipes[0]);
    close(pipes[1]);
    hc_store_close(store);
    hc_store_close(other);
    remove_tree(folder);
    free(folder);
}

/* The only challenge there is; false: there is none. */
static bool only_challenge(struct hc_store *store, struct hc_answer *got)
{
    struct hc_list files = {0};
    struct hc_error err = {0};
    bool found = hc_store_answer_list(store, &files, &err) == 0 && files.count == 1 &&
                 hc_store_answer_read(store, files.items[0], got);

    hc_list_dispose(&files);
    return found;
}

/* What stands at one place elsewhere than over HTTP may have several values: each has its file. */
static void answers_of_other_kinds_come_back_as_they_were(void)
{
    static const struct hc_answer answers[] = {
        {HC_ANSWER_TXT, "a.example", "_acme-challenge.a.example", "one", NOW + 60, NULL},
        {HC_ANSWER_TXT, "*.a.example", "_acme-challenge.a.example", "two", NOW + 61, NULL},
        {HC_ANSWER_TLS, "a.example", "a.example", "-----BEGIN CERTIFICATE-----\nx\n-----BEGIN\n",
         NOW + 62, NULL},
    };
    char *folder = scratch();
    struct hc_store *store = drive(folder);
    struct hc_list files = {0};
    struct hc_error err = {0};
    size_t right = 0;

    for (size_t i = 0; i < HC_COUNT(answers); i++) {
        char file[HC_ANSWER_FILE];
        struct hc_answer got = {0};

        ok(hc_store_answer_put(store, &answers[i], &err) == 0 &&
               hc_store_answer_file(&answers[i], file, &err) == 0 &&
               hc_store_answer_read(store, file, &got),
           "an answer is stored and read");
        right += hc_answer_equal(&got, &answers[i]) && got.expires == answers[i].expires &&
                 strcmp(got.name, answers[i].name) == 0;
        hc_answer_dispose(&got);
    }
    is_int(right, HC_COUNT(answers), "each with its name, its lines and its end");
    is_int(hc_store_answer_remove(store, &answers[0], &err), 0, "one is removed");
    ok(hc_store_answer_list(store, &files, &err) == 0 && files.count == 2, "the others stay");
    ok(hc_store_answer_put(
           store, &(struct hc_answer){HC_ANSWER_HTTP, "", "a/b", "a/b.x", NOW, NULL}, &err) != 0,
       "what cannot be given out is not stored");
    hc_list_dispose(&files);
    hc_store_close(store);
    remove_tree(folder);
    free(folder);
}

static void challenges_reach_every_follower(void)
{
    char *folder = scratch();
    struct hc_store *mine = drive(folder);
    struct hc_store *theirs = drive(folder);
    struct hc_store_follower *me = NULL;
    struct hc_store_follower *them = NULL;
    struct hc_answer c = {.name = "", .key = "tok-1", .value = "tok-1.thumb", .expires = NOW + 60};
    struct hc_answer got = {.key = ""};
    struct hc_list files = {0};
    struct hc_error err = {0};
    struct hc_store_acks acks = {0};
    char other[65] = "";
    char none[65] = "";

    (void)memset(none, '0', sizeof(none) - 1);
    is_int(hc_store_follow(mine, &me, &err), 0, "one agent follows");
    ok(all_follow(mine, me, c.key), "alone it waits for nobody");
    is_int(hc_store_follow(theirs, &them, &err), 0, "a second one follows");
    hc_store_follower_drain(them);
    is_int(hc_store_answer_put(mine, &c, &err), 0, "a challenge is put");
    ok(!all_follow(mine, me, c.key), "the second has not mirrored it");
    if (hc_store_follower_fd(them) >= 0) {
        char event[4096];

        ok(read(hc_store_follower_fd(them), event, sizeof(event)) > 0, "it is told");
    }
    ok(only_challenge(theirs, &got) && strcmp(got.key, c.key) == 0 &&
           strcmp(got.value, c.value) == 0 && got.expires == c.expires,
       "it finds it");
    hc_answer_dispose(&got);
    (void)memset(other, 'f', sizeof(other) - 1);
    ok(hc_list_add(&files, other, &err) == 0 && hc_store_answer_list(theirs, &files, &err) == 0 &&
           files.count == 2 && hc_store_follower_ack(them, &files, NULL, &err) == 0,
       "it says that it mirrors it");
    ok(all_follow(mine, me, c.key), "now all follow");
    ok(!all_follow(mine, me, "tok-2"), "this challenge, not another");
    hc_store_acks_read(mine, me, &acks);
    ok(hc_store_acks_have(&acks, other) && !hc_store_acks_have(&acks, none),
       "what all have acknowledged is read once for many");
    hc_list_dispose(&files);
    ok(hc_store_follower_ack(them, &files, NULL, &err) == 0 && !all_follow(mine, me, c.key),
       "an acknowledgement can be taken back");
    ok(hc_store_acks_have(&acks, other), "which shows at the next reading");
    hc_store_acks_dispose(&acks);
    is_int(hc_store_answer_remove(mine, &c, &err), 0, "a challenge is removed");
    ok(!only_challenge(theirs, &got), "and gone");
    hc_store_unfollow(them);
    ok(all_follow(mine, me, c.key), "who left is not waited for");
    hc_store_unfollow(me);
    is_int(count_entries(folder, "followers"), 0, "nothing of them stays");
    hc_store_close(mine);
    hc_store_close(theirs);
    remove_tree(folder);
    free(folder);
}

static void a_dead_follower_is_not_waited_for(void)
{
    char *folder = scratch();
    struct hc_store *store = drive(folder);
    struct hc_store_follower *me = NULL;
    struct hc_error err = {0};
    int pipes[2];
    char byte = 0;
    pid_t pid = 0;

    if (pipe(pipes) != 0 || hc_store_follow(store, &me, &err) != 0) {
        fatal("follow");
    }
    pid = fork();
    if (pid == 0) {
        struct hc_store *own = drive(folder);
        struct hc_store_follower *f = NULL;

        if (hc_store_follow(own, &f, &err) != 0 || write(pipes[1], "x", 1) != 1) {
            _exit(1);
        }
        pause();
    }
    ok(read(pipes[0], &byte, 1) == 1 && !all_follow(store, me, "t"), "a live one is waited for");
    is_int(count_entries(folder, "followers"), 2, "both are registered");
    kill(pid, 9);
    waitpid(pid, NULL, 0);
    ok(all_follow(store, me, "t"), "a killed one is not");
    is_int(count_entries(folder, "followers"), 1, "and is tidied away");
    hc_store_unfollow(me);
    close(pipes[0]);
    close(pipes[1]);
    hc_store_close(store);
    remove_tree(folder);
    free(folder);
}

/* What files of followers cannot be opened for; 0: they can. */
static int closed_for;

static int closed_open(void *self, int folder, const char *name, int flags, mode_t mode)
{
    if (closed_for != 0 && (flags & (O_CREAT | O_DIRECTORY)) == 0 && strchr(name, '.') != NULL) {
        errno = closed_for;
        return -1;
    }
    return hc_fs_system.open(self, folder, name, flags, mode);
}

static void who_cannot_be_looked_at_is_waited_for(void)
{
    static const struct {
        int errnum;
        bool all;
    } rows[] = {{EMFILE, false}, {ENFILE, false}, {EIO, false}, {EACCES, false},
                {ENOENT, true},  {ELOOP, true},   {ENXIO, true}};
    char *folder = scratch();
    struct hc_fs fs = hc_fs_system;
    struct hc_store *store = drive(folder);
    struct hc_store *looker = NULL;
    struct hc_store_follower *other = NULL;
    struct hc_error err = {0};

    fs.open = closed_open;
    if (hc_store_follow(store, &other, &err) != 0 ||
        hc_store_open_on(&(struct hc_store_options){folder, HC_STORE_DRIVE, secret_a, NULL, &fs},
                         &looker, &err) != 0) {
        fatal("follow");
    }
    for (size_t i = 0; i < HC_COUNT(rows); i++) {
        closed_for = rows[i].errnum;
        ok(all_follow(looker, NULL, "t") == rows[i].all, strerror(rows[i].errnum));
    }
    if (getuid() == 0) {
        shell("chown 33 '%s'/followers/*%s", folder, "");
        closed_for = EACCES;
        ok(all_follow(looker, NULL, "t"), "somebody else's file is no agent of ours");
    }
    closed_for = 0;
    hc_store_unfollow(other);
    hc_store_close(looker);
    hc_store_close(store);
    remove_tree(folder);
    free(folder);
}

static void half_of_the_news_is_none(void)
{
    char *folder = scratch();
    struct hc_store *store = drive(folder);
    struct hc_store_follower *f = NULL;
    struct hc_error err = {0};
    char *challenges = join(folder, "challenges");

    ok(mkdir(challenges, 0700) == 0 && chmod(challenges, 0775) == 0,
       "challenges that others can write cannot be watched");
    ok(hc_store_follow(store, &f, &err) == 0 && hc_store_follower_fd(f) == -1,
       "so nothing is, and the follower looks by its timer");
    hc_store_unfollow(f);
    f = NULL;
    ok(chmod(challenges, 0700) == 0 && hc_store_follow(store, &f, &err) == 0 &&
           hc_store_follower_fd(f) >= 0,
       "else both are watched");
    hc_store_unfollow(f);
    hc_store_close(store);
    remove_tree(folder);
    free(challenges);
    free(folder);
}

static void the_mark_changes_with_every_line(void)
{
    char *folder = scratch();
    struct hc_store *store = drive(folder);
    struct hc_store *reader = NULL;
    struct hc_store_follower *f = NULL;
    struct hc_pair *pair = new_pair();
    struct hc_error err = {0};
    uint64_t mark[4] = {9, 9, 9, 9};
    unsigned char line[HC_ID_SIZE];
    char event[4096];

    ok(hc_store_change_mark(store, &mark[0], &err) == 0 && mark[0] == 0, "at first it is 0");
    is_int(hc_store_follow(store, &f, &err), 0, "a follower");
    hc_store_follower_drain(f);
    ok(commit(store, 1, pair, &err) == 0 && hc_store_change_mark(store, &mark[1], &err) == 0 &&
           mark[1] != mark[0],
       "a commit changes it");
    if (hc_store_follower_fd(f) >= 0) {
        ok(read(hc_store_follower_fd(f), event, sizeof(event)) > 0, "and followers are told");
    }
    reader = open_store(folder, HC_STORE_READ, secret_a, &err);
    ok(reader != NULL && hc_store_change_mark(reader, &mark[2], &err) == 0 && mark[2] == mark[1],
       "all see the same");
    line_number(1, line);
    ok(hc_store_remove(store, line, &err) == 0 &&
           hc_store_change_mark(reader, &mark[3], &err) == 0 && mark[3] != mark[2],
       "a removal changes it");
    hc_store_unfollow(f);
    hc_store_close(reader);
    hc_store_close(store);
    hc_pair_free(pair);
    remove_tree(folder);
    free(folder);
}

static void a_change_of_ones_own_can_be_told_from_others(void)
{
    char *folder = scratch();
    struct hc_store *mine = drive(folder);
    struct hc_store *theirs = drive(folder);
    struct hc_pair *pair = new_pair();
    struct hc_error err = {0};
    char path[512];
    char link_path[520];
    uint64_t known = 0;
    uint64_t now = 0;

    (void)snprintf(path, sizeof(path), "%s/changed", folder);
    (void)snprintf(link_path, sizeof(link_path), "%s/backup", folder);
    ok(commit(mine, 1, pair, &err) == 0 && hc_store_change_mark(mine, &known, &err) == 0,
       "a first commit makes the mark");
    ok(commit(mine, 1, pair, &err) == 0, "another commit");
    hc_store_mark_own(mine, &known);
    ok(hc_store_change_mark(mine, &now, &err) == 0 && now == known, "is known to be one's own");
    ok(commit(theirs, 2, pair, &err) == 0 && commit(mine, 1, pair, &err) == 0,
       "somebody else commits, then we do");
    hc_store_mark_own(mine, &known);
    ok(hc_store_change_mark(mine, &now, &err) == 0 && now != known, "theirs is not missed");
    known = now;
    ok(link(path, link_path) == 0 && commit(mine, 1, pair, &err) == 0,
       "the mark has a second name");
    hc_store_mark_own(mine, &known);
    ok(hc_store_change_mark(mine, &now, &err) == 0 && now != known,
       "then a new file is made, and the change is looked at");
    hc_store_close(mine);
    hc_store_close(theirs);
    hc_pair_free(pair);
    remove_tree(folder);
    free(folder);
}

static void a_copy_is_a_backup(void)
{
    char *folder = scratch();
    char *path = join(folder, "store");
    char *backup = join(folder, "backup");
    char *moved = join(folder, "moved");
    struct hc_store *store = drive(path);
    struct hc_pair *old = new_pair();
    struct hc_pair *newer = new_pair();
    struct hc_error err = {0};

    if (commit(store, 1, old, &err) != 0 ||
        hc_store_put(store, "job", "j", bytes("state"), &err) != 0) {
        fatal("commit");
    }
    shell("cp -a '%s' '%s'", path, backup);
    ok(commit(store, 1, newer, &err) == 0, "the store goes on");
    hc_store_close(store);
    ok(rename(path, moved) == 0, "it is moved");
    store = drive(moved);
    ok(serves(store, 1, newer) && record_is(store, "j", "state"), "and works where it is now");
    hc_store_close(store);
    remove_tree(moved);
    store = drive(backup);
    ok(serves(store, 1, old) && record_is(store, "j", "state"), "the backup has what it had");
    ok(commit(store, 1, newer, &err) == 0 && serves(store, 1, newer), "and can be driven");
    hc_store_close(store);
    shell("cp -al '%s' '%s'", backup, path);
    store = drive(backup);
    for (int i = 0; i < 5; i++) {
        if (commit(store, 1, old, &err) != 0) {
            fatal("commit");
        }
    }
    hc_store_close(store);
    store = drive(path);
    ok(serves(store, 1, newer), "a backup made of hard links is whole when the original moved on");
    hc_store_close(store);
    hc_pair_free(old);
    hc_pair_free(newer);
    remove_tree(folder);
    free(folder);
    free(path);
    free(backup);
    free(moved);
}

int main(void)
{
    a_commit_is_what_is_read();
    three_versions_are_kept();
    lines_are_listed_without_the_secret();
    another_secret_touches_nothing();
    a_store_that_was_taken_over_is_let_go();
    records_are_sealed_and_bound();
    locks_exclude_and_die_with_their_holder();
    challenges_reach_every_follower();
    answers_of_other_kinds_come_back_as_they_were();
    a_dead_follower_is_not_waited_for();
    who_cannot_be_looked_at_is_waited_for();
    half_of_the_news_is_none();
    the_mark_changes_with_every_line();
    a_change_of_ones_own_can_be_told_from_others();
    a_copy_is_a_backup();
    return done();
}
