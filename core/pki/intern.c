/* Sharing of intermediates; see intern.h. */
#include "pki/intern.h"

#include <openssl/err.h>
#include <openssl/sha.h>
#include <pthread.h>
#include <string.h>

#include "pki/openssl.h"

#define WAYS 64

/* The one piece of state of a process's own in pki: a cache, keyed by content, of immutable
 * objects. Threads of httpd's children and the agent's share it. */
static struct {
    pthread_mutex_t mutex;
    struct {
        unsigned char digest[SHA256_DIGEST_LENGTH];
        X509 *cert;
    } entries[WAYS];
    size_t next; /* the one to be replaced */
} cache = {.mutex = PTHREAD_MUTEX_INITIALIZER};

static X509 *look_up(const unsigned char digest[SHA256_DIGEST_LENGTH])
{
    for (size_t i = 0; i < WAYS; i++) {
        X509 *cert = cache.entries[i].cert;

        if (cert != NULL && memcmp(cache.entries[i].digest, digest, SHA256_DIGEST_LENGTH) == 0) {
            X509_up_ref(cert);
            return cert;
        }
    }
    return NULL;
}

static void remember(const unsigned char digest[SHA256_DIGEST_LENGTH], X509 *cert)
{
    size_t at = cache.next;

    cache.next = (at + 1) % WAYS;
    X509_free(cache.entries[at].cert);
    X509_up_ref(cert);
    cache.entries[at].cert = cert;
    memcpy(cache.entries[at].digest, digest, SHA256_DIGEST_LENGTH);
}

int hc_intern_cert(const unsigned char *der, size_t len, X509 **out, struct hc_error *err)
{
    unsigned char digest[SHA256_DIGEST_LENGTH];
    const unsigned char *p = der;
    X509 *cert = NULL;

    SHA256(der, len, digest);
    pthread_mutex_lock(&cache.mutex);
    cert = look_up(digest);
    pthread_mutex_unlock(&cache.mutex);
    if (cert != NULL) {
        *out = cert;
        return 0;
    }
    cert = d2i_X509(NULL, &p, (long)len);
    if (cert == NULL || (size_t)(p - der) != len || X509_get0_pubkey(cert) == NULL) {
        X509_free(cert);
        return hc_error_set_openssl(err, HC_P_PEM_DAMAGED, NULL,
                                    "a certificate that cannot be read");
    }
    pthread_mutex_lock(&cache.mutex);
    remember(digest, cert);
    pthread_mutex_unlock(&cache.mutex);
    *out = cert;
    return 0;
}

void hc_intern_clear(void)
{
    pthread_mutex_lock(&cache.mutex);
    for (size_t i = 0; i < WAYS; i++) {
        X509_free(cache.entries[i].cert);
        cache.entries[i].cert = NULL;
    }
    pthread_mutex_unlock(&cache.mutex);
}
