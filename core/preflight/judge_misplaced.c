/* Records that stand where nobody looks: what to write instead; see judge.h. */
#include <string.h>

#include "preflight/judge.h"

/* The label as it is entered in a panel that appends the zone: without that. */
static void relative(const struct hc_misplaced *misplaced, char dst[HC_DNAME_TEXT])
{
    char zone[HC_DNAME_TEXT];
    size_t len = 0;

    hc_dname_format(&misplaced->label, dst);
    hc_dname_format(&misplaced->zone, zone);
    len = strlen(dst) - strlen(zone);
    dst[len > 0 ? len - 1 : 0] = '\0'; /* and without the dot between */
}

static void judge_doubled(struct hc_name_judge *judge, const struct hc_misplaced *misplaced,
                          bool (*is_meant)(const struct hc_dns_record *record))
{
    char text[HC_DNS_RECORD_TEXT];
    char label[HC_DNAME_TEXT];
    char entered[HC_DNAME_TEXT];

    if (!hc_misplaced_doubled(misplaced, is_meant, text)) {
        return;
    }
    relative(misplaced, entered);
    hc_judge_note(judge, HC_P_DNS_ZONE_DOUBLED, HC_JUDGE_NOTHING, "%s", text);
    hc_judge_hint(judge,
                  "your provider's panel appends the zone: enter %.200s as the record's "
                  "name there, which makes it %.200s",
                  entered, hc_dname_format(&misplaced->label, label));
}

static void judge_unlabelled(struct hc_name_judge *judge, const struct hc_misplaced *misplaced,
                             bool (*is_meant)(const struct hc_dns_record *record))
{
    size_t at = 0;
    const struct hc_dns_record *record = hc_misplaced_unlabelled(misplaced, is_meant, &at);
    char text[HC_DNS_RECORD_TEXT];
    char label[HC_DNAME_TEXT];

    if (record == NULL) {
        return;
    }
    hc_judge_note(judge, HC_P_DNS_LABEL_MISSING, HC_JUDGE_NOTHING, "%s",
                  hc_dns_record_format(record, text));
    hc_judge_hint(judge, "if it was meant for a CA, move it to %.255s: CAs look only there",
                  hc_dname_format(&misplaced->label, label));
}

void hc_judge_misplaced(struct hc_name_judge *judge, const struct hc_misplaced *misplaced,
                        bool (*is_meant)(const struct hc_dns_record *record))
{
    judge_doubled(judge, misplaced, is_meant);
    judge_unlabelled(judge, misplaced, is_meant);
}
