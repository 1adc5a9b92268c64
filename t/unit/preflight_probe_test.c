/* One probe: what is asked, and what an answer means. */
#include "preflight/probe.h"

#include <openssl/ssl.h>

#include "fake_handshake.h"
#include "forge.h"
#include "pki/proof.h"
#include "tap.h"

static int64_t now_ms = 1000;

static int64_t fake_ms(void *self)
{
    (void)self;
    return now_ms;
}

static const struct hc_clock fake_clock = {NULL, NULL, fake_ms};
static int woken;

static void wake(void *self)
{
    (void)self;
    woken++;
}

static struct fake_handshakes fake;
static struct hc_probe_how how;

static void begin(struct hc_probe *probe, const char *host, const struct fake_gives *gives)
{
    struct hc_address address;

    fake_handshakes_init(&fake, gives, 1);
    how.port = &fake.port;
    how.clock = &fake_clock;
    how.deadline_ms = now_ms + 60000;
    how.tls_port = 443;
    how.wake = wake;
    woken = 0;
    if (hc_address_parse(gives->address, &address) != 0) {
        abort();
    }
    hc_probe_init(probe, &how, host, &address);
}

static void what_is_asked_is_what_a_CA_asks(void)
{
    const struct fake_gives gives = {.address = "8.8.4.4", .error = "no"};
    struct hc_probe probe;

    begin(&probe, "a.test", &gives);
    ok(hc_probe_step(&probe), "it begins");
    is_int(fake.count, 1, "with one handshake");
    is_str(fake.asked[0].server_name, "a.test", "for the name");
    is_str(fake.asked[0].protocol, "acme-tls/1", "and the protocol of RFC 8737");
    is_int(fake.asked[0].port, 443, "at the TLS port");
    is_int(fake.asked[0].timeout_ms, HC_PROBE_MS, "for so long");
    ok(!hc_probe_step(&probe), "there is nothing else to do");
    fake_handshakes_answer(&fake);
    is_int(woken, 1, "its owner is woken");
    hc_probe_dispose(&probe);

    begin(&probe, "8.8.4.4", &gives);
    ok(hc_probe_step(&probe), "an address as a name");
    is_str(fake.asked[0].server_name, "4.4.8.8.in-addr.arpa", "is asked for backwards (RFC 8738)");
    hc_probe_dispose(&probe);
    is_int(fake.count, 0, "what is disposed of is cancelled");
    is_int(woken, 0, "and nobody is woken");
}

struct judged {
    const char *what;
    bool answered; /* this machine's servers show proofs */
    struct fake_gives gives;
    enum hc_probe_end end;
    const char *says;
};

static void answers_are_told_apart(X509 *proof, X509 *other)
{
    const struct judged cases[] = {
        {"a proof",
         true,
         {.address = "8.8.4.4", .reply = {.cert = proof}},
         HC_PROBE_RIGHT,
         "proves"},
        {"a certificate of somebody's",
         true,
         {.address = "8.8.4.4", .reply = {.cert = other}},
         HC_PROBE_WRONG,
         "certificate of edge.invalid, issued by"},
        {"the same, where nothing is shown",
         false,
         {.address = "8.8.4.4", .reply = {.cert = other}},
         HC_PROBE_WRONG,
         "another server"},
        {"a refusal, while proofs are shown",
         true,
         {.address = "8.8.4.4", .reply = {.alert = SSL_AD_NO_APPLICATION_PROTOCOL}},
         HC_PROBE_WRONG,
         "alert 120"},
        {"a refusal, while nothing is",
         false,
         {.address = "8.8.4.4", .reply = {.alert = SSL_AD_NO_APPLICATION_PROTOCOL}},
         HC_PROBE_RIGHT,
         "as hotcert does"},
        {"another alert",
         false,
         {.address = "8.8.4.4", .reply = {.alert = SSL_AD_UNRECOGNIZED_NAME}},
         HC_PROBE_WRONG,
         "alert 112"},
        {"a protocol that was not offered",
         false,
         {.address = "8.8.4.4", .reply = {.alert = HC_HANDSHAKE_ODD}},
         HC_PROBE_WRONG,
         "not offered"},
        {"plain HTTP",
         false,
         {.address = "8.8.4.4",
          .reply = {.alert = HC_HANDSHAKE_FOREIGN, .greeting = "HTTP/1.1 400 Ba"}},
         HC_PROBE_NOT_TLS,
         "plain HTTP (HTTP/1.1 400 Ba)"},
        {"something else",
         false,
         {.address = "8.8.4.4",
          .reply = {.alert = HC_HANDSHAKE_FOREIGN, .greeting = "SSH-2.0\x01\xff"}},
         HC_PROBE_NOT_TLS,
         "SSH-2.0\\x01\\xff"},
        {"nothing",
         false,
         {.address = "8.8.4.4", .error = "Connection refused"},
         HC_PROBE_UNREACHABLE,
         "Connection refused"},
    };

    for (size_t i = 0; i < HC_COUNT(cases); i++) {
        struct hc_probe probe;

        begin(&probe, "a.test", &cases[i].gives);
        how.answered = cases[i].answered;
        (void)hc_probe_step(&probe);
        fake_handshakes_answer(&fake);
        is_int(probe.end, cases[i].end, cases[i].what);
        ok(strstr(probe.what, cases[i].says) != NULL, cases[i].says);
        hc_probe_dispose(&probe);
    }
    how.answered = false;
}

static void time_is_bounded(void)
{
    const struct fake_gives gives = {.address = "2a00::1", .error = "no"};
    struct hc_probe probe;

    begin(&probe, "a.test", &gives);
    how.deadline_ms = now_ms + 700;
    (void)hc_probe_step(&probe);
    is_int(fake.asked[0].timeout_ms, 700, "what is left of all time is what one has");
    hc_probe_dispose(&probe);
    begin(&probe, "a.test", &gives);
    how.deadline_ms = now_ms;
    ok(hc_probe_step(&probe), "with no time left");
    is_int(fake.count, 0, "nothing is asked");
    is_int(probe.end, HC_PROBE_UNREACHABLE, "which ends it");
    is_int(probe.error.problem, HC_P_TIMED_OUT, "as what was not asked");
    hc_probe_dispose(&probe);
    begin(&probe, "a.test", &gives);
    fake.refuses = true;
    (void)hc_probe_step(&probe);
    is_int(probe.end, HC_PROBE_UNREACHABLE, "what cannot be asked has ended, too");
    hc_probe_dispose(&probe);
}

int main(void)
{
    static const unsigned char digest[HC_PROOF_DIGEST] = {1, 2, 3};
    struct hc_buf pem = HC_BUF_INIT_SECRET(65536);
    struct forged other = forge(&(struct forge){.name = "edge.invalid"});
    struct hc_pair *pair = NULL;
    struct hc_error err;

    hc_error_init(&err);
    if (hc_proof_make("a.test", digest, &pem, &err) != 0 ||
        hc_proof_read(hc_bytes_of(&pem), "a.test", &pair, &err) != 0) {
        return 99;
    }
    what_is_asked_is_what_a_CA_asks();
    answers_are_told_apart(hc_pair_leaf(pair), other.cert);
    time_is_bounded();
    hc_pair_free(pair);
    forged_free(&other);
    hc_buf_dispose(&pem);
    return done();
}
