/* Whose the problems of the network are; see network.h. */
#include "acme/network.h"

#include "net/url.h"

static const struct {
    enum hc_problem network;
    enum hc_problem ca;
} meaning[] = {
    {HC_P_FETCH_FAILED, HC_P_CA_UNREACHABLE}, {HC_P_FETCH_TIMEOUT, HC_P_CA_TIMEOUT},
    {HC_P_FETCH_UNTRUSTED, HC_P_CA_TLS},      {HC_P_FETCH_URL, HC_P_CA_URL},
    {HC_P_TOO_LARGE, HC_P_CA_REPLY},
};

int hc_acme_network_error(struct hc_error *err)
{
    for (size_t i = 0; err != NULL && i < HC_COUNT(meaning); i++) {
        if (err->problem == meaning[i].network) {
            err->problem = meaning[i].ca;
            break;
        }
    }
    return -1;
}

int hc_acme_send(const struct hc_http_port *http, const struct hc_http_request *request,
                 hc_http_done *done, void *arg, uint64_t *id, struct hc_error *err)
{
    if (http->send(http->self, request, done, arg, id, err) != 0) {
        return hc_acme_network_error(err);
    }
    return 0;
}

int hc_acme_check_url(const char *directory, const char *url, struct hc_error *err)
{
    struct hc_url_parts ours;
    struct hc_url_parts theirs;

    if (hc_http_check_url(url, err) != 0) {
        return hc_acme_network_error(err);
    }
    if (hc_url_take(directory, &ours) != NULL || hc_url_take(url, &theirs) != NULL ||
        ours.tls != theirs.tls) {
        return hc_error_set(err, HC_P_CA_URL, url, "the directory is %s, this is not",
                            ours.tls ? "https" : "http");
    }
    return 0;
}
