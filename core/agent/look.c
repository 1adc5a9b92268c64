/* One look at an identity's names; see look.h. */
#include "agent/look.h"

#include <stdlib.h>

#include "conf/writer.h"

#include "conf/issuer.h"

#define TOKEN_BYTES  32
#define TOKEN_LIFE_S 60

struct hc_look {
    const struct hc_env *env;
    struct hc_answers *answers;
    struct hc_preflight *preflight;
    struct hc_answer own; /* given; a copy, or zeroed */
};

void hc_look_free(struct hc_look *look)
{
    if (look == NULL) {
        return;
    }
    hc_preflight_free(look->preflight);
    if (look->own.memory != NULL) {
        hc_answers_take_back(look->answers, &look->own);
        hc_answer_dispose(&look->own);
    }
    free(look);
}

static int present_token(struct hc_look *look, struct hc_error *err)
{
    unsigned char bytes[TOKEN_BYTES];
    struct hc_buf text = HC_BUF_INIT(HC_TOKEN_MAX);
    char value[HC_KEYAUTH_MAX];
    struct hc_answer answer = {.kind = HC_ANSWER_HTTP, .name = "", .value = value};
    int rc = -1;

    if (look->env->random->bytes(look->env->random->self, bytes, sizeof(bytes)) != 0) {
        return hc_error_set(err, HC_P_SYSTEM, NULL, "no random bytes");
    }
    if (hc_base64url(bytes, sizeof(bytes), &text, err) != 0) {
        goto out;
    }
    (void)snprintf(value, sizeof(value), "%s.hotcert-preflight", hc_buf_text(&text));
    answer.key = hc_buf_text(&text);
    answer.expires = hc_env_now(look->env) + TOKEN_LIFE_S;
    if (hc_answer_copy(&look->own, &answer, err) != 0) {
        goto out;
    }
    rc = hc_answers_give_briefly(look->answers, &look->own, err);
    if (rc != 0) {
        hc_answer_dispose(&look->own);
    }
out:
    hc_buf_dispose(&text);
    return rc;
}

int hc_look_start(const struct hc_look_options *options, struct hc_look **out, struct hc_error *err)
{
    const struct hc_issuer *issuer = hc_ca_issuer(options->ca);
    struct hc_preflight_options preflight = {
        .names = &options->identity->names,
        .caa_domains = hc_ca_caa_domains(options->ca),
        .methods = hc_issuer_methods(issuer, options->identity->set),
        .account_uri = hc_ca_account_url(options->ca),
        .network = issuer->network,
        .directory_url = issuer->directory_url,
        .http_port = issuer->http_port,
        .tls_port = issuer->tls_port,
        .responder = hc_identity_answers_dns(options->env->conf, options->identity)
                         ? hc_responder_domain(options->responder)
                         : NULL,
        .web = options->web,
        .dns = options->dns,
        .loop = options->env->loop,
        .log = options->env->log,
        .self = options->self,
        .done = options->done,
    };
    struct hc_look *look = calloc(1, sizeof(*look));

    if (look == NULL) {
        return hc_error_nomem(err);
    }
    look->env = options->env;
    look->answers = options->answers;
    if (present_token(look, err) != 0) {
        goto failed;
    }
    preflight.token = look->own.key;
    preflight.answer = look->own.value;
    if (hc_preflight_start(&preflight, &look->preflight, err) != 0) {
        goto failed;
    }
    *out = look;
    return 0;
failed:
    hc_look_free(look);
    return -1;
}
