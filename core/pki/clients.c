/*
 * What clients make of each flaw; see clients.h. The words are the clients' own, as met when they
 * were run; docs/clients.md says with which versions.
 */
#include "pki/clients.h"

static const char *const names[] = {
    [HC_CLIENT_OPENSSL] = "OpenSSL",   [HC_CLIENT_CURL] = "curl",
    [HC_CLIENT_PYTHON] = "Python",     [HC_CLIENT_JAVA] = "Java",
    [HC_CLIENT_BROWSERS] = "browsers",
};
_Static_assert(HC_COUNT(names) == HC_CLIENT_COUNT, "every client has a name");

struct words {
    enum hc_problem problem;
    const char *says[HC_CLIENT_COUNT];
};

static const struct words table[] = {
    {HC_P_CHAIN_INCOMPLETE,
     {"verify error 20: unable to get local issuer certificate",
      "(60) SSL certificate problem: unable to get local issuer certificate",
      "CERTIFICATE_VERIFY_FAILED: unable to get local issuer certificate",
      "PKIX path building failed: unable to find valid certification path",
      "mostly pass, since they remember or fetch intermediates; a fresh one says unknown issuer"}},
    {HC_P_CHAIN_EXPIRED,
     {"verify error 10: certificate has expired, unless it finds another path",
      "(60) SSL certificate problem: certificate has expired, unless it finds another path",
      "CERTIFICATE_VERIFY_FAILED: certificate has expired, unless it finds another path",
      "PKIX path validation failed: validity check failed",
      "pass where they know another path, else NET::ERR_CERT_DATE_INVALID"}},
    {HC_P_CHAIN_INVALID,
     {"verify error, with the message above", "(60) SSL certificate problem",
      "CERTIFICATE_VERIFY_FAILED", "PKIX path validation failed", "NET::ERR_CERT_INVALID"}},
    {HC_P_UNTRUSTED_ROOT,
     {"verify error 18, 19 or 20: no path to a trusted root",
      "(60) SSL certificate problem: self-signed certificate or unable to get local issuer",
      "CERTIFICATE_VERIFY_FAILED: self-signed certificate or unable to get local issuer",
      "PKIX path building failed: unable to find valid certification path",
      "NET::ERR_CERT_AUTHORITY_INVALID, SEC_ERROR_UNKNOWN_ISSUER"}},
    {HC_P_EXPIRED,
     {"verify error 10: certificate has expired",
      "(60) SSL certificate problem: certificate has expired",
      "CERTIFICATE_VERIFY_FAILED: certificate has expired",
      "PKIX path validation failed: CertificateExpiredException", "NET::ERR_CERT_DATE_INVALID"}},
    {HC_P_NOT_YET_VALID,
     {"verify error 9: certificate is not yet valid",
      "(60) SSL certificate problem: certificate is not yet valid",
      "CERTIFICATE_VERIFY_FAILED: certificate is not yet valid",
      "PKIX path validation failed: CertificateNotYetValidException",
      "NET::ERR_CERT_DATE_INVALID"}},
    {HC_P_NAME_NOT_COVERED,
     {"verify error 62: hostname mismatch, where a name is asked for (-verify_hostname)",
      "(60) SSL: no alternative certificate subject name matches target host name",
      "CERTIFICATE_VERIFY_FAILED: Hostname mismatch, certificate is not valid for the name",
      "No subject alternative DNS name matching the name found",
      "NET::ERR_CERT_COMMON_NAME_INVALID"}},
    {HC_P_USAGE_NOT_SERVER,
     {"verify error 26: unsuitable certificate purpose",
      "(60) SSL certificate problem: unsuitable certificate purpose",
      "CERTIFICATE_VERIFY_FAILED: unsuitable certificate purpose",
      "Extended key usage does not permit use for TLS server authentication",
      "NET::ERR_CERT_INVALID, SEC_ERROR_INADEQUATE_CERT_TYPE"}},
    {HC_P_CA_AS_LEAF,
     {"passes where the certificate is trusted", "passes where the certificate is trusted",
      "passes where the certificate is trusted", "passes where the certificate is trusted",
      "Firefox: MOZILLA_PKIX_ERROR_CA_CERT_USED_AS_END_ENTITY; others pass"}},
    {HC_P_KEY_WEAK,
     {"verify error 66 or 67: key too small, at security level 2 (Debian's default)",
      "(60) SSL certificate problem: EE certificate key too weak, at security level 2",
      "CERTIFICATE_VERIFY_FAILED: EE certificate key too weak, at security level 2",
      "passes down to RSA of 1024 bits", "NET::ERR_CERT_WEAK_KEY"}},
    {HC_P_SIGNATURE_WEAK,
     {"verify error 68: CA signature digest algorithm too weak",
      "(60) SSL certificate problem: CA signature digest algorithm too weak",
      "CERTIFICATE_VERIFY_FAILED: CA signature digest algorithm too weak",
      "passes below private roots; below public ones: Algorithm constraints check failed",
      "NET::ERR_CERT_WEAK_SIGNATURE_ALGORITHM"}},
    {HC_P_CURVE_UNSUPPORTED,
     {"handshake failure: its default groups do not have the curve", "(35) handshake failure",
      "SSLV3_ALERT_HANDSHAKE_FAILURE", "handshake_failure: the curve was removed in Java 16",
      "ERR_SSL_VERSION_OR_CIPHER_MISMATCH, SSL_ERROR_NO_CYPHER_OVERLAP"}},
    {HC_P_NAME_NOT_ASKED, {"passes", "passes", "passes", "passes", "passes"}},
    {HC_P_CHAIN_CURVE,
     {"passes", "passes", "passes", "PKIX path building failed, where its curve is unknown",
      "NET::ERR_CERT_INVALID, SEC_ERROR_BAD_SIGNATURE"}},
    {HC_P_USAGE_NO_SIGNATURE,
     {"passes", "passes", "passes", "KeyUsage does not allow digital signatures",
      "ERR_SSL_KEY_USAGE_INCOMPATIBLE, SEC_ERROR_INADEQUATE_KEY_USAGE"}},
    {HC_P_MUST_STAPLE,
     {"passes", "passes, unless --cert-status is given", "passes", "passes",
      "Firefox: MOZILLA_PKIX_ERROR_REQUIRED_TLS_FEATURE_MISSING; others pass"}},
    {HC_P_LIFETIME_LONG,
     {"passes", "passes", "passes", "passes",
      "NET::ERR_CERT_VALIDITY_TOO_LONG; Safari refuses it too"}},
};

const char *hc_client_name(enum hc_client client)
{
    return names[client];
}

const char *hc_client_says(enum hc_problem p, enum hc_client client)
{
    for (size_t i = 0; i < HC_COUNT(table); i++) {
        if (table[i].problem == p) {
            return table[i].says[client];
        }
    }
    return NULL;
}
