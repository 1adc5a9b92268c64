/* Trust anchors; see anchors.h. */
#include "dns/anchors.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/io.h"
#include "base/str.h"
#include "dns/anchors_bind.h"
#include "dns/keys.h"
#include "dns/rr.h"

#define ANCHORS_MOST 32
#define LOOK_MS      5000

/* Debian's dns-root-data, unbound's, Fedora's, Alpine's and Arch's. */
const char *const hc_anchors_usual[] = {
    "/usr/share/dns/root.key",   "/etc/unbound/root.key",
    "/var/lib/unbound/root.key", "/usr/share/dnssec-root/trusted-key.key",
    "/etc/trusted-key.key",      NULL};

/* ---- the text ---- */

/*
 * Unbound writes the state of each key behind it (RFC 5011 section 4): one that it has only seen,
 * or that is gone, is no anchor. Such lines become comments.
 */
static void drop_states(char *text)
{
    static const char state[] = ";;state=";

    for (char *line = text; *line != '\0';) {
        size_t len = strcspn(line, "\n");
        const char *at = strstr(line, state);

        if (at != NULL && at < line + len && at[sizeof(state) - 1] != '2' /* valid */ &&
            at[sizeof(state) - 1] != '3' /* missing for now */) {
            *line = ';';
        }
        line += len + (line[len] == '\n');
    }
}

static bool is_revoked(const ldns_rr *rr)
{
    return ldns_rr_get_type(rr) == LDNS_RR_TYPE_DNSKEY && ldns_rr_dnskey_flags(rr) != NULL &&
           (ldns_rdf2native_int16(ldns_rr_dnskey_flags(rr)) & LDNS_KEY_REVOKE_KEY) != 0;
}

/* Of other types nothing can be trusted. */
static bool is_anchor(const ldns_rr *rr)
{
    return ldns_rr_get_type(rr) == LDNS_RR_TYPE_DS || ldns_rr_get_type(rr) == LDNS_RR_TYPE_DNSKEY;
}

static int add(ldns_rr_list *list, ldns_rr *rr, const char *path, struct hc_error *err)
{
    if (!is_anchor(rr)) {
        ldns_rr_free(rr);
        return hc_error_set(err, HC_P_BAD_VALUE, path,
                            "it has a record that is neither DS nor DNSKEY");
    }
    if (ldns_rr_get_class(rr) != LDNS_RR_CLASS_IN) {
        ldns_rr_free(rr);
        return hc_error_set(err, HC_P_BAD_VALUE, path, "it has a record of another class than IN");
    }
    if (is_revoked(rr)) {
        ldns_rr_free(rr);
        return 0;
    }
    if (ldns_rr_list_rr_count(list) == ANCHORS_MOST) {
        ldns_rr_free(rr);
        return hc_error_set(err, HC_P_TOO_LARGE, path, "it has more than %d anchors", ANCHORS_MOST);
    }
    if (!ldns_rr_list_push_rr(list, rr)) {
        ldns_rr_free(rr);
        return hc_error_nomem(err);
    }
    return 0;
}

static bool is_no_record(ldns_status status)
{
    return status == LDNS_STATUS_SYNTAX_EMPTY || status == LDNS_STATUS_SYNTAX_TTL ||
           status == LDNS_STATUS_SYNTAX_ORIGIN;
}

