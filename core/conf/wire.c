/*
 * The configuration's wire form, from the server's master to the agent, loader and keeper: lines
 * of a key and its arguments, each argument percent-escaped; "issuer" and "identity" open a block
 * that the next of them, or "end", closes. The first line is the version, the last is "end".
 */
#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "conf/conf.h"

#define VERSION "hotcert-conf 1"

/* ---- writing ---- */

struct writer {
    struct hc_buf *out;
    struct hc_error *err;
    bool failed;
};

static void put(struct writer *w, const char *s)
{
    if (!w->failed && hc_buf_puts(w->out, s, w->err) != 0) {
        w->failed = true;
    }
}

static void put_arg(struct writer *w, const char *arg)
{
    char escaped[4];

    put(w, arg[0] == '\0' ? " %" : " ");
    for (const unsigned char *p = (const unsigned char *)arg; *p != '\0'; p++) {
        if (*p <= 0x20 || *p >= 0x7f || *p == '%') {
            snprintf(escaped, sizeof(escaped), "%%%02x", *p);
        } else {
            snprintf(escaped, sizeof(escaped), "%c", *p);
        }
        put(w, escaped);
    }
}

static void put_text(struct writer *w, const char *key, const char *value)
{
    if (value != NULL) {
        put(w, key);
        put_arg(w, value);
        put(w, "\n");
    }
}

static void put_number(struct writer *w, const char *key, int64_t value)
{
    char text[32];

    snprintf(text, sizeof(text), "%" PRId64, value);
    put_text(w, key, text);
}

static void put_list(struct writer *w, const char *key, const struct hc_list *list)
{
    for (size_t i = 0; i < list->count; i++) {
        put_text(w, key, list->items[i]);
    }
}

static void put_issuer(struct writer *w, const struct hc_issuer *issuer)
{
    put_text(w, "issuer", issuer->name);
    put_text(w, "directory_url", issuer->directory_url);
    put_list(w, "contact", &issuer->contacts);
    put_number(w, "terms_agreed", issuer->terms_agreed);
    put_text(w, "ca_bundle", issuer->ca_bundle);
    put_number(w, "network", issuer->network);
    put_number(w, "http_port", issuer->http_port);
    put_number(w, "tls_port", issuer->tls_port);
    put_list(w, "caa_domain", &issuer->caa_domains);
}

static void put_identity(struct writer *w, const struct hc_identity *identity)
{
    char hex[2 * HC_ID_SIZE + 1];

    hc_hex(hex, identity->id, HC_ID_SIZE);
    put_text(w, "identity", hex);
    put_number(w, "mode", identity->mode);
    put_list(w, "name", &identity->names);
    put_text(w, "lead", identity->lead);
    for (size_t i = 0; i < identity->set->key_types.count; i++) {
        put_text(w, "key_type", hc_key_type_name(identity->set->key_types.items[i]));
    }
    put_list(w, "use", &identity->set->use);
    put_list(w, "challenge", &identity->set->challenges);
    put_list(w, "accept", &identity->set->accept);
    put_list(w, "where", &identity->where);
    put_number(w, "preflight", identity->set->preflight);
    put_number(w, "bad_names", identity->set->bad_names);
    put_number(w, "repair", identity->set->repair);
    put_number(w, "security_level", identity->security_level);
    put_text(w, "trusted_certificate", identity->set->trusted_certificate);
    for (size_t i = 0; i < identity->watched_count; i++) {
        const struct hc_watched *watched = &identity->watched[i];

        put_number(w, "watched_certificate", watched->certificate);
        put_number(w, "watched_key", watched->key);
        put_number(w, "watched_passphrase", watched->passphrase);
        put_number(w, "watched_chain", watched->chain);
        put_number(w, "watched_store", watched->store);
        put_number(w, "watched_folder", watched->folder);
    }
}

int hc_conf_encode(const struct hc_conf *conf, struct hc_buf *out, struct hc_error *err)
{
    struct writer w = {out, err, false};

    put(&w, VERSION "\n");
    put_number(&w, "server", conf->server);
    put_text(&w, "store", conf->store);
    put_text(&w, "secret", conf->secret);
    put_text(&w, "agent", conf->agent);
    put_text(&w, "control", conf->control);
    put_text(&w, "user", conf->user);
    put_number(&w, "check_interval", conf->check_interval);
    put_number(&w, "parallel", conf->parallel);
    put_number(&w, "table_size", conf->table_size);
    put_number(&w, "joins_running", conf->joins_running ? 1 : 0);
    put_list(&w, "file", &conf->files);
    put_list(&w, "resolver", &conf->resolvers);
    for (size_t i = 0; i < conf->issuer_count; i++) {
        put_issuer(&w, &conf->issuers[i]);
    }
    for (size_t i = 0; i < conf->identity_count; i++) {
        put_identity(&w, &conf->identities[i]);
    }
    put(&w, "end\n");
    return w.failed ? -1 : 0;
}

