/*
 * Starting hotcert's processes from a web server's master: what nginx and httpd do alike. All of
 * it is called by the master (or nginx's helper) single-threaded; nothing blocks but the loader,
 * which is bounded.
 *
 * The program (hc_conf.agent) is exec'd with these descriptors and no others:
 *   3 the configuration (a sealed memfd with hc_conf_encode's text)
 *   4 the keeper    5 the table (writable)    6 supervision (SOCK_SEQPACKET)    7 control
 * (listening)   8 and on: the DNS responder's sockets, bound. Supervision: end-of-file there means
 * that the supervisor is gone: the program ends. Log lines go there, one a packet: a byte '0' +
 * enum hc_level, then the text. The loader may also send one 'R' packet: why the start must be
 * refused (hc_loader_refuse()).
 *
 * Before the exec the child takes on the rights of the agent's user (keeper/rights.h) and proves
 * that root's are gone, may gain none (no_new_privs), writes no core, has default signal handlers,
 * nothing blocked, standard input and output at /dev/null. Standard error is the server's (the
 * loader), or comes back as log lines (the agent). Not dumpable: exec undoes that unless that user
 * cannot read the program's file (0711, root's), so it is installed that way, and says it again
 * itself.
 *
 * Its environment is PATH (the system's folders), LANG=C, TZ=UTC and, if the caller has them:
 * SSL_CERT_FILE SSL_CERT_DIR http_proxy https_proxy HTTPS_PROXY all_proxy ALL_PROXY no_proxy
 * NO_PROXY ASAN_OPTIONS UBSAN_OPTIONS LSAN_OPTIONS TSAN_OPTIONS; the agent's also AWS_..,
 * where a hotcert_dns asks AWS. nginx clears the environment of
 * its helper process: name there with the stock `env` directive what should come through.
 */
#ifndef HC_KEEPER_SPAWN_H
#define HC_KEEPER_SPAWN_H

#include "base/log.h"
#include "conf/conf.h"
#include "keeper/dns_sockets.h"
#include "keeper/process.h"

#define HC_FD_CONF      3
#define HC_FD_KEEPER    4
#define HC_FD_TABLE     5
#define HC_FD_SUPERVISE 6
#define HC_FD_CONTROL   7 /* the agent's */
#define HC_FD_PRIOR     7 /* the loader's */
#define HC_FD_DNS       8 /* the agent's: the first of up to HC_DNS_SOCKETS */
#define HC_FD_END       (HC_FD_DNS + HC_DNS_SOCKETS)

/*
 * Makes what a start needs, as root: the parents of secret and store (0755), the store's folder
 * (0700, the agent's user's). Never called by a configuration test. rights are the worker user's.
 * Refuses (HC_P_STORE_UNSAFE) where a parent could be exchanged by the worker user, and where the
 * store's folder is somebody else's; an empty one of root's (a fresh volume) is given to the
 * agent's user, and a mode wider than 0700 is narrowed. The worker user's store is handed over to
 * the agent's user (keeper/handover.h); that, or why it stays with the worker user, goes to log.
 */
int hc_prepare_folders(const struct hc_conf *conf, const struct hc_rights *rights,
                       const struct hc_log *log, struct hc_error *err) HC_MUST_USE;

/* What hc_prepare_folders() would say, for a configuration test: makes and changes nothing. */
int hc_examine_folders(const struct hc_conf *conf, const struct hc_rights *rights,
                       struct hc_error *err) HC_MUST_USE;

/*
 * Binds the control socket: SOCK_STREAM, mode 0666, listening, non-blocking, close-on-exec; folders
 * that are missing on the way are made (0755). It replaces the socket that is there in one step;
 * only the master does this, once a start, so whoever connects always meets the newest generation.
 * *fd is -1 without conf->control, and on -1. HC_P_CONTROL: it cannot be made, which no start is
 * refused for: a server whose hosts are all `watch` may have no place for it.
 */
int hc_prepare_control(const struct hc_conf *conf, const struct hc_rights *rights, int *fd,
                       struct hc_error *err) HC_MUST_USE;
