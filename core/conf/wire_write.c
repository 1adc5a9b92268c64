/* Writing the wire form; see wire.h. */
#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "base/version.h"
#include "conf/block.h"
#include "conf/wire.h"

#define FIELD(of, member, kind) .type = &hc_field_##kind, .offset = offsetof(struct of, member)

const struct hc_field hc_wire_conf[] = {
    {FIELD(hc_conf, user, text), .wire = "user"},
    {FIELD(hc_conf, files, list), .wire = "file"},
    {.type = NULL},
};

const struct hc_field hc_wire_identity[] = {
    {FIELD(hc_identity, mode, word), .wire = "mode", .words = hc_mode_words},
    {FIELD(hc_identity, names, list), .wire = "name"},
    {FIELD(hc_identity, lead, text), .wire = "lead"},
    {FIELD(hc_identity, where, list), .wire = "where"},
    {.type = NULL},
};

const struct hc_wire_part hc_wire_parts[HC_WIRE_PARTS] = {
    {"watched_certificate", offsetof(struct hc_watched, certificate), true},
    {"watched_key", offsetof(struct hc_watched, key), true},
    {"watched_passphrase", offsetof(struct hc_watched, passphrase), false},
    {"watched_chain", offsetof(struct hc_watched, chain), false},
    {"watched_store", offsetof(struct hc_watched, store), false},
    {"watched_folder", offsetof(struct hc_watched, folder), false},
};

const char *const hc_wire_servers[] = {
    [HC_SERVER_NGINX] = "nginx", [HC_SERVER_HTTPD] = "httpd", [HC_SERVER_NONE] = "none", NULL};

struct writer {
    struct hc_buf *out;
    struct hc_error *err;
    bool failed;
};

static void put_bytes(struct writer *w, const char *bytes, size_t len)
{
    if (!w->failed && hc_buf_append(w->out, bytes, len, w->err) != 0) {
        w->failed = true;
    }
}

static void put(struct writer *w, const char *s)
{
    put_bytes(w, s, strlen(s));
}

static bool is_plain(char c)
{
    return c > 0x20 && c < 0x7f && c != '%';
}

static void put_value(struct writer *w, const char *value)
{
    put(w, value[0] == '\0' ? " %" : " ");
    while (*value != '\0') {
        const char *from = value;

        while (is_plain(*value)) {
            value++;
        }
        put_bytes(w, from, (size_t)(value - from));
        if (*value != '\0') {
            char escaped[4];

            (void)snprintf(escaped, sizeof(escaped), "%%%02x", (unsigned char)*value++);
            put_bytes(w, escaped, 3);
        }
    }
}

static void put_line(struct writer *w, const char *key, const char *value)
{
    put(w, key);
    put_value(w, value);
    put(w, "\n");
}

static void put_number(struct writer *w, const char *key, int64_t value)
{
    char text[32];

    (void)snprintf(text, sizeof(text), "%" PRId64, value);
    put_line(w, key, text);
}

static void put_field(struct writer *w, const struct hc_field *field, const void *base)
{
    const void *value = (const char *)base + field->offset;
    size_t count = field->wire != NULL ? field->type->count(value) : 0;
    char scratch[HC_FIELD_SCRATCH];

    for (size_t i = 0; i < count; i++) {
        put_line(w, field->wire, field->type->text(field, value, i, scratch));
    }
}

static void put_fields(struct writer *w, const struct hc_field *fields, const void *base)
{
    for (size_t i = 0; fields[i].type != NULL; i++) {
        put_field(w, &fields[i], base);
    }
}

static void put_begin(struct writer *w, const char *kind, const char *name)
{
    put(w, "begin ");
    put_line(w, kind, name);
}

/* Rows of the main level: those of hosts, whose base is a scope, or the others. */
static void put_rows(struct writer *w, bool hosts, const void *base)
{
    for (size_t i = 0; i < hc_directives_main_count; i++) {
        if (hc_directive_is_hosts(&hc_directives_main[i]) == hosts) {
            put_field(w, &hc_directives_main[i].field, base);
        }
    }
}

static void put_blocks(struct writer *w, const struct hc_conf *conf)
{
    for (size_t k = 0; hc_block_kinds[k] != NULL; k++) {
        const struct hc_block_kind *kind = hc_block_kinds[k];

        for (size_t i = 0; i < hc_block_count(conf, kind); i++) {
            const void *block = hc_block_at(conf, kind, i);

            put_begin(w, kind->wire, hc_block_name(kind, block));
            for (size_t r = 0; r < kind->row_count; r++) {
                put_field(w, &kind->rows[r].field, block);
            }
            put(w, "end\n");
        }
    }
}

static void put_sets(struct writer *w, const struct hc_conf *conf)
{
    char number[32];

    for (size_t i = 0; i < conf->set_count; i++) {
        (void)snprintf(number, sizeof(number), "%zu", i);
        put_begin(w, "set", number);
        put_rows(w, true, conf->sets[i]);
        put(w, "end\n");
    }
}

static void put_identity(struct writer *w, const struct hc_identity *identity)
{
    char hex[2 * HC_ID_SIZE + 1];

    hc_hex(hex, identity->id, HC_ID_SIZE);
    put_begin(w, "identity", hex);
    put_fields(w, hc_wire_identity, identity);
    put_number(w, "set", (int64_t)identity->set->number);
    if (identity->security_level > 0) {
        put_number(w, "security_level", identity->security_level);
    }
    for (size_t i = 0; i < identity->watched_count; i++) {
        for (size_t k = 0; k < HC_WIRE_PARTS; k++) {
            const char *watched = (const char *)&identity->watched[i];
            int file = *(const int *)(const void *)(watched + hc_wire_parts[k].offset);

            if (file >= 0) {
                put_number(w, hc_wire_parts[k].key, file);
            }
        }
    }
    put(w, "end\n");
}

int hc_conf_encode(const struct hc_conf *conf, struct hc_buf *out, struct hc_error *err)
{
    struct writer w = {out, err, false};

    put(&w, HC_WIRE_FORM "\n");
    put_line(&w, "from", HC_VERSION);
    put_line(&w, "server", hc_wire_servers[conf->server]);
    put_rows(&w, false, conf);
    put_fields(&w, hc_wire_conf, conf);
    if (conf->joins_running) {
        put_number(&w, "joins_running", 1);
    }
    put_blocks(&w, conf);
    put_sets(&w, conf);
    for (size_t i = 0; i < conf->identity_count; i++) {
        put_identity(&w, &conf->identities[i]);
    }
    put(&w, "end\n");
    return w.failed ? -1 : 0;
}
