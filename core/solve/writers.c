/* The table of writers; see writers.h. */
#include "solve/writers.h"

#include <string.h>

static const struct {
    const char *type; /* as in conf/writer.c */
    hc_writer_open *open;
} table[] = {
    {"command", hc_dns_command_open},     {"rfc2136", hc_dns_rfc2136_open},
    {"responder", hc_dns_responder_open}, {"route53", hc_dns_route53_open},
    {"mydns", hc_dns_mydns_open},         {"acme-dns", hc_dns_acme_dns_open},
    {"httpreq", hc_dns_httpreq_open},
};

int hc_writers_open(const struct hc_dns_block *block, const struct hc_writer_env *env,
                    struct hc_dns_writer *out, struct hc_error *err)
{
    for (size_t i = 0; i < HC_COUNT(table); i++) {
        if (strcmp(table[i].type, block->type) == 0) {
            return table[i].open(block, env, out, err);
        }
    }
    return hc_error_set(err, HC_P_INTERNAL, block->type, "no writer has this type");
}
