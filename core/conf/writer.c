/* Types of hotcert_dns, and which options each has; see writer.h. */
#include "conf/writer.h"

#include <stdlib.h>
#include <string.h>

#include "conf/block.h"

/* In the order of HC_WRITERS. */
static const struct hc_writer_kind kinds[] = {
    {.word = "command", .needs = " program style ", .takes = " cleanup env time_limit "},
    {.word = "rfc2136", .needs = " server ", .takes = " key_file ttl "},
    {.word = "responder", .needs = " ", .takes = " ", .own = true},
    {.word = "route53", .needs = " ", .takes = " credentials endpoint hosted_zone role_arn ttl "},
    {.word = "mydns", .needs = " credentials ", .takes = " endpoint "},
    {.word = "acme-dns", .needs = " endpoint ", .takes = " "},
    {.word = "httpreq", .needs = " endpoint ", .takes = " credentials form "},
};

/* Of every type. */
static const char common[] = " type propagation_timeout ";

const struct hc_writer_kind *hc_writer_kind_find(const char *word)
{
    for (size_t i = 0; i < HC_COUNT(kinds); i++) {
        if (strcmp(kinds[i].word, word) == 0) {
            return &kinds[i];
        }
    }
    return NULL;
}

const struct hc_dns_block *hc_conf_dns(const struct hc_conf *conf, const char *name)
{
    return hc_block_find(conf, &hc_block_dns, name);
}

bool hc_identity_answers_dns(const struct hc_conf *conf, const struct hc_identity *identity)
{
    const struct hc_dns_block *block =
        identity->set->dns_use != NULL ? hc_conf_dns(conf, identity->set->dns_use) : NULL;
    const struct hc_writer_kind *kind =
        block != NULL && block->type != NULL ? hc_writer_kind_find(block->type) : NULL;

    return kind != NULL && kind->own;
}

static bool has_word(const char *words, const char *word)
{
    size_t len = strlen(word);

    for (const char *at = strstr(words, word); at != NULL; at = strstr(at + 1, word)) {
        if (at[-1] == ' ' && at[len] == ' ') {
            return true;
        }
    }
    return false;
}

/* As this server writes it. */
static const char *spelled(const struct hc_conf *conf, const struct hc_directive *row)
{
    return conf->server == HC_SERVER_HTTPD ? row->httpd : row->name;
}

/* The other styles tell one program what to do; certbot has a program for each. */
static int check_cleanup(const struct hc_conf *conf, const struct hc_dns_block *block,
                         struct hc_error *err)
{
    const char *word = spelled(conf, hc_directive_find("cleanup", HC_CTX_DNS));

    if (block->style == HC_STYLE_CERTBOT && block->cleanup == NULL) {
        return hc_error_set(err, HC_P_INCOMPLETE, block->name,
                            "%s, which style certbot needs (at %s)", word, block->where);
    }
    if (block->style != HC_STYLE_CERTBOT && block->cleanup != NULL) {
        return hc_error_set(err, HC_P_CONFLICT, block->name,
                            "%s applies to style certbot only (at %s)", word, block->where);
    }
    return 0;
}

int hc_dns_block_check(const struct hc_conf *conf, const struct hc_dns_block *block,
                       struct hc_error *err)
{
    const struct hc_writer_kind *kind =
        block->type != NULL ? hc_writer_kind_find(block->type) : NULL;

    for (size_t i = 0; i < hc_block_dns.row_count; i++) {
        const struct hc_directive *row = &hc_block_dns.rows[i];
        bool set = hc_field_is_set(&row->field, block);

        if (kind == NULL && strcmp(row->name, "type") == 0) {
            return hc_error_set(err, HC_P_INCOMPLETE, block->name, "%s (at %s)", spelled(conf, row),
                                block->where);
        }
        if (kind != NULL && !set && has_word(kind->needs, row->name)) {
            return hc_error_set(err, HC_P_INCOMPLETE, block->name,
                                "%s, which type %s needs (at %s)", spelled(conf, row), kind->word,
                                block->where);
        }
        if (kind != NULL && set && !has_word(kind->needs, row->name) &&
            !has_word(kind->takes, row->name) && !has_word(common, row->name)) {
            return hc_error_set(err, HC_P_CONFLICT, block->name,
                                "%s does not apply to type %s (at %s)", spelled(conf, row),
                                kind->word, block->where);
        }
    }
    if (kind != NULL && kind->own && conf->dns_listen.count == 0 && conf->dns_zone == NULL) {
        /* with the zone alone, another server on the store answers */
        return hc_error_set(err, HC_P_INCOMPLETE, block->name, "%s, which type %s needs (at %s)",
                            spelled(conf, hc_directive_find("hotcert_dns_listen", HC_CTX_MAIN)),
                            kind->word, block->where);
    }
    return check_cleanup(conf, block, err);
}

/* Files that the platform made and the environment names (net/aws.h). */
static int add_given_files(const struct hc_dns_block *block, struct hc_list *files,
                           struct hc_error *err)
{
    static const char *const names[] = {"AWS_WEB_IDENTITY_TOKEN_FILE",
                                        "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE"};

    if (!hc_dns_block_uses_aws(block) || block->credentials != NULL) {
        return 0;
    }
    for (size_t i = 0; i < HC_COUNT(names); i++) {
        const char *path = secure_getenv(names[i]);

        if (path != NULL && path[0] == '/' && hc_list_add(files, path, err) != 0) {
            return -1;
        }
    }
    return 0;
}

bool hc_dns_block_uses_aws(const struct hc_dns_block *block)
{
    return block->type != NULL && strcmp(block->type, "route53") == 0;
}

int hc_dns_block_files(const struct hc_dns_block *block, struct hc_list *files,
                       struct hc_error *err)
{
    if (add_given_files(block, files, err) != 0) {
        return -1;
    }
    for (size_t i = 0; i < hc_block_dns.row_count; i++) {
        const struct hc_field *field = &hc_block_dns.rows[i].field;

        if (field->kept && hc_field_is_set(field, block)) {
            char *const *path = (char *const *)(const void *)((const char *)block + field->offset);

            if (hc_list_add(files, *path, err) != 0) {
                return -1;
            }
        }
    }
    for (size_t i = 1; i < block->env.count; i += 2) {
        const char *value = block->env.items[i];

        if (strncmp(value, HC_ENV_FILE, strlen(HC_ENV_FILE)) == 0 &&
            hc_list_add(files, value + strlen(HC_ENV_FILE), err) != 0) {
            return -1;
        }
    }
    return 0;
}
