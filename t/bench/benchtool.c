/*
 * What the benchmark needs done from inside:
 *
 *   benchtool pairs DIR N NAME         writes N pairs (DIR/i.pem, DIR/i.key, P-256 below one CA,
 * for i.NAME) and the CA (DIR/ca.pem) benchtool swap FD N RATE CERT KEY CERT KEY   publishes two
 * pairs in turn, N times at RATE a second, for every identity of the table (a path to a descriptor:
 * /proc/PID/fd/5) benchtool stats FD                 the table's figures benchtool check CERT KEY
 * ROOTS N NAME..   CPU of a full check, N times
 *   benchtool usable DIR N             CPU that a start spends on each of N such pairs
 */
#include <errno.h>
#include <fcntl.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/log.h"
#include "base/time.h"
#include "live/table.h"
#include "pki/check.h"
#include "pki/key.h"
#include "pki/pair.h"

static int fail(const char *what, const struct hc_error *err)
{
    char text[HC_LOG_LINE];

    fprintf(stderr, "benchtool: %s: %s\n", what,
            err != NULL ? hc_error_format(err, text, sizeof(text)) : strerror(errno));
    return 1;
}

/* ---- pairs ---- */

static int add_extension(X509 *x, X509 *issuer, int nid, const char *value)
{
    X509V3_CTX ctx;
    X509_EXTENSION *ext;
    int done;

    X509V3_set_ctx(&ctx, issuer, x, NULL, NULL, 0);
    ext = X509V3_EXT_conf_nid(NULL, &ctx, nid, value);
    done = ext != NULL && X509_add_ext(x, ext, -1) == 1;
    X509_EXTENSION_free(ext);
    return done ? 0 : -1;
}

/* A certificate for key, signed by issuer (itself where that is NULL). */
static X509 *make_certificate(EVP_PKEY *key, const char *name, long serial, X509 *issuer,
                              EVP_PKEY *issuer_key)
{
    X509 *x = X509_new();
    X509 *by = issuer != NULL ? issuer : x;
    X509_NAME *subject = X509_NAME_new();
    char san[300];
    bool leaf = issuer != NULL;

    (void)snprintf(san, sizeof(san), "DNS:%s", name);
    if (x == NULL || subject == NULL || X509_set_version(x, X509_VERSION_3) != 1 ||
        ASN1_INTEGER_set(X509_get_serialNumber(x), serial) != 1 ||
        X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC, (const unsigned char *)name, -1, -1,
                                   0) != 1 ||
        X509_set_subject_name(x, subject) != 1 ||
        X509_set_issuer_name(x, leaf ? X509_get_subject_name(by) : subject) != 1 ||
        X509_gmtime_adj(X509_getm_notBefore(x), -3600) == NULL ||
        X509_gmtime_adj(X509_getm_notAfter(x), 90L * 86400) == NULL ||
        X509_set_pubkey(x, key) != 1 ||
        add_extension(x, by, NID_basic_constraints,
                      leaf ? "critical,CA:FALSE" : "critical,CA:TRUE") != 0 ||
        add_extension(x, by, NID_key_usage,
                      leaf ? "critical,digitalSignature" : "critical,keyCertSign") != 0 ||
        add_extension(x, by, NID_subject_key_identifier, "hash") != 0 ||
        add_extension(x, by, NID_authority_key_identifier, "keyid") != 0 ||
        (leaf && (add_extension(x, by, NID_ext_key_usage, "serverAuth") != 0 ||
                  add_extension(x, by, NID_subject_alt_name, san) != 0)) ||
        X509_sign(x, leaf ? issuer_key : key, EVP_sha256()) == 0) {
        X509_free(x);
        x = NULL;
    }
    X509_NAME_free(subject);
    return x;
}

static int write_pem(const char *dir, const char *base, const char *suffix, X509 *x, EVP_PKEY *key)
{
    char path[500];
    FILE *f;
    int done;

    (void)snprintf(path, sizeof(path), "%s/%s.%s", dir, base, suffix);
    f = fopen(path, "w");
    if (f == NULL) {
        return fail(path, NULL);
    }
    done = (x == NULL || PEM_write_X509(f, x) == 1) &&
           (key == NULL || PEM_write_PrivateKey(f, key, NULL, NULL, 0, NULL, NULL) == 1);
    done = fclose(f) == 0 && done && chmod(path, key != NULL ? 0600 : 0644) == 0;
    return done ? 0 : fail(path, NULL);
}

