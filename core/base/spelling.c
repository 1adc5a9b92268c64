/* Directives in each server's spelling; see spelling.h. */
#include "base/spelling.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/compiler.h"

static enum hc_spelling chosen = HC_SPELLING_BOTH;

/* What the rule for names of ours does not cover. Of two that begin alike the longer comes first.
 */
static const struct {
    const char *nginx, *httpd;
} phrases[] = {
    {"hotcert on", "HotCert on"},
    {"hotcert off", "HotCert off"},
    {"hotcert watch", "HotCert watch"},
    {"listen 443 ssl", "SSLEngine on"},
    {"nginx -s reload restarts it", "httpd restarts it automatically"},
    {"network private", "HotCertNetwork private"},
    {"network public", "HotCertNetwork public"},
    {"server_name", "ServerName"},
    {"ssl_certificate_key", "SSLCertificateKeyFile"},
    {"ssl_certificate", "SSLCertificateFile"},
    {"ssl_password_file", "SSLPassPhraseDialog"},
    {"ssl_stapling", "SSLUseStapling"},
    {"address_profile", "HotCertAddressProfile"},
    {"ca_bundle", "HotCertCaBundle"},
    {"caa_domain", "HotCertCaaDomain"},
    {"directory_url", "HotCertDirectoryUrl"},
    {"eab_algorithm", "HotCertEabAlgorithm"},
    {"eab_key", "HotCertEabKey"},
    {"eab_kid", "HotCertEabKid"},
    {"hosted_zone", "HotCertHostedZone"},
    {"http_port", "HotCertHttpPort"},
    {"key_file", "HotCertKeyFile"},
    {"preferred_chain", "HotCertPreferredChain"},
    {"propagation_timeout", "HotCertPropagationTimeout"},
    {"role_arn", "HotCertRoleArn"},
    {"time_limit", "HotCertTimeLimit"},
    {"tls_port", "HotCertTlsPort"},
    {"terms_agreed", "HotCertTermsAgreed"},
};

void hc_spelling_use(enum hc_spelling spelling)
{
    chosen = spelling;
}

char *hc_spelling_httpd(const char *name, char dst[HC_DIRECTIVE_NAME])
{
    size_t used = strlen("HotCert");
    bool upper = true;

    memcpy(dst, "HotCert", used);
    name += strncmp(name, "hotcert", used) == 0 ? used : 0;
    for (; *name != '\0' && used + 1 < HC_DIRECTIVE_NAME; name++) {
        if (*name == '_') {
            upper = true;
            continue;
        }
        dst[used++] = upper ? (char)toupper((unsigned char)*name) : *name;
        upper = false;
    }
    dst[used] = '\0';
    return dst;
}

/* What makes a word longer: a name beside it is a part of a path, a slug or another name. */
static bool in_word(char c)
{
    return isalnum((unsigned char)c) || (c != '\0' && strchr("_/-\\", c) != NULL);
}

/* A full stop ends a sentence, or goes on with a file's name. */
static bool ends_here(const char *at)
{
    return !in_word(at[0]) && !(at[0] == '.' && in_word(at[1]));
}

/* The length of the directive that text begins with, and its httpd form; 0: there is none. */
static size_t match(const char *text, char httpd[HC_DIRECTIVE_NAME])
{
    char name[HC_DIRECTIVE_NAME];
    size_t len = 0;

    for (size_t i = 0; i < HC_COUNT(phrases); i++) {
        len = strlen(phrases[i].nginx);
        if (strncmp(text, phrases[i].nginx, len) == 0 && ends_here(text + len)) {
            (void)snprintf(httpd, HC_DIRECTIVE_NAME, "%s", phrases[i].httpd);
            return len;
        }
    }
    len = strspn(text, "abcdefghijklmnopqrstuvwxyz_");
    if (strncmp(text, "hotcert_", 8) != 0 || len <= 8 || len >= sizeof(name) ||
        !ends_here(text + len)) {
        return 0;
    }
    memcpy(name, text, len);
    name[len] = '\0';
    hc_spelling_httpd(name, httpd);
    return len;
}

/* True if the httpd form stands behind the nginx form already. */
static bool has_both(const char *behind, const char *httpd)
{
    return strncmp(behind, " / ", 3) == 0 && strncmp(behind + 3, httpd, strlen(httpd)) == 0;
}

char *hc_spell(const char *text, char *dst, size_t cap)
{
    size_t used = 0;

    for (const char *at = text; *at != '\0' && used + 1 < cap;) {
        char httpd[HC_DIRECTIVE_NAME];
        bool begins = at == text || (!in_word(at[-1]) && at[-1] != '.');
        size_t len = begins && chosen != HC_SPELLING_NGINX ? match(at, httpd) : 0;

        if (len == 0) {
            dst[used++] = *at++;
            continue;
        }
        if (chosen == HC_SPELLING_HTTPD) {
            (void)snprintf(dst + used, cap - used, "%s", httpd);
        } else {
            (void)snprintf(dst + used, cap - used, "%.*s%s%s", (int)len, at,
                           has_both(at + len, httpd) ? "" : " / ",
                           has_both(at + len, httpd) ? "" : httpd);
        }
        used += strlen(dst + used);
        at += len;
    }
    dst[used] = '\0';
    return dst;
}
