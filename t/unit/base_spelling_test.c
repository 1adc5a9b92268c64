#include "base/spelling.h"

#include "base/error.h"
#include "base/finding.h"
#include "base/log.h"
#include "base/str.h"
#include "tap.h"

static const struct {
    const char *text, *httpd, *both;
} texts[] = {
    {"name it with hotcert_trusted_certificate.", "name it with HotCertTrustedCertificate.",
     "name it with hotcert_trusted_certificate / HotCertTrustedCertificate."},
    {"say `hotcert watch` in the host", "say `HotCert watch` in the host",
     "say `hotcert watch / HotCert watch` in the host"},
    {"(`hotcert_repair aia` does)", "(`HotCertRepair aia` does)",
     "(`hotcert_repair / HotCertRepair aia` does)"},
    {"ssl_certificate_key or ssl_certificate", "SSLCertificateKeyFile or SSLCertificateFile",
     "ssl_certificate_key / SSLCertificateKeyFile or ssl_certificate / SSLCertificateFile"},
    {"set `network private` and http_port", "set `HotCertNetwork private` and HotCertHttpPort",
     "set `network private / HotCertNetwork private` and http_port / HotCertHttpPort"},
    {"/etc/hotcert_files/x.pem", "/etc/hotcert_files/x.pem", "/etc/hotcert_files/x.pem"},
    {"hotcert_files.pem: lost", "hotcert_files.pem: lost", "hotcert_files.pem: lost"},
    {"see `hotcert list`", "see `hotcert list`", "see `hotcert list`"},
    {"hotcert once", "hotcert once", "hotcert once"},
    {"a.hotcert_names", "a.hotcert_names", "a.hotcert_names"},
    {"nginx -s reload restarts it", "httpd restarts it automatically",
     "nginx -s reload restarts it / httpd restarts it automatically"},
    {"", "", ""},
};

static void directives_are_spelled_as_the_server_writes_them(void)
{
    char out[256];
    char again[256];

    for (size_t i = 0; i < HC_COUNT(texts); i++) {
        hc_spelling_use(HC_SPELLING_NGINX);
        is_str(hc_spell(texts[i].text, out, sizeof(out)), texts[i].text, "nginx");
        hc_spelling_use(HC_SPELLING_HTTPD);
        is_str(hc_spell(texts[i].text, out, sizeof(out)), texts[i].httpd, "httpd");
        is_str(hc_spell(out, again, sizeof(again)), texts[i].httpd, "twice");
        hc_spelling_use(HC_SPELLING_BOTH);
        is_str(hc_spell(texts[i].text, out, sizeof(out)), texts[i].both, "both");
        is_str(hc_spell(out, again, sizeof(again)), texts[i].both, "both, twice");
    }
}

static void every_room_is_kept_to(void)
{
    char out[64];

    hc_spelling_use(HC_SPELLING_BOTH);
    for (size_t cap = 1; cap < sizeof(out); cap++) {
        memset(out, '#', sizeof(out));
        hc_spell("use hotcert_files and `hotcert on` here", out, cap);
        ok(strlen(out) < cap && out[cap] == '#', "no byte beyond");
    }
}

static char said[HC_LOG_LINE];

static void keep(void *self HC_UNUSED, enum hc_level level HC_UNUSED, const char *line)
{
    hc_copy(said, sizeof(said), line);
}

static void all_that_leaves_the_core_is_spelled(void)
{
    const struct hc_log log = {NULL, HC_LOG_INFO, keep};
    struct hc_findings findings = {0};
    struct hc_finding_text text;
    struct hc_error err;
    char line[HC_LOG_LINE];

    hc_spelling_use(HC_SPELLING_HTTPD);
    hc_error_init(&err);
    hc_error_set(&err, HC_P_NO_FILES, "h", "hotcert_bad_names is hold");
    hc_error_format(&err, line, sizeof(line));
    ok(strstr(line, "HotCertBadNames is hold") != NULL, "an error's detail");
    ok(strstr(line, "SSLCertificateKeyFile, or HotCertFiles") != NULL, "and its hint");
    hc_logf(&log, HC_LOG_INFO, "hotcert_table_size");
    is_str(said, "HotCertTableSize", "a log line");
    hc_error_init(&err);
    is_int(hc_findings_add(&findings, HC_P_UNTRUSTED_ROOT, "s", &err, "`hotcert on`"), 0, "found");
    hc_finding_render(&findings.items[0], &text);
    is_str(text.message, "`HotCert on`", "a finding");
    ok(strstr(text.hint, "HotCertTrustedCertificate") != NULL, "and its hint");
    hc_findings_dispose(&findings);
    for (size_t i = 1; i < HC_P_COUNT; i++) {
        hc_spell(hc_problem_row((enum hc_problem)i)->hint, line, sizeof(line));
        if (strstr(line, "hotcert_") != NULL || strstr(line, "ssl_") != NULL ||
            strstr(line, " / HotCert") != NULL || strstr(line, "listen ") != NULL) {
            ok(false, line);
        }
    }
}

int main(void)
{
    directives_are_spelled_as_the_server_writes_them();
    every_room_is_kept_to();
    all_that_leaves_the_core_is_spelled();
    return done();
}
