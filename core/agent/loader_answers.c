/* Answers to challenges, for a start; see loader_answers.h. */
#include "agent/loader_answers.h"

#include "store/answer.h"

#define CHALLENGE_S 120 /* a challenge is answered for this long; then the agent says */

/* An upgrade or a second server in the middle of an order: the CA may ask it at once. */
void hc_load_answers(const struct hc_loader_options *options, struct hc_store *store)
{
    struct hc_list files = {NULL, 0, 0};
    struct hc_answer answer = {0};
    int64_t now = hc_now(options->clock);
    struct hc_error err;

    hc_error_init(&err);
    if (options->table == NULL || store == NULL) {
        return;
    }
    if (hc_store_answer_list(store, &files, &err) != 0) {
        hc_log_error(options->log, HC_LOG_ERROR, "loading", &err);
    }
    for (size_t i = 0; i < files.count; i++) {
        if (!hc_store_answer_read(store, files.items[i], &answer)) {
            continue;
        }
        if (answer.expires > now + CHALLENGE_S) {
            answer.expires = now + CHALLENGE_S;
        }
        if (answer.expires > now && hc_answer_kind_is_served(answer.kind) &&
            hc_table_answer_put(options->table, &answer, now, &err) != 0) {
            hc_log_error(options->log, HC_LOG_ERROR, "loading the answer to a challenge", &err);
            hc_error_init(&err);
        }
        hc_answer_dispose(&answer);
    }
    hc_list_dispose(&files);
}
