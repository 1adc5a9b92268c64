/* What stands in other people's DNS; see written.h. */
#include "agent/written.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/reader.h"
#include "conf/writer.h"
#include "loop/timer.h"
#include "store/record.h"

#define KIND       "written"
#define VALUE_MAX  16384
#define TEXT_MAX   8192
#define OTHERS_S   7200 /* no order takes that long: another agent's is nobody's by then */
#define AGAIN_MS   ((int64_t)1800 * 1000)
#define OWNER_SIZE 384

static const unsigned char magic[4] = {'h', 'c', 'w', '1'};

struct hc_written {
    const struct hc_env *env;
    struct hc_storage *storage;
    struct hc_written_port port;
    hc_written_found *found;
    void *arg;
    char owner[OWNER_SIZE]; /* this agent, also after a restart */
    struct hc_timer again;
};

/* The texts of a record, in this order. */
struct entry {
    const char *owner, *writer;
    struct hc_txt_value value;
};
#define TEXTS 10

static void texts_of(struct entry *entry, const char **texts[TEXTS])
{
    const char **list[TEXTS] = {&entry->owner,        &entry->writer,      &entry->value.name,
                                &entry->value.zone,   &entry->value.value, &entry->value.alias,
                                &entry->value.domain, &entry->value.token, &entry->value.keyauth,
                                &entry->value.memo};

    memcpy(texts, list, sizeof(list));
}

/* A chunk is never empty: each begins with '=' or, for what is not there, is '-'. */
static int encode(struct entry *entry, int64_t now, struct hc_buf *out, struct hc_error *err)
{
    const char **texts[TEXTS];
    int rc = hc_buf_append(out, magic, sizeof(magic), err);

    texts_of(entry, texts);
    rc = rc == 0 ? hc_put_number(out, (uint64_t)now, 8, err) : rc;
    for (size_t i = 0; i < TEXTS && rc == 0; i++) {
        const char *text = *texts[i];

        rc = hc_put_number(out, (text != NULL ? strlen(text) : 0) + 1, 4, err);
        rc = rc == 0 ? hc_buf_puts(out, text != NULL ? "=" : "-", err) : rc;
        rc = rc == 0 && text != NULL ? hc_buf_puts(out, text, err) : rc;
    }
    return rc;
}

/* The texts point into memory, which has room for all of the bytes and a NUL for each text. */
static int decode(struct hc_bytes bytes, char *memory, struct entry *entry, int64_t *at,
                  struct hc_error *err)
{
    struct hc_reader in = hc_reader_of(bytes);
    const char **texts[TEXTS];
    uint64_t when = 0;

    texts_of(entry, texts);
    if (hc_get_magic(&in, magic, err) != 0 || hc_get_number(&in, 8, &when, err) != 0) {
        return -1;
    }
    *at = (int64_t)when;
    for (size_t i = 0; i < TEXTS; i++) {
        struct hc_bytes chunk;

        if (hc_get_chunk(&in, TEXT_MAX, &chunk, err) != 0) {
            return -1;
        }
        memcpy(memory, chunk.data + 1, chunk.len - 1);
        memory[chunk.len - 1] = '\0';
        *texts[i] = chunk.data[0] == '=' ? memory : NULL;
        memory += chunk.len;
    }
    for (size_t i = 0; i < TEXTS; i++) {
        if (*texts[i] == NULL && texts[i] != &entry->value.zone) {
            return hc_error_set(err, HC_P_PROTOCOL, NULL, "a text is missing");
        }
    }
    return 0;
}

static int key_of(const char *writer, const struct hc_txt_value *value, struct hc_buf *key,
                  struct hc_error *err)
{
    return hc_buf_printf(key, err, "%s\n%s\n%s", writer, value->alias, value->value);
}

static int on_put(void *self, const char *writer, const struct hc_txt_value *value,
                  struct hc_error *err)
{
    struct hc_written *written = self;
    struct hc_store *store = hc_storage_store(written->storage);
    struct entry entry = {written->owner, writer, *value};
    struct hc_buf key = HC_BUF_INIT(VALUE_MAX);
    struct hc_buf text = HC_BUF_INIT_SECRET(VALUE_MAX);
    int rc = -1;

    if (store == NULL) {
        hc_error_set(err, HC_P_STORE_WRITE, NULL, "the store is not open");
    } else if (key_of(writer, value, &key, err) == 0 &&
               encode(&entry, hc_env_now(written->env), &text, err) == 0) {
        rc = hc_store_put(store, KIND, hc_buf_text(&key), hc_bytes_of(&text), err);
    }
    hc_buf_dispose(&key);
    hc_buf_dispose(&text);
    return rc == 0 ? 0 : hc_error_during(err, "storing the state of a TXT record");
}

