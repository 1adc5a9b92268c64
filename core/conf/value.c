/* The rules for arguments of directives; see value.h. */
#include "conf/value.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/address.h"
#include "base/time.h"
#include "conf/issuer.h"
#include "conf/method.h"
#include "conf/name.h"
#include "conf/url.h"

static int bad(const struct hc_directive_call *call, const char *arg, struct hc_error *err)
{
    return hc_error_set(err, HC_P_BAD_VALUE, arg, "it takes %s", call->directive->args);
}

/* The value of the directive's own field. */
static const void *field_of(const struct hc_directive_call *call)
{
    return (const char *)hc_directive_base(call) + call->directive->field.offset;
}

int hc_value_number(const struct hc_directive_call *call, const char *arg, char out[HC_FIELD_VALUE],
                    struct hc_error *err)
{
    const struct hc_field *field = &call->directive->field;
    char *end = NULL;
    long long value = isdigit((unsigned char)arg[0]) ? strtoll(arg, &end, 10) : -1;

    if (end == NULL || *end != '\0' || value < field->least || value > field->most) {
        return hc_error_set(err, HC_P_BAD_VALUE, arg, "it takes a number%s from %lld to %lld",
                            field->of != NULL ? field->of : "", (long long)field->least,
                            (long long)field->most);
    }
    (void)snprintf(out, HC_FIELD_VALUE, "%lld", value * (long long)field->unit);
    return 0;
}

int hc_value_time(const struct hc_directive_call *call, const char *arg, char out[HC_FIELD_VALUE],
                  struct hc_error *err)
{
    int64_t seconds = 0;

    if (hc_duration_parse(arg, &seconds, err) != 0) {
        return -1;
    }
    if (seconds < call->directive->field.least || seconds > call->directive->field.most) {
        return bad(call, arg, err);
    }
    (void)snprintf(out, HC_FIELD_VALUE, "%" PRId64, seconds);
    return 0;
}

int hc_value_path(const struct hc_directive_call *call, const char *arg, char out[HC_FIELD_VALUE],
                  struct hc_error *err)
{
    if (arg[0] == '\0') {
        return bad(call, arg, err);
    }
    if (arg[0] != '/' && call->path_base == NULL) {
        return hc_error_set(err, HC_P_BAD_VALUE, arg, "a path must begin with '/'");
    }
    if (snprintf(out, HC_FIELD_VALUE, "%s%s%s", arg[0] == '/' ? "" : call->path_base,
                 arg[0] == '/' ? "" : "/", arg) >= HC_FIELD_VALUE) {
        return hc_error_set(err, HC_P_BAD_VALUE, arg, "the path is too long");
    }
    return 0;
}

int hc_value_anchor(const struct hc_directive_call *call, const char *arg, char out[HC_FIELD_VALUE],
                    struct hc_error *err)
{
    if (strcmp(arg, "off") == 0) {
        (void)hc_copy(out, HC_FIELD_VALUE, arg);
        return 0;
    }
    return hc_value_path(call, arg, out, err);
}

int hc_value_socket(const struct hc_directive_call *call, const char *arg, char out[HC_FIELD_VALUE],
                    struct hc_error *err)
{
    /* sun_path has 108 bytes; the temporary name beside it takes a few */
    if (strlen(arg) > 90) {
        return hc_error_set(err, HC_P_BAD_VALUE, arg, "a socket's path has at most 90 characters");
    }
    return hc_value_path(call, arg, out, err);
}

int hc_value_user(const struct hc_directive_call *call HC_UNUSED, const char *arg,
                  char out[HC_FIELD_VALUE], struct hc_error *err)
{
    if (arg[0] == '\0' || arg[0] == '-' || strpbrk(arg, ":/ \t\n") != NULL ||
        !hc_copy(out, HC_FIELD_VALUE, arg)) {
        return hc_error_set(err, HC_P_BAD_VALUE, arg, "it takes the name of a user");
    }
    return 0;
}

int hc_value_domain(const struct hc_directive_call *call HC_UNUSED, const char *arg,
                    char out[HC_FIELD_VALUE], struct hc_error *err)
{
    char name[HC_NAME_SIZE];

    if (hc_name_normalise(arg, name, err) != 0) {
        return -1;
    }
    (void)hc_copy(out, HC_FIELD_VALUE, name);
    return 0;
}

