/* Renewal information: the forms of RFC 9773, and what CAs might send instead. */
#include "acme/ari.h"

#include <openssl/evp.h>
#include <openssl/x509v3.h>
#include <stdlib.h>

#include "base/time.h"
#include "tap.h"

/* A leaf with this authority key identifier and serial number (bytes, big endian). */
static X509 *leaf_with(const char *aki, const unsigned char *serial, size_t len)
{
    X509 *leaf = X509_new();
    BIGNUM *number = BN_bin2bn(serial, (int)len, NULL);
    ASN1_INTEGER *integer = BN_to_ASN1_INTEGER(number, NULL);
    AUTHORITY_KEYID *id = AUTHORITY_KEYID_new();
    long count = 0;
    unsigned char *bytes = aki != NULL ? OPENSSL_hexstr2buf(aki, &count) : NULL;

    X509_set_serialNumber(leaf, integer);
    if (aki != NULL) {
        id->keyid = ASN1_OCTET_STRING_new();
        ASN1_OCTET_STRING_set(id->keyid, bytes, (int)count);
        X509_add1_ext_i2d(leaf, NID_authority_key_identifier, id, 0, X509V3_ADD_DEFAULT);
    }
    OPENSSL_free(bytes);
    AUTHORITY_KEYID_free(id);
    ASN1_INTEGER_free(integer);
    BN_free(number);
    return leaf;
}

static void the_identifier_is_that_of_section_4_1(void)
{
    static const unsigned char serial[] = {0x87, 0x65, 0x43, 0x21};
    static const unsigned char small[] = {0x01};
    struct hc_buf id = HC_BUF_INIT(256);
    X509 *leaf = leaf_with("69885b6b87464041e1b37b847ba0ae2cde01c8d4", serial, sizeof(serial));

    ok(hc_ari_id(leaf, &id), "a leaf as CAs make it");
    is_str(hc_buf_text(&id), "aYhba4dGQEHhs3uEe6CuLN4ByNQ.AIdlQyE", "the figure of the RFC");
    X509_free(leaf);
    leaf = leaf_with("69885b6b87464041e1b37b847ba0ae2cde01c8d4", small, sizeof(small));
    ok(hc_ari_id(leaf, &id), "a small serial number");
    is_str(hc_buf_text(&id), "aYhba4dGQEHhs3uEe6CuLN4ByNQ.AQ", "is as short as it is");
    X509_free(leaf);
    leaf = leaf_with(NULL, serial, sizeof(serial));
    ok(!hc_ari_id(leaf, &id), "without an authority key identifier there is none");
    X509_free(leaf);
    hc_buf_dispose(&id);
}

static void a_url_has_one_slash(void)
{
    static const char *const urls[] = {"https://ca.test/ari", "https://ca.test/ari/"};
    struct hc_buf url = HC_BUF_INIT(256);

    for (size_t i = 0; i < HC_COUNT(urls); i++) {
        hc_buf_reset(&url);
        ok(hc_ari_url(urls[i], "a.b", &url, NULL) == 0, urls[i]);
        is_str(hc_buf_text(&url), "https://ca.test/ari/a.b", "the URL");
    }
    hc_buf_dispose(&url);
}

static int parse(const char *text, struct hc_ari_window *window, struct hc_error *err)
{
    hc_error_init(err);
    return hc_ari_parse((struct hc_bytes){(const unsigned char *)text, strlen(text)}, window, err);
}

#define WINDOW(start, end) "{\"suggestedWindow\":{\"start\":\"" start "\",\"end\":\"" end "\"}"