static int one_pair(const char *dir, long i, const char *suffix, X509 *ca, EVP_PKEY *ca_key)
{
    char name[200], base[30];
    struct hc_error err = {0};
    EVP_PKEY *key = NULL;
    X509 *x = NULL;
    int rc = 1;

    (void)snprintf(name, sizeof(name), "%ld.%s", i, suffix);
    (void)snprintf(base, sizeof(base), "%ld", i);
    if (hc_key_new(HC_KEY_ECDSA_256, &key, &err) != 0) {
        return fail(name, &err);
    }
    x = make_certificate(key, name, 1000 + i, ca, ca_key);
    if (x != NULL) {
        rc = write_pem(dir, base, "pem", x, NULL) != 0 ||
             write_pem(dir, base, "key", NULL, key) != 0;
    }
    X509_free(x);
    EVP_PKEY_free(key);
    return rc;
}

static int pairs(int argc, char **argv)
{
    struct hc_error err = {0};
    EVP_PKEY *key = NULL;
    X509 *ca = NULL;
    int rc = 1;

    if (argc != 3 || hc_key_new(HC_KEY_ECDSA_256, &key, &err) != 0) {
        return fail("pairs", &err);
    }
    ca = make_certificate(key, "bench root", 1, NULL, NULL);
    if (ca == NULL || write_pem(argv[0], "ca", "pem", ca, NULL) != 0) {
        goto out;
    }
    for (long i = 1; i <= atol(argv[1]); i++) {
        if (one_pair(argv[0], i, argv[2], ca, key) != 0) {
            goto out;
        }
    }
    rc = 0;
out:
    X509_free(ca);
    EVP_PKEY_free(key);
    return rc;
}

/* ---- the table ---- */

static int read_file(const char *path, struct hc_buf *out)
{
    char part[4096];
    FILE *f = fopen(path, "r");
    size_t n;
    int rc = 0;

    if (f == NULL) {
        return fail(path, NULL);
    }
    while (rc == 0 && (n = fread(part, 1, sizeof(part), f)) > 0) {
        rc = hc_buf_append(out, part, n, NULL);
    }
    (void)fclose(f);
    return rc;
}

static struct hc_pair *load_pair(const char *cert, const char *key)
{
    struct hc_buf cert_pem = HC_BUF_INIT(HC_PAIR_PEM_MAX);
    struct hc_buf key_pem = HC_BUF_INIT_SECRET(HC_PAIR_PEM_MAX);
    struct hc_findings findings = {0};
    struct hc_error err = {0};
    struct hc_pair *pair = NULL;

    if (read_file(cert, &cert_pem) == 0 && read_file(key, &key_pem) == 0) {
        struct hc_pair_source source = {.cert_pem = hc_bytes_of(&cert_pem),
                                        .key_pem = hc_bytes_of(&key_pem),
                                        .cert_subject = cert,
                                        .key_subject = key};

        if (hc_pair_from_pem(&source, &pair, &findings, &err) != 0) {
            (void)fail(cert, &err);
        }
    }
    hc_findings_dispose(&findings);
    hc_buf_dispose(&cert_pem);
    hc_buf_dispose(&key_pem);
    return pair;
}

static int load_bundle(const char *cert, const char *key, struct hc_buf *out)
{
    struct hc_error err = {0};
    struct hc_pair *pair = load_pair(cert, key);
    struct hc_bundle *bundle = NULL;
    int rc = 1;

    if (pair == NULL) {
        return 1;
    }
    if (hc_bundle_new(&pair, 1, &bundle, &err) != 0) {
        hc_pair_free(pair);
        return fail(cert, &err);
    }
    rc = hc_bundle_encode(bundle, out, &err) != 0 ? fail(cert, &err) : 0;
    hc_bundle_free(bundle);
    return rc;
}

#define IDS_MAX 2000
struct ids {
    unsigned char id[IDS_MAX][HC_ID_SIZE];
    size_t count;
};

static int collect(void *arg, const unsigned char id[HC_ID_SIZE])
{
    struct ids *ids = arg;

    if (ids->count < IDS_MAX) {
        memcpy(ids->id[ids->count++], id, HC_ID_SIZE);
    }
    return 0;
}

static struct hc_table *attach(const char *path, bool writable)
{
    struct hc_error err = {0};
    struct hc_table *table = NULL;
    int fd = open(path, (writable ? O_RDWR : O_RDONLY) | O_CLOEXEC);

    if (fd < 0) {
        (void)fail(path, NULL);
    } else if (hc_table_attach(fd, writable, &table, &err) != 0) {
        (void)fail(path, &err);
    }
    return table;
}

