/* The files of `hotcert check`: certificate and key in one file or in two. */
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cmd/check.h"
#include "cmd/convert.h"
#include "cmd/input.h"
#include "pki/pair.h"

#define FILES_MAX 256

/* A file that was read. */
struct input {
    const char *path;
    struct hc_buf text;
    struct stat st;
    bool has_cert;
    bool has_key;
    bool used; /* as another's key */
    struct hc_findings findings;
};

static bool mentions(const struct hc_buf *text, const char *word)
{
    return text->len > 0 && memmem(text->data, text->len, word, strlen(word)) != NULL;
}

static int read_input(const struct hc_check_run_state *run, const char *path, struct input *in,
                      struct hc_error *err)
{
    memset(in, 0, sizeof(*in));
    in->path = path;
    /* one byte more than is judged: a file that is too large is a verdict */
    in->text = (struct hc_buf)HC_BUF_INIT_SECRET(HC_PAIR_PEM_MAX + 1);
    if (hc_input_read_start(path, &in->text, &in->st, err) != 0 ||
        (in->text.len <= HC_PAIR_PEM_MAX &&
         hc_convert_to_pem(&in->text, path, &run->options->passphrases, &in->findings, err) != 0)) {
        return -1;
    }
    in->has_cert = mentions(&in->text, "CERTIFICATE-----");
    in->has_key = mentions(&in->text, "PRIVATE KEY-----");
    return 0;
}

static void input_dispose(struct input *in)
{
    hc_buf_dispose(&in->text);
    hc_findings_dispose(&in->findings);
}

static int keep_pair(const struct hc_pair *pair, struct hc_checked *checked, struct hc_error *err)
{
    checked->leaf = hc_pair_leaf(pair);
    X509_up_ref(checked->leaf);
    checked->chain = X509_chain_up_ref(hc_pair_chain(pair));
    return checked->chain != NULL ? 0 : hc_error_nomem(err);
}

/* Judges a certificate file with its key, which may be in the same file (key NULL). */
static int judge(struct hc_check_run_state *run, struct input *cert, struct input *key,
                 const struct hc_check_tool_files *paths, struct hc_error *err)
{
    struct input *holder = key != NULL ? key : cert;
    struct hc_pair_source source = {.cert_pem = hc_bytes_of(&cert->text),
                                    .key_pem = key != NULL ? hc_bytes_of(&key->text)
                                                           : (struct hc_bytes){NULL, 0},
                                    .cert_subject = cert->path,
                                    .key_subject = holder->path,
                                    .passphrases = &run->options->passphrases};
    struct hc_check_file file = {.path = holder->path,
                                 .mode = holder->st.st_mode,
                                 .uid = holder->st.st_uid,
                                 .owner = geteuid()};
    struct hc_checked checked = {.paths = paths, .key_file = &file};
    struct hc_error unusable = {0}; /* its finding says the same */
    struct hc_pair *pair = NULL;
    int rc = -1;

    if (hc_findings_take(&checked.findings, &cert->findings, err) != 0 ||
        (key != NULL && hc_findings_take(&checked.findings, &key->findings, err) != 0)) {
        goto out;
    }
    if (hc_pair_from_pem(&source, &pair, &checked.findings, &unusable) == 0 &&
        keep_pair(pair, &checked, err) != 0) {
        goto out;
    }
    if (pair == NULL && hc_findings_worst(&checked.findings) != HC_CLASS_UNUSABLE) {
        *err = unusable; /* no fault of the pair's */
        goto out;
    }
    rc = hc_check_conclude(run, cert->path, pair, &checked, err);
out:
    hc_pair_free(pair);
    hc_checked_dispose(&checked);
    return rc;
}

static int read_chain(struct input *cert, const char *path, struct hc_error *err)
{
    struct hc_buf chain = HC_BUF_INIT(HC_PAIR_PEM_MAX);
    int rc = -1;

    if (hc_input_read(path, &chain, NULL, err) == 0 &&
        hc_buf_append(&cert->text, "\n", 1, err) == 0) {
        rc = hc_buf_append(&cert->text, chain.data, chain.len, err);
    }
    hc_buf_dispose(&chain);
    return rc;
}

int hc_check_tool_files(struct hc_check_run_state *run, const struct hc_check_tool_files *paths,
                        struct hc_error *err)
{
    struct input cert;
    struct input key = {0};
    int rc = read_input(run, paths->certificate, &cert, err);

    if (rc == 0 && paths->chain != NULL) {
        rc = read_chain(&cert, paths->chain, err);
    }
    if (rc == 0 && paths->key != NULL) {
        rc = read_input(run, paths->key, &key, err);
    }
    if (rc == 0) {
        rc = judge(run, &cert, paths->key != NULL ? &key : NULL, paths, err);
    }
    input_dispose(&cert);
    input_dispose(&key);
    return rc;
}

