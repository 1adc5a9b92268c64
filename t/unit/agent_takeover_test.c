/* What spares an order: what another agent committed, and what another line has. */
#include "agent_upper.h"

#include "agent/takeover.h"
#include "tap.h"

static const char *const on[] = {"hotcert on", "hotcert_use one", NULL};
static const char *const hosts[] = {"a.example", "b.example", NULL};

/* As another agent would: into the store, past this one. */
static void commit_elsewhere(struct upper *u, size_t index, struct hc_pair *pair,
                             const char *line_of)
{
    const struct hc_identity *identity = &u->b.conf->identities[index];
    struct hc_line_info info;
    struct hc_store *store = NULL;
    struct hc_error err = {0};

    memset(&info, 0, sizeof(info));
    info.mode = HC_MODE_ON;
    info.key_type = hc_pair_key_type(pair);
    if (line_of == NULL) {
        hc_line_of(identity->id, info.key_type, info.line);
    } else {
        memset(info.line, line_of[0], HC_ID_SIZE);
    }
    must(hc_strdup("https://one.example/dir", &info.issuer, &err), &err);
    must(hc_strdup("one", &info.issuer_name, &err), &err);
    must(hc_list_copy(&info.names, hc_pair_names(pair), &err), &err);
    must(hc_store_open(u->b.conf->store, HC_STORE_DRIVE, secret, &fake_log, &store, &err), &err);
    must(hc_store_commit(store, &info, pair, clock_now, &err), &err);
    hc_store_close(store);
    hc_line_info_dispose(&info);
}

static void what_another_agent_obtained_is_taken(void)
{
    struct upper u;
    struct hc_takeover t;
    char url[] = "https://ca.example/order/1";
    char directory[] = "https://one.example/dir";
    struct hc_job_order order = {.url = url, .directory = directory};
    struct hc_job *job = NULL;
    struct hc_pair *pair = NULL;
    struct hc_error err = {0};

    new_upper(&u, on, hosts);
    (void)hc_storage_run(u.b.storage);
    t = (struct hc_takeover){&u.b.env, u.b.storage, u.jobs};
    job = hc_jobs_at(u.jobs, 0);
    is_int(hc_takeover_refresh(&t, job, &err), 0, "an empty line is to be ordered");
    pair = new_pair("DNS:a.example", 90);
    commit_elsewhere(&u, 0, pair, NULL);
    order.names = job->identity->names;
    order.key = forge_key(NULL);
    must(hc_job_order_new(&order, &job->record.order, &err), &err);
    EVP_PKEY_free(order.key);
    must(hc_job_store(u.jobs, job, &err), &err);
    is_int(hc_takeover_refresh(&t, job, &err), 1, "another agent has obtained it: no order");
    ok(job->record.order == NULL, "the one that was under way for it is over");
    is_int(u.b.raised[HC_EVENT_LINE_FOUND], 1, "who publishes it is told");
    ok(hc_publisher_of(u.publisher, 0)->complete, "and it serves");
    is_int(hc_takeover_refresh(&t, job, &err), 1, "found once");
    is_int(u.b.raised[HC_EVENT_LINE_FOUND], 1, "told once");
    hc_pair_free(pair);
    end_upper(&u);
}

static void a_pair_of_another_line_is_adopted(void)
{
    struct upper u;
    struct hc_takeover t;
    struct hc_job *job = NULL;
    struct hc_pair *other = NULL;
    struct hc_pair *same = NULL;
    struct hc_error err = {0};

    new_upper(&u, on, hosts);
    other = new_pair("DNS:b.example,DNS:a.example", 90);
    same = new_pair("DNS:a.example", 90);
    (void)hc_storage_run(u.b.storage);
    t = (struct hc_takeover){&u.b.env, u.b.storage, u.jobs};
    job = hc_jobs_at(u.jobs, 0);
    is_int(hc_takeover_adopt(&t, job, &err), 0, "nothing is there");
    commit_elsewhere(&u, 0, other, "x");
    must(hc_inventory_read(hc_storage_inventory(u.b.storage), hc_storage_store(u.b.storage), &err),
         &err);
    is_int(hc_takeover_adopt(&t, job, &err), 0, "one with other names is none");
    commit_elsewhere(&u, 0, same, "y");
    must(hc_inventory_read(hc_storage_inventory(u.b.storage), hc_storage_store(u.b.storage), &err),
         &err);
    is_int(hc_takeover_adopt(&t, job, &err), 1, "one with the same names spares the order");
    ok(hc_job_info(u.jobs, job) != NULL, "it is the line's own now");
    is_int(count_in_log("no order needed"), 1, "as the log says");
    is_int(hc_takeover_adopt(&t, job, &err), 0, "a line that has its own adopts none");
    hc_pair_free(other);
    hc_pair_free(same);
    end_upper(&u);
}

int main(void)
{
    what_another_agent_obtained_is_taken();
    a_pair_of_another_line_is_adopted();
    return done();
}
