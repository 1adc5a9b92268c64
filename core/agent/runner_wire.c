/* What agent and runner read of each other; see runner_wire.h. */
#include "agent/runner_wire.h"

#include <string.h>

/* The words of a request as vectors. False: it is malformed. */
static bool split(const struct hc_runner_request *q, const char *at, struct hc_runner_words *out)
{
    const char *end = at + q->size;

    if (q->argc == 0 || q->argc > HC_RUNNER_WORDS || q->envc > HC_RUNNER_WORDS || q->size == 0 ||
        end[-1] != '\0') {
        return false;
    }
    for (uint32_t i = 0; i < q->argc + q->envc; i++) {
        if (at >= end) {
            return false;
        }
        *(i < q->argc ? &out->argv[i] : &out->envp[i - q->argc]) = at;
        at += strlen(at) + 1;
    }
    return at == end && out->argv[0][0] == '/';
}

enum hc_runner_packet hc_runner_request_parse(const unsigned char *packet, size_t len, uint32_t *id,
                                              struct hc_runner_words *out)
{
    struct hc_runner_request q;

    memset(out, 0, sizeof(*out));
    if (len < sizeof(q)) {
        return HC_RUNNER_STRANGE;
    }
    memcpy(&q, packet, sizeof(q));
    if (q.magic != HC_RUNNER_MAGIC || q.id == 0 || q.size != len - sizeof(q)) {
        return HC_RUNNER_STRANGE;
    }
    *id = q.id;
    out->limit_ms = q.limit_ms;
    out->output_max = q.output_max < HC_RUNNER_OUTPUT_MAX ? q.output_max : HC_RUNNER_OUTPUT_MAX;
    return q.limit_ms > 0 && q.limit_ms <= HC_RUNNER_LIMIT_MS &&
                   split(&q, (const char *)packet + sizeof(q), out)
               ? HC_RUNNER_COMMAND
               : HC_RUNNER_MALFORMED;
}

bool hc_runner_reply_parse(const unsigned char *packet, size_t len, uint32_t *id,
                           struct hc_child_result *result)
{
    struct hc_runner_reply r;

    if (len < sizeof(r)) {
        return false;
    }
    memcpy(&r, packet, sizeof(r));
    if (r.magic != HC_RUNNER_MAGIC || r.id == 0 || r.size > len - sizeof(r) ||
        r.errors_size != len - sizeof(r) - r.size || r.end < HC_CHILD_EXITED ||
        r.end > HC_CHILD_NOT_STARTED) {
        return false;
    }
    *id = r.id;
    *result = (struct hc_child_result){
        .end = (enum hc_child_end)r.end,
        .code = r.code,
        .cut = r.cut != 0,
        .errors_cut = r.errors_cut != 0,
        .output = {packet + sizeof(r), r.size},
        .errors = {packet + sizeof(r) + r.size, r.errors_size},
    };
    return true;
}
