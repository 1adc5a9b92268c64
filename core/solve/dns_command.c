/*
 * The writer `command`: a program of the operator's in the form of another client's hook (hook.h).
 * It is run by the runner as the agent's user, with an environment made from nothing.
 */
#include <openssl/crypto.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "conf/writer.h"
#include "solve/change.h"
#include "solve/hook.h"
#include "solve/writers.h"

#define LIMIT_S    300
#define OUTPUT_MAX ((size_t)16 * 1024)
#define SHOWN      1200 /* of it in a log line or an error */
#define PATH_VALUE "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

struct call {
    struct hc_change is;
    struct hc_hook hook;
    size_t next;            /* of the block's variables */
    struct hc_list secrets; /* that the redaction has for as long as it runs */
};

struct command {
    struct hc_changes is;
    char shim[HC_FIELD_VALUE]; /* "": not found */
};

static const struct hc_dns_block *block_of(const struct call *call)
{
    return call->is.writer->block;
}

/* What runs goes on until it ends. */
static void drop(struct hc_change *change)
{
    struct call *call = (struct call *)(void *)change;
    const struct hc_writer_env *env = &change->writer->env;

    if (env->secrets != NULL) {
        env->secrets->forget(env->secrets->self, call);
    }
    if (env->commands != NULL) {
        env->commands->forget(env->commands->self, call);
    }
    for (size_t i = 0; i < call->secrets.count; i++) {
        hc_redaction_remove(env->redaction, call->secrets.items[i]);
        OPENSSL_cleanse(call->secrets.items[i], strlen(call->secrets.items[i]));
    }
    hc_list_dispose(&call->secrets);
    hc_hook_dispose(&call->hook);
}

/* ---- what it wrote ---- */

/* What may be shown of one of its outputs: the end of it says most. */
struct shown {
    struct hc_buf clean;
    const char *tail;
};

static void show(const struct call *call, struct hc_bytes output, struct shown *out)
{
    struct hc_error ignored;

    hc_error_init(&ignored);
    if (hc_redaction_clean(call->is.writer->env.redaction, output, &out->clean, &ignored) != 0) {
        hc_buf_reset(&out->clean);
    }
    out->tail = hc_buf_text(&out->clean);
    out->tail += out->clean.len > SHOWN ? out->clean.len - SHOWN : 0;
}

static void log_output(const struct call *call, const struct shown *output, const char *which,
                       bool failed)
{
    char text[4 * SHOWN + 8];

    if (output->clean.len > 0) {
        hc_logf(call->is.writer->env.log, failed ? HC_LOG_WARN : HC_LOG_INFO, "%s, for %s%s: %s",
                call->is.writer->identity, call->is.value->name, which,
                hc_escape(text, HC_LOG_LINE / 2, output->tail, strlen(output->tail)));
    }
}

/* Standard output as certbot keeps it for the cleanup hook: whole, but for space at both ends. */
static void take_memo(const struct call *call, struct hc_bytes output, char memo[HC_WRITER_MEMO])
{
    static const char space[] = " \t\r\n\v\f";
    const char *text = (const char *)output.data;
    size_t len = output.len > 0 ? strnlen(text, output.len) : 0;

    while (len > 0 && strchr(space, text[0]) != NULL) {
        text++;
        len--;
    }
    while (len > 0 && strchr(space, text[len - 1]) != NULL) {
        len--;
    }
    if (len >= HC_WRITER_MEMO) {
        len = HC_WRITER_MEMO - 1;
        hc_logf(call->is.writer->env.log, HC_LOG_WARN,
                "%s, for %s, wrote more to its standard output than is kept for the cleanup hook: "
                "CERTBOT_AUTH_OUTPUT will have the first %zu bytes",
                call->is.writer->identity, call->is.value->name, len);
    }
    if (len > 0) {
        memcpy(memo, text, len);
    }
    memo[len] = '\0';
}

