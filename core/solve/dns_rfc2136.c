/*
 * The writer `rfc2136`: DNS updates over TCP, signed with a TSIG key. The key file is read anew for
 * each update, so that a key that was changed needs no reload.
 */
#include <openssl/crypto.h>
#include <stdio.h>
#include <string.h>

#include "dns/stream.h"
#include "dns/tsig.h"
#include "dns/update.h"
#include "solve/change.h"
#include "solve/writers.h"

#define TTL_S    60
#define PARALLEL 16
#define LIMIT_MS 20000

struct update {
    struct hc_change is;
    struct hc_dns_update says;
    uint16_t id;
    struct hc_tsig_key key;
    bool is_signed;
    struct hc_tsig_mac mac;
    struct hc_dns_stream stream;
};

struct rfc2136 {
    struct hc_changes is;
    struct hc_dns_server server;
};

static struct rfc2136 *writer_of(const struct update *u)
{
    return (struct rfc2136 *)(void *)u->is.writer;
}

static void drop(struct hc_change *change)
{
    struct update *u = (struct update *)(void *)change;

    hc_dns_stream_stop(&u->stream);
    if (change->writer->env.secrets != NULL) {
        change->writer->env.secrets->forget(change->writer->env.secrets->self, u);
    }
}

static void on_reply(void *arg, struct hc_bytes reply, const struct hc_error *err)
{
    struct update *u = arg;
    struct hc_error own;

    hc_error_init(&own);
    if (err != NULL) {
        hc_change_fail(&u->is, err);
        return;
    }
    if ((u->is_signed &&
         hc_tsig_verify(reply, &u->key, hc_now(u->is.writer->env.clock), &u->mac, &own) != 0) ||
        hc_dns_update_check(reply, &u->says, u->id, &own) != 0) {
        hc_change_fail(&u->is, &own);
        return;
    }
    hc_change_end(&u->is, NULL, false, NULL);
}

static void ask(struct update *u)
{
    const struct hc_random *random = u->is.writer->env.random;
    struct hc_buf message = HC_BUF_INIT(HC_DNS_UPDATE_MAX);
    struct hc_dns_stream_options options = {
        .loop = u->is.writer->env.loop, .server = &writer_of(u)->server, .limit_ms = LIMIT_MS};
    struct hc_error err;
    int rc = -1;

    hc_error_init(&err);
    if (random->bytes(random->self, (unsigned char *)&u->id, sizeof(u->id)) != 0) {
        hc_error_set(&err, HC_P_INTERNAL, NULL, "the system provides no random bytes");
    } else if (hc_dns_update_write(&u->says, u->id, &message, &err) == 0 &&
               (!u->is_signed || hc_tsig_sign(&message, &u->key, hc_now(u->is.writer->env.clock),
                                              &u->mac, &err) == 0)) {
        options.message = hc_bytes_of(&message);
        rc = hc_dns_stream_start(&u->stream, &options, on_reply, u, &err);
    }
    hc_buf_dispose(&message);
    if (rc != 0) {
        hc_change_fail(&u->is, &err);
    }
}

static void on_key(void *arg, struct hc_bytes content, const struct hc_error *err)
{
    struct update *u = arg;
    struct hc_error own;

    hc_error_init(&own);
    if (err != NULL) {
        hc_change_fail(&u->is, err);
    } else if (hc_tsig_key_parse(content, u->is.writer->block->key_file, &u->key, &own) != 0) {
        hc_change_fail(&u->is, &own);
    } else {
        u->is_signed = true;
        ask(u);
    }
}

static int set_names(struct update *u, struct hc_error *err)
{
    if (u->is.value->zone == NULL) {
        return hc_error_set(err, HC_P_DNS_WRITE, NULL,
                            "the zone of this name cannot be found (no SOA record)");
    }
    u->says.value = u->is.value->value;
    u->says.ttl = u->is.writer->block->ttl > 0 ? (uint32_t)u->is.writer->block->ttl : TTL_S;
    u->says.remove = u->is.what == HC_WRITER_REMOVE;
    return hc_dname_from_host(u->is.value->zone, &u->says.zone, err) == 0
               ? hc_dname_from_host(u->is.value->name, &u->says.name, err)
               : -1;
}

static void begin(struct hc_change *change)
{
    struct update *u = (struct update *)(void *)change;
    const struct hc_writer_env *env = &change->writer->env;
    const char *file = change->writer->block->key_file;
    struct hc_error err;

    hc_error_init(&err);
    if (set_names(u, &err) != 0) {
        hc_change_fail(change, &err);
    } else if (file == NULL) {
        ask(u);
    } else {
        env->secrets->read(env->secrets->self, file, on_key, u);
    }
}

int hc_dns_rfc2136_open(const struct hc_dns_block *block, const struct hc_writer_env *env,
                        struct hc_dns_writer *out, struct hc_error *err)
{
    static const struct hc_change_kind kind = {
        .writer_size = sizeof(struct rfc2136),
        .change_size = sizeof(struct update),
        .parallel = PARALLEL,
        .begin = begin,
        .drop = drop,
    };
    struct hc_changes *is = hc_changes_new(&kind, block, env, out, err);
    struct rfc2136 *writer = (struct rfc2136 *)(void *)is;
    char server[HC_DNS_SERVER_TEXT];

    if (is == NULL) {
        return -1;
    }
    if (hc_dns_server_parse(block->server, &writer->server, err) != 0) {
        out->close(is);
        return -1;
    }
    (void)snprintf(is->identity, sizeof(is->identity), "the name server %s",
                   hc_dns_server_format(&writer->server, server));
    return 0;
}
