/* Missing issuers: fetched only from where it is right, kept only if they signed. */
#include "agent/repair.h"

#include "forge.h"
#include "pki/check.h"
#include "tap.h"

#define URL "http://ca.example/mid.der"

/* A DNS and a web of our own, one question and one request at a time. */
struct world {
    struct hc_dns_port dns;
    struct hc_web_port web;
    struct hc_clock clock;
    struct hc_log log;
    int64_t now_ms;
    const char *a[4]; /* what A answers; NULL ends */
    bool no_answer;   /* DNS stays silent */
    hc_dns_done *asks[8];
    void *ask_args[8];
    struct hc_dns_question questions[8];
    int ask_count;
    hc_web_done *done;
    void *arg;
    char asked_url[512];
    char asked_address[HC_ADDRESS_TEXT];
    unsigned asked_port;
    int requests;
    int cancels;
    struct hc_buf kept;
    char kept_url[512];
    int arrivals;
    char text[4096];
};

static int64_t now_ms(void *self)
{
    return ((struct world *)self)->now_ms;
}

static void line(void *self, enum hc_level level HC_UNUSED, const char *text)
{
    struct world *w = self;
    size_t used = strlen(w->text);

    snprintf(w->text + used, sizeof(w->text) - used, "%s\n", text);
}

static int dns_ask(void *self, const struct hc_dns_ask *ask, hc_dns_done *done, void *arg,
                   uint64_t *id, struct hc_error *err HC_UNUSED)
{
    struct world *w = self;

    w->asks[w->ask_count] = done;
    w->ask_args[w->ask_count] = arg;
    w->questions[w->ask_count] = ask->question;
    *id = (uint64_t)++w->ask_count;
    return 0;
}

static void dns_cancel(void *self, uint64_t id)
{
    struct world *w = self;

    w->asks[id - 1] = NULL;
    w->cancels++;
}

static int web_ask(void *self, const struct hc_web_ask *ask, hc_web_done *done, void *arg,
                   uint64_t *id, struct hc_error *err HC_UNUSED)
{
    struct world *w = self;

    snprintf(w->asked_url, sizeof(w->asked_url), "%s", ask->url);
    hc_address_format(ask->address, w->asked_address);
    w->asked_port = ask->port;
    w->done = done;
    w->arg = arg;
    w->requests++;
    *id = 7;
    return 0;
}

static void web_cancel(void *self, uint64_t id HC_UNUSED)
{
    struct world *w = self;

    w->done = NULL;
    w->cancels++;
}

static bool load(void *self, const char *url, struct hc_buf *out)
{
    struct world *w = self;

    return strcmp(url, w->kept_url) == 0 &&
           hc_buf_append(out, w->kept.data, w->kept.len, NULL) == 0;
}

static void keep(void *self, const char *url, struct hc_bytes bytes)
{
    struct world *w = self;

    snprintf(w->kept_url, sizeof(w->kept_url), "%s", url);
    hc_buf_reset(&w->kept);
    if (hc_buf_append(&w->kept, bytes.data, bytes.len, NULL) != 0) {
        abort();
    }
}

static void arrived(void *self)
{
    ((struct world *)self)->arrivals++;
}

static struct hc_repairs *open_world(struct world *w)
{
    struct hc_repairs_options o = {.dns = &w->dns,
                                   .web = &w->web,
                                   .clock = &w->clock,
                                   .log = &w->log,
                                   .self = w,
                                   .load = load,
                                   .keep = keep,
                                   .arrived = arrived};
    struct hc_repairs *repairs = NULL;

    w->dns = (struct hc_dns_port){w, dns_ask, dns_cancel};
    w->web = (struct hc_web_port){w, web_ask, web_cancel};
    w->clock = (struct hc_clock){w, NULL, now_ms};
    w->log = (struct hc_log){w, HC_LOG_DEBUG, line};
    w->kept.max = HC_REPAIR_BYTES;
    if (hc_repairs_new(&o, &repairs, NULL) != 0) {
        abort();
    }
    return repairs;
}

static void close_world(struct world *w, struct hc_repairs *repairs)
{
    hc_repairs_free(repairs);
    hc_buf_dispose(&w->kept);
}

