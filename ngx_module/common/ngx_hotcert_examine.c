/*
 * The examination (core/glue/examine.h), in every configuration test, start and reload. In a start
 * what it says is held back, since the start itself says it again, and is told only if the start is
 * refused.
 */
#include "ngx_hotcert.h"

#define HELD_MAX ((size_t)64 * 1024)

/* Lines: a byte '0' + enum hc_level, the text, a newline. */
static void hold_line(void *self, enum hc_level level, const char *text)
{
    struct hc_buf *held = self;
    struct hc_error ignored;

    hc_error_init(&ignored);
    /* what does not fit any more is not told; the refusal itself always is */
    if (hc_buf_printf(held, &ignored, "%c%s\n", '0' + (int)level, text) != 0) {
        return;
    }
}

static void tell(const struct hc_buf *held, const struct hc_log *log)
{
    for (const char *line = hc_buf_text(held); *line != '\0';) {
        int len = (int)strcspn(line, "\n");

        hc_logf(log, (enum hc_level)(line[0] - '0'), "%.*s", len - 1, line + 1);
        line += len + 1;
    }
}

/* For the start that comes after; not for a test. */
static int new_prior(void)
{
    ngx_hotcert_state_t *state = &ngx_hotcert_state;
    struct hc_error ignored;

    hc_error_init(&ignored);
    ngx_hotcert_end_prior();
    if (!ngx_test_config && hc_private_add(&state->prior_fd, &ignored) == 0) {
        state->prior_fd = hc_loader_prior();
    }
    return state->prior_fd;
}

/* The running master that a test is for, by its pid file; what a binary upgrade replaces is our
 * parent. */
static pid_t running_master(ngx_conf_t *cf)
{
    const ngx_core_conf_t *core =
        (const ngx_core_conf_t *)ngx_get_conf(cf->cycle->conf_ctx, ngx_core_module);
    ngx_str_t path = core->pid.len > 0 ? core->pid : (ngx_str_t)ngx_string(NGX_PID_PATH);
    FILE *file = NULL;
    long pid = 0;

    if (ngx_inherited || !ngx_test_config) {
        return ngx_inherited ? getppid() : 0;
    }
    if (ngx_conf_full_name(cf->cycle, &path, 0) == NGX_OK) {
        file = fopen((const char *)path.data, "re");
    }
    if (file != NULL) {
        pid = fscanf(file, "%ld", &pid) == 1 ? pid : 0;
        (void)fclose(file);
    }
    return (pid_t)pid;
}

static int examine(ngx_conf_t *cf, struct hc_conf *conf, const struct hc_log *log,
                   struct hc_error *err)
{
    /* a reload goes on where a start would find no folders: the server has its table */
    struct hc_examined examined = {
        .what = ngx_test_config ? HC_EXAMINE_FOLDERS | HC_EXAMINE_CONTROL : 0,
        .dns = &ngx_hotcert_state.dns,
        .running = running_master(cf),
    };
    struct hc_rights rights;

    if (ngx_hotcert_rights(cf->cycle, conf, &rights, err) != 0) {
        return -1;
    }
    return hc_examine(conf, &rights, &examined, new_prior(), log, err);
}

ngx_int_t ngx_hotcert_examine(ngx_conf_t *cf, struct hc_conf *conf)
{
    struct hc_buf held = HC_BUF_INIT(HELD_MAX);
    struct hc_log log = ngx_hotcert_log(cf->log);
    struct hc_log holder = {&held, HC_LOG_DEBUG, hold_line};
    struct hc_error err;
    sigset_t child;
    sigset_t before;
    int rc = -1;

    hc_error_init(&err);
    sigemptyset(&child);
    sigaddset(&child, SIGCHLD);
    sigprocmask(SIG_BLOCK, &child, &before);
    rc = examine(cf, conf, ngx_test_config ? &log : &holder, &err);
    sigprocmask(SIG_SETMASK, &before, NULL);
    if (rc != 0) {
        ngx_hotcert_end_prior();
        tell(&held, &log);
        ngx_hotcert_log_error(NGX_LOG_EMERG, cf->log, &err);
    }
    hc_buf_dispose(&held);
    return rc == 0 ? NGX_OK : NGX_ERROR;
}
