/*
 * SSLPassPhraseDialog, as mod_ssl runs it: for each encrypted key that no passphrase known so far
 * opens, `exec:` runs a program with "NAME:PORT:INDEX" as its argument, `|` talks to one program
 * over a pipe, `builtin` asks on the terminal. mod_ssl itself never sees the keys of watched hosts.
 *
 * What was answered is kept until httpd ends, so that a start asks once for its two readings and a
 * graceful restart not at all: in memory that no child inherits and no core file holds. The keeper
 * is given a copy, from which agent and loader have it as they have a watched file.
 */
#include <fcntl.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/io.h"
#include "mod_hotcert.h"
#include "pki/pem_load.h"

#define RETAINED_KEY   "mod_hotcert passphrases 1"
#define KEPT_SIZE      8192 /* a passphrase a line */
#define PASSPHRASE_MAX 1024
#define BUILTIN_TRIES  3

/* A dialog under way. */
struct dialog {
    struct mod_hotcert_state *state;
    const char *how; /* SSLPassPhraseDialog's argument */
    apr_proc_t pipe; /* of `|`, once it runs */
    bool piping;
    bool said; /* what it is about */
};

/* The kept passphrases, or NULL without memory. */
static char *kept_text(void)
{
    char **kept = ap_retained_data_get(RETAINED_KEY);

    if (kept == NULL) {
        kept = ap_retained_data_create(RETAINED_KEY, sizeof(*kept));
    }
    if (*kept == NULL) {
        void *page =
            mmap(NULL, KEPT_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

        if (page == MAP_FAILED) {
            return NULL;
        }
        if (madvise(page, KEPT_SIZE, MADV_DONTDUMP) != 0) {
            (void)munmap(page, KEPT_SIZE);
            return NULL;
        }
        (void)mlock(page, KEPT_SIZE); /* not to the swap, where that is allowed */
        *kept = page;
    }
    return *kept;
}

void mod_hotcert_dialog_hide(void)
{
    char *text = kept_text();

    if (text != NULL && madvise(text, KEPT_SIZE, MADV_WIPEONFORK) != 0) {
        OPENSSL_cleanse(text, KEPT_SIZE); /* rather asked again than in every child */
    }
}

static void keep(const char *passphrase)
{
    char *text = kept_text();
    size_t used = text != NULL ? strlen(text) : 0;
    size_t len = strlen(passphrase);

    if (text != NULL && len > 0 && used + len + 2 <= KEPT_SIZE) {
        memcpy(text + used, passphrase, len);
        text[used + len] = '\n';
    }
}

/* The file's content; an error is the loader's to find and to tell. */
static void read_key(const char *path, struct hc_buf *out)
{
    struct hc_error unsaid;
    char chunk[4096];
    struct stat st;
    ssize_t n = 0;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);

    hc_error_init(&unsaid);
    if (fd >= 0 && fstat(fd, &st) == 0 && S_ISREG(st.st_mode)) {
        while ((n = read(fd, chunk, sizeof(chunk))) > 0 &&
               hc_buf_append(out, chunk, (size_t)n, &unsaid) == 0) {
        }
    }
    OPENSSL_cleanse(chunk, sizeof(chunk));
    hc_io_close(fd);
}

static void wipe_list(struct hc_list *list)
{
    for (size_t i = 0; i < list->count; i++) {
        OPENSSL_cleanse(list->items[i], strlen(list->items[i]));
    }
    hc_list_dispose(list);
}

/* Both of PEM's ways to close a key say so in their first lines (RFC 1421, RFC 7468 section 11). */
static bool may_be_closed(const struct hc_buf *text)
{
    static const char word[] = "ENCRYPTED";

    return memmem(text->data, text->len, word, sizeof(word) - 1) != NULL;
}

/* True if the key in this file is encrypted and no passphrase opens it (NULL: none of the kept). */
static bool is_closed(const char *path, const char *passphrase)
{
    struct hc_buf text = HC_BUF_INIT_SECRET(HC_PAIR_PEM_MAX);
    struct hc_list known = {NULL, 0, 0};
    struct hc_error unsaid;
    struct hc_pem pem = {0};
    const char *at = passphrase != NULL ? passphrase : kept_text();
    bool closed = false;

    hc_error_init(&unsaid);
    for (; at != NULL && *at != '\0'; at += strspn(at, "\n")) {
        size_t len = strcspn(at, "\n");

        if (hc_list_add_len(&known, at, len, &unsaid) != 0) {
            break;
        }
        at += len;
    }
    read_key(path, &text);
    closed = text.len > 0 && may_be_closed(&text) &&
             hc_pem_load_key(hc_bytes_of(&text), &known, true, &pem, &unsaid) == 0 &&
             pem.key == NULL && pem.key_was_closed;
    hc_pem_dispose(&pem);
    wipe_list(&known);
    hc_buf_dispose(&text);
    return closed;
}

/* ---- asking ---- */

static void read_line(apr_file_t *from, char answer[PASSPHRASE_MAX])
{
    apr_size_t one = 1;
    size_t used = 0;
    char c = '\0';

    while (used + 1 < PASSPHRASE_MAX && apr_file_read(from, &c, &one) == APR_SUCCESS && one == 1 &&
           c != '\n' && c != '\r') {
        answer[used++] = c;
    }
    answer[used] = '\0';
}

