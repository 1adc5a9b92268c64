/* core/base/io.c: all of it arrives, or it is told that it does not. */
#include "base/io.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tap.h"

#define SIZE 300000 /* more than a pipe holds */

static unsigned char sent[SIZE];

/* Counts what comes, in small pieces; exits 0 if it is what was sent. */
static void reader(int fd)
{
    size_t at = 0;
    unsigned char piece[777];
    ssize_t n = 0;

    while ((n = read(fd, piece, sizeof(piece))) > 0) {
        if (at + (size_t)n > SIZE || memcmp(sent + at, piece, (size_t)n) != 0) {
            _exit(1);
        }
        at += (size_t)n;
    }
    _exit(at == SIZE ? 0 : 1);
}

int main(void)
{
    int ends[2];
    int status = -1;
    pid_t pid = 0;

    signal(SIGPIPE, SIG_IGN);
    for (size_t i = 0; i < SIZE; i++) {
        sent[i] = (unsigned char)(i * 31 >> 3);
    }
    if (pipe(ends) != 0 || (pid = fork()) < 0) {
        return 1;
    }
    if (pid == 0) {
        close(ends[1]);
        reader(ends[0]);
    }
    close(ends[0]);
    ok(hc_io_write_all(ends[1], sent, SIZE) == 0, "more than fits at once is written");
    close(ends[1]);
    ok(waitpid(pid, &status, 0) == pid && status == 0, "and arrives whole");
    ok(pipe(ends) == 0 && close(ends[0]) == 0, "nobody reads");
    ok(hc_io_write_all(ends[1], sent, SIZE) == -1 && errno == EPIPE, "that is told");
    ok(hc_io_write_all(ends[1], sent, 0) == 0, "nothing is written at once");
    close(ends[1]);
    return done();
}
