/* Whose the problems of the network are, and which of a CA's URLs are followed. */
#include "acme/network.h"
#include "tap.h"

static void whose_a_problem_is(void)
{
    static const struct {
        enum hc_problem network;
        enum hc_problem ca;
    } rows[] = {
        {HC_P_FETCH_FAILED, HC_P_CA_UNREACHABLE}, {HC_P_FETCH_TIMEOUT, HC_P_CA_TIMEOUT},
        {HC_P_FETCH_UNTRUSTED, HC_P_CA_TLS},      {HC_P_FETCH_URL, HC_P_CA_URL},
        {HC_P_TOO_LARGE, HC_P_CA_REPLY},          {HC_P_FILE_UNREADABLE, HC_P_FILE_UNREADABLE},
        {HC_P_OUT_OF_MEMORY, HC_P_OUT_OF_MEMORY}, {HC_P_NONE, HC_P_NONE},
    };

    for (size_t i = 0; i < HC_COUNT(rows); i++) {
        struct hc_error err = {.problem = rows[i].network, .subject = "https://ca.test/dir"};

        is_int(hc_acme_network_error(&err), -1, hc_problem_row(rows[i].network)->slug);
        is_int(err.problem, rows[i].ca, hc_problem_row(rows[i].ca)->slug);
        is_str(err.subject, "https://ca.test/dir", "of the same URL");
    }
    is_int(hc_acme_network_error(NULL), -1, "nobody has to want to know");
}

static int refuse(void *self, const struct hc_http_request *request, hc_http_done *done, void *arg,
                  uint64_t *id, struct hc_error *err)
{
    (void)self;
    (void)done;
    (void)arg;
    (void)id;
    return hc_http_check_url(request->url, err);
}

static void what_cannot_be_sent(void)
{
    const struct hc_http_port port = {.send = refuse};
    struct hc_http_request request = {.url = "http://ca.test/dir"};
    struct hc_error err;
    uint64_t id = 0;

    hc_error_init(&err);
    is_int(hc_acme_send(&port, &request, NULL, NULL, &id, &err), -1, "a URL that is not followed");
    is_int(err.problem, HC_P_CA_URL, "is the CA's fault");
    request.url = "https://ca.test/dir";
    is_int(hc_acme_send(&port, &request, NULL, NULL, &id, NULL), 0, "another is sent");
}

static void what_a_ca_hands_out(void)
{
    static const char tls[] = "https://ca.test/dir";
    static const char plain[] = "http://127.0.0.1:80/dir";
    static const struct {
        const char *directory;
        const char *url;
        bool good;
        const char *label;
    } rows[] = {
        {tls, "https://other.test/x", true,
         "https stays https, and another host is the CA's affair"},
        {plain, "http://127.0.0.1:81/x", true, "http on loopback"},
        {tls, "http://127.0.0.1/x", false, "https never becomes http, not even on loopback"},
        {tls, "HTTP://127.0.0.1/x", false, "in capitals neither"},
        {plain, "https://ca.test/x", false, "nor http https"},
        {plain, "http://ca.test/x", false, "http leaves no loopback"},
        {tls, "https://user@ca.test/x", false, "a user name"},
        {tls, "x", false, "no URL"},
    };

    for (size_t i = 0; i < HC_COUNT(rows); i++) {
        struct hc_error err;

        hc_error_init(&err);
        is_int(hc_acme_check_url(rows[i].directory, rows[i].url, &err), rows[i].good ? 0 : -1,
               rows[i].label);
        is_int(err.problem, rows[i].good ? HC_P_NONE : HC_P_CA_URL, "as the CA's fault");
    }
}

int main(void)
{
    whose_a_problem_is();
    what_cannot_be_sent();
    what_a_ca_hands_out();
    return done();
}
