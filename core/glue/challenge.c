/* What a CA is answered over HTTP; see challenge.h. */
#include "glue/challenge.h"

#include <string.h>

#define PATH "/.well-known/acme-challenge/"

bool hc_challenge_answer(const struct hc_table *table, const char *path, size_t len, int64_t now,
                         struct hc_buf *answer)
{
    const size_t before = sizeof(PATH) - 1;

    return table != NULL && len > before && memcmp(path, PATH, before) == 0 &&
           hc_table_answer_get(table, HC_ANSWER_HTTP, path + before, len - before, now, answer);
}
