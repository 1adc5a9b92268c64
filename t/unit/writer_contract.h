/*
 * What every DNS writer keeps to: run by its own test against a server that speaks the real
 * protocol. The test fills in a struct writer_world and calls writer_contract(). Before, there
 * stand values of others in the zone, some of them at the very name that is written.
 */
#ifndef HC_T_WRITER_CONTRACT_H
#define HC_T_WRITER_CONTRACT_H

#include <stdlib.h>
#include <string.h>

#include "conf/build.h"
#include "conf_lib.h"
#include "solve/writers.h"
#include "tap.h"

struct writer_foreign {
    const char *name, *value;
};

struct writer_world {
    const struct hc_dns_block *block;
    struct hc_writer_env env;
    struct hc_dns_writer writer;
    const char *zone;                     /* "a.test" */
    const char *name;                     /* "_acme-challenge.a.test": writable */
    const char *other;                    /* another that is writable */
    const struct writer_foreign *foreign; /* stand before and after; ends with a NULL name */
    const char *secret; /* that no log, no error and no memo may have; NULL: there is none */
    /* True if this value stands at this name now, asked of the server itself. */
    bool (*stands)(struct writer_world *w, const char *name, const char *value);
    bool keeps; /* the provider has no way to remove (acme-dns): it forgets by itself */
    void *self;
    /* what came of a change */
    int done, failed;
    bool spread;
    char memo[HC_WRITER_MEMO];
    struct hc_error error;
    char log[65536];
};

/* ---- a world's own ports ---- */

static inline void writer_keep_line(void *self, enum hc_level level HC_UNUSED, const char *line)
{
    struct writer_world *w = self;
    size_t used = strlen(w->log);

    (void)snprintf(w->log + used, sizeof(w->log) - used, "%s\n", line);
}

/* Secrets are plain files here; which ones others can read is agent_secrets_test.c's. */
static inline void writer_read_secret(void *self HC_UNUSED, const char *path, hc_secret_done *tell,
                                      void *arg)
{
    static char text[65536];
    struct hc_bytes content = {(const unsigned char *)text, 0};
    struct hc_error err;
    FILE *f = fopen(path, "re");

    hc_error_init(&err);
    if (f == NULL) {
        hc_error_set(&err, HC_P_FILE_UNREADABLE, path, "it is not there");
        tell(arg, content, &err);
        return;
    }
    content.len = fread(text, 1, sizeof(text), f);
    (void)fclose(f);
    tell(arg, content, NULL);
}

static inline void writer_forget(void *self HC_UNUSED, const void *arg HC_UNUSED)
{
}

/*
 * Fills in all of env that a writer may use; lines: the block's, one a directive, NULL at the end.
 * main, value: a directive of the main level; NULL: none.
 */
static inline void writer_world_init_with(struct writer_world *w, const char *const *lines,
                                          const char *main_line, const char *value)
{
    static struct hc_secret_port secrets = {NULL, writer_read_secret, writer_read_secret,
                                            writer_forget};
    static struct hc_log log;
    struct hc_conf *conf = hc_conf_new(HC_SERVER_NGINX, NULL);
    struct hc_error err;
    void *block = NULL;

    hc_error_init(&err);
    if (hc_block_begin(conf, &hc_block_dns, "own", "test.conf:1", &block, &err) != 0) {
        abort();
    }
    for (size_t i = 0; lines[i] != NULL; i++) {
        char copy[1024];
        char *rest = copy;
        const char *args[64];
        unsigned count = 0;
        char *word = NULL;
        struct hc_directive_call call = {
            .conf = conf, .block = block, .context = HC_CTX_DNS, .where = "test.conf:1"};

        hc_copy(copy, sizeof(copy), lines[i]);
        while ((word = strsep(&rest, " ")) != NULL && count < 64) {
            args[count++] = word;
        }
        call.directive = hc_directive_find(args[0], HC_CTX_DNS);
        call.args = args + 1;
        call.count = count - 1;
        if (call.directive == NULL || hc_directive_apply(&call, &err) != 0) {
            printf("Bail out! %s: %s\n", lines[i], err.detail);
            exit(1);
        }
    }
    if (main_line != NULL) {
        const struct hc_directive_call call = {.directive =
                                                   hc_directive_find(main_line, HC_CTX_MAIN),
                                               .conf = conf,
                                               .context = HC_CTX_MAIN,
                                               .where = "test.conf:1",
                                               .args = &value,
                                               .count = 1};

        if (hc_directive_apply(&call, &err) != 0) {
            abort();
        }
    }
    if (hc_conf_finish(conf, &err) != 0) {
        printf("Bail out! %s %s\n", err.subject, err.detail);
        exit(1);
    }
    log = (struct hc_log){w, HC_LOG_DEBUG, writer_keep_line};
    w->block = block;
    w->env.conf = conf;
    w->env.clock = &hc_clock_system;
    w->env.random = &hc_random_system;
    w->env.secrets = &secrets;
    if (hc_redaction_new(&w->env.redaction, &err) != 0 ||
        hc_loop_new(&hc_clock_system, &w->env.loop, &err) != 0) {
        abort();
    }
    w->env.log = hc_redaction_log(w->env.redaction, &log);
}

static inline void writer_world_init(struct writer_world *w, const char *const *lines)
{
    writer_world_init_with(w, lines, NULL, NULL);
}

static inline void writer_world_open(struct writer_world *w)
{
    struct hc_error err;

    hc_error_init(&err);
    ok(hc_writers_open(w->block, &w->env, &w->writer, &err) == 0, "the writer is opened");
    ok(w->writer.parallel > 0 && w->writer.identity[0] != '\0', "and says what it is");
}