/* Answers the questions that are open, A with the addresses, AAAA with nothing. */
static void answer_dns(struct world *w)
{
    for (int i = 0; i < w->ask_count; i++) {
        struct hc_dns_record records[4];
        uint8_t data[4][4];
        struct hc_dns_reply reply = {.recursive = true,
                                     .records = records,
                                     .owners = &w->questions[i].name,
                                     .owner_count = 1};
        hc_dns_done *whom = w->asks[i];

        w->asks[i] = NULL;
        for (int k = 0; k < 4 && w->a[k] != NULL && w->questions[i].type == HC_DNS_A; k++) {
            struct hc_address address;

            if (hc_address_parse(w->a[k], &address) != 0) {
                abort();
            }
            memcpy(data[k], address.octets, 4);
            records[k] = (struct hc_dns_record){&w->questions[i].name, HC_DNS_A, 60, 4, data[k]};
            reply.answers++;
        }
        if (whom != NULL) {
            (*whom)(w->ask_args[i], &reply, NULL, NULL);
        }
    }
}

static void answer_web(struct world *w, long status, const char *location, struct hc_bytes body)
{
    struct hc_web_reply reply = {.status = status, .location = location, .body = body};
    hc_web_done *whom = w->done;

    w->done = NULL;
    if (whom != NULL) {
        (*whom)(w->arg, &reply, NULL);
    }
}

static struct forged root, mid, leaf, stranger;

static struct hc_pair *leaf_only(void)
{
    struct hc_buf pem = HC_BUF_INIT(HC_PAIR_PEM_MAX);
    struct hc_findings none = {0};
    struct hc_pair *pair = NULL;

    forge_chain_pem(&pem, leaf.cert, NULL, NULL);
    if (hc_pair_from_key(leaf.key, hc_bytes_of(&pem), "x", &pair, &none, NULL) != 0) {
        abort();
    }
    hc_findings_dispose(&none);
    hc_buf_dispose(&pem);
    return pair;
}

static struct hc_buf der_of(X509 *cert)
{
    struct hc_buf out = HC_BUF_INIT(HC_REPAIR_BYTES);
    unsigned char *der = NULL;
    int len = i2d_X509(cert, &der);

    if (len <= 0 || hc_buf_append(&out, der, (size_t)len, NULL) != 0) {
        abort();
    }
    OPENSSL_free(der);
    return out;
}

static bool incomplete(void *arg HC_UNUSED, const struct hc_pair *pair)
{
    return sk_X509_num(hc_pair_chain(pair)) == 0;
}

/* True if the pair can be mended with what is at hand. */
static bool mends(struct hc_repairs *repairs)
{
    struct hc_pair *pair = leaf_only();
    struct hc_pair *better = hc_repairs_complete(repairs, pair, incomplete, NULL);
    bool good = better != pair && sk_X509_num(hc_pair_chain(better)) == 1 &&
                X509_cmp(sk_X509_value(hc_pair_chain(better), 0), mid.cert) == 0;

    hc_pair_free(pair);
    hc_pair_free(better);
    return good;
}

static void an_issuer_is_fetched_and_kept(void)
{
    struct world w = {.a = {"93.184.216.34"}};
    struct hc_repairs *repairs = open_world(&w);
    struct hc_buf der = der_of(mid.cert);

    ok(!mends(repairs), "what is not at hand does not mend");
    is_int(w.ask_count, 0, "and nobody is asked from within");
    (void)hc_repairs_run(repairs);
    is_int(w.ask_count, 2, "then A and AAAA are");
    is_int(hc_repairs_run(repairs), HC_REPAIR_MS, "and waited for, with a limit");
    answer_dns(&w);
    (void)hc_repairs_run(repairs);
    is_str(w.asked_url, URL, "the URL of the certificate is fetched");
    is_str(w.asked_address, "93.184.216.34", "from the address that was vetted");
    is_int(w.asked_port, 80, "on port 80");
    ok(!mends(repairs) && w.requests == 1, "once, however often it is missed");
    answer_web(&w, 200, "", hc_bytes_of(&der));
    is_int(w.arrivals, 0, "nobody is told from within");
    is_int(hc_repairs_run(repairs), -1, "then all is done");
    is_int(w.arrivals, 1, "and told");
    ok(mends(repairs), "now it mends");
    is_str(w.kept_url, URL, "and is kept");
    hc_repairs_free(repairs);
    repairs = open_world(&w);
    ok(mends(repairs) && w.requests == 1, "for the next process too, without a request");
    hc_buf_dispose(&der);
    close_world(&w, repairs);
}

