/*
 * A real name server for tests in C: BIND on a free loopback port, in a folder of its own, ended by
 * its process id. And dig, to ask it.
 */
#ifndef HC_T_NAMED_H
#define HC_T_NAMED_H

#include <stdbool.h>

#include "pebble.h"

struct named {
    char dir[64];
    int port;
    pid_t pid;
    char address[32]; /* "127.0.0.1:5300" */
};

static inline void named_write(const struct named *n, const char *file, const char *text)
{
    char path[160];
    FILE *f = NULL;

    (void)snprintf(path, sizeof(path), "%s/%s", n->dir, file);
    f = fopen(path, "we");
    if (f == NULL || fputs(text, f) < 0 || fclose(f) != 0) {
        printf("Bail out! cannot write %s\n", path);
        exit(1);
    }
}

/* What a command writes; cut at cap. Returns dst. */
static inline char *named_run(const char *command, char *dst, size_t cap)
{
    FILE *f = popen(command, "re");
    size_t used = 0;

    if (f != NULL) {
        used = fread(dst, 1, cap - 1, f);
        (void)pclose(f);
    }
    dst[used] = '\0';
    return dst;
}

/* dig +short; options: "-t TXT name", say. */
static inline char *named_dig(const struct named *n, const char *options, char *dst, size_t cap)
{
    char command[512];

    (void)snprintf(command, sizeof(command),
                   "dig +short +tries=1 +time=5 +tcp @127.0.0.1 -p %d %s 2>&1", n->port, options);
    return named_run(command, dst, cap);
}

static inline void named_init(struct named *n)
{
    memset(n, 0, sizeof(*n));
    (void)snprintf(n->dir, sizeof(n->dir), "/tmp/hotcert-named.XXXXXX");
    if (mkdtemp(n->dir) == NULL) {
        printf("Bail out! no folder\n");
        exit(1);
    }
    n->port = pebble_free_port();
    (void)snprintf(n->address, sizeof(n->address), "127.0.0.1:%d", n->port);
}

/* conf: the body of named.conf behind its options; probe: a name that must have an SOA. */
static inline void named_start(struct named *n, const char *conf, const char *probe)
{
    char text[8192];
    char file[160];
    char log[160];

    (void)snprintf(text, sizeof(text),
                   "options { directory \"%s\"; pid-file none; session-keyfile none;\n"
                   "  listen-on port %d { 127.0.0.1; }; listen-on-v6 { none; };\n"
                   "  recursion no; notify no; };\ncontrols { };\n%s",
                   n->dir, n->port, conf);
    named_write(n, "named.conf", text);
    (void)snprintf(file, sizeof(file), "%s/named.conf", n->dir);
    (void)snprintf(log, sizeof(log), "%s/log", n->dir);
    n->pid = fork();
    if (n->pid == 0) {
        if (freopen(log, "we", stdout) != NULL) {
            (void)dup2(1, 2);
        }
        execlp("named", "named", "-g", "-n", "1", "-c", file, (char *)NULL);
        _exit(127);
    }
    for (int i = 0; i < 300; i++) {
        char options[128];

        (void)snprintf(options, sizeof(options), "-t SOA %s", probe);
        if (strchr(named_dig(n, options, text, sizeof(text)), ';') == NULL && text[0] != '\0') {
            return;
        }
        (void)usleep(100000);
    }
    printf("Bail out! named does not answer: see %s\n", log);
    exit(1);
}

static inline void named_end(struct named *n)
{
    char command[128];
    char ignored[16];

    if (n->pid > 0) {
        (void)kill(n->pid, SIGTERM);
        (void)waitpid(n->pid, NULL, 0);
    }
    (void)snprintf(command, sizeof(command), "rm -rf '%s'", n->dir);
    (void)named_run(command, ignored, sizeof(ignored));
}

#endif
