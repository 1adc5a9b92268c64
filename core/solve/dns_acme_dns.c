/*
 * The writer `acme-dns`: a small name server for challenges alone. Each name is registered there
 * once; the registration, sealed, is kept in the store for all agents on it. The operator points
 * _acme-challenge of the name to it by a CNAME record, which is told until it is there. The server
 * keeps the last two values and forgets them by itself: there is nothing to remove.
 */
#include <jansson.h>
#include <openssl/crypto.h>
#include <stdio.h>
#include <string.h>

#include "acme/json.h"
#include "conf/name.h"
#include "solve/web_writer.h"
#include "solve/writers.h"

#define PARALLEL  4
#define TEXT_MAX  300
#define VALUE_MAX ((size_t)8 << 10)

enum { STEP_FIRST, STEP_REGISTERED, STEP_UPDATED };

struct registration {
    char user[TEXT_MAX];
    char password[TEXT_MAX];
    char subdomain[TEXT_MAX];
    char fulldomain[HC_NAME_SIZE];
};

/* ---- registrations ---- */

static void kept_name(const char *url, const char *alias, char out[TEXT_MAX * 2])
{
    (void)snprintf(out, (size_t)TEXT_MAX * 2, "acme-dns\n%.290s\n%.290s", url, alias);
}

/* Nothing in it can end a header or a log line. */
static bool take(char dst[TEXT_MAX], const char *text)
{
    if (text == NULL || text[0] == '\0') {
        return false;
    }
    for (const char *at = text; *at != '\0'; at++) {
        if (*at <= 0x20 || *at > 0x7e) {
            return false;
        }
    }
    return hc_copy(dst, TEXT_MAX, text);
}

static bool parse(struct hc_bytes text, struct registration *out)
{
    struct hc_error ignored;
    char domain[TEXT_MAX];
    json_t *object = NULL;
    bool good = false;

    hc_error_init(&ignored);
    memset(out, 0, sizeof(*out));
    if (hc_json_object(text, "acme-dns", &object, &ignored) == 0) {
        good = take(out->user, hc_json_text(object, "username")) &&
               take(out->password, hc_json_text(object, "password")) &&
               take(out->subdomain, hc_json_text(object, "subdomain")) &&
               take(domain, hc_json_text(object, "fulldomain")) &&
               hc_name_normalise(domain, out->fulldomain, &ignored) == 0;
    }
    json_decref(object);
    return good;
}

/* 1: it is there; 0: it is not registered yet. */
static int find(const struct hc_keep_port *keep, const char *url, const char *alias,
                struct registration *out, struct hc_error *err)
{
    struct hc_buf text = HC_BUF_INIT_SECRET(VALUE_MAX);
    char name[TEXT_MAX * 2];
    struct hc_error own;
    int rc = -1;

    kept_name(url, alias, name);
    hc_error_init(&own);
    if (keep == NULL) {
        rc = hc_error_set(err, HC_P_INTERNAL, alias, "nothing can be kept");
    } else if (keep->get(keep->self, name, &text, &own) == 0) {
        rc = parse(hc_bytes_of(&text), out)
                 ? 1
                 : hc_error_set(err, HC_P_STORE_DAMAGED, alias,
                                "its registration at an acme-dns server cannot be read");
    } else {
        rc = own.problem == HC_P_STORE_EMPTY ? 0 : hc_error_chain(err, &own);
    }
    hc_buf_dispose(&text);
    return rc;
}

int hc_dns_acme_dns_target(const struct hc_keep_port *keep, const char *endpoint, const char *alias,
                           char out[HC_NAME_SIZE], struct hc_error *err)
{
    struct registration made;
    char url[HC_HTTP_URL_MAX];
    size_t len = strlen(endpoint);
    int found = 0;

    while (len > 0 && endpoint[len - 1] == '/') {
        len--;
    }
    (void)snprintf(url, sizeof(url), "%.*s", (int)(len < sizeof(url) ? len : 0), endpoint);
    found = find(keep, url, alias, &made, err);
    if (found == 1) {
        (void)hc_copy(out, HC_NAME_SIZE, made.fulldomain);
        OPENSSL_cleanse(&made, sizeof(made));
    }
    return found;
}

/* ---- asking ---- */

static enum hc_web_next ask_to_register(struct hc_web_change *c, struct hc_web_request *r,
                                        struct hc_error *err)
{
    c->step = STEP_REGISTERED;
    return hc_buf_printf(&r->url, err, "%s/register", hc_web_writer_of(c)->url) == 0
               ? HC_WEB_ASK
               : HC_WEB_FAILED;
}