static int swap(int argc, char **argv)
{
    static struct ids ids;
    struct hc_buf bundle[2] = {HC_BUF_INIT_SECRET(HC_BUNDLE_MAX),
                               HC_BUF_INIT_SECRET(HC_BUNDLE_MAX)};
    struct hc_error err = {0};
    struct timespec pause = {0};
    struct hc_table *table;
    int rc = 1;

    if (argc != 7) {
        return 64;
    }
    table = attach(argv[0], true);
    pause.tv_nsec = 1000000000L / atol(argv[2]);
    if (table == NULL || hc_table_each(table, collect, &ids, &err) != 0 || ids.count == 0 ||
        load_bundle(argv[3], argv[4], &bundle[0]) != 0 ||
        load_bundle(argv[5], argv[6], &bundle[1]) != 0) {
        goto out;
    }
    for (long i = 0; i < atol(argv[1]); i++) {
        for (size_t k = 0; k < ids.count; k++) {
            if (hc_table_publish(table, ids.id[k], hc_bytes_of(&bundle[i & 1]), HC_PUBLISH_REPLACE,
                                 &err) != 0) {
                (void)fail("publish", &err);
                goto out;
            }
        }
        (void)nanosleep(&pause, NULL);
    }
    rc = 0;
out:
    hc_buf_dispose(&bundle[0]);
    hc_buf_dispose(&bundle[1]);
    hc_table_detach(table);
    return rc;
}

static int stats(int argc, char **argv)
{
    struct hc_table_stats s = {0};
    struct hc_table *table = argc == 1 ? attach(argv[0], false) : NULL;

    if (table == NULL) {
        return 1;
    }
    hc_table_stats(table, &s);
    printf("{\"slots\":%zu,\"bytes\":%zu,\"size\":%zu,\"generation\":%llu}\n", s.slots_used,
           s.bytes_used, s.size, (unsigned long long)s.generation);
    hc_table_detach(table);
    return 0;
}

/* ---- the check ---- */

static double cpu_now(void)
{
    struct timespec t;

    (void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static int check(int argc, char **argv)
{
    struct hc_error err = {0};
    struct hc_list names = {0};
    struct hc_roots *roots = NULL;
    struct hc_pair *pair = argc >= 5 ? load_pair(argv[0], argv[1]) : NULL;
    struct hc_check how = {.now = (int64_t)time(NULL), .margin = -1, .names = &names};
    long times = argc >= 5 ? atol(argv[3]) : 0;
    double began;
    int rc = 1;

    if (pair == NULL || hc_roots_load(argv[2], &roots, &err) != 0) {
        goto out;
    }
    for (int i = 4; i < argc; i++) {
        if (hc_list_add(&names, argv[i], &err) != 0) {
            goto out;
        }
    }
    how.roots = roots;
    began = cpu_now();
    for (long i = 0; i < times; i++) {
        struct hc_findings findings = {0};

        rc = hc_check_pair(pair, &how, &findings, &err);
        if (rc != 0 || hc_findings_worst(&findings) != HC_CLASS_REMARK) {
            rc = rc != 0 ? fail("check", &err) : 2;
            hc_findings_dispose(&findings);
            goto out;
        }
        hc_findings_dispose(&findings);
    }
    printf("%.4f\n", (cpu_now() - began) * 1000 / (double)times);
out:
    hc_list_dispose(&names);
    hc_roots_free(roots);
    hc_pair_free(pair);
    return rc;
}

/* ---- the start ---- */

/* What a start does with each of N pairs of DIR (`pairs`) that nobody has judged. */
static int usable(int argc, char **argv)
{
    struct hc_buf encoded = HC_BUF_INIT_SECRET(HC_BUNDLE_MAX);
    struct hc_error err = {0};
    double began = cpu_now();
    long count = argc == 2 ? atol(argv[1]) : 0;
    int rc = count > 0 ? 0 : 64;

    for (long i = 1; rc == 0 && i <= count; i++) {
        struct hc_findings findings = {0};
        char cert[500], key[500];
        struct hc_pair *pair;

        (void)snprintf(cert, sizeof(cert), "%s/%ld.pem", argv[0], i);
        (void)snprintf(key, sizeof(key), "%s/%ld.key", argv[0], i);
        pair = load_pair(cert, key);
        hc_buf_reset(&encoded);
        if (pair == NULL || hc_check_usable(pair, 0, &findings, &err) != 0 ||
            hc_findings_worst(&findings) == HC_CLASS_UNUSABLE ||
            hc_pair_encode(pair, &encoded, &err) != 0) {
            rc = fail(cert, &err);
        }
        hc_findings_dispose(&findings);
        hc_pair_free(pair);
    }
    if (rc == 0) {
        printf("%.4f\n", (cpu_now() - began) * 1000 / (double)count);
    }
    hc_buf_dispose(&encoded);
    return rc;
}

int main(int argc, char **argv)
{
    static const struct {
        const char *name;
        int (*run)(int argc, char **argv);
    } commands[] = {
        {"pairs", pairs}, {"swap", swap}, {"stats", stats}, {"check", check}, {"usable", usable}};

    for (size_t i = 0; argc > 1 && i < HC_COUNT(commands); i++) {
        if (strcmp(argv[1], commands[i].name) == 0) {
            return commands[i].run(argc - 2, argv + 2);
        }
    }
    fprintf(stderr, "usage: benchtool pairs|swap|stats|check|usable ..\n");
    return 64;
}
