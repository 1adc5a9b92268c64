/*
 * The keeper: the only process of root's that reads files after the start. Forked without exec by
 * the master once a generation; answers three questions over a socketpair (SOCK_SEQPACKET): "is
 * watched file N changed", "the bytes of watched file N", "the secret". Paths come from the
 * configuration only, never from the wire. It starts the agent, and starts it again, with what only
 * master, keeper and agent may hold (keeper/agent.h). It reads no network, parses nothing, is not
 * dumpable, and ends, with the agent, when the master's end of its socket is closed.
 *
 * As root it opens no path that the worker user, or the agent's, could exchange: every folder on
 * the way (symlinks included) must not be writable by them. Such a path it opens with the worker
 * user's rights over files (keeper/guise.h), or, where those do not suffice, not at all:
 * HC_P_FILE_UNSAFE. Only regular files up to HC_PAIR_PEM_MAX; opening never blocks (FIFOs).
 */
#ifndef HC_KEEPER_KEEPER_H
#define HC_KEEPER_KEEPER_H

#include <sys/types.h>

#include "base/buf.h"
#include "base/secret.h"
#include "conf/conf.h"
#include "keeper/process.h"
#include "keeper/stamp.h"

/* What the keeper's agent is given. All stay the caller's. */
struct hc_keeper_agent {
    int table;      /* writable */
    int control;    /* -1: none */
    const int *dns; /* the responder's sockets: hc_dns_sockets_list() */
    size_t dns_count;
    int lines; /* where its lines go, as packets (keeper/spawn.h): hc_agent_drain() reads them */
    char **environment; /* what its own is picked from (spawn.h); NULL: the caller's */
};

/*
 * Forks the keeper. rights are the worker user's. *client is the asker's end (close-on-exec), *pid
 * the process. Every descriptor but its own socket and the agent's is closed in it; conf is used by
 * it for as long as it lives (its copy, by fork). agent: NULL for a keeper that starts none. Called
 * by the master, single-threaded. The caller reaps it (it exits 0 at end-of-file).
 */
int hc_keeper_start(const struct hc_conf *conf, const struct hc_rights *rights,
                    const struct hc_keeper_agent *agent, int *client, pid_t *pid,
                    struct hc_error *err) HC_MUST_USE;

/* The start is over: the keeper starts the agent. Said by the master over its client. */
int hc_keeper_go(int client, struct hc_error *err) HC_MUST_USE;

/*
 * The asker's side: agent and loader. Blocking, bounded to wait_ms a question; HC_P_KEEPER_GONE
 * when nobody answers. Errors of the file itself come through as the keeper found them:
 * HC_P_FILE_UNREADABLE, HC_P_FILE_UNSAFE, HC_P_TOO_LARGE.
 */
struct hc_keeper_client {
    int fd;
    uint64_t next_id; /* 0 at first. Replies to an earlier asker's question are dropped by it */
    int64_t wait_ms;  /* for each answer; 0: five seconds */
};

/*
 * What a start waits for an answer: a keeper that lives answers, however busy the machine is. Less
 * than what is thought of a loader that does nothing (HC_LOADER_SECONDS).
 */
#define HC_KEEPER_START_MS 20000

int hc_keeper_stamp(struct hc_keeper_client *client, int file, struct hc_file_stamp *stamp,
                    struct hc_error *err) HC_MUST_USE;
/* Reads whole, appends to out; the stamp (may be NULL) is the one the bytes belong to. out should
 * be secret and hold HC_PAIR_PEM_MAX. */
int hc_keeper_read(struct hc_keeper_client *client, int file, struct hc_buf *out,
                   struct hc_file_stamp *stamp, struct hc_error *err) HC_MUST_USE;
/*
 * The secret; keeper/secret.h says which files are taken. HC_P_SECRET_MISSING if there is none and
 * create is false; with create one is made (O_EXCL, 0600, fsync) in a folder that only root can
 * write. HC_P_SECRET_UNSAFE: wrong owner, mode, folder or content. Ask with create only when
 * hc_store_is_empty(): a new secret beside a store that is sealed under another helps nobody.
 * The caller wipes secret.
 */
int hc_keeper_secret(struct hc_keeper_client *client, bool create,
                     unsigned char secret[HC_SECRET_SIZE], struct hc_error *err) HC_MUST_USE;

#endif
