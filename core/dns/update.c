/* DNS UPDATE, RFC 2136; see update.h. */
#include "dns/update.h"

#include <string.h>

#include "base/reader.h"
#include "dns/message.h"

#define OPCODE_UPDATE 0x2800u
#define FLAG_QR       0x8000u
#define CLASS_IN      1
#define CLASS_NONE    254

static int put_value(const struct hc_dns_update *update, struct hc_buf *out, struct hc_error *err)
{
    size_t len = strlen(update->value);

    if (len > 255) {
        return hc_error_set(err, HC_P_INTERNAL, NULL, "a TXT value of %zu octets", len);
    }
    return hc_put_number(out, len + 1, 2, err) == 0 && hc_put_number(out, len, 1, err) == 0 &&
                   hc_buf_append(out, update->value, len, err) == 0
               ? 0
               : -1;
}

int hc_dns_update_write(const struct hc_dns_update *update, uint16_t id, struct hc_buf *out,
                        struct hc_error *err)
{
    /* zone: one; prerequisites: none; updates: one; additional: none yet */
    const uint64_t header[] = {id, OPCODE_UPDATE, 1, 0, 1, 0};

    for (size_t i = 0; i < HC_COUNT(header); i++) {
        if (hc_put_number(out, header[i], 2, err) != 0) {
            return -1;
        }
    }
    if (hc_buf_append(out, update->zone.wire, update->zone.len, err) != 0 ||
        hc_put_number(out, HC_DNS_SOA, 2, err) != 0 || hc_put_number(out, CLASS_IN, 2, err) != 0 ||
        hc_buf_append(out, update->name.wire, update->name.len, err) != 0 ||
        hc_put_number(out, HC_DNS_TXT, 2, err) != 0 ||
        hc_put_number(out, update->remove ? CLASS_NONE : CLASS_IN, 2, err) != 0 ||
        hc_put_number(out, update->remove ? 0 : update->ttl, 4, err) != 0) {
        return -1;
    }
    return put_value(update, out, err);
}

int hc_dns_update_check(struct hc_bytes reply, const struct hc_dns_update *update, uint16_t id,
                        struct hc_error *err)
{
    struct hc_reader in = hc_reader_of(reply);
    uint64_t theirs = 0;
    uint64_t flags = 0;
    unsigned rcode = 0;
    char zone[HC_DNAME_TEXT];
    char code[16];

    if (hc_get_number(&in, 2, &theirs, NULL) != 0 || hc_get_number(&in, 2, &flags, NULL) != 0 ||
        theirs != id || (flags & (FLAG_QR | 0x7800u)) != (FLAG_QR | OPCODE_UPDATE)) {
        return hc_error_set(err, HC_P_DNS_WRITE, NULL, "its reply is not one to an update");
    }
    rcode = (unsigned)(flags & 15u);
    hc_dns_rcode_format(rcode, code);
    hc_dname_format(&update->zone, zone);
    switch (rcode) {
    case HC_DNS_NOERROR:
        return 0;
    case HC_DNS_REFUSED:
        return hc_error_set(err, HC_P_DNS_REFUSED, NULL,
                            "it does not allow this change in the zone %.300s (%s)", zone, code);
    case HC_DNS_NOTAUTH:
    case HC_DNS_NOTZONE:
        return hc_error_set(err, HC_P_DNS_WRITE, NULL,
                            "it is not the primary server of the zone %.300s (%s)", zone, code);
    default:
        return hc_error_set(err, HC_P_DNS_WRITE, NULL, "it answers %s for the zone %.300s", code,
                            zone);
    }
}
