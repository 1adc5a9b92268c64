/*
 * The writer `httpreq`: lego's HTTP form. POST to URL/present and URL/cleanup, with
 * {"fqdn", "value"}, or in its raw form {"domain", "token", "keyAuth"}.
 */
#include <stdio.h>

#include "solve/web_writer.h"
#include "solve/writers.h"

#define PARALLEL 8

static enum hc_web_next ask(struct hc_web_change *c, struct hc_web_request *r, struct hc_error *err)
{
    char fqdn[300];
    const char *const pairs[] = {"fqdn", fqdn, "value", c->is.value->value, NULL};
    const char *const raw[] = {"domain",  c->is.value->domain,  "token", c->is.value->token,
                               "keyAuth", c->is.value->keyauth, NULL};
    bool is_raw = c->is.writer->block->form == HC_FORM_RAW;

    (void)snprintf(fqdn, sizeof(fqdn), "%s.", c->is.value->name);
    if (is_raw && c->is.value->keyauth[0] == '\0') {
        hc_error_set(err, HC_P_DNS_WRITE, NULL,
                     "hotcert no longer has the key authorization of this value");
        return HC_WEB_FAILED;
    }
    r->content_type = "application/json";
    return hc_buf_printf(&r->url, err, "%s/%s", hc_web_writer_of(c)->url,
                         c->is.what == HC_WRITER_ADD ? "present" : "cleanup") == 0 &&
                   hc_web_put_json(&r->body, is_raw ? raw : pairs, err) == 0
               ? HC_WEB_ASK
               : HC_WEB_FAILED;
}

/* Any 2xx is well. */
static enum hc_web_next judge(struct hc_web_change *c HC_UNUSED,
                              const struct hc_http_reply *reply HC_UNUSED,
                              struct hc_error *err HC_UNUSED)
{
    return HC_WEB_DONE;
}

int hc_dns_httpreq_open(const struct hc_dns_block *block, const struct hc_writer_env *env,
                        struct hc_dns_writer *out, struct hc_error *err)
{
    static const struct hc_web_kind kind = {
        .noun = "the service", .url = "", .parallel = PARALLEL, .ask = ask, .judge = judge};

    return hc_web_writer_open(&kind, block, env, out, err);
}
