/* Steps of a start; see start.h. */
#include "glue/start.h"

#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

void hc_start_close(int *fd)
{
    if (*fd >= 0) {
        close(*fd);
        *fd = -1;
    }
}

int hc_start_lines(int *from, int *to, struct hc_error *err)
{
    int ends[2] = {-1, -1};

    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends) != 0) {
        return hc_error_set_errno(err, HC_P_SYSTEM, NULL, errno, "creating a pair of sockets");
    }
    (void)shutdown(ends[0], SHUT_WR); /* lines come this way only */
    *from = ends[0];
    *to = ends[1];
    return 0;
}

bool hc_start_control(const struct hc_conf *conf, const struct hc_rights *rights, bool first,
                      const struct hc_log *log, int *fd)
{
    struct hc_error err;
    int made = -1;

    hc_error_init(&err);
    if (first && hc_control_unclaimed(conf, rights, &err) != 0) {
        hc_log_error(log, HC_LOG_WARN, NULL, &err);
        hc_error_init(&err);
    }
    if (hc_prepare_control(conf, rights, &made, &err) != 0) {
        hc_log_error(log, hc_control_level(conf), NULL, &err);
        return false;
    }
    hc_start_close(fd);
    *fd = made;
    return true;
}

void hc_start_tell_size(const struct hc_table *table, const struct hc_conf *conf,
                        const struct hc_log *log)
{
    struct hc_table_stats stats;

    hc_table_stats(table, &stats);
    if (stats.size != (size_t)conf->table_size) {
        hc_logf(log, HC_LOG_WARN,
                "the changed hotcert_table_size takes effect after a restart: until then the table "
                "has %zu MiB",
                stats.size >> 20);
    }
}

int hc_start_dns(struct hc_dns_sockets *held, const struct hc_conf *conf,
                 const struct hc_start_dns *how, const struct hc_log *log, struct hc_error *err)
{
    struct hc_error own;

    hc_error_init(&own);
    if (hc_dns_sockets_take(held, conf, how->running, &own) == 0) {
        return 0;
    }
    if (how->first) {
        return hc_error_chain(err, &own);
    }
    hc_log_error(log, HC_LOG_ERROR, NULL, &own);
    return 0;
}
