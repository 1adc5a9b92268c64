/* What agents leave that die; see left_answers.h. */
#include "agent/left_answers.h"

#include "store/answer.h"
#include "store/follower.h"

/* Those that nobody of ours holds, and the store has. */
static int mark_left(struct hc_answer_book *book, struct hc_storage *storage, struct hc_error *err)
{
    struct hc_answer_entry *entry = NULL;
    struct hc_list files = {NULL, 0, 0};
    struct hc_list left = {NULL, 0, 0};
    int rc = 0;

    TAILQ_FOREACH(entry, &book->entries, link)
    {
        if (rc == 0 && entry->holders == 0 && entry->mirrored) {
            rc = hc_list_add(&files, entry->file, err);
        }
    }
    if (rc == 0 && files.count > 0) {
        rc = hc_store_left(hc_storage_store(storage), hc_storage_follower(storage), &files, &left,
                           err);
    }
    for (size_t i = 0; rc == 0 && i < left.count; i++) {
        entry = hc_answer_book_find_file(book, left.items[i]);
        if (entry != NULL) {
            entry->left = true;
        }
    }
    hc_list_dispose(&files);
    hc_list_dispose(&left);
    return rc;
}

int hc_left_answers_remove(struct hc_answer_book *book, struct hc_storage *storage, int64_t now,
                           struct hc_error *err)
{
    struct hc_answer_entry *entry = NULL;
    int rc = mark_left(book, storage, err);

    TAILQ_FOREACH(entry, &book->entries, link)
    {
        if (!entry->left) {
            entry->left_s = 0;
        } else if (entry->left_s == 0) {
            entry->left_s = now;
        } else if (rc == 0 && now - entry->left_s >= HC_ANSWER_LEFT_S) {
            rc = hc_store_answer_remove(hc_storage_store(storage), &entry->answer, err);
        }
        entry->left = false;
    }
    return rc;
}
