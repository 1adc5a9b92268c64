/*
 * The verified paths (RFC 5280 section 6): now, at now + margin, and as old clients find them.
 * Every error of a pass is collected, so that one look names all faults.
 */
#include <openssl/err.h>
#include <openssl/x509_vfy.h>
#include <openssl/x509v3.h>
#include <string.h>

#include "base/time.h"
#include "pki/check_run.h"
#include "pki/openssl.h"
#include "pki/repair.h"

#define ERRORS_MAX 32
#define SOON_MAX   ((int64_t)133 * 86400) /* a third of the longest life that browsers allow */
/* 112 bits: what browsers and Debian's OpenSSL ask for. */
#define AUTH_LEVEL 2

/* One call of X509_verify_cert() with what it found. */
struct pass {
    int64_t at;
    bool legacy;
    struct {
        int code;
        int depth;
        X509 *cert; /* a reference */
    } errors[ERRORS_MAX];
    size_t count;
    X509 *root; /* a reference; NULL: no path to a root */
};

static int collect(int good, X509_STORE_CTX *ctx)
{
    struct pass *pass = X509_STORE_CTX_get_app_data(ctx);
    X509 *cert = X509_STORE_CTX_get_current_cert(ctx);

    if (good == 0 && pass->count < ERRORS_MAX) {
        if (cert != NULL) {
            X509_up_ref(cert);
        }
        pass->errors[pass->count].code = X509_STORE_CTX_get_error(ctx);
        pass->errors[pass->count].depth = X509_STORE_CTX_get_error_depth(ctx);
        pass->errors[pass->count].cert = cert;
        pass->count++;
    }
    return 1; /* go on: all faults are wanted */
}

static void pass_dispose(struct pass *pass)
{
    for (size_t i = 0; i < pass->count; i++) {
        X509_free(pass->errors[i].cert);
    }
    X509_free(pass->root);
}

/* The end of the path, if it is a root and no step on the way there was missing. */
static void note_root(struct pass *pass, X509_STORE_CTX *ctx)
{
    STACK_OF(X509) *path = X509_STORE_CTX_get0_chain(ctx);
    int count = path != NULL ? sk_X509_num(path) : 0;

    for (size_t i = 0; i < pass->count; i++) {
        switch (pass->errors[i].code) {
        case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
        case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
        case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
        case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
        case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
            return;
        default:
            break;
        }
    }
    if (count > 0) {
        pass->root = sk_X509_value(path, count - 1);
        X509_up_ref(pass->root);
    }
}

static int run_pass(struct hc_check_run *run, X509_STORE *store, struct pass *pass)
{
    X509_STORE_CTX *ctx = X509_STORE_CTX_new();
    X509_VERIFY_PARAM *param = NULL;
    int rc = -1;

    if (ctx == NULL || X509_STORE_CTX_init(ctx, store, run->leaf, run->chain) != 1 ||
        X509_STORE_CTX_set_default(ctx, "ssl_server") != 1) {
        hc_error_set_openssl(run->err, HC_P_TLS_LIBRARY, NULL, "setting up a verification");
        goto out;
    }
    param = X509_STORE_CTX_get0_param(ctx);
    X509_VERIFY_PARAM_set_time(param, (time_t)pass->at);
    X509_VERIFY_PARAM_set_auth_level(param, AUTH_LEVEL);
    (void)X509_VERIFY_PARAM_set_flags(param, X509_V_FLAG_X509_STRICT);
    if (pass->legacy) {
        (void)X509_VERIFY_PARAM_clear_flags(param, X509_V_FLAG_TRUSTED_FIRST);
        (void)X509_VERIFY_PARAM_set_flags(param, X509_V_FLAG_NO_ALT_CHAINS);
    }
    X509_STORE_CTX_set_app_data(ctx, pass);
    X509_STORE_CTX_set_verify_cb(ctx, collect);
    if (X509_verify_cert(ctx) < 0) {
        hc_error_set_openssl(run->err, HC_P_TLS_LIBRARY, NULL, "verifying a chain");
        goto out;
    }
    note_root(pass, ctx);
    rc = 0;
out:
    X509_STORE_CTX_free(ctx);
    ERR_clear_error();
    return rc;
}

