/*
 * The writer `route53`: Amazon Route 53. A record set holds all values of a name, so the set is
 * read, ours is added or taken out, and the whole is written: DELETE of the set as it was read and
 * CREATE of the new one in one batch, which Route 53 refuses if somebody changed the set in
 * between; then it is read anew. A value of ours that another's UPSERT swallowed afterwards is
 * noticed when the set is read once more, and added anew.
 *
 *     zone -> read -> write -> (added:) in sync -> read again -> done
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "solve/route53.h"
#include "solve/writers.h"

#define URL        "https://route53.amazonaws.com"
#define PARALLEL   16
#define LIMIT_MS   180000 /* of a change, without the wait for its servers */
#define POLL_MS    2000
#define ZONE_S     3600
#define QUOTED_MAX 1024

static void begin_read(struct hc_route53_job *c);
static void begin_zone(struct hc_route53_job *c);

/* ---- in sync ---- */

static void send_sync(struct hc_route53_job *c, const struct hc_aws_credentials *who)
{
    char path[64];

    (void)snprintf(path, sizeof(path), "change/%s", c->sent.id);
    hc_route53_send(c, who, path, (struct hc_bytes){NULL, 0});
}

static int judge_sync(struct hc_route53_job *c, struct hc_bytes body, struct hc_error *err)
{
    struct hc_route53_change now;

    if (hc_route53_take_change(body, &now, err) != 0) {
        return -1;
    }
    if (now.in_sync) {
        c->written = true;
        begin_read(c);
    } else if (hc_now_ms(c->is.writer->env.clock) + POLL_MS > c->sync_until_ms) {
        hc_route53_finish(c, NULL, false); /* the servers themselves are asked for the rest */
    } else {
        hc_route53_again(c, POLL_MS);
    }
    return 0;
}

/* ---- write ---- */

/* What the set is to be: with ours, or without. */
static int make_next(const struct hc_route53_job *c, struct hc_route53_set *next,
                     struct hc_error *err)
{
    const struct hc_dns_block *block = c->is.writer->block;
    struct hc_buf quoted = HC_BUF_INIT(QUOTED_MAX);
    int rc = hc_route53_quote(c->is.value->value, &quoted, err);

    next->ttl = c->set.there ? c->set.ttl : block->ttl > 0 ? block->ttl : HC_WRITER_TTL_S;
    for (size_t i = 0; i < c->set.values.count && rc == 0; i++) {
        if (strcmp(c->set.values.items[i], hc_buf_text(&quoted)) != 0) {
            rc = hc_list_add(&next->values, c->set.values.items[i], err);
        }
    }
    if (rc == 0 && c->is.what == HC_WRITER_ADD) {
        rc = hc_list_add(&next->values, hc_buf_text(&quoted), err);
    }
    hc_buf_dispose(&quoted);
    return rc;
}

static void send_write(struct hc_route53_job *c, const struct hc_aws_credentials *who)
{
    struct hc_buf body = HC_BUF_INIT(HC_ROUTE53_REPLY);
    struct hc_route53_set next = {.plain = true};
    char path[96];
    struct hc_error err;

    c->writing = true;
    hc_error_init(&err);
    (void)snprintf(path, sizeof(path), "hostedzone/%s/rrset/", c->zone);
    if (make_next(c, &next, &err) == 0 &&
        hc_route53_put_change(&body, c->is.value->name, &c->set, &next, &err) == 0) {
        hc_route53_send(c, who, path, hc_bytes_of(&body));
    } else {
        hc_route53_finish(c, &err, false);
    }
    hc_buf_dispose(&body);
    hc_route53_set_dispose(&next);
}

