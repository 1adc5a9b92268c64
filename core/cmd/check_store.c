/* `hotcert check` on the store's folder: every pair in it, unsealed with the secret. */
#include <openssl/crypto.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cmd/check.h"
#include "cmd/input.h"
#include "store/line.h"

#define FIRST_WORDS "hotcert store "

bool hc_check_is_store(const char *path)
{
    char file[PATH_MAX];
    struct hc_buf text = HC_BUF_INIT(4096);
    struct hc_error ignored = {0};
    int n = snprintf(file, sizeof(file), "%s/format", path);
    bool is = n > 0 && n < (int)sizeof(file) && hc_input_read(file, &text, NULL, &ignored) == 0 &&
              strncmp(hc_buf_text(&text), FIRST_WORDS, sizeof(FIRST_WORDS) - 1) == 0;

    hc_buf_dispose(&text);
    return is;
}

struct visit {
    struct hc_check_run_state *run;
    struct hc_store *store;
    struct hc_error *err;
    size_t count;
};

static int judge_line(void *arg, const struct hc_line_info *info)
{
    struct visit *v = arg;
    struct hc_checked checked = {0};
    struct hc_pair *pair = NULL;
    struct hc_error one = {0};
    char names[HC_FOREIGN_MAX];
    int rc = 0;

    v->count++;
    checked.names = v->run->options->names.count > 0 ? NULL : &info->names;
    hc_list_format(&info->names, names, sizeof(names));
    if (hc_store_current(v->store, info->line, &pair, NULL, &one) != 0) {
        hc_check_unreached(v->run, &one);
        return 0;
    }
    checked.leaf = hc_pair_leaf(pair);
    X509_up_ref(checked.leaf);
    checked.chain = X509_chain_up_ref(hc_pair_chain(pair));
    rc = hc_check_conclude(v->run, names, pair, &checked, v->err);
    hc_checked_dispose(&checked);
    hc_pair_free(pair);
    return rc;
}

int hc_check_store(struct hc_check_run_state *run, const char *path, struct hc_error *err)
{
    unsigned char secret[HC_SECRET_SIZE];
    struct visit v = {.run = run, .err = err};
    int rc = -1;

    if (hc_input_secret(path, run->options->secret, secret, err) == 0 &&
        hc_store_open(path, HC_STORE_READ, secret, NULL, &v.store, err) == 0) {
        rc = hc_store_each(v.store, judge_line, &v, err);
        if (rc == 0 && v.count == 0) {
            rc = hc_error_set(err, HC_P_STORE_EMPTY, path, NULL);
        }
    }
    hc_store_close(v.store);
    OPENSSL_cleanse(secret, sizeof(secret));
    return rc;
}