int hc_value_issuer(const struct hc_directive_call *call, const char *arg, char out[HC_FIELD_VALUE],
                    struct hc_error *err)
{
    if (hc_list_has(field_of(call), arg)) {
        return hc_error_set(err, HC_P_DUPLICATE, arg, "the issuer is listed twice");
    }
    (void)hc_copy(out, HC_FIELD_VALUE, arg);
    return 0;
}

int hc_value_eab_kid(const struct hc_directive_call *call, const char *arg,
                     char out[HC_FIELD_VALUE], struct hc_error *err)
{
    size_t len = strlen(arg);

    for (size_t i = 0; i < len; i++) {
        if (arg[i] < 0x21 || arg[i] > 0x7e) {
            return bad(call, arg, err);
        }
    }
    if (len == 0 || len > 512) {
        return bad(call, arg, err);
    }
    (void)hc_copy(out, HC_FIELD_VALUE, arg);
    return 0;
}

int hc_value_line(const struct hc_directive_call *call, const char *arg, char out[HC_FIELD_VALUE],
                  struct hc_error *err)
{
    size_t len = strlen(arg);

    for (size_t i = 0; i < len; i++) {
        if ((unsigned char)arg[i] < 0x20 || arg[i] == 0x7f) {
            return bad(call, arg, err);
        }
    }
    if (len == 0 || len > 199) {
        return bad(call, arg, err);
    }
    (void)hc_copy(out, HC_FIELD_VALUE, arg);
    return 0;
}

/* draft-ietf-acme-profiles: a key of JSON; CAs use plain words. */
int hc_value_word(const struct hc_directive_call *call, const char *arg, char out[HC_FIELD_VALUE],
                  struct hc_error *err)
{
    static const char allowed[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.";
    size_t len = strlen(arg);

    if (len == 0 || len > 64 || strspn(arg, allowed) != len) {
        return bad(call, arg, err);
    }
    (void)hc_copy(out, HC_FIELD_VALUE, arg);
    return 0;
}

int hc_value_profile(const struct hc_directive_call *call, const char *arg,
                     char out[HC_FIELD_VALUE], struct hc_error *err)
{
    const struct hc_list *words = field_of(call);

    if (words->count > 0 && strcmp(arg, HC_PROFILE_REQUIRED) != 0) {
        return bad(call, arg, err);
    }
    return hc_value_word(call, arg, out, err);
}

int hc_value_method(const struct hc_directive_call *call, const char *arg, char out[HC_FIELD_VALUE],
                    struct hc_error *err)
{
    const struct hc_method *method = hc_method_find(arg);

