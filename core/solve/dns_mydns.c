/*
 * The writer `mydns`: MyDNS.JP's DirectEdit, a form with Basic authentication. It writes
 * _acme-challenge of the domain that it is told. What went well is answered with 2xx and the word
 * OK; what did not, with 2xx and other words.
 */
#include <ctype.h>
#include <string.h>

#include "solve/web_writer.h"
#include "solve/writers.h"

#define URL   "https://www.mydns.jp/directedit.html"
#define LABEL "_acme-challenge."

static enum hc_web_next ask(struct hc_web_change *c, struct hc_web_request *r, struct hc_error *err)
{
    const char *name = c->is.value->name;

    if (strncmp(name, LABEL, strlen(LABEL)) != 0) {
        hc_error_set(err, HC_P_DNS_WRITE, NULL,
                     "MyDNS.JP writes names that begin with " LABEL " only");
        return HC_WEB_FAILED;
    }
    r->content_type = "application/x-www-form-urlencoded";
    return hc_buf_puts(&r->url, hc_web_writer_of(c)->url, err) == 0 &&
                   hc_web_put_field(&r->body, "CERTBOT_DOMAIN", name + strlen(LABEL), err) == 0 &&
                   hc_web_put_field(&r->body, "CERTBOT_VALIDATION", c->is.value->value, err) == 0 &&
                   hc_web_put_field(&r->body, "EDIT_CMD",
                                    c->is.what == HC_WRITER_ADD ? "REGIST" : "DELETE", err) == 0
               ? HC_WEB_ASK
               : HC_WEB_FAILED;
}

static bool is_word_at(struct hc_bytes body, size_t at)
{
    return memcmp(body.data + at, "OK", 2) == 0 && (at == 0 || !isalnum(body.data[at - 1])) &&
           (at + 2 == body.len || !isalnum(body.data[at + 2]));
}

static enum hc_web_next judge(struct hc_web_change *c, const struct hc_http_reply *reply,
                              struct hc_error *err)
{
    for (size_t i = 0; i + 2 <= reply->body.len; i++) {
        if (is_word_at(reply->body, i)) {
            return HC_WEB_DONE;
        }
    }
    return hc_web_says(c, "its answer is not OK", reply->body, err);
}

int hc_dns_mydns_open(const struct hc_dns_block *block, const struct hc_writer_env *env,
                      struct hc_dns_writer *out, struct hc_error *err)
{
    static const struct hc_web_kind kind = {
        .noun = "MyDNS.JP", .url = URL, .parallel = 1, .ask = ask, .judge = judge};

    return hc_web_writer_open(&kind, block, env, out, err);
}