static int judge_write(struct hc_route53_job *c, struct hc_bytes body, struct hc_error *err)
{
    c->writing = false;
    if (hc_route53_take_change(body, &c->sent, err) != 0) {
        return -1;
    }
    if (c->is.what == HC_WRITER_REMOVE) {
        hc_route53_finish(c, NULL, false);
        return 0;
    }
    c->sync_until_ms =
        hc_now_ms(c->is.writer->env.clock) + c->is.writer->block->propagation_timeout * 1000;
    c->until_ms = c->sync_until_ms + LIMIT_MS;
    c->judge = judge_sync;
    hc_route53_ask(c, send_sync, c->sent.in_sync ? 0 : POLL_MS);
    return 0;
}

/* ---- read ---- */

static void send_read(struct hc_route53_job *c, const struct hc_aws_credentials *who)
{
    char before[96];

    (void)snprintf(before, sizeof(before), "hostedzone/%s/rrset?maxitems=1&name=", c->zone);
    hc_route53_get(c, who, before, c->is.value->name, ".&type=TXT");
}

static int judge_read(struct hc_route53_job *c, struct hc_bytes body, struct hc_error *err)
{
    struct hc_buf quoted = HC_BUF_INIT(QUOTED_MAX);
    bool there = false;

    if (hc_route53_take_set(body, c->is.value->name, &c->set, err) != 0 ||
        hc_route53_quote(c->is.value->value, &quoted, err) != 0) {
        hc_buf_dispose(&quoted);
        return -1;
    }
    there = hc_list_has(&c->set.values, hc_buf_text(&quoted));
    hc_buf_dispose(&quoted);
    if (there == (c->is.what == HC_WRITER_ADD)) {
        hc_route53_finish(c, NULL, c->written);
    } else if (!c->set.plain) {
        return hc_error_set(err, HC_P_DNS_REFUSED, NULL,
                            "the TXT record set of this name is an alias or has a routing policy");
    } else if (c->written && ++c->rounds >= HC_ROUTE53_ROUNDS) {
        return hc_error_set(err, HC_P_DNS_WRITE, NULL,
                            "another program keeps changing the record set");
    } else {
        c->written = false;
        c->judge = judge_write;
        hc_route53_ask(c, send_write, 0);
    }
    return 0;
}

static void begin_read(struct hc_route53_job *c)
{
    c->writing = false;
    c->judge = judge_read;
    hc_route53_ask(c, send_read, 0);
}

/* ---- zone ---- */

static void found_zone(struct hc_route53_job *c, const char *id)
{
    (void)hc_copy(c->zone, sizeof(c->zone), id);
    begin_read(c);
}

static const char *kept_zone(const struct hc_route53_job *c)
{
    for (size_t i = 0; i < HC_ROUTE53_ZONES; i++) {
        const struct hc_route53_zone *zone = &hc_route53_of(c)->zones[i];

        if (zone->until > hc_now(c->is.writer->env.clock) && strcmp(zone->name, c->suffix) == 0) {
            return zone->id;
        }
    }
    return NULL;
}

static void keep_zone(struct hc_route53_job *c, const char *id)
{
    struct hc_route53_zone *zone =
        &hc_route53_of(c)->zones[hc_route53_of(c)->zone_next++ % HC_ROUTE53_ZONES];

    if (hc_copy(zone->name, sizeof(zone->name), c->suffix) &&
        hc_copy(zone->id, sizeof(zone->id), id)) {
        zone->until = hc_now(c->is.writer->env.clock) + ZONE_S;
    }
}

/* The next shorter suffix of at least two labels; false: there is none. */
static bool next_suffix(struct hc_route53_job *c)
{
    const char *dot = NULL;

    if (!c->tried_soa) {
        c->tried_soa = true;
        c->suffix = c->is.value->name;
        return true;
    }
    dot = strchr(c->suffix, '.');
    if (dot == NULL || strchr(dot + 1, '.') == NULL) {
        return false;
    }
    c->suffix = dot + 1;
    return true;
}

static void send_zone(struct hc_route53_job *c, const struct hc_aws_credentials *who)
{
    hc_route53_get(c, who, "hostedzonesbyname?dnsname=", c->suffix, ".&maxitems=20");
}

