/* dns-01 and dns-account-01; see dns01.h. The records themselves are txts.h's work. */
#include "solve/dns01.h"

#include <openssl/crypto.h>
#include <openssl/sha.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "acme/challenge.h"
#include "conf/method.h"
#include "conf/name.h"
#include "solve/txts.h"

#define DNS01         "dns-01"
#define DNS_ACCOUNT01 "dns-account-01"
#define LIFE_S        3600
#define VALUE_SIZE    48 /* base64url of 32 bytes, NUL */

struct dns01 {
    struct hc_solver_env env;
    const char *type;
};

static bool supports(void *self, const char *name)
{
    const struct dns01 *s = self;

    return hc_method_takes(hc_method_find(s->type), name) && s->env.txts != NULL &&
           hc_txts_has_writer(s->env.txts, name);
}

/* The record's name below which the CA looks. */
static int make_key(const struct dns01 *s, const struct hc_challenge_case *c,
                    char key[HC_ANSWER_KEY_MAX], struct hc_error *err)
{
    const char *domain = hc_name_is_wildcard(c->name) ? c->name + 2 : c->name;
    char label[HC_METHOD_LABEL];

    if (hc_method_label(hc_method_find(s->type), c->account_url, label) != 0) {
        return hc_error_set(err, HC_P_INTERNAL, c->name, "the account's URL is not known");
    }
    return snprintf(key, HC_ANSWER_KEY_MAX, "%s%s", label, domain) < HC_NAME_SIZE
               ? 0
               : hc_error_set(err, HC_P_NAME_INVALID, c->name,
                              "with the label of %s in front it is too long", s->type);
}

static int make_value(const char *keyauth, char value[VALUE_SIZE], struct hc_error *err)
{
    unsigned char digest[SHA256_DIGEST_LENGTH];
    struct hc_buf text = HC_BUF_INIT(VALUE_SIZE);
    int rc = -1;

    SHA256((const unsigned char *)keyauth, strlen(keyauth), digest);
    rc = hc_base64url(digest, sizeof(digest), &text, err);
    if (rc == 0) {
        (void)hc_copy(value, VALUE_SIZE, hc_buf_text(&text));
    }
    hc_buf_dispose(&text);
    return rc;
}

static int make_answer(void *self, const struct hc_challenge_case *c, struct hc_answer *answer,
                       struct hc_error *err)
{
    const struct dns01 *s = self;
    char keyauth[HC_KEYAUTH_SIZE];
    char key[HC_ANSWER_KEY_MAX];
    char value[VALUE_SIZE];
    struct hc_answer made = {.kind = HC_ANSWER_TXT, .name = c->name, .key = key, .value = value};
    int rc = -1;

    if (hc_challenge_check_token(c, s->type, err) != 0 || make_key(s, c, key, err) != 0) {
        return -1;
    }
    hc_challenge_keyauth(c->token, c->thumbprint, keyauth);
    made.expires = hc_now(s->env.clock) + LIFE_S;
    if (make_value(keyauth, value, err) == 0 && hc_answer_check(&made, err) == 0 &&
        hc_txts_prepare(s->env.txts, &made, c->token, keyauth, err) == 0) {
        rc = hc_answer_copy(answer, &made, err);
    }
    OPENSSL_cleanse(keyauth, sizeof(keyauth));
    return rc;
}

static void present(void *self, const struct hc_answer *answer, hc_solver_done *done, void *arg)
{
    hc_txts_present(((struct dns01 *)self)->env.txts, answer, done, arg);
}

static int ready(void *self, const struct hc_answer *answer, struct hc_error *err HC_UNUSED)
{
    return hc_txts_ready(((struct dns01 *)self)->env.txts, answer);
}

static void withdraw(void *self, const struct hc_answer *answer, hc_solver_done *done, void *arg)
{
    hc_txts_withdraw(((struct dns01 *)self)->env.txts, answer, done, arg);
}

static void leave(void *self, const struct hc_answer *answer)
{
    hc_txts_leave(((struct dns01 *)self)->env.txts, answer);
}

static void cancel(void *self, void *arg)
{
    hc_txts_cancel(((struct dns01 *)self)->env.txts, arg);
}

static int open_as(const char *type, const struct hc_solver_env *env, struct hc_solver *out,
                   struct hc_error *err)
{
    struct dns01 *self = malloc(sizeof(*self));

    if (self == NULL) {
        return hc_error_nomem(err);
    }
    self->env = *env;
    self->type = type;
    *out = (struct hc_solver){
        .type = type,
        .self = self,
        .supports = supports,
        .answer = make_answer,
        .present = present,
        .ready = ready,
        .withdraw = withdraw,
        .leave = leave,
        .cancel = cancel,
        .close = free,
    };
    return 0;
}

int hc_dns01_open(const struct hc_solver_env *env, struct hc_solver *out, struct hc_error *err)
{
    return open_as(DNS01, env, out, err);
}

int hc_dns_account01_open(const struct hc_solver_env *env, struct hc_solver *out,
                          struct hc_error *err)
{
    return open_as(DNS_ACCOUNT01, env, out, err);
}
