/* core/base/io.c: all of it arrives, or it is told that it does not. */
#include "base/io.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "failing_alloc.h"
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

/* A file of so many bytes. */
static int file_of(size_t len)
{
    FILE *file = tmpfile();
    int fd = -1;

    if (file != NULL && fwrite(sent, 1, len, file) == len && fflush(file) == 0) {
        fd = dup(fileno(file));
        lseek(fd, 0, SEEK_SET);
    }
    if (file != NULL) {
        fclose(file);
    }
    return fd;
}

static void reads(void)
{
    static const size_t sizes[] = {0, 1, 8191, 8192, 8193, 100000};

    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        struct hc_buf out = HC_BUF_INIT(100000);
        struct hc_buf small = HC_BUF_INIT(8192);
        struct hc_error err = {0};
        int fd = file_of(sizes[i]);

        ok(hc_io_read_all(fd, "f", &out, NULL) == 0 && out.len == sizes[i] &&
               memcmp(hc_buf_text(&out), sent, out.len) == 0,
           "a file is read whole");
        lseek(fd, 0, SEEK_SET);
        ok((hc_io_read_all(fd, "f", &small, &err) == 0) == (sizes[i] <= 8192), "if it has room");
        ok(sizes[i] <= 8192 || (err.problem == HC_P_TOO_LARGE && strcmp(err.subject, "f") == 0),
           "else that is told");
        hc_buf_dispose(&small);
        lseek(fd, 0, SEEK_SET);
        ok(hc_io_read_start(fd, "f", &small, NULL) == 0 &&
               small.len == (sizes[i] < 8192 ? sizes[i] : 8192),
           "or only its beginning");
        hc_buf_dispose(&out);
        hc_buf_dispose(&small);
        close(fd);
    }
}

static void reading_fails(void)
{
    struct hc_buf out = HC_BUF_INIT(10);
    struct hc_error err = {0};

    ok(hc_io_read_all(-1, "f", &out, &err) == -1 && err.problem == HC_P_FILE_UNREADABLE,
       "no descriptor");
    hc_buf_dispose(&out);
    err = (struct hc_error){0};
    if (FAILING_ALLOC) {
        int fd = file_of(5);

        alloc_countdown = 1;
        ok(hc_io_read_all(fd, "f", &out, &err) == -1 && err.problem == HC_P_OUT_OF_MEMORY,
           "no memory");
        close(fd);
    }
    hc_buf_dispose(&out);
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
    reads();
    reading_fails();
    return done();
}
