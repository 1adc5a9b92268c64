/* The answers that this machine's servers give; see answers.h. */
#include "agent/answers.h"

#include <stdlib.h>
#include <string.h>

#include "agent/answer_book.h"
#include "agent/left_answers.h"
#include "agent/said.h"
#include "loop/loop.h"
#include "store/answer.h"
#include "store/follower.h"

struct hc_answers {
    struct hc_answers_options o;
    struct hc_answer_port port;
    struct hc_answer_book book;
    struct hc_list vain; /* files that the latest pass could not make known; in order */
    bool unsaid;         /* the last acknowledgement failed */
    bool failed;         /* something could not be mirrored in the latest pass */
    bool known;          /* the store was read */
    int64_t next_left_s; /* when to see who died */
    hc_said said;
    struct hc_store_acks acks; /* read once in a call of the loop's, however many are asked about */
    uint64_t acks_turn;
};

static struct hc_store *store_of(const struct hc_answers *answers)
{
    return hc_storage_store(answers->o.storage);
}

/* ---- the table ---- */

/* What is known at this answer's place is what stands there; there may be nothing. */
static int lay_out(struct hc_answers *answers, const struct hc_answer *answer, struct hc_error *err)
{
    int64_t now = hc_env_now(answers->o.env);
    const struct hc_answer_entry *shown = NULL;

    if (!hc_answer_kind_is_served(answer->kind)) {
        return 0;
    }
    shown = hc_answer_book_shown(&answers->book, answer, now);
    return shown != NULL ? hc_table_answer_put(answers->o.table, &shown->answer, now, err)
                         : hc_table_answer_remove(answers->o.table, answer, err);
}

/* ---- entries ---- */

/* Frees an entry that nobody has any more, and what stands in the table for it. */
static int drop(struct hc_answers *answers, struct hc_answer_entry *entry, struct hc_error *err)
{
    struct hc_answer gone = {0};
    int rc = 0;

    if (entry->holders > 0 || entry->mirrored) {
        return 0;
    }
    if (hc_answer_copy(&gone, &entry->answer, err) != 0) {
        return -1;
    }
    hc_answer_book_remove(&answers->book, entry);
    rc = lay_out(answers, &gone, err);
    hc_answer_dispose(&gone);
    return rc;
}

/* ---- what is ours ---- */

static bool all_follow(struct hc_answers *answers, const char *file)
{
    uint64_t turn = hc_loop_turn(answers->o.env->loop);

    if (turn == 0 || turn != answers->acks_turn) {
        hc_store_acks_dispose(&answers->acks);
        hc_store_acks_read(store_of(answers), hc_storage_follower(answers->o.storage),
                           &answers->acks);
        answers->acks_turn = turn;
    }
    return hc_store_acks_have(&answers->acks, file);
}

static int store_one(struct hc_answers *answers, struct hc_answer_entry *entry, bool briefly,
                     struct hc_error *err)
{
    struct hc_store *store = store_of(answers);

    if (store == NULL || (briefly && (entry->stored || all_follow(answers, entry->file)))) {
        return 0;
    }
    if (hc_store_answer_put(store, &entry->answer, err) != 0) {
        return -1;
    }
    entry->stored = true;
    return 0;
}

static void unstore(struct hc_answers *answers, struct hc_answer_entry *entry)
{
    struct hc_error err;

    hc_error_init(&err);
    if (entry->stored && store_of(answers) != NULL &&
        hc_store_answer_remove(store_of(answers), &entry->answer, &err) != 0) {
        hc_log_error(answers->o.env->log, HC_LOG_INFO, "withdrawing an answer", &err);
    }
    entry->stored = false;
}

static void let_go(struct hc_answers *answers, struct hc_answer_entry *entry)
{
    struct hc_error err;

    hc_error_init(&err);
    if (entry->holders > 0) {
        return;
    }
    answers->unsaid = true;
    unstore(answers, entry);
    entry->mirrored = false; /* it was ours to take away */
    if (drop(answers, entry, &err) != 0) {
        hc_log_error(answers->o.env->log, HC_LOG_WARN, "withdrawing an answer", &err);
    }
}

