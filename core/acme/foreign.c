/* The words of a CA as data; see foreign.h. */
#include "acme/foreign.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "acme/json.h"
#include "acme/problem.h"
#include "conf/name.h"

/*
 * A type and a word that, where it stands in the text, says more than the type does. RFC 8555 has
 * the types only; the words are those of boulder and Pebble.
 */
static const struct {
    enum hc_problem said;
    enum hc_problem means;
    const char *word;
} words[] = {
    {HC_P_CA_SAYS_CAA, HC_P_CAA_FAILED, "SERVFAIL"},
    {HC_P_CA_SAYS_CAA, HC_P_CAA_FAILED, "timed out"},
    {HC_P_CA_SAYS_DNS, HC_P_DNS_DNSSEC_BROKEN, "DNSSEC"},
    {HC_P_CA_SAYS_DNS, HC_P_CAA_FAILED, "CAA"},
    {HC_P_CA_SAYS_DNS, HC_P_DNS_NO_SUCH_NAME, "NXDOMAIN"},
    {HC_P_CA_SAYS_DNS, HC_P_DNS_FAILED, "SERVFAIL"},
    {HC_P_CA_SAYS_DNS, HC_P_DNS_FAILED, "timed out"},
    {HC_P_CA_SAYS_DNS, HC_P_DNS_RESERVED_ADDRESS, "reserved"},
    {HC_P_CA_SAYS_ANSWER, HC_P_DNS_WRONG_TXT, "TXT record"},
    {HC_P_CA_SAYS_ANSWER, HC_P_DNS_WRONG_TXT, "DNS challenge"},
    {HC_P_CA_SAYS_CONNECTION, HC_P_HTTP_REDIRECT, "redirect"},
    {HC_P_CA_SAYS_CONNECTION, HC_P_DNS_FAILED, "could not resolve"},
};

static enum hc_problem meaning(enum hc_problem p, const char *text)
{
    for (size_t i = 0; text != NULL && i < HC_COUNT(words); i++) {
        if (words[i].said == p && strcasestr(text, words[i].word) != NULL) {
            return words[i].means;
        }
    }
    return HC_P_NONE;
}

/* Between two blanks, once, if there is room. */
static void add_name(struct hc_foreign *foreign, const char *raw)
{
    char name[HC_NAME_SIZE];
    char item[HC_NAME_SIZE + 2];
    size_t used = strlen(foreign->names);

    if (strchr(raw, '.') == NULL || hc_name_normalise(raw, name, NULL) != 0) {
        return;
    }
    (void)snprintf(item, sizeof(item), " %s ", name);
    if (strstr(foreign->names, item) == NULL && used + strlen(item) < sizeof(foreign->names)) {
        /* two names have one blank between them */
        (void)snprintf(foreign->names + used, sizeof(foreign->names) - used, "%s",
                       item + (used > 0 ? 1 : 0));
    }
}

static bool in_name(char c)
{
    return isalnum((unsigned char)c) || (c != '\0' && strchr(".-_*", c) != NULL);
}

/* Names stand alone: what is a part of an address of a page or of a person names nobody. */
static void add_names_of_text(struct hc_foreign *foreign, const char *text)
{
    char raw[HC_NAME_SIZE];
    size_t len = 0;

    for (const char *at = text; *at != '\0'; at += len > 0 ? len : 1) {
        const char *end = at;
        bool alone = at == text || strchr("/@=", at[-1]) == NULL;

        while (in_name(*end)) {
            end++;
        }
        len = (size_t)(end - at);
        alone = alone && (*end == '\0' || strchr("/@=", *end) == NULL);
        if (!alone || len == 0 || len >= sizeof(raw)) {
            continue;
        }
        memcpy(raw, at, len);
        raw[len] = '\0';
        for (size_t n = len; n > 0 && raw[n - 1] == '.'; n--) {
            raw[n - 1] = '\0'; /* the sentence's */
        }
        add_name(foreign, raw);
    }
}

static void add_names_of_subproblems(struct hc_foreign *foreign, const json_t *problem)
{
    const json_t *list = hc_json_array(problem, "subproblems");

    for (size_t i = 0; i < HC_SUBPROBLEMS_MAX && i < json_array_size(list); i++) {
        char name[HC_NAME_SIZE];

        hc_acme_identifier_name(json_object_get(json_array_get(list, i), "identifier"), false,
                                name);
        if (name[0] != '\0') {
            add_name(foreign, name);
        }
    }
}

void hc_foreign_read(const json_t *problem, enum hc_problem p, struct hc_foreign *foreign)
{
    const char *type = hc_json_text(problem, "type");
    const char *text = json_string_value(json_object_get(problem, "detail"));
    const char *colon = type != NULL ? strrchr(type, ':') : NULL;
    json_int_t status = json_integer_value(json_object_get(problem, "status"));

    hc_copy(foreign->type, sizeof(foreign->type),
            type == NULL    ? HC_FOREIGN_UNTYPED
            : colon != NULL ? colon + 1
                            : type);
    foreign->http_status = status >= 100 && status <= 599 ? (int)status : 0;
    foreign->means = meaning(p, text);
    foreign->names[0] = '\0';
    add_names_of_subproblems(foreign, problem);
    if (text != NULL) {
        add_names_of_text(foreign, text);
    }
}

bool hc_foreign_names(const struct hc_foreign *foreign, const char *name)
{
    char item[HC_NAME_SIZE + 2];

    name += strncmp(name, "*.", 2) == 0 ? 2 : 0;
    while (name != NULL && strchr(name, '.') != NULL) {
        (void)snprintf(item, sizeof(item), " %s ", name);
        if (strstr(foreign->names, item) != NULL) {
            return true;
        }
        (void)snprintf(item, sizeof(item), " *.%.*s ", HC_NAME_SIZE - 5, name);
        if (strstr(foreign->names, item) != NULL) {
            return true;
        }
        name = hc_name_is_ip(name) ? NULL : strchr(name, '.') + 1;
    }
    return false;
}
