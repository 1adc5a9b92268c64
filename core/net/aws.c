/* Credentials that are kept, and who waits for others; see aws.h. One search at a time. */
#include "net/aws.h"

#include <openssl/crypto.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include "net/aws_search.h"

#define EARLY_S 300 /* fetched anew so long before they expire */

struct waiter {
    STAILQ_ENTRY(waiter) link;
    hc_aws_done *done;
    void *arg;
};
STAILQ_HEAD(waiters, waiter);

struct hc_aws {
    struct hc_aws_options o;
    struct waiters waiters;
    bool searching;
    struct hc_aws_search search;
    struct hc_aws_credentials kept; /* expires 0: none is */
};

static void tell_all(struct hc_aws *aws, const struct hc_aws_credentials *found,
                     const struct hc_error *err)
{
    struct waiter *waiter = NULL;
    struct waiters now = STAILQ_HEAD_INITIALIZER(now);

    aws->searching = false;
    STAILQ_CONCAT(&now, &aws->waiters);
    while ((waiter = STAILQ_FIRST(&now)) != NULL) {
        hc_aws_done *done = waiter->done;
        void *arg = waiter->arg;

        STAILQ_REMOVE_HEAD(&now, link);
        /* those behind can still be forgotten, by what is called */
        STAILQ_CONCAT(&aws->waiters, &now);
        free(waiter);
        done(arg, found, err);
        if (aws->searching) {
            return; /* somebody asked anew: the rest waits for that */
        }
        STAILQ_CONCAT(&now, &aws->waiters);
    }
}

static void fail(struct hc_aws *aws, const struct hc_error *err)
{
    /* they hold for a while yet, and the next one tries again */
    bool kept = aws->kept.expires > hc_now(aws->o.clock);
    struct hc_aws_credentials copy = aws->kept;

    tell_all(aws, kept ? &copy : NULL, kept ? NULL : err);
    OPENSSL_cleanse(&copy, sizeof(copy));
}

static void finish(struct hc_aws *aws, const struct hc_aws_credentials *found)
{
    struct hc_aws_credentials copy = *found;
    struct hc_error err;

    hc_error_init(&err);
    if (found->expires != 0) {
        hc_redaction_remove(aws->o.redaction, aws->kept.secret);
        aws->kept = *found;
        if (hc_redaction_add(aws->o.redaction, aws->kept.secret, &err) != 0) {
            fail(aws, &err);
            return;
        }
    }
    tell_all(aws, &copy, NULL);
    OPENSSL_cleanse(&copy, sizeof(copy));
}

static void on_found(void *arg, const struct hc_aws_credentials *found, const struct hc_error *err)
{
    if (found != NULL) {
        finish(arg, found);
    } else {
        fail(arg, err);
    }
}

void hc_aws_get(struct hc_aws *aws, hc_aws_done *done, void *arg)
{
    struct waiter *waiter = NULL;
    struct hc_error err;

    hc_error_init(&err);
    if (!aws->searching && aws->kept.expires > hc_now(aws->o.clock) + EARLY_S) {
        struct hc_aws_credentials copy = aws->kept;

        done(arg, &copy, NULL);
        OPENSSL_cleanse(&copy, sizeof(copy));
        return;
    }
    waiter = calloc(1, sizeof(*waiter));
    if (waiter == NULL) {
        hc_error_nomem(&err);
        done(arg, NULL, &err);
        return;
    }
    waiter->done = done;
    waiter->arg = arg;
    STAILQ_INSERT_TAIL(&aws->waiters, waiter, link);
    if (!aws->searching) {
        aws->searching = true;
        hc_aws_search_begin(&aws->search);
    }
}

void hc_aws_forget(struct hc_aws *aws, const void *arg)
{
    struct waiter *waiter = NULL;
    struct waiters kept = STAILQ_HEAD_INITIALIZER(kept);

    while ((waiter = STAILQ_FIRST(&aws->waiters)) != NULL) {
        STAILQ_REMOVE_HEAD(&aws->waiters, link);
        if (waiter->arg == arg) {
            free(waiter);
        } else {
            STAILQ_INSERT_TAIL(&kept, waiter, link);
        }
    }
    STAILQ_CONCAT(&aws->waiters, &kept);
}

void hc_aws_reject(struct hc_aws *aws)
{
    hc_redaction_remove(aws->o.redaction, aws->kept.secret);
    OPENSSL_cleanse(&aws->kept, sizeof(aws->kept));
    memset(&aws->kept, 0, sizeof(aws->kept));
}

int hc_aws_new(const struct hc_aws_options *options, struct hc_aws **out, struct hc_error *err)
{
    struct hc_aws *aws = calloc(1, sizeof(*aws));

    if (aws == NULL) {
        return hc_error_nomem(err);
    }
    aws->o = *options;
    aws->search.o = &aws->o;
    aws->search.done = on_found;
    aws->search.arg = aws;
    STAILQ_INIT(&aws->waiters);
    *out = aws;
    return 0;
}

void hc_aws_free(struct hc_aws *aws)
{
    struct waiter *waiter = NULL;

    if (aws == NULL) {
        return;
    }
    while ((waiter = STAILQ_FIRST(&aws->waiters)) != NULL) {
        STAILQ_REMOVE_HEAD(&aws->waiters, link);
        free(waiter);
    }
    hc_aws_search_stop(&aws->search);
    hc_aws_reject(aws);
    OPENSSL_cleanse(aws, sizeof(*aws));
    free(aws);
}
