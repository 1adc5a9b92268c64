/* Reading files that a command was given. They may be anything: regular files only, bounded. */
#ifndef HC_CMD_INPUT_H
#define HC_CMD_INPUT_H

#include <sys/stat.h>

#include "base/buf.h"
#include "base/str.h"

/* Appends the whole file to out; HC_P_FILE_UNREADABLE, HC_P_TOO_LARGE. st may be NULL. */
int hc_input_read(const char *path, struct hc_buf *out, struct stat *st,
                  struct hc_error *err) HC_MUST_USE;

/* The same of a file that may be larger than out takes: then out holds its start and is full. */
int hc_input_read_start(const char *path, struct hc_buf *out, struct stat *st,
                        struct hc_error *err) HC_MUST_USE;

/* Adds the lines of a small file (a passphrase file), without their ends. */
int hc_input_lines(const char *path, struct hc_list *out, struct hc_error *err) HC_MUST_USE;

/* The secret of a store (HC_SECRET_SIZE bytes, wiped by the caller): from file, or, if that is
 * NULL, from the one beside the store. */
int hc_input_secret(const char *store, const char *file, unsigned char *secret,
                    struct hc_error *err) HC_MUST_USE;

/* Root looks at a folder of the worker user's with that user's rights, from now on. */
int hc_input_take_rights(const char *path, struct hc_error *err) HC_MUST_USE;

#endif
