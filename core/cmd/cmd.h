/*
 * The commands of the program `hotcert`: each takes its own arguments (argv[0] is its name) and
 * returns the exit code.
 *   0   done, and all is well
 *   1   it could not be done: the line on standard error says why (for `check` and `diagnose` see
 *       their own help)
 *   64  wrong usage   69  no agent answers   75  it took too long   77  this user may not do that
 */
#ifndef HC_CMD_CMD_H
#define HC_CMD_CMD_H

#include <getopt.h>
#include <stdio.h>

#include "base/error.h"
#include "base/log.h"
#include "base/str.h"

#define HC_EXIT_OK          0
#define HC_EXIT_FAILED      1
#define HC_EXIT_USAGE       64
#define HC_EXIT_UNAVAILABLE 69
#define HC_EXIT_TIMED_OUT   75
#define HC_EXIT_FORBIDDEN   77

struct hc_command {
    const char *name;
    const char *args;    /* "NAME [--force]" */
    const char *summary; /* one line */
    const char *help;    /* the rest of `hotcert NAME --help` */
    int (*run)(int argc, char **argv);
};

/* Every command; ends with a row whose name is NULL. */
extern const struct hc_command hc_commands[];

/* The command of this name, or NULL. */
const struct hc_command *hc_cmd_find(const char *name);

void hc_cmd_help(const struct hc_command *command, FILE *out);
/* Says what is wrong with the arguments and how they read; HC_EXIT_USAGE. */
int hc_cmd_usage(const char *name, const char *fmt, ...) HC_FORMAT(2, 3);

/* The same of an error; not with its row's hint, which is about directives. */
int hc_cmd_usage_error(const char *name, const struct hc_error *err);
/* The same of an argument that the command does not take as it stands there: one of its options
 * that wants a value (valued, ends with NULL), or something that it does not know. */
int hc_cmd_usage_argument(const char *name, const char *arg, const char *const *valued);

/* What getopt_long() refused ('?', or ':' for a value that is missing), as an error for
 * hc_cmd_usage_error(). -1. */
int hc_cmd_bad_option(int refused, const char *arg, struct hc_error *err);
/* One option of getopt_long(), whose value is in optarg; arg: the word as it was written. */
typedef int hc_cmd_take_option(void *self, int option, const char *arg, struct hc_error *err);
/* Takes all options; what is no option begins at argv[optind] then. -1: take said so. */
int hc_cmd_take_options(int argc, char **argv, const struct option *options,
                        hc_cmd_take_option *take, void *self, struct hc_error *err);

/* Normalises a host name of the command line and adds it, once. 0, or the exit code, when that was
 * told. */
int hc_cmd_take_name(const char *command, const char *text, struct hc_list *names);

int hc_cmd_agent(int argc, char **argv);
int hc_cmd_load(int argc, char **argv);
int hc_cmd_list(int argc, char **argv);
int hc_cmd_renew(int argc, char **argv);
int hc_cmd_wait(int argc, char **argv);
int hc_cmd_check(int argc, char **argv);
int hc_cmd_diagnose(int argc, char **argv);
int hc_cmd_persist(int argc, char **argv);
int hc_cmd_version(int argc, char **argv);

#endif
