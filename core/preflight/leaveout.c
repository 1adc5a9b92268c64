/* Which names are left out, and until when; see leaveout.h. */
#include "preflight/leaveout.h"

#include <stdlib.h>
#include <string.h>

#include "base/vec.h"
#include "preflight/leaveout_state.h"

void hc_leaveout_dispose(struct hc_leaveout *state)
{
    for (size_t i = 0; i < state->count; i++) {
        free(state->names[i].name);
    }
    free(state->names);
    memset(state, 0, sizeof(*state));
}

enum hc_leaveout_seen hc_leaveout_seen_of(const struct hc_preflight_name *name)
{
    if (name->leave_out) {
        return HC_LEAVEOUT_SEEN_BAD;
    }
    switch (name->verdict) {
    case HC_PREFLIGHT_READY:
        return HC_LEAVEOUT_SEEN_WELL;
    case HC_PREFLIGHT_WOULD_FAIL:
        return HC_LEAVEOUT_SEEN_SUSPECT;
    case HC_PREFLIGHT_UNKNOWN:
        break;
    }
    return HC_LEAVEOUT_SEEN_FAILING;
}

struct hc_leaveout_name *hc_leaveout_find(const struct hc_leaveout *state, const char *name)
{
    for (size_t i = 0; i < state->count; i++) {
        if (strcmp(state->names[i].name, name) == 0) {
            return &state->names[i];
        }
    }
    return NULL;
}

static struct hc_leaveout_name *find_or_add(struct hc_leaveout *state, const char *name,
                                            struct hc_error *err)
{
    struct hc_leaveout_name *n = hc_leaveout_find(state, name);
    struct hc_leaveout_name *names = NULL;

    if (n != NULL) {
        return n;
    }
    if (state->count >= HC_NAMES_MAX) {
        hc_error_set(err, HC_P_TOO_LARGE, name, "more than %d names in one certificate",
                     HC_NAMES_MAX);
        return NULL;
    }
    names = hc_vec_room(state->names, state->count, NULL, sizeof(*names), err);
    if (names == NULL) {
        return NULL;
    }
    state->names = names;
    n = &names[state->count];
    memset(n, 0, sizeof(*n));
    if (hc_strdup(name, &n->name, err) != 0) {
        return NULL;
    }
    state->count++;
    return n;
}

bool hc_leaveout_any_out(const struct hc_leaveout *state)
{
    for (size_t i = 0; i < state->count; i++) {
        if (state->names[i].out) {
            return true;
        }
    }
    return false;
}

void hc_leaveout_keep(struct hc_leaveout *state, const struct hc_list *names)
{
    size_t kept = 0;

    for (size_t i = 0; i < state->count; i++) {
        if (hc_list_has(names, state->names[i].name)) {
            state->names[kept++] = state->names[i];
        } else {
            free(state->names[i].name);
        }
    }
    state->count = kept;
    state->trial = hc_leaveout_any_out(state) ? state->trial : 0;
}

static void pull_back(int64_t *at, int64_t now)
{
    *at = *at > now ? now : *at;
}

void hc_leaveout_pull_back(struct hc_leaveout *state, int64_t now)
{
    pull_back(&state->trial, now);
    for (size_t i = 0; i < HC_COUNT(state->again); i++) {
        pull_back(&state->again[i], now);
    }
    for (size_t i = 0; i < state->count; i++) {
        pull_back(&state->names[i].since, now);
        pull_back(&state->names[i].checked, now);
        pull_back(&state->names[i].tried, now);
    }
}

void hc_leaveout_drop(struct hc_leaveout *state, struct hc_leaveout_name *n, int64_t now)
{
    if (!hc_leaveout_any_out(state)) {
        state->trial = now; /* the first trial comes a day after the first name went */
    }
    n->out = true;
    n->back = false;
    n->tried = n->tried == 0 ? now : n->tried;
}

static void take_back(struct hc_leaveout *state, struct hc_leaveout_name *n)
{
    n->out = false;
    n->back = true;
    n->since = 0;
    n->refusals -= n->refusals == HC_LEAVEOUT_REFUSALS;
    state->trial = hc_leaveout_any_out(state) ? state->trial : 0;
}

int hc_leaveout_note(struct hc_leaveout *state, const struct hc_leaveout_sight *sight, int64_t now,
                     int64_t min_apart, struct hc_error *err)
{
    struct hc_leaveout_name *n = find_or_add(state, sight->name, err);
    enum hc_leaveout_seen seen = sight->seen;
    bool well = seen <= HC_LEAVEOUT_SEEN_SUSPECT;

    if (n == NULL) {
        return -1;
    }
    if (n->out && n->dropped && seen == HC_LEAVEOUT_SEEN_SUSPECT) {
        well = false; /* the CA saw the same */
    }
    n->seen = seen;
    if (seen != HC_LEAVEOUT_SEEN_WELL) {
        n->why = sight->why;
        n->since = n->since == 0 ? now : n->since;
    } else if (!n->out) {
        n->since = 0;
    }
    if (!well) {
        n->well = 0;
        n->checked = now;
        if (seen == HC_LEAVEOUT_SEEN_BAD) {
            hc_leaveout_drop(state, n, now);
        }
        return 0;
    }
    if (n->well == 0 || now - n->checked >= min_apart) {
        n->well += n->well < HC_LEAVEOUT_WELL;
        n->checked = now;
    }
    if (n->out && n->well >= HC_LEAVEOUT_WELL) {
        take_back(state, n);
    }
    return 0;
}

void hc_leaveout_vouch(struct hc_leaveout *state)
{
    for (size_t i = 0; i < state->count; i++) {
        struct hc_leaveout_name *n = &state->names[i];

        if (n->out) {
            n->well = HC_LEAVEOUT_WELL - 1;
            n->checked = 0; /* so the next check is none of those that were */
        }
    }
}

int hc_leaveout_refused(struct hc_leaveout *state, const char *name, enum hc_problem why,
                        int64_t now, struct hc_error *err)
{
    struct hc_leaveout_name *n = find_or_add(state, name, err);

    if (n == NULL) {
        return -1;
    }
    n->refused = true;
    n->refusals += n->refusals < HC_LEAVEOUT_REFUSALS;
    n->why = why;
    n->since = n->since == 0 ? now : n->since;
    return 0;
}

bool hc_leaveout_is_plain(const struct hc_leaveout *state)
{
    for (size_t i = 0; i < state->count; i++) {
        const struct hc_leaveout_name *n = &state->names[i];

        if (n->seen != HC_LEAVEOUT_SEEN_WELL || n->since != 0 || n->out || n->back || n->refused) {
            return false;
        }
    }
    return state->trial == 0 && state->again[0] == 0;
}

void hc_leaveout_obtained(struct hc_leaveout *state, const struct hc_list *names)
{
    for (size_t i = 0; i < state->count; i++) {
        struct hc_leaveout_name *n = &state->names[i];

        if (hc_list_has(names, n->name)) {
            n->out = n->back = n->refused = n->dropped = false;
            n->refusals = 0;
            n->since = 0;
            n->why = HC_P_NONE;
        }
    }
    state->trial = hc_leaveout_any_out(state) ? state->trial : 0;
}
