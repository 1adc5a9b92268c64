/*
 * A part of the agent alone: a configuration, a store, a table, the clock and the log of
 * agent_world.h, and a record of the events that were raised. No agent, no CA.
 */
#ifndef HC_T_AGENT_PART_H
#define HC_T_AGENT_PART_H

#include "agent_world.h"

struct bench {
    struct hc_conf *conf;
    struct hc_events events;
    struct hc_env env;
    struct hc_asker *keeper;
    struct hc_judge judge;
    struct hc_storage *storage;
    struct server server; /* its table */
    struct hc_loop *loop;
    int raised[HC_EVENT_KINDS]; /* so often */
};

static inline void count_event(void *self, const struct hc_event *event)
{
    ((struct bench *)self)->raised[event->kind]++;
}

/* lines and hosts as of new_server(). The store is opened by hc_storage_run(). */
static inline void new_bench(struct bench *b, const char *const *lines, const char *const *hosts)
{
    struct hc_error err = {0};

    new_world();
    memset(b, 0, sizeof(*b));
    b->conf = new_conf(lines);
    add_hosts(b->conf, hosts, "");
    new_table(&b->server);
    b->judge.log = &fake_log;
    if (hc_loop_new(&fake_clock, &b->loop, &err) != 0) {
        stop_here(__LINE__);
    }
    b->env = (struct hc_env){.conf = b->conf,
                             .clock = &fake_clock,
                             .random = &fake_random,
                             .log = &fake_log,
                             .loop = b->loop,
                             .events = &b->events};
    if (hc_asker_new(b->loop, -1, &b->keeper, &err) != 0 ||
        hc_storage_new(&b->env, b->keeper, secret, &b->storage, &err) != 0 ||
        hc_events_add(&b->events, count_event, b, &err) != 0) {
        stop_here(__LINE__);
    }
}

/* After the parts under test. */
static inline void end_bench(struct bench *b)
{
    hc_storage_close(b->storage);
    hc_storage_free(b->storage);
    hc_asker_free(b->keeper);
    hc_judge_dispose(&b->judge);
    hc_table_detach(b->server.table);
    close(b->server.table_fd);
    hc_loop_free(b->loop);
    hc_conf_free(b->conf);
    end_world();
}

/* A pair for these names ("DNS:a.example"), valid from yesterday for so many days. */
static inline struct hc_pair *new_pair(const char *sans, long days)
{
    long from = (long)((clock_now - clock_start) / DAY) - 1;
    struct forged leaf = forge(&(struct forge){
        .name = "leaf", .sans = sans, .by = &mid, .from = from, .days = from + days});
    struct hc_buf pem = HC_BUF_INIT(100000);
    struct hc_findings findings = {NULL, 0, 0};
    struct hc_pair *pair = NULL;
    struct hc_error err = {0};

    forge_chain_pem(&pem, leaf.cert, mid.cert, NULL);
    if (hc_pair_from_key(leaf.key, hc_bytes_of(&pem), "a.example", &pair, &findings, &err) != 0) {
        fprintf(stderr, "%s\n", err.detail);
        stop_here(__LINE__);
    }
    hc_findings_dispose(&findings);
    hc_buf_dispose(&pem);
    forged_free(&leaf);
    return pair;
}

/* Commits a pair as a version of the identity's line of this key type. */
static inline int commit_pair(struct bench *b, size_t index, struct hc_pair *pair)
{
    const struct hc_identity *identity = &b->conf->identities[index];
    struct hc_line_info info;
    struct hc_error err = {0};
    int rc = -1;

    memset(&info, 0, sizeof(info));
    info.mode = HC_MODE_ON;
    info.key_type = hc_pair_key_type(pair);
    hc_line_of(identity->id, info.key_type, info.line);
    if (hc_strdup(hc_conf_issuer(b->conf, identity->set->use.items[0])->directory_url, &info.issuer,
                  &err) == 0 &&
        hc_strdup("one", &info.issuer_name, &err) == 0 &&
        hc_list_copy(&info.names, &identity->names, &err) == 0) {
        rc = hc_storage_commit(b->storage, &info, pair, &err);
    }
    hc_line_info_dispose(&info);
    return rc;
}

#endif
