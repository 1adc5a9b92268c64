/* Steps of a start that both masters take. All are called single-threaded, as the master. */
#ifndef HC_GLUE_START_H
#define HC_GLUE_START_H

#include "keeper/spawn.h"
#include "live/table.h"

/* Closes it if it is open; it is -1 then. */
void hc_start_close(int *fd);

/*
 * The pair of sockets for the agent's lines: *from is where hc_agent_drain() reads them, and can
 * only be read; *to is the keeper's (struct hc_keeper_agent).
 */
int hc_start_lines(int *from, int *to, struct hc_error *err) HC_MUST_USE;

/*
 * Binds the control socket to *fd, which no start is refused for: what is wrong is told in the log.
 * first: it is taken from no earlier generation of this server, so whoever answers there is another
 * server, which is told too. False: it could not be made, and *fd is as it was.
 */
bool hc_start_control(const struct hc_conf *conf, const struct hc_rights *rights, bool first,
                      const struct hc_log *log, int *fd);

/* Warns if the table, which is kept over reloads, has another size than the configuration says. */
void hc_start_tell_size(const struct hc_table *table, const struct hc_conf *conf,
                        const struct hc_log *log);

/* Who else may have the responder's sockets, and whether a start can be refused for them. */
struct hc_start_dns {
    bool first;
    pid_t running; /* as in dns_sockets.h */
};
/*
 * Holds the responder's sockets as the configuration says. -1: a first start is refused; a later
 * one goes on with what can be had, and says in the log what cannot.
 */
int hc_start_dns(struct hc_dns_sockets *held, const struct hc_conf *conf,
                 const struct hc_start_dns *how, const struct hc_log *log,
                 struct hc_error *err) HC_MUST_USE;

#endif
