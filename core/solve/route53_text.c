/* What Route 53 is sent and answers; see route53_text.h. */
#include "solve/route53_text.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "net/xml.h"

#define STRING_MAX 255
#define VALUES_MAX 400 /* Route 53's own limit */
#define NAMESPACE  "https://route53.amazonaws.com/doc/2013-04-01/"

/* What stands behind the last slash, if it is an id. */
static bool take_id(const char *text, char out[HC_ROUTE53_ID])
{
    const char *slash = strrchr(text, '/');
    const char *id = slash != NULL ? slash + 1 : text;
    static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

    return id[0] != '\0' && strspn(id, letters) == strlen(id) && hc_copy(out, HC_ROUTE53_ID, id);
}

/* One octet of a name as Route 53 writes it: "\052" is "*". */
static int next_octet(const char **at)
{
    const char *p = *at;

    if (p[0] == '\\' && p[1] >= '0' && p[1] <= '3' && p[2] >= '0' && p[2] <= '7' && p[3] >= '0' &&
        p[3] <= '7') {
        *at = p + 4;
        return tolower((p[1] - '0') * 64 + (p[2] - '0') * 8 + (p[3] - '0'));
    }
    *at = p[0] != '\0' ? p + 1 : p;
    return tolower((unsigned char)p[0]);
}

/* theirs may end with a dot. */
static bool is_name(const char *theirs, const char *ours)
{
    while (*ours != '\0') {
        if (next_octet(&theirs) != tolower((unsigned char)*ours++)) {
            return false;
        }
    }
    return strcmp(theirs, "") == 0 || strcmp(theirs, ".") == 0;
}

/* ---- zones ---- */

struct zones {
    struct hc_route53_zones *out;
    char id[HC_ROUTE53_ID];
    bool ours, private;
};

static int on_zone(void *arg, const char *path, const char *text, struct hc_error *err HC_UNUSED)
{
    struct zones *z = arg;

    if (hc_xml_is(path, "HostedZone/Id")) {
        if (!take_id(text, z->id)) {
            z->id[0] = '\0';
        }
    } else if (hc_xml_is(path, "HostedZone/Name")) {
        z->ours = is_name(text, z->out->name);
    } else if (hc_xml_is(path, "Config/PrivateZone")) {
        z->private = strcmp(text, "true") == 0;
    } else if (hc_xml_is(path, "HostedZones/HostedZone")) {
        if (z->ours && !z->private && z->id[0] != '\0' && z->out->count++ == 0) {
            (void)hc_copy(z->out->id, sizeof(z->out->id), z->id);
        }
        *z = (struct zones){.out = z->out};
    }
    return 0;
}

int hc_route53_take_zones(struct hc_bytes body, struct hc_route53_zones *zones,
                          struct hc_error *err)
{
    struct zones z = {.out = zones};

    zones->count = 0;
    zones->id[0] = '\0';
    return hc_xml_read(body, on_zone, &z, err);
}

/* ---- a set ---- */

struct sets {
    struct hc_route53_set *out;
    const char *name;
    bool first_over, ours, txt;
};

void hc_route53_set_dispose(struct hc_route53_set *set)
{
    hc_list_dispose(&set->values);
    memset(set, 0, sizeof(*set));
}

static int on_set(void *arg, const char *path, const char *text, struct hc_error *err)
{
    struct sets *s = arg;

    if (s->first_over) {
        return 0;
    }
    if (hc_xml_is(path, "ResourceRecordSets/ResourceRecordSet")) {
        s->first_over = true;
        s->out->there = s->ours && s->txt;
    } else if (hc_xml_is(path, "ResourceRecordSet/Name")) {
        s->ours = is_name(text, s->name);
    } else if (hc_xml_is(path, "ResourceRecordSet/Type")) {
        s->txt = strcmp(text, "TXT") == 0;
    } else if (hc_xml_is(path, "ResourceRecordSet/TTL")) {
        s->out->ttl = strtol(text, NULL, 10);
    } else if (hc_xml_is(path, "ResourceRecordSet/SetIdentifier") ||
               hc_xml_is(path, "ResourceRecordSet/AliasTarget") ||
               hc_xml_is(path, "ResourceRecordSet/TrafficPolicyInstanceId")) {
        s->out->plain = false;
    } else if (hc_xml_is(path, "ResourceRecord/Value")) {
        return s->out->values.count < VALUES_MAX
                   ? hc_list_add(&s->out->values, text, err)
                   : hc_error_set(err, HC_P_FETCH_FAILED, NULL, "there are too many values");
    }
    return 0;
}

