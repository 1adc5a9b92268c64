/* Reading the wire form; see wire.h. */
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "conf/block.h"
#include "conf/build.h"
#include "conf/issuer.h"
#include "conf/settings.h"
#include "conf/wire.h"

#define UNKNOWN_MAX 32 /* what is not known is told of, up to this */

enum within { WITHIN_CONF, WITHIN_BLOCK, WITHIN_SET, WITHIN_IDENTITY, WITHIN_UNKNOWN };

struct reader {
    struct hc_conf *conf;
    struct hc_error *err;
    enum within within;
    const struct hc_block_kind *kind;
    void *base; /* what the open block's fields lie in */
    bool ended;
};

static int malformed(struct reader *r, const char *key)
{
    return hc_error_set(r->err, HC_P_PROTOCOL, key, "in the configuration's wire form");
}

/* What is passed over, by its key or a word for it. */
static int pass_over(struct reader *r, const char *key)
{
    struct hc_list *unknown = &r->conf->unknown;

    return unknown->count >= UNKNOWN_MAX || hc_list_has(unknown, key)
               ? 0
               : hc_list_add(unknown, key, r->err);
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

/* A number from 0 to most; -1: it is none. */
static int64_t number_of(const char *value, int64_t most)
{
    char *end = NULL;
    long long number = strtoll(value, &end, 10);

    return end != value && *end == '\0' && number >= 0 && number <= most ? number : -1;
}

/* ---- blocks ---- */

static int begin_identity(struct reader *r, const char *hex)
{
    struct hc_identity *identity = NULL;

    if (hc_conf_make_room(r->conf, r->err) != 0) {
        return -1;
    }
    identity = &r->conf->identities[r->conf->identity_count++];
    memset(identity, 0, sizeof(*identity));
    r->within = WITHIN_IDENTITY;
    r->base = identity;
    return hc_unhex(identity->id, HC_ID_SIZE, hex) == 0 ? 0 : malformed(r, hex);
}

static int begin_set(struct reader *r, const char *number)
{
    if (number_of(number, INT32_MAX) != (int64_t)r->conf->set_count) {
        return malformed(r, "set");
    }
    r->within = WITHIN_SET;
    r->base = hc_settings_add(r->conf, r->err);
    return r->base != NULL ? 0 : -1;
}

/* value: the kind and the name, the name still escaped. */
static int begin(struct reader *r, char *value)
{
    char *name = strchr(value, ' ');

    if (r->within != WITHIN_CONF || name == NULL) {
        return malformed(r, "begin");
    }
    *name++ = '\0';
    if (strchr(name, ' ') != NULL || unescape(name) != 0) {
        return malformed(r, "begin");
    }
    if (strcmp(value, "identity") == 0) {
        return begin_identity(r, name);
    }
    if (strcmp(value, "set") == 0) {
        return begin_set(r, name);
    }
    for (size_t k = 0; hc_block_kinds[k] != NULL; k++) {
        if (strcmp(value, hc_block_kinds[k]->wire) == 0) {
            r->within = WITHIN_BLOCK;
            r->kind = hc_block_kinds[k];
            return hc_block_add(r->conf, r->kind, name, "", &r->base, r->err);
        }
    }
    r->within = WITHIN_UNKNOWN;
    return pass_over(r, value);
}

static int end_block(struct reader *r)
{
    struct hc_identity *identity = r->base;

    /* how it is to be served is not known here: another program's */
    if (r->within == WITHIN_IDENTITY && identity->mode == HC_MODE_UNSET) {
        hc_identity_dispose(identity);
        r->conf->identity_count--;
    }
    r->ended = r->within == WITHIN_CONF;
    r->within = WITHIN_CONF;
    r->base = r->conf;
    return 0;
}

/* ---- lines ---- */

/* 0: the field is known, and has the value if that is known as well; 1: it is not this one. */
static int take_field(struct reader *r, const struct hc_field *field, const char *key,
                      const char *value)
{
    int rc = 0;

    if (field->wire == NULL || strcmp(field->wire, key) != 0) {
        return 1;
    }
    rc = hc_field_add(field, r->base, value, r->err);
    return rc > 0 ? pass_over(r, key) : rc;
}

static int take_fields(struct reader *r, const struct hc_field *fields, const char *key,
                       const char *value)
{
    int rc = 1;

    for (size_t i = 0; fields[i].type != NULL && rc == 1; i++) {
        rc = take_field(r, &fields[i], key, value);
    }
    return rc;
}

/* hosts: the rows whose base is a scope, else those of the main level alone. */
static int take_rows(struct reader *r, bool hosts, const char *key, const char *value)
{
    int rc = 1;

    for (size_t i = 0; i < hc_directives_main_count && rc == 1; i++) {
        if (hc_directive_is_hosts(&hc_directives_main[i]) == hosts) {
            rc = take_field(r, &hc_directives_main[i].field, key, value);
        }
    }
    return rc;
}

static int take_block_line(struct reader *r, const char *key, const char *value)
{
    int rc = 1;

    for (size_t i = 0; i < r->kind->row_count && rc == 1; i++) {
        rc = take_field(r, &r->kind->rows[i].field, key, value);
    }
    return rc;
}

static int *part_of(struct hc_watched *w, const struct hc_wire_part *part)
{
    return (int *)(void *)((char *)w + part->offset);
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
    for (size_t i = 0; i < HC_WIRE_PARTS; i++) {
        *part_of(w, &hc_wire_parts[i]) = -1;
    }
    return w;
}

static int take_watched(struct reader *r, const char *key, const char *value)
{
    struct hc_identity *identity = r->base;
    int64_t file = number_of(value, (int64_t)r->conf->files.count - 1);

    for (size_t i = 0; i < HC_WIRE_PARTS; i++) {
        struct hc_watched *w = NULL;

        if (strcmp(key, hc_wire_parts[i].key) != 0) {
            continue;
        }
        if (i == 0) {
            w = open_watched(identity);
        } else if (identity->watched_count > 0) {
            w = &identity->watched[identity->watched_count - 1];
        }
        if (w == NULL || file < 0) {
            return malformed(r, key);
        }
        *part_of(w, &hc_wire_parts[i]) = (int)file;
        return 0;
    }
    return 1;
}

static int take_identity_line(struct reader *r, const char *key, const char *value)
{
    struct hc_identity *identity = r->base;
    int rc = take_fields(r, hc_wire_identity, key, value);

    if (rc != 1) {
        return rc;
    }
    if (strcmp(key, "set") == 0) {
        int64_t number = number_of(value, (int64_t)r->conf->set_count - 1);

        identity->set = number >= 0 ? r->conf->sets[number] : NULL;
        return number >= 0 ? 0 : malformed(r, key);
    }
    if (strcmp(key, "security_level") == 0) {
        hc_identity_note_level(identity, (int)number_of(value, 5));
        return 0;
    }
    return take_watched(r, key, value);
}

static int take_conf_line(struct reader *r, const char *key, const char *value)
{
    int rc = take_rows(r, false, key, value);

    rc = rc == 1 ? take_fields(r, hc_wire_conf, key, value) : rc;
    if (rc != 1) {
        return rc;
    }
    if (strcmp(key, "from") == 0) {
        return r->conf->from == NULL ? hc_strdup(value, &r->conf->from, r->err) : malformed(r, key);
    }
    if (strcmp(key, "joins_running") == 0) {
        r->conf->joins_running = strcmp(value, "1") == 0;
        return 0;
    }
    for (unsigned i = 0; strcmp(key, "server") == 0 && hc_wire_servers[i] != NULL; i++) {
        if (strcmp(value, hc_wire_servers[i]) == 0) {
            r->conf->server = (enum hc_server)i;
            return 0;
        }
    }
    return 1;
}

static int take_line(struct reader *r, char *line)
{
    char *value = strchr(line, ' ');
    int rc = 1;

    if (r->ended) {
        return malformed(r, "end");
    }
    if (strcmp(line, "end") == 0) {
        return end_block(r);
    }
    if (value == NULL) {
        return malformed(r, line);
    }
    *value++ = '\0';
    if (strcmp(line, "begin") == 0) {
        return begin(r, value);
    }
    if (strchr(value, ' ') != NULL || unescape(value) != 0) {
        return malformed(r, line);
    }
    switch (r->within) {
    case WITHIN_CONF:
        rc = take_conf_line(r, line, value);
        break;
    case WITHIN_BLOCK:
        rc = take_block_line(r, line, value);
        break;
    case WITHIN_SET:
        rc = take_rows(r, true, line, value);
        break;
    case WITHIN_IDENTITY:
        rc = take_identity_line(r, line, value);
        break;
    case WITHIN_UNKNOWN:
        return 0;
    }
    return rc == 1 ? pass_over(r, line) : rc;
}

/* ---- the whole ---- */

static int check_issuers(struct reader *r, const struct hc_identity *identity)
{
    for (size_t k = 0; k < identity->set->use.count; k++) {
        const struct hc_issuer *issuer = hc_conf_issuer(r->conf, identity->set->use.items[k]);

        if (issuer == NULL || issuer->directory_url == NULL) {
            return malformed(r, "use");
        }
    }
    return 0;
}

/* What the rest of the program takes for granted of an identity. */
static int check_identity(struct reader *r, const struct hc_identity *identity)
{
    bool on = identity->mode == HC_MODE_ON;

    if (identity->mode == HC_MODE_OFF || identity->set == NULL || identity->where.count == 0 ||
        (on ? identity->names.count == 0 : identity->watched_count == 0)) {
        return malformed(r, "identity");
    }
    for (size_t k = 0; k < identity->watched_count; k++) {
        for (size_t i = 0; i < HC_WIRE_PARTS; i++) {
            if (hc_wire_parts[i].needed && *part_of(&identity->watched[k], &hc_wire_parts[i]) < 0) {
                return malformed(r, hc_wire_parts[i].key);
            }
        }
    }
    return 0;
}

/* What the writer did not know gets its preset. */
static int fill(struct reader *r)
{
    struct hc_conf *conf = r->conf;

    if (hc_settings_preset(conf, HC_PRESET_MAIN, conf, r->err) != 0) {
        return -1;
    }
    for (size_t i = 0; i < conf->set_count; i++) {
        if (hc_settings_preset(conf, HC_PRESET_WATCH, conf->sets[i], r->err) != 0) {
            return -1;
        }
    }
    for (size_t i = 0; i < conf->identity_count; i++) {
        if (check_identity(r, &conf->identities[i]) != 0 ||
            (conf->identities[i].mode == HC_MODE_ON &&
             hc_settings_preset(conf, HC_PRESET_KEPT, conf->sets[conf->identities[i].set->number],
                                r->err) != 0) ||
            check_issuers(r, &conf->identities[i]) != 0) {
            return -1;
        }
    }
    for (size_t k = 0; hc_block_kinds[k] != NULL; k++) {
        for (size_t i = 0; i < hc_block_count(conf, hc_block_kinds[k]); i++) {
            void *block = hc_block_at(conf, hc_block_kinds[k], i);

            if (hc_block_fill(conf, hc_block_kinds[k], block, r->err) != 0) {
                return -1;
            }
        }
    }
    return 0;
}

/* They grow by doubling, and stay for as long as the process. */
static void trim(struct hc_conf *conf)
{
    size_t count = conf->identity_count;
    struct hc_identity *exact =
        count > 0 ? realloc(conf->identities, count * sizeof(*exact)) : NULL;

    conf->identities = exact != NULL ? exact : conf->identities;
}

static int take_lines(struct reader *r, char *rest)
{
    char *line = strsep(&rest, "\n");

    if (strcmp(line, HC_WIRE_FORM) != 0) {
        return hc_error_set(r->err, HC_P_SERVER_OTHER, NULL, NULL);
    }
    while ((line = strsep(&rest, "\n")) != NULL) {
        if ((line[0] != '\0' || rest != NULL) && take_line(r, line) != 0) {
            return -1;
        }
    }
    return r->ended ? fill(r) : malformed(r, "end");
}

struct hc_conf *hc_conf_decode(const char *text, size_t len, struct hc_error *err)
{
    struct hc_conf *conf = calloc(1, sizeof(*conf));
    char *copy = malloc(len + 1);
    struct reader r = {.conf = conf, .err = err, .within = WITHIN_CONF, .base = conf};
    bool good = false;

    if (copy == NULL || conf == NULL) {
        hc_error_nomem(err);
        goto out;
    }
    memcpy(copy, text, len);
    copy[len] = '\0';
    good = strlen(copy) == len ? take_lines(&r, copy) == 0 : malformed(&r, "NUL") == 0;
out:
    free(copy);
    if (good) {
        trim(conf);
    } else {
        hc_conf_free(conf);
        conf = NULL;
    }
    return conf;
}
