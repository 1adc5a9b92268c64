/*
 * The writer `rfc2136`: DNS updates over TCP, signed with a TSIG key. The key file is read anew for
 * each update, so that a key that was changed needs no reload.
 *
 * All records of a set have one TTL (RFC 2181 section 5.2): who adds one with another TTL changes
 * that of everybody's. So the server is asked for the set first, and what is added has its TTL.
 */
#include <openssl/crypto.h>
#include <stdio.h>
#include <string.h>

#include "dns/message.h"
#include "dns/stream.h"
#include "dns/tsig.h"
#include "dns/update.h"
#include "solve/change.h"
#include "solve/writers.h"

#define PARALLEL 16
#define LONG_S   300 /* a TTL that is worth a word */
#define LIMIT_MS 20000
#define ASK_MS   5000 /* for the TTL, which is not waited for at any price */

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

/* Signs the message, if there is a key, and sends it. */
static int send_signed(struct update *u, struct hc_buf *message, int64_t limit_ms,
                       hc_dns_stream_done *done, struct hc_error *err)
{
    const struct hc_writer_env *env = &u->is.writer->env;
    struct hc_dns_stream_options options = {
        .loop = env->loop, .server = &writer_of(u)->server, .limit_ms = limit_ms};

    if (u->is_signed && hc_tsig_sign(message, &u->key, hc_now(env->clock), &u->mac, err) != 0) {
        return -1;
    }
    options.message = hc_bytes_of(message);
    return hc_dns_stream_start(&u->stream, &options, done, u, err);
}

static int make_id(struct update *u, struct hc_error *err)
{
    const struct hc_random *random = u->is.writer->env.random;

    return random->bytes(random->self, (unsigned char *)&u->id, sizeof(u->id)) == 0
               ? 0
               : hc_error_set(err, HC_P_INTERNAL, NULL, "the system provides no random bytes");
}

static void send_update(struct update *u)
{
    struct hc_buf message = HC_BUF_INIT(HC_DNS_UPDATE_MAX);
    struct hc_error err;
    int rc = -1;

    hc_error_init(&err);
    if (make_id(u, &err) == 0 && hc_dns_update_write(&u->says, u->id, &message, &err) == 0) {
        rc = send_signed(u, &message, LIMIT_MS, on_reply, &err);
    }
    hc_buf_dispose(&message);
    if (rc != 0) {
        hc_change_fail(&u->is, &err);
    }
}

/* ---- the TTL of what stands there ---- */

static struct hc_dns_question question_of(const struct update *u)
{
    return (struct hc_dns_question){.name = u->says.name, .type = HC_DNS_TXT};
}

/* record: one of the set, or NULL. */
static void take_ttl(struct update *u, const struct hc_dns_record *record)
{
    if (record != NULL && record->ttl > u->says.ttl && record->ttl > LONG_S) {
        hc_logf(u->is.writer->env.log, HC_LOG_NOTICE,
                "%s: the existing TXT records have a TTL of %u s, so hotcert's record has it too; "
                "a CA with a cached answer may not see the record until that time has passed",
                u->is.value->name, (unsigned)record->ttl);
    }
    u->says.ttl = record != NULL ? record->ttl : u->says.ttl;
}

/* A reply that does not say it, or is not the server's for sure, says nothing: the update will. */
static void on_set(void *arg, struct hc_bytes reply, const struct hc_error *err)
{
    struct update *u = arg;
    struct hc_dns_question question = question_of(u);
    struct hc_dns_reply set;
    struct hc_error ignored;
    size_t at = 0;

    hc_error_init(&ignored);
    if (err == NULL &&
        (!u->is_signed ||
         hc_tsig_verify(reply, &u->key, hc_now(u->is.writer->env.clock), &u->mac, &ignored) == 0) &&
        hc_dns_reply_read(reply.data, reply.len, &question, u->id, &set, &ignored) ==
            HC_DNS_READ_REPLY) {
        const struct hc_dns_record *record =
            hc_dns_reply_next(&set, &question.name, HC_DNS_TXT, &at);

        take_ttl(u, record);
        hc_dns_reply_dispose(&set);
    }
    send_update(u);
}

static void ask_for_set(struct update *u)
{
    struct hc_dns_question question = question_of(u);
    struct hc_buf message = HC_BUF_INIT(HC_DNS_UPDATE_MAX);
    uint8_t query[HC_DNS_QUERY_MAX];
    size_t len = 0;
    struct hc_error err;
    int rc = -1;

    hc_error_init(&err);
    if (make_id(u, &err) == 0 &&
        hc_dns_query_write(&question, u->id, true, query, &len, &err) == 0 &&
        hc_buf_append(&message, query, len, &err) == 0) {
        rc = send_signed(u, &message, ASK_MS, on_set, &err);
    }
    hc_buf_dispose(&message);
    if (rc != 0) {
        hc_change_fail(&u->is, &err);
    }
}

static void begin_asking(struct update *u)
{
    if (u->says.remove) {
        send_update(u);
    } else {
        ask_for_set(u);
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
        begin_asking(u);
    }
}

static int set_names(struct update *u, struct hc_error *err)
{
    if (u->is.value->zone == NULL) {
        return hc_error_set(err, HC_P_DNS_WRITE, NULL,
                            "the zone of this name cannot be found (no SOA record)");
    }
    u->says.value = u->is.value->value;
    u->says.ttl =
        u->is.writer->block->ttl > 0 ? (uint32_t)u->is.writer->block->ttl : HC_WRITER_TTL_S;
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
        begin_asking(u);
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
