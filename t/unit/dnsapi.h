/*
 * The services of t/lib/dnsapi.py for tests of writers: a process of the test's own on a free
 * loopback port, ended by its process id; and the real HTTP client.
 */
#ifndef HC_T_DNSAPI_H
#define HC_T_DNSAPI_H

#include "pebble.h"
#include "writer_contract.h"

struct dnsapi {
    char dir[64];
    char url[64]; /* "http://127.0.0.1:5000" */
    int port;
    pid_t pid;
    char info[8192];
};

/* What the services say of themselves: NAME=VALUE. */
static inline const char *dnsapi_info(const struct dnsapi *api, const char *name)
{
    static char found[8][256];
    static size_t used;
    char line[128];
    const char *at = NULL;

    (void)snprintf(line, sizeof(line), "\n%s=", name);
    at = strstr(api->info, line);
    if (at == NULL) {
        printf("Bail out! dnsapi.py does not say %s\n", name);
        exit(1);
    }
    at += strlen(line);
    used = (used + 1) % 8;
    (void)snprintf(found[used], sizeof(found[used]), "%.*s", (int)strcspn(at, "\n"), at);
    return found[used];
}

static inline void dnsapi_read_info(struct dnsapi *api)
{
    char path[96];
    FILE *f = NULL;

    (void)snprintf(path, sizeof(path), "%s/info", api->dir);
    for (int i = 0; i < 600 && (f = fopen(path, "re")) == NULL; i++) {
        usleep(100000);
    }
    if (f == NULL) {
        printf("Bail out! dnsapi.py does not start\n");
        exit(1);
    }
    api->info[0] = '\n';
    api->info[1 + fread(api->info + 1, 1, sizeof(api->info) - 2, f)] = '\0';
    (void)fclose(f);
}

/* More arguments of the services' command, NULL at the end of three. */
static inline void dnsapi_start(struct dnsapi *api, const char *const more[3])
{
    char port[16];
    char info[96];

    memset(api, 0, sizeof(*api));
    (void)snprintf(api->dir, sizeof(api->dir), "/tmp/hotcert-dnsapi.XXXXXX");
    if (mkdtemp(api->dir) == NULL) {
        abort();
    }
    api->port = pebble_free_port();
    (void)snprintf(api->url, sizeof(api->url), "http://127.0.0.1:%d", api->port);
    (void)snprintf(port, sizeof(port), "%d", api->port);
    (void)snprintf(info, sizeof(info), "%s/info", api->dir);
    api->pid = fork();
    if (api->pid == 0) {
        (void)execl("/usr/bin/python3", "python3", "t/lib/dnsapi.py", "--port", port, "--info",
                    info, more[0], more[1], more[2], (char *)NULL);
        _exit(127);
    }
    dnsapi_read_info(api);
}

static inline void dnsapi_end(struct dnsapi *api)
{
    char command[96];

    (void)kill(api->pid, SIGTERM);
    (void)waitpid(api->pid, NULL, 0);
    (void)snprintf(command, sizeof(command), "rm -r %s", api->dir);
    ok(system(command) == 0, "the services leave nothing");
}

/* A file that the test can name as one with a secret; returns its path. */
static inline const char *dnsapi_file(const struct dnsapi *api, const char *name, const char *text)
{
    static char path[4][128];
    static size_t used;
    FILE *f = NULL;

    used = (used + 1) % 4;
    (void)snprintf(path[used], sizeof(path[used]), "%s/%s", api->dir, name);
    f = fopen(path[used], "we");
    if (f == NULL || fputs(text, f) < 0 || fclose(f) != 0) {
        abort();
    }
    return path[used];
}

/* What a control path answers. */
static inline const char *dnsapi_get(const struct dnsapi *api, const char *path)
{
    static char answer[65536];
    char command[1024];
    FILE *f = NULL;
    size_t used = 0;

    (void)snprintf(command, sizeof(command), "curl -sf '%s%s'", api->url, path);
    f = popen(command, "re");
    if (f != NULL) {
        used = fread(answer, 1, sizeof(answer) - 1, f);
        (void)pclose(f);
    }
    answer[used] = '\0';
    return answer;
}

static inline bool dnsapi_stands(struct writer_world *w, const char *name, const char *value)
{
    char path[900];
    char escaped[700] = "";
    size_t used = 0;

    for (; *value != '\0' && used + 4 < sizeof(escaped); value++) {
        used += (size_t)snprintf(escaped + used, sizeof(escaped) - used, "%%%02X",
                                 (unsigned)(unsigned char)*value);
    }
    (void)snprintf(path, sizeof(path), "/_stands?name=%s&value=%s", name, escaped);
    return strcmp(dnsapi_get(w->self, path), "yes") == 0;
}

/* A world with the real client; lines: as of writer_world_init(). */
static inline struct hc_http *dnsapi_world(struct dnsapi *api, struct writer_world *w,
                                           const char *const *lines)
{
    static const struct writer_foreign foreign[] = {{"a.test", "v=spf1 -all"},
                                                    {"_dmarc.a.test", "v=DMARC1; p=reject"},
                                                    {"sel._domainkey.a.test", "v=DKIM1; p=MFww"},
                                                    {"_acme-challenge.a.test", "of somebody else"},
                                                    {NULL, NULL}};
    struct hc_http *http = NULL;

    memset(w, 0, sizeof(*w));
    writer_world_init(w, lines);
    w->self = api;
    w->zone = "a.test";
    w->name = "_acme-challenge.a.test";
    w->other = "_acme-challenge.www.a.test";
    w->foreign = foreign; /* t/lib/dnsapi.py has it there */
    w->stands = dnsapi_stands;
    if (hc_http_new(w->env.loop, "hotcert-test", &http, NULL) != 0) {
        abort();
    }
    w->env.http = hc_http_port(http);
    return http;
}

static inline void dnsapi_world_end(struct writer_world *w, struct hc_http *http)
{
    w->writer.close(w->writer.self);
    w->writer.close = NULL;
    hc_http_free(http);
    hc_loop_free(w->env.loop);
    hc_redaction_free(w->env.redaction);
    hc_conf_free((struct hc_conf *)(uintptr_t)w->env.conf);
}

#endif
