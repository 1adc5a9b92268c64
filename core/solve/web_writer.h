/*
 * From inside: writers whose change is an HTTP request or two to somebody's service. What they have
 * in common is here: the file with name and password, what an answer means, what is told of it. A
 * writer says what to ask and judges what came (struct hc_web_kind).
 */
#ifndef HC_SOLVE_WEB_WRITER_H
#define HC_SOLVE_WEB_WRITER_H

#include "base/str.h"
#include "solve/change.h"

#define HC_WEB_LOGIN 512 /* a name or a password, with its NUL */

struct hc_web_change {
    struct hc_change is;
    uint64_t request; /* in flight; 0: none */
    char user[HC_WEB_LOGIN];
    char password[HC_WEB_LOGIN];
    unsigned step; /* the kind's own; 0 at first */
};

/* What is asked; emptied before. */
struct hc_web_request {
    struct hc_buf url;
    const char *content_type; /* static */
    struct hc_buf body;
    struct hc_list headers;
};

enum hc_web_next { HC_WEB_FAILED = -1, HC_WEB_DONE, HC_WEB_ASK };

struct hc_web_kind {
    const char *noun; /* "MyDNS.JP": identity is this and the URL's host */
    const char *url;  /* where the block names no endpoint */
    size_t parallel;
    /* What to ask now, or HC_WEB_DONE: there is nothing to ask. HC_WEB_FAILED with err. */
    enum hc_web_next (*ask)(struct hc_web_change *change, struct hc_web_request *request,
                            struct hc_error *err);
    /* A reply with a status of 2xx. HC_WEB_FAILED with err, whose detail is what the service said:
     * hc_web_says(). HC_WEB_ASK: again. */
    enum hc_web_next (*judge)(struct hc_web_change *change, const struct hc_http_reply *reply,
                              struct hc_error *err);
};

struct hc_web_writer {
    struct hc_changes is;
    const struct hc_web_kind *kind;
    char url[2048]; /* of the service, without slashes at its end: text behind it */
};

static inline struct hc_web_writer *hc_web_writer_of(const struct hc_web_change *change)
{
    return (struct hc_web_writer *)(void *)change->is.writer;
}

int hc_web_writer_open(const struct hc_web_kind *kind, const struct hc_dns_block *block,
                       const struct hc_writer_env *env, struct hc_dns_writer *out,
                       struct hc_error *err) HC_MUST_USE;

/* Sets an error with the beginning of what the service said; returns HC_WEB_FAILED. */
enum hc_web_next hc_web_says(const struct hc_web_change *change, const char *what,
                             struct hc_bytes body, struct hc_error *err);

/* One value of a form (x-www-form-urlencoded): name=value, behind an & where it is not the first.
 */
int hc_web_put_field(struct hc_buf *form, const char *name, const char *value,
                     struct hc_error *err) HC_MUST_USE;

/* ["name", "value" ..] as a JSON object; ends with NULL. */
int hc_web_put_json(struct hc_buf *body, const char *const *pairs,
                    struct hc_error *err) HC_MUST_USE;

#endif