static void on_drop(void *self, const char *writer, const struct hc_txt_value *value)
{
    struct hc_written *written = self;
    struct hc_store *store = hc_storage_store(written->storage);
    struct hc_buf key = HC_BUF_INIT(VALUE_MAX);
    struct hc_error err;

    hc_error_init(&err);
    /* without a store it is found again, and removed once more, which is fine */
    if (store != NULL && (key_of(writer, value, &key, &err) != 0 ||
                          hc_store_delete(store, KIND, hc_buf_text(&key), &err) != 0)) {
        hc_log_error(written->env->log, HC_LOG_WARN, value->name, &err);
    }
    hc_buf_dispose(&key);
}

static bool is_to_be_told(const struct hc_written *written, const struct entry *entry, int64_t at)
{
    if (strcmp(entry->owner, written->owner) == 0) {
        return true;
    }
    return at + OTHERS_S < hc_env_now(written->env) &&
           hc_conf_dns(written->env->conf, entry->writer) != NULL;
}

static void tell_one(struct hc_written *written, const char *file, struct hc_error *err)
{
    struct hc_buf text = HC_BUF_INIT_SECRET(VALUE_MAX);
    struct entry entry = {.owner = NULL};
    int64_t at = 0;
    char *memory = NULL;

    if (hc_store_get_file(hc_storage_store(written->storage), KIND, file, &text, err) == 0) {
        memory = calloc(1, text.len + TEXTS);
        if (memory == NULL) {
            (void)hc_error_nomem(err);
        } else if (decode(hc_bytes_of(&text), memory, &entry, &at, err) == 0 &&
                   written->found != NULL && is_to_be_told(written, &entry, at)) {
            written->found(written->arg, entry.writer, &entry.value);
        }
    }
    if (memory != NULL) {
        explicit_bzero(memory, text.len + TEXTS);
        free(memory);
    }
    hc_buf_dispose(&text);
}

static void tell_all(struct hc_written *written)
{
    struct hc_store *store = hc_storage_store(written->storage);
    struct hc_list files = {NULL, 0, 0};
    struct hc_error err;

    hc_error_init(&err);
    if (store == NULL || written->found == NULL) {
        return;
    }
    if (hc_store_record_files(store, KIND, &files, &err) == 0) {
        for (size_t i = 0; i < files.count; i++) {
            tell_one(written, files.items[i], &err);
        }
    }
    if (hc_error_is_set(&err)) {
        hc_log_error(written->env->log, HC_LOG_WARN, "reading the TXT records of an earlier run",
                     &err);
    }
    hc_list_dispose(&files);
}

static void on_listen(void *self, hc_written_found *found, void *arg)
{
    struct hc_written *written = self;

    written->found = found;
    written->arg = arg;
    tell_all(written);
}

static void on_event(void *self, const struct hc_event *event)
{
    if (event->kind == HC_EVENT_STORE_OPENED) {
        tell_all(self);
    }
}

/* What other agents left grows old while this one runs. */
static void on_again(void *self)
{
    struct hc_written *written = self;

    tell_all(written);
    hc_timer_in(&written->again, AGAIN_MS);
}

int hc_written_new(const struct hc_env *env, struct hc_storage *storage, struct hc_written **out,
                   struct hc_error *err)
{
    struct hc_written *written = calloc(1, sizeof(*written));
    char host[128] = "";

    if (written == NULL) {
        return hc_error_nomem(err);
    }
    written->env = env;
    written->storage = storage;
    written->port = (struct hc_written_port){written, on_put, on_drop, on_listen};
    (void)gethostname(host, sizeof(host) - 1);
    (void)snprintf(written->owner, sizeof(written->owner), "%s %s", host,
                   env->conf->control != NULL ? env->conf->control : "");
    if (hc_events_add(env->events, on_event, written, err) != 0) {
        free(written);
        return -1;
    }
    hc_timer_init(&written->again, env->loop, "TXT records of other agents", on_again, written);
    hc_timer_in(&written->again, AGAIN_MS);
    *out = written;
    return 0;
}

void hc_written_free(struct hc_written *written)
{
    if (written != NULL) {
        hc_timer_stop(&written->again);
        hc_events_remove(written->env->events, written);
        free(written);
    }
}

const struct hc_written_port *hc_written_port(struct hc_written *written)
{
    return &written->port;
}
