/*
 * Pending challenges: challenges/<digest of the token>, sealed like records. They are not synced to
 * the disk: after a crash of the machine the order is taken up again and puts them again. They are
 * not overwritten either when they go: the answer was for everybody to read.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/str.h"
#include "store/challenge.h"
#include "store/file.h"
#include "store/format.h"
#include "store/sealed.h"

#define FOLDER        "challenges"
#define CHALLENGE_MAX 1024

static void bound_of(const char *file, char bound[96])
{
    (void)snprintf(bound, 96, FOLDER "/%.64s", file);
}

/* "expires\ntoken\nkeyauth" */
static bool parse(const char *text, struct hc_challenge *c)
{
    const char *first = strchr(text, '\n');
    const char *second = first != NULL ? strchr(first + 1, '\n') : NULL;
    size_t token = second != NULL ? (size_t)(second - first - 1) : 0;

    if (second == NULL || token == 0 || token >= sizeof(c->token)) {
        return false;
    }
    c->expires = strtoll(text, NULL, 10);
    memcpy(c->token, first + 1, token);
    c->token[token] = '\0';
    return hc_copy(c->keyauth, sizeof(c->keyauth), second + 1) && c->keyauth[0] != '\0';
}

int hc_store_challenge_put(struct hc_store *store, const struct hc_challenge *challenge,
                           struct hc_error *err)
{
    char text[CHALLENGE_MAX];
    char bound[96];
    char file[65];
    int folder = -1;
    int rc = -1;
    int n = snprintf(text, sizeof(text), "%" PRId64 "\n%s\n%s", challenge->expires,
                     challenge->token, challenge->keyauth);

    if (n <= 0 || (size_t)n >= sizeof(text) || strchr(challenge->token, '\n') != NULL) {
        return hc_error_set(err, HC_P_INTERNAL, NULL, "a challenge that cannot be stored");
    }
    if (hc_format_may_seal(store, err) != 0 || hc_name_digest(challenge->token, file, err) != 0 ||
        hc_folder_open(store, store->root, FOLDER, true, &folder, err) != 0 || folder < 0) {
        goto out;
    }
    bound_of(file, bound);
    rc = hc_sealed_write(store, folder, file, bound,
                         (struct hc_bytes){(const unsigned char *)text, (size_t)n}, false, err);
out:
    if (folder >= 0) {
        close(folder);
    }
    return rc == 0 ? 0 : hc_error_during(err, "storing a challenge");
}

int hc_store_challenge_remove(struct hc_store *store, const char *token, struct hc_error *err)
{
    char file[65];
    int folder = -1;
    int rc = -1;

    if (hc_store_need_drive(store, err) != 0 || hc_name_digest(token, file, err) != 0 ||
        hc_folder_open(store, store->root, FOLDER, false, &folder, err) != 0) {
        return -1;
    }
    rc = folder >= 0 ? hc_file_remove(store, folder, file, err) : 0;
    if (folder >= 0) {
        close(folder);
    }
    return rc;
}

static bool is_digest(const char *file)
{
    return strlen(file) == 64 && strspn(file, "0123456789abcdef") == 64;
}

int hc_store_challenge_list(struct hc_store *store, struct hc_list *files, struct hc_error *err)
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
                      struct hc_challenge *challenge)
{
    struct hc_buf raw = HC_BUF_INIT(HC_STORE_FILE_MAX + 32768);
    struct hc_buf text = HC_BUF_INIT_SECRET(CHALLENGE_MAX);
    enum hc_file_state state = HC_FILE_ABSENT;
    struct hc_error own = {0};
    char bound[96];
    bool good = false;

    bound_of(file, bound);
    if (hc_file_read(store, folder, file, bound, &raw, &state, &own) == 0 &&
        hc_sealed_read(store, hc_bytes_of(&raw), bound, &text, &own) == 0) {
        good = parse(hc_buf_text(&text), challenge);
    }
    if (own.problem == HC_P_STORE_DAMAGED) {
        hc_store_warn(store, bound, &own, "a challenge is not used");
        hc_file_set_aside(store, folder, file, file);
    }
    hc_buf_dispose(&text);
    hc_buf_dispose(&raw);
    return good;
}

bool hc_store_challenge_read(struct hc_store *store, const char *file,
                             struct hc_challenge *challenge)
{
    int folder = -1;
    bool good = false;

    if (is_digest(file) && store->has_secret &&
        hc_folder_open(store, store->root, FOLDER, false, &folder, NULL) == 0 && folder >= 0) {
        good = read_from(store, folder, file, challenge);
        close(folder);
    }
    return good;
}
