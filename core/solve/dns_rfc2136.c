/*
 * The writer `rfc2136`: DNS updates over TCP, signed with a TSIG key. The key file is read anew for
 * each update, so that a key that was changed needs no reload.
 */
#include <openssl/crypto.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include "dns/stream.h"
#include "dns/tsig.h"
#include "dns/update.h"
#include "solve/writers.h"

#define TTL_S    60
#define PARALLEL 16
#define LIMIT_MS 20000

struct update {
    LIST_ENTRY(update) link;
    struct rfc2136 *writer;
    enum hc_writer_change what;
    const struct hc_txt_value *value;
    hc_writer_done *done;
    void *arg;
    struct hc_dns_update is;
    uint16_t id;
    struct hc_tsig_key key;
    bool is_signed;
    struct hc_tsig_mac mac;
    struct hc_dns_stream stream;
};

struct rfc2136 {
    const struct hc_dns_block *block;
    struct hc_writer_env env;
    struct hc_dns_server server;
    char identity[HC_DNS_SERVER_TEXT + 32];
    LIST_HEAD(, update) updates;
};

static void update_free(struct update *u)
{
    hc_dns_stream_stop(&u->stream);
    if (u->writer->env.secrets != NULL) {
        u->writer->env.secrets->forget(u->writer->env.secrets->self, u);
    }
    LIST_REMOVE(u, link);
    OPENSSL_cleanse(u, sizeof(*u));
    free(u);
}

/* cause: what went wrong, or NULL. */
static void finish(struct update *u, const struct hc_error *cause)
{
    hc_writer_done *done = u->done;
    void *arg = u->arg;
    struct hc_error err = {0};
    struct hc_writer_result result = {.err = cause != NULL ? &err : NULL};

    if (cause != NULL && cause->subject[0] != '\0') {
        err = *cause; /* about a file of ours */
    } else if (cause != NULL) {
        hc_error_set(&err, cause->problem, u->value->name, "%s: %s", u->writer->identity,
                     cause->detail);
    }
    update_free(u);
    done(arg, &result);
}

static void on_reply(void *arg, struct hc_bytes reply, const struct hc_error *err)
{
    struct update *u = arg;
    struct hc_error own;

    hc_error_init(&own);
    if (err != NULL) {
        finish(u, err);
        return;
    }
    if ((u->is_signed &&
         hc_tsig_verify(reply, &u->key, hc_now(u->writer->env.clock), &u->mac, &own) != 0) ||
        hc_dns_update_check(reply, &u->is, u->id, &own) != 0) {
        finish(u, &own);
        return;
    }
    finish(u, NULL);
}

static void ask(struct update *u)
{
    const struct hc_random *random = u->writer->env.random;
    struct hc_buf message = HC_BUF_INIT(HC_DNS_UPDATE_MAX);
    struct hc_dns_stream_options options = {
        .loop = u->writer->env.loop, .server = &u->writer->server, .limit_ms = LIMIT_MS};
    struct hc_error err;
    int rc = -1;

    hc_error_init(&err);
    if (random->bytes(random->self, (unsigned char *)&u->id, sizeof(u->id)) != 0) {
        hc_error_set(&err, HC_P_INTERNAL, NULL, "the system provides no random bytes");
    } else if (hc_dns_update_write(&u->is, u->id, &message, &err) == 0 &&
               (!u->is_signed || hc_tsig_sign(&message, &u->key, hc_now(u->writer->env.clock),
                                              &u->mac, &err) == 0)) {
        options.message = hc_bytes_of(&message);
        rc = hc_dns_stream_start(&u->stream, &options, on_reply, u, &err);
    }
    hc_buf_dispose(&message);
    if (rc != 0) {
        finish(u, &err);
    }
}

static void on_key(void *arg, struct hc_bytes content, const struct hc_error *err)
{
    struct update *u = arg;
    struct hc_error own;

    hc_error_init(&own);
    if (err != NULL) {
        finish(u, err);
    } else if (hc_tsig_key_parse(content, u->writer->block->key_file, &u->key, &own) != 0) {
        finish(u, &own);
    } else {
        u->is_signed = true;
        ask(u);
    }
}

static int set_names(struct update *u, struct hc_error *err)
{
    if (u->value->zone == NULL) {
        return hc_error_set(err, HC_P_DNS_WRITE, NULL,
                            "the zone of this name cannot be found (no SOA record)");
    }
    u->is.value = u->value->value;
    u->is.ttl = u->writer->block->ttl > 0 ? (uint32_t)u->writer->block->ttl : TTL_S;
    u->is.remove = u->what == HC_WRITER_REMOVE;
    return hc_dname_from_host(u->value->zone, &u->is.zone, err) == 0
               ? hc_dname_from_host(u->value->name, &u->is.name, err)
               : -1;
}

static void change(void *self, enum hc_writer_change what, const struct hc_txt_value *value,
                   hc_writer_done *done, void *arg)
{
    struct rfc2136 *writer = self;
    struct update *u = calloc(1, sizeof(*u));
    struct hc_error err;
    const struct hc_writer_result failed = {.err = &err};

    hc_error_init(&err);
    if (u == NULL) {
        (void)hc_error_nomem(&err);
        done(arg, &failed);
        return;
    }
    u->writer = writer;
    u->what = what;
    u->value = value;
    u->done = done;
    u->arg = arg;
    LIST_INSERT_HEAD(&writer->updates, u, link);
    if (set_names(u, &err) != 0) {
        finish(u, &err);
    } else if (writer->block->key_file == NULL) {
        ask(u);
    } else {
        writer->env.secrets->read(writer->env.secrets->self, writer->block->key_file, on_key, u);
    }
}

static void cancel(void *self, const void *arg)
{
    struct rfc2136 *writer = self;
    struct update *next = NULL;

    for (struct update *u = LIST_FIRST(&writer->updates); u != NULL; u = next) {
        next = LIST_NEXT(u, link);
        if (u->arg == arg) {
            update_free(u);
        }
    }
}

static void close_writer(void *self)
{
    struct rfc2136 *writer = self;

    while (!LIST_EMPTY(&writer->updates)) {
        update_free(LIST_FIRST(&writer->updates));
    }
    free(writer);
}

int hc_dns_rfc2136_open(const struct hc_dns_block *block, const struct hc_writer_env *env,
                        struct hc_dns_writer *out, struct hc_error *err)
{
    struct rfc2136 *writer = calloc(1, sizeof(*writer));
    char server[HC_DNS_SERVER_TEXT];

    if (writer == NULL) {
        return hc_error_nomem(err);
    }
    writer->block = block;
    writer->env = *env;
    LIST_INIT(&writer->updates);
    if (hc_dns_server_parse(block->server, &writer->server, err) != 0) {
        free(writer);
        return -1;
    }
    (void)snprintf(writer->identity, sizeof(writer->identity), "the name server %s",
                   hc_dns_server_format(&writer->server, server));
    *out = (struct hc_dns_writer){
        .self = writer,
        .parallel = PARALLEL,
        .change = change,
        .cancel = cancel,
        .identity = writer->identity,
        .close = close_writer,
    };
    return 0;
}
