/* What a client of `wait` waits for; see waiting.h. */
#include "agent/waiting.h"

#include <stdio.h>
#include <string.h>

#include "agent/jobs.h"
#include "agent/status.h"
#include "agent/watches.h"

bool hc_waiting_is_known(const struct hc_parts *parts, const char *name)
{
    for (size_t i = 0; i < parts->env.conf->identity_count; i++) {
        if (hc_watches_name(parts->watches, i, name)) {
            return true;
        }
    }
    return false;
}

/* A name that was left out of its host's certificate is not served, however well that is. */
static bool is_in(const struct hc_parts *parts, size_t identity, const char *name)
{
    size_t count = 0;
    const struct hc_job *jobs = hc_jobs_of(parts->jobs, identity, &count);

    for (size_t i = 0; i < count; i++) {
        const struct hc_line_info *info = hc_job_info(parts->jobs, &jobs[i]);

        if (info == NULL || !hc_name_among(&info->names, name)) {
            return false;
        }
    }
    return true;
}

/* The name that the client waits for at this identity, or NULL: it does not (any more). */
static const char *pending_name(const struct hc_parts *parts, const struct hc_waiting *w,
                                size_t identity)
{
    const struct hc_identity *one = &parts->env.conf->identities[identity];
    const char *wanted = NULL;

    if (w->all) {
        wanted = hc_identity_label(one);
    }
    for (size_t i = 0; i < w->names.count; i++) {
        const char *name = w->names.items[i];

        if (hc_watches_name(parts->watches, identity, name)) {
            wanted = name;
            if (!is_in(parts, identity, name)) {
                return name;
            }
        }
    }
    return wanted != NULL && !hc_model_is_served(parts, identity) ? wanted : NULL;
}

bool hc_waiting_advance(struct hc_waiting *w, const struct hc_parts *parts)
{
    size_t count = parts->env.conf->identity_count;

    for (size_t i = 0; i < count; i++) {
        size_t identity = (w->first + i) % count;

        if (pending_name(parts, w, identity) != NULL) {
            w->first = identity;
            return false;
        }
    }
    for (size_t i = 0; i < w->names.count; i++) {
        if (!hc_waiting_is_known(parts, w->names.items[i])) {
            return false; /* the files that had the name have another certificate now */
        }
    }
    return true;
}

/* "nx.test (failed, next try 03:37:30Z), c.test (ordering) and 3 more" */
void hc_waiting_describe(const struct hc_waiting *w, const struct hc_parts *parts,
                         char dst[HC_WAITING_TEXT])
{
    size_t used = 0;
    size_t count = 0;

    dst[0] = '\0';
    for (size_t i = 0; i < parts->env.conf->identity_count; i++) {
        const char *name = pending_name(parts, w, i);
        char state[96] = "left out of its certificate";

        if (name == NULL || count++ >= HC_WAITING_TOLD) {
            continue;
        }
        if (!hc_model_is_served(parts, i)) {
            int64_t next = 0;
            const char *word = hc_model_pending(parts, i, &next);

            hc_status_describe(word, next, hc_env_now(&parts->env), state, sizeof(state));
        }
        snprintf(dst + used, HC_WAITING_TEXT - used, "%s%s (%s)", used > 0 ? ", " : "", name,
                 state);
        used += strlen(dst + used);
    }
    if (count > HC_WAITING_TOLD) {
        snprintf(dst + used, HC_WAITING_TEXT - used, " and %zu more", count - HC_WAITING_TOLD);
    } else if (count == 0) {
        hc_copy(dst, HC_WAITING_TEXT, "no host has this name any more");
    }
}

void hc_waiting_dispose(struct hc_waiting *w)
{
    hc_list_dispose(&w->names);
}