static int judge_zone(struct hc_route53_job *c, struct hc_bytes body, struct hc_error *err)
{
    struct hc_route53_zones zones = {.name = c->suffix};

    if (hc_route53_take_zones(body, &zones, err) != 0) {
        return -1;
    }
    if (zones.count > 1) {
        return hc_error_set(err, HC_P_DNS_WRITE, NULL,
                            "there are %zu public hosted zones of %s: select one with hosted_zone",
                            zones.count, c->suffix);
    }
    if (zones.count == 1) {
        keep_zone(c, zones.id);
        found_zone(c, zones.id);
        return 0;
    }
    if (!next_suffix(c)) {
        return hc_error_set(err, HC_P_DNS_REFUSED, NULL,
                            "the account has no public hosted zone for this name");
    }
    begin_zone(c);
    return 0;
}

static void begin_zone(struct hc_route53_job *c)
{
    const char *kept = kept_zone(c);

    if (kept != NULL) {
        found_zone(c, kept);
        return;
    }
    c->judge = judge_zone;
    hc_route53_ask(c, send_zone, 0);
}

static bool is_below(const char *name, const char *zone)
{
    size_t len = strlen(name);
    size_t of = strlen(zone);

    return len >= of && strcmp(name + len - of, zone) == 0 &&
           (len == of || name[len - of - 1] == '.');
}

/* ---- the writer ---- */

static void begin(struct hc_change *change)
{
    struct hc_route53_job *c = (struct hc_route53_job *)(void *)change;
    const struct hc_txt_value *value = change->value;
    const char *hosted_zone = change->writer->block->hosted_zone;

    c->read = begin_read;
    hc_route53_begin_asking(c);
    c->until_ms = hc_now_ms(change->writer->env.clock) + LIMIT_MS;
    /* where the DNS leads is where it can be seen: a longer zone here may be delegated by nobody */
    c->tried_soa = value->zone == NULL || !is_below(value->name, value->zone);
    c->suffix = c->tried_soa ? value->name : value->zone;
    if (hosted_zone != NULL) {
        found_zone(c, hosted_zone);
    } else {
        begin_zone(c);
    }
}

static void drop(struct hc_change *change)
{
    hc_route53_drop((struct hc_route53_job *)(void *)change);
}

static void close_writer(struct hc_changes *is)
{
    hc_aws_free(((struct hc_route53 *)(void *)is)->aws);
}

static void set_url(struct hc_route53 *writer, const struct hc_aws_options *options)
{
    const char *url = writer->is.block->endpoint;
    size_t len = 0;

    url = url != NULL ? url : hc_aws_endpoint(options, "ROUTE_53");
    url = url != NULL ? url : URL;
    len = strlen(url);
    while (len > 0 && url[len - 1] == '/') {
        len--;
    }
    (void)snprintf(writer->url, sizeof(writer->url), "%.*s", (int)len, url);
}

int hc_dns_route53_open(const struct hc_dns_block *block, const struct hc_writer_env *env,
                        struct hc_dns_writer *out, struct hc_error *err)
{
    static const struct hc_change_kind kind = {
        .writer_size = sizeof(struct hc_route53),
        .change_size = sizeof(struct hc_route53_job),
        .parallel = PARALLEL,
        .fetches = true,
        .begin = begin,
        .drop = drop,
        .close = close_writer,
    };
    struct hc_changes *is = hc_changes_new(&kind, block, env, out, err);
    struct hc_route53 *writer = (struct hc_route53 *)(void *)is;
    const struct hc_aws_options options = {
        .clock = env->clock,
        .http = env->http,
        .files = env->secrets,
        .redaction = env->redaction,
        .credentials = block->credentials,
        .role_arn = block->role_arn,
    };

    if (is == NULL) {
        return -1;
    }
    set_url(writer, &options);
    (void)hc_copy(is->identity, sizeof(is->identity), "Route 53");
    if (hc_aws_new(&options, &writer->aws, err) != 0) {
        out->close(is);
        return -1;
    }
    return 0;
}
