/*
 * Answers to challenges: challenges/<digest of where and what it is>, sealed like records. They are
 * not synced to the disk: after a crash of the machine the order is taken up again and puts them
 * again. They are not overwritten either when they go: the answer was for everybody to read.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/io.h"
#include "base/str.h"
#include "store/answer.h"
#include "store/file.h"
#include "store/format.h"
#include "store/sealed.h"

#define FOLDER "challenges"
#define MAX    (HC_ANSWER_VALUE_MAX + 1024)
#define HEAD   "answer\n" /* which is over at once, for agents before there were kinds */

static void bound_of(const char *file, char bound[96])
{
    (void)snprintf(bound, 96, FOLDER "/%.64s", file);
}

/* An answer over HTTP is written as it was before there were kinds: "expires\nkey\nvalue". */
static int write_text(const struct hc_answer *a, struct hc_buf *out, struct hc_error *err)
{
    char head[64];

    if (a->kind == HC_ANSWER_HTTP) {
        (void)snprintf(head, sizeof(head), "%" PRId64 "\n", a->expires);
    } else {
        (void)snprintf(head, sizeof(head), HEAD "%s\n%" PRId64 "\n", hc_answer_kind_word(a->kind),
                       a->expires);
    }
    if (hc_buf_puts(out, head, err) != 0 ||
        (a->kind != HC_ANSWER_HTTP &&
         (hc_buf_puts(out, a->name, err) != 0 || hc_buf_puts(out, "\n", err) != 0)) ||
        hc_buf_puts(out, a->key, err) != 0 || hc_buf_puts(out, "\n", err) != 0) {
        return -1;
    }
    return hc_buf_puts(out, a->value, err);
}

/* Cuts the next line off; NULL: there is none. */
static char *next_line(char **rest)
{
    char *end = strchr(*rest, '\n');
    char *line = *rest;

    if (end == NULL) {
        return NULL;
    }
    *end = '\0';
    *rest = end + 1;
    return line;
}

/* text is taken apart. */
static bool parse(char *text, struct hc_answer *out)
{
    struct hc_answer a = {.kind = HC_ANSWER_HTTP, .name = ""};
    const char *line = NULL;
    char *rest = text;

    if (strncmp(rest, HEAD, strlen(HEAD)) == 0) {
        rest += strlen(HEAD);
        line = next_line(&rest);
        if (line == NULL || !hc_answer_kind_find(line, &a.kind)) {
            return false;
        }
    }
    line = next_line(&rest);
    if (line == NULL) {
        return false;
    }
    a.expires = strtoll(line, NULL, 10);
    a.name = a.kind != HC_ANSWER_HTTP ? next_line(&rest) : "";
    a.key = next_line(&rest);
    a.value = rest;
    return a.name != NULL && a.key != NULL && hc_answer_check(&a, NULL) == 0 &&
           hc_answer_copy(out, &a, NULL) == 0;
}

int hc_store_answer_file(const struct hc_answer *answer, char file[HC_ANSWER_FILE],
                         struct hc_error *err)
{
    struct hc_buf text = HC_BUF_INIT_SECRET(MAX);
    int rc = -1;

    /* a token is one of its kind; elsewhere several values may stand at one place */
    if (answer->kind == HC_ANSWER_HTTP) {
        return hc_name_digest(answer->key, file, err);
    }
    if (hc_buf_puts(&text, hc_answer_kind_word(answer->kind), err) == 0 &&
        hc_buf_puts(&text, "\n", err) == 0 && hc_buf_puts(&text, answer->key, err) == 0 &&
        hc_buf_puts(&text, "\n", err) == 0 && hc_buf_puts(&text, answer->value, err) == 0) {
        rc = hc_name_digest(hc_buf_text(&text), file, err);
    }
    hc_buf_dispose(&text);
    return rc;
}

int hc_store_answer_put(struct hc_store *store, const struct hc_answer *answer,
                        struct hc_error *err)
{
    struct hc_buf text = HC_BUF_INIT_SECRET(MAX);
    char file[HC_ANSWER_FILE];
    char bound[96];
    int folder = -1;
    int rc = -1;

    if (hc_answer_check(answer, err) != 0 || hc_format_may_seal(store, err) != 0 ||
        write_text(answer, &text, err) != 0 || hc_store_answer_file(answer, file, err) != 0 ||
        hc_folder_open(store, store->root, FOLDER, true, &folder, err) != 0 || folder < 0) {
        goto out;
    }
    bound_of(file, bound);
    rc = hc_sealed_write(store, &(struct hc_file_place){folder, file, bound}, hc_bytes_of(&text),
                         false, err);
out:
    hc_io_close(folder);
    hc_buf_dispose(&text);
    return rc == 0 ? 0 : hc_error_during(err, "storing the answer to a challenge");
}

int hc_store_answer_remove(struct hc_store *store, const struct hc_answer *answer,
                           struct hc_error *err)
{
    char file[HC_ANSWER_FILE];
    int folder = -1;
    int rc = -1;

    if (hc_store_need_drive(store, err) != 0 || hc_store_answer_file(answer, file, err) != 0 ||
        hc_folder_open(store, store->root, FOLDER, false, &folder, err) != 0) {
        return -1;
    }
    rc = folder >= 0 ? hc_file_remove(store, folder, file, err) : 0;
    hc_io_close(folder);
    return rc;
}

static bool is_digest(const char *file)
{
    return strlen(file) == 64 && strspn(file, "0123456789abcdef") == 64;
}

int hc_store_answer_list(struct hc_store *store, struct hc_list *files, struct hc_error *err)
{
    struct hc_list names = {0};
    int folder = -1;
    int rc = hc_folder_open(store, store->root, FOLDER, false, &folder, err);

    if (rc == 0 && folder >= 0) {
        rc = hc_folder_list(store, folder, &names, err);
        close(folder);
    }
    for (size_t i = 0; rc == 0 && i < names.count; i++) {
        rc = is_digest(names.items[i]) ? hc_list_add(files, names.items[i], err) : 0;
    }
    hc_list_dispose(&names);
    return rc == 0 ? 0 : hc_error_during(err, "listing challenges");
}

/* Reads it from its folder; what is damaged is set aside. */
static bool read_from(struct hc_store *store, int folder, const char *file,
                      struct hc_answer *answer)
{
    struct hc_buf raw = HC_BUF_INIT(HC_STORE_FILE_MAX + 32768);
    struct hc_buf text = HC_BUF_INIT_SECRET(MAX);
    enum hc_file_state state = HC_FILE_ABSENT;
    struct hc_error own = {0};
    char bound[96];
    bool good = false;

    bound_of(file, bound);
    if (hc_file_read(store, &(struct hc_file_place){folder, file, bound}, &raw, &state, &own) ==
            0 &&
        hc_sealed_read(store, hc_bytes_of(&raw), bound, &text, &own) == 0) {
        good = text.len > 0 && parse((char *)text.data, answer);
    }
    if (own.problem == HC_P_STORE_DAMAGED) {
        hc_store_warn(store, bound, &own, "ignoring a challenge");
        hc_file_set_aside(store, folder, file, file);
    }
    hc_buf_dispose(&text);
    hc_buf_dispose(&raw);
    return good;
}

bool hc_store_answer_read(struct hc_store *store, const char *file, struct hc_answer *answer)
{
    int folder = -1;
    bool good = false;

    if (is_digest(file) && store->has_secret &&
        hc_folder_open(store, store->root, FOLDER, false, &folder, NULL) == 0 && folder >= 0) {
        good = read_from(store, folder, file, answer);
        close(folder);
    }
    return good;
}
