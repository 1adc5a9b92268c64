/* The loader: what is in the table before there is any worker; what refuses a start. Watched files
 * in all their states: agent_watches_test.c. */
#include "agent_part.h"

#include "agent/loader.h"
#include "agent/loader_programs.h"
#include "tap.h"

static const char *const on[] = {"hotcert on", "hotcert_use one", NULL};
static const char *const watch[] = {"hotcert watch", NULL};
static const char *const hosts[] = {"a.example", "b.example", NULL};

static int load_with(const struct hc_conf *conf, struct hc_table *table, int keeper,
                     const unsigned char *with, struct hc_error *err)
{
    struct hc_loader_options options = {.conf = conf,
                                        .table = table,
                                        .keeper = keeper,
                                        .prior = -1,
                                        .secret = with,
                                        .clock = &fake_clock,
                                        .log = &fake_log};

    hc_error_init(err);
    return hc_load(&options, err);
}

static int load(const struct hc_conf *conf, struct hc_table *table, const unsigned char *with,
                struct hc_error *err)
{
    return load_with(conf, table, -1, with, err);
}

static bool has(struct bench *b, size_t index)
{
    return hc_table_find(b->server.table, b->conf->identities[index].id) >= 0;
}

static void what_was_obtained_is_loaded(void)
{
    static const unsigned char other[HC_SECRET_SIZE] = {9};
    struct bench b;
    struct hc_pair *pair = NULL;
    struct hc_error err;

    new_bench(&b, on, hosts);
    is_int(load(b.conf, b.server.table, secret, &err), 0, "without a store a server starts");
    ok(!has(&b, 0), "on the bootstrap certificate");
    (void)hc_storage_run(b.storage);
    pair = new_pair("DNS:a.example", 90);
    ok(commit_pair(&b, 0, pair) == 0, "a pair is stored");
    is_int(load(b.conf, NULL, secret, &err), 0, "a test of the configuration looks");
    ok(!has(&b, 0), "and changes nothing");
    is_int(load(b.conf, b.server.table, other, &err), 0, "with another secret it starts as well");
    ok(!has(&b, 0) && count_in_log("secret-other") > 0, "and says what it cannot read");
    is_int(load(b.conf, b.server.table, secret, &err), 0, "with the right one");
    ok(has(&b, 0) && !has(&b, 1), "what is there is loaded");
    hc_pair_free(pair);
    end_bench(&b);
}

static void a_watched_host_with_nothing_refuses(void)
{
    struct hc_conf *conf = NULL;
    struct server server;
    struct hc_findings notes = {NULL, 0, 0};
    struct hc_error err = {0};
    char files[300];
    int index = 0;

    new_world();
    conf = new_conf(watch);
    snprintf(files, sizeof(files), "%s/cert.pem %s/key.pem ", folder, folder);
    if (add_host(conf, NULL, "w.example", files, &notes, &index, &err) != 0 ||
        hc_conf_finish(conf, &err) != 0) {
        stop_here(__LINE__);
    }
    hc_findings_dispose(&notes);
    new_table(&server);
    is_int(load(conf, server.table, secret, &err), -1, "without files and copy there is no start");
    is_int(err.problem, HC_P_FILE_UNREADABLE, "for this reason");
    ok(strstr(err.subject, "/cert.pem") != NULL, "of this file");
    hc_table_detach(server.table);
    close(server.table_fd);
    hc_conf_free(conf);
    end_world();
}

/* A keeper that never answers is a machine that is busy, or a disk that hangs: the files may be as
 * good as they were. */
static void programs_that_cannot_run_are_told(void)
{
    char good[] = "/bin/sh";
    char missing[] = "/nonexistent/hook";
    char not_a_file[] = "/bin/";
    char name[] = "w";
    struct hc_dns_block blocks[] = {
        {.name = name, .program = good, .style = HC_STYLE_LEGO},
        {.name = name, .program = missing, .style = HC_STYLE_LEGO},
        {.name = name, .program = missing, .style = HC_STYLE_ACME_SH},
        {.name = name, .program = not_a_file, .style = HC_STYLE_LEGO},
        {.name = name, .program = good, .cleanup = missing, .style = HC_STYLE_CERTBOT},
        {.name = name},
    };
    static const int warnings[] = {0, 1, 1, 1, 1, 0};

    for (size_t i = 0; i < HC_COUNT(blocks); i++) {
        struct bench b;
        struct hc_conf conf = {.dns = &blocks[i], .dns_count = 1};
        struct hc_loader_options options = {.conf = &conf, .log = &fake_log};
        int before = 0;

        new_bench(&b, on, hosts);
        before = count_in_log("dns-program");
        hc_load_check_programs(&options);
        is_int(count_in_log("dns-program") - before, warnings[i], "warnings");
        end_bench(&b);
    }
}

static void a_keeper_that_is_silent_refuses_nothing(void)
{
    struct hc_conf *conf = NULL;
    struct server server;
    struct hc_findings notes = {NULL, 0, 0};
    struct hc_error err = {0};
    char files[300];
    int ends[2];
    int index = 0;

    new_world();
    conf = new_conf(watch);
    snprintf(files, sizeof(files), "%s/cert.pem %s/key.pem ", folder, folder);
    if (add_host(conf, NULL, "w.example", files, &notes, &index, &err) != 0 ||
        hc_conf_finish(conf, &err) != 0 || socketpair(AF_UNIX, SOCK_SEQPACKET, 0, ends) != 0) {
        stop_here(__LINE__);
    }
    hc_findings_dispose(&notes);
    new_table(&server);
    close(ends[1]);
    is_int(load_with(conf, server.table, ends[0], secret, &err), 0,
           "without an answer there is a start");
    ok(hc_table_find(server.table, conf->identities[0].id) < 0, "without this host's pair");
    ok(count_in_log("the agent will read: the keeper process does not answer") > 0,
       "the log says so");
    close(ends[0]);
    hc_table_detach(server.table);
    close(server.table_fd);
    hc_conf_free(conf);
    end_world();
}

int main(void)
{
    programs_that_cannot_run_are_told();
    a_keeper_that_is_silent_refuses_nothing();
    what_was_obtained_is_loaded();
    a_watched_host_with_nothing_refuses();
    return done();
}
