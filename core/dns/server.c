/* Addresses of DNS servers: as directives and resolv.conf(5) have them; see resolver.h. */
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/str.h"
#include "dns/server.h"

#define LINE_MAX_LEN 512
#define LINES_MAX    1000

static int parse_parts(const char *host, const char *port, const char *text,
                       struct hc_dns_server *out, struct hc_error *err)
{
    struct addrinfo hints = {.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV,
                             .ai_socktype = SOCK_DGRAM};
    struct addrinfo *found = NULL;

    memset(out, 0, sizeof(*out));
    if (host[0] == '\0' || port[0] < '1' || port[0] > '9' || strlen(port) > 5 ||
        strtol(port, NULL, 10) > 65535 || getaddrinfo(host, port, &hints, &found) != 0) {
        return hc_error_set(err, HC_P_BAD_VALUE, text,
                            "a DNS server is an IP address, optionally followed by :PORT");
    }
    memcpy(&out->addr, found->ai_addr, found->ai_addrlen);
    out->len = found->ai_addrlen;
    freeaddrinfo(found);
    return 0;
}

int hc_dns_server_parse(const char *text, struct hc_dns_server *out, struct hc_error *err)
{
    char host[HC_DNS_SERVER_TEXT];
    const char *colon = strchr(text, ':');
    const char *port = "53";
    char *end = NULL;

    if (!hc_copy(host, sizeof(host), text)) {
        return hc_error_set(err, HC_P_BAD_VALUE, text, "it is too long for an address");
    }
    if (text[0] == '[') {
        end = strchr(host, ']');
        if (end == NULL || (end[1] != '\0' && end[1] != ':')) {
            return hc_error_set(err, HC_P_BAD_VALUE, text, "write [ADDRESS]:PORT");
        }
        *end = '\0';
        return parse_parts(host + 1, end[1] == ':' ? end + 2 : port, text, out, err);
    }
    if (colon != NULL && strchr(colon + 1, ':') == NULL) {
        host[colon - text] = '\0';
        port = host + (colon - text) + 1;
    }
    return parse_parts(host, port, text, out, err);
}

char *hc_dns_server_format(const struct hc_dns_server *server, char dst[HC_DNS_SERVER_TEXT])
{
    char host[NI_MAXHOST];
    char port[8];

    if (getnameinfo((const struct sockaddr *)&server->addr, server->len, host, sizeof(host), port,
                    sizeof(port), NI_NUMERICHOST | NI_NUMERICSERV) != 0 ||
        strlen(host) > HC_DNS_SERVER_TEXT - 10) {
        hc_copy(dst, HC_DNS_SERVER_TEXT, "an unknown address");
    } else if (strcmp(port, "53") == 0) {
        hc_copy(dst, HC_DNS_SERVER_TEXT, host);
    } else if (server->addr.ss_family == AF_INET6) {
        snprintf(dst, HC_DNS_SERVER_TEXT, "[%.50s]:%s", host, port);
    } else {
        snprintf(dst, HC_DNS_SERVER_TEXT, "%.50s:%s", host, port);
    }
    return dst;
}

/* The address of a "nameserver" line, or NULL. The line is cut up. */
static const char *nameserver(char *line)
{
    char *save = NULL;
    const char *word = strtok_r(line, " \t\r\n", &save);

    if (word == NULL || strcmp(word, "nameserver") != 0) {
        return NULL;
    }
    return strtok_r(NULL, " \t\r\n", &save);
}

size_t hc_dns_servers_of_system(const char *path, struct hc_dns_server *out, size_t max)
{
    FILE *f = fopen(path, "re");
    char line[LINE_MAX_LEN];
    size_t count = 0;

    for (int i = 0; f != NULL && i < LINES_MAX && count < max; i++) {
        const char *address = NULL;
        struct hc_error ignored = {0};

        if (fgets(line, sizeof(line), f) == NULL) {
            break;
        }
        address = nameserver(line);
        if (address != NULL && parse_parts(address, "53", address, &out[count], &ignored) == 0) {
            count++;
        }
    }
    if (f != NULL) {
        (void)fclose(f);
    }
    if (count == 0 && max > 0) {
        struct hc_error ignored = {0};

        count = parse_parts("127.0.0.1", "53", "127.0.0.1", &out[0], &ignored) == 0 ? 1 : 0;
    }
    return count;
}

bool hc_dns_file_changed(const char *path, struct hc_dns_file_stamp *stamp)
{
    struct hc_dns_file_stamp now = {0, 0, 0, 0};
    struct stat st;

    if (stat(path, &st) != 0) {
        return false;
    }
    now.device = st.st_dev;
    now.inode = st.st_ino;
    now.size = st.st_size;
    now.mtime_ns = (int64_t)st.st_mtim.tv_sec * 1000000000 + st.st_mtim.tv_nsec;
    if (now.device == stamp->device && now.inode == stamp->inode && now.size == stamp->size &&
        now.mtime_ns == stamp->mtime_ns) {
        return false;
    }
    *stamp = now;
    return true;
}