/* Errors that only X509_STRICT makes: rules of RFC 5280 that most clients let pass. */
static bool is_strictness(int code)
{
    switch (code) {
    case X509_V_ERR_PATHLEN_INVALID_FOR_NON_CA:
    case X509_V_ERR_PATHLEN_WITHOUT_KU_KEY_CERT_SIGN:
    case X509_V_ERR_KU_KEY_CERT_SIGN_INVALID_FOR_NON_CA:
    case X509_V_ERR_ISSUER_NAME_EMPTY:
    case X509_V_ERR_SUBJECT_NAME_EMPTY:
    case X509_V_ERR_MISSING_AUTHORITY_KEY_IDENTIFIER:
    case X509_V_ERR_MISSING_SUBJECT_KEY_IDENTIFIER:
    case X509_V_ERR_EMPTY_SUBJECT_ALT_NAME:
    case X509_V_ERR_EMPTY_SUBJECT_SAN_NOT_CRITICAL:
    case X509_V_ERR_CA_BCONS_NOT_CRITICAL:
    case X509_V_ERR_AUTHORITY_KEY_IDENTIFIER_CRITICAL:
    case X509_V_ERR_SUBJECT_KEY_IDENTIFIER_CRITICAL:
    case X509_V_ERR_CA_CERT_MISSING_KEY_USAGE:
    case X509_V_ERR_EXTENSIONS_REQUIRE_VERSION_3:
        return true;
    default:
        return false;
    }
}

/*
 * The issuer that is missing is no root: the certificate says who issued its issuer (RFC 5280
 * section 4.2.1.1), the file goes on above the gap, or somebody knows the issuer.
 */
static bool is_gap(const struct hc_check_run *run, X509 *cert)
{
    const GENERAL_NAMES *names = X509_get0_authority_issuer(cert);
    bool gap = run->how->file_goes_on;

    for (int i = 0; !gap && i < sk_GENERAL_NAME_num(names); i++) {
        const GENERAL_NAME *name = sk_GENERAL_NAME_value(names, i);

        gap = name->type == GEN_DIRNAME &&
              X509_NAME_cmp(name->d.directoryName, X509_get_issuer_name(cert)) != 0;
    }
    if (!gap && run->how->knows_issuer != NULL) {
        gap = run->how->knows_issuer(run->how->self, cert);
    }
    return gap;
}

static int hint_at_url(struct hc_check_run *run, X509 *cert)
{
    char url[HC_AIA_URL_MAX];

    if (!hc_aia_url(cert, url)) {
        return 0;
    }
    return hc_findings_hint(
        run->findings, run->err,
        "use the CA's full chain file, or fetch the missing one: curl -s %s | "
        "openssl x509 -inform DER >> CHAIN (`hotcert_repair aia` lets the agent do it)",
        url);
}

static int report_unknown_issuer(struct hc_check_run *run, X509 *cert, int depth)
{
    struct hc_subject place;
    char issuer[HC_CERT_LABEL];
    bool root_was_there = hc_findings_find(run->findings, HC_P_CHAIN_ROOT, NULL) != NULL;

    hc_check_place(run, cert, &place);
    hc_cert_issuer_label(cert, issuer);
    if (root_was_there || (depth > 0 && !is_gap(run, cert))) {
        return hc_findings_add_of(run->findings, HC_P_UNTRUSTED_ROOT, &place, run->err,
                                  "the chain ends here; its issuer, %s, is not a root in %s",
                                  issuer, hc_roots_subject(run->how->roots));
    }
    return hc_findings_add_of(run->findings, HC_P_CHAIN_INCOMPLETE, &place, run->err,
                              "its issuer, %s, is neither served with it nor a root in %s", issuer,
                              hc_roots_subject(run->how->roots)) == 0
               ? hint_at_url(run, cert)
               : -1;
}