static int add_header(struct hc_web_request *r, const char *name, const char *value,
                      struct hc_error *err)
{
    char line[TEXT_MAX + 32];
    int rc = 0;

    (void)snprintf(line, sizeof(line), "%s: %s", name, value);
    rc = hc_list_add(&r->headers, line, err);
    OPENSSL_cleanse(line, sizeof(line));
    return rc;
}

static enum hc_web_next ask_to_update(struct hc_web_change *c, const struct registration *to,
                                      struct hc_web_request *r, struct hc_error *err)
{
    const char *const pairs[] = {"subdomain", to->subdomain, "txt", c->is.value->value, NULL};

    c->step = STEP_UPDATED;
    r->content_type = "application/json";
    return hc_buf_printf(&r->url, err, "%s/update", hc_web_writer_of(c)->url) == 0 &&
                   add_header(r, "X-Api-User", to->user, err) == 0 &&
                   add_header(r, "X-Api-Key", to->password, err) == 0 &&
                   hc_web_put_json(&r->body, pairs, err) == 0
               ? HC_WEB_ASK
               : HC_WEB_FAILED;
}

static enum hc_web_next ask(struct hc_web_change *c, struct hc_web_request *r, struct hc_error *err)
{
    struct registration to;
    enum hc_web_next next = HC_WEB_FAILED;
    int found = 0;

    if (c->is.what == HC_WRITER_REMOVE) {
        return HC_WEB_DONE;
    }
    found = find(c->is.writer->env.keep, hc_web_writer_of(c)->url, c->is.value->alias, &to, err);
    if (found == 0) {
        next = ask_to_register(c, r, err);
    } else if (found == 1 && strcmp(c->is.value->name, to.fulldomain) != 0) {
        hc_error_set(err, HC_P_DNS_ALIAS, c->is.value->alias, "add this record: %s. CNAME %s.",
                     c->is.value->alias, to.fulldomain);
    } else if (found == 1) {
        next = ask_to_update(c, &to, r, err);
    }
    OPENSSL_cleanse(&to, sizeof(to));
    return next;
}

/* ---- judging ---- */

static enum hc_web_next keep_registration(struct hc_web_change *c, struct hc_bytes body,
                                          struct hc_error *err)
{
    const struct hc_writer_env *env = &c->is.writer->env;
    struct hc_bytes nothing = {NULL, 0};
    struct registration made;
    char name[TEXT_MAX * 2];
    enum hc_web_next next = HC_WEB_FAILED;

    kept_name(hc_web_writer_of(c)->url, c->is.value->alias, name);
    if (!parse(body, &made)) {
        /* the body may have a password */
        (void)hc_web_says(c, "its answer to a registration cannot be read", nothing, err);
    } else if (env->keep->put(env->keep->self, name, body, err) == 0) {
        hc_logf(env->log, HC_LOG_NOTICE,
                "registered %s at %s; hotcert writes there once this record is in your zone: "
                "%s. CNAME %s.",
                c->is.value->domain, hc_web_writer_of(c)->url, c->is.value->alias, made.fulldomain);
        next = HC_WEB_ASK;
    }
    OPENSSL_cleanse(&made, sizeof(made));
    return next;
}

static enum hc_web_next judge(struct hc_web_change *c, const struct hc_http_reply *reply,
                              struct hc_error *err)
{
    json_t *object = NULL;
    const char *txt = NULL;
    struct hc_error ignored;
    enum hc_web_next next = HC_WEB_DONE;

    if (c->step == STEP_REGISTERED) {
        return keep_registration(c, reply->body, err);
    }
    hc_error_init(&ignored);
    if (hc_json_object(reply->body, hc_web_writer_of(c)->url, &object, &ignored) == 0) {
        txt = hc_json_text(object, "txt");
    }
    if (txt == NULL || strcmp(txt, c->is.value->value) != 0) {
        next = hc_web_says(c, "its answer does not have the value", reply->body, err);
    }
    json_decref(object);
    return next;
}

int hc_dns_acme_dns_open(const struct hc_dns_block *block, const struct hc_writer_env *env,
                         struct hc_dns_writer *out, struct hc_error *err)
{
    static const struct hc_web_kind kind = {
        .noun = "the acme-dns server", .url = "", .parallel = PARALLEL, .ask = ask, .judge = judge};

    return hc_web_writer_open(&kind, block, env, out, err);
}
