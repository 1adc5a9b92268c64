/* The CA's handshake, made by ourselves; see probe.h. */
#include "preflight/probe.h"

#include <openssl/ssl.h>
#include <stdio.h>
#include <string.h>

#include "pki/cert.h"
#include "pki/proof.h"

#define PROTOCOL "acme-tls/1"

static void unreachable(struct hc_probe *probe, const struct hc_error *why)
{
    hc_kept_error_set(&probe->error, why);
    (void)snprintf(probe->what, sizeof(probe->what), "%.300s", why->detail);
    probe->end = HC_PROBE_UNREACHABLE;
}

/* It answers, but not in TLS: most often a listener to which nobody said that it is for TLS. */
static void judge_greeting(struct hc_probe *probe, const char *greeting)
{
    bool http = strncmp(greeting, "HTTP/", 5) == 0;
    char shown[HC_HANDSHAKE_GREETING * 4 + 4]; /* each octet as \xHH */

    hc_escape(shown, sizeof(shown), greeting, strlen(greeting));
    (void)snprintf(probe->what, sizeof(probe->what), "it answers %s (%s%s), not in TLS",
                   http ? "in plain HTTP" : "with other bytes", shown, http ? "" : " ..");
    probe->end = HC_PROBE_NOT_TLS;
}

/* What refuses the protocol is a server that is told nothing of the name, or knows no such thing.
 */
static void judge_alert(struct hc_probe *probe, int alert)
{
    bool refused = alert == SSL_AD_NO_APPLICATION_PROTOCOL;

    (void)snprintf(probe->what, sizeof(probe->what), "it refuses the handshake (alert %d, %s)",
                   alert, SSL_alert_desc_string_long(alert));
    if (alert == HC_HANDSHAKE_ODD) {
        (void)snprintf(probe->what, sizeof(probe->what),
                       "another server answers, with a protocol that was not offered");
    }
    /* a CDN's refusal is its own */
    refused = refused && hc_ranges_find(probe->how->ranges, &probe->address) == NULL;
    probe->end = refused && !probe->how->answered ? HC_PROBE_RIGHT : HC_PROBE_WRONG;
    if (probe->end == HC_PROBE_RIGHT) {
        (void)snprintf(probe->what, sizeof(probe->what),
                       "it refuses the handshake, as hotcert does while no order is under way");
    }
}

static void judge_certificate(struct hc_probe *probe, X509 *cert)
{
    unsigned char digest[HC_PROOF_DIGEST];
    char subject[HC_CERT_LABEL];
    char issuer[HC_CERT_LABEL];
    char shown[2][200];

    if (hc_proof_of(cert, digest)) {
        (void)snprintf(probe->what, sizeof(probe->what), "a certificate that proves the name");
        probe->end = HC_PROBE_RIGHT;
        return;
    }
    hc_cert_label(cert, subject);
    hc_cert_issuer_label(cert, issuer);
    (void)snprintf(probe->what, sizeof(probe->what),
                   "another server answers with the certificate of %s, issued by %s",
                   hc_escape(shown[0], sizeof(shown[0]), subject, strlen(subject)),
                   hc_escape(shown[1], sizeof(shown[1]), issuer, strlen(issuer)));
    probe->end = HC_PROBE_WRONG;
}

static void shaken(void *arg, const struct hc_handshake_reply *reply, const struct hc_error *err)
{
    struct hc_probe *probe = arg;
    const struct hc_probe_how *how = probe->how;

    probe->id = 0;
    if (reply == NULL) {
        unreachable(probe, err);
    } else if (reply->cert == NULL && reply->alert == HC_HANDSHAKE_FOREIGN) {
        judge_greeting(probe, reply->greeting);
    } else if (reply->cert == NULL) {
        judge_alert(probe, reply->alert);
    } else {
        judge_certificate(probe, reply->cert);
    }
    how->wake(how->self); /* may free the probe */
}

void hc_probe_init(struct hc_probe *probe, const struct hc_probe_how *how, const char *host,
                   const struct hc_address *address)
{
    memset(probe, 0, sizeof(*probe));
    probe->how = how;
    probe->host = host;
    probe->address = *address;
}

bool hc_probe_step(struct hc_probe *probe)
{
    int64_t left = probe->how->deadline_ms - hc_now_ms(probe->how->clock);
    struct hc_handshake_ask ask = {.address = &probe->address,
                                   .port = probe->how->tls_port,
                                   .protocol = PROTOCOL,
                                   .timeout_ms = left < HC_PROBE_MS ? left : HC_PROBE_MS};
    char reverse[HC_ADDRESS_REVERSE];
    struct hc_error err;

    if (probe->started) {
        return false;
    }
    probe->started = true;
    hc_error_init(&err);
    ask.server_name = hc_address_server_name(probe->host, reverse);
    if (left <= 0) {
        hc_error_set(&err, HC_P_TIMED_OUT, NULL, "there was no time left to ask");
        unreachable(probe, &err);
    } else if (probe->how->port->ask(probe->how->port->self, &ask, shaken, probe, &probe->id,
                                     &err) != 0) {
        unreachable(probe, &err);
    }
    return true;
}

void hc_probe_dispose(struct hc_probe *probe)
{
    if (probe->id != 0) {
        probe->how->port->cancel(probe->how->port->self, probe->id);
    }
    hc_kept_error_dispose(&probe->error);
    memset(probe, 0, sizeof(*probe));
}
