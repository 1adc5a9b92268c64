/* Who connects to the control socket; see caller.h. */
#include "agent/caller.h"

#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/log.h"

bool hc_caller_may_ask(uid_t uid)
{
    return uid == 0 || uid == getuid();
}

json_t *hc_caller_refusal(enum hc_problem p, const char *subject, const char *detail)
{
    char text[HC_LOG_LINE];
    struct hc_error_text shown;
    struct hc_error err;

    hc_error_init(&err);
    hc_error_set(&err, p, subject, "%s", detail);
    hc_error_render(&err, &shown);
    return json_pack("{s:b, s:s, s:s, s:s, s:s}", "ok", 0, "problem", hc_problem_row(p)->slug,
                     "subject", shown.subject, "detail", shown.detail, "message",
                     hc_error_format(&err, text, sizeof(text)));
}

/* A new connection has room for this; whoever does not read it is sent away all the same. */
static void send_away(int fd)
{
    json_t *reply =
        hc_caller_refusal(HC_P_FORBIDDEN, NULL, "only root and the agent's user may ask the agent");
    char *text = reply != NULL ? json_dumps(reply, JSON_COMPACT | JSON_ENSURE_ASCII) : NULL;

    if (text != NULL && send(fd, text, strlen(text), MSG_DONTWAIT | MSG_NOSIGNAL) >= 0) {
        (void)send(fd, "\n", 1, MSG_DONTWAIT | MSG_NOSIGNAL);
    }
    free(text);
    json_decref(reply);
    close(fd);
}

int hc_caller_accept(int control, uid_t *uid)
{
    struct ucred peer;
    socklen_t size = sizeof(peer);
    int fd = accept4(control, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

    if (fd < 0) {
        return HC_CALLER_NONE;
    }
    memset(&peer, 0xff, sizeof(peer));
    if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) != 0 || size != sizeof(peer) ||
        !hc_caller_may_ask(peer.uid)) {
        send_away(fd);
        return HC_CALLER_REFUSED;
    }
    *uid = peer.uid;
    return fd;
}
