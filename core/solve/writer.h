/*
 * hc_dns_writer: who writes TXT records into somebody's DNS; a type of the block hotcert_dns. A
 * writer is one file of core/solve with a kind of changes (change.h), a line in the table of
 * writers.c, and rows of options in core/conf (writer.c, rows_dns.c). Nobody else knows one by
 * name.
 *
 * A writer adds and removes single values, and nothing else: what other values stand at the same
 * name, and what else is in the zone, stays as it is. It keeps no list: what is to be removed,
 * when, and what is written by an agent that died, is the caller's business (solve/txt.h).
 *
 * All calls come from the one thread; none blocks. The caller asks for one change of a name at a
 * time, and for no more than `parallel` changes at once.
 */
#ifndef HC_SOLVE_WRITER_H
#define HC_SOLVE_WRITER_H

#include "base/redaction.h"
#include "base/secret_port.h"
#include "conf/conf.h"
#include "dns/resolver.h"
#include "loop/child.h"
#include "net/http.h"

/* Port: programs of the operator's (agent/runner.h). They run as the agent's user. */
struct hc_program_run {
    const char *const *argv; /* argv[0]: the program's absolute path; ends with NULL */
    const char *const *envp; /* all of its environment; ends with NULL */
    size_t output_max;       /* of standard output, and of standard error, which come apart */
    int64_t limit_ms;
};
struct hc_command_port {
    void *self;
    /* done() comes from the loop. -1 with err, and no callback, when nothing was started. */
    int (*run)(void *self, const struct hc_program_run *command, hc_child_done *done, void *arg,
               struct hc_error *err);
    void (*forget)(void *self, const void *arg);
};

struct hc_answer_port;

/* Port: what a writer has to know again after a restart, sealed in the store (agent/kept.h). */
struct hc_keep_port {
    void *self;
    /* Appends what was put under this name; HC_P_STORE_EMPTY: nothing was. */
    int (*get)(void *self, const char *name, struct hc_buf *out, struct hc_error *err);
    int (*put)(void *self, const char *name, struct hc_bytes value, struct hc_error *err);
};

/* What writers are given. Borrowed; outlives them. */
struct hc_writer_env {
    const struct hc_conf *conf;
    const struct hc_clock *clock;
    const struct hc_random *random;
    const struct hc_log *log;       /* leaves out what is in .. */
    struct hc_redaction *redaction; /* may be NULL */
    struct hc_loop *loop;
    const struct hc_dns_port *dns;   /* NULL: there is no resolver */
    const struct hc_http_port *http; /* NULL: nothing can be fetched */
    const struct hc_secret_port *secrets;
    const struct hc_keep_port *keep;        /* NULL: nothing can be kept */
    const struct hc_command_port *commands; /* NULL: no program can be run */
    const struct hc_answer_port *answers;   /* acme/solver.h: what our own DNS server gives out */
};

#define HC_WRITER_MEMO  4096 /* with its NUL */
#define HC_WRITER_TTL_S 1    /* of a value, unless the block says: the next order has another */

/* One value of ours, and what is known of it. Borrowed until done(). Names are lower case, in
 * A-labels, without the dot at the end. */
struct hc_txt_value {
    const char *name;    /* of the record: where CNAMEs lead from alias */
    const char *zone;    /* that the name stands in, by its SOA; NULL: it could not be found */
    const char *value;   /* at most 255 octets, printable */
    const char *alias;   /* where the CA looks: "_acme-challenge.example.org" */
    const char *domain;  /* whose challenge it is: "example.org", also of "*.example.org" */
    const char *token;   /* of the challenge; "" if there is none, or it is not known any more */
    const char *keyauth; /* the same; no log may show it */
    const char *memo;    /* when it is removed: what the writer said when it was added, or "" */
};

/* How a change went. Borrowed during the call. */
struct hc_writer_result {
    const struct hc_error
        *err;         /* NULL: well. Its subject is the record, its detail says who said what */
    bool spread;      /* added, and every server is known to have it: nobody need ask */
    const char *memo; /* added: what is to be told when it is removed, which may be a secret;
                         NULL: nothing */
};
typedef void hc_writer_done(void *arg, const struct hc_writer_result *result);

enum hc_writer_change { HC_WRITER_ADD, HC_WRITER_REMOVE };

struct hc_dns_writer {
    void *self;
    size_t parallel; /* changes at once, of different names; at least 1 */
    /*
     * Adds the value, or removes it. Adding what is there, and removing what is not there, is fine.
     * done() comes once, maybe from within, and after a bounded time. A change that failed may have
     * been made or not: the value is removed later all the same.
     */
    void (*change)(void *self, enum hc_writer_change what, const struct hc_txt_value *value,
                   hc_writer_done *done, void *arg);
    /* No done() comes with this arg any more; the change may be made or not. */
    void (*cancel)(void *self, const void *arg);
    /* "the name server 192.0.2.53": for messages, behind "by". Valid as long as the writer. */
    const char *identity;
    void (*close)(void *self);
};

/* What is in the table of writers.c. */
typedef int hc_writer_open(const struct hc_dns_block *block, const struct hc_writer_env *env,
                           struct hc_dns_writer *out, struct hc_error *err);

#endif
