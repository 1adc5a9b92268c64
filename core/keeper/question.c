/* Questions and replies of the keeper; see question.h. */
#include "keeper/question.h"

#include <errno.h>
#include <string.h>
#include <sys/random.h>

#include "base/str.h"

#define QUESTION_MAGIC UINT64_C(0x68634b6551756531)
#define REPLY_MAGIC    UINT64_C(0x68634b6552657031)

_Static_assert(sizeof(struct hc_question) == 32, "no padding in a question");
_Static_assert(sizeof(struct hc_reply) == 32 + sizeof(struct hc_file_stamp) + 64 +
                                              HC_ERROR_SUBJECT + HC_ERROR_DETAIL + HC_ERROR_HINT,
               "no padding in a reply");

static bool known_op(uint32_t op)
{
    return op >= HC_KEEPER_STAMP && op <= HC_KEEPER_GO;
}

/* Text that ends inside its field and has nothing in it that a terminal would obey. */
static bool clean_text(const char *field, size_t cap)
{
    const char *end = memchr(field, '\0', cap);

    if (end == NULL) {
        return false;
    }
    for (const char *at = field; at < end; at++) {
        if (*at < 0x20 || *at > 0x7e) {
            return false;
        }
    }
    return true;
}

int hc_question_number(uint64_t *number, struct hc_error *err)
{
    while (*number == 0) {
        if (getrandom(number, sizeof(*number), 0) < 0 && errno != EINTR) {
            return hc_error_set_errno(err, HC_P_SYSTEM, NULL, errno, "no random bytes");
        }
    }
    return 0;
}

void hc_question_init(struct hc_question *q, enum hc_keeper_op op, uint64_t id)
{
    memset(q, 0, sizeof(*q));
    q->magic = QUESTION_MAGIC;
    q->op = op;
    q->id = id;
}

const char *hc_question_activity(enum hc_keeper_op op)
{
    static const char *const activities[] = {
        [HC_KEEPER_STAMP] = "checking a watched file",
        [HC_KEEPER_READ] = "reading a watched file",
        [HC_KEEPER_SECRET] = "asking for the secret",
        [HC_KEEPER_GO] = "starting the agent",
    };

    return activities[op];
}

int hc_question_parse(const void *packet, size_t len, struct hc_question *q)
{
    if (len != sizeof(*q)) {
        return -1;
    }
    memcpy(q, packet, sizeof(*q));
    if (q->magic != QUESTION_MAGIC || !known_op(q->op) || q->file < 0 || q->create > 1 ||
        q->zero != 0) {
        return -1;
    }
    return 0;
}

void hc_reply_init(struct hc_reply *r, const struct hc_question *q, const struct hc_error *err)
{
    struct hc_error_text text;

    memset(r, 0, sizeof(*r));
    r->magic = REPLY_MAGIC;
    r->id = q->id;
    r->op = q->op;
    if (err->problem != HC_P_NONE) {
        hc_error_render(err, &text);
        hc_copy(r->slug, sizeof(r->slug), hc_problem_row(err->problem)->slug);
        hc_copy(r->subject, sizeof(r->subject), text.subject);
        hc_copy(r->detail, sizeof(r->detail), text.detail);
        hc_copy(r->hint, sizeof(r->hint), text.hint);
    }
}

int hc_reply_parse(const void *packet, size_t len, struct hc_reply *r)
{
    if (len != sizeof(*r)) {
        return -1;
    }
    memcpy(r, packet, sizeof(*r));
    if (r->magic != REPLY_MAGIC || !known_op(r->op) || r->zero != 0 || r->size > HC_PAIR_PEM_MAX ||
        !clean_text(r->slug, sizeof(r->slug)) || !clean_text(r->subject, sizeof(r->subject)) ||
        !clean_text(r->detail, sizeof(r->detail)) || !clean_text(r->hint, sizeof(r->hint))) {
        return -1;
    }
    return 0;
}

int hc_reply_result(const struct hc_reply *r, struct hc_error *err)
{
    enum hc_problem p = HC_P_NONE;

    if (r->slug[0] == '\0') {
        return 0;
    }
    p = hc_problem_by_slug(r->slug);
    if (err != NULL && err->problem == HC_P_NONE) {
        hc_error_restore(err, p != HC_P_NONE ? p : HC_P_PROTOCOL, r->subject, NULL, r->detail,
                         r->hint);
    }
    return -1;
}