/*
 * For a server's first start, before hc_prepare_control(): HC_P_CONTROL_TAKEN if somebody answers
 * at the socket that stands there, since this start takes it from another server. One that is about
 * to end is given a second.
 */
int hc_control_unclaimed(const struct hc_conf *conf, const struct hc_rights *rights,
                         struct hc_error *err) HC_MUST_USE;
/* What hc_prepare_control() would say, for a configuration test: makes nothing. */
int hc_examine_control(const struct hc_conf *conf, const struct hc_rights *rights,
                       struct hc_error *err) HC_MUST_USE;
/* How bad that is: a warning where all hosts are `watch`, else an error. */
enum hc_level hc_control_level(const struct hc_conf *conf);

/*
 * Runs `hotcert load`: fills the table from the store and the watched files, with the rights of the
 * agent's user (keeper/rights.h). fds->table < 0: examines only (the configuration test, and the
 * examination of a start). Lines for the operator go to log. 0: the server may start (whatever
 * could not be loaded starts on the bootstrap and is an error in the log); -1: the start must be
 * refused, err says why. It is waited for as long as it works (on a busy machine that takes its
 * time), HC_LOADER_MOST at most; HC_LOADER_SECONDS in which it did nothing are too long.
 *
 * The loader's verdict is its exit code: 0 go, 2 refuse. Anything else, its death or its taking too
 * long is not the configuration's fault: the start goes on, with an error in the log (a warning
 * when it only examined). A program that cannot be executed at all, or ends before it said that
 * it runs, is HC_P_PROGRAM; one that the agent's user can read is a warning
 * (HC_P_PROGRAM_READABLE).
 */
#define HC_LOADER_SECONDS 30
#define HC_LOADER_MOST    300
#define HC_LOADER_REFUSE  2
struct hc_loader_fds {
    int keeper; /* -1: none */
    int table;
    int prior; /* hc_loader_prior()'s; -1: none, as in a configuration test */
};
int hc_loader_run(const struct hc_conf *conf, const struct hc_rights *worker,
                  const struct hc_loader_fds *fds, const struct hc_log *log,
                  struct hc_error *err) HC_MUST_USE;

/*
 * Where the examination of a start leaves the pairs that it judged, keys and all, for the loader
 * that fills the table: to be given to both and then closed, and to be hidden like the table
 * (private.h). -1: there is none, and they are judged twice.
 */
int hc_loader_prior(void);

/* The loader's side: says over HC_FD_SUPERVISE that it runs, before anything else: what ends
 * without having said so is no hotcert, or one that its libraries do not let run (HC_P_PROGRAM). */
void hc_loader_began(int supervise);

/* The loader's side: says over HC_FD_SUPERVISE why it will exit with HC_LOADER_REFUSE. */
void hc_loader_refuse(int supervise, const struct hc_error *why);

/*
 * Starts `hotcert agent` with these rights; the keeper does this (keeper/agent.h). *supervise is
 * the supervisor's end (non-blocking, close-on-exec). fds stay the caller's. HC_P_PROGRAM names the
 * program and why it cannot be executed; then there is no process to reap. A caller that is not
 * root any more must already have them.
 */
struct hc_agent_fds {
    int keeper;
    int table;
    int control; /* -1: none */
    int output;  /* its standard error; -1: the caller's */
    const int *dns;
    size_t dns_count;
};
int hc_agent_start(const struct hc_conf *conf, const struct hc_rights *rights,
                   const struct hc_agent_fds *fds, int *supervise, pid_t *pid,
                   struct hc_error *err) HC_MUST_USE;

/*
 * Reads what the agent said since the last call, without blocking, into log. 1: there is or may be
 * more later; 0: end-of-file, the agent is gone.
 */
int hc_agent_drain(int supervise, const struct hc_log *log);

/* Seconds to wait before the next restart of an agent that died after living for lived seconds:
 * 1, 2, 4 .. 60; a life of ten minutes starts anew. *failures is the caller's counter. */
int64_t hc_agent_backoff(unsigned *failures, int64_t lived);

#endif