static inline void writer_world_end(struct writer_world *w)
{
    w->writer.close(w->writer.self);
    hc_loop_free(w->env.loop);
    hc_redaction_free(w->env.redaction);
    hc_conf_free((struct hc_conf *)(uintptr_t)w->env.conf);
}

/* ---- changes ---- */

static inline void writer_done(void *arg, const struct hc_writer_result *result)
{
    struct writer_world *w = arg;

    w->done++;
    w->spread = result->spread;
    if (result->memo != NULL) {
        hc_copy(w->memo, sizeof(w->memo), result->memo);
    }
    if (result->err != NULL) {
        w->failed++;
        w->error = *result->err;
    }
}

static inline struct hc_txt_value writer_value(const struct writer_world *w, const char *name,
                                               const char *value)
{
    return (struct hc_txt_value){
        .name = name,
        .zone = w->zone,
        .value = value,
        .alias = name,
        .domain = strncmp(name, "_acme-challenge.", 16) == 0 ? name + 16 : name,
        .token = "evaGxfADs6pSRb2LAv9IZf17Dt3juxGJ",
        .keyauth = "evaGxfADs6pSRb2LAv9IZf17Dt3juxGJ.thumbprintthumbprint",
        .memo = w->memo,
    };
}

/* Until done() came so often in all, or for half a minute. */
static inline void writer_wait(struct writer_world *w, int done)
{
    int64_t end = hc_now_ms(&hc_clock_system) + 30000;

    while (w->done < done && hc_now_ms(&hc_clock_system) < end) {
        (void)!hc_loop_pass(w->env.loop, 50, NULL);
    }
}

/* True if it went well. */
static inline bool writer_change(struct writer_world *w, enum hc_writer_change what,
                                 const char *name, const char *value)
{
    const struct hc_txt_value v = writer_value(w, name, value);
    int failed = w->failed;
    int done = w->done;

    hc_error_init(&w->error);
    w->writer.change(w->writer.self, what, &v, writer_done, w);
    writer_wait(w, done + 1);
    if (w->failed > failed) {
        printf("# %s: %s\n", w->error.subject, w->error.detail);
    }
    return w->done == done + 1 && w->failed == failed;
}

#define WRITER_ADD(w, name, value)    writer_change((w), HC_WRITER_ADD, (name), (value))
#define WRITER_REMOVE(w, name, value) writer_change((w), HC_WRITER_REMOVE, (name), (value))

static inline bool writer_foreign_stand(struct writer_world *w)
{
    for (size_t i = 0; w->foreign[i].name != NULL; i++) {
        if (!w->stands(w, w->foreign[i].name, w->foreign[i].value)) {
            printf("# gone: %s \"%s\"\n", w->foreign[i].name, w->foreign[i].value);
            return false;
        }
    }
    return true;
}

static inline void writer_contract(struct writer_world *w)
{
    static const char a[] = "LoqXcYV8q5ONbJQxbmR7SCTNo3tiAXDfowyjxAjEuX0";
    static const char b[] = "9jg46WB3rR_AHD-EBXdN7cBkH1WOu0tA3M9fm21mqTI";
    const struct hc_txt_value va = writer_value(w, w->name, a);
    const struct hc_txt_value vb = writer_value(w, w->other, b);
    int done = 0;

    ok(writer_foreign_stand(w), "others have their values in the zone");
    ok(WRITER_ADD(w, w->name, a) && w->stands(w, w->name, a), "a value that is added stands");
    ok(WRITER_ADD(w, w->name, b) && w->stands(w, w->name, a) && w->stands(w, w->name, b),
       "a second one stands beside it");
    ok(WRITER_ADD(w, w->name, a) && w->stands(w, w->name, a), "adding what is there is fine");
    ok(writer_foreign_stand(w), "the values of others stay");
    ok(WRITER_REMOVE(w, w->name, a) && w->stands(w, w->name, b), "one is removed, the other stays");
    ok(w->keeps || !w->stands(w, w->name, a), "it is gone");
    ok(writer_foreign_stand(w), "the values of others stay");
    ok(WRITER_REMOVE(w, w->name, a), "removing what is not there is fine");

    done = w->done;
    w->writer.change(w->writer.self, HC_WRITER_ADD, &va, writer_done, w);
    if (w->writer.parallel > 1) {
        w->writer.change(w->writer.self, HC_WRITER_ADD, &vb, writer_done, w);
    } else {
        writer_wait(w, done + 1);
        w->writer.change(w->writer.self, HC_WRITER_ADD, &vb, writer_done, w);
    }
    writer_wait(w, done + 2);
    ok(w->done == done + 2 && w->stands(w, w->name, a) && w->stands(w, w->other, b),
       "two names are written");

    done = w->done;
    w->writer.change(w->writer.self, HC_WRITER_REMOVE, &va, writer_done, w);
    w->writer.cancel(w->writer.self, w);
    is_int(w->done - done <= 1, 1, "cancelled, it says nothing, or had said it before");
    done = w->done;
    for (int i = 0; i < 10; i++) {
        (void)!hc_loop_pass(w->env.loop, 20, NULL);
    }
    is_int(w->done, done, "nor later");

    ok(WRITER_REMOVE(w, w->name, a) && WRITER_REMOVE(w, w->name, b) &&
           WRITER_REMOVE(w, w->other, b),
       "all are removed");
    ok(w->keeps ||
           (!w->stands(w, w->name, a) && !w->stands(w, w->name, b) && !w->stands(w, w->other, b)),
       "and none is left");
    ok(writer_foreign_stand(w), "the values of others stay to the end");
    ok(w->secret == NULL ||
           (strstr(w->log, w->secret) == NULL && strstr(w->error.detail, w->secret) == NULL),
       "no log has the secret");
    ok(strstr(w->log, "thumbprintthumbprint") == NULL, "nor the key authorization");
}

#endif
