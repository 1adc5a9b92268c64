/* The forms of hooks; see hook.h. */
#include "solve/hook.h"

#include <openssl/crypto.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

struct maker {
    const struct hc_dns_block *block;
    enum hc_writer_change what;
    const struct hc_txt_value *value;
    const char *shim;
    struct hc_hook *hook;
    struct hc_error *err;
};

static int add_all(struct hc_list *list, struct hc_error *err, ...)
{
    const char *text = NULL;
    va_list texts;
    int rc = 0;

    va_start(texts, err);
    while (rc == 0 && (text = va_arg(texts, const char *)) != NULL) {
        rc = hc_list_add(list, text, err);
    }
    va_end(texts);
    return rc;
}

static int add_variable(const struct maker *m, const char *name, const char *value)
{
    struct hc_buf text = HC_BUF_INIT_SECRET(HC_WRITER_MEMO + 64);
    int rc = hc_buf_printf(&text, m->err, "%s=%s", name, value);

    rc = rc == 0 ? hc_list_add(&m->hook->envp, hc_buf_text(&text), m->err) : rc;
    hc_buf_dispose(&text);
    return rc;
}

static bool is_add(const struct maker *m)
{
    return m->what == HC_WRITER_ADD;
}

/* hook deploy_challenge|clean_challenge DOMAIN TOKEN_FILENAME TOKEN_VALUE */
static int make_dehydrated(const struct maker *m)
{
    return add_all(&m->hook->argv, m->err, m->block->program,
                   is_add(m) ? "deploy_challenge" : "clean_challenge", m->value->domain,
                   m->value->token, m->value->value, (char *)NULL);
}

/* No arguments. One challenge is told at a time, so none remain behind it. */
static int make_certbot(const struct maker *m)
{
    const struct hc_txt_value *v = m->value;

    if (hc_list_add(&m->hook->argv, is_add(m) ? m->block->program : m->block->cleanup, m->err) !=
            0 ||
        add_variable(m, "CERTBOT_DOMAIN", v->domain) != 0 ||
        add_variable(m, "CERTBOT_IDENTIFIER", v->domain) != 0 ||
        add_variable(m, "CERTBOT_VALIDATION", v->value) != 0 ||
        add_variable(m, "CERTBOT_REMAINING_CHALLENGES", "0") != 0 ||
        add_variable(m, "CERTBOT_ALL_DOMAINS", v->domain) != 0 ||
        add_variable(m, "CERTBOT_ALL_IDENTIFIERS", v->domain) != 0) {
        return -1;
    }
    return is_add(m) ? 0 : add_variable(m, "CERTBOT_AUTH_OUTPUT", v->memo);
}

static bool is_raw(const struct hc_dns_block *block)
{
    for (size_t i = 0; i + 1 < block->env.count; i += 2) {
        if (strcmp(block->env.items[i], "EXEC_MODE") == 0) {
            return strcasecmp(block->env.items[i + 1], "RAW") == 0;
        }
    }
    return false;
}

/* prog present|cleanup FQDN. VALUE, or with EXEC_MODE=RAW: -- DOMAIN TOKEN KEYAUTH */
static int make_lego(const struct maker *m)
{
    const struct hc_txt_value *v = m->value;
    const char *word = is_add(m) ? "present" : "cleanup";
    char fqdn[HC_ANSWER_KEY_MAX + 2];

    if (is_raw(m->block)) {
        return add_all(&m->hook->argv, m->err, m->block->program, word, "--", v->domain, v->token,
                       v->keyauth, (char *)NULL);
    }
    (void)snprintf(fqdn, sizeof(fqdn), "%s.", v->name);
    return add_all(&m->hook->argv, m->err, m->block->program, word, fqdn, v->value, (char *)NULL);
}

/* The file is sourced by the shim, which calls dns_NAME_add or dns_NAME_rm FQDN VALUE. */
static int make_acme_sh(const struct maker *m)
{
    if (m->shim == NULL) {
        return hc_error_set(m->err, HC_P_DNS_WRITE, m->value->name,
                            "the script acme-dnsapi.sh of hotcert is not installed");
    }
    return add_all(&m->hook->argv, m->err, "/bin/sh", m->shim, m->block->program,
                   is_add(m) ? "add" : "rm", m->value->name, m->value->value, (char *)NULL);
}

/* cmd setup|teardown DOMAIN VALUE, as MDChallengeDns01Version 2 has it */
static int make_mod_md(const struct maker *m)
{
    return add_all(&m->hook->argv, m->err, m->block->program, is_add(m) ? "setup" : "teardown",
                   m->value->domain, m->value->value, (char *)NULL);
}

int hc_hook_make(const struct hc_dns_block *block, enum hc_writer_change what,
                 const struct hc_txt_value *value, const char *shim, struct hc_hook *hook,
                 struct hc_error *err)
{
    const struct maker m = {block, what, value, shim, hook, err};
    int rc = -1;

    memset(hook, 0, sizeof(*hook));
    switch (block->style) {
    case HC_STYLE_DEHYDRATED:
        rc = make_dehydrated(&m);
        break;
    case HC_STYLE_CERTBOT:
        rc = make_certbot(&m);
        break;
    case HC_STYLE_LEGO:
        rc = make_lego(&m);
        break;
    case HC_STYLE_ACME_SH:
        rc = make_acme_sh(&m);
        break;
    case HC_STYLE_MOD_MD:
        rc = make_mod_md(&m);
        break;
    case HC_STYLE_UNSET:
        rc = hc_error_set(err, HC_P_INTERNAL, block->name, "it has no style");
        break;
    }
    if (rc != 0) {
        hc_hook_dispose(hook);
    }
    return rc;
}

static void dispose(struct hc_list *list)
{
    for (size_t i = 0; i < list->count; i++) {
        OPENSSL_cleanse(list->items[i], strlen(list->items[i]));
    }
    hc_list_dispose(list);
}

void hc_hook_dispose(struct hc_hook *hook)
{
    dispose(&hook->argv);
    dispose(&hook->envp);
}
