/*
 * What keeper and askers say to each other: one packet a question, one packet a reply, of fixed
 * size, in the machine's own byte order (both ends are on one machine). The bytes of a file travel
 * beside the reply, in a sealed memfd. Both sides read what the other wrote as hostile.
 */
#ifndef HC_KEEPER_QUESTION_H
#define HC_KEEPER_QUESTION_H

#include "base/error.h"
#include "keeper/stamp.h"
#include "pki/pair.h"

enum hc_keeper_op {
    HC_KEEPER_STAMP = 1,
    HC_KEEPER_READ,
    HC_KEEPER_SECRET,
    HC_KEEPER_GO, /* no question: the master's word that the start is over */
};

struct hc_question {
    uint64_t magic;
    uint64_t id;     /* chosen by the asker; the reply carries it */
    uint32_t op;     /* enum hc_keeper_op */
    int32_t file;    /* index into hc_conf.files */
    uint32_t create; /* HC_KEEPER_SECRET: 0 or 1 */
    uint32_t zero;
};

struct hc_reply {
    uint64_t magic;
    uint64_t id;
    uint32_t op;
    uint32_t zero;
    uint64_t size; /* of what the memfd holds; 0: no memfd */
    struct hc_file_stamp stamp;
    char slug[64]; /* of the problem; "" when it went well */
    char subject[HC_ERROR_SUBJECT];
    char detail[HC_ERROR_DETAIL];
    char hint[HC_ERROR_HINT]; /* this case's own */
};

/*
 * The number of an asker's first question, unless *number is one already: a start that nobody else
 * has, since replies to an earlier asker may still be on their way.
 */
int hc_question_number(uint64_t *number, struct hc_error *err) HC_MUST_USE;
void hc_question_init(struct hc_question *q, enum hc_keeper_op op, uint64_t id);

/* "reading a watched file": what an error was during. */
const char *hc_question_activity(enum hc_keeper_op op);

/* Checks a packet of len bytes and copies it. -1: it is none of ours. Any thread. */
int hc_question_parse(const void *packet, size_t len, struct hc_question *q) HC_MUST_USE;

/* The reply to q: err's problem, or that it went well. */
void hc_reply_init(struct hc_reply *r, const struct hc_question *q, const struct hc_error *err);
int hc_reply_parse(const void *packet, size_t len, struct hc_reply *r) HC_MUST_USE;

/* -1 with the problem that the reply tells of; 0 when it went well. */
int hc_reply_result(const struct hc_reply *r, struct hc_error *err) HC_MUST_USE;

#endif