static void reserved_addresses_are_refused(void)
{
    static const char *const addresses[] = {"127.0.0.1",   "10.1.2.3",   "169.254.169.254",
                                            "192.168.1.1", "100.64.0.1", "0.0.0.0"};

    for (size_t i = 0; i < HC_COUNT(addresses); i++) {
        struct world w = {.a = {addresses[i]}};
        struct hc_repairs *repairs = open_world(&w);

        (void)mends(repairs);
        (void)hc_repairs_run(repairs);
        answer_dns(&w);
        (void)hc_repairs_run(repairs);
        is_int(w.requests, 0, addresses[i]);
        ok(strstr(w.text, addresses[i]) != NULL, "is not asked, and that is said");
        (void)mends(repairs);
        (void)hc_repairs_run(repairs);
        is_int(w.ask_count, 2, "nor looked up again soon");
        w.now_ms += 3600001;
        (void)mends(repairs);
        (void)hc_repairs_run(repairs);
        is_int(w.ask_count, 4, "but later");
        close_world(&w, repairs);
    }
    {
        struct world w = {.a = {"10.0.0.1", "93.184.216.34"}};
        struct hc_repairs *repairs = open_world(&w);

        (void)mends(repairs);
        (void)hc_repairs_run(repairs);
        answer_dns(&w);
        (void)hc_repairs_run(repairs);
        is_str(w.asked_address, "93.184.216.34", "of several addresses only a public one is asked");
        close_world(&w, repairs);
    }
}

static void strangers_are_not_kept(void)
{
    struct world w = {.a = {"93.184.216.34", "93.184.216.35"}};
    struct hc_repairs *repairs = open_world(&w);
    struct hc_buf der = der_of(stranger.cert);
    struct hc_buf right = der_of(mid.cert);

    (void)mends(repairs);
    (void)hc_repairs_run(repairs);
    answer_dns(&w);
    (void)hc_repairs_run(repairs);
    answer_web(&w, 200, "", hc_bytes_of(&der));
    (void)hc_repairs_run(repairs);
    is_int(w.arrivals, 0, "a certificate that signed nothing of ours is no use");
    is_str(w.asked_address, "93.184.216.35", "the next address is asked");
    answer_web(&w, 404, "", hc_bytes_of(&right));
    (void)hc_repairs_run(repairs);
    ok(w.arrivals == 0 && w.kept.len == 0, "nor is the body of an error");
    ok(strstr(w.text, "stays incomplete") != NULL && strstr(w.text, "404") != NULL, "it is said");
    hc_buf_dispose(&der);
    hc_buf_dispose(&right);
    close_world(&w, repairs);
}