/* ---- reading ---- */

struct reader {
    struct hc_conf *conf;
    struct hc_issuer *issuer; /* the open block, or NULL */
    struct hc_identity *identity;
    struct hc_error *err;
    bool ended;
};

static int malformed(struct reader *r, const char *key)
{
    return hc_error_set(r->err, HC_P_PROTOCOL, key, "in the configuration's wire form");
}

static int unescape(char *arg)
{
    char *to = arg;

    if (strcmp(arg, "%") == 0) {
        *arg = '\0';
        return 0;
    }
    for (const char *from = arg; *from != '\0'; from++) {
        unsigned char byte = 0;
        char digits[3];

        if (*from != '%') {
            *to++ = *from;
            continue;
        }
        if (from[1] == '\0' || from[2] == '\0') {
            return -1;
        }
        digits[0] = from[1];
        digits[1] = from[2];
        digits[2] = '\0';
        if (hc_unhex(&byte, 1, digits) != 0 || byte == 0) {
            return -1;
        }
        *to++ = (char)byte;
        from += 2;
    }
    *to = '\0';
    return 0;
}

static int get_number(struct reader *r, const char *value, int64_t least, int64_t most,
                      int64_t *out)
{
    char *end = NULL;
    long long number = strtoll(value, &end, 10);

    if (end == value || *end != '\0' || number < least || number > most) {
        return malformed(r, value);
    }
    *out = number;
    return 0;
}

static int get_text(struct reader *r, char **field, const char *value)
{
    return *field != NULL ? malformed(r, value) : hc_strdup(value, field, r->err);
}

static int open_issuer(struct reader *r, const char *name)
{
    struct hc_issuer *issuers =
        realloc(r->conf->issuers, (r->conf->issuer_count + 1) * sizeof(*issuers));

    if (issuers == NULL) {
        return hc_error_nomem(r->err);
    }
    r->conf->issuers = issuers;
    r->identity = NULL;
    r->issuer = &issuers[r->conf->issuer_count++];
    memset(r->issuer, 0, sizeof(*r->issuer));
    return hc_strdup(name, &r->issuer->name, r->err);
}

static int open_identity(struct reader *r, const char *hex)
{
    struct hc_conf *conf = r->conf;
    size_t count = conf->identity_count;

    /* grows by doubling: a power of two means full */
    if ((count & (count - 1)) == 0) {
        struct hc_identity *grown =
            realloc(conf->identities, (count > 0 ? 2 * count : 1) * sizeof(*grown));

        if (grown == NULL) {
            return hc_error_nomem(r->err);
        }
        conf->identities = grown;
    }
    r->issuer = NULL;
    r->identity = &conf->identities[conf->identity_count++];
    memset(r->identity, 0, sizeof(*r->identity));
    r->identity->set = hc_scope_new(r->err);
    if (r->identity->set == NULL) {
        return -1;
    }
    return hc_unhex(r->identity->id, HC_ID_SIZE, hex) == 0 ? 0 : malformed(r, hex);
}

static int issuer_line(struct reader *r, const char *key, const char *value)
{
    struct hc_issuer *issuer = r->issuer;
    int64_t number = 0;

    if (strcmp(key, "directory_url") == 0) {
        return get_text(r, &issuer->directory_url, value);
    }
    if (strcmp(key, "contact") == 0) {
        return hc_list_add(&issuer->contacts, value, r->err);
    }
    if (strcmp(key, "ca_bundle") == 0) {
        return get_text(r, &issuer->ca_bundle, value);
    }
    if (strcmp(key, "terms_agreed") == 0 && get_number(r, value, -1, 1, &number) == 0) {
        issuer->terms_agreed = (int)number;
        return 0;
    }
    if (strcmp(key, "network") == 0 && get_number(r, value, 0, HC_NETWORK_PRIVATE, &number) == 0) {
        issuer->network = (enum hc_network)number;
        return 0;
    }
    if (strcmp(key, "http_port") == 0) {
        return get_number(r, value, 0, 65535, &issuer->http_port);
    }
    if (strcmp(key, "tls_port") == 0) {
        return get_number(r, value, 0, 65535, &issuer->tls_port);
    }
    if (strcmp(key, "caa_domain") == 0) {
        return hc_list_add(&issuer->caa_domains, value, r->err);
    }
    return malformed(r, key);
}

