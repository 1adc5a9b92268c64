/* Chains completed from a chain file, and from CA certificates as OpenSSL would. */
#include "pki/complete.h"

#include <sys/stat.h>
#include <unistd.h>

#include "forge.h"
#include "tap.h"

static struct forged root, top, middle, leaf, stranger;

/* One completion of the bare leaf. */
struct attempt {
    STACK_OF(X509) * chain;
    struct hc_findings findings;
    struct hc_error err;
    int rc;
};

static void complete(struct attempt *a, const struct hc_pair_more *more, X509 *present)
{
    memset(a, 0, sizeof(*a));
    a->chain = sk_X509_new_null();
    if (present != NULL && X509_add_cert(a->chain, present, X509_ADD_FLAG_UP_REF) != 1) {
        forge_die("chain");
    }
    a->rc = hc_chain_complete(leaf.cert, a->chain, more, "leaf.pem", &a->findings, &a->err);
    is_int(ERR_peek_error(), 0, "OpenSSL's queue is empty");
}

static void attempt_dispose(struct attempt *a)
{
    sk_X509_pop_free(a->chain, X509_free);
    hc_findings_dispose(&a->findings);
}

/* True if the chain is middle and top, in this order. */
static bool is_whole(const struct attempt *a)
{
    return a->rc == 0 && sk_X509_num(a->chain) == 2 &&
           X509_cmp(sk_X509_value(a->chain, 0), middle.cert) == 0 &&
           X509_cmp(sk_X509_value(a->chain, 1), top.cert) == 0;
}

static void a_chain_file_gives_the_issuers_in_order_and_no_root(void)
{
    struct hc_buf pem = HC_BUF_INIT(HC_PAIR_PEM_MAX);
    struct hc_pair_more more = {.chain_subject = "chain.pem"};
    struct attempt a;

    forge_cert_pem(root.cert, &pem);
    forge_cert_pem(top.cert, &pem);
    forge_cert_pem(stranger.cert, &pem);
    forge_cert_pem(middle.cert, &pem);
    more.chain_pem = hc_bytes_of(&pem);
    complete(&a, &more, NULL);
    ok(is_whole(&a), "whatever their order there");
    is_int(a.findings.count, 0, "without a remark: it is what the file is for");
    attempt_dispose(&a);
    complete(&a, &more, middle.cert);
    ok(is_whole(&a), "behind what the certificate's own file has");
    attempt_dispose(&a);
    hc_buf_dispose(&pem);
}

static void a_chain_file_of_others_is_a_remark_and_a_damaged_one_unusable(void)
{
    struct hc_buf pem = HC_BUF_INIT(HC_PAIR_PEM_MAX);
    struct hc_pair_more more = {.chain_subject = "chain.pem"};
    struct attempt a;

    forge_cert_pem(stranger.cert, &pem);
    more.chain_pem = hc_bytes_of(&pem);
    complete(&a, &more, NULL);
    is_int(sk_X509_num(a.chain), 0, "nothing of it is taken");
    ok(hc_findings_find(&a.findings, HC_P_CHAIN_STRANGER, "chain.pem") != NULL, "which is said");
    attempt_dispose(&a);
    more.chain_pem.len -= 40;
    complete(&a, &more, NULL);
    is_int(hc_findings_worst(&a.findings), HC_CLASS_UNUSABLE, "cut in its block");
    attempt_dispose(&a);
    more.chain_pem = (struct hc_bytes){(const unsigned char *)"no certificate\n", 15};
    complete(&a, &more, NULL);
    is_int(hc_findings_worst(&a.findings), HC_CLASS_REMARK, "without any, as httpd takes it");
    attempt_dispose(&a);
    hc_buf_dispose(&pem);
}

static void the_store_completes_a_bare_leaf_only(void)
{
    struct hc_buf pem = HC_BUF_INIT(HC_PAIR_PEM_MAX);
    struct hc_pair_more more = {.store_subject = "cas.pem"};
    struct attempt a;

    forge_cert_pem(top.cert, &pem);
    forge_cert_pem(middle.cert, &pem);
    forge_cert_pem(root.cert, &pem);
    more.store_pem = hc_bytes_of(&pem);
    complete(&a, &more, NULL);
    ok(is_whole(&a), "completed");
    ok(hc_findings_find(&a.findings, HC_P_CHAIN_FROM_STORE, "leaf.pem") != NULL, "with a remark");
    attempt_dispose(&a);
    complete(&a, &more, middle.cert);
    is_int(sk_X509_num(a.chain), 1, "OpenSSL adds nothing to a chain that is there");
    attempt_dispose(&a);
    hc_buf_dispose(&pem);
}

static void a_folder_with_hashed_names_is_a_store(void)
{
    struct hc_buf pem = HC_BUF_INIT(HC_PAIR_PEM_MAX);
    struct hc_pair_more more = {0};
    char folder[] = "/tmp/hotcert-complete-XXXXXX";
    const struct forged *in[] = {&middle, &top};
    char paths[2][64];
    struct attempt a;

    if (mkdtemp(folder) == NULL) {
        forge_die("mkdtemp");
    }
    for (size_t i = 0; i < 2; i++) {
        FILE *file = NULL;

        snprintf(paths[i], sizeof(paths[i]), "%s/%08lx.0", folder,
                 X509_NAME_hash_ex(X509_get_subject_name(in[i]->cert), NULL, NULL, NULL));
        hc_buf_reset(&pem);
        forge_cert_pem(in[i]->cert, &pem);
        file = fopen(paths[i], "we");
        if (file == NULL || fwrite(pem.data, 1, pem.len, file) != pem.len || fclose(file) != 0) {
            forge_die(paths[i]);
        }
    }
    more.store_folder = folder;
    complete(&a, &more, NULL);
    ok(is_whole(&a), "completed");
    attempt_dispose(&a);
    more.store_folder = "/nonexistent/folder";
    complete(&a, &more, NULL);
    is_int(a.rc, 0, "one that is not there is as good as empty");
    is_int(sk_X509_num(a.chain), 0, "nothing is added");
    attempt_dispose(&a);
    for (size_t i = 0; i < 2; i++) {
        (void)unlink(paths[i]);
    }
    (void)rmdir(folder);
    hc_buf_dispose(&pem);
}

int main(void)
{
    root = forge(&(struct forge){.name = "Root", .ca = true});
    top = forge(&(struct forge){.name = "Top", .ca = true, .by = &root});
    middle = forge(&(struct forge){.name = "Middle", .ca = true, .by = &top});
    leaf = forge(&(struct forge){.name = "leaf", .sans = "DNS:a.example", .by = &middle});
    stranger = forge(&(struct forge){.name = "Stranger", .ca = true});
    a_chain_file_gives_the_issuers_in_order_and_no_root();
    a_chain_file_of_others_is_a_remark_and_a_damaged_one_unusable();
    the_store_completes_a_bare_leaf_only();
    a_folder_with_hashed_names_is_a_store();
    forged_free(&root);
    forged_free(&top);
    forged_free(&middle);
    forged_free(&leaf);
    forged_free(&stranger);
    return done();
}