static bool run_program(struct dialog *d, char *const *argv, apr_proc_t *proc)
{
    apr_procattr_t *attributes = NULL;
    apr_status_t rc = apr_procattr_create(&attributes, d->state->pool);

    if (rc == APR_SUCCESS) {
        rc = apr_procattr_io_set(attributes, APR_FULL_BLOCK, APR_FULL_BLOCK, APR_NO_PIPE);
    }
    if (rc == APR_SUCCESS) {
        rc = apr_procattr_cmdtype_set(attributes, APR_PROGRAM);
    }
    if (rc == APR_SUCCESS) {
        rc = apr_proc_create(proc, argv[0], (const char *const *)argv, NULL, attributes,
                             d->state->pool);
    }
    if (rc != APR_SUCCESS) {
        ap_log_error(APLOG_MARK, APLOG_ERR | APLOG_STARTUP, rc, NULL,
                     "HotCert: %s of SSLPassPhraseDialog cannot be run", argv[0]);
    }
    return rc == APR_SUCCESS;
}

static void end_program(apr_proc_t *proc)
{
    int code = 0;
    apr_exit_why_e why = APR_PROC_EXIT;

    (void)apr_file_close(proc->in);
    (void)apr_file_close(proc->out);
    (void)apr_proc_wait(proc, &code, &why, APR_WAIT);
}

/* The program's path, which httpd takes below ServerRoot. */
static char *program_path(struct dialog *d, const char *path)
{
    return ap_server_root_relative(d->state->pool, path);
}

static void ask_program(struct dialog *d, const char *id, char answer[PASSPHRASE_MAX])
{
    char *argv[] = {program_path(d, d->how + strlen("exec:")), apr_pstrdup(d->state->pool, id),
                    NULL};
    apr_proc_t proc;

    if (argv[0] != NULL && run_program(d, argv, &proc)) {
        read_line(proc.out, answer);
        end_program(&proc);
    }
}

static const char about[] = "Some of your private key files are encrypted for security reasons.\n"
                            "In order to read them you have to provide the pass phrases.\n";

static void ask_pipe(struct dialog *d, const char *id, const char *path,
                     char answer[PASSPHRASE_MAX])
{
    char **argv = NULL;

    if (!d->piping && apr_tokenize_to_argv(d->how + 1, &argv, d->state->pool) == APR_SUCCESS &&
        argv[0] != NULL) {
        argv[0] = program_path(d, argv[0]);
        d->piping = argv[0] != NULL && run_program(d, argv, &d->pipe);
    }
    if (d->piping) {
        (void)apr_file_printf(d->pipe.in,
                              "%s\nPrivate key %s (%s)\nEnter pass phrase:", d->said ? "" : about,
                              id, path);
        d->said = true;
        read_line(d->pipe.out, answer);
    }
}

static void ask_terminal(struct dialog *d, const char *id, const char *path,
                         char answer[PASSPHRASE_MAX])
{
    if (!isatty(STDIN_FILENO) || !isatty(STDOUT_FILENO)) {
        return;
    }
    (void)printf("%s\nPrivate key %s (%s)\n", d->said ? "" : about, id, path);
    (void)fflush(stdout);
    d->said = true;
    for (int i = 0; i < BUILTIN_TRIES; i++) {
        if (EVP_read_pw_string(answer, PASSPHRASE_MAX, "Enter pass phrase:", 0) != 0) {
            answer[0] = '\0';
            return;
        }
        if (!is_closed(path, answer)) {
            return;
        }
        (void)printf("This pass phrase does not open it.\n");
    }
}

/* id: "NAME:PORT:INDEX", as mod_ssl calls the key. */
static void ask(struct dialog *d, const char *id, const char *path)
{
    char answer[PASSPHRASE_MAX] = "";

    if (strncmp(d->how, "exec:", 5) == 0) {
        ask_program(d, id, answer);
    } else if (d->how[0] == '|') {
        ask_pipe(d, id, path, answer);
    } else {
        ask_terminal(d, id, path, answer);
    }
    keep(answer);
    OPENSSL_cleanse(answer, sizeof(answer));
}

static void ask_for_host(struct dialog *d, const struct mod_hotcert_host *host)
{
    const struct hc_conf *conf = d->state->conf;
    const struct hc_identity *identity = &conf->identities[host->identity];
    const server_rec *server = host->server;
    unsigned port = server->port != 0       ? server->port
                    : server->addrs != NULL ? server->addrs->host_port
                                            : 443;

    for (size_t i = 0; i < identity->watched_count; i++) {
        const char *path = conf->files.items[identity->watched[i].key];

        if (is_closed(path, NULL)) {
            ask(d,
                apr_psprintf(d->state->pool, "%s:%u:%u", server->server_hostname, port,
                             (unsigned)i),
                path);
        }
    }
}

void mod_hotcert_dialog_run(struct mod_hotcert_state *state)
{
    const struct mod_hotcert_server *main =
        ap_get_module_config(state->server->module_config, &hotcert_module);
    struct dialog d = {.state = state, .how = main->dialog != NULL ? main->dialog : "builtin"};

    for (server_rec *server = state->server; server != NULL; server = server->next) {
        const struct mod_hotcert_host *host = mod_hotcert_host_of(state, server);

        if (host != NULL) {
            ask_for_host(&d, host);
        }
    }
    if (d.piping) {
        end_program(&d.pipe);
    }
}

int mod_hotcert_dialog_lend(struct mod_hotcert_state *state, struct hc_error *err)
{
    const char *text = kept_text();

    state->conf->kept = (struct hc_buf)HC_BUF_INIT_SECRET(KEPT_SIZE);
    return text != NULL ? hc_buf_puts(&state->conf->kept, text, err) : 0;
}

void mod_hotcert_dialog_take_back(struct mod_hotcert_state *state)
{
    hc_buf_dispose(&state->conf->kept);
}
