/*
 * What a child has read of the live table: per identity the newest bundle, shared by all threads.
 *
 * A new bundle is read and parsed (some 200 us) by the first handshake that sees it, once a child
 * and generation; there is no timer and no thread of ours in a child. Handshakes beside it neither
 * wait nor read: they go on with the bundle before. Only while there is none at all do they wait,
 * so that nobody is served the bootstrap certificate of a host that has a pair.
 *
 * Two locks make that so. `loading` is held by the one thread that reads and parses, into an entry
 * that nobody else looks at. `lock` guards what handshakes look at; it is held for writing only to
 * exchange a pointer, and for reading only to take a reference (a reference taken without a lock
 * could be of memory that is freed already).
 */
#include <pthread.h>

#include "mod_hotcert.h"

struct slot {
    pthread_rwlock_t lock;
    pthread_mutex_t loading;
    struct hc_view_entry seen;   /* guarded by lock */
    struct hc_view_entry newest; /* guarded by loading */
};

struct mod_hotcert_view {
    struct slot *slots;
};

int mod_hotcert_view_new(struct mod_hotcert_state *state, apr_pool_t *pool, struct hc_error *err)
{
    struct mod_hotcert_view *view = apr_pcalloc(pool, sizeof(*view));
    size_t count = state->conf->identity_count;

    view->slots = apr_pcalloc(pool, count * sizeof(*view->slots));
    for (size_t i = 0; i < count; i++) {
        struct slot *slot = &view->slots[i];
        int rc = pthread_rwlock_init(&slot->lock, NULL);

        rc = rc == 0 ? pthread_mutex_init(&slot->loading, NULL) : rc;
        if (rc != 0) {
            return hc_error_set_errno(err, HC_P_SYSTEM, NULL, rc, "a lock");
        }
        hc_view_entry_init(&slot->seen, &state->conf->identities[i]);
        hc_view_entry_init(&slot->newest, &state->conf->identities[i]);
    }
    state->view = view;
    return 0;
}

/* The bundle that handshakes are given now; *stale: the table has something newer. */
static struct hc_bundle *current_of(struct slot *slot, const struct hc_table *table, bool *stale)
{
    struct hc_bundle *bundle = NULL;

    pthread_rwlock_rdlock(&slot->lock);
    if (slot->seen.bundle != NULL) {
        bundle = hc_bundle_ref(slot->seen.bundle);
    }
    *stale = hc_view_entry_stale(&slot->seen, table);
    pthread_rwlock_unlock(&slot->lock);
    return bundle;
}

/* Under loading: reads what is newer and shows it to all. */
static void load(struct mod_hotcert_state *state, struct slot *slot)
{
    struct hc_bundle *old = NULL;

    hc_serve_refresh(&slot->newest, &state->conf->identities[slot - state->view->slots],
                     state->table, &state->log);
    pthread_rwlock_wrlock(&slot->lock);
    old = slot->seen.bundle;
    slot->seen = slot->newest;
    if (slot->newest.bundle != NULL) {
        slot->seen.bundle = hc_bundle_ref(slot->newest.bundle);
    }
    pthread_rwlock_unlock(&slot->lock);
    hc_bundle_free(old);
}

struct hc_bundle *mod_hotcert_view_take(struct mod_hotcert_state *state, size_t identity)
{
    struct slot *slot = &state->view->slots[identity];
    bool stale = false;
    struct hc_bundle *bundle = current_of(slot, state->table, &stale);
    bool mine = false;

    if (!stale) {
        return bundle;
    }
    mine = bundle != NULL ? pthread_mutex_trylock(&slot->loading) == 0
                          : pthread_mutex_lock(&slot->loading) == 0;
    if (!mine) {
        return bundle;
    }
    load(state, slot);
    pthread_mutex_unlock(&slot->loading);
    hc_bundle_free(bundle);
    return current_of(slot, state->table, &stale);
}