static int give(struct hc_answers *answers, const struct hc_answer *answer, bool briefly,
                struct hc_error *err)
{
    struct hc_answer_entry *entry = hc_answer_book_find(&answers->book, answer);

    if (hc_answer_check(answer, err) != 0) {
        return -1;
    }
    if (entry == NULL) {
        entry = hc_answer_book_add(&answers->book, answer, err);
    }
    if (entry == NULL) {
        return -1;
    }
    entry->answer.expires =
        answer->expires > entry->answer.expires ? answer->expires : entry->answer.expires;
    answers->unsaid = answers->unsaid || entry->holders == 0; /* that it is held */
    entry->holders++;
    if (lay_out(answers, &entry->answer, err) != 0 ||
        store_one(answers, entry, briefly, err) != 0) {
        entry->holders--;
        if (!entry->mirrored) { /* else it is another agent's, and stays as it was */
            let_go(answers, entry);
        }
        return -1;
    }
    return 0;
}

int hc_answers_give_briefly(struct hc_answers *answers, const struct hc_answer *answer,
                            struct hc_error *err)
{
    return give(answers, answer, true, err);
}

void hc_answers_take_back(struct hc_answers *answers, const struct hc_answer *answer)
{
    struct hc_answer_entry *entry = hc_answer_book_find(&answers->book, answer);

    if (entry != NULL && entry->holders > 0) {
        entry->holders--;
        let_go(answers, entry);
    }
}

/* ---- the port ---- */

static int on_give(void *self, const struct hc_answer *answer, struct hc_error *err)
{
    return give(self, answer, false, err);
}

/*
 * True if the store has an answer that was not read yet: it may stand at any place. What cannot be
 * read or given is no news: it may stay for long, and its agent sees that we do not give it.
 */
static bool has_news(const struct hc_answers *answers)
{
    struct hc_list files = {NULL, 0, 0};
    struct hc_error err;
    bool news = false;

    hc_error_init(&err);
    news = hc_store_answer_list(store_of(answers), &files, &err) != 0;
    for (size_t i = 0; i < files.count && !news; i++) {
        news = hc_answer_book_find_file(&answers->book, files.items[i]) == NULL &&
               !hc_list_has_sorted(&answers->vain, files.items[i]);
    }
    hc_list_dispose(&files);
    return news;
}

/*
 * Who has told us that it gives ours may have stored another for the same place just before: what
 * is shown there is known only when that was read, too.
 */
static bool on_given(void *self, const struct hc_answer *answer)
{
    struct hc_answers *answers = self;
    const struct hc_answer_entry *entry = hc_answer_book_find(&answers->book, answer);

    return entry != NULL && store_of(answers) != NULL && all_follow(answers, entry->file) &&
           (answer->kind != HC_ANSWER_TLS || !has_news(answers));
}

static const struct hc_answer *on_other(void *self, const struct hc_answer *answer)
{
    const struct hc_answers *answers = self;
    int64_t now = hc_env_now(answers->o.env);
    const struct hc_answer_entry *own = hc_answer_book_find(&answers->book, answer);
    const struct hc_answer_entry *shown = hc_answer_book_shown(&answers->book, answer, now);

    if (own == NULL || own->holders == 0) {
        return hc_answer_book_other(&answers->book, answer, now);
    }
    return shown != NULL && shown != own ? &shown->answer : NULL;
}

static void on_take_back(void *self, const struct hc_answer *answer)
{
    hc_answers_take_back(self, answer);
}

/* From now on it is like one of an agent that died: mirrored as long as the store has it. */
static void on_leave(void *self, const struct hc_answer *answer)
{
    struct hc_answers *answers = self;
    struct hc_answer_entry *entry = hc_answer_book_find(&answers->book, answer);

    if (entry == NULL || entry->holders == 0) {
        return;
    }
    entry->holders--;
    answers->unsaid = true;
    /* it may be here alone, and be asked for before the store is read anew */
    entry->mirrored = entry->mirrored || !hc_answer_kind_is_served(entry->answer.kind);
    if (entry->holders == 0 && !entry->mirrored) {
        hc_answer_book_remove(&answers->book, entry);
    } else if (entry->holders == 0) {
        entry->stored = false;
    }
}

