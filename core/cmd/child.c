/* A process of hotcert's; see child.h. */
#include "cmd/child.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/version.h"
#include "keeper/spawn.h"

#define SEND_MS 1000 /* a server that reads nothing for this long loses a line, not its agent */

bool hc_child_has(int fd)
{
    return fcntl(fd, F_GETFD) >= 0;
}

static bool is_socket(int fd)
{
    struct stat st;

    return fstat(fd, &st) == 0 && S_ISSOCK(st.st_mode);
}

bool hc_child_begin(const char *name)
{
    struct rlimit none = {0, 0};
    struct stat st;

    if (fstat(HC_FD_CONF, &st) != 0 || !S_ISREG(st.st_mode) || !is_socket(HC_FD_SUPERVISE)) {
        fprintf(stderr,
                "hotcert %s: only the web server starts this command; set `hotcert on` in the "
                "server's configuration\n",
                name);
        return false;
    }
    (void)prctl(PR_SET_DUMPABLE, 0);
    (void)setrlimit(RLIMIT_CORE, &none);
    (void)setenv("TZ", "UTC", 1);
    tzset();
    for (int fd = HC_FD_CONF; fd < HC_FD_END; fd++) {
        (void)fcntl(fd, F_SETFD, FD_CLOEXEC);
    }
    return true;
}

struct hc_conf *hc_child_conf(struct hc_error *err)
{
    struct hc_buf text = HC_BUF_INIT(HC_CONF_WIRE_MAX);
    struct hc_conf *conf = NULL;
    char chunk[16384];
    off_t at = 0;

    for (;;) {
        ssize_t n = pread(HC_FD_CONF, chunk, sizeof(chunk), at);

        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n < 0) {
            hc_error_set_errno(err, HC_P_SYSTEM, NULL, errno, "reading the configuration");
            goto out;
        }
        if (n == 0) {
            break;
        }
        if (hc_buf_append(&text, chunk, (size_t)n, err) != 0) {
            goto out;
        }
        at += n;
    }
    conf = hc_conf_decode(hc_buf_text(&text), text.len, err);
    if (conf != NULL) {
        hc_server_speak(conf->server);
    }
out:
    hc_buf_dispose(&text);
    return conf;
}

void hc_child_tell_versions(const struct hc_conf *conf)
{
    const char *from = conf->from != NULL ? conf->from : "an unknown version";
    char unknown[HC_FOREIGN_MAX];
    char passed[HC_FOREIGN_MAX];

    if (strcmp(from, HC_VERSION) == 0 && conf->unknown.count == 0) {
        return;
    }
    hc_list_format(&conf->unknown, unknown, sizeof(unknown));
    hc_logf(&hc_child_log, conf->unknown.count > 0 ? HC_LOG_WARN : HC_LOG_NOTICE,
            "the running server has the module of hotcert %s, but the program is %s%s%s; restart "
            "the server to run one version of both",
            hc_escape(passed, 64, from, strlen(from)), HC_VERSION,
            conf->unknown.count > 0 ? " and does not know: " : "", unknown);
}

static void send_line(void *self HC_UNUSED, enum hc_level level, const char *text)
{
    char packet[HC_LOG_LINE];
    struct pollfd fd = {.fd = HC_FD_SUPERVISE, .events = POLLOUT};
    int len = snprintf(packet, sizeof(packet), "%c%s", (char)('0' + (int)level), text);

    if (len >= (int)sizeof(packet)) {
        len = (int)sizeof(packet) - 1;
    }
    if (send(HC_FD_SUPERVISE, packet, (size_t)len, MSG_DONTWAIT | MSG_NOSIGNAL) < 0 &&
        errno == EAGAIN && poll(&fd, 1, SEND_MS) > 0) {
        (void)send(HC_FD_SUPERVISE, packet, (size_t)len, MSG_DONTWAIT | MSG_NOSIGNAL);
    }
}

const struct hc_log hc_child_log = {NULL, HC_LOG_INFO, send_line};