static int report_self_signed(struct hc_check_run *run, X509 *cert)
{
    struct hc_subject place;

    return hc_findings_add_of(run->findings, HC_P_UNTRUSTED_ROOT, hc_check_place(run, cert, &place),
                              run->err, "it is self-signed and not a root in %s",
                              hc_roots_subject(run->how->roots));
}

static int report_invalid(struct hc_check_run *run, X509 *cert, int code)
{
    struct hc_subject place;

    return hc_findings_add_of(run->findings, HC_P_CHAIN_INVALID, hc_check_place(run, cert, &place),
                              run->err, "%s", X509_verify_cert_error_string(code));
}

static int report_weak(struct hc_check_run *run, X509 *cert, enum hc_problem p)
{
    struct hc_subject place;
    char label[HC_KEY_LABEL];
    int digest = NID_undef;

    hc_check_place(run, cert, &place);
    if (p == HC_P_KEY_WEAK) {
        return hc_findings_add_of(run->findings, p, &place, run->err,
                                  "its key is %s; the minimum is 2048 bits",
                                  hc_key_label(X509_get0_pubkey(cert), label));
    }
    (void)X509_get_signature_info(cert, &digest, NULL, NULL, NULL);
    return hc_findings_add_of(run->findings, p, &place, run->err, "it is signed with %s",
                              digest != NID_undef ? OBJ_nid2ln(digest) : "an unknown hash");
}

static int report_expired(struct hc_check_run *run, X509 *cert, int code)
{
    struct hc_subject place;
    char text[HC_TIME_TEXT];
    int64_t from = 0;
    int64_t until = 0;
    bool past = code == X509_V_ERR_CERT_HAS_EXPIRED;

    if (cert == run->leaf || hc_cert_dates(cert, &from, &until, NULL) != 0) {
        return 0; /* check.c has said it */
    }
    return hc_findings_add_of(run->findings, HC_P_CHAIN_EXPIRED, hc_check_place(run, cert, &place),
                              run->err, past ? "it expired on %s" : "it is valid from %s on",
                              hc_time_format(past ? until : from, text));
}

static int report_error(struct hc_check_run *run, X509 *cert, int depth, int code)
{
    struct hc_subject place;

    if (is_strictness(code)) {
        return hc_findings_add_of(run->findings, HC_P_CHAIN_LAX, hc_check_place(run, cert, &place),
                                  run->err, "%s", X509_verify_cert_error_string(code));
    }
    switch (code) {
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
        return report_unknown_issuer(run, cert, depth);
    case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
        return 0; /* the same once more: no issuer, so no signature either */
    case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
    case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
        return report_self_signed(run, cert);
    case X509_V_ERR_CERT_HAS_EXPIRED:
    case X509_V_ERR_CERT_NOT_YET_VALID:
        return report_expired(run, cert, code);
    case X509_V_ERR_EE_KEY_TOO_SMALL:
    case X509_V_ERR_CA_KEY_TOO_SMALL:
        return report_weak(run, cert, HC_P_KEY_WEAK);
    case X509_V_ERR_CA_MD_TOO_WEAK:
        return report_weak(run, cert, HC_P_SIGNATURE_WEAK);
    case X509_V_ERR_INVALID_PURPOSE:
        /* of the leaf, check_leaf.c has more to say */
        return depth == 0 ? 0 : report_invalid(run, cert, code);
    default:
        return report_invalid(run, cert, code);
    }
}

/* What no roots can tell: whom the chain leads to. */
static bool needs_roots(int code)
{
    return code == X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT ||
           code == X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY ||
           code == X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT ||
           code == X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN;
}

static int report_now(struct hc_check_run *run, const struct pass *pass)
{
    for (size_t i = 0; i < pass->count; i++) {
        int code = pass->errors[i].code;
        X509 *cert = pass->errors[i].cert != NULL ? pass->errors[i].cert : run->leaf;

        if (run->how->roots == NULL && needs_roots(code)) {
            continue;
        }
        if (report_error(run, cert, pass->errors[i].depth, code) != 0) {
            return -1;
        }
    }
    return 0;
}

