/* One preflight of an identity's names; see preflight_run.h. */
#include "agent/preflight_run.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/address.h"
#include "base/vec.h"
#include "conf/issuer.h"
#include "conf/method.h"
#include "conf/name.h"
#include "conf/writer.h"
#include "pki/proof.h"

#define TOKEN_BYTES  32
#define TOKEN_LIFE_S 60

struct hc_preflight_run {
    const struct hc_env *env;
    struct hc_answers *answers;
    size_t index;
    void *self;
    void (*done)(void *self, size_t index, const struct hc_preflight_result *result);
    struct hc_preflight *preflight;
    struct hc_answer *own; /* given; copies. The first is the token's */
    size_t own_count;
    bool borrowed; /* a proof is another's, who may take it back before we are through */
};

void hc_preflight_run_free(struct hc_preflight_run *run)
{
    if (run == NULL) {
        return;
    }
    hc_preflight_free(run->preflight);
    for (size_t i = 0; i < run->own_count; i++) {
        hc_answers_take_back(run->answers, &run->own[i]);
        hc_answer_dispose(&run->own[i]);
    }
    free(run->own);
    free(run);
}

/* Gives an answer until the run ends. */
static int give(struct hc_preflight_run *run, const struct hc_answer *answer, struct hc_error *err)
{
    struct hc_answer *own = hc_vec_room(run->own, run->own_count, NULL, sizeof(*run->own), err);

    if (own == NULL) {
        return -1;
    }
    run->own = own;
    if (hc_answer_copy(&own[run->own_count], answer, err) != 0) {
        return -1;
    }
    if (hc_answers_give_briefly(run->answers, &own[run->own_count], err) != 0) {
        hc_answer_dispose(&own[run->own_count]);
        return -1;
    }
    run->own_count++;
    return 0;
}

static int present_token(struct hc_preflight_run *run, struct hc_error *err)
{
    unsigned char bytes[TOKEN_BYTES];
    struct hc_buf text = HC_BUF_INIT(HC_TOKEN_MAX);
    char value[HC_KEYAUTH_MAX];
    struct hc_answer answer = {.kind = HC_ANSWER_HTTP, .name = "", .value = value};
    int rc = -1;

    if (run->env->random->bytes(run->env->random->self, bytes, sizeof(bytes)) != 0) {
        return hc_error_set(err, HC_P_SYSTEM, NULL, "no random bytes");
    }
    if (hc_base64url(bytes, sizeof(bytes), &text, err) != 0) {
        goto out;
    }
    (void)snprintf(value, sizeof(value), "%s.hotcert-preflight", hc_buf_text(&text));
    answer.key = hc_buf_text(&text);
    answer.expires = hc_env_now(run->env) + TOKEN_LIFE_S;
    rc = give(run, &answer, err);
out:
    hc_buf_dispose(&text);
    return rc;
}

/* Of one name; one that an order proves just now is shown that order's. */
static int present_proof(struct hc_preflight_run *run, const char *name, struct hc_error *err)
{
    const struct hc_answer_port *port = hc_answers_port(run->answers);
    struct hc_buf pem = HC_BUF_INIT_SECRET(HC_ANSWER_VALUE_MAX - 1);
    struct hc_answer answer = {.kind = HC_ANSWER_TLS, .name = name, .value = ""};
    unsigned char digest[HC_PROOF_DIGEST] = "of no key authorization";
    char reverse[HC_ADDRESS_REVERSE];
    int rc = -1;

    answer.key = hc_address_server_name(name, reverse);
    if (port->other(port->self, &answer) != NULL) {
        run->borrowed = true;
        return 0;
    }
    answer.expires = hc_env_now(run->env) + TOKEN_LIFE_S;
    if (hc_proof_make(name, digest, &pem, err) == 0) {
        answer.value = hc_buf_text(&pem);
        rc = give(run, &answer, err);
    }
    hc_buf_dispose(&pem);
    return rc;
}

static int present(struct hc_preflight_run *run, const struct hc_list *names,
                   const struct hc_preflight_options *preflight, struct hc_error *err)
{
    int rc = present_token(run, err);

    for (size_t i = 0; rc == 0 && preflight->proofs && i < names->count; i++) {
        rc = hc_name_is_wildcard(names->items[i]) ? 0 : present_proof(run, names->items[i], err);
    }
    return rc;
}

static void on_done(void *self, const struct hc_preflight_result *result)
{
    struct hc_preflight_run *run = self;

    (run->done)(run->self, run->index, result);
}

int hc_preflight_run_start(const struct hc_preflight_run_options *options,
                           struct hc_preflight_run **out, struct hc_error *err)
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
        .tls = options->tls,
        .dns = options->dns,
        .anchors = options->anchors,
        .ranges = options->ranges,
        .loop = options->env->loop,
        .log = options->env->log,
        .done = on_done,
    };
    struct hc_preflight_run *run = calloc(1, sizeof(*run));

    if (run == NULL) {
        return hc_error_nomem(err);
    }
    run->env = options->env;
    run->answers = options->answers;
    run->index = options->index;
    run->self = options->self;
    run->done = options->done;
    preflight.self = run;
    preflight.proofs = options->tls != NULL && hc_methods_go_over(preflight.methods, HC_OVER_TLS);
    if (present(run, &options->identity->names, &preflight, err) != 0 || run->own == NULL) {
        goto failed;
    }
    preflight.proofs = preflight.proofs && !run->borrowed; /* else a refusal may be ours */
    preflight.token = run->own[0].key;
    preflight.answer = run->own[0].value;
    if (hc_preflight_start(&preflight, &run->preflight, err) != 0) {
        goto failed;
    }
    *out = run;
    return 0;
failed:
    hc_preflight_run_free(run);
    return -1;
}
