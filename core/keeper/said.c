/* What the program says over its supervision socket; see said.h and spawn.h. */
#include "keeper/said.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#include "base/str.h"
#include "keeper/packet.h"
#include "keeper/spawn.h"

#define DRAIN_MAX 512  /* packets in one call, so that a talkative agent holds up nobody */
#define SEND_MS   5000 /* a refusal waits so long for a busy master */

/* A line from another process: whatever a terminal would obey is taken out. */
static void clean(char *text, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        if (text[i] < 0x20 || text[i] > 0x7e) {
            text[i] = '?';
        }
    }
    text[len] = '\0';
}

int hc_said_take(int supervise, const struct hc_log *log, struct hc_said *said)
{
    ssize_t n = 0;
    char kind = 0;

    do {
        n = recv(supervise, said->text, sizeof(said->text) - 1, MSG_DONTWAIT);
    } while (n < 0 && errno == EINTR);
    if (n < 0) {
        return errno == EAGAIN ? 0 : -1;
    }
    if (n == 0) {
        return hc_packet_at_end(supervise) ? -1 : 1;
    }
    said->text[n] = '\0';
    kind = said->text[0];
    if (kind == 'B') {
        said->began = true;
    } else if (kind == 'R') {
        hc_copy(said->reason, sizeof(said->reason), said->text + 1);
    } else if (kind >= '0' + HC_LOG_ERROR && kind <= '0' + HC_LOG_DEBUG) {
        enum hc_level level = (enum hc_level)(kind - '0');

        clean(said->text + 1, (size_t)n - 1);
        if (level == HC_LOG_ERROR) {
            hc_copy(said->error, sizeof(said->error), said->text + 1);
        }
        hc_logf(log, level, "%s", said->text + 1);
    }
    return 1;
}

int hc_agent_drain(int supervise, const struct hc_log *log)
{
    struct hc_said said = {.reason = ""};

    for (int i = 0; i < DRAIN_MAX; i++) {
        int rc = hc_said_take(supervise, log, &said);

        if (rc <= 0) {
            return rc < 0 ? 0 : 1;
        }
    }
    return 1;
}

void hc_loader_began(int supervise)
{
    (void)send(supervise, "B", 1, MSG_NOSIGNAL);
}

void hc_loader_refuse(int supervise, const struct hc_error *why)
{
    char packet[HC_LOG_LINE];
    struct hc_error_text text;
    int n = 0;

    hc_error_render(why, &text);
    n = snprintf(packet, sizeof(packet), "R%s\n%s\n%s\n%s", hc_problem_row(why->problem)->slug,
                 text.subject, text.detail, text.hint);
    if (n > 0 && hc_packet_send(supervise, packet,
                                (size_t)n < sizeof(packet) ? (size_t)n : sizeof(packet) - 1, -1,
                                hc_packet_now() + SEND_MS) != 0) {
        return; /* the master is gone: nobody wants to know */
    }
}

/* Takes one line of the reason. */
static const char *take_line(char **at)
{
    char *line = *at;
    size_t len = strcspn(line, "\n");

    *at = line + len + (line[len] != '\0' ? 1 : 0);
    clean(line, len);
    return line;
}

int hc_said_refusal(struct hc_said *said, struct hc_error *err)
{
    char *at = said->reason;
    enum hc_problem p = HC_P_NONE;
    const char *subject = NULL;
    const char *detail = said->error;
    const char *hint = NULL;

    if (err == NULL || err->problem != HC_P_NONE) {
        return -1;
    }
    if (said->reason[0] != '\0') {
        p = hc_problem_by_slug(take_line(&at));
        subject = take_line(&at);
        detail = take_line(&at);
        hint = take_line(&at);
    }
    hc_error_restore(err, p != HC_P_NONE ? p : HC_P_LOADER_REFUSED, subject, NULL, detail, hint);
    return -1;
}

/* What a process has worked, in nanoseconds; 0: not known. */
static int64_t work_of(pid_t pid)
{
    struct timespec used = {0, 0};
    clockid_t clock = 0;

    if (clock_getcpuclockid(pid, &clock) != 0 || clock_gettime(clock, &used) != 0) {
        return 0;
    }
    return (int64_t)used.tv_sec * 1000000000 + used.tv_nsec;
}

/* Until then (hc_packet_now() time). 1: it is then, and *heard says whether a packet came; 0:
 * end-of-file; -1: waiting is not possible. */
static int follow_until(int supervise, int64_t until, const struct hc_log *log,
                        struct hc_said *said, bool *heard)
{
    struct pollfd p = {.fd = supervise, .events = POLLIN};

    for (;;) {
        int64_t left = until - hc_packet_now();
        int rc = 0;

        if (left <= 0) {
            return 1;
        }
        if (poll(&p, 1, (int)left) < 0 && errno != EINTR) {
            return -1;
        }
        do {
            rc = hc_said_take(supervise, log, said);
            *heard = *heard || rc > 0;
        } while (rc > 0 && hc_packet_now() < until);
        if (rc < 0) {
            return 0;
        }
    }
}

int hc_said_follow(int supervise, const struct hc_patience *patience, const struct hc_log *log,
                   struct hc_said *said)
{
    int64_t end = hc_packet_now() + patience->most_ms;
    int64_t work = work_of(patience->pid);
    bool busy = true;

    while (busy && hc_packet_now() < end) {
        int64_t until = hc_packet_now() + patience->idle_ms;
        int64_t before = work;
        bool heard = false;
        int rc = follow_until(supervise, until < end ? until : end, log, said, &heard);

        if (rc <= 0) {
            return rc;
        }
        work = work_of(patience->pid);
        busy = heard || work > before;
    }
    return -1;
}