const struct hc_answer_port *hc_answers_port(struct hc_answers *answers)
{
    return &answers->port;
}

/* ---- what the store has ---- */

/* Known from now on, and in the table; NULL: it cannot be. */
static struct hc_answer_entry *enter(struct hc_answers *answers, const struct hc_answer *answer,
                                     struct hc_error *err)
{
    struct hc_answer_entry *known = hc_answer_book_find(&answers->book, answer);
    struct hc_answer_entry *entry =
        known != NULL ? known : hc_answer_book_add(&answers->book, answer, err);

    if (entry != NULL && lay_out(answers, answer, err) != 0) {
        if (known == NULL) {
            hc_answer_book_remove(&answers->book, entry);
        }
        return NULL;
    }
    return entry;
}

/* Reads one that was not there before. False: it is none, or over, or cannot be given. */
static bool mirror(struct hc_answers *answers, const char *file)
{
    struct hc_answer answer = {0};
    struct hc_answer_entry *entry = NULL;
    struct hc_error err;
    int rc = 0;

    hc_error_init(&err);
    if (!hc_store_answer_read(store_of(answers), file, &answer)) {
        return false;
    }
    if (answer.expires <= hc_env_now(answers->o.env)) {
        /* its agent died and none came to go on with the order */
        rc = hc_store_answer_remove(store_of(answers), &answer, &err);
    } else {
        entry = enter(answers, &answer, &err);
        rc = entry != NULL ? 0 : -1;
    }
    if (rc != 0 || hc_error_is_set(&err)) {
        /* not acknowledged, so its agent knows that we do not give it */
        hc_say_once(answers->o.env->log, &answers->said, HC_LOG_ERROR, NULL, &err);
        answers->failed = true;
    }
    if (entry != NULL) {
        entry->mirrored = entry->seen = true;
    }
    hc_answer_dispose(&answer);
    return entry != NULL;
}

static void replace_vain(struct hc_answers *answers, struct hc_list *vain)
{
    hc_list_dispose(&answers->vain);
    answers->vain = *vain;
    *vain = (struct hc_list){NULL, 0, 0};
    hc_list_sort_unique(&answers->vain);
}

/* What was mirrored and is not there any more, or is over, leaves the table. */
static int drop_gone(struct hc_answers *answers, bool *changed, struct hc_error *err)
{
    struct hc_answer_entry *next = NULL;
    int rc = 0;

    for (struct hc_answer_entry *e = TAILQ_FIRST(&answers->book.entries); e != NULL; e = next) {
        next = TAILQ_NEXT(e, link);
        if (e->mirrored && !e->seen) {
            e->mirrored = false;
            *changed = true;
            rc = drop(answers, e, err) != 0 ? -1 : rc;
        }
    }
    return rc;
}

static int acknowledge(struct hc_answers *answers, struct hc_error *err)
{
    const struct hc_answer_entry *entry = NULL;
    struct hc_list files = {NULL, 0, 0};
    struct hc_list held = {NULL, 0, 0};
    int rc = 0;

    TAILQ_FOREACH(entry, &answers->book.entries, link)
    {
        if (rc == 0 && entry->mirrored) {
            rc = hc_list_add(&files, entry->file, err);
        }
        if (rc == 0 && entry->holders > 0) {
            rc = hc_list_add(&held, entry->file, err);
        }
    }
    if (rc == 0) {
        rc = hc_store_follower_ack(hc_storage_follower(answers->o.storage), &files, &held, err);
    }
    hc_list_dispose(&files);
    hc_list_dispose(&held);
    return rc;
}

/* What agents leave that die. */
static int remove_left(struct hc_answers *answers, struct hc_error *err)
{
    int64_t now = hc_env_now(answers->o.env);

    if (now < answers->next_left_s && answers->next_left_s - now <= HC_ANSWER_LEFT_S) {
        return 0;
    }
    answers->next_left_s = now + HC_ANSWER_LEFT_S / 3;
    return hc_left_answers_remove(&answers->book, answers->o.storage, now, err);
}

