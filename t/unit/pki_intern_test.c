/* The cache of intermediates: shared objects, bounded, from many threads at once. */
#include <pthread.h>

#include "forge.h"
#include "pki/intern.h"
#include "tap.h"

#define THREADS 4
#define ROUNDS  300
#define KINDS   80 /* more than the cache holds */

static unsigned char *ders[KINDS];
static int lens[KINDS];

static void *worker(void *arg)
{
    unsigned *wrong = arg;

    for (int i = 0; i < ROUNDS; i++) {
        int k = (i * 7) % KINDS;
        struct hc_error err = {0};
        X509 *cert = NULL;
        unsigned char *der = NULL;

        if (hc_intern_cert(ders[k], (size_t)lens[k], &cert, &err) != 0) {
            (*wrong)++;
            continue;
        }
        /* what a server does with it: reads it, looks at its extensions */
        *wrong += i2d_X509(cert, &der) != lens[k] || memcmp(der, ders[k], (size_t)lens[k]) != 0 ||
                  X509_check_ca(cert) != 1;
        OPENSSL_free(der);
        X509_free(cert);
    }
    return NULL;
}

int main(void)
{
    struct forged root = forge(&(struct forge){.name = "Root", .ca = true});
    pthread_t threads[THREADS];
    unsigned wrong[THREADS] = {0};
    unsigned all = 0;
    struct hc_error err = {0};
    X509 *a = NULL;
    X509 *b = NULL;

    for (int i = 0; i < KINDS; i++) {
        struct forged f =
            forge(&(struct forge){.name = "Mid", .ca = true, .by = &root, .with_key = root.key});

        lens[i] = i2d_X509(f.cert, &ders[i]);
        forged_free(&f);
    }
    is_int(hc_intern_cert(ders[0], (size_t)lens[0], &a, &err), 0, "a certificate is read");
    is_int(hc_intern_cert(ders[0], (size_t)lens[0], &b, &err), 0, "and read again");
    ok(a == b, "it is the same object");
    X509_free(b);
    is_int(hc_intern_cert(ders[0], (size_t)lens[0] - 1, &b, &err), -1, "a cut one is refused");
    is_int(err.problem, HC_P_PEM_DAMAGED, "as damaged");
    for (size_t i = 0; i < THREADS; i++) {
        if (pthread_create(&threads[i], NULL, worker, &wrong[i]) != 0) {
            forge_die("thread");
        }
    }
    for (size_t i = 0; i < THREADS; i++) {
        pthread_join(threads[i], NULL);
        all += wrong[i];
    }
    is_int(all, 0, "every thread gets what it asked for, also while entries are replaced");
    hc_intern_clear();
    is_int(X509_check_ca(a), 1, "an object outlives the cache's reference");
    X509_free(a);
    for (int i = 0; i < KINDS; i++) {
        OPENSSL_free(ders[i]);
    }
    forged_free(&root);
    return done();
}