static void a_window_is_read(void)
{
    struct hc_ari_window window;
    struct hc_error err;
    char text[HC_TIME_TEXT];

    ok(parse(WINDOW("2025-01-02T04:00:00Z",
                    "2025-01-03T04:00:00Z") ",\"explanationURL\":\"https://ca.test/docs/ari\"}",
             &window, &err) == 0,
       "the RFC's own");
    is_str(hc_time_format(window.start, text), "2025-01-02T04:00:00Z", "its start");
    is_str(hc_time_format(window.end, text), "2025-01-03T04:00:00Z", "its end");
    is_str(window.explanation, "https://ca.test/docs/ari", "and where it is explained");
    hc_ari_window_dispose(&window);
    ok(parse(WINDOW("2025-01-02T06:00:00.123456789+02:00", "2025-01-02T23:30:00-04:30") "}",
             &window, &err) == 0,
       "offsets and fractions");
    is_str(hc_time_format(window.start, text), "2025-01-02T04:00:00Z", "its start");
    is_str(hc_time_format(window.end, text), "2025-01-03T04:00:00Z", "its end");
    ok(window.explanation == NULL, "no explanation");
    hc_ari_window_dispose(&window);
    ok(parse(WINDOW("2025-01-02T04:00:00Z",
                    "2025-01-03T04:00:00Z") ",\"explanationURL\":\"javascript:alert(1)\"}",
             &window, &err) == 0 &&
           window.explanation == NULL,
       "what is no URL for a person is left out");
    hc_ari_window_dispose(&window);
}

static void what_is_no_window_is_refused(void)
{
    static const struct {
        const char *text, *why;
    } rows[] = {
        {"", "JSON"},
        {"[]", "JSON"},
        {"{}", "no suggestedWindow"},
        {"{\"suggestedWindow\":[]}", "no suggestedWindow"},
        {"{\"suggestedWindow\":{}}", "start"},
        {WINDOW("2025-01-02T04:00:00Z", "2025-01-02T04:00:00Z") "}", "ends before"},
        {WINDOW("2025-01-02T04:00:00Z", "2025-01-01T04:00:00Z") "}", "ends before"},
        {WINDOW("2025-01-02", "2025-01-03T04:00:00Z") "}", "start"},
        {WINDOW("2025-01-02T04:00:00", "2025-01-03T04:00:00Z") "}", "start"},
        {WINDOW("2025-01-02T04:00:00.Z", "2025-01-03T04:00:00Z") "}", "start"},
        {WINDOW("2025-01-02T04:00:00+0200", "2025-01-03T04:00:00Z") "}", "start"},
        {WINDOW("2025-01-02T04:00:00+24:00", "2025-01-03T04:00:00Z") "}", "start"},
        {WINDOW("2025-01-02T04:00:00Z", "2025-13-41T04:00:00Z") "}", "end"},
        {WINDOW("2025-01-02T04:00:00Z", "2025-01-03T04:00:00Zx") "}", "end"},
    };

    for (size_t i = 0; i < HC_COUNT(rows); i++) {
        struct hc_ari_window window;
        struct hc_error err;

        ok(parse(rows[i].text, &window, &err) == -1 && err.problem == HC_P_CA_REPLY, rows[i].text);
        ok(strstr(err.detail, rows[i].why) != NULL && window.start == 0, rows[i].why);
    }
}

/* Even, inside, and the same whoever draws. */
static void an_instant_is_drawn_once(void)
{
    unsigned parts[10] = {0};
    bool inside = true;
    bool even = true;
    char id[32];

    for (int i = 0; i < 10000; i++) {
        int64_t at = 0;

        snprintf(id, sizeof(id), "key.%d", i);
        at = hc_ari_instant(1000, 2000, id);
        inside = inside && at >= 1000 && at < 2000 && at == hc_ari_instant(1000, 2000, id);
        parts[(at - 1000) / 100]++;
    }
    for (size_t i = 0; i < HC_COUNT(parts); i++) {
        even = even && parts[i] > 850 && parts[i] < 1150;
    }
    ok(inside, "always inside the window, always the same");
    ok(even, "each tenth of the window has about a tenth of the certificates");
    ok(hc_ari_instant(1000, 2000, "a.b") != hc_ari_instant(1000, 2001, "a.b"),
       "another window is drawn anew");
}

static void questions_keep_the_cas_pace(void)
{
    is_int(hc_ari_pause(-1), 21600, "six hours where it names none");
    is_int(hc_ari_pause(0), 60, "at least a minute");
    is_int(hc_ari_pause(3600), 3600, "its own");
    is_int(hc_ari_pause(864000), 86400, "at most a day");
}

int main(void)
{
    the_identifier_is_that_of_section_4_1();
    a_url_has_one_slash();
    a_window_is_read();
    what_is_no_window_is_refused();
    an_instant_is_drawn_once();
    questions_keep_the_cas_pace();
    return done();
}
