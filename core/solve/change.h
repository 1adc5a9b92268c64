/*
 * From inside: the changes that a writer has under way. What all writers have in common is here:
 * changes begin, end once, are cancelled, and end with their writer. What differs is in a kind,
 * whose structs begin with the two below.
 */
#ifndef HC_SOLVE_CHANGE_H
#define HC_SOLVE_CHANGE_H

#include <sys/queue.h>

#include "solve/writer.h"

#define HC_CHANGE_IDENTITY 400 /* with its NUL */

struct hc_change {
    LIST_ENTRY(hc_change) link;
    struct hc_changes *writer;
    enum hc_writer_change what;
    const struct hc_txt_value *value;
    hc_writer_done *done;
    void *arg;
};

struct hc_change_kind {
    size_t writer_size, change_size; /* of its structs; their memory is zeroed at first */
    size_t parallel;
    bool fetches; /* it is nothing without env.http */
    /* Begins what ends, maybe from within, with hc_change_end(). */
    void (*begin)(struct hc_change *change);
    /* Nobody calls back for this change any more; frees what it has besides. It is wiped after. */
    void (*drop)(struct hc_change *change);
    /* Frees what the writer has besides, be it opened whole or in part. NULL: nothing. */
    void (*close)(struct hc_changes *writer);
};

/* The writer. */
struct hc_changes {
    const struct hc_change_kind *kind;
    const struct hc_dns_block *block;
    struct hc_writer_env env;
    char identity[HC_CHANGE_IDENTITY];
    LIST_HEAD(, hc_change) list;
};

/*
 * Makes a writer of this kind and fills in *out, whose close() frees it; the caller fills in
 * identity and what the kind has besides. NULL with err: no memory.
 */
struct hc_changes *hc_changes_new(const struct hc_change_kind *kind,
                                  const struct hc_dns_block *block, const struct hc_writer_env *env,
                                  struct hc_dns_writer *out, struct hc_error *err);

/*
 * Frees the change and tells who waits. cause: what went wrong, or NULL. One without a subject is
 * about the record, and what the writer's identity says. memo: as in the result; NULL: none.
 */
void hc_change_end(struct hc_change *change, const struct hc_error *cause, bool spread,
                   const char *memo);
static inline void hc_change_fail(struct hc_change *change, const struct hc_error *cause)
{
    hc_change_end(change, cause, false, NULL);
}

#endif