/* The lines of a zone file; ldns reads them. */
static int read_records(FILE *in, const char *path, ldns_rr_list *list, struct hc_error *err)
{
    uint32_t ttl = 3600;
    ldns_rdf *origin = ldns_dname_new_frm_str(".");
    ldns_rdf *prev = NULL;
    int line = 0;
    int rc = origin != NULL ? 0 : hc_error_nomem(err);

    while (rc == 0 && feof(in) == 0) {
        ldns_rr *rr = NULL;
        int begin = line + 1; /* ldns counts on to where the next record begins */
        ldns_status status = ldns_rr_new_frm_fp_l(&rr, in, &ttl, &origin, &prev, &line);

        if (status == LDNS_STATUS_OK) {
            rc = add(list, rr, path, err);
        } else if (!is_no_record(status)) {
            rc = hc_error_set(err, HC_P_BAD_VALUE, path,
                              "line %d is neither a DS or DNSKEY record nor one of BIND's "
                              "trust-anchors: %s",
                              begin, ldns_get_errorstr_by_id(status));
        }
    }
    ldns_rdf_deep_free(origin);
    ldns_rdf_deep_free(prev);
    return rc;
}

static int read_zone_file(char *text, const char *path, ldns_rr_list *list, struct hc_error *err)
{
    FILE *in = fmemopen(text, strlen(text), "r");
    int rc = -1;

    if (in == NULL) {
        return hc_error_nomem(err);
    }
    rc = read_records(in, path, list, err);
    (void)fclose(in);
    return rc;
}

/* One of BIND's, as a line of a zone file. */
static int add_line(void *arg, const char *line, const char *path, struct hc_error *err)
{
    ldns_rr_list *list = arg;
    ldns_rr *rr = NULL;
    ldns_status status = ldns_rr_new_frm_str(&rr, line, 0, NULL, NULL);

    if (status != LDNS_STATUS_OK) {
        return hc_error_set(err, HC_P_BAD_VALUE, path, "\"%.60s..\" is not a trust anchor: %s",
                            line, ldns_get_errorstr_by_id(status));
    }
    return add(list, rr, path, err);
}

/* Mistakes are refused; keys of unknown algorithms are not, beside one that is known. */
static int check_records(const struct hc_dns_reply *anchors, const char *path, struct hc_error *err)
{
    bool known = false;

    for (size_t i = 0; i < anchors->answers; i++) {
        const char *fault = hc_trust_fault(&anchors->records[i]);

        if (fault != NULL) {
            return hc_error_set(err, HC_P_BAD_VALUE, path, "it has %s", fault);
        }
        known = known || hc_trust_is_known(&anchors->records[i]);
    }
    return known ? 0
                 : hc_error_set(err, HC_P_BAD_VALUE, path,
                                "it has no key of an algorithm that hotcert knows");
}

int hc_anchors_parse(const char *text, size_t len, const char *path, struct hc_dns_reply *out,
                     struct hc_error *err)
{
    static const char mark[] = "\xef\xbb\xbf"; /* U+FEFF: some editors begin UTF-8 with it */
    ldns_rr_list *list = ldns_rr_list_new();
    char *copy = malloc(len + 2); /* with a newline and a NUL at its end */
    size_t skip = len >= 3 && memcmp(text, mark, 3) == 0 ? 3 : 0;
    int rc = -1;

    memset(out, 0, sizeof(*out));
    if (list == NULL || copy == NULL) {
        hc_error_nomem(err);
        goto out;
    }
    if (len > 0 && memchr(text, '\0', len) != NULL) {
        hc_error_set(err, HC_P_BAD_VALUE, path, "it is not a text file");
        goto out;
    }
    memcpy(copy, text + skip, len - skip);
    memcpy(copy + len - skip, "\n", 2);
    drop_states(copy);
    rc = hc_anchors_is_bind(copy) ? hc_anchors_read_bind(copy, path, add_line, list, err)
                                  : read_zone_file(copy, path, list, err);
    if (rc == 0 && ldns_rr_list_rr_count(list) == 0) {
        rc = hc_error_set(err, HC_P_BAD_VALUE, path, "it has no DS or DNSKEY record");
    }
    if (rc == 0) {
        rc = hc_rr_records(list, out, err);
    }
    if (rc == 0 && check_records(out, path, err) != 0) {
        hc_dns_reply_dispose(out);
        rc = -1;
    }
out:
    ldns_rr_list_deep_free(list);
    free(copy);
    return rc;
}

