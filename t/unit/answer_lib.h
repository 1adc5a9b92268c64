/* Answers over HTTP in tests: token and key authorization, as they are put and as they are got. */
#ifndef HC_T_ANSWER_LIB_H
#define HC_T_ANSWER_LIB_H

#include <string.h>

#include "live/table.h"

/* At time 0: none makes room for another. */
static inline int answer_put(struct hc_table *table, const char *token, const char *keyauth,
                             int64_t expires, struct hc_error *err)
{
    const struct hc_answer answer = {HC_ANSWER_HTTP, "", token, keyauth, expires, NULL};

    return hc_table_answer_put(table, &answer, 0, err);
}

static inline int answer_remove(struct hc_table *table, const char *token, struct hc_error *err)
{
    return hc_table_answer_remove(table, &(struct hc_answer){.kind = HC_ANSWER_HTTP, .key = token},
                                  err);
}

static inline bool answer_get(const struct hc_table *table, const char *token, size_t len,
                              int64_t now, char keyauth[HC_KEYAUTH_MAX])
{
    struct hc_buf value = HC_BUF_INIT(HC_TABLE_ANSWER_MAX);
    bool found = hc_table_answer_get(table, HC_ANSWER_HTTP, token, len, now, &value);

    if (found) {
        (void)hc_copy(keyauth, HC_KEYAUTH_MAX, hc_buf_text(&value));
    }
    hc_buf_dispose(&value);
    return found;
}

#endif