/* The parts of a watched pair, by the keys of their lines. */
static const struct {
    const char *key;
    size_t offset; /* in struct hc_watched */
    bool needed;
} watched_parts[] = {
    {"watched_certificate", offsetof(struct hc_watched, certificate), true},
    {"watched_key", offsetof(struct hc_watched, key), true},
    {"watched_passphrase", offsetof(struct hc_watched, passphrase), false},
    {"watched_chain", offsetof(struct hc_watched, chain), false},
    {"watched_store", offsetof(struct hc_watched, store), false},
    {"watched_folder", offsetof(struct hc_watched, folder), false},
};

static int *watched_part(struct hc_watched *w, size_t part)
{
    return (int *)(void *)((char *)w + watched_parts[part].offset);
}

/* A certificate begins a pair. */
static struct hc_watched *open_watched(struct hc_identity *identity)
{
    struct hc_watched *w = NULL;

    if (identity->watched == NULL) {
        identity->watched = calloc(HC_WATCHED_MAX, sizeof(*identity->watched));
    }
    if (identity->watched == NULL || identity->watched_count == HC_WATCHED_MAX) {
        return NULL;
    }
    w = &identity->watched[identity->watched_count++];
    for (size_t i = 0; i < HC_COUNT(watched_parts); i++) {
        *watched_part(w, i) = -1;
    }
    return w;
}

static int watched_line(struct reader *r, const char *key, const char *value)
{
    struct hc_identity *identity = r->identity;
    struct hc_watched *w = NULL;
    int64_t number = 0;

    for (size_t i = 0; i < HC_COUNT(watched_parts); i++) {
        if (strcmp(key, watched_parts[i].key) != 0) {
            continue;
        }
        if (get_number(r, value, watched_parts[i].needed ? 0 : -1,
                       (int64_t)r->conf->files.count - 1, &number) != 0) {
            return -1;
        }
        if (i == 0) {
            w = open_watched(identity);
        } else if (identity->watched_count > 0) {
            w = &identity->watched[identity->watched_count - 1];
        }
        if (w == NULL) {
            return malformed(r, key);
        }
        *watched_part(w, i) = (int)number;
        return 0;
    }
    return malformed(r, key);
}

static int identity_line(struct reader *r, const char *key, const char *value)
{
    struct hc_identity *identity = r->identity;
    const struct {
        const char *key;
        struct hc_list *list;
    } lists[] = {{"name", &identity->names},
                 {"use", &identity->set->use},
                 {"challenge", &identity->set->challenges},
                 {"accept", &identity->set->accept},
                 {"where", &identity->where}};
    int64_t number = 0;

    for (size_t i = 0; i < HC_COUNT(lists); i++) {
        if (strcmp(key, lists[i].key) == 0) {
            return hc_list_add(lists[i].list, value, r->err);
        }
    }
    if (strcmp(key, "mode") == 0 && get_number(r, value, HC_MODE_ON, HC_MODE_WATCH, &number) == 0) {
        identity->mode = (enum hc_mode)number;
        return 0;
    }
    if (strcmp(key, "preflight") == 0 && get_number(r, value, 0, HC_PREFLIGHT_OFF, &number) == 0) {
        identity->set->preflight = (enum hc_preflight_mode)number;
        return 0;
    }
    if (strcmp(key, "bad_names") == 0 && get_number(r, value, 0, HC_BAD_NAMES_HOLD, &number) == 0) {
        identity->set->bad_names = (enum hc_bad_names)number;
        return 0;
    }
    if (strcmp(key, "repair") == 0 && get_number(r, value, 0, HC_REPAIR_AIA, &number) == 0) {
        identity->set->repair = (enum hc_repair)number;
        return 0;
    }
    if (strcmp(key, "security_level") == 0 && get_number(r, value, 0, 5, &number) == 0) {
        identity->security_level = (int)number;
        return 0;
    }
    if (strcmp(key, "key_type") == 0) {
        enum hc_key_type type = hc_key_type_parse(value);

        if (type == HC_KEY_NONE || identity->set->key_types.count == HC_KEY_TYPES_MAX) {
            return malformed(r, value);
        }
        identity->set->key_types.items[identity->set->key_types.count++] = type;
        return 0;
    }
    if (strcmp(key, "trusted_certificate") == 0) {
        return get_text(r, &identity->set->trusted_certificate, value);
    }
    if (strcmp(key, "lead") == 0) {
        return get_text(r, &identity->lead, value);
    }
    return watched_line(r, key, value);
}