    if (method == NULL || !method->solved) {
        return bad(call, arg, err);
    }
    if (hc_list_has(field_of(call), method->word)) {
        return hc_error_set(err, HC_P_DUPLICATE, method->word, "the method is listed twice");
    }
    (void)hc_copy(out, HC_FIELD_VALUE, method->word);
    return 0;
}

int hc_value_key_type(const struct hc_directive_call *call, const char *arg,
                      char out[HC_FIELD_VALUE], struct hc_error *err)
{
    const struct hc_key_types *types = field_of(call);
    enum hc_key_type type = hc_key_type_parse(arg);

    if (type == HC_KEY_NONE) {
        return bad(call, arg, err);
    }
    if (types->count == 1 && hc_key_type_is_rsa(type) == hc_key_type_is_rsa(types->items[0])) {
        return hc_error_set(err, HC_P_BAD_VALUE, arg,
                            "two key types must be one ecdsa and one rsa: a server holds one "
                            "certificate of each kind");
    }
    (void)hc_copy(out, HC_FIELD_VALUE, arg);
    return 0;
}

static bool is_resolver(const char *text)
{
    unsigned char address[16];
    char host[64];
    const char *port = NULL;
    char *end = NULL;
    size_t len = strlen(text);

    if (inet_pton(AF_INET, text, address) == 1 || inet_pton(AF_INET6, text, address) == 1) {
        return true;
    }
    port = strrchr(text, ':');
    if (port == NULL || !isdigit((unsigned char)port[1]) || len >= sizeof(host) ||
        strtol(port + 1, &end, 10) < 1 || strtol(port + 1, NULL, 10) > 65535 || *end != '\0') {
        return false;
    }
    hc_copy(host, (size_t)(port - text) + 1, text);
    len = strlen(host);
    if (host[0] == '[' && host[len - 1] == ']') {
        host[len - 1] = '\0';
        return inet_pton(AF_INET6, host + 1, address) == 1;
    }
    return inet_pton(AF_INET, host, address) == 1;
}

int hc_value_resolver(const struct hc_directive_call *call, const char *arg,
                      char out[HC_FIELD_VALUE], struct hc_error *err)
{
    if (!is_resolver(arg)) {
        return bad(call, arg, err);
    }
    (void)hc_copy(out, HC_FIELD_VALUE, arg);
    return 0;
}

int hc_value_dns_listen(const struct hc_directive_call *call, const char *arg,
                        char out[HC_FIELD_VALUE], struct hc_error *err)
{
    unsigned char address[16];

    /* without its port it would be a resolver, too */
    if (!is_resolver(arg) || inet_pton(AF_INET, arg, address) == 1 ||
        inet_pton(AF_INET6, arg, address) == 1 || strlen(arg) >= HC_DNS_LISTEN_TEXT) {
        return bad(call, arg, err);
    }
    if (hc_list_has(field_of(call), arg)) {
        return hc_error_set(err, HC_P_DUPLICATE, arg, "the address is listed twice");
    }
    (void)hc_copy(out, HC_FIELD_VALUE, arg);
    return 0;
}

int hc_value_dns_ns(const struct hc_directive_call *call, const char *arg, char out[HC_FIELD_VALUE],
                    struct hc_error *err)
{
    const struct hc_list *words = field_of(call);
    struct hc_address address;

    if (hc_address_parse(arg, &address) != 0) {
        return hc_value_domain(call, arg, out, err);
    }
    if (words->count == 0) {
        return hc_error_set(err, HC_P_BAD_VALUE, arg,
                            "an address must follow the name of its server");
    }
    (void)hc_address_format(&address, out);
    return 0;
}

int hc_value_flaw(const struct hc_directive_call *call HC_UNUSED, const char *arg,
                  char out[HC_FIELD_VALUE], struct hc_error *err)
{
    enum hc_problem p = hc_problem_by_slug(arg);

    if (p == HC_P_NONE || hc_problem_row(p)->cls != HC_CLASS_FLAWED) {
        return hc_error_set(err, HC_P_BAD_VALUE, arg,
                            "it takes the slugs of flaws, as `hotcert check` prints them");
    }
    (void)hc_copy(out, HC_FIELD_VALUE, arg);
    return 0;
}

int hc_value_contact(const struct hc_directive_call *call HC_UNUSED, const char *arg,
                     char out[HC_FIELD_VALUE], struct hc_error *err)
{
    const char *mail = strncmp(arg, "mailto:", 7) == 0 ? arg + 7 : arg;
    const char *at = strchr(mail, '@');

    if (at == NULL || at == mail || at[1] == '\0' || strpbrk(mail, " ,?<>\"\t") != NULL ||
        strlen(mail) > 254) {
        return hc_error_set(err, HC_P_BAD_VALUE, arg, "a contact must be a mail address");
    }
    (void)snprintf(out, HC_FIELD_VALUE, "mailto:%s", mail);
    return 0;
}

int hc_value_directory_url(const struct hc_directive_call *call, const char *arg,
                           char out[HC_FIELD_VALUE], struct hc_error *err)
{
    const struct hc_issuer *issuer = call->block;

    if (hc_url_check(arg, err) != 0) {
        return -1;
    }
    if (strcmp(issuer->name, "letsencrypt") == 0 ||
        strcmp(issuer->name, "letsencrypt-staging") == 0) {
        return hc_error_set(err, HC_P_CONFLICT, arg,
                            "the directory of %s is built in; give another CA a name of its own",
                            issuer->name);
    }
    (void)hc_copy(out, HC_FIELD_VALUE, arg);
    return 0;
}

const char *hc_issuer_stands_for(const struct hc_conf *conf, const char *name)
{
    const struct hc_issuer *issuer = hc_conf_issuer(conf, name);

    return issuer != NULL && issuer->directory_url != NULL ? issuer->directory_url : name;
}