/* The next certificate that the pass found expired, from *at on, and when it does; or NULL. */
static X509 *next_expired(const struct pass *pass, size_t *at, int64_t *until)
{
    while (*at < pass->count) {
        size_t i = (*at)++;
        X509 *cert = pass->errors[i].cert;
        int64_t from = 0;

        if (pass->errors[i].code == X509_V_ERR_CERT_HAS_EXPIRED && cert != NULL &&
            hc_cert_dates(cert, &from, until, NULL) == 0) {
            return cert;
        }
    }
    return NULL;
}

/* What the pass found expired that is not yet. */
static int report_later(struct hc_check_run *run, const struct pass *pass)
{
    struct hc_subject place;
    char text[HC_TIME_TEXT];
    X509 *cert = NULL;
    int64_t until = 0;
    size_t at = 0;

    while ((cert = next_expired(pass, &at, &until)) != NULL) {
        if (until < run->how->now) {
            continue;
        }
        if (hc_findings_add_of(run->findings, HC_P_EXPIRES_SOON, hc_check_place(run, cert, &place),
                               run->err, "it expires on %s", hc_time_format(until, text)) != 0) {
            return -1;
        }
    }
    return 0;
}

static int report_legacy(struct hc_check_run *run, const struct pass *pass)
{
    struct hc_subject place;
    char text[HC_TIME_TEXT];
    int64_t until = 0;
    size_t at = 0;
    X509 *cert = next_expired(pass, &at, &until);

    if (cert == NULL) {
        return 0;
    }
    return hc_findings_add_of(run->findings, HC_P_CHAIN_LEGACY_PATH,
                              hc_check_place(run, cert, &place), run->err,
                              "clients that follow the served chain to its end arrive at this "
                              "certificate, which expired on %s",
                              hc_time_format(until, text));
}

/* A third of the leaf's life, and no more than what people call soon: some say 9999. */
static int64_t later(const struct hc_check_run *run)
{
    int64_t from = 0;
    int64_t until = 0;
    int64_t third = 0;

    if (run->how->margin >= 0) {
        return run->how->now + run->how->margin;
    }
    if (hc_cert_dates(run->leaf, &from, &until, NULL) == 0 && until > from) {
        third = (until - from) / 3;
    }
    return run->how->now + (third < SOON_MAX ? third : SOON_MAX);
}

/* A path can end at a root that issued something which is served. */
static int want_roots(struct hc_check_run *run)
{
    int count = run->chain != NULL ? sk_X509_num(run->chain) : 0;
    int rc = 0;

    if (run->how->roots == NULL) {
        return 0;
    }
    rc = hc_roots_want(run->how->roots, X509_get_issuer_name(run->leaf), run->err);
    for (int i = 0; rc == 0 && i < count; i++) {
        rc = hc_roots_want(run->how->roots, X509_get_issuer_name(sk_X509_value(run->chain, i)),
                           run->err);
    }
    return rc;
}

int hc_check_paths(struct hc_check_run *run)
{
    struct pass now = {.at = run->how->now};
    struct pass soon = {.at = later(run)};
    struct pass legacy = {.at = run->how->now, .legacy = true};
    X509_STORE *none = run->how->roots == NULL ? X509_STORE_new() : NULL;
    X509_STORE *store = run->how->roots != NULL ? hc_roots_store(run->how->roots) : none;
    int rc = -1;

    if (store == NULL) {
        hc_error_nomem(run->err);
        goto out;
    }
    if (want_roots(run) != 0 || run_pass(run, store, &now) != 0 || report_now(run, &now) != 0 ||
        run_pass(run, store, &soon) != 0 || report_later(run, &soon) != 0) {
        goto out;
    }
    /* old clients are of interest only where those of today are content */
    if (hc_findings_worst(run->findings) == HC_CLASS_REMARK &&
        (run_pass(run, store, &legacy) != 0 || report_legacy(run, &legacy) != 0)) {
        goto out;
    }
    run->root = now.root;
    now.root = NULL;
    rc = 0;
out:
    pass_dispose(&now);
    pass_dispose(&soon);
    pass_dispose(&legacy);
    X509_STORE_free(none);
    return rc;
}
