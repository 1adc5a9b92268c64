/* Alternate chains: where they are, and where they end. */
#include "acme/alternate.h"

#include "forge.h"
#include "tap.h"

#define CERT "https://ca.test/cert/1"
#define DIR  "https://ca.test/dir"

static void links_are_read(void)
{
    static const struct {
        const char *link, *want; /* NULL: left out */
    } rows[] = {
        {"<https://ca.test/cert/1/1>;rel=\"alternate\"", "https://ca.test/cert/1/1"},
        {"<https://ca.test/cert/1/2>; rel=alternate", "https://ca.test/cert/1/2"},
        {"</cert/1/3>;rel=\"alternate\"", "https://ca.test/cert/1/3"},
        {"<https://ca.test/dir>;rel=\"index\"", NULL},
        {"<http://ca.test/cert/1/4>;rel=\"alternate\"", NULL},
        {"https://ca.test/cert/1/5;rel=\"alternate\"", NULL},
        {"<https://ca.test/cert/1/6;rel=\"alternate\"", NULL},
        {"", NULL},
    };
    struct hc_list links = {NULL, 0, 0};
    struct hc_list urls = {NULL, 0, 0};
    struct hc_http_reply reply = {.links = &links};
    char many[80];
    size_t wanted = 0;

    for (size_t i = 0; i < HC_COUNT(rows); i++) {
        wanted += rows[i].want != NULL;
        ok(hc_list_add(&links, rows[i].link, NULL) == 0, "a link");
    }
    ok(hc_alternates_read(&reply, DIR, CERT, &urls, NULL) == 0, "they are read");
    is_int(urls.count, wanted, "those that are alternates and may be asked");
    for (size_t i = 0, k = 0; i < HC_COUNT(rows); i++) {
        if (rows[i].want != NULL) {
            is_str(urls.items[k++], rows[i].want, rows[i].link);
        }
    }
    ok(hc_alternates_read(&reply, DIR, CERT, &urls, NULL) == 0, "once more");
    is_int(urls.count, wanted, "none is there twice");
    for (int i = 0; i < 20; i++) {
        snprintf(many, sizeof(many), "<https://ca.test/more/%d>;rel=\"alternate\"", i);
        ok(hc_list_add(&links, many, NULL) == 0, "a link");
    }
    ok(hc_alternates_read(&reply, DIR, CERT, &urls, NULL) == 0, "a CA with many");
    is_int(urls.count, HC_ALTERNATES_MAX, "has as many as can be asked");
    reply.links = NULL;
    ok(hc_alternates_read(&reply, DIR, CERT, &urls, NULL) == 0, "and one may have none");
    hc_list_dispose(&links);
    hc_list_dispose(&urls);
}

static void a_chain_ends_at_the_issuer_of_its_last(void)
{
    struct forged root = forge(&(struct forge){.name = "Root \xc3\x9c", .ca = true});
    struct forged mid = forge(&(struct forge){.name = "Mid", .ca = true, .by = &root});
    struct forged leaf = forge(&(struct forge){.name = "leaf", .sans = "DNS:a.test", .by = &mid});
    struct hc_buf pem = HC_BUF_INIT(100000);
    char end[HC_CHAIN_END];

    forge_chain_pem(&pem, leaf.cert, mid.cert, NULL);
    ok(hc_chain_end(hc_bytes_of(&pem), end), "leaf and intermediate");
    is_str(end, "Root \xc3\x9c", "end at the root, in UTF-8");
    hc_buf_reset(&pem);
    forge_chain_pem(&pem, leaf.cert, NULL, NULL);
    ok(hc_chain_end(hc_bytes_of(&pem), end), "a leaf alone");
    is_str(end, "Mid", "ends at its issuer");
    hc_buf_reset(&pem);
    ok(!hc_chain_end(hc_bytes_of(&pem), end) && end[0] == '\0', "nothing ends nowhere");
    ok(!hc_chain_end((struct hc_bytes){(const unsigned char *)"no PEM", 6}, end), "nor does this");
    hc_buf_dispose(&pem);
    forged_free(&leaf);
    forged_free(&mid);
    forged_free(&root);
}

int main(void)
{
    links_are_read();
    a_chain_ends_at_the_issuer_of_its_last();
    return done();
}