static void redirects_are_vetted_again(void)
{
    static const char *const refused[] = {
        "https://ca.example/", "http://ca.example:8080/", "http://127.0.0.1/mid.der",
        "ftp://ca.example/",   "http://[::1]/",           ""};
    struct hc_bytes none = {NULL, 0};

    for (size_t i = 0; i < HC_COUNT(refused); i++) {
        struct world w = {.a = {"93.184.216.34"}};
        struct hc_repairs *repairs = open_world(&w);

        (void)mends(repairs);
        (void)hc_repairs_run(repairs);
        answer_dns(&w);
        (void)hc_repairs_run(repairs);
        answer_web(&w, 302, refused[i], none);
        (void)hc_repairs_run(repairs);
        ok(w.requests == 1 && w.ask_count == 2, refused[i][0] != '\0' ? refused[i] : "nowhere");
        close_world(&w, repairs);
    }
    {
        struct world w = {.a = {"93.184.216.34"}};
        struct hc_repairs *repairs = open_world(&w);
        struct hc_buf der = der_of(mid.cert);

        (void)mends(repairs);
        (void)hc_repairs_run(repairs);
        answer_dns(&w);
        (void)hc_repairs_run(repairs);
        answer_web(&w, 301, "http://other.example/x", none);
        (void)hc_repairs_run(repairs);
        is_int(w.ask_count, 4, "a redirect's host is looked up");
        w.a[0] = "93.184.216.99";
        answer_dns(&w);
        (void)hc_repairs_run(repairs);
        is_str(w.asked_address, "93.184.216.99", "and asked where it is");
        answer_web(&w, 200, "", hc_bytes_of(&der));
        (void)hc_repairs_run(repairs);
        ok(mends(repairs), "and what it has mends");
        hc_buf_dispose(&der);
        close_world(&w, repairs);
    }
    {
        struct world w = {.a = {"93.184.216.34"}};
        struct hc_repairs *repairs = open_world(&w);

        (void)mends(repairs);
        for (int i = 0; i < 4; i++) {
            (void)hc_repairs_run(repairs);
            answer_dns(&w);
            w.ask_count = 0;
            (void)hc_repairs_run(repairs);
            answer_web(&w, 302, URL, none);
        }
        (void)hc_repairs_run(repairs);
        is_int(w.requests, 1 + HC_REPAIR_HOPS, "a loop of redirects ends");
        close_world(&w, repairs);
    }
}

static void time_is_bounded(void)
{
    struct world w = {.a = {"93.184.216.34"}};
    struct hc_repairs *repairs = open_world(&w);

    (void)mends(repairs);
    (void)hc_repairs_run(repairs);
    w.now_ms += HC_REPAIR_MS;
    is_int(hc_repairs_run(repairs), -1, "a DNS that is silent ends it");
    is_int(w.cancels, 2, "the questions are withdrawn");
    ok(strstr(w.text, "10 s") != NULL, "it is said");
    close_world(&w, repairs);

    memset(&w, 0, sizeof(w));
    w.a[0] = "93.184.216.34";
    repairs = open_world(&w);
    (void)mends(repairs);
    (void)hc_repairs_run(repairs);
    answer_dns(&w);
    (void)hc_repairs_run(repairs);
    w.now_ms += HC_REPAIR_MS;
    (void)hc_repairs_run(repairs);
    is_int(w.cancels, 1, "and so does a server that is");
    close_world(&w, repairs);

    memset(&w, 0, sizeof(w));
    w.a[0] = "93.184.216.34";
    repairs = open_world(&w);
    (void)mends(repairs);
    (void)hc_repairs_run(repairs);
    close_world(&w, repairs);
    is_int(w.cancels, 2, "who ends early leaves nothing behind");
}

static void what_was_kept_damaged_is_fetched_again(void)
{
    struct world w = {.a = {"93.184.216.34"}};
    struct hc_repairs *repairs = NULL;

    w.kept.max = HC_REPAIR_BYTES;
    keep(&w, URL, (struct hc_bytes){(const unsigned char *)"rubbish", 7});
    repairs = open_world(&w);
    ok(!mends(repairs), "rubbish does not mend");
    (void)hc_repairs_run(repairs);
    is_int(w.ask_count, 2, "it is looked for anew");
    close_world(&w, repairs);
}

int main(void)
{
    root = forge(&(struct forge){.name = "root", .ca = true});
    mid = forge(&(struct forge){.name = "mid", .ca = true, .by = &root});
    leaf = forge(&(struct forge){.name = "leaf",
                                 .by = &mid,
                                 .extra_oid = "authorityInfoAccess",
                                 .extra_value = "caIssuers;URI:" URL});
    stranger = forge(&(struct forge){.name = "mid", .ca = true, .by = &root});
    an_issuer_is_fetched_and_kept();
    reserved_addresses_are_refused();
    strangers_are_not_kept();
    redirects_are_vetted_again();
    time_is_bounded();
    what_was_kept_damaged_is_fetched_again();
    forged_free(&root);
    forged_free(&mid);
    forged_free(&leaf);
    forged_free(&stranger);
    return done();
}
