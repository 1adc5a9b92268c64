/* Between the files of `hotcert check` (check*.c); not for others. */
#ifndef HC_CMD_CHECK_H
#define HC_CMD_CHECK_H

#include "base/str.h"
#include "cmd/check_known.h"
#include "cmd/report.h"
#include "conf/name.h"
#include "pki/check.h"

/* Exit codes; the highest that applies wins. */
enum hc_check_exit {
    HC_CHECK_FIT = 0,
    HC_CHECK_FLAWED = 1,
    HC_CHECK_UNUSABLE = 2,
    HC_CHECK_UNREACHED = 3, /* a file or host could not be reached */
};

/* The arguments, validated. Strings are argv's. */
struct hc_check_options {
    struct hc_list files;
    struct hc_list names;       /* normalised */
    struct hc_list accept;      /* slugs */
    struct hc_list passphrases; /* lines of --passphrase FILE */
    const char *key;
    const char *secret;  /* of a store's folder */
    const char *store;   /* whose issuers tell a missing one from a root; NULL: those at hand */
    const char *connect; /* HOST:PORT */
    const char *sni;
    bool smtp;
    bool json;
};

/* A pair that was found in a tool's folder: which files were taken for what. */
struct hc_check_tool_files {
    const char *tool;        /* "acme.sh" */
    const char *certificate; /* with its chain, unless that has a file of its own: */
    const char *chain;       /* or NULL */
    const char *key;         /* NULL: in the certificate's file */
};

/* One judged pair, or what a server sent. Zeroed memory is an empty one. */
struct hc_checked {
    const struct hc_check_tool_files *paths; /* borrowed; NULL: the files were named */
    const struct hc_check_file *key_file;    /* borrowed; NULL: there is none to judge */
    const struct hc_list *names;             /* borrowed; NULL: the options' */
    struct hc_findings findings;
    X509 *leaf;             /* NULL: there is no pair (it is unusable) */
    STACK_OF(X509) * chain; /* as served */
    bool stapled;
};
void hc_checked_dispose(struct hc_checked *checked);

/* The whole run. */
struct hc_check_run_state {
    const struct hc_check_options *options;
    struct hc_roots *roots;
    struct hc_check_known known;
    int64_t now;
    struct hc_report report;
    enum hc_check_exit worst;
    size_t judged;
};

/*
 * Judges leaf and chain of checked by the options, reports, counts. pair is NULL for what came over
 * the wire.
 */
int hc_check_conclude(struct hc_check_run_state *run, const char *subject,
                      const struct hc_pair *pair, struct hc_checked *checked,
                      struct hc_error *err) HC_MUST_USE;

/* Says why something could not be reached; its exit code is HC_CHECK_UNREACHED. */
void hc_check_unreached(struct hc_check_run_state *run, const struct hc_error *err);

/* check_files.c: all of options.files. */
int hc_check_files(struct hc_check_run_state *run, struct hc_error *err) HC_MUST_USE;

/* check_store.c: true if the folder is a store of ours; then every pair in it. */
bool hc_check_is_store(const char *path);
int hc_check_store(struct hc_check_run_state *run, const char *path,
                   struct hc_error *err) HC_MUST_USE;

/* check_files.c: reads and judges the pair of these files. */
int hc_check_tool_files(struct hc_check_run_state *run, const struct hc_check_tool_files *paths,
                        struct hc_error *err) HC_MUST_USE;

/* check_folder.c: every pair in a folder as well-known tools lay it out. What cannot be read is
 * told and counted; -1: there is no pair, or the folder cannot be read. */
int hc_check_folder(struct hc_check_run_state *run, const char *folder,
                    struct hc_error *err) HC_MUST_USE;

/* check_connect.c: "host", "host:port", "[v6]:port", "v6" into its parts; the port is 443 if none
 * is named. */
#define HC_CHECK_PORT 8
int hc_check_split(const char *text, char host[HC_NAME_SIZE], char port[HC_CHECK_PORT],
                   struct hc_error *err) HC_MUST_USE;

/* options.connect. */
int hc_check_connect(struct hc_check_run_state *run, struct hc_error *err) HC_MUST_USE;

/* check_report.c: one judged pair, as text or JSON. */
int hc_check_report(struct hc_check_run_state *run, const char *subject,
                    const struct hc_checked *checked, struct hc_error *err) HC_MUST_USE;

#endif
