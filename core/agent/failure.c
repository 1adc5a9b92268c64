/* What an order's failure means; see failure.h. */
#include "agent/failure.h"

#include <string.h>

#include "preflight/refusal.h"

#define UNSAFE_MS 60000

/* Held against a name, or a certificate, at this issuer alone: another may see it otherwise. */
static void count_failure(const struct hc_failure *f, const char *name, int64_t retry_after)
{
    hc_ca_hold(f->ca, name, hc_publisher_until(f->publisher, f->job->index), retry_after);
}

/* What the CA holds against single names. */
static void count_names(const struct hc_failure *f, const struct hc_order_result *result)
{
    for (size_t i = 0; i < result->name_count; i++) {
        const struct hc_order_name *name = &result->names[i];
        struct hc_error err;

        hc_kept_error_get(&name->error, &err);
        /* a CA says when to come again once, for all of the names that it lists */
        count_failure(f, name->name,
                      err.foreign.retry_after > 0 ? err.foreign.retry_after
                                                  : result->error.foreign.retry_after);
        hc_outlook_refused(f->outlooks, f->job->index, name->name, &err);
    }
}

/* A line for each name at fault, unless a preflight tells what it finds in the same line. */
static void say_names(const struct hc_failure *f, const struct hc_order_result *result)
{
    bool told = hc_outlook_compare(f->outlooks, f->job->index, f->ca);
    char text[HC_LOG_LINE];

    for (size_t i = 0; i < result->name_count; i++) {
        const struct hc_order_name *name = &result->names[i];
        struct hc_error err;

        hc_kept_error_get(&name->error, &err);
        hc_logf(f->env->log, told ? HC_LOG_INFO : HC_LOG_ERROR, "%s: %s", name->name,
                hc_refusal_describe(&err, NULL, text, sizeof(text)));
    }
}

/* err: why, or NULL: the lines of the names say it. */
static void say_failed(const struct hc_failure *f, const struct hc_error *err)
{
    int64_t now = hc_env_now(f->env);
    char subject[HC_SUBJECT];
    char text[HC_LOG_LINE];
    char wait[32];
    struct hc_ca *ca = NULL;
    int64_t when = 0;

    (void)hc_job_prospect(f->jobs, f->job, &ca, &when);
    hc_logf(f->env->log, HC_LOG_ERROR, "%s: no certificate from %s%s%s; retrying %s%s",
            hc_identity_subject(f->job->identity, subject), hc_ca_issuer(f->ca)->name,
            err != NULL ? ": " : "", err != NULL ? hc_error_format(err, text, sizeof(text)) : "",
            when > now ? "in " : "at once",
            when > now ? hc_duration_format(when - now, wait, sizeof(wait)) : "");
}

/* True if this machine failed: that says nothing of the CA, nor of the names. */
static bool is_local(const struct hc_error *err)
{
    return hc_error_class(err) == HC_CLASS_INTERNAL || err->problem == HC_P_TABLE_FULL;
}

/* The CA failed, or at least this order at it. */
static void fail_ca_wide(const struct hc_failure *f, const struct hc_error *err)
{
    struct hc_job *job = f->job;
    char subject[HC_SUBJECT];

    hc_ca_failed(f->ca, err);
    hc_pause_fail(&job->pause, f->ca, hc_env_ms(f->env));
    if (job->record.order != NULL && hc_pause_is_hopeless(&job->pause, hc_ca_worked_ms(f->ca))) {
        hc_logf(f->env->log, HC_LOG_NOTICE, "%s: giving up the order at %s after %u failures",
                hc_identity_subject(f->job->identity, subject), hc_ca_issuer(f->ca)->name,
                job->pause.failures);
        hc_job_record_forget_order(&job->record);
    }
}

/* The CA did its part, if it was asked; the names or the certificate failed. */
static void fail_names(const struct hc_failure *f, const struct hc_order_result *result,
                       const struct hc_error *err)
{
    struct hc_job *job = f->job;

    if (f->asked) {
        hc_ca_worked(f->ca); /* else nobody asked it */
    }
    memset(&job->pause, 0, sizeof(job->pause));
    count_names(f, result);
    if (result->name_count == 0) {
        bool final = hc_ca_is_final(err->problem, 1);

        count_failure(f, hc_job_name(job, (char[HC_JOB_NAME]){0}),
                      final && err->foreign.retry_after < HC_CA_FINAL_S ? HC_CA_FINAL_S
                                                                        : err->foreign.retry_after);
    }
    say_failed(f, result->name_count == 0 ? err : NULL);
    say_names(f, result);
}

void hc_failure_take(const struct hc_failure *f, const struct hc_order_result *result,
                     const struct hc_error *err)
{
    struct hc_job *job = f->job;

    if (result->order_dead) {
        hc_job_record_forget_order(&job->record);
    }
    hc_last_error_set(&job->record.last, err, hc_env_now(f->env));
    if (!f->asked && err->problem == HC_P_STORE_UNSAFE) {
        /* one file of the line's: there is a pair that cannot be read now, so none is ordered */
        job->again_ms = hc_env_ms(f->env) + UNSAFE_MS;
        hc_say_once(f->env->log, &job->said, HC_LOG_ERROR, "no order placed", err);
    } else if (hc_storage_problem(err->problem)) {
        hc_ca_give_back(f->ca);
        hc_storage_failed(f->storage, err);
    } else if (is_local(err)) {
        hc_ca_give_back(f->ca);
        hc_pause_fail(&job->pause, NULL, hc_env_ms(f->env));
        say_failed(f, err);
    } else if (result->ca_wide) {
        fail_ca_wide(f, err);
    } else {
        fail_names(f, result, err);
    }
}
