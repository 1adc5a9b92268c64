/* Requests to an agent of agent_world.h over its control socket. */
#ifndef HC_T_AGENT_ASK_H
#define HC_T_AGENT_ASK_H

#include "agent_world.h"

#include <jansson.h>
#include <sys/socket.h>
#include <sys/un.h>

/* A listening socket in the world's folder. */
static inline int listen_here(char path[108])
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);

    snprintf(path, 108, "%s/control", folder);
    hc_copy(address.sun_path, sizeof(address.sun_path), path);
    if (fd < 0 || bind(fd, (const struct sockaddr *)&address, sizeof(address)) != 0 ||
        listen(fd, 16) != 0 || chmod(path, 0666) != 0) {
        stop_here(__LINE__);
    }
    return fd;
}

static inline int connect_here(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);

    hc_copy(address.sun_path, sizeof(address.sun_path), path);
    if (fd < 0 || connect(fd, (const struct sockaddr *)&address, sizeof(address)) != 0) {
        stop_here(__LINE__);
    }
    return fd;
}

static inline void say_on(int fd, const char *text)
{
    if (send(fd, text, strlen(text), MSG_NOSIGNAL) != (ssize_t)strlen(text)) {
        fprintf(stderr, "the agent does not listen\n");
    }
}

/* What came, without waiting; NULL: nothing (yet). */
static inline json_t *hear(int fd)
{
    static char text[200000];
    ssize_t n = recv(fd, text, sizeof(text) - 1, MSG_DONTWAIT);
    json_error_t where;

    return n > 0 ? json_loadb(text, (size_t)n, 0, &where) : NULL;
}

static inline bool is_ok(json_t *reply)
{
    bool good = json_is_true(json_object_get(reply, "ok"));

    json_decref(reply);
    return good;
}

/* One request and its answer. */
static inline json_t *ask(struct server *s, const char *path, const char *request)
{
    int fd = connect_here(path);
    json_t *reply = NULL;

    say_on(fd, request);
    work(s, NULL);
    reply = hear(fd);
    close(fd);
    return reply;
}

#endif