int hc_answers_follow(struct hc_answers *answers, struct hc_error *err)
{
    struct hc_list files = {NULL, 0, 0};
    struct hc_list vain = {NULL, 0, 0};
    struct hc_answer_entry *entry = NULL;
    bool changed = false;
    int rc = hc_store_answer_list(store_of(answers), &files, err);

    answers->failed = false;
    TAILQ_FOREACH(entry, &answers->book.entries, link)
    {
        entry->seen = rc != 0; /* one that cannot be read stays */
    }
    for (size_t i = 0; i < files.count && rc == 0; i++) {
        entry = hc_answer_book_find_file(&answers->book, files.items[i]);
        if (entry != NULL && entry->mirrored &&
            entry->answer.expires > hc_env_now(answers->o.env)) {
            entry->seen = true;
        } else if (mirror(answers, files.items[i])) {
            changed = true;
        } else {
            rc = hc_list_add(&vain, files.items[i], err);
        }
    }
    if (rc == 0) {
        answers->known = true;
        replace_vain(answers, &vain);
        rc = drop_gone(answers, &changed, err);
        if (rc == 0 && (changed || answers->unsaid)) {
            rc = acknowledge(answers, err);
        }
        rc = rc == 0 ? remove_left(answers, err) : rc;
        answers->said = answers->failed ? answers->said : 0;
        answers->unsaid = rc != 0;
    }
    hc_list_dispose(&vain);
    hc_list_dispose(&files);
    return rc;
}

/* ---- what is asked for in DNS ---- */

bool hc_answers_are_known(const struct hc_answers *answers)
{
    return answers->known;
}

void hc_answers_texts(const struct hc_answers *answers, const char *owner, hc_answers_found *found,
                      void *arg)
{
    const struct hc_answer sought = {.kind = HC_ANSWER_TXT, .key = owner};
    const struct hc_answer_entry *at = hc_answer_book_newest(&answers->book, &sought);

    for (; at != NULL; at = hc_answer_book_older(at)) {
        if (at->answer.expires > hc_env_now(answers->o.env)) {
            found(arg, at->answer.value);
        }
    }
}

bool hc_answers_texts_below(const struct hc_answers *answers, const char *owner)
{
    const struct hc_answer_entry *at = NULL;
    size_t len = strlen(owner);

    TAILQ_FOREACH(at, &answers->book.entries, link)
    {
        size_t own = strlen(at->answer.key);

        if (at->answer.kind == HC_ANSWER_TXT && own > len + 1 &&
            at->answer.key[own - len - 1] == '.' &&
            memcmp(at->answer.key + own - len, owner, len) == 0 &&
            at->answer.expires > hc_env_now(answers->o.env)) {
            return true;
        }
    }
    return false;
}

void hc_answers_unfollow(struct hc_answers *answers)
{
    struct hc_answer_entry *next = NULL;

    for (struct hc_answer_entry *e = TAILQ_FIRST(&answers->book.entries); e != NULL; e = next) {
        next = TAILQ_NEXT(e, link);
        e->mirrored = e->mirrored && !hc_answer_kind_is_served(e->answer.kind);
        if (e->holders == 0 && !e->mirrored) {
            hc_answer_book_remove(&answers->book, e);
        }
    }
    hc_list_dispose(&answers->vain);
    answers->said = 0;
}

int hc_answers_new(const struct hc_answers_options *options, struct hc_answers **out,
                   struct hc_error *err)
{
    struct hc_answers *answers = calloc(1, sizeof(*answers));

    if (answers == NULL) {
        return hc_error_nomem(err);
    }
    answers->o = *options;
    answers->port =
        (struct hc_answer_port){answers, on_give, on_given, on_other, on_take_back, on_leave};
    hc_answer_book_init(&answers->book, options->env->redaction);
    *out = answers;
    return 0;
}

void hc_answers_free(struct hc_answers *answers)
{
    if (answers == NULL) {
        return;
    }
    hc_answer_book_dispose(&answers->book);
    hc_list_dispose(&answers->vain);
    hc_store_acks_dispose(&answers->acks);
    free(answers);
}