static int main_line(struct reader *r, const char *key, const char *value)
{
    struct hc_conf *conf = r->conf;
    const struct {
        const char *key;
        char **text;
    } texts[] = {{"store", &conf->store},
                 {"secret", &conf->secret},
                 {"agent", &conf->agent},
                 {"control", &conf->control},
                 {"user", &conf->user}};
    const struct {
        const char *key;
        int64_t *number;
    } numbers[] = {{"check_interval", &conf->check_interval},
                   {"parallel", &conf->parallel},
                   {"table_size", &conf->table_size}};
    int64_t number = 0;

    for (size_t i = 0; i < HC_COUNT(texts); i++) {
        if (strcmp(key, texts[i].key) == 0) {
            return get_text(r, texts[i].text, value);
        }
    }
    for (size_t i = 0; i < HC_COUNT(numbers); i++) {
        if (strcmp(key, numbers[i].key) == 0) {
            return get_number(r, value, 0, INT64_MAX / 2, numbers[i].number);
        }
    }
    if (strcmp(key, "file") == 0) {
        return hc_list_add(&conf->files, value, r->err);
    }
    if (strcmp(key, "resolver") == 0) {
        return hc_list_add(&conf->resolvers, value, r->err);
    }
    if (strcmp(key, "server") == 0 && get_number(r, value, 0, HC_SERVER_NONE, &number) == 0) {
        conf->server = (enum hc_server)number;
        return 0;
    }
    if (strcmp(key, "joins_running") == 0 && get_number(r, value, 0, 1, &number) == 0) {
        conf->joins_running = number == 1;
        return 0;
    }
    return malformed(r, key);
}

static int take_line(struct reader *r, char *line)
{
    char *value = strchr(line, ' ');

    if (r->ended) {
        return malformed(r, "end");
    }
    if (strcmp(line, "end") == 0) {
        r->ended = true;
        return 0;
    }
    if (value == NULL) {
        return malformed(r, line);
    }
    *value++ = '\0';
    if (strchr(value, ' ') != NULL || unescape(value) != 0) {
        return malformed(r, line);
    }
    if (strcmp(line, "issuer") == 0) {
        return open_issuer(r, value);
    }
    if (strcmp(line, "identity") == 0) {
        return open_identity(r, value);
    }
    if (r->issuer != NULL) {
        return issuer_line(r, line, value);
    }
    return r->identity != NULL ? identity_line(r, line, value) : main_line(r, line, value);
}

/* What the rest of the program takes for granted of a configuration. */
static int check_whole(struct reader *r)
{
    const struct hc_conf *conf = r->conf;

    if (!r->ended || conf->store == NULL || conf->secret == NULL || conf->check_interval <= 0 ||
        conf->parallel <= 0) {
        return malformed(r, "end");
    }
    for (size_t i = 0; i < conf->identity_count; i++) {
        const struct hc_identity *identity = &conf->identities[i];
        bool on = identity->mode == HC_MODE_ON;

        if (identity->mode == HC_MODE_UNSET || identity->where.count == 0 ||
            (on && (identity->names.count == 0 || identity->set->key_types.count == 0 ||
                    identity->set->use.count == 0)) ||
            (!on && identity->watched_count == 0)) {
            return malformed(r, "identity");
        }
        for (size_t k = 0; k < identity->watched_count; k++) {
            if (identity->watched[k].key < 0) {
                return malformed(r, "watched_key");
            }
        }
        for (size_t k = 0; k < identity->set->use.count; k++) {
            const struct hc_issuer *issuer = hc_conf_issuer(conf, identity->set->use.items[k]);

            if (issuer == NULL || issuer->directory_url == NULL) {
                return malformed(r, "use");
            }
        }
    }
    return 0;
}

struct hc_conf *hc_conf_decode(const char *text, size_t len, struct hc_error *err)
{
    struct reader r = {NULL, NULL, NULL, err, false};
    char *copy = malloc(len + 1);
    char *rest = copy;
    char *line = NULL;
    bool good = false;

    r.conf = calloc(1, sizeof(*r.conf));
    if (copy == NULL || r.conf == NULL) {
        hc_error_nomem(err);
        goto out;
    }
    memcpy(copy, text, len);
    copy[len] = '\0';
    if (strlen(copy) != len) {
        malformed(&r, "NUL");
        goto out;
    }
    line = strsep(&rest, "\n");
    if (line == NULL || strcmp(line, VERSION) != 0) {
        hc_error_set(err, HC_P_PROTOCOL, NULL, "the configuration is of another version");
        goto out;
    }
    while ((line = strsep(&rest, "\n")) != NULL) {
        if ((line[0] != '\0' || rest != NULL) && take_line(&r, line) != 0) {
            goto out;
        }
    }
    good = check_whole(&r) == 0;
out:
    free(copy);
    if (!good) {
        hc_conf_free(r.conf);
        r.conf = NULL;
    }
    return r.conf;
}
