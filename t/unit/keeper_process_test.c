/* core/keeper/process.c: the title that ps shows, also where the command line has no room for it.
 */
#include "keeper/process.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tap.h"

#define TITLE "hotcert: keeper"

/* Runs this program under a short name; it prints its command line and a variable. */
static void run_short(char *out, size_t cap)
{
    int ends[2];
    ssize_t n = 0;
    pid_t pid = 0;

    out[0] = '\0';
    if (pipe(ends) != 0) {
        return;
    }
    fflush(stdout);
    pid = fork();
    if (pid == 0) {
        dup2(ends[1], 1);
        setenv("HC_A_VARIABLE", "its value", 1);
        execl("/proc/self/exe", "k", (char *)NULL);
        _exit(99);
    }
    close(ends[1]);
    n = read(ends[0], out, cap - 1);
    out[n > 0 ? n : 0] = '\0';
    close(ends[0]);
    (void)waitpid(pid, NULL, 0);
}

static int show_title(void)
{
    char line[256] = "";
    int fd = -1;
    ssize_t n = 0;

    hc_process_title("hotcert-keeper", TITLE);
    fd = open("/proc/self/cmdline", O_RDONLY);
    n = read(fd, line, sizeof(line) - 1);
    line[n > 0 ? n : 0] = '\0';
    printf("%s|%s", line, getenv("HC_A_VARIABLE"));
    return 0;
}

int main(int argc, char **argv)
{
    char out[512];

    if (argc == 1 && strcmp(argv[0], "k") == 0) {
        return show_title();
    }
    run_short(out, sizeof(out));
    is_str(out, TITLE "|its value", "a short command line: the whole title, and the environment");
    return done();
}