static void on_end(void *self, const struct hc_child_result *result)
{
    struct call *call = self;
    bool kept = call->is.what == HC_WRITER_ADD && block_of(call)->style == HC_STYLE_CERTBOT;
    struct shown output = {.clean = HC_BUF_INIT((size_t)2 * OUTPUT_MAX)};
    struct shown errors = {.clean = HC_BUF_INIT((size_t)2 * OUTPUT_MAX)};
    char memo[HC_WRITER_MEMO] = "";
    struct hc_error own;
    struct hc_error err;

    hc_error_init(&own);
    hc_error_init(&err);
    show(call, result->output, &output);
    show(call, result->errors, &errors);
    if (kept) {
        take_memo(call, result->output, memo);
    }
    if (hc_child_check(result, HC_P_DNS_WRITE, NULL, &own) != 0) {
        const char *last = errors.clean.len > 0 ? errors.tail : output.tail;

        hc_error_set(&err, HC_P_DNS_WRITE, NULL, "%s%s%s", own.detail,
                     last[0] != '\0' ? "; its output ends: " : "", last);
    }
    log_output(call, &output, "", hc_error_is_set(&err));
    log_output(call, &errors, ", standard error", hc_error_is_set(&err));
    hc_buf_dispose(&output.clean);
    hc_buf_dispose(&errors.clean);
    hc_change_end(&call->is, hc_error_is_set(&err) ? &err : NULL, false, kept ? memo : NULL);
    OPENSSL_cleanse(memo, sizeof(memo));
}

/* ---- starting it ---- */

static void run(struct call *call)
{
    const struct hc_command_port *commands = call->is.writer->env.commands;
    struct hc_list *words[] = {&call->hook.argv, &call->hook.envp};
    struct hc_program_run command = {
        .output_max = OUTPUT_MAX,
        .limit_ms = 1000 * (block_of(call)->time_limit > 0 ? block_of(call)->time_limit : LIMIT_S),
    };
    const char **vectors[2] = {NULL, NULL};
    struct hc_error err;
    int rc = 0;

    hc_error_init(&err);
    for (size_t i = 0; i < 2 && rc == 0; i++) {
        vectors[i] = calloc(words[i]->count + 1, sizeof(*vectors[i]));
        if (vectors[i] == NULL) {
            (void)hc_error_nomem(&err);
            rc = -1;
            break;
        }
        for (size_t k = 0; k < words[i]->count; k++) {
            vectors[i][k] = words[i]->items[k];
        }
    }
    if (rc == 0 && commands == NULL) {
        rc = hc_error_set(&err, HC_P_DNS_WRITE, NULL, "there is nobody to run programs");
    } else if (rc == 0) {
        command.argv = vectors[0];
        command.envp = vectors[1];
        rc = commands->run(commands->self, &command, on_end, call, &err);
    }
    free(vectors[0]);
    free(vectors[1]);
    if (rc != 0) {
        struct hc_error own;

        hc_error_init(&own);
        hc_error_set(&own, HC_P_DNS_WRITE, NULL, "%s", err.detail);
        hc_change_fail(&call->is, &own);
    }
}

static int add_variable(struct call *call, const char *name, const char *value,
                        struct hc_error *err)
{
    struct hc_buf text = HC_BUF_INIT_SECRET((size_t)64 * 1024);
    int rc = hc_buf_printf(&text, err, "%s=%s", name, value);

    rc = rc == 0 ? hc_list_add(&call->hook.envp, hc_buf_text(&text), err) : rc;
    hc_buf_dispose(&text);
    return rc;
}

/* Line by line, in pieces that the redaction takes: it would not list longer texts. */
static int hide(struct call *call, const char *text, struct hc_error *err)
{
    char piece[HC_REDACTED_MOST + 1];
    int rc = 0;

    while (rc == 0 && *text != '\0') {
        size_t len = strcspn(text, "\r\n");

        len = len < HC_REDACTED_MOST ? len : HC_REDACTED_MOST;
        memcpy(piece, text, len);
        piece[len] = '\0';
        if (len >= HC_REDACTED_LEAST &&
            (hc_list_add(&call->secrets, piece, err) != 0 ||
             hc_redaction_add(call->is.writer->env.redaction, piece, err) != 0)) {
            rc = -1;
        }
        text += len;
        text += strspn(text, "\r\n");
    }
    OPENSSL_cleanse(piece, sizeof(piece));
    return rc;
}

/* A file's content, without the newline at its end; nothing of it is to be seen in a log. */
static int add_secret(struct call *call, const char *name, const char *path,
                      struct hc_bytes content, struct hc_error *err)
{
    struct hc_buf value = HC_BUF_INIT_SECRET((size_t)64 * 1024);
    int rc = hc_buf_append(&value, content.data, content.len, err);

