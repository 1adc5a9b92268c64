/* The checks; see judge.h. */
#include "agent/judge.h"

#include <stdlib.h>
#include <string.h>

static bool same_path(const char *a, const char *b)
{
    return a == b || (a != NULL && b != NULL && strcmp(a, b) == 0);
}

/* Roots that cannot be loaded are said once; chains are then not judged by whom they lead to. */
static const struct hc_roots *roots_for(struct hc_judge *judge, const char *path)
{
    struct hc_error err;
    struct hc_roots *roots = NULL;
    char *copy = NULL;

    for (size_t i = 0; i < judge->count; i++) {
        if (same_path(judge->roots[i].path, path)) {
            return judge->roots[i].roots;
        }
    }
    hc_error_init(&err);
    if (judge->count == HC_JUDGE_ROOTS || (path != NULL && hc_strdup(path, &copy, &err) != 0)) {
        return NULL;
    }
    if (hc_roots_load(path, &roots, &err) != 0) {
        hc_log_error(judge->log, HC_LOG_ERROR, "cannot check chains against roots", &err);
    }
    judge->roots[judge->count].path = copy;
    judge->roots[judge->count++].roots = roots;
    return roots;
}

const struct hc_roots *hc_judge_roots(struct hc_judge *judge, const struct hc_identity *identity)
{
    return roots_for(judge, identity->set->trusted_certificate);
}

/* What both judgements ask. */
static struct hc_check check_of(struct hc_judge *judge, const struct hc_judge_case *c)
{
    return (struct hc_check){
        .names = c->identity->names.count > 0 ? &c->identity->names : NULL,
        .left_out = c->left_out,
        .roots = roots_for(judge, c->identity->set->trusted_certificate),
        .now = c->now,
        .margin = -1,
        .security_level = c->identity->security_level,
    };
}

int hc_judge_pair(struct hc_judge *judge, const struct hc_judge_case *c, const struct hc_pair *pair,
                  struct hc_findings *findings, struct hc_error *err)
{
    struct hc_check_file file = {.path = c->key_path};
    struct hc_check how = check_of(judge, c);

    if (c->key_path != NULL && c->key_stamp != NULL) {
        file.mode = c->key_stamp->mode;
        file.uid = c->key_stamp->uid;
        how.key_file = &file;
    }
    return hc_check_pair(pair, &how, findings, err);
}

int hc_judge_served(struct hc_judge *judge, const struct hc_judge_case *c,
                    const struct hc_pair *pair, struct hc_findings *findings, struct hc_error *err)
{
    struct hc_check how = check_of(judge, c);

    return hc_check_chain(hc_pair_leaf(pair), hc_pair_chain(pair), &how, findings, err);
}

static bool is_accepted(const struct hc_list *accept, const struct hc_finding *finding)
{
    return accept != NULL && hc_list_has(accept, hc_problem_row(finding->problem)->slug);
}

void hc_judge_say(const struct hc_log *log, const char *subject, const struct hc_list *accept,
                  const struct hc_findings *findings, enum hc_level flaw_level,
                  enum hc_level remark_level)
{
    for (size_t i = 0; i < findings->count; i++) {
        const struct hc_finding *f = &findings->items[i];
        struct hc_finding_text text;
        bool flaw = f->rank != HC_CLASS_REMARK && !is_accepted(accept, f);
        bool again = strcmp(f->subject, subject) == 0 || f->subject[0] == '\0';

        hc_finding_render(f, &text);
        hc_logf(log, flaw ? flaw_level : remark_level, "%s: %s: %s%s%s (%s; %s)", subject,
                hc_class_name(f->rank), again ? "" : text.subject, again ? "" : ": ", text.message,
                hc_problem_row(f->problem)->slug, text.hint);
    }
}

void hc_judge_dispose(struct hc_judge *judge)
{
    for (size_t i = 0; i < judge->count; i++) {
        free(judge->roots[i].path);
        hc_roots_free(judge->roots[i].roots);
    }
    memset(judge, 0, sizeof(*judge));
}
