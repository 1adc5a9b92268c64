/* core/keeper/said.c: what agent and loader say is bounded and cleaned, however they say it. */
#include "keeper/said.h"

#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>

#include "keeper/packet.h"
#include "keeper/spawn.h"
#include "keeper_lib.h"

struct heard {
    int lines;
    char last[HC_LOG_LINE];
};

static void hear(void *self, enum hc_level level, const char *text)
{
    struct heard *h = self;

    (void)level;
    h->lines++;
    (void)snprintf(h->last, sizeof(h->last), "%s", text);
}

static void say(int fd, const char *text, size_t len)
{
    if (hc_packet_send(fd, text, len, -1, hc_packet_now() + 1000) != 0) {
        fatal("send");
    }
}

static void begin(int pair[2])
{
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair) != 0) {
        fatal("socketpair");
    }
}

static void odd_packets_are_survived(void)
{
    static char large[6000];
    struct heard h = {0};
    struct hc_log log = {&h, HC_LOG_DEBUG, hear};
    struct hc_said said = {.reason = ""};
    int pair[2];

    begin(pair);
    is_int(hc_said_take(pair[0], &log, &said), 0, "nothing is nothing");
    say(pair[1], "", 0);
    say(pair[1], "9unknown level", 14);
    say(pair[1], "x", 1);
    for (int i = 0; i < 3; i++) {
        is_int(hc_said_take(pair[0], &log, &said), 1, "an odd packet is taken");
    }
    is_int(h.lines, 0, "and says nothing");
    say(pair[1], "1a\nb\033[2J\xff", 9);
    ok(hc_said_take(pair[0], &log, &said) == 1 && strcmp(h.last, "a?b?[2J?") == 0,
       "what a terminal would obey is taken out");
    memset(large, '1', sizeof(large));
    say(pair[1], large, sizeof(large));
    ok(hc_said_take(pair[0], &log, &said) == 1 && strlen(h.last) < HC_LOG_LINE,
       "a long line is cut");
    say(pair[1], "1", 1);
    ok(hc_said_take(pair[0], &log, &said) == 1 && h.last[0] == '\0', "an empty line is a line");
    close(pair[1]);
    is_int(hc_said_take(pair[0], &log, &said), -1, "the end is the end");
    close(pair[0]);
}

static void a_talkative_agent_holds_up_nobody(void)
{
    struct heard h = {0};
    struct hc_log log = {&h, HC_LOG_DEBUG, hear};
    int pair[2];
    int sent = 0;
    int room = 1 << 20;

    begin(pair);
    (void)setsockopt(pair[1], SOL_SOCKET, SO_SNDBUF, &room, sizeof(room));
    while (sent < 2000 && send(pair[1], "3line", 5, MSG_DONTWAIT | MSG_NOSIGNAL) == 5) {
        sent++;
        if (sent % 200 == 0) {
            (void)hc_agent_drain(pair[0], &log);
        }
    }
    is_int(hc_agent_drain(pair[0], &log), 1, "a look ends while the agent lives");
    close(pair[1]);
    while (hc_agent_drain(pair[0], &log) == 1) {
    }
    is_int(h.lines, sent, "no line is lost");
    close(pair[0]);
}

static void waiting_for_the_loader_is_bounded(void)
{
    struct heard h = {0};
    struct hc_log log = {&h, HC_LOG_DEBUG, hear};
    struct hc_said said = {.reason = ""};
    int64_t start = hc_packet_now();
    struct hc_patience little = {.pid = getpid(), .idle_ms = 5000, .most_ms = 300};
    int pair[2];

    begin(pair);
    say(pair[1], "2before it hangs", 16);
    is_int(hc_said_follow(pair[0], &little, &log, &said), -1, "a loader that hangs");
    ok(hc_packet_now() - start >= 300 && hc_packet_now() - start < 5000 && h.lines == 1,
       "is waited for until the deadline, its lines are heard");
    say(pair[1], "2more", 5);
    close(pair[1]);
    little.most_ms = 5000;
    ok(hc_said_follow(pair[0], &little, &log, &said) == 0 && h.lines == 2,
       "one that ends is heard to the end");
    close(pair[0]);
}

#define WORK_MS 1500

/* A child that holds pair[1]: it uses so much CPU and ends, or stops itself at once. */
static pid_t fork_loader(const int pair[2], bool works)
{
    pid_t pid = fork();

    if (pid == 0) {
        close(pair[0]);
        if (!works) {
            (void)raise(SIGSTOP);
        }
        while (clock() < (clock_t)WORK_MS * (CLOCKS_PER_SEC / 1000)) {
        }
        _exit(0);
    }
    close(pair[1]);
    return pid;
}

static void a_busy_machine_is_no_standstill(void)
{
    struct heard h = {0};
    struct hc_log log = {&h, HC_LOG_DEBUG, hear};
    struct hc_said said = {.reason = ""};
    struct hc_patience patience = {.idle_ms = 500, .most_ms = 120000};
    int pair[2];

    begin(pair);
    patience.pid = fork_loader(pair, true);
    is_int(hc_said_follow(pair[0], &patience, &log, &said), 0,
           "a loader that works is waited for, three times as long as one that does not");
    (void)waitpid(patience.pid, NULL, 0);
    close(pair[0]);
    begin(pair);
    patience.pid = fork_loader(pair, false);
    patience.idle_ms = 1000; /* within which it comes to stop itself */
    is_int(hc_said_follow(pair[0], &patience, &log, &said), -1, "one that is stopped is not");
    (void)kill(patience.pid, SIGKILL);
    (void)waitpid(patience.pid, NULL, 0);
    close(pair[0]);
}

static void a_refusal_is_cleaned(void)
{
    struct heard h = {0};
    struct hc_log log = {&h, HC_LOG_DEBUG, hear};
    struct hc_said said = {.reason = ""};
    struct hc_error err = {0};
    int pair[2];

    begin(pair);
    say(pair[1], "Rkey-mismatch\n/a\033.pem\nwhy\nmore", 31);
    ok(hc_said_take(pair[0], &log, &said) == 1 && hc_said_refusal(&said, &err) == -1, "a refusal");
    ok(err.problem == HC_P_KEY_MISMATCH && strcmp(err.subject, "/a?.pem") == 0 &&
           strcmp(err.detail, "why") == 0,
       "has problem, subject and detail, and nothing for the terminal");
    hc_error_init(&err);
    memset(&said, 0, sizeof(said));
    say(pair[1], "Rno-such-slug", 13);
    ok(hc_said_take(pair[0], &log, &said) == 1 && hc_said_refusal(&said, &err) == -1 &&
           err.problem == HC_P_LOADER_REFUSED && err.subject[0] == '\0',
       "one of another version is still a refusal");
    hc_error_init(&err);
    memset(&said, 0, sizeof(said));
    ok(hc_said_refusal(&said, &err) == -1 && err.problem == HC_P_LOADER_REFUSED,
       "and so is one without words");
    close(pair[0]);
    close(pair[1]);
}

int main(void)
{
    odd_packets_are_survived();
    a_talkative_agent_holds_up_nobody();
    waiting_for_the_loader_is_bounded();
    a_busy_machine_is_no_standstill();
    a_refusal_is_cleaned();
    return done();
}
