/* Changes under way; see change.h. */
#include "solve/change.h"

#include <openssl/crypto.h>
#include <stdlib.h>

static void drop(struct hc_change *change)
{
    const struct hc_change_kind *kind = change->writer->kind;

    kind->drop(change);
    LIST_REMOVE(change, link);
    OPENSSL_cleanse(change, kind->change_size);
    free(change);
}

void hc_change_end(struct hc_change *change, const struct hc_error *cause, bool spread,
                   const char *memo)
{
    hc_writer_done *done = change->done;
    void *arg = change->arg;
    struct hc_error err = {0};
    const struct hc_writer_result result = {
        .err = cause != NULL ? &err : NULL, .spread = spread, .memo = memo};

    if (cause != NULL && cause->subject[0] != '\0') {
        err = *cause; /* about a file of ours, or another record */
    } else if (cause != NULL) {
        hc_error_set(&err, cause->problem, change->value->name, "%s: %s", change->writer->identity,
                     cause->detail);
        err.foreign = cause->foreign;
    }
    drop(change);
    done(arg, &result);
}

static void change_value(void *self, enum hc_writer_change what, const struct hc_txt_value *value,
                         hc_writer_done *done, void *arg)
{
    struct hc_changes *writer = self;
    struct hc_change *change = calloc(1, writer->kind->change_size);
    struct hc_error err;
    const struct hc_writer_result failed = {.err = &err};

    if (change == NULL) {
        hc_error_init(&err);
        (void)hc_error_nomem(&err);
        done(arg, &failed);
        return;
    }
    change->writer = writer;
    change->what = what;
    change->value = value;
    change->done = done;
    change->arg = arg;
    LIST_INSERT_HEAD(&writer->list, change, link);
    if (writer->kind->fetches && writer->env.http == NULL) {
        hc_error_init(&err);
        hc_error_set(&err, HC_P_INTERNAL, NULL, "nothing can be fetched");
        hc_change_fail(change, &err);
        return;
    }
    writer->kind->begin(change);
}

static void cancel(void *self, const void *arg)
{
    struct hc_changes *writer = self;
    struct hc_change *next = NULL;

    for (struct hc_change *change = LIST_FIRST(&writer->list); change != NULL; change = next) {
        next = LIST_NEXT(change, link);
        if (change->arg == arg) {
            drop(change);
        }
    }
}

static void close_writer(void *self)
{
    struct hc_changes *writer = self;

    while (!LIST_EMPTY(&writer->list)) {
        drop(LIST_FIRST(&writer->list));
    }
    if (writer->kind->close != NULL) {
        writer->kind->close(writer);
    }
    free(writer);
}

struct hc_changes *hc_changes_new(const struct hc_change_kind *kind,
                                  const struct hc_dns_block *block, const struct hc_writer_env *env,
                                  struct hc_dns_writer *out, struct hc_error *err)
{
    struct hc_changes *writer = calloc(1, kind->writer_size);

    if (writer == NULL) {
        (void)hc_error_nomem(err);
        return NULL;
    }
    writer->kind = kind;
    writer->block = block;
    writer->env = *env;
    LIST_INIT(&writer->list);
    *out = (struct hc_dns_writer){
        .self = writer,
        .parallel = kind->parallel,
        .change = change_value,
        .cancel = cancel,
        .identity = writer->identity,
        .close = close_writer,
    };
    return writer;
}
