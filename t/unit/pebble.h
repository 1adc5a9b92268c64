/*
 * A real CA for tests in C: starts Pebble on free loopback ports with a TLS certificate made on the
 * spot, in a folder of its own; ends it by its process id.
 */
#ifndef HC_T_PEBBLE_H
#define HC_T_PEBBLE_H

#include <arpa/inet.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

struct pebble {
    char dir[64];
    char url[96];   /* of the directory */
    char roots[96]; /* for the CA's own TLS */
    int port;
    int manage;
    pid_t pid;
};

static inline int pebble_free_port(void)
{
    struct sockaddr_in a = {0};
    socklen_t len = sizeof(a);
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    a.sin_family = AF_INET;
    a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (fd < 0 || bind(fd, (struct sockaddr *)&a, sizeof(a)) != 0 ||
        getsockname(fd, (struct sockaddr *)&a, &len) != 0) {
        abort();
    }
    close(fd);
    return ntohs(a.sin_port);
}

static inline const char *pebble_program(void)
{
    const char *named = getenv("PEBBLE");

    return named != NULL ? named : "build/rig/usr/bin/pebble";
}

static inline bool pebble_missing(void)
{
    return access(pebble_program(), X_OK) != 0;
}

/* Starts it (again, on the same port, with an empty database) and waits until it listens. */
static inline void pebble_start(struct pebble *p)
{
    struct sockaddr_in a = {0};
    char conf[96];
    char log[96];

    snprintf(conf, sizeof(conf), "%s/pebble.json", p->dir);
    snprintf(log, sizeof(log), "%s/pebble.log", p->dir);
    fflush(stdout);
    p->pid = fork();
    if (p->pid == 0) {
        if (freopen(log, "a", stdout) == NULL || dup2(1, 2) < 0) {
            _exit(126);
        }
        execl(pebble_program(), "pebble", "-config", conf, (char *)NULL);
        _exit(127);
    }
    a.sin_family = AF_INET;
    a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    a.sin_port = htons((uint16_t)p->port);
    for (int i = 0; i < 500; i++) {
        int fd = socket(AF_INET, SOCK_STREAM, 0);
        int rc = connect(fd, (struct sockaddr *)&a, sizeof(a));

        close(fd);
        if (rc == 0) {
            return;
        }
        usleep(20000);
    }
    printf("Bail out! Pebble does not listen\n");
    exit(1);
}

static inline void pebble_stop(struct pebble *p)
{
    if (p->pid > 0) {
        kill(p->pid, SIGKILL);
        waitpid(p->pid, NULL, 0);
        p->pid = 0;
    }
}

/* retry_after: the seconds that it asks for while an order or authorization is processing. */
static inline void pebble_make(struct pebble *p, int retry_after)
{
    char command[768];
    char conf[96];
    FILE *f = NULL;

    memset(p, 0, sizeof(*p));
    snprintf(p->dir, sizeof(p->dir), "/tmp/hotcert-pebble-XXXXXX");
    if (mkdtemp(p->dir) == NULL) {
        abort();
    }
    p->port = pebble_free_port();
    p->manage = pebble_free_port();
    snprintf(p->url, sizeof(p->url), "https://localhost:%d/dir", p->port);
    snprintf(p->roots, sizeof(p->roots), "%s/ca.pem", p->dir);
    snprintf(command, sizeof(command),
             "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 "
             "-subj /CN=localhost -addext subjectAltName=DNS:localhost,IP:127.0.0.1 "
             "-keyout %s/ca.key -out %s/ca.pem 2>/dev/null",
             p->dir, p->dir);
    if (system(command) != 0) {
        abort();
    }
    snprintf(conf, sizeof(conf), "%s/pebble.json", p->dir);
    f = fopen(conf, "w");
    if (f == NULL) {
        abort();
    }
    fprintf(f,
            "{\"pebble\":{\"listenAddress\":\"127.0.0.1:%d\",\"managementListenAddress\":"
            "\"127.0.0.1:%d\",\"certificate\":\"%s/ca.pem\",\"privateKey\":\"%s/ca.key\","
            "\"httpPort\":%d,\"tlsPort\":%d,\"ocspResponderURL\":\"\","
            "\"externalAccountBindingRequired\":false,\"retryAfter\":{\"authz\":%d,\"order\":%d}}}",
            p->port, p->manage, p->dir, p->dir, pebble_free_port(), pebble_free_port(), retry_after,
            retry_after);
    fclose(f);
}

static inline void pebble_dispose(struct pebble *p)
{
    char command[128];

    pebble_stop(p);
    snprintf(command, sizeof(command), "rm -rf %s", p->dir);
    if (system(command) != 0) {
        fprintf(stderr, "# %s is left\n", p->dir);
    }
}

#endif
