/*
 * What nobody wants any more: lines of the store that no server renews and that expired long ago,
 * and bundles in the table that the configuration does not name. Workers of an older generation may
 * still use the latter, so they go only after resting for a while.
 */
#include <stdlib.h>

#include "agent/state.h"

#define LOOK_MS     3600000
#define LOOK_SOON   60000 /* while bundles rest */
#define TABLE_REST  600000
#define EXPIRED_FOR ((int64_t)30 * 86400)

/* A bundle that the configuration does not name, and since when we know. */
struct hc_garbage_seen {
    unsigned char id[HC_ID_SIZE];
    int64_t since_ms;
    bool still_there;
};

static bool is_configured(const struct hc_agent *agent, const unsigned char id[HC_ID_SIZE])
{
    for (size_t i = 0; i < agent->conf->identity_count; i++) {
        if (memcmp(agent->conf->identities[i].id, id, HC_ID_SIZE) == 0) {
            return true;
        }
    }
    return false;
}

static int note_bundle(void *arg, const unsigned char id[HC_ID_SIZE])
{
    struct hc_agent *agent = arg;
    struct hc_garbage_seen *grown = NULL;

    if (is_configured(agent, id)) {
        return 0;
    }
    for (size_t i = 0; i < agent->unwanted_count; i++) {
        if (memcmp(agent->unwanted[i].id, id, HC_ID_SIZE) == 0) {
            agent->unwanted[i].still_there = true;
            return 0;
        }
    }
    grown = realloc(agent->unwanted, (agent->unwanted_count + 1) * sizeof(*grown));
    if (grown == NULL) {
        return 0; /* it is found again at the next look */
    }
    agent->unwanted = grown;
    grown = &agent->unwanted[agent->unwanted_count++];
    memcpy(grown->id, id, HC_ID_SIZE);
    grown->since_ms = hc_agent_ms(agent);
    grown->still_there = true;
    return 0;
}

static void clean_table(struct hc_agent *agent)
{
    int64_t now = hc_agent_ms(agent);
    size_t kept = 0;
    struct hc_error err;

    hc_error_init(&err);
    for (size_t i = 0; i < agent->unwanted_count; i++) {
        agent->unwanted[i].still_there = false;
    }
    if (hc_table_each(agent->o.table, note_bundle, agent, &err) != 0) {
        hc_log_error(agent->o.log, HC_LOG_WARN, "looking through the table", &err);
        return;
    }
    for (size_t i = 0; i < agent->unwanted_count; i++) {
        struct hc_garbage_seen *seen = &agent->unwanted[i];

        if (seen->still_there && now - seen->since_ms < TABLE_REST) {
            agent->unwanted[kept++] = *seen;
        } else if (seen->still_there && hc_table_remove(agent->o.table, seen->id, &err) != 0) {
            hc_log_error(agent->o.log, HC_LOG_WARN, "removing a bundle", &err);
        }
    }
    agent->unwanted_count = kept;
}

static bool line_is_wanted(const struct hc_agent *agent, const unsigned char line[HC_ID_SIZE])
{
    for (size_t i = 0; i < agent->job_count; i++) {
        if (memcmp(agent->jobs[i].line, line, HC_ID_SIZE) == 0) {
            return true;
        }
    }
    for (size_t i = 0; i < agent->watch_count; i++) {
        if (memcmp(agent->watches[i].line, line, HC_ID_SIZE) == 0) {
            return true;
        }
    }
    return false;
}

static void remove_line(struct hc_agent *agent, const struct hc_line_info *info)
{
    unsigned char line[HC_ID_SIZE];
    char name[2 * HC_ID_SIZE + 1];
    char names[HC_SUBJECT];
    char until[HC_TIME_TEXT];
    struct hc_error err;

    hc_error_init(&err);
    memcpy(line, info->line, HC_ID_SIZE);
    hc_hex(name, line, HC_ID_SIZE);
    hc_list_format(&info->names, names, sizeof(names));
    hc_time_format(info->not_after, until);
    if (hc_store_remove(agent->storage.store, line, &err) != 0 ||
        hc_store_delete(agent->storage.store, "job", name, &err) != 0) {
        hc_storage_failed(agent, &err);
        return;
    }
    hc_logf(agent->o.log, HC_LOG_NOTICE,
            "%s: the stored certificate ended %s and is not configured; it was wiped", names,
            until);
    hc_inventory_drop(&agent->inventory, line);
}

static void clean_store(struct hc_agent *agent)
{
    int64_t now = hc_agent_now(agent);

    if (!hc_storage_ready(agent) || agent->clock_wrong) {
        return;
    }
    for (size_t i = agent->inventory.count; i > 0 && hc_storage_ready(agent); i--) {
        const struct hc_line_info *info = &agent->inventory.items[i - 1];

        if (info->not_after < now - EXPIRED_FOR && !line_is_wanted(agent, info->line)) {
            remove_line(agent, info);
        }
    }
}

void hc_garbage_run(struct hc_agent *agent)
{
    int64_t now = hc_agent_ms(agent);

    if (now < agent->garbage_ms) {
        return;
    }
    clean_table(agent);
    clean_store(agent);
    agent->garbage_ms = now + (agent->unwanted_count > 0 ? LOOK_SOON : LOOK_MS);
}

void hc_garbage_free(struct hc_agent *agent)
{
    free(agent->unwanted);
    agent->unwanted = NULL;
    agent->unwanted_count = 0;
}