/* ---- the file ---- */

static int read_file(const char *path, struct hc_dns_reply *out, struct hc_error *err)
{
    struct hc_buf text = HC_BUF_INIT(HC_ANCHORS_FILE_MAX);
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    int rc = -1;

    memset(out, 0, sizeof(*out));
    if (fd < 0) {
        return hc_error_set_errno(err, HC_P_FILE_UNREADABLE, path, errno,
                                  "the trust anchor of DNSSEC cannot be read");
    }
    if (hc_io_read_all(fd, path, &text, err) == 0) {
        rc = hc_anchors_parse(hc_buf_text(&text), text.len, path, out, err);
    }
    close(fd);
    hc_buf_dispose(&text);
    return rc;
}

static void load(struct hc_anchors *anchors)
{
    struct hc_dns_reply records;
    struct hc_error err;

    hc_error_init(&err);
    if (read_file(anchors->path, &records, &err) == 0) {
        hc_dns_reply_dispose(&anchors->records);
        anchors->records = records;
        hc_error_init(&anchors->why);
    } else if (anchors->records.answers == 0) {
        anchors->why = err; /* else those of before are better than none */
    }
}

static const char *find_usual(void)
{
    for (size_t i = 0; hc_anchors_usual[i] != NULL; i++) {
        if (access(hc_anchors_usual[i], R_OK) == 0) {
            return hc_anchors_usual[i];
        }
    }
    return NULL;
}

int hc_anchors_new(const char *setting, struct hc_anchors **out, struct hc_error *err)
{
    struct hc_anchors *anchors = calloc(1, sizeof(*anchors));
    const char *path = setting != NULL ? setting : find_usual();

    *out = NULL;
    if (anchors == NULL) {
        return hc_error_nomem(err);
    }
    anchors->off = setting != NULL && strcmp(setting, "off") == 0;
    anchors->named = setting != NULL && !anchors->off;
    if (anchors->off) {
        hc_error_set(&anchors->why, HC_P_FILE_UNREADABLE, NULL, "hotcert_dnssec_anchor is off");
    } else if (path == NULL) {
        hc_error_set(&anchors->why, HC_P_FILE_UNREADABLE, NULL,
                     "the root's trust anchor is missing: install dns-root-data, or name a file "
                     "in hotcert_dnssec_anchor");
    } else if (hc_strdup(path, &anchors->path, err) != 0) {
        hc_anchors_free(anchors);
        return -1;
    } else {
        (void)hc_dns_file_changed(path, &anchors->stamp);
        load(anchors);
    }
    *out = anchors;
    return 0;
}

void hc_anchors_free(struct hc_anchors *anchors)
{
    if (anchors != NULL) {
        free(anchors->path);
        hc_dns_reply_dispose(&anchors->records);
        free(anchors);
    }
}

void hc_anchors_follow(struct hc_anchors *anchors, int64_t now_ms)
{
    if (anchors->path == NULL || now_ms < anchors->look_ms) {
        return;
    }
    anchors->look_ms = now_ms + LOOK_MS;
    if (hc_dns_file_changed(anchors->path, &anchors->stamp)) {
        load(anchors);
    }
}

void hc_anchors_tell(struct hc_anchors *anchors, const struct hc_log *log, const char *why)
{
    if (strcmp(anchors->said, why) != 0) {
        (void)hc_copy(anchors->said, sizeof(anchors->said), why);
        hc_logf(log, HC_LOG_NOTICE, "preflight: DNSSEC is not checked: %s", why);
    }
}

int hc_anchors_check(const char *setting, struct hc_error *err)
{
    struct hc_dns_reply records = {0};
    int rc = 0;

    if (setting != NULL && strcmp(setting, "off") != 0) {
        rc = read_file(setting, &records, err);
        hc_dns_reply_dispose(&records);
    }
    return rc;
}