/* The key of inputs[at], which has none: the key file that follows, else the one before. */
static struct input *key_beside(struct input *inputs, size_t count, size_t at)
{
    for (size_t i = 1; i < count; i++) {
        struct input *in = &inputs[(at + i) % count];

        if (in->has_key && !in->has_cert && !in->used) {
            in->used = true;
            return in;
        }
    }
    return NULL;
}

/* NAME.key of NAME.pem; false: there is no such file. */
static bool find_key_named_so(const char *path, char dst[PATH_MAX])
{
    const char *dot = strrchr(path, '.');
    struct stat st;
    int n = 0;

    if (dot == NULL || strchr(dot, '/') != NULL) {
        return false;
    }
    n = snprintf(dst, PATH_MAX, "%.*s.key", (int)(dot - path), path);
    return n > 0 && n < PATH_MAX && strcmp(dst, path) != 0 && stat(dst, &st) == 0 &&
           S_ISREG(st.st_mode);
}

/* Nobody said where its key is, and it may lie beside it. */
static int judge_lone(struct hc_check_run_state *run, struct input *cert, struct hc_error *err)
{
    char path[PATH_MAX];
    struct input key = {0};
    struct hc_error unread = {0};
    int rc = 0;

    if (!cert->has_cert || cert->has_key || !find_key_named_so(cert->path, path)) {
        return judge(run, cert, NULL, NULL, err);
    }
    if (read_input(run, path, &key, &unread) != 0) {
        hc_check_unreached(run, &unread);
    } else {
        rc = judge(run, cert, &key, NULL, err);
    }
    input_dispose(&key);
    return rc;
}

/* Every file that is no other's key is judged. */
static int judge_inputs(struct hc_check_run_state *run, struct input *inputs, size_t count,
                        struct input *stated_key, struct hc_error *err)
{
    struct input *keys[FILES_MAX] = {NULL};

    for (size_t i = 0; i < count; i++) {
        keys[i] = stated_key != NULL                         ? stated_key
                  : inputs[i].has_key || !inputs[i].has_cert ? NULL
                                                             : key_beside(inputs, count, i);
    }
    for (size_t i = 0; i < count; i++) {
        if (!inputs[i].used && (keys[i] != NULL ? judge(run, &inputs[i], keys[i], NULL, err)
                                                : judge_lone(run, &inputs[i], err)) != 0) {
            return -1;
        }
    }
    return 0;
}

static bool is_folder(const char *path)
{
    struct stat st;

    return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

/* PKCS#11 and other URIs stand where key files do. */
static int judge_uri_key(struct hc_check_run_state *run, struct hc_error *err)
{
    struct hc_checked checked = {0};
    int rc = hc_findings_add(&checked.findings, HC_P_KEY_UNSUPPORTED, run->options->key, err,
                             "keys on tokens, engines and providers are not supported");

    rc = rc == 0 ? hc_check_conclude(run, run->options->files.items[0], NULL, &checked, err) : -1;
    hc_checked_dispose(&checked);
    return rc;
}

static bool is_uri(const char *key)
{
    return strncmp(key, "pkcs11:", 7) == 0 || strncmp(key, "engine:", 7) == 0 ||
           strncmp(key, "store:", 6) == 0;
}

int hc_check_files(struct hc_check_run_state *run, struct hc_error *err)
{
    const struct hc_list *files = &run->options->files;
    struct input *inputs = NULL;
    struct input key = {0};
    size_t count = 0;
    int rc = -1;

    if (run->options->key != NULL && is_uri(run->options->key)) {
        return judge_uri_key(run, err);
    }
    if (files->count > FILES_MAX) {
        return hc_error_set(err, HC_P_TOO_LARGE, NULL, "more than %d files", FILES_MAX);
    }
    inputs = calloc(files->count, sizeof(*inputs));
    if (inputs == NULL) {
        return hc_error_nomem(err);
    }
    if (run->options->key != NULL && read_input(run, run->options->key, &key, err) != 0) {
        goto out;
    }
    for (size_t i = 0; i < files->count; i++) {
        struct hc_error one = {0};
        bool folder = is_folder(files->items[i]);

        if ((folder ? hc_check_folder(run, files->items[i], &one)
                    : read_input(run, files->items[i], &inputs[count], &one)) != 0) {
            hc_check_unreached(run, &one);
            input_dispose(&inputs[count]);
        } else {
            count += !folder;
        }
    }
    rc = judge_inputs(run, inputs, count, run->options->key != NULL ? &key : NULL, err);
out:
    for (size_t i = 0; i < count; i++) {
        input_dispose(&inputs[i]);
    }
    input_dispose(&key);
    free(inputs);
    return rc;
}