    while (value.len > 0 && strchr("\r\n", value.data[value.len - 1]) != NULL) {
        value.data[--value.len] = '\0';
    }
    if (rc == 0 && memchr(hc_buf_text(&value), '\0', value.len) != NULL) {
        rc = hc_error_set(err, HC_P_BAD_VALUE, path, "the file contains a NUL byte");
    }
    rc = rc == 0 ? hide(call, hc_buf_text(&value), err) : rc;
    rc = rc == 0 ? add_variable(call, name, hc_buf_text(&value), err) : rc;
    hc_buf_dispose(&value);
    return rc;
}

static void go_on(struct call *call);

static void on_secret(void *arg, struct hc_bytes content, const struct hc_error *err)
{
    struct call *call = arg;
    const struct hc_list *env = &block_of(call)->env;
    const char *path = env->items[call->next + 1] + strlen(HC_ENV_FILE);
    struct hc_error own;

    hc_error_init(&own);
    if (err != NULL) {
        hc_change_fail(&call->is, err);
    } else if (add_secret(call, env->items[call->next], path, content, &own) != 0) {
        hc_change_fail(&call->is, &own);
    } else {
        call->next += 2;
        go_on(call);
    }
}

/* The block's variables one after the other, then the program. */
static void go_on(struct call *call)
{
    const struct hc_secret_port *secrets = call->is.writer->env.secrets;
    const struct hc_list *env = &block_of(call)->env;
    struct hc_error err;

    hc_error_init(&err);
    for (; call->next + 1 < env->count; call->next += 2) {
        const char *value = env->items[call->next + 1];

        if (strncmp(value, HC_ENV_FILE, strlen(HC_ENV_FILE)) == 0) {
            secrets->read(secrets->self, value + strlen(HC_ENV_FILE), on_secret, call);
            return;
        }
        if (add_variable(call, env->items[call->next], value, &err) != 0) {
            hc_change_fail(&call->is, &err);
            return;
        }
    }
    run(call);
}

static bool sets(const struct hc_dns_block *block, const char *name)
{
    for (size_t i = 0; i + 1 < block->env.count; i += 2) {
        if (strcmp(block->env.items[i], name) == 0) {
            return true;
        }
    }
    return false;
}

static int prepare(struct call *call, struct hc_error *err)
{
    const struct command *writer = (const struct command *)(void *)call->is.writer;
    const struct hc_dns_block *block = block_of(call);

    if (hc_hook_make(block, call->is.what, call->is.value,
                     writer->shim[0] != '\0' ? writer->shim : NULL, &call->hook, err) != 0) {
        return -1;
    }
    if (!sets(block, "PATH") && hc_list_add(&call->hook.envp, PATH_VALUE, err) != 0) {
        return -1;
    }
    return sets(block, "HOME") ? 0 : hc_list_add(&call->hook.envp, "HOME=/", err);
}

static void begin(struct hc_change *change)
{
    struct call *call = (struct call *)(void *)change;
    struct hc_error err;

    hc_error_init(&err);
    if (prepare(call, &err) != 0) {
        hc_change_fail(change, &err);
        return;
    }
    go_on(call);
}

/* Beside the program while it is not installed, else where `make install` puts it. */
static void find_shim(struct command *writer)
{
    static const char *const places[] = {"acme-dnsapi.sh", "../share/hotcert/acme-dnsapi.sh"};
    const char *program = writer->is.env.conf->agent;
    const char *slash = program != NULL ? strrchr(program, '/') : NULL;

    for (size_t i = 0; slash != NULL && i < HC_COUNT(places); i++) {
        int n = snprintf(writer->shim, sizeof(writer->shim), "%.*s/%s", (int)(slash - program),
                         program, places[i]);

        if (n > 0 && (size_t)n < sizeof(writer->shim) && access(writer->shim, R_OK) == 0) {
            return;
        }
    }
    writer->shim[0] = '\0';
}

int hc_dns_command_open(const struct hc_dns_block *block, const struct hc_writer_env *env,
                        struct hc_dns_writer *out, struct hc_error *err)
{
    static const struct hc_change_kind kind = {
        .writer_size = sizeof(struct command),
        .change_size = sizeof(struct call),
        .parallel = 1, /* hooks edit files, or a provider's whole zone */
        .begin = begin,
        .drop = drop,
    };
    struct hc_changes *is = hc_changes_new(&kind, block, env, out, err);

    if (is == NULL) {
        return -1;
    }
    (void)hc_copy(is->identity, sizeof(is->identity), block->program);
    find_shim((struct command *)(void *)is);
    return 0;
}
