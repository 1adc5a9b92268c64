/* Two tables of chains; see answer_book.h. */
#include "agent/answer_book.h"

#include <stdlib.h>
#include <string.h>

#include "base/hash.h"

/* The places are digests, which nobody can make collide. */
static uint64_t place_of(const struct hc_answer *answer)
{
    unsigned char digest[HC_ID_SIZE];
    uint64_t place = 0;

    hc_answer_place(answer->kind, answer->key, strlen(answer->key), digest);
    memcpy(&place, digest, sizeof(place));
    return place;
}

/* So are the names of files. */
static uint64_t file_hash(const char *file)
{
    return hc_hash_bytes(file, strlen(file), HC_HASH_SEED);
}

static void enter(struct hc_answer_book *book, struct hc_answer_entry *entry)
{
    struct hc_answer_entry **place = &book->places[entry->place & (book->cap - 1)];
    struct hc_answer_entry **file = &book->files[file_hash(entry->file) & (book->cap - 1)];

    entry->next_place = *place;
    *place = entry;
    entry->next_file = *file;
    *file = entry;
}

static int grow(struct hc_answer_book *book, struct hc_error *err)
{
    size_t cap = book->cap > 0 ? book->cap * 2 : 16;
    struct hc_answer_entry **places = calloc(cap, sizeof(struct hc_answer_entry *));
    struct hc_answer_entry **files = calloc(cap, sizeof(struct hc_answer_entry *));
    struct hc_answer_entry *entry = NULL;

    if (places == NULL || files == NULL) {
        free(places);
        free(files);
        return hc_error_nomem(err);
    }
    free(book->places);
    free(book->files);
    book->places = places;
    book->files = files;
    book->cap = cap;
    TAILQ_FOREACH(entry, &book->entries, link)
    {
        enter(book, entry); /* the newest is the last, and so the first of its chain */
    }
    return 0;
}

/* What is in the log does not depend on it: without memory the general rules are left. */
static void hide(struct hc_answer_book *book, const struct hc_answer *answer)
{
    if (hc_answer_kind_is_secret(answer->kind)) {
        (void)!hc_redaction_add(book->redaction, answer->key, NULL);
        (void)!hc_redaction_add(book->redaction, answer->value, NULL);
    }
}

static void show(struct hc_answer_book *book, const struct hc_answer *answer)
{
    if (hc_answer_kind_is_secret(answer->kind)) {
        hc_redaction_remove(book->redaction, answer->key);
        hc_redaction_remove(book->redaction, answer->value);
    }
}

struct hc_answer_entry *hc_answer_book_add(struct hc_answer_book *book,
                                           const struct hc_answer *answer, struct hc_error *err)
{
    struct hc_answer_entry *entry = NULL;

    if (book->count == book->cap && grow(book, err) != 0) {
        return NULL;
    }
    entry = calloc(1, sizeof(*entry));
    if (entry == NULL) {
        hc_error_nomem(err);
        return NULL;
    }
    if (hc_store_answer_file(answer, entry->file, err) != 0 ||
        hc_answer_copy(&entry->answer, answer, err) != 0) {
        free(entry);
        return NULL;
    }
    entry->place = place_of(answer);
    TAILQ_INSERT_TAIL(&book->entries, entry, link);
    enter(book, entry);
    book->count++;
    hide(book, answer);
    return entry;
}

void hc_answer_book_remove(struct hc_answer_book *book, struct hc_answer_entry *entry)
{
    struct hc_answer_entry **place = &book->places[entry->place & (book->cap - 1)];
    struct hc_answer_entry **file = &book->files[file_hash(entry->file) & (book->cap - 1)];

    while (*place != entry) {
        place = &(*place)->next_place;
    }
    *place = entry->next_place;
    while (*file != entry) {
        file = &(*file)->next_file;
    }
    *file = entry->next_file;
    TAILQ_REMOVE(&book->entries, entry, link);
    book->count--;
    show(book, &entry->answer);
    hc_answer_dispose(&entry->answer);
    free(entry);
}

static struct hc_answer_entry *first_at(const struct hc_answer_book *book, uint64_t place)
{
    return book->cap > 0 ? book->places[place & (book->cap - 1)] : NULL;
}

struct hc_answer_entry *hc_answer_book_find(const struct hc_answer_book *book,
                                            const struct hc_answer *answer)
{
    uint64_t place = place_of(answer);
    struct hc_answer_entry *at = first_at(book, place);

    while (at != NULL && (at->place != place || !hc_answer_equal(&at->answer, answer))) {
        at = at->next_place;
    }
    return at;
}

struct hc_answer_entry *hc_answer_book_newest(const struct hc_answer_book *book,
                                              const struct hc_answer *answer)
{
    uint64_t place = place_of(answer);
    struct hc_answer_entry *at = first_at(book, place);

    while (at != NULL && (at->place != place || !hc_answer_same_place(&at->answer, answer))) {
        at = at->next_place;
    }
    return at;
}

const struct hc_answer *hc_answer_book_other(const struct hc_answer_book *book,
                                             const struct hc_answer *answer, int64_t now)
{
    uint64_t place = place_of(answer);

    for (const struct hc_answer_entry *at = first_at(book, place); at != NULL;
         at = at->next_place) {
        if (at->place == place && at->answer.expires > now &&
            hc_answer_same_place(&at->answer, answer) && !hc_answer_equal(&at->answer, answer)) {
            return &at->answer;
        }
    }
    return NULL;
}

const struct hc_answer_entry *hc_answer_book_older(const struct hc_answer_entry *entry)
{
    const struct hc_answer_entry *at = entry->next_place;

    while (at != NULL &&
           (at->place != entry->place || !hc_answer_same_place(&at->answer, &entry->answer))) {
        at = at->next_place;
    }
    return at;
}

const struct hc_answer_entry *hc_answer_book_shown(const struct hc_answer_book *book,
                                                   const struct hc_answer *answer, int64_t now)
{
    const struct hc_answer_entry *shown = NULL;
    const struct hc_answer_entry *at = hc_answer_book_newest(book, answer);

    for (; at != NULL; at = hc_answer_book_older(at)) {
        if (at->answer.expires > now &&
            (shown == NULL || (answer->kind == HC_ANSWER_TLS &&
                               hc_answer_goes_first(&at->answer, &shown->answer, now)))) {
            shown = at;
        }
    }
    return shown;
}

struct hc_answer_entry *hc_answer_book_find_file(const struct hc_answer_book *book,
                                                 const char *file)
{
    struct hc_answer_entry *at =
        book->cap > 0 ? book->files[file_hash(file) & (book->cap - 1)] : NULL;

    while (at != NULL && strcmp(at->file, file) != 0) {
        at = at->next_file;
    }
    return at;
}

void hc_answer_book_init(struct hc_answer_book *book, struct hc_redaction *redaction)
{
    *book = (struct hc_answer_book){.redaction = redaction};
    TAILQ_INIT(&book->entries);
}

void hc_answer_book_dispose(struct hc_answer_book *book)
{
    struct hc_answer_entry *next = NULL;

    for (struct hc_answer_entry *at = TAILQ_FIRST(&book->entries); at != NULL; at = next) {
        next = TAILQ_NEXT(at, link);
        hc_answer_book_remove(book, at);
    }
    free(book->places);
    free(book->files);
    book->places = book->files = NULL;
    book->cap = 0;
}
