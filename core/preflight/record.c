/* The challenge record of a name; see record.h. */
#include "preflight/record.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int hc_record_look_new(const struct hc_dns_slot_owner *owner, const char *label, const char *host,
                       int64_t deadline_ms, struct hc_record_look **out, struct hc_error *err)
{
    struct hc_record_look *look = calloc(1, sizeof(*look));
    char text[HC_DNAME_TEXT];

    *out = NULL;
    if (look == NULL) {
        return hc_error_nomem(err);
    }
    (void)snprintf(text, sizeof(text), "%.100s%.255s", label, host);
    if (hc_dname_from_host(text, &look->label, err) != 0) {
        free(look);
        return -1;
    }
    hc_dns_place_begin(&look->place, owner, &look->label, deadline_ms);
    *out = look;
    return 0;
}

void hc_record_look_free(struct hc_record_look *look)
{
    if (look == NULL) {
        return;
    }
    hc_dns_place_dispose(&look->place);
    for (size_t i = 0; i < HC_ZONE_SERVERS; i++) {
        hc_dns_slot_dispose(&look->slots[i]);
    }
    free(look);
}

/* Each server by itself: whether they agree is what a CA meets with. */
static void ask_servers(struct hc_record_look *look, const struct hc_dns_slot_owner *owner)
{
    for (size_t i = 0; i < look->place.zone.server_count; i++) {
        const struct hc_dns_ask ask = {
            .question = {.name = look->place.name, .type = HC_DNS_TXT},
            .servers = &look->place.zone.servers[i],
            .server_count = 1,
            .deadline_ms = look->place.deadline_ms,
        };

        hc_dns_slot_ask(&look->slots[i], owner, &ask);
    }
    look->asked = true;
}

bool hc_record_look_step(struct hc_record_look *look, const struct hc_dns_slot_owner *owner)
{
    bool changed = look != NULL && hc_dns_place_step(&look->place, owner);

    if (look != NULL && !look->asked && hc_dns_place_settled(&look->place)) {
        ask_servers(look, owner);
        changed = true;
    }
    return changed;
}

bool hc_record_look_complete(const struct hc_record_look *look)
{
    if (look == NULL) {
        return true;
    }
    for (size_t i = 0; i < HC_ZONE_SERVERS; i++) {
        if (!hc_dns_slot_settled(&look->slots[i])) {
            return false;
        }
    }
    return look->asked;
}
