/* Following alone: what another agent commits is known here, and what we commit costs no look. */
#include "agent/follow.h"
#include "agent_part.h"
#include "store/store.h"
#include "tap.h"

static const char *const on[] = {"hotcert on", "hotcert_use one", NULL};
static const char *const one_host[] = {"a.example", NULL};

static void versions_of_others_are_found(void)
{
    struct bench b;
    struct hc_follow *follow = NULL;
    struct hc_answers *answers = NULL;
    struct hc_answers_options options = {0};
    struct hc_store *theirs = NULL;
    struct hc_line_info info = {.mode = HC_MODE_ON, .line = {5}};
    struct hc_pair *pair = NULL;
    struct hc_error err = {0};
    char path[100];

    new_bench(&b, on, one_host);
    options = (struct hc_answers_options){&b.env, b.storage, b.server.table};
    if (hc_answers_new(&options, &answers, &err) != 0 ||
        hc_follow_new(&b.env, b.storage, answers, &follow, &err) != 0) {
        stop_here(__LINE__);
    }
    is_int((int)hc_follow_run(follow), -1, "without a store there is nothing to follow");
    (void)hc_storage_run(b.storage);
    ok(hc_follow_run(follow) >= 0, "with one there is");
    is_int(b.raised[HC_EVENT_LINES_CHANGED], 0, "nothing changed yet");
    pair = new_pair("DNS:a.example", 90);
    ok(commit_pair(&b, 0, pair) == 0, "a commit of our own");
    pass_time(1);
    (void)hc_follow_run(follow);
    is_int(b.raised[HC_EVENT_LINES_CHANGED], 0, "is no news");
    snprintf(path, sizeof(path), "%s/store", folder);
    info.key_type = hc_pair_key_type(pair);
    ok(hc_store_open(path, HC_STORE_DRIVE, secret, &fake_log, &theirs, &err) == 0 &&
           hc_strdup("", &info.issuer, &err) == 0 && hc_strdup("", &info.issuer_name, &err) == 0 &&
           hc_list_add(&info.names, "other.example", &err) == 0 &&
           hc_store_commit(theirs, &info, pair, clock_now, &err) == 0,
       "one of another agent's");
    for (int i = 0; i < 20 && b.raised[HC_EVENT_LINES_CHANGED] == 0; i++) {
        pass_time(1);
        (void)hc_follow_run(follow);
    }
    is_int(b.raised[HC_EVENT_LINES_CHANGED], 1, "is told");
    ok(hc_inventory_find(hc_storage_inventory(b.storage), info.line) != NULL, "and known");
    hc_store_close(theirs);
    hc_line_info_dispose(&info);
    hc_pair_free(pair);
    hc_storage_close(b.storage);
    hc_follow_free(follow);
    hc_answers_free(answers);
    end_bench(&b);
}

int main(void)
{
    versions_of_others_are_found();
    return done();
}
