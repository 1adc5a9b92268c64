/* What may stand in a block hotcert_issuer: its rows, and the block itself; see block.h. */
#include <stddef.h>

#include "conf/block.h"
#include "conf/method.h"
#include "conf/value.h"

#define ISSUER(member, kind) .type = &hc_field_##kind, .offset = offsetof(struct hc_issuer, member)
#define NUMBER(from, to, one, what)                                                                \
    .least = (from), .most = (to), .unit = (one), .of = (what), .value = hc_value_number

static const char *const network_words[] = {"public", "private", NULL};

static const struct hc_directive rows[] = {
    {.name = "directory_url",
     .httpd = "HotCertDirectoryUrl",
     .contexts = HC_CTX_ISSUER,
     .min = 1,
     .max = 1,
     .args = "an https URL (http only to this machine's loopback)",
     .dflt = "none",
     .doc = "The issuer's ACME directory (RFC 8555 section 7.1.1).",
     .field = {ISSUER(directory_url, text), .wire = "directory_url",
               .value = hc_value_directory_url}},
    {.name = "contact",
     .httpd = "HotCertContact",
     .contexts = HC_CTX_ISSUER,
     .min = 1,
     .max = 8,
     .args = "a mail address ..",
     .dflt = "that of hotcert_contact",
     .doc = "Contact addresses sent to this CA.",
     .field = {ISSUER(contacts, list), .wire = "contact", .inherits = "hotcert_contact",
               .repeats = true, .value = hc_value_contact}},
    {.name = "terms_agreed",
     .httpd = "HotCertTermsAgreed",
     .contexts = HC_CTX_ISSUER,
     .min = 1,
     .max = 1,
     .args = "on | off",
     .dflt = "that of hotcert_terms_agreed",
     .doc = "You have read and agree to this issuer's terms of service.",
     .field = {ISSUER(terms_agreed, word), .wire = "terms_agreed",
               .inherits = "hotcert_terms_agreed", .words = hc_switch_words}},
    {.name = "ca_bundle",
     .httpd = "HotCertCaBundle",
     .contexts = HC_CTX_ISSUER,
     .min = 1,
     .max = 1,
     .args = "a PEM file",
     .dflt = "the system's roots",
     .doc = "Roots to verify the issuer's own TLS certificate against.",
     .field = {ISSUER(ca_bundle, text), .wire = "ca_bundle", .value = hc_value_path}},
    {.name = "network",
     .httpd = "HotCertNetwork",
     .contexts = HC_CTX_ISSUER,
     .min = 1,
     .max = 1,
     .args = "public | private",
     .dflt = "private if the directory itself has a reserved address, else public",
     .doc = "Where this issuer validates from. A private one may connect to reserved addresses and "
            "other ports, and hotcert orders IP addresses among a host's names from it.",
     .field = {ISSUER(network, word), .wire = "network", .words = network_words}},
    {.name = "http_port",
     .httpd = "HotCertHttpPort",
     .contexts = HC_CTX_ISSUER,
     .min = 1,
     .max = 1,
     .args = "a number from 1 to 65535",
     .doc = "The port on which a private issuer validates over HTTP; the check before an order "
            "connects to it too.",
     .field = {ISSUER(http_port, number), .wire = "http_port", .preset = "80",
               NUMBER(1, 65535, 1, NULL)}},
    {.name = "tls_port",
     .httpd = "HotCertTlsPort",
     .contexts = HC_CTX_ISSUER,
     .min = 1,
     .max = 1,
     .args = "a number from 1 to 65535",
     .doc =
         "Another port to which a private issuer follows redirects, besides 80, 443 and http_port.",
     .field = {ISSUER(tls_port, number), .wire = "tls_port", .preset = "443",
               NUMBER(1, 65535, 1, NULL)}},
    {.name = "challenge",
     .httpd = "HotCertChallenge",
     .contexts = HC_CTX_ISSUER,
     .min = 1,
     .max = 8,
     .args = HC_METHODS_SOLVED,
     .dflt = "what hotcert_challenge says for the host",
     .doc = "The methods for orders at this issuer, in order of preference, in place of "
            "hotcert_challenge of its hosts.",
     .field = {ISSUER(challenges, list), .wire = "challenge", .value = hc_value_method}},
    {.name = "caa_domain",
     .httpd = "HotCertCaaDomain",
     .contexts = HC_CTX_ISSUER,
     .min = 1,
     .max = 8,
     .args = "a domain ..",
     .dflt = "the directory's caaIdentities",
     .doc = "The domains that identify this issuer in CAA records, if its directory does not list "
            "them.",
     .field = {ISSUER(caa_domains, list), .wire = "caa_domain", .repeats = true,
               .value = hc_value_domain}},
};

const struct hc_block_kind hc_block_issuer = {
    .wire = "issuer",
    .noun = "an issuer",
    .context = HC_CTX_ISSUER,
    .size = sizeof(struct hc_issuer),
    .name = offsetof(struct hc_issuer, name),
    .where = offsetof(struct hc_issuer, where),
    .items = offsetof(struct hc_conf, issuers),
    .count = offsetof(struct hc_conf, issuer_count),
    .rows = rows,
    .row_count = HC_COUNT(rows),
};