int hc_route53_take_set(struct hc_bytes body, const char *name, struct hc_route53_set *set,
                        struct hc_error *err)
{
    struct sets s = {.out = set, .name = name};

    hc_route53_set_dispose(set);
    set->plain = true;
    if (hc_xml_read(body, on_set, &s, err) != 0) {
        hc_route53_set_dispose(set);
        return -1;
    }
    if (!set->there) {
        hc_route53_set_dispose(set);
        set->plain = true;
    }
    return 0;
}

/* ---- a change ---- */

static int on_change(void *arg, const char *path, const char *text, struct hc_error *err HC_UNUSED)
{
    struct hc_route53_change *out = arg;

    if (hc_xml_is(path, "ChangeInfo/Id")) {
        (void)take_id(text, out->id);
    } else if (hc_xml_is(path, "ChangeInfo/Status")) {
        out->in_sync = strcmp(text, "INSYNC") == 0;
    }
    return 0;
}

int hc_route53_take_change(struct hc_bytes body, struct hc_route53_change *out,
                           struct hc_error *err)
{
    memset(out, 0, sizeof(*out));
    if (hc_xml_read(body, on_change, out, err) != 0) {
        return -1;
    }
    return out->id[0] != '\0'
               ? 0
               : hc_error_set(err, HC_P_FETCH_FAILED, NULL, "the reply names no change");
}

/* ---- writing ---- */

int hc_route53_quote(const char *value, struct hc_buf *out, struct hc_error *err)
{
    int rc = hc_buf_puts(out, "\"", err);

    for (size_t i = 0; value[i] != '\0' && rc == 0; i++) {
        if (i > 0 && i % STRING_MAX == 0) {
            rc = hc_buf_puts(out, "\" \"", err);
        }
        if (rc == 0 && (value[i] == '"' || value[i] == '\\')) {
            rc = hc_buf_puts(out, "\\", err);
        }
        rc = rc == 0 ? hc_buf_append(out, value + i, 1, err) : rc;
    }
    return rc == 0 ? hc_buf_puts(out, "\"", err) : rc;
}

static int put_step(struct hc_buf *out, const char *action, const char *name,
                    const struct hc_route53_set *set, struct hc_error *err)
{
    int rc =
        hc_buf_printf(out, err, "<Change><Action>%s</Action><ResourceRecordSet><Name>", action);

    rc = rc == 0 ? hc_xml_put(out, name, err) : rc;
    rc = rc == 0
             ? hc_buf_printf(out, err, ".</Name><Type>TXT</Type><TTL>%lld</TTL><ResourceRecords>",
                             (long long)set->ttl)
             : rc;
    for (size_t i = 0; i < set->values.count && rc == 0; i++) {
        rc = hc_buf_puts(out, "<ResourceRecord><Value>", err);
        rc = rc == 0 ? hc_xml_put(out, set->values.items[i], err) : rc;
        rc = rc == 0 ? hc_buf_puts(out, "</Value></ResourceRecord>", err) : rc;
    }
    return rc == 0 ? hc_buf_puts(out, "</ResourceRecords></ResourceRecordSet></Change>", err) : rc;
}

int hc_route53_put_change(struct hc_buf *out, const char *name, const struct hc_route53_set *was,
                          const struct hc_route53_set *next, struct hc_error *err)
{
    int rc = hc_buf_puts(out,
                         "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
                         "<ChangeResourceRecordSetsRequest xmlns=\"" NAMESPACE "\">"
                         "<ChangeBatch><Changes>",
                         err);

    if (rc == 0 && was->values.count > 0) {
        rc = put_step(out, "DELETE", name, was, err);
    }
    if (rc == 0 && next->values.count > 0) {
        rc = put_step(out, "CREATE", name, next, err);
    }
    return rc == 0
               ? hc_buf_puts(out, "</Changes></ChangeBatch></ChangeResourceRecordSetsRequest>", err)
               : rc;
}
