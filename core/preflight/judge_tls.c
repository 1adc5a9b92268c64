/* From handshakes to findings; see judge.h. */
#include "preflight/judge.h"
#include "preflight/probe.h"

static void judge_probe(struct hc_name_judge *judge, const struct hc_probe *probe)
{
    char address[HC_JUDGE_ADDRESS];

    hc_judge_address(judge, &probe->address, address);
    hc_judge_seen(judge, "handshake of a CA with %s at %s, port %u: %s", probe->host, address,
                  probe->how->tls_port, probe->what);
    if (probe->end == HC_PROBE_WRONG) {
        hc_judge_note(judge, HC_P_TLS_WRONG_ANSWER, HC_JUDGE_FAIL, "%s, port %u: %.300s", address,
                      probe->how->tls_port, probe->what);
    } else if (probe->end == HC_PROBE_NOT_TLS) {
        hc_judge_note(judge, HC_P_TLS_NOT_SPOKEN, HC_JUDGE_FAIL, "%s, port %u: %.300s", address,
                      probe->how->tls_port, probe->what);
    } else if (probe->end == HC_PROBE_UNREACHABLE && probe->error.problem != HC_P_TIMED_OUT &&
               !judge->advises) {
        hc_judge_note(judge, HC_P_TLS_UNREACHABLE, HC_JUDGE_NOTHING, "%s, port %u: %.300s", address,
                      probe->how->tls_port, probe->what);
    }
}

/* One answers as this server does, another does not: a CA picks any of them, IPv6 first. */
static bool differ(const struct hc_probe *probes, size_t count)
{
    bool right = false;
    bool wrong = false;

    for (size_t i = 0; i < count; i++) {
        right = right || probes[i].end == HC_PROBE_RIGHT;
        wrong = wrong || probes[i].end == HC_PROBE_WRONG || probes[i].end == HC_PROBE_NOT_TLS;
    }
    return right && wrong;
}

void hc_judge_probes(struct hc_name_judge *judge, const struct hc_probe *probes, size_t count)
{
    struct hc_judge_answers answers = {.count = 0};
    char text[HC_FOREIGN_MAX];

    for (size_t i = 0; i < count; i++) {
        judge_probe(judge, &probes[i]);
        hc_judge_answers_add(&answers, &probes[i].address, probes[i].what);
    }
    if (differ(probes, count)) {
        hc_judge_note(judge, HC_P_TLS_ADDRESSES_DIFFER, HC_JUDGE_FAIL, "%s",
                      hc_judge_answers_format(&answers, text));
    }
}
