/* Who holds an address; see holder.h. */
#include "keeper/holder.h"

#include <dirent.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/io.h"

#define STATE_LISTEN 10 /* in /proc/net/tcp */

/* An address as /proc/net has it: words in the machine's order, as hexadecimal digits. */
struct place {
    uint32_t words[4];
    size_t count; /* of words: 1 or 4 */
    unsigned port;
};

static struct place place_of(const struct sockaddr_storage *address)
{
    struct place place = {.count = 1};
    struct sockaddr_in in4;
    struct sockaddr_in6 in6;

    if (address->ss_family == AF_INET) {
        memcpy(&in4, address, sizeof(in4));
        memcpy(place.words, &in4.sin_addr, 4);
        place.port = ntohs(in4.sin_port);
    } else {
        memcpy(&in6, address, sizeof(in6));
        memcpy(place.words, &in6.sin6_addr, 16);
        place.count = 4;
        place.port = ntohs(in6.sin6_port);
    }
    return place;
}

static bool is_any(const struct place *place)
{
    return (place->words[0] | place->words[1] | place->words[2] | place->words[3]) == 0;
}

/* "0100007F:0035". */
static bool parse_place(const char *text, struct place *out)
{
    const char *colon = strchr(text, ':');
    size_t digits = colon != NULL ? (size_t)(colon - text) : 0;

    memset(out, 0, sizeof(*out));
    if (digits != 8 && digits != 32) {
        return false;
    }
    out->count = digits / 8;
    for (size_t i = 0; i < out->count; i++) {
        char word[9] = "";

        memcpy(word, text + 8 * i, 8);
        out->words[i] = (uint32_t)strtoul(word, NULL, 16);
    }
    out->port = (unsigned)strtoul(colon + 1, NULL, 16);
    return true;
}

/* Who listens at all addresses of IPv6 may have those of IPv4, too. */
static bool is_in_the_way(const struct place *there, const struct place *wanted)
{
    if (there->port != wanted->port) {
        return false;
    }
    if (there->count != wanted->count) {
        return there->count == 4 && is_any(there);
    }
    return is_any(there) || is_any(wanted) ||
           memcmp(there->words, wanted->words, sizeof(there->words)) == 0;
}

static void read_table(const char *path, bool listening, const struct place *wanted,
                       struct hc_holder *out)
{
    FILE *file = fopen(path, "re");
    char line[512];

    while (file != NULL && out->count < HC_HOLDER_MAX && fgets(line, sizeof(line), file) != NULL) {
        char local[64] = "";
        unsigned state = 0;
        unsigned long inode = 0;
        struct place there;

        if (sscanf(line, " %*[^:]: %63s %*s %x %*s %*s %*s %*s %*s %lu", local, &state, &inode) ==
                3 &&
            (!listening || state == STATE_LISTEN) && parse_place(local, &there) &&
            is_in_the_way(&there, wanted)) {
            out->sockets[out->count++] = inode;
        }
    }
    if (file != NULL) {
        (void)fclose(file);
    }
}

void hc_holder_find(const struct sockaddr_storage *address, int type, struct hc_holder *out)
{
    struct place wanted = place_of(address);
    bool tcp = type == SOCK_STREAM;

    memset(out, 0, sizeof(*out));
    if (address->ss_family == AF_INET) {
        read_table(tcp ? "/proc/net/tcp" : "/proc/net/udp", tcp, &wanted, out);
    }
    read_table(tcp ? "/proc/net/tcp6" : "/proc/net/udp6", tcp, &wanted, out);
}

/*
 * How many of the sockets the process whose folder this is holds (one that it has twice counts
 * once), and the descriptor of the last.
 */
static size_t count_held(const struct hc_holder *holder, DIR *folder, int *fd)
{
    const struct dirent *entry = NULL;
    bool held[HC_HOLDER_MAX] = {false};
    size_t count = 0;

    *fd = -1;
    while ((entry = readdir(folder)) != NULL) {
        char target[64];
        ssize_t n = readlinkat(dirfd(folder), entry->d_name, target, sizeof(target) - 1);

        target[n > 0 ? n : 0] = '\0';
        for (size_t i = 0; i < holder->count; i++) {
            char wanted[64];

            (void)snprintf(wanted, sizeof(wanted), "socket:[%lu]", holder->sockets[i]);
            if (strcmp(target, wanted) == 0) {
                count += !held[i];
                held[i] = true;
                *fd = (int)strtol(entry->d_name, NULL, 10);
            }
        }
    }
    return count;
}

static DIR *open_descriptors(pid_t pid)
{
    char path[64];

    (void)snprintf(path, sizeof(path), "/proc/%ld/fd", (long)pid);
    return opendir(path);
}

bool hc_holder_is(const struct hc_holder *holder, pid_t pid, int *fd)
{
    DIR *folder = open_descriptors(pid);
    size_t count = 0;

    *fd = -1;
    if (folder == NULL) {
        return errno == EACCES || errno == EPERM;
    }
    count = count_held(holder, folder, fd);
    (void)closedir(folder);
    return count > 0 && count == holder->count;
}

static void name_of(pid_t pid, char name[HC_HOLDER_NAME])
{
    char path[64];
    FILE *file = NULL;

    (void)snprintf(path, sizeof(path), "/proc/%ld/comm", (long)pid);
    file = fopen(path, "re");
    if (file == NULL || fgets(name, HC_HOLDER_NAME, file) == NULL) {
        (void)snprintf(name, HC_HOLDER_NAME, "a process");
    }
    name[strcspn(name, "\n")] = '\0';
    if (file != NULL) {
        (void)fclose(file);
    }
}

bool hc_holder_name(const struct hc_holder *holder, char name[HC_HOLDER_NAME], pid_t *pid)
{
    DIR *all = opendir("/proc");
    const struct dirent *entry = NULL;
    bool found = false;
    int fd = -1;

    while (all != NULL && !found && (entry = readdir(all)) != NULL) {
        DIR *folder = NULL;

        *pid = (pid_t)strtol(entry->d_name, NULL, 10);
        folder = *pid > 0 ? open_descriptors(*pid) : NULL;
        if (folder != NULL) {
            found = count_held(holder, folder, &fd) > 0;
            (void)closedir(folder);
        }
    }
    if (all != NULL) {
        (void)closedir(all);
    }
    if (found) {
        name_of(*pid, name);
    }
    return found;
}

int hc_holder_copy(pid_t pid, int fd)
{
    int process = (int)syscall(SYS_pidfd_open, pid, 0);
    int copy = process >= 0 ? (int)syscall(SYS_pidfd_getfd, process, fd, 0) : -1;
    int saved = errno;

    hc_io_close(process);
    errno = saved;
    return copy;
}
